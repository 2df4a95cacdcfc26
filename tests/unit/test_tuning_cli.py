"""``anshao compare``, ``sweep`` and ``suggest``: what they print, what they write, and what they refuse."""

import json
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from service.cli.app import app
from tests import tuning_case


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuning_case.Case:
    return tuning_case.make(tmp_path_factory.mktemp("case"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "160"})


def test_compare_tells_and_writes_what_changes(case: tuning_case.Case, tmp_path: Path) -> None:
    told = run("compare", case.old, case.new, case.data, "--json", tmp_path / "c.json", "--out", tmp_path / "c.html")
    assert told.exit_code == 0, told.output
    assert "works/LI-101/H" in told.output
    assert "deadband 0 → 3" in told.output
    document = json.loads((tmp_path / "c.json").read_bytes())
    assert (document["format"], document["kind"]) == (1, "compare")
    assert {rule["condition"] for rule in document["rules"]} == {"works/LI-101/H", "works/PI-101/H"}
    old, new, counts = document["old"]["figures"]["alarms"], document["new"]["figures"]["alarms"], document["counts"]
    assert new == old + counts["added"] + counts["split"] - counts["removed"] - counts["merged"]
    assert len(document["changes"]) == sum(count for kind, count in counts.items() if kind != "same")
    assert [event["id"] for event in document["new"]["events"]] == ["overfill", "leak"]
    assert document["readings"] == 2 * tuning_case.SECONDS
    assert (tmp_path / "c.html").stat().st_size > 50_000
    whole = run("compare", case.old, case.new, case.data, "--whole", "--json", tmp_path / "w.json")
    assert whole.exit_code == 0
    everything = json.loads((tmp_path / "w.json").read_bytes())
    assert everything["changes"] == document["changes"]
    assert {event["id"]: event["found"] for event in everything["new"]["events"]} == {"overfill": True, "leak": True}


def test_the_same_rules_compared_say_so(case: tuning_case.Case, tmp_path: Path) -> None:
    told = run("compare", case.old, case.old, case.data, "--out", tmp_path / "c.html")
    assert told.exit_code == 0
    assert "rules that differ 0" in told.output
    assert "no reading" not in told.output


def test_sweep_recommends_and_writes_every_point(case: tuning_case.Case, tmp_path: Path) -> None:
    command = ("sweep", case.old, case.data, "LI-101/H", "--setpoint", "75:90:5", "--deadband", "0,2")
    told = run(*command, "--lead", "10min", "--json", tmp_path / "s.json", "--out", tmp_path / "s.html")
    assert told.exit_code == 0, told.output
    assert "recommended: setpoint" in told.output
    document = json.loads((tmp_path / "s.json").read_bytes())
    assert [point["number"] for point in document["points"]] == list(range(9))
    assert document["points"][document["choice"]["point"]]["least_lead"] >= 600_000
    assert document["by_rule"][0]["rule_after"]["deadband"] == 2


def test_sweep_takes_patterns_and_spans(case: tuning_case.Case, tmp_path: Path) -> None:
    span = ("--from", "2026-01-01T01:00:00+08:00", "--to", "2026-01-01T02:00:00+08:00")
    told = run("sweep", case.old, case.data, "*/H*", *span, "--setpoint", "x1,x1.1", "--json", tmp_path / "s.json")
    assert told.exit_code == 0, told.output
    document = json.loads((tmp_path / "s.json").read_bytes())
    assert len(document["rules"]) == 5
    assert document["readings"] == 3 * 3_600
    assert document["begin"] == tuning_case.at(3_600)


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "OLD", "NEW", "DATA"),
        ("sweep", "OLD", "DATA", "LI-101/H", "--setpoint", "1"),
        ("suggest", "OLD", "DATA"),
        ("backtest", "OLD", "DATA"),
    ],
)
def test_a_span_without_readings_is_told_and_reported(
    case: tuning_case.Case, tmp_path: Path, command: tuple[str, ...]
) -> None:
    names = {"OLD": case.old, "NEW": case.new, "DATA": case.data}
    span = ("--from", "2030-01-01", "--to", "2030-01-02")
    told = run(*(names.get(each, each) for each in command), *span, "--out", tmp_path / "r.html")
    assert told.exit_code == 0, told.output
    assert "no reading of these tags" in told.output
    assert (tmp_path / "r.html").stat().st_size > 50_000


def test_a_sweep_without_an_event_recommends_nothing_and_says_why(case: tuning_case.Case, tmp_path: Path) -> None:
    told = run("sweep", case.old, case.quiet, "PI-101/RISE", "--setpoint", "1,2", "--out", tmp_path / "s.html")
    assert told.exit_code == 0, told.output
    assert "nothing is recommended" in told.output
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "so they do not show what a less sensitive rule would miss" in page


def test_suggest_names_what_is_bad_and_what_helps(case: tuning_case.Case, tmp_path: Path) -> None:
    told = run("suggest", case.old, case.quiet, "--json", tmp_path / "s.json", "--out", tmp_path / "s.html")
    assert told.exit_code == 0, told.output
    assert "works/PI-101/H" in told.output
    document = json.loads((tmp_path / "s.json").read_bytes())
    assert document["assumed"]
    worst = document["suggestions"][0]
    assert worst["condition"] == "works/PI-101/H"
    assert sum(proposal["recommended"] for proposal in worst["proposals"]) == 1
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert tuning_case.HOSTILE.format("enterprise") not in page


