"""The spool keeps what it was given, in order, through restarts, faults of the disk and changes of the site."""

import errno
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from domain.samples import SampleBlock
from historian import spool as module
from historian.segment import HEADER, encode, record_bytes
from historian.spool import Batch, Spool, SpoolBusy, SpoolFull

PATHS = ["huarui/GT-101", "huarui/TI-101", "lianhe/储罐 LI-7"]
Open = Callable[..., Spool]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def opened(directory: Path) -> Iterator[Open]:
    """Opens the spool, after closing the one that was open before."""
    spools: list[Spool] = []

    def open_again(
        paths: list[str] | None = None, revision: str = "r1", *, close: bool = True, **settings: int
    ) -> Spool:
        if close:
            for spool in spools:
                spool.close()
        spools.append(Spool(directory, PATHS if paths is None else paths, revision, **settings))
        return spools[-1]

    yield open_again
    for spool in spools:
        spool.close()


def block(first: int, count: int = 1, *, received: int | None = None, tag: int | None = None) -> SampleBlock:
    """Samples that tell by source time and value which they are."""
    number = np.arange(first, first + count)
    return SampleBlock(
        tag=np.full(count, tag, dtype=np.int32) if tag is not None else (number % len(PATHS)).astype(np.int32),
        source_time=number.astype(np.int64),
        received_time=np.full(count, received, dtype=np.int64) if received is not None else number.astype(np.int64),
        value=number / 7,
        quality=np.full(count, 192, dtype=np.uint8),
        reason=(number % 8).astype(np.uint8),
    )


def numbers(blocks: list[SampleBlock]) -> list[int]:
    return [number for block in blocks for number in block.source_time.tolist()]


def drain(spool: Spool, size: int = 1000) -> list[int]:
    """Forward all there is; the source times, which say which samples they are."""
    found: list[int] = []
    while batch := spool.read(size):
        assert len(batch.block) <= size
        found += batch.block.source_time.tolist()
        spool.advance(batch.position)
    return found


def read(spool: Spool, size: int, position: int | None = None) -> Batch:
    batch = spool.read(size, position)
    assert batch is not None
    return batch


def test_all_columns_come_back(opened: Open) -> None:
    spool = opened()
    given = SampleBlock.of([2, 0], [-5, 1 << 60], [7, 8], [float("nan"), -0.0], [0, 192], [5, 0])
    spool.append([given])
    batch = read(spool, 10)
    for column in ("tag", "source_time", "received_time", "value", "quality", "reason"):
        written, found = getattr(given, column), getattr(batch.block, column)
        assert found.dtype == written.dtype
        assert found.tobytes() == written.tobytes()
    assert batch.paths == PATHS


def test_what_is_not_forwarded_is_read_again_and_what_is_forwarded_is_not(opened: Open) -> None:
    spool = opened()
    spool.append([block(0, 10), block(10, 10)])
    batch = read(spool, 7)
    assert numbers([batch.block]) == list(range(7))
    assert numbers([read(spool, 7).block]) == list(range(7))
    spool.advance(batch.position)
    assert spool.backlog == 13
    spool = opened()
    assert spool.backlog == 13
    assert drain(spool) == list(range(7, 20))
    assert spool.read(10) is None
    assert spool.backlog == 0


def test_reading_ahead_of_the_forwarded_position(opened: Open) -> None:
    spool = opened(segment_bytes=500)
    for number in range(0, 100, 10):
        spool.append([block(number, 10)])
    first = read(spool, 15)
    second = read(spool, 15, first.position)
    assert numbers([first.block, second.block]) == list(range(30))
    spool.advance(second.position)
    assert numbers([read(spool, 5, first.position).block]) == list(range(30, 35))
    spool.advance(first.position)
    assert spool.position == second.position


def test_a_block_longer_than_a_record_and_a_segment(opened: Open) -> None:
    spool = opened(segment_bytes=10_000)
    spool.append([block(0, 10_001)])
    spool.append([block(10_001)])
    assert spool.size == record_bytes(10_001) + record_bytes(1)
    assert drain(spool, 999) == list(range(10_002))


def test_an_empty_append_leaves_no_trace(opened: Open) -> None:
    spool = opened()
    spool.append([])
    spool.append([SampleBlock.empty()])
    assert spool.size == 0
    assert spool.read(1) is None


def test_appending_wakes_whoever_waits(opened: Open) -> None:
    spool = opened()
    calls: list[int] = []
    spool.on_append = lambda: calls.append(spool.backlog)
    spool.append([block(0, 3)])
    assert calls == [3]


def test_one_process_has_it_open(opened: Open) -> None:
    opened()
    with pytest.raises(SpoolBusy):
        opened(close=False)


