"""Readings of several tags in the order of their arrival."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Int32, Int64, SampleBlock


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Readings of one tag, at least one, in the order of their arrival.

    clock: received times that never step back; place: among the readings of all tags that were received in the same ms
    """

    block: SampleBlock
    clock: Int64
    place: Int32

    def __len__(self) -> int:
        return len(self.block)

    @classmethod
    def of(cls, block: SampleBlock, place: Int32, clock: int) -> "Arrivals":
        """After what arrived at ``clock``: their order holds even where the recorder's clock was set back."""
        return cls(block, np.maximum(np.maximum.accumulate(block.received_time), clock), place)

    @property
    def last(self) -> int:
        """When the last arrived."""
        return int(self.clock[-1])

    def part(self, begin: int, end: int) -> "Arrivals":
        """Some of them."""
        picked = slice(begin, end)
        return Arrivals(self.block.take(picked), self.clock[picked], self.place[picked])

    def followed_by(self, other: "Arrivals") -> "Arrivals":
        """Both."""
        return Arrivals(
            SampleBlock.concatenate([self.block, other.block]),
            np.concatenate([self.clock, other.clock]),
            np.concatenate([self.place, other.place]),
        )


def merged(streams: Mapping[int, Iterator[Arrivals]]) -> Iterator[SampleBlock]:
    """The readings of all tags in the order of their arrival, in blocks; what arrived together goes by its place."""
    waiting = dict(streams)
    held: dict[int, Arrivals] = {}
    while True:
        for tag in [tag for tag in waiting if tag not in held]:
            _read_on(waiting, held, tag)
        if not held:
            return
        # What arrived before the last of the shortest block can be followed by nothing that arrived earlier.
        until = min((held[tag].last for tag in waiting), default=None)
        parts = _taken(held, until)
        if parts:
            yield _in_order(parts)
            continue
        for tag in [
            tag for tag in waiting if held[tag].last == until
        ]:  # all arrived at once, and more of it may follow
            _read_on(waiting, held, tag)


def _read_on(waiting: dict[int, Iterator[Arrivals]], held: dict[int, Arrivals], tag: int) -> None:
    more = next(waiting[tag], None)
    if more is None:
        del waiting[tag]
    else:
        held[tag] = held[tag].followed_by(more) if tag in held else more


def _taken(held: dict[int, Arrivals], until: int | None) -> list[Arrivals]:
    """Take out what arrived before ``until``, or all."""
    parts = []
    for tag in sorted(held):
        arrivals = held.pop(tag)
        at = len(arrivals) if until is None else int(np.searchsorted(arrivals.clock, until, side="left"))
        if at:
            parts.append(arrivals.part(0, at))
        if at < len(arrivals):
            held[tag] = arrivals.part(at, len(arrivals))
    return parts


def _in_order(parts: Sequence[Arrivals]) -> SampleBlock:
    block = SampleBlock.concatenate([part.block for part in parts])
    clock = np.concatenate([part.clock for part in parts])
    place = np.concatenate([part.place for part in parts])
    return block.take(np.lexsort((place, clock)))
