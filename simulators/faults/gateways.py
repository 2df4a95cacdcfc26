"""Gateways: from what instruments read, in the order of reading, to what the service gets, in the order of arrival.

Two ways in, with the same timetable behind them: ``Gateway.send`` takes readings of all tags of a gateway as a matrix,
one message a row; ``Gateway.pass_on`` takes ``SampleBlock``s, whose readings of one instant make one message.
``Gateways`` does the latter for several at once. Nothing is lost but what a fault says, and that is counted.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from domain.samples import Float64, Int32, Int64, SampleBlock, UInt8
from domain.scales import Quality, QualityReason
from simulators.faults.gateway_faults import GatewayFault, WrongUnits
from simulators.faults.instruments import Measured
from simulators.faults.timetable import Arrivals, Timetable

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Messages in the order of their arrival."""

    source_time: Int64
    """(messages,), ms UTC by the gateway's clock."""
    received_time: Int64
    """(messages,), ms UTC."""
    measured: Measured
    """(messages, tags)."""

    def __len__(self) -> int:
        return len(self.source_time)

    def column(self, column: int, tag: int) -> SampleBlock:
        """The readings of one tag, as those of the site's tag number ``tag``."""
        count = len(self)
        return SampleBlock(
            np.full(count, tag, dtype=np.int32),
            self.source_time,
            self.received_time,
            self.measured.value[:, column],
            self.measured.quality[:, column],
            self.measured.reason[:, column],
        )

    def block(self, tags: Int32) -> SampleBlock:
        """All readings, message by message; ``tags`` has the site's tag number of each column."""
        count, width = len(self), len(tags)
        return SampleBlock(
            np.tile(tags, count),
            np.repeat(self.source_time, width),
            np.repeat(self.received_time, width),
            self.measured.value.reshape(-1),
            self.measured.quality.reshape(-1),
            self.measured.reason.reshape(-1),
        )