def test_appending_after_close_is_an_error(opened: Open) -> None:
    spool = opened()
    spool.append([block(0)])
    spool.close()
    with pytest.raises(ValueError, match="closed"):
        spool.append([block(1)])


class TestRevisions:
    def test_samples_keep_the_paths_they_were_written_under(self, opened: Open) -> None:
        spool = opened()
        spool.append([block(0, 3)])
        spool = opened(["lianhe/new", PATHS[2]], "r2")
        spool.append([block(3, 1, tag=0)])
        first = read(spool, 10)
        assert [first.paths[tag] for tag in first.block.tag] == PATHS
        assert read(spool, 10).paths is first.paths
        second = read(spool, 10, first.position)
        assert [second.paths[tag] for tag in second.block.tag] == ["lianhe/new"]

    def test_recent_speaks_of_todays_tags(self, opened: Open) -> None:
        spool = opened()
        spool.append([block(0, 6)])
        spool = opened(["lianhe/new", PATHS[2], PATHS[0]], "r2")
        spool.append([block(6, 1, tag=0)])
        found = list(spool.recent(0))
        assert numbers(found) == [0, 2, 3, 5, 6]
        assert [tag for part in found for tag in part.tag.tolist()] == [2, 1, 2, 1, 0]
        assert all(part.tag.dtype == np.int32 for part in found)

    def test_a_tag_list_lives_as_long_as_a_segment_needs_it(self, opened: Open, directory: Path) -> None:
        spool = opened(retention=0)
        spool.append([block(0, 3)])
        spool = opened(["a/b"], "r2", retention=0)
        spool.append([block(10, 1, tag=0)])
        assert (directory / "tags-r1.json").exists()
        drain(spool)
        assert not (directory / "tags-r1.json").exists()
        assert json.loads((directory / "tags-r2.json").read_text(encoding="utf-8")) == ["a/b"]

    def test_back_to_an_earlier_revision(self, opened: Open) -> None:
        opened().append([block(0, 3)])
        opened(["a/b"], "r2").append([block(3, 1, tag=0)])
        spool = opened()
        spool.append([block(4, 2)])
        assert drain(spool) == [0, 1, 2, 3, 4, 5]

    def test_a_revision_that_names_another_list_is_refused(self, opened: Open) -> None:
        opened()
        with pytest.raises(ValueError, match="another list of tags"):
            opened(["a/b"])

    def test_a_revision_must_fit_into_a_file_name(self, opened: Open) -> None:
        with pytest.raises(ValueError, match="revision"):
            opened(revision="../r1")

    def test_a_lost_tag_list_is_counted_and_holds_nothing_up(self, opened: Open, directory: Path) -> None:
        opened().append([block(0, 3)])
        opened(["a/b"], "r2").append([block(3, 2, tag=0)])
        (directory / "tags-r1.json").unlink()
        spool = opened(["a/b"], "r2")
        assert drain(spool) == [3, 4]
        assert spool.corrupt_samples == 3
        assert numbers(list(spool.recent(0))) == [3, 4]


