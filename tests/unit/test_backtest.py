"""Backtests: what is evaluated and what is left aside, ranges of time, several processes, the command."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import yaml
from typer.testing import CliRunner

from domain.samples import SampleBlock
from domain.site import Site
from service.cli.app import app
from service.config import load_site
from tests.running import site_of
from tuning.backtest import run
from tuning.backtest.parts import components, restrict
from tuning.backtest.result import Backtest, Episodes, Transitions
from tuning.backtest.run import backtest
from tuning.backtest.sharing import read_ahead
from tuning.readings.recording import About, RecordedTag, Recording, RecordingError, RecordingWriter

BEGIN = 1_750_000_000_000
LIMIT = {"H": {"setpoint": 80, "deadband": 2, "on_delay": 0, "off_delay": 0}}
TEMPERATURE = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 200], "stale": "off", "bad": "off"}
TEP = Path(__file__).parents[2] / "config" / "examples" / "tep.yaml"


def site(folder: Path, *tags: dict[str, Any], **unit: Any) -> Site:
    content = site_of([{"id": "u", "name": "装置", "tags": [TEMPERATURE | tag for tag in tags], **unit}])
    (folder / "site.yaml").write_text(yaml.safe_dump(content, allow_unicode=True))
    return load_site([folder / "site.yaml"])


def recorded(folder: Path, values: dict[str, Sequence[float]], *, lag: int = 0, live_clock: bool = False) -> Recording:
    """Tags read once a second."""
    path = folder / "data.parquet"
    with RecordingWriter(
        path, About(tuple(RecordedTag(f"works/{name}") for name in values), live_clock=live_clock)
    ) as w:
        for index, column in enumerate(values.values()):
            count = len(column)
            time = BEGIN + 1_000 * np.arange(count)
            good = np.full(count, 192, dtype=np.uint8)
            none = np.zeros(count, dtype=np.uint8)
            value = np.array(column, dtype=np.float64)
            w.write_tag(SampleBlock(np.full(count, index, dtype=np.int32), time, time + lag, value, good, none))
    return Recording(path)


def told(found: Backtest) -> list[tuple[str, int, int]]:
    """Condition, and seconds from the beginning at which it entered and left; -1: it did not."""
    episodes = found.episodes
    return [
        (found.site.rule_path(rule), (entered - BEGIN) // 1_000, (left - BEGIN) // 1_000 if left >= 0 else -1)
        for rule, entered, left in zip(
            episodes.rule.tolist(), episodes.entered_at.tolist(), episodes.left_at.tolist(), strict=True
        )
    ]


def test_alarms_with_the_times_at_which_they_came_and_went(tmp_path: Path) -> None:
    known = site(tmp_path, {"tag": "A", "limits": LIMIT})
    found = backtest(known, recorded(tmp_path, {"A": [70, 80, 79, 77, 90]}))
    assert told(found) == [("works/A/H", 1, 3), ("works/A/H", 4, -1)]
    assert found.episodes.value.tolist() == [80, 90]
    assert (found.readings, found.late, found.unknown_tags) == (5, 0, ())
    assert (found.begin, found.end) == (BEGIN, BEGIN + 4_001)
    assert found.transitions.entered.tolist() == [True, False, True]


def test_tags_that_only_one_side_knows_are_named_or_left_aside(tmp_path: Path) -> None:
    known = site(tmp_path, {"tag": "A", "limits": LIMIT}, {"tag": "B", "limits": LIMIT, "stale": "2s"})
    found = backtest(known, recorded(tmp_path, {"A": [90] * 5, "X": [1] * 5, "Y": [1] * 5}))
    assert found.unknown_tags == ("works/X", "works/Y")
    assert told(found) == [("works/A/H", 0, -1)], "nobody knows whether B was silent"
    assert found.readings == 5


def test_a_recorded_tag_that_falls_silent_is_stale(tmp_path: Path) -> None:
    known = site(tmp_path, {"tag": "A", "stale": "2s"}, {"tag": "B", "stale": "3s"}, {"tag": "C", "stale": "3s"})
    found = backtest(known, recorded(tmp_path, {"A": [1, 1, 1], "B": [1] * 20, "C": []}))
    assert told(found) == [("works/C/STALE", 3, -1), ("works/A/STALE", 4, -1)]


def test_a_range_of_time(tmp_path: Path) -> None:
    known = site(tmp_path, {"tag": "A", "limits": LIMIT})
    recording = recorded(tmp_path, {"A": [90, 90, 70, 90, 70, 90]})
    found = backtest(known, recording, begin=BEGIN + 2_000, end=BEGIN + 5_000)
    assert told(found) == [("works/A/H", 3, 4)]
    assert (found.begin, found.end, found.readings) == (BEGIN + 2_000, BEGIN + 5_000, 3)


def test_only_some_tags(tmp_path: Path) -> None:
    vote = {"key": "2OO3", "kind": "vote", "tags": ["A", "B", "C"], "needed": 2, "high": 80, "level": "HH"}
    known = site(tmp_path, *({"tag": name, "limits": LIMIT, "stale": "2s"} for name in "ABCD"), rules=[vote])
    recording = recorded(tmp_path, {"A": [70, 90, 90], "B": [90, 90, 90], "C": [70, 70, 70], "D": [90, 90, 90]})
    found = backtest(known, recording, tags=["works/A"])
    assert {path for path, _, _ in told(found)} == {"works/A/H", "works/@unit.u/2OO3"}
    assert told(backtest(known, recording, tags=["works/D"])) == [("works/D/H", 0, -1)]
    with pytest.raises(KeyError):
        backtest(known, recording, tags=["works/E"])
    small = restrict(known, ["works/A"])
    assert {tag.path for tag in small.tags} == {"works/A", "works/B", "works/C", "works/@unit.u"}
    assert {small.rule_path(row) for row in range(len(small.rules))} == {
        "works/A/H",
        "works/A/STALE",
        "works/B/STALE",
        "works/C/STALE",
        "works/@unit.u/2OO3",
    }
    assert told(backtest(small, recording, tags=["works/A"])) == told(found)


def test_what_rules_tie_together_stays_together(tmp_path: Path) -> None:
    known = site(
        tmp_path,
        {"tag": "A", "limits": LIMIT},
        {"tag": "B", "deviation": {"from": "A", "setpoint": 5}},
        {"tag": "C", "limits": LIMIT},
        {"tag": "M", "measurand": "level", "engineering_unit": "%", "range": [0, 100]},
        {"tag": "D", "limits": {"H": {**LIMIT["H"], "modes": {"on": 90}}}},
        modes={"tag": "M", "values": {"on": 1}},
    )
    rows = [row for row in range(len(known.rules)) if known.tags[int(known.rules.tag[row])].enterprise == "works"]
    together = [{known.tags[tag].name for tag in tags} for tags, _ in components(known, rows)]
    assert {"A", "B"} in together
    assert {"D", "M"} in together
    assert {"C"} in together


def test_late_readings_raise_nothing_where_clocks_were_checked(tmp_path: Path) -> None:
    known = site(tmp_path, {"tag": "A", "limits": LIMIT})
    for live_clock, late in ((True, 3), (False, 0)):
        recording = recorded(tmp_path, {"A": [90, 90, 90]}, lag=700_000, live_clock=live_clock)
        found = backtest(known, recording)
        assert (found.readings, found.late, len(found.episodes)) == (3, late, 0 if late else 1)


def test_values_outside_of_the_range_that_is_tried_are_doubted(tmp_path: Path) -> None:
    limits = {"L": {"setpoint": 10, "deadband": 0, "on_delay": 0, "off_delay": 0}, **LIMIT}
    recording = recorded(tmp_path, {"A": [90, 70, 300, 70, 9999.9999]})
    narrow = backtest(site(tmp_path, {"tag": "A", "limits": limits}), recording)
    assert told(narrow) == [("works/A/H", 0, 1), ("works/A/H", 2, 3)], "uncertain raises, a sentinel says nothing"
    wide = backtest(site(tmp_path, {"tag": "A", "limits": limits, "range": [0, 400]}), recording)
    assert told(wide) == told(narrow)


def test_several_processes_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    known = site(tmp_path, *({"tag": f"T{number}", "limits": LIMIT} for number in range(7)))
    recording = recorded(tmp_path, {f"T{number}": random.normal(75, 4, 500).round(1).tolist() for number in range(7)})
    monkeypatch.setattr(run, "ROWS", 100)
    seen: list[int] = []
    alone = backtest(known, recording, workers=1, progress=seen.append)
    assert sum(seen) == alone.readings == 3_500
    assert len(seen) >= 35
    seen.clear()
    shared = backtest(known, recording, workers=2, progress=seen.append)
    assert sum(seen) == 3_500
    for name in Transitions.__slots__:
        np.testing.assert_array_equal(getattr(alone.transitions, name), getattr(shared.transitions, name))
    assert (np.diff(alone.transitions.received_time) >= 0).all()


def test_damage_in_the_middle_is_raised_from_a_thread_or_a_process(tmp_path: Path) -> None:
    known = site(tmp_path, *({"tag": name, "limits": LIMIT} for name in "AB"))
    recorded(tmp_path, {"A": list(range(3_000)), "B": list(range(3_000))})
    path = tmp_path / "data.parquet"
    data = bytearray(path.read_bytes())
    data[40:200] = bytes(160)
    path.write_bytes(data)
    for workers in (1, 2):
        with pytest.raises(RecordingError, match="damaged"):
            backtest(known, Recording(path), workers=workers)


def test_an_empty_recording_and_a_site_without_rules(tmp_path: Path) -> None:
    known = site(tmp_path, {"tag": "A", "limits": LIMIT, "stale": "2s"})
    assert told(backtest(known, recorded(tmp_path, {"A": []}))) == []
    assert told(backtest(site(tmp_path, {"tag": "A"}), recorded(tmp_path, {"A": [1, 2]}))) == []


def test_episodes_pair_entering_with_the_leaving_that_follows() -> None:
    transitions = Transitions.of(
        np.array([1, 0, 1, 0, 0]),
        np.array([True, True, False, False, True]),
        np.array([5, 6, 9, 8, 20]),
        np.array([6, 5, 9, 4, 21]),
        np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
    )
    assert transitions.rule.tolist() == [0, 0, 1, 1, 0], "a clock that was set back turns no rule's story around"
    episodes = Episodes.of(transitions)
    assert episodes.rule.tolist() == [1, 0, 0]
    assert episodes.entered_at.tolist() == [5, 6, 20]
    assert episodes.left_at.tolist() == [9, 8, -1]
    nothing = np.empty(0, dtype=np.int64)
    assert not len(Episodes.of(Transitions.of(nothing, nothing.astype(bool), nothing, nothing, nothing.astype(float))))


def test_reading_ahead_hands_on_everything_and_ends_with_its_reader() -> None:
    assert list(read_ahead(range(50))) == list(range(50))
    begun = read_ahead(iter(range(1_000_000)))
    assert next(iter(begun)) == 0
    begun.close()  # type: ignore[attr-defined]

    def failing() -> Any:
        yield 1
        raise RecordingError("gone")

    with pytest.raises(RecordingError, match="gone"):
        list(read_ahead(failing()))


# ---- the command


def command(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["backtest", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_over_a_table(tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    out, page = tmp_path / "report.json", tmp_path / "report.html"
    table = shared_data("tep/d06_te.dat")
    code, said = command(TEP, table, "--mapping", TEP, "--tags", "PI-107", "--json", out, "--out", page)
    assert code == 0, said
    assert "tep/PI-107/HH" in said
    document = orjson.loads(out.read_bytes())
    assert document["kind"] == "backtest"
    assert document["readings"] == 960
    assert document["recording"] == {"path": "d06_te.dat", "made_by": "mapping tep.yaml", "tags": 52}
    assert b"</html>" in page.read_bytes()
    assert b"d06_te.dat" in page.read_bytes()


def test_the_command_over_a_recording(tmp_path: Path) -> None:
    site(tmp_path, {"tag": "A", "limits": LIMIT})
    recorded(tmp_path, {"A": [70, 90, 70], "X": [1, 2, 3]})
    code, said = command(tmp_path / "site.yaml", tmp_path / "data.parquet")
    assert code == 0, said
    assert "works/A/H" in said
    assert "works/X" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["site.yaml"], "give DATA, or --config, --from and --to"),
        (["site.yaml", "table.csv"], "needs --mapping"),
        (["site.yaml", "table.csv", "--mapping", "site.yaml"], "no `replay` section"),
        (["site.yaml", "data.parquet", "--tags", "Z"], "Z is no tag of these files"),
        (["site.yaml", "data.parquet", "--from", "yesterday"], "write a date"),
        (["site.yaml", "data.parquet", "--from", "2026-01-02", "--to", "2026-01-01"], "must lie before"),
        (["site.yaml", "broken.parquet"], "not a recording"),
        (["table.csv", "data.parquet"], "point table"),
    ],
)
def test_what_cannot_be_begun_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    site(tmp_path, {"tag": "A", "limits": LIMIT})
    recorded(tmp_path, {"A": [1]})
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    monkeypatch.chdir(tmp_path)
    code, said = command(*arguments)
    assert code == 2
    assert says in said