class Gateway:
    """One gateway.

    name: seeds its random numbers together with ``seed``. tags: their names; columns of a matrix, and what the column
    ``tag`` of a block is an index into. ranges: of each tag; what a wrong unit takes beyond it is UNCERTAIN, as the
    service's decoder marks it. latency: s; jitter: s, mean of a further delay that is spread exponentially. Raises
    ValueError for a fault that names another tag. A gateway takes matrices or blocks, not both.
    """

    def __init__(
        self,
        name: str,
        tags: Sequence[str],
        seed: int,
        faults: Iterable[GatewayFault] = (),
        *,
        ranges: Sequence[tuple[float, float]] | None = None,
        latency: float = 0.2,
        jitter: float = 0.0,
    ) -> None:
        faults = tuple(faults)
        if ranges is not None and len(ranges) != len(tags):
            raise ValueError(f"ranges: {len(ranges)} for {len(tags)} tags; give one for each")
        self._ranges = np.array(ranges if ranges is not None else [(-np.inf, np.inf)] * len(tags)).reshape(-1, 2)
        where = {tag: index for index, tag in enumerate(tags)}
        self._units: list[tuple[WrongUnits, list[int]]] = []
        for fault in faults:
            if isinstance(fault, WrongUnits):
                for tag in fault.tags:
                    if tag not in where:
                        raise ValueError(f"tags: WrongUnits names {tag!r}, which gateway {name} does not send")
                self._units.append((fault, [where[tag] for tag in fault.tags]))
        self.name = name
        self._timetable = Timetable(seed, name, faults, latency=latency, jitter=jitter)
        self._width = len(tags)
        self._rows: _Kept[Measured] = _Kept()
        self._readings: _Kept[_Readings] = _Kept()
        self._open = SampleBlock.empty()
        """Readings of the newest instant: there may be more of it."""
        self._newest: int | None = None

    @property
    def lost(self) -> int:
        """Messages lost up to now, as faults say."""
        return self._timetable.lost

    def send(self, times: Int64, measured: Measured) -> Delivered:
        """Messages read at ``times`` (ms UTC, ascending); what has arrived by the last of them is returned."""
        for fault, columns in self._units:
            begin, end = np.searchsorted(times, (fault.begin, fault.end)).tolist()
            if begin < end:
                measured = Measured(measured.value.copy("K"), measured.quality.copy("K"), measured.reason.copy("K"))
                for column in columns:
                    self._convert(
                        fault,
                        np.full(end - begin, column),
                        measured.value[begin:end, column],
                        measured.quality[begin:end, column],
                        measured.reason[begin:end, column],
                    )
        self._rows.add(len(times), measured)
        return self._deliver(self._timetable.send(times))

    def finish(self) -> Delivered:
        """There is nothing more: all that is still under way."""
        return self._deliver(self._timetable.finish())

    def _deliver(self, arrivals: Arrivals) -> Delivered:
        none = np.empty((0, self._width), dtype=np.uint8)
        parts = [Measured(np.empty((0, self._width)), none, none)]
        parts += [_rows(part, rows) for part, rows in self._rows.runs(arrivals.carried)]
        measured = parts[-1]
        if len(parts) > 2:  # noqa: PLR2004 - the empty one, and one that is all there is
            # Joined so that a tag's column goes on lying together
            measured = Measured(
                np.concatenate([part.value.T for part in parts], axis=1).T,
                np.concatenate([part.quality.T for part in parts], axis=1).T,
                np.concatenate([part.reason.T for part in parts], axis=1).T,
            )
        self._rows.forget(self._timetable.needed)
        return Delivered(arrivals.source_time, arrivals.received_time, measured)

    def pass_on(self, block: SampleBlock, known: int) -> SampleBlock:
        """Readings in the order of reading (source time ascending); what has arrived before ``known`` is returned.

        ``known``: ms UTC; all readings from before it have been given. Received times of ``block`` are not looked at.
        """
        for fault, tags in self._units:
            wrong = np.isin(block.tag, tags) & (block.source_time >= fault.begin) & (block.source_time < fault.end)
            if wrong.any():
                some = block.take(wrong)
                self._convert(fault, some.tag, some.value, some.quality, some.reason)
                value, quality, reason = block.value.copy(), block.quality.copy(), block.reason.copy()
                value[wrong], quality[wrong], reason[wrong] = some.value, some.quality, some.reason
                block = SampleBlock(block.tag, block.source_time, block.received_time, value, quality, reason)
        times = self._complete(block, known)
        return self._expand(self._timetable.send(times, known))

    def end(self) -> SampleBlock:
        """There is nothing more: all that is still under way."""
        arrived = self._expand(self._timetable.send(self._complete(SampleBlock.empty(), None)))
        return SampleBlock.concatenate([arrived, self._expand(self._timetable.finish())])

    def _convert(self, fault: WrongUnits, tags: Int32 | Int64, value: Float64, quality: UInt8, reason: UInt8) -> None:
        """Put readings into the wrong unit, in place."""
        value[:] = value * fault.factor + fault.offset
        low, high = self._ranges[tags].T
        beyond = ((value < low) | (value > high)) & (quality == Quality.GOOD)
        quality[beyond] = Quality.UNCERTAIN
        reason[beyond] = QualityReason.OUT_OF_RANGE

    def _complete(self, block: SampleBlock, known: int | None) -> Int64:
        """Keep the messages that are complete, those from before ``known`` (None: all); their times."""
        times = block.source_time
        if len(times):
            if (np.diff(times) < 0).any() or (self._newest is not None and times[0] < self._newest):
                raise ValueError("source_time: readings must come in the order of reading, from block to block as well")
            self._newest = int(times[-1])
        block = SampleBlock.concatenate([self._open, block])
        cut = len(block) if known is None else int(np.searchsorted(block.source_time, known))
        self._open = block.take(slice(cut, None))
        whole = block.take(slice(cut))
        firsts = np.flatnonzero(np.diff(whole.source_time, prepend=np.iinfo(np.int64).min))
        self._readings.add(len(firsts), _Readings(whole, np.append(firsts, cut)))
        return np.asarray(whole.source_time[firsts])

    def _expand(self, arrivals: Arrivals) -> SampleBlock:
        taken, sizes = [SampleBlock.empty()], [np.empty(0, dtype=np.int64)]
        for part, rows in self._readings.runs(arrivals.carried):
            begins = part.bounds[rows]
            size = part.bounds[rows + 1] - begins
            before = np.cumsum(size) - size
            taken.append(part.block.take(np.arange(int(size.sum())) + np.repeat(begins - before, size)))
            sizes.append(size)
        self._readings.forget(self._timetable.needed)
        block, repeats = SampleBlock.concatenate(taken), np.concatenate(sizes)
        source_time, received_time = (
            np.repeat(column, repeats) for column in (arrivals.source_time, arrivals.received_time)
        )
        return SampleBlock(block.tag, source_time, received_time, block.value, block.quality, block.reason)


