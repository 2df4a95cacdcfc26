"""Targets of the key figures: shipped as data, laid over by the main file, faults named by their place."""

from pathlib import Path

import pytest

from alerting.kpi.targets import load_targets
from service.config import ConfigurationError, Settings, load
from tests.running import main_file, site_of, write_yaml


def loaded(folder: Path, **sections: object) -> Settings:
    write_yaml(folder / "site.yaml", site_of([]))
    main = main_file(historian={"kind": "duckdb"}, **sections)
    return load(write_yaml(folder / "anshao.yaml", main), {})


def test_what_a_site_says_is_laid_over_what_is_shipped(tmp_path: Path) -> None:
    shipped = load_targets()
    assert loaded(tmp_path).kpi == shipped
    given = loaded(tmp_path, kpi={"version": 2, "fleeting": {"within": 30}, "acknowledge": {"red": 60}}).kpi
    assert (given.version, given.fleeting.within, given.acknowledge.red) == (2, 30, 60)
    assert given.acknowledge.blue == shipped.acknowledge.blue
    assert given.flood == shipped.flood


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"fleeting": {"wihtin": 30}}, "kpi.fleeting.wihtin"),
        ({"stale": {"after": -1}}, "kpi.stale.after"),
        ({"flood": 5}, "kpi.flood"),
        ("all of it", "kpi"),
        ({"online": {"at_least": 99.5}}, "kpi.online.at_least"),
    ],
)
def test_a_fault_is_named_by_its_place(tmp_path: Path, section: object, place: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, kpi=section)
    assert [fault.field for fault in refused.value.faults] == [place]
