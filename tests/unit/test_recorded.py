"""Recorded files: every row and value of them, by mapping alone, with clear words for what does not fit."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.scales import RuleKind
from service.config import Replay, check, load_replay, load_site
from tuning.readings.recorded import Clocking, Recorded, RecordedError

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
TEP = EXAMPLES / "tep.yaml"
SKAB = EXAMPLES / "skab.yaml"
TEP_FILES = [f"tep/d{fault}_te.dat" for fault in ("00", "01", "02", "04", "06", "08", "11")]
SKAB_FILES = ["skab/anomaly-free.csv", *(f"skab/valve1-{number}.csv" for number in range(8))]
NOW = 1_790_000_000_000
HOUR = 3_600_000

Data = Callable[[str], Path]


def mapping(**changes: Any) -> Replay:
    given: dict[str, Any] = {
        "gateway": "e/g",
        "format": {"separator": ";", "header": True},
        "time": {"column": "t", "format": "%Y-%m-%d %H:%M:%S"},
        "columns": {"a": "A", "b": "B"},
    }
    return Replay.model_validate(given | changes)


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "file.csv"
    path.write_bytes(text.encode(encoding))
    return path


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


@pytest.mark.parametrize("example", [TEP, SKAB])
def test_the_examples_are_sound(example: Path) -> None:
    assert check([example], {}) == []
    site = load_site([example])
    for rule in map(site.rules.row, range(len(site.rules))):
        assert rule.kind != RuleKind.STALE or site.tags[rule.tag].enterprise == "anshao"
    replay = load_replay(example)
    [gateway] = [g for g in site.gateways.values() if g.enterprise == replay.enterprise]
    assert gateway.path == replay.gateway
    assert gateway.clock == "source"


def test_the_testbed_has_no_limits_and_says_so() -> None:
    site = load_site([SKAB])
    assert not any(site.has_limits(site.tag_index[f"skab/{tag}"]) for tag in load_replay(SKAB).columns.values())


@pytest.mark.parametrize("name", TEP_FILES)
def test_a_file_without_header_and_times_is_read_whole(shared_data: Data, name: str) -> None:
    recorded = Recorded(shared_data(name), load_replay(TEP))
    rows = list(recorded)
    assert len(recorded) == len(rows) == 960
    start = milliseconds("2026-01-01T00:00:00+08:00")
    assert [time for time, _ in rows] == [start + n * 180_000 for n in range(960)]
    expected = np.loadtxt(shared_data(name))
    np.testing.assert_array_equal(np.array([list(values.values()) for _, values in rows]), expected)
    assert list(rows[0][1])[6] == "PI-107"
    assert recorded.faults.cells == recorded.faults.rows == 0


@pytest.mark.parametrize("name", TEP_FILES)
def test_only_the_reactor_pressure_of_fault_6_leaves_the_operating_limits(shared_data: Data, name: str) -> None:
    site = load_site([TEP])
    rows = [values for _, values in Recorded(shared_data(name), load_replay(TEP))]
    entered: dict[str, int] = {}
    for tag, index in ((tag, site.tag_index[f"tep/{tag}"]) for tag in rows[0]):
        column = np.array([row[tag] for row in rows], dtype=np.float64)
        assert site.tags[index].low <= column.min() <= column.max() <= site.tags[index].high
        for rule in (site.rules.row(r) for r in site.rules.of_tag(index)):
            match rule.kind:
                case RuleKind.HIGH:
                    outside = column >= rule.setpoint
                case RuleKind.LOW:
                    outside = column <= rule.setpoint
                case _:
                    continue
            if outside.any():
                entered[f"{tag}/{rule.key}"] = int(np.argmax(outside)) + 1
    assert entered == ({"PI-107/H": 259, "PI-107/HH": 279} if name == "tep/d06_te.dat" else {})


def test_the_reactor_pressure_alarms_at_once_and_leaves_at_once() -> None:
    site = load_site([TEP])
    rules = {r.key: r for r in map(site.rules.row, site.rules.of_tag(site.tag_index["tep/PI-107"]))}
    for key, setpoint in (("H", 2895.0), ("HH", 3000.0)):
        rule = rules[key]
        assert (rule.setpoint, rule.deadband, rule.on_delay, rule.off_delay) == (setpoint, 0.0, 0, 0)
    assert {r.key: r.setpoint for r in map(site.rules.row, site.rules.of_tag(site.tag_index["tep/TI-109"]))}[
        "HH"
    ] == 175


@pytest.mark.parametrize("name", SKAB_FILES)
def test_a_file_with_header_and_local_times_is_read_whole(shared_data: Data, name: str) -> None:
    path = shared_data(name)
    recorded = Recorded(path, load_replay(SKAB))
    rows = list(recorded)
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    assert len(recorded) == len(rows) == len(lines)
    assert recorded.faults.cells == recorded.faults.rows == 0
    for line, (time, values) in zip(lines, rows, strict=True):
        cells = line.split(";")
        assert time == milliseconds(cells[0] + "+03:00")
        assert list(values.values()) == [float(cell) for cell in cells[1:9]]
    assert np.diff([time for time, _ in rows]).max() > 1000


@pytest.mark.parametrize(
    ("clocking", "first", "last"),
    [
        (Clocking.SOURCE, milliseconds("2026-06-08T00:00:00+08:00"), milliseconds("2026-06-08T02:00:00+08:00")),
        (Clocking.ENDS_NOW, NOW - 2 * HOUR, NOW),
        (Clocking.BEGINS_NOW, NOW, NOW + 2 * HOUR),
    ],
)
def test_times_are_kept_or_shifted(tmp_path: Path, clocking: Clocking, first: int, last: int) -> None:
    path = write(tmp_path, "t;a;b\n2026-06-08 00:00:00;1;2\n2026-06-08 00:00:07;3;4\n2026-06-08 02:00:00;5;6\n")
    times = [time for time, _ in Recorded(path, mapping(), clocking, NOW)]
    assert times == [first, first + 7000, last]


def test_the_last_row_is_now_for_a_file_without_times_too(tmp_path: Path) -> None:
    without = mapping(
        format={"separator": "whitespace", "header": False},
        time={"start": "2026-01-01T00:00:00+08:00", "period": "3min"},
        columns={1: "A", 3: "C"},
    )
    path = write(tmp_path, "  1.0   2.0\t3.0\n\n 4 5 6\n")
    rows = list(Recorded(path, without, Clocking.ENDS_NOW, NOW))
    assert rows == [(NOW - 180_000, {"A": 1.0, "C": 3.0}), (NOW, {"A": 4.0, "C": 6.0})]


def test_times_out_of_order_are_shifted_by_their_extremes(tmp_path: Path) -> None:
    path = write(tmp_path, "t;a;b\n2026-06-08 00:00:05;1;2\n2026-06-08 00:00:00;3;4\n")
    assert [time for time, _ in Recorded(path, mapping(), Clocking.ENDS_NOW, NOW)] == [NOW, NOW - 5000]


def test_bad_cells_become_none_and_are_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "t;a;b\n2026-06-08 00:00:00;1;\n2026-06-08 00:00:01;fault;2\n"
        "2026-06-08 00:00:02;3\n2026-06-08 00:00:03;nan;1e400\nno time;5;6\n",
    )
    recorded = Recorded(path, mapping())
    values = [row for _, row in recorded]
    assert values == [
        {"A": 1.0, "B": None},
        {"A": None, "B": 2.0},
        {"A": 3.0, "B": None},
        {"A": None, "B": None},
    ]
    assert (recorded.faults.cells, recorded.faults.rows) == (5, 1)
    assert len(recorded) == 4
    list(recorded)
    assert (recorded.faults.cells, recorded.faults.rows) == (5, 1)


@pytest.mark.parametrize(("separator", "sign"), [(",", ","), ("tab", "\t"), (";", ";")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_any_separator_and_the_usual_encodings(tmp_path: Path, separator: str, sign: str, encoding: str) -> None:
    text = "时间;温度;压力\r\n2026-06-08T08:00:00+08:00; 1.5 ;-2\r\n".replace(";", sign)
    by_name = mapping(
        format={"separator": separator, "header": True}, time={"column": "时间"}, columns={"温度": "A", 3: "B"}
    )
    [(time, values)] = Recorded(write(tmp_path, text, encoding), by_name)
    assert time == milliseconds("2026-06-08T08:00:00+08:00")
    assert values == {"A": 1.5, "B": -2.0}


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("t;a\n2026-06-08 00:00:00;1\n", {}, r"no column 'b': the header has 't', 'a'"),
        ("t;a;b\n2026-06-08 00:00:00;1;2\n", {"columns": {4: "D"}}, r"no column 4: columns are counted 1 to 3"),
        ("t,a,b\n2026-06-08 00:00:00,1,2\n", {"columns": {2: "A"}, "time": {"column": 1}}, r"separator ';' right"),
        ("t;a;b\n", {}, r"no rows below the header"),
        ("t;a;b\nyesterday;1;2\n", {}, r"none of 1 rows has a time"),
        ("", {}, r"the file is empty"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_the_reason(
    tmp_path: Path, text: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecordedError, match=message) as refused:
        Recorded(write(tmp_path, text), mapping(**changes))
    assert "file.csv" in str(refused.value)


def test_a_file_that_is_absent_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordedError, match="No such file"):
        Recorded(tmp_path / "absent.csv", mapping())
    path = tmp_path / "file.csv"
    path.write_bytes(b"\xff\xfe\x00\x80" * 10)
    with pytest.raises(RecordedError, match="neither UTF-8 nor GB 18030"):
        Recorded(path, mapping())


def test_a_broken_quote_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, 't;a;b\n2026-06-08 00:00:00;1;"' + "x" * 200_000 + "\n")
    with pytest.raises(RecordedError, match=r"line 2"):
        Recorded(path, mapping())
