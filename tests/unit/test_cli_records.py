"""The record on the command line: journal, evidence, key figures."""

import asyncio
import csv
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerting.journal.keys import known_keys
from service.cli.app import app
from tests.evidence_case import make_case
from tests.running import main_file, site_of, write_yaml


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A main file whose data folder holds the ledger and the samples of a leak."""
    folder = tmp_path_factory.mktemp("record")
    data = folder / "data"
    data.mkdir()
    asyncio.run(make_case(data))
    tag = {"tag": "GT-1", "measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100]}
    write_yaml(folder / "site.yaml", site_of([{"id": "tankfarm", "name": "罐区", "tags": [tag]}]))
    main = main_file(historian={"kind": "duckdb", "path": "history.duckdb"})
    return write_yaml(folder / "anshao.yaml", main)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_the_journal_is_verified_and_its_key_shown(config: Path) -> None:
    done = run("journal", "verify", "--config", config)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "the journal holds: 21 entries, 1 signed days")
    (key,) = known_keys(config.parent / "data" / "keys").values()
    shown = run("journal", "key", "--config", config)
    assert shown.exit_code == 0
    assert shown.output.splitlines()[:2] == [f"fingerprint {key.fingerprint}", "-----BEGIN PUBLIC KEY-----"]


def test_a_journal_that_was_cut_ends_with_status_1_and_the_place(config: Path) -> None:
    file = config.parent / "data" / "ledger.sqlite"
    content = file.read_bytes()
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM journal WHERE sequence > 18")
    connection.close()
    done = run("journal", "verify", "--config", config)
    assert done.exit_code == 1
    assert "entries 19 to 21 were removed" in done.output
    file.write_bytes(content)
    assert run("journal", "verify", "--config", config).exit_code == 0


def test_evidence_is_made_by_its_number_alone_and_verified(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "incident.zip"
    made = run("evidence", "1", "--out", file, "--config", config, "--name", "王芳")
    assert made.exit_code == 0, made.output
    assert "14 journal entries" in made.output.replace("\n", " ")
    (key,) = known_keys(config.parent / "data" / "keys").values()
    held = run("evidence", "verify", file, "--key", key.fingerprint[:16])
    assert held.exit_code == 0, held.output
    assert "every byte is as it was signed" in held.output
    assert run("evidence", "verify", file, "--key", "0" * 16).exit_code == 1
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"\x01")
    spoilt = run("evidence", "verify", file)
    assert spoilt.exit_code == 1
    assert f"byte {len(content) - 1} of the file was changed" in spoilt.output


def test_what_cannot_be_made_ends_with_status_2(config: Path, tmp_path: Path) -> None:
    done = run("evidence", "77", "--out", tmp_path / "x.zip", "--config", config)
    assert done.exit_code == 2
    assert "there is no incident 77" in done.output
    assert not (tmp_path / "x.zip").exists()


def test_key_figures_are_printed_and_written(config: Path, tmp_path: Path) -> None:
    html, table = tmp_path / "k.html", tmp_path / "k.csv"
    done = run("kpi", "--from", "2025-06-01", "--to", "2025-07-05", "--html", html, "--csv", table, "--config", config)
    assert done.exit_code == 0, done.output
    assert "平均报警率" in done.output
    assert "关键指标" in html.read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["alarms"] for row in rows] == ["5", "5", "3", "5", "3", "3"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--scope", "moon"), "use all, desk, enterprise, region"),
        (("--scope", "desk", "--id", "nowhere"), "there is no desk 'nowhere'"),
        (("--from", "soon"), "write a date"),
        (("--from", "2025-07-02", "--to", "2025-07-01"), "--from must lie before --to"),
        (("--from", "2001-01-01", "--to", "2001-02-01"), "nothing of this period"),
    ],
)
def test_what_cannot_be_computed_ends_with_status_2(config: Path, arguments: tuple[str, ...], told: str) -> None:
    done = run("kpi", *arguments, "--config", config)
    assert done.exit_code == 2
    assert told in done.output.replace("\n", " ")