def test_the_same_data_make_the_same_documents(case: tuning_case.Case, tmp_path: Path) -> None:
    for name in ("a", "b"):
        told = run(
            "suggest", case.old, case.data, "--json", tmp_path / f"{name}.json", "--out", tmp_path / f"{name}.html"
        )
        assert told.exit_code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert orjson.loads((tmp_path / "a.json").read_bytes())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sweep", "OLD", "DATA", "LI-101/H"], "nothing to sweep"),
        (["sweep", "OLD", "DATA", "LI-101/X", "--setpoint", "1"], "The rules of LI-101: BAD, H, HH, STALE"),
        (["sweep", "OLD", "DATA", "NO-1/H", "--setpoint", "1"], "Rules are named TAG/RULE"),
        (["sweep", "OLD", "DATA", "LI-101/STALE", "--setpoint", "1"], "kind STALE has no setpoint"),
        (["sweep", "OLD", "DATA", "LI-101/H", "--setpoint", "1:2"], "--setpoint 1:2"),
        (["sweep", "OLD", "DATA", "LI-101/H", "--setpoint", "1", "--lead", "soon"], "--lead soon"),
        (["compare", "OLD", "OLD", "OLD"], "--mapping"),
        (["compare", "OLD", "OLD", "DATA", "--from", "yesterday"], "--from yesterday"),
        (["compare", "OLD", "OLD", "DATA", "--from", "2026-01-02", "--to", "2026-01-01"], "must lie before"),
        (["suggest", "DATA", "DATA"], "data.parquet"),
        (["suggest", "OLD", "DATA", "--out", "/nowhere/at/all.html"], "there is no folder /nowhere/at"),
        (["compare", "OLD", "OLD", "MISSING"], "does not exist"),
        (["backtest", "OLD", "DATA", "--out", "/nowhere/at/all.html"], "there is no folder /nowhere/at: make it"),
        (["backtest", "OLD", "DATA", "--out", "DATA"], "is what the command reads: write to another file"),
        (["suggest", "OLD", "DATA", "--json", "OLD"], "is what the command reads"),
        (["suggest", "OLD", "DATA", "--json", "X.html", "--out", "X.html"], "is what --out writes"),
        (["backtest", "OLD", "DATA", "--from", "0001-01-01"], "write a year from 1970"),
        (["backtest", "OLD", "DATA", "--from", "2030-01-01"], "--from lies after the last reading, 2026-01-01"),
        (["suggest", "OLD", "DATA", "--to", "2020-01-01"], "--to lies before the first reading, 2026-01-01"),
        (["backtest", "OLD", "DATA", "--tags", ","], "no tag is named"),
        (["sweep", "OLD", "DATA", "LI-101/H", "--setpoint", "0:1e300:1e-300"], "far too many values"),
        (["sweep", "OLD", "DATA", "LI-101/H", "--setpoint", "5000"], "lies outside the range"),
        (["sweep", "OLD", "DATA", "LI-101/H", "--deadband", "2,500"], "can never clear within the range"),
        (["sweep", "OLD", "DATA", "LI-101", "--setpoint", "1"], "The rules of LI-101: "),
        (["train", "OLD", "tanks", "DATA", "--components", "1e400"], "write parallel, a fraction"),
        (["train", "OLD", "tanks", "DATA", "--out", "DATA"], "is what the command reads"),
        (["simulate", "flange-leak-h2s", "--picture", "/nowhere/at.svg"], "there is no folder /nowhere"),
        (["simulate", "flange-leak-h2s", "--out", "leak.csv"], "a recording is Parquet"),
        (["simulate", "flange-leak-h2s", "--broker", "mqtt://127.0.0.1:1", "--speed", "-1"], "--speed -1: write 1 for"),
        (["replay", "DATA", "--site", "OLD", "--speed", "inf"], "--speed inf: write 1 for real time"),
        (["simulate", "flange-leek-h2s"], "there is no such scenario"),
        (["change", "list", "--token", "a\nb", "--url", "http://127.0.0.1:1"], "characters that no token has"),
        (["change", "list", "--token", "a", "--url", "127.0.0.1:8080"], "write http://host:port"),
        (["change", "list", "--state", "odd"], "--state odd: write open, proposed, "),
        (["change", "apply", "1", "--name", "a", "--at", "0001-01-01T00:00"], "no clock shows that"),
        (["change", "propose", "a/b/H", "deadband=nan", "--name", "a", "--reason", "b"], "deadband=nan: not a number"),
        (["change", "propose", "a/b/H", "--name", "a", "--reason", "b"], "a/b/H: write the figures"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_with_status_2(
    case: tuning_case.Case, arguments: list[str], told: str
) -> None:
    names = {"OLD": case.old, "DATA": case.data, "MISSING": case.data.with_name("missing.parquet")}
    result = run(*(names.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_recording_without_a_connection_is_no_recording(case: tuning_case.Case, tmp_path: Path) -> None:
    main, out = tmp_path / "anshao.yaml", tmp_path / "none.parquet"
    main.write_text(
        f'sites: ["{case.old}"]\nbroker: {{url: "mqtt://127.0.0.1:1"}}\nhistorian: {{kind: duckdb}}\ntokens: []\n',
        "utf-8",
    )
    told = run("record", "--config", main, "--out", out, "--for", "300ms")
    assert told.exit_code == 1, told.output
    assert "never connected to the broker at mqtt://127.0.0.1:1" in told.output
    assert not out.exists()
