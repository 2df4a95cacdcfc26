"""``anshao train`` from the command line: tables and recordings in, a model out that the site takes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from domain.samples import SampleBlock
from domain.scales import Quality
from domain.truth import Event, Truth
from service.cli.app import app
from service.config import check, load_site
from tests.components_case import NAMES, PERIOD, START, UNITS, rows, write_site
from tuning.readings.recording import About, InForce, RecordedTag, RecordingWriter

ROWS = 600


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site without warnings yet, with a ``replay`` section."""
    path = write_site(tmp_path, "key: HOT, kind: expression, when: TI-1 > 190")
    columns = ", ".join(f"{name}: {name}" for name in NAMES)
    how = "gateway: works/gw1, format: {header: true}, time: {column: time}"
    replay = f"replay: {{{how}, columns: {{{columns}}}}}\n"
    path.write_text(path.read_text("utf-8") + replay, encoding="utf-8")
    return path


def recording(folder: Path, *, lost: int | None = None) -> Path:
    """Rows as a recording: an hour's pressure alarm from row 200 on, a known event from 400 to 420."""
    value = rows(ROWS)
    value[200:240, 2] = 500.0
    path = folder / "rows.parquet"
    tags = tuple(
        RecordedTag(f"works/{name}", "works/column", unit, period=PERIOD)
        for name, unit in zip(NAMES, UNITS, strict=True)
    )
    time = START + np.arange(ROWS, dtype=np.int64) * PERIOD
    event = Event("leak", {"en": "leak"}, int(time[400]), int(time[420]), units=("works/column",))
    about = About(tags, "a test", in_force=(InForce(START, 12, "d"),), truth=Truth(events=(event,)))
    with RecordingWriter(path, about) as writer:
        for tag in range(len(NAMES)):
            kept = np.ones(ROWS, dtype=np.bool_)
            if tag == lost:
                kept[50:60] = False
            count = int(kept.sum())
            writer.write_tag(
                SampleBlock(
                    np.full(count, tag, dtype=np.int32),
                    time[kept],
                    time[kept],
                    value[kept, tag],
                    np.full(count, Quality.GOOD, dtype=np.uint8),
                    np.zeros(count, dtype=np.uint8),
                )
            )
    return path


def test_a_recording_without_its_alarms_events_and_gaps(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "models" / "new.json"
    found = run(site, "column", recording(tmp_path, lost=3), "--out", out)
    assert found.exit_code == 0, found.output
    said = json.loads(out.read_text("utf-8"))
    trained = said["trained"]
    assert said["unit"] == "works/column"
    assert trained["rule_revision"] == 12
    assert said["period_ms"] == PERIOD
    # The alarm: rows 200 to 239, and six rows of its on-delay, and ten rows around it. The event: 400 to 419.
    assert trained["rows_in_alarm"] == (40 + 20) + (20 + 20)
    # A reading stands for three periods: rows 50 to 59 lack it but for the first three.
    assert trained["rows_incomplete"] == 7
    assert [entry["tag"] for entry in said["tags"]] == list(NAMES)
    assert "COLUMN" not in found.output
    assert "kind: spe" in found.output
    text = site.read_text("utf-8").replace(
        "key: HOT, kind: expression, when: TI-1 > 190", "key: W, kind: t2, model: models/new.json"
    )
    site.write_text(text, encoding="utf-8")
    assert check([site]) == []
    assert load_site([site]).rules.key[-1] == "W"


def test_the_same_recording_makes_the_same_bytes(site: Path, tmp_path: Path) -> None:
    data = recording(tmp_path)
    for name in ("one", "other"):
        assert run(site, "works/column", data, "--out", tmp_path / name).exit_code == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_table_by_the_sites_mapping_and_what_is_asked_for(site: Path, tmp_path: Path) -> None:
    lines = ["time," + ",".join(NAMES)]
    for number, row in enumerate(rows(ROWS).tolist()):
        stamp = datetime.fromtimestamp((START + number * PERIOD) / 1000, UTC).isoformat()
        lines.append(f"{stamp}," + ",".join("" if number == 30 else f"{value:.4f}" for value in row))
    data = tmp_path / "rows.csv"
    data.write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "model.json"
    span = ["--from", "2025-06-16T08:10:00", "--exclude", "2025-06-16T08:30:00/2025-06-16T08:40:00"]
    how = ["--components", "0.7", "--smoothing", "0.5", "--significance", "0.01"]
    found = run(site, "column", data, "--out", out, "--leave-out", "LI-1", *how, *span)
    assert found.exit_code == 0, found.output
    assert "without a number, and so BAD: 5 cells" in found.output
    said = json.loads(out.read_text("utf-8"))
    assert said["trained"]["from"] == "2025-06-16T00:10:00.000+00:00"
    assert said["trained"]["rows_in_alarm"] == 60 + 20
    assert said["trained"]["left_out"] == {"LI-1": "asked (0)"}
    assert said["components"]["chosen_by"] == "cumulative variance 0.7"
    assert (said["smoothing"], said["limits"]["significance"]) == (0.5, 0.01)


REFUSED: dict[str, tuple[Callable[[Path], list[str | Path]], str]] = {
    "no such unit": (lambda _: ["nowhere"], "no unit 'nowhere'; use one of: works/column"),
    "no such tag": (lambda _: ["column", "--tag", "XI-1"], "no tag 'XI-1' in enterprise 'works'"),
    "components of nobody": (lambda _: ["column", "--components", "many"], "--components many: write parallel"),
    "no period": (lambda _: ["column", "--period", "5"], "--period 5"),
    "no time": (lambda _: ["column", "--from", "yesterday"], "--from yesterday: write a date"),
    "no span": (lambda _: ["column", "--exclude", "2025-06-16T08:00:00"], "write FROM/TO"),
    "an empty span": (lambda _: ["column", "--from", "2030-01-01"], "--from and --to"),
    "too few rows": (lambda _: ["column", "--to", "2025-06-16T08:02:00"], "are the least"),
    "all at once": (lambda _: ["column", "--period", "1ms"], "--period 1s or longer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_refused_with_the_reason(site: Path, tmp_path: Path, name: str) -> None:
    arguments, message = REFUSED[name]
    unit, *more = arguments(tmp_path)
    found = run(site, unit, recording(tmp_path), "--out", tmp_path / "out.json", *more)
    assert found.exit_code == 2
    assert message in found.output
    assert not (tmp_path / "out.json").exists()


def test_a_unit_that_is_always_in_alarm_has_no_normal_operation(site: Path, tmp_path: Path) -> None:
    site.write_text(site.read_text("utf-8").replace("limits: {H: 400}", "limits: {H: 100}"), encoding="utf-8")
    data = recording(tmp_path)
    found = run(site, "column", data, "--out", tmp_path / "out.json")
    assert found.exit_code == 2
    assert "not one row of normal operation: all are within or near works/PI-1/H" in found.output
    assert run(site, "column", data, "--out", tmp_path / "out.json", "--keep-alarms").exit_code == 0


def test_a_file_that_is_no_recording(site: Path, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"not a recording")
    found = run(site, "column", tmp_path / "x.parquet", "--out", tmp_path / "out.json")
    assert found.exit_code == 2
    assert "x.parquet" in found.output
