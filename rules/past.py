"""Evaluation along time: readings of the past in tall blocks, with the same outcome as live.

Live, blocks are small and the engine is told a few times a second that time passes. Here a block may hold hours, and
the ticks of the clock between its readings are gone through without one call each:

* On-delays that run out while no reading comes: the kernels know the ticks (``ticks``).
* Silence that concerns its tag's STALE rules alone: found from the gaps between readings (``silence``).
* Silence that concerns more, and modes of operation that change: the block is cut there, and time passes as it does
  live. A mode that a reading tells holds for what comes after it; the block is cut at the last tick before, so that
  what had run out until then has done so by the old limits.

Received times that step back count as the latest before them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Float64, Int64, SampleBlock
from domain.site import RuleTable, Selector
from domain.transitions import Transition
from rules.arrivals import Readings
from rules.conditions import Family
from rules.engine import RuleEngine, TagColumns
from rules.formulas import Program
from rules.inputs import Inputs
from rules.scan import Toggles
from rules.ticks import TICK, at_or_after, before


@dataclass(frozen=True, slots=True)
class Found:
    """Transitions in columns; those of a rule in their order. See ``domain.transitions.Transition``."""

    rule: Int64
    entered: Bool
    source_time: Int64
    received_time: Int64
    value: Float64

    @classmethod
    def concatenate(cls, parts: Sequence["Found"]) -> "Found":
        """One after the other."""
        if not parts:
            none = np.empty(0, dtype=np.int64)
            return cls(none, np.empty(0, dtype=np.bool_), none, none, np.empty(0))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))


class PastEngine(RuleEngine):
    """Evaluates recorded blocks in the order of their arrival: ``carry`` each, then ``finish``, then ``take``."""

    def __init__(
        self,
        rules: RuleTable,
        tags: TagColumns,
        lateness: int,
        clock_tolerance: int,
        programs: Mapping[int, Program] | None = None,
        selectors: Sequence[Selector] = (),
    ) -> None:
        super().__init__(rules, tags, lateness, clock_tolerance, programs, selectors)
        self._heard = np.zeros(len(tags.period), dtype=np.int64)
        self._passed = 0
        """All ticks before are gone through."""
        self._found: list[Found] = []
        modal = np.array([each.tag for each in selectors if each.tag >= 0], dtype=np.int64)
        minded = [family.minds_silence() for family in self._families]
        minds = np.concatenate([*minded, modal])
        self._silence.leave_apart(minds)
        self._in_use = [family for family in self._families if len(family.conditions.rows)]
        self._cuts = bool(len(minds) or len(selectors))

    def await_readings(self, now: int) -> None:
        """Begin at ``now``."""
        super().await_readings(now)
        self._heard = self._awaited_since.copy()
        self._passed = now

    def carry(self, block: SampleBlock) -> None:
        """Evaluate a block."""
        if not len(block):
            return
        received = block.received_time
        if received[0] < self._passed or not (received[1:] >= received[:-1]).all():
            received = np.maximum(np.maximum.accumulate(received), self._passed)
            block = SampleBlock(block.tag, block.source_time, received, block.value, block.quality, block.reason)
        readings = self._arrivals.admit(block)
        end = int(received[-1])
        for part, tick in self._parts(readings, end):
            if part is not None:
                for same_mode in self._by_mode(part):
                    self._evaluate(same_mode)
            if tick is not None:
                self._tick(tick)
        self._passed = end

    def finish(self, now: int) -> None:
        """Let time pass to the last tick not after ``now``."""
        last = max(now // TICK * TICK, self._passed // TICK * TICK)
        for _, tick in self._parts(None, last + 1):
            if tick is not None:
                self._tick(tick)
        self._passed = last
        self._tick(last)
        self._found.append(_found(*self._silence.trailing(self._heard, last)))

    def take(self) -> Found:
        """What was found since the last call."""
        found, self._found = Found.concatenate(self._found), []
        return found

    def _parts(self, readings: Readings | None, end: int) -> Iterator[tuple[Readings | None, int | None]]:
        """The readings in parts in the order of arrival, each with the tick after it; none after the last."""
        if not self._cuts:
            yield readings, None
            return
        breaks = self._modes.breaks(readings, self._passed, end + 1)
        falls = self._silence.falls(readings, self._heard, end)
        ticks = np.unique(np.concatenate([before(breaks), at_or_after(breaks), falls]))
        ticks = ticks[(ticks >= self._passed) & (ticks < end)]
        if not len(ticks):
            yield readings, None
            return
        parts = _cut(readings, ticks)
        for number, tick in enumerate(ticks.tolist()):
            yield parts.get(number), tick
        yield parts.get(len(ticks)), None

    def _evaluate(self, readings: Readings) -> None:
        """Carry all rules over readings between which neither a mode changes nor a silence means something."""
        self._keep(self._silence.hear(readings))
        row, entered, source, received = self._silence.between(readings, self._heard)
        if len(row):
            self._found.append(_found(row, entered, source, received))
        by_tag = list(readings.by_tag())
        for family in self._in_use:
            conditions = family.conditions
            conditions.heed(readings, self._heard, self._tags.period)
            for part in (readings,) if isinstance(conditions, Inputs) else by_tag:
                self._take_in(family, family.evaluate(part))
            self._ripened(family, conditions.ripen_between())
            conditions.tick_after = None
        last = readings.begins + readings.counts - 1
        self._heard[readings.tag[last]] = readings.received_time[last]

    def _tick(self, now: int) -> None:
        """Time passes as it does live."""
        self._now = now
        self._modes.advance(now)
        for family in self._in_use:
            self._ripened(family, family.conditions.ripen_until(now, self._heard, self._tags.period))
        self._keep(self._pass(now, self._heard))

    def _ripened(self, family: Family, toggles: Toggles | None) -> None:
        if toggles is not None:
            family.settle(toggles.condition)
            self._take_in(family, toggles)

    def _take_in(self, family: Family, toggles: Toggles | None) -> None:
        if toggles is not None and len(toggles):
            rule = family.conditions.rows[toggles.condition]
            self._found.append(Found(rule, toggles.entered, toggles.source_time, toggles.received_time, toggles.value))

    def _keep(self, transitions: Sequence[Transition]) -> None:
        if transitions:
            self._found.append(
                Found(
                    np.array([each.rule for each in transitions], dtype=np.int64),
                    np.array([each.entered for each in transitions], dtype=np.bool_),
                    np.array([each.source_time for each in transitions], dtype=np.int64),
                    np.array([each.received_time for each in transitions], dtype=np.int64),
                    np.array([each.value for each in transitions], dtype=np.float64),
                )
            )


def _found(rule: Int64, entered: Bool, source_time: Int64, received_time: Int64) -> Found:
    return Found(rule, entered, source_time, received_time, np.full(len(rule), np.nan))


def _cut(readings: Readings | None, ticks: Int64) -> dict[int, Readings]:
    """The readings that arrived until each of some ticks, after the one before it; by the number of the tick."""
    if readings is None:
        return {}
    part = np.searchsorted(ticks, readings.received_time, side="left")
    order = np.argsort(part, kind="stable")
    numbers, begins = np.unique(part[order], return_index=True)
    found = {}
    for number, at in zip(numbers.tolist(), np.split(order, begins[1:]), strict=True):
        found[number] = Readings.of(
            readings.tag[at],
            readings.time[at],
            readings.received_time[at],
            readings.value[at],
            readings.quality[at],
            readings.position[at],
        )
    return found
