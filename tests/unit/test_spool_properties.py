"""The spool under any sequence of appends, forwarding, crashes, damage and changes of the site."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.samples import SampleBlock
from historian.spool import Spool

sizes = st.lists(st.integers(1, 40), min_size=1, max_size=12)
segment_sizes = st.sampled_from([200, 1_500, 1 << 20])


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="anshao-spool-") as name:
        yield Path(name) / "spool"


def block(first: int, count: int, tags: int = 3) -> SampleBlock:
    number = np.arange(first, first + count)
    return SampleBlock(
        tag=(number % tags).astype(np.int32),
        source_time=number.astype(np.int64),
        received_time=number.astype(np.int64),
        value=number.astype(np.float64),
        quality=np.full(count, 192, dtype=np.uint8),
        reason=np.zeros(count, dtype=np.uint8),
    )


def fill(spool: Spool, counts: list[int]) -> None:
    first = 0
    for count in counts:
        spool.append([block(first, count)])
        first += count


def drain(spool: Spool, size: int) -> list[int]:
    found: list[int] = []
    while batch := spool.read(size):
        found += batch.block.source_time.tolist()
        spool.advance(batch.position)
    return found


@given(sizes, segment_sizes, st.integers(1, 50), st.data())
def test_a_crash_leaves_a_prefix_of_whole_records(
    counts: list[int], segment_bytes: int, size: int, data: st.DataObject
) -> None:
    with folder() as directory:
        spool = Spool(directory, ["a/1", "a/2", "a/3"], "r1", segment_bytes=segment_bytes)
        fill(spool, counts)
        spool.close()
        last = max(directory.glob("*.seg"))
        length = data.draw(st.integers(0, last.stat().st_size))
        with last.open("r+b") as file:
            file.truncate(length)
        spool = Spool(directory, ["a/1", "a/2", "a/3"], "r1", segment_bytes=segment_bytes)
        kept = spool.backlog
        assert spool.size == sum(path.stat().st_size for path in directory.glob("*.seg"))
        assert kept in [sum(counts[:n]) for n in range(len(counts) + 1)]
        spool.append([block(kept, 5)])
        assert drain(spool, size) == list(range(kept + 5))
        assert spool.corrupt_samples == 0
        spool.close()


@given(sizes, segment_sizes, st.integers(1, 50), st.data())
def test_damage_costs_only_what_it_touches(
    counts: list[int], segment_bytes: int, size: int, data: st.DataObject
) -> None:
    with folder() as directory:
        spool = Spool(directory, ["a/1", "a/2", "a/3"], "r1", segment_bytes=segment_bytes)
        fill(spool, counts)
        spool.close()
        path = data.draw(st.sampled_from(sorted(directory.glob("*.seg"))))
        content = bytearray(path.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
        path.write_bytes(content)
        spool = Spool(directory, ["a/1", "a/2", "a/3"], "r1", segment_bytes=segment_bytes)
        found = drain(spool, size)
        lost = sorted(set(range(sum(counts))) - set(found))
        assert found == sorted(set(found))
        ends = [sum(counts[: n + 1]) for n in range(len(counts))]
        touched = {next(n for n, end in enumerate(ends) if number < end) for number in lost}
        assert len(touched) <= 2  # four bytes reach into two records at most
        assert len(lost) == sum(counts[n] for n in touched)
        assert spool.corrupt_samples == len(lost) or spool.cut_bytes > 0
        spool.close()


class SpoolMachine(RuleBasedStateMachine):
    """Against a model: the list of (path, number) appended, and how many of them are forwarded."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="anshao-spool-"))
        self.appended: list[tuple[str, int]] = []
        self.forwarded: Counter[tuple[str, int]] = Counter()
        self.cursor = 0
        self.lost_cursor = False
        self.spool: Spool

    @initialize(segment_bytes=segment_sizes, retention=st.sampled_from([0, 30, 1 << 40]))
    def open(self, segment_bytes: int, retention: int) -> None:
        self.segment_bytes, self.retention, self.tags = segment_bytes, retention, 1
        self.spool = self.opened()

    def opened(self) -> Spool:
        self.paths = [f"a/{tag}" for tag in range(self.tags)][:: -1 if self.tags % 2 else 1]
        return Spool(
            self.directory,
            self.paths,
            f"r{self.tags}",
            segment_bytes=self.segment_bytes,
            retention=self.retention,
        )

    @rule(counts=st.lists(st.integers(0, 30), max_size=3))
    def append(self, counts: list[int]) -> None:
        blocks = []
        for count in counts:
            number = len(self.appended)
            blocks.append(block(number, count, self.tags))
            self.appended += [(self.paths[n % self.tags], n) for n in range(number, number + count)]
        self.spool.append(blocks)

    @rule(size=st.integers(1, 60), done=st.booleans())
    def forward(self, size: int, done: bool) -> None:  # noqa: FBT001 -- drawn
        batch = self.spool.read(size)
        if batch is None:
            assert self.cursor == len(self.appended)
            return
        found = [
            (batch.paths[tag], number)
            for tag, number in zip(batch.block.tag.tolist(), batch.block.source_time.tolist(), strict=True)
        ]
        assert 0 < len(found) <= size
        assert found == self.appended[self.cursor : self.cursor + len(found)]
        if done:
            self.spool.advance(batch.position)
            self.cursor += len(found)

    @rule(tags=st.integers(1, 4), kill=st.booleans())
    def restart(self, tags: int, kill: bool) -> None:  # noqa: FBT001 -- drawn
        self.tags = tags
        if kill:  # what is on disk at this moment is all that the next one finds
            copy = Path(tempfile.mkdtemp(prefix="anshao-spool-"))
            shutil.copytree(self.directory, copy, dirs_exist_ok=True)
            self.spool.close()
            shutil.rmtree(self.directory)
            self.directory = copy
        else:
            self.spool.close()
        self.spool = self.opened()

    @precondition(lambda self: self.retention > 1000)
    @rule()
    def lose_the_cursor(self) -> None:
        self.spool.close()
        (self.directory / "cursor.json").unlink(missing_ok=True)
        self.spool = self.opened()
        self.cursor = 0

    @rule(back=st.integers(0, 200))
    def recent(self, back: int) -> None:
        if self.retention < back and self.cursor:
            return
        since = max(len(self.appended) - back, 0)
        found = [
            (self.paths[tag], number)
            for part in self.spool.recent(since)
            for tag, number in zip(part.tag.tolist(), part.source_time.tolist(), strict=True)
        ]
        assert found == [(path, number) for path, number in self.appended[since:] if path in self.paths]

    @invariant()
    def counts_agree(self) -> None:
        if hasattr(self, "spool"):
            assert self.spool.backlog == len(self.appended) - self.cursor
            assert self.spool.size == sum(path.stat().st_size for path in self.directory.glob("*.seg"))
            assert self.spool.corrupt_samples == 0
            assert self.spool.cut_bytes == 0

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.spool.close()
        shutil.rmtree(self.directory, ignore_errors=True)


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=60, stateful_step_count=25)
