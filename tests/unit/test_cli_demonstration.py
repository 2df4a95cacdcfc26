"""``anshao demo --scenario``: the service on those units alone that a scenario plays in."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import demonstration
from service.cli.app import app
from service.cli.datasets import measured
from service.cli.demonstration import site_of
from service.config import Settings, load, load_site
from simulators.scenarios import SITE, Simulation, find, shipped
from simulators.scenarios import load as load_scenario


@pytest.mark.parametrize("names", [(name,) for name in shipped()] + [("quiet-day", "bypass-left-in")])
def test_every_tag_of_the_site_is_played(tmp_path: Path, names: tuple[str, ...]) -> None:
    whole = load_site([SITE])
    kept = load(site_of(names, SITE.parent, tmp_path) / "anshao.yaml", {}).site
    tags = [tag for name in names for tag in Simulation(load_scenario(find(name)), whole).tags]
    assert sorted(measured(kept)) == sorted(tag.path for tag in tags)
    for tag in tags:
        rows = kept.rules.of_tag(kept.tag_index[tag.path])
        old = [whole.rules.row(row) for row in whole.rules.of_tag(whole.tag_index[tag.path])]
        assert [kept.rules.key[row] for row in rows] == [rule.key for rule in old]
        assert [kept.rules.row(row).setpoint for row in rows] == [rule.setpoint for rule in old]


def test_a_scenario_that_is_not_there_is_told() -> None:
    told = CliRunner().invoke(app, ["demo", "--scenario", "flange-leek-h2s"])
    assert told.exit_code == 2, told.output
    assert "there is no such scenario" in told.output


def test_a_data_folder_is_beside_where_the_command_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Settings] = []

    def application(settings: Settings) -> None:
        made.append(settings)
        raise SystemExit(0)

    monkeypatch.setattr(demonstration, "Application", application)
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["demo", "--data", "kept", "--port", "0", "--broker-port", "0"])
    assert told.exit_code == 0, told.output
    assert made[0].data_dir == tmp_path / "kept"
    assert str(tmp_path / "kept") in made[0].ledger.url.get_secret_value()
