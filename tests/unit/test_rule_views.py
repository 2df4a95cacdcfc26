"""Rules of every kind as the API tells them, of the example site that shows each of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.site import Site
from rules.engine import RuleEngine, TagColumns
from rules.expressions import programs_of
from service.api import watched_models
from service.api.catalogue import Catalogue, tag_view
from service.api.rule_views import VALUE_KINDS, limit_view
from service.config import load_site

EXAMPLE = Path(__file__).parents[2] / "config" / "site.yaml"


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site([EXAMPLE])


def limit(site: Site, path: str) -> dict[str, Any]:
    return limit_view(site, site.rule_row(path))


def test_every_rule_fits_its_document(site: Site) -> None:
    shown = [row for row in range(len(site.rules)) if site.rules.kind[row] in VALUE_KINDS]
    assert len(shown) > 20
    for row in shown:
        watched_models.Limit.model_validate(limit_view(site, row))
    rules = Catalogue(site).unit_rules["huarui", "tankfarm"]
    assert [watched_models.UnitRule.model_validate(rule).key for rule in rules] == ["H2S-2OO3", "STRATIFIED"]


def test_a_converted_limit_tells_what_it_was(site: Site) -> None:
    shown = limit(site, "huarui/GT-103/H")
    assert (shown["given"], shown["default"]) == ("10.6 ppm", False)
    assert shown["setpoint"] == pytest.approx(15, rel=0.01)
    shown = limit(site, "huarui/GD-101/HH")
    assert (shown["given"], shown["default"], shown["setpoint"]) == ("50 %LEL", True, 25_000)
    assert limit(site, "huarui/GT-101/H")["given"] is None


def test_a_deviation_tells_its_reference(site: Site) -> None:
    shown = limit(site, "huarui/TI-101/DEVIATION")
    assert (shown["kind"], shown["side"]) == ("deviation", "both")
    assert shown["reference"] == {"kind": "tag", "value": None, "tag": "TI-102", "window_ms": None}
    assert limit(site, "huarui/TI-101/STUCK")["window_ms"] == 3_600_000
    assert (limit(site, "huarui/TI-101/STUCK")["side"], limit(site, "huarui/TI-101/STUCK")["reference"]) == (None, None)


def test_a_limit_tells_its_modes_and_attributes(site: Site) -> None:
    assert limit(site, "huarui/TI-101/HH")["modes"] == [{"mode": "startup", "setpoint": 60, "deadband": 2}]
    assert limit(site, "huarui/FI-101/H")["modes"] == [{"mode": "night", "setpoint": None, "deadband": None}]
    shown = limit(site, "huarui/GT-102/HH")
    assert shown["suppressed_by"] == ["huarui/GT-102/BAD", "huarui/@gw1/LINK"]
    assert (shown["cards"], shown["re_alarm_ms"], shown["parent"]) == (["h2s"], 1_800_000, None)


def test_a_unit_tells_its_rules_and_modes(site: Site) -> None:
    catalogue = Catalogue(site)
    vote, expression = catalogue.unit_rules["huarui", "tankfarm"]
    assert (vote["kind"], vote["needed"], vote["side"], vote["setpoint"]) == ("vote", 2, "high", 20)
    assert (vote["inputs"], vote["engineering_unit"]) == (["GT-101", "GT-102", "GT-103"], "mg/m3")
    assert (vote["path"], vote["grade"]) == ("huarui/@unit.tankfarm/H2S-2OO3", "orange")
    assert (expression["kind"], expression["needed"], expression["setpoint"]) == ("expression", None, None)
    assert expression["expression"] == "TI-101 - TI-102 > 15 and PI-101 > 100"
    assert expression["inputs"] == ["TI-101", "TI-102", "PI-101"]
    assert (expression["parent"], expression["grade"]) == ("huarui/TI-101/H", None)
    assert catalogue.modes == {"huarui/tankfarm": ["startup", "normal"], "huarui/loading": ["night"]}
    assert ("huarui", "loading") not in catalogue.unit_rules


@pytest.mark.parametrize(
    ("name", "has_limits", "keys"),
    [
        ("TI-101", True, ["HH", "H", "DEVIATION", "STUCK"]),
        ("TI-102", False, []),
        ("GT-102", True, ["HH", "H", "RISE", "EVACUATE"]),
    ],
)
def test_a_tag_with_its_rules(name: str, *, has_limits: bool, keys: list[str], site: Site) -> None:
    index = site.tag_index[f"huarui/{name}"]
    columns = TagColumns(np.full(len(site.tags), 1000), np.ones(len(site.tags), dtype=np.bool_))
    engine = RuleEngine(site.rules, columns, 600_000, 5_000, programs_of(site), site.selectors)
    view = tag_view(site, index, engine.latest, set())
    watched_models.Tag.model_validate(view)
    assert (view["has_limits"], [shown["key"] for shown in view["limits"]]) == (has_limits, keys)
    assert view["species"] == ("H2S" if name.startswith("G") else None)
