"""What came of two sets of figures, compared alarm by alarm; and reading the historian for it."""

from pathlib import Path

import numpy as np
import pytest

from domain.site import Tag
from historian.protocol import HistorianUnavailable, Samples
from service.changes import history
from service.changes.history import TooMuch, record
from service.changes.trial import Alarms, compare
from tuning.readings.recording import Recording

END = 1_000


def alarms(*spans: tuple[int, int]) -> Alarms:
    """Alarms from in to out; -1: in at the end."""
    entered = np.array([begin for begin, _ in spans], dtype=np.int64)
    left = np.array([end for _, end in spans], dtype=np.int64)
    return Alarms(entered, left, np.zeros(len(spans)), END)


def told(old: Alarms, new: Alarms) -> dict[str, list[int]]:
    """When those entered that each list names, ms."""
    found = compare(old, new)
    return {kind: [int(item["entered_at"][-4:-1]) for item in items] for kind, items in found.items() if items}


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ([], [], {}),
        ([(10, 20)], [(10, 20)], {}),
        ([(10, 20)], [(10, 90)], {"longer": [10]}),
        ([], [(10, 20)], {"added": [10]}),
        ([(10, 20)], [], {"removed": [10]}),
        ([(10, 20)], [(5, 20)], {"earlier": [5]}),
        ([(10, 20)], [(15, 20)], {"later": [15]}),
        ([(10, 20)], [(21, 30)], {"added": [21], "removed": [10]}),
        ([(10, -1)], [(900, -1)], {"later": [900]}),
        ([(10, 10)], [(10, 10)], {}),
        ([(10, 20), (30, 40), (50, 60)], [(10, 60)], {"longer": [10], "merged": [30, 50]}),
        ([(10, 60)], [(10, 20), (30, 40), (50, 60)], {"shorter": [10], "split": [30, 50]}),
        ([(10, 20), (30, 40)], [(30, 40), (50, 60)], {"added": [50], "removed": [10]}),
        ([(10, 20), (100, 200)], [(12, 20), (90, 200), (300, 310)], {"added": [300], "later": [12], "earlier": [90]}),
    ],
)
def test_alarms_are_the_same_if_they_overlap(
    old: list[tuple[int, int]], new: list[tuple[int, int]], differs: dict[str, list[int]]
) -> None:
    assert told(alarms(*old), alarms(*new)) == differs


class Pages:
    """A historian of one tag; every tenth reading came a minute late."""

    def __init__(self, count: int) -> None:
        self.time = np.arange(count, dtype=np.int64) * 1_000
        self.received = self.time + np.where(np.arange(count) % 10 == 0, 60_000, 100)
        self.fault: Exception | None = None

    async def read(self, path: str, start: int, end: int, limit: int) -> Samples:
        if self.fault is not None:
            raise self.fault
        known = (self.time >= start) & (self.time < end) & (path == "works/T")
        picked = np.flatnonzero(known)[:limit]
        good = np.full(len(picked), 192, dtype=np.uint8)
        return Samples(self.time[picked], self.received[picked], self.time[picked] / 1e3, good, good * 0)


TAGS = [Tag("works", "T", "u", "gw1", "temperature"), Tag("works", "S", "u", "gw1", "temperature")]


async def test_a_recording_holds_all_pages_in_the_order_of_arrival(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ROWS", 1_000)
    pages = Pages(25_000)
    done: list[float] = []
    spans = await record(pages, TAGS, 1_000, 24_000_000, tmp_path / "r.parquet", 50_000, done.append)  # type: ignore[arg-type]
    assert (spans["works/T"].readings, spans["works/T"].first, spans["works/T"].last) == (23_999, 1_000, 23_999_000)
    assert spans["works/S"].readings == 0
    assert done == sorted(done)
    assert done[-1] == 1.0
    recording = Recording(tmp_path / "r.parquet")
    assert recording.about.live_clock
    received = np.concatenate([block.received_time for block in recording.read_tag(0)])
    source = np.concatenate([block.source_time for block in recording.read_tag(0)])
    assert len(received) == 23_999
    assert (np.diff(received) >= 0).all()
    assert sorted(source.tolist()) == list(range(1_000, 24_000_000, 1_000))


@pytest.mark.parametrize("fault", [None, HistorianUnavailable("gone")])
async def test_nothing_is_left_of_a_recording_that_cannot_be(tmp_path: Path, fault: Exception | None) -> None:
    pages = Pages(25_000)
    pages.fault = fault
    with pytest.raises(TooMuch if fault is None else HistorianUnavailable):
        await record(pages, TAGS, 0, 25_000_000, tmp_path / "r.parquet", 24_999)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


async def test_a_tag_with_more_readings_than_memory_shall_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_OF_TAG", 20_000)
    pages, day = Pages(3 * 86_400), 86_400_000
    pages.time, pages.received = pages.time * 10, pages.received * 10
    said = r"more than 20,000 readings of works/T in 30 days, the first 2\.31 hold as many: ask for fewer days"
    with pytest.raises(TooMuch, match=said):
        await record(pages, TAGS, 0, 30 * day, tmp_path / "r.parquet", 10**9)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    spans = await record(pages, TAGS, 0, 2 * day, tmp_path / "r.parquet", 10**9)  # type: ignore[arg-type]
    assert spans["works/T"].readings == 17_280