class TestRetention:
    def test_forwarded_segments_stay_for_their_time(self, opened: Open, directory: Path) -> None:
        spool = opened(segment_bytes=record_bytes(10), retention=1000)
        for minute in range(5):
            spool.append([block(minute * 10, 10, received=minute * 600)])
        drain(spool)
        assert numbers(list(spool.recent(0))) == list(range(30, 50))
        assert len(list(directory.glob("*.seg"))) == 2

    def test_what_is_not_forwarded_stays_whatever_its_age(self, opened: Open) -> None:
        spool = opened(segment_bytes=record_bytes(10), retention=0)
        for minute in range(5):
            spool.append([block(minute * 10, 10, received=minute * 600)])
        assert drain(spool) == list(range(50))

    def test_retention_is_known_after_a_restart(self, opened: Open, directory: Path) -> None:
        settings = {"segment_bytes": record_bytes(10), "retention": 1000}
        spool = opened(**settings)
        for minute in range(5):
            spool.append([block(minute * 10, 10, received=minute * 600)])
        spool = opened(**settings)
        drain(spool)
        assert len(list(directory.glob("*.seg"))) == 2

    def test_recent_by_received_time(self, opened: Open) -> None:
        spool = opened(segment_bytes=record_bytes(10))
        for minute in range(5):
            spool.append(
                [block(minute * 10, 5, received=minute * 600), block(minute * 10 + 5, 5, received=minute * 601)]
            )
        assert numbers(list(spool.recent(1802))) == [35, 36, 37, 38, 39, *range(40, 50)]

    def test_recent_looks_past_an_empty_last_segment(self, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        opened().append([block(0, 3)])
        spool = opened(["a/b"], "r2")
        monkeypatch.setattr(module, "write_all", failing_write(0))
        with pytest.raises(OSError, match="No space"):
            spool.append([block(3, 1, tag=0)])
        spool = opened()
        assert numbers(list(spool.recent(0))) == [0, 1, 2]
        assert spool.newest == 2

    def test_the_newest(self, opened: Open) -> None:
        assert opened().newest == 0
        spool = opened(segment_bytes=record_bytes(3))
        for received in (500, 900, 700):
            spool.append([block(0, 3, received=received)])
        assert spool.newest == 900
        assert opened().newest == 700


class TestLimit:
    def test_full_of_what_is_not_forwarded(self, opened: Open) -> None:
        limit = 20 * record_bytes(10)
        spool = opened(max_bytes=limit, segment_bytes=2 * record_bytes(10))
        for first in range(0, 200, 10):
            assert spool.fill == pytest.approx(first / 200)
            spool.append([block(first, 10)])
        with pytest.raises(SpoolFull):
            spool.append([block(200, 10)])
        assert spool.fill == 1.0
        assert spool.size == limit
        assert drain(spool, 55) == list(range(200))
        assert spool.fill == 0.0
        spool.append([block(200, 10)])
        assert drain(spool) == list(range(200, 210))

    def test_forwarded_samples_give_way_before_their_time(self, opened: Open) -> None:
        spool = opened(max_bytes=20 * record_bytes(10), segment_bytes=2 * record_bytes(10), retention=1 << 40)
        for first in range(0, 1000, 10):
            spool.append([block(first, 10)])
            assert drain(spool) == list(range(first, first + 10))
        assert spool.size <= spool.max_bytes

    def test_a_segment_is_never_most_of_the_spool(self, opened: Open) -> None:
        spool = opened(max_bytes=4 * record_bytes(10), segment_bytes=1 << 30)
        for first in range(0, 100, 10):
            spool.append([block(first, 10)])
            drain(spool)


def failing_write(taken: int) -> Callable[[BinaryIO, bytes], None]:
    """The disk takes so many bytes and is full then."""

    def write(file: BinaryIO, content: bytes) -> None:
        file.write(content[:taken])
        raise OSError(errno.ENOSPC, "No space left on device")

    return write


class TestFaultsOfTheDisk:
    @pytest.mark.parametrize("taken", [0, 1, HEADER.size, 50, record_bytes(10)])
    @pytest.mark.parametrize("before", [0, 10])
    def test_a_failed_write_appends_nothing(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch, taken: int, before: int
    ) -> None:
        spool = opened()
        spool.append([block(0, before)])
        with monkeypatch.context() as patch:
            patch.setattr(module, "write_all", failing_write(taken))
            with pytest.raises(OSError, match="No space"):
                spool.append([block(100, 10)])
        assert spool.backlog == before
        spool.append([block(before, 10)])
        assert drain(spool) == list(range(before + 10))
        assert spool.corrupt_samples == 0
        assert numbers(list(opened().recent(0))) == list(range(before + 10))

    def test_after_a_failed_sync_the_file_is_not_used_again(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch, directory: Path
    ) -> None:
        def fail(_: BinaryIO) -> None:
            raise OSError(errno.EIO, "Input/output error")

        spool = opened()
        spool.append([block(0, 10)])
        with monkeypatch.context() as patch:
            patch.setattr(module, "sync", fail)
            with pytest.raises(OSError, match="Input/output"):
                spool.append([block(10, 10)])
        spool.append([block(10, 10)])
        assert len(list(directory.glob("*.seg"))) == 2
        assert drain(spool) == list(range(20))

    def test_a_directory_that_cannot_be_synced(self, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: Path) -> None:
            raise OSError(errno.EIO, "Input/output error")

        spool = opened()
        with monkeypatch.context() as patch:
            patch.setattr(module, "sync_directory", fail)
            with pytest.raises(OSError, match="Input/output"):
                spool.append([block(0, 10)])
        spool.append([block(0, 10)])
        assert drain(spool) == list(range(10))

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"position": null}', b"\xff"])
    def test_a_broken_cursor_forwards_again(self, opened: Open, directory: Path, content: bytes) -> None:
        spool = opened()
        spool.append([block(0, 10)])
        drain(spool)
        (directory / "cursor.json").write_bytes(content)
        assert drain(opened()) == list(range(10))

    def test_what_a_failed_append_left_behind_is_not_read(self, opened: Open, directory: Path) -> None:
        spool = opened()
        spool.append([block(0, 10)])
        spool = opened(["a/b"], "r2")
        spool.append([block(10, 10, tag=0)])
        with (directory / f"{0:020d}-r1.seg").open("ab") as file:  # the disk would not even cut it
            file.write(encode(block(900, 15), 10))
        spool = opened(["a/b"], "r2")
        assert drain(spool, 7) == list(range(20))
        assert numbers(list(opened().recent(0))) == list(range(10))
        assert spool.corrupt_samples == 0

    def test_a_tail_lost_after_it_was_forwarded(self, opened: Open, directory: Path) -> None:
        spool = opened()
        spool.append([block(0, 10)])
        drain(spool)
        next(directory.glob("*.seg")).write_bytes(b"")
        spool = opened()
        spool.append([block(10, 5)])
        assert drain(opened()) == list(range(10, 15))

    def test_a_damaged_record_costs_only_itself(self, opened: Open, directory: Path) -> None:
        spool = opened()
        for first in range(0, 50, 10):
            spool.append([block(first, 10)])
        path = next(directory.glob("*.seg"))
        content = bytearray(path.read_bytes())
        content[record_bytes(10) + 100] ^= 1  # payload of the second
        content[3 * record_bytes(10) + 13] ^= 1  # header of the fourth
        path.write_bytes(content)
        spool = opened()
        assert spool.cut_bytes == 0
        assert numbers([read(spool, 100).block]) == numbers([read(spool, 100).block])
        assert drain(spool, 7) == [*range(10), *range(20, 30), *range(40, 50)]
        assert spool.corrupt_samples == 20

    def test_a_segment_that_is_all_damaged_holds_nothing_up(self, opened: Open, directory: Path) -> None:
        spool = opened(segment_bytes=record_bytes(10))
        for first in range(0, 30, 10):
            spool.append([block(first, 10)])
        for path in sorted(directory.glob("*.seg"))[:2]:
            path.write_bytes(bytes(path.stat().st_size))
        spool = opened()
        assert drain(spool) == list(range(20, 30))
        assert spool.corrupt_samples == 20