def _rows(measured: Measured, rows: Int64) -> Measured:
    if (np.diff(rows) == 1).all():
        run = slice(int(rows[0]), int(rows[-1]) + 1)
        return Measured(measured.value[run], measured.quality[run], measured.reason[run])
    return Measured(
        np.take(measured.value.T, rows, axis=1).T,
        np.take(measured.quality.T, rows, axis=1).T,
        np.take(measured.reason.T, rows, axis=1).T,
    )


class Gateways:
    """Several gateways at once. ``of_tag``: by tag number, the index of its gateway."""

    def __init__(self, gateways: Sequence[Gateway], of_tag: Int64) -> None:
        self._gateways = tuple(gateways)
        self._of_tag = of_tag
        self._known = 0

    @property
    def lost(self) -> Mapping[str, int]:
        """Messages lost up to now by gateway."""
        return {gateway.name: gateway.lost for gateway in self._gateways}

    def stream(self, blocks: Iterable[SampleBlock]) -> Iterable[SampleBlock]:
        """Blocks in the order of arrival from blocks in the order of reading. Empty ones are left out."""
        for block in blocks:
            if len(block):
                known = int(block.source_time[-1])
                of = self._of_tag[block.tag]
                arrived = self._merge([g.pass_on(block.take(of == n), known) for n, g in enumerate(self._gateways)])
                if len(arrived):
                    yield arrived
        rest = self._merge([gateway.end() for gateway in self._gateways])
        if len(rest):
            yield rest

    @staticmethod
    def _merge(blocks: Sequence[SampleBlock]) -> SampleBlock:
        merged = SampleBlock.concatenate([block for block in blocks if len(block)])
        if sum(len(block) > 0 for block in blocks) < 2:  # noqa: PLR2004 - one is in order already
            return merged
        return merged.take(np.argsort(merged.received_time, kind="stable"))


@dataclass(frozen=True, slots=True)
class _Readings:
    """Readings of messages that follow each other; those of message k are at ``bounds[k]`` to ``bounds[k + 1]``."""

    block: SampleBlock
    bounds: Int64


class _Kept(Generic[Part]):
    """Parts of messages that may still be sent, numbered through."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._firsts: list[int] = []
        """Number of the first message of each part."""
        self._count = 0

    def add(self, count: int, part: Part) -> None:
        if count:
            self._parts.append(part)
            self._firsts.append(self._count)
            self._count += count

    def runs(self, numbers: Int64) -> Iterator[tuple[Part, Int64]]:
        """Parts with the rows of each, which together are the messages of these numbers, in their order."""
        of = np.searchsorted(self._firsts, numbers, side="right") - 1
        edges = [0, *(np.flatnonzero(np.diff(of)) + 1).tolist(), len(numbers)]
        for begin, end in pairwise(edges):
            if begin < end:
                part = int(of[begin])
                yield self._parts[part], numbers[begin:end] - self._firsts[part]

    def forget(self, before: int) -> None:
        """Messages with lower numbers are not asked for any more."""
        gone = max(0, bisect_right(self._firsts, before) - 1)
        del self._parts[:gone], self._firsts[:gone]