def test_appending_and_forwarding_at_the_same_time(opened: Open) -> None:
    spool = opened(segment_bytes=5_000, retention=0)
    total, found = 3_000, list[int]()
    appended = threading.Event()

    def append() -> None:
        first = 0
        while first < total:
            count = min(1 + first % 37, total - first)
            spool.append([block(first, count)])
            first += count
        appended.set()

    thread = threading.Thread(target=append)
    thread.start()
    while not appended.is_set() or spool.backlog:
        found += drain(spool, 50)
    thread.join()
    assert found == list(range(total))
    assert spool.corrupt_samples == 0


# ---- another list of tags while it is open


def of_tags(*tags: int) -> SampleBlock:
    """A sample of each tag."""
    count = len(tags)
    return SampleBlock.of(tags, [5] * count, [5] * count, [1.0] * count, [192] * count, [0] * count)


def test_another_list_of_tags_begins_a_segment_of_its_own(directory: Path) -> None:
    spool = Spool(directory, ["a/x", "a/y"], "one")
    spool.append([of_tags(0, 1)])
    spool.prepare(["a/y", "a/z", "a/x"], "two")
    spool.rebase("two", 1_000)
    spool.append([of_tags(0, 2)])
    spool.append([of_tags(1)])
    assert [path.name[21:24] for path in sorted(directory.glob("*.seg"))] == ["one", "two"]
    first = spool.read(100)
    assert first is not None
    assert [first.paths[tag] for tag in first.block.tag.tolist()] == ["a/x", "a/y"]
    spool.advance(first.position)
    second = spool.read(100)
    assert second is not None
    assert [second.paths[tag] for tag in second.block.tag.tolist()] == ["a/y", "a/x", "a/z"]
    # A start with the new list sees all that it still has, by its own numbers.
    spool.close()
    again = Spool(directory, ["a/z", "a/x"], "three")
    assert [tag for found in again.recent(0) for tag in found.tag.tolist()] == [1, 1, 0]
    again.close()


def test_the_same_list_of_tags_goes_on_in_its_segment(directory: Path) -> None:
    spool = Spool(directory, ["a/x"], "one")
    spool.append([of_tags(0)])
    spool.prepare(["a/x"], "one")
    spool.rebase("one", 1_000)
    spool.append([of_tags(0)])
    assert len(list(directory.glob("*.seg"))) == 1
    spool.close()


def test_a_list_that_is_prepared_and_never_taken_does_no_harm(directory: Path) -> None:
    spool = Spool(directory, ["a/x"], "one", retention=0)
    spool.prepare(["a/y"], "two")
    spool.append([of_tags(0)])
    batch = spool.read(100)
    assert batch is not None
    spool.advance(batch.position)
    spool.prepare(["a/z"], "three")
    spool.rebase("three", 0)
    spool.append([of_tags(0)])
    assert (directory / "tags-three.json").exists()
    with pytest.raises(ValueError, match="another list"):
        spool.prepare(["a/other"], "three")
    spool.close()
