"""Limits that depend on the mode of operation.

A selector gives its unit's mode: by the newest reading of a tag, for all that arrives after that reading, or by the
service's clock and a schedule of local time, for all that is received from then on. Where the mode is not known (the
tag is bad, stale or was never heard; its value or the time belongs to no mode), and in a mode that a rule does not
name, the rule's own limit holds.

A new limit says nothing by itself: the next reading is judged by it. A run under way goes on if the last value of the
run says by the new limit what it said by the old, and begins anew otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np

from domain.samples import Bool, Float64, Int64
from domain.site import ModeLimit, ModeSpan, RuleTable, Selector
from rules.arrivals import BAD, Latest, Readings
from rules.conditions import Conditions
from rules.scan import group_begins

UTC_OFFSET = 8 * 3_600_000
"""ms: Asia/Shanghai, which has no summer time."""
DAY = 86_400_000
"""ms."""
EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday."""


class Limited(Protocol):
    """A family whose setpoints may change."""

    @property
    def conditions(self) -> Conditions:
        """Its conditions."""
        ...

    def limit(self, condition: Int64, setpoint: Float64, deadband: Float64) -> None:
        """Set other setpoints, NaN for no limit."""
        ...


@dataclass(frozen=True, slots=True)
class Switch:
    """A mode begins to hold: for what comes at this place of the block, or after it."""

    position: int
    selector: int
    mode: str | None


@dataclass(slots=True)
class _Chosen:
    """The conditions of one family that one selector has a say in."""

    family: Limited
    condition: list[int] = field(default_factory=list)
    setpoint: list[float] = field(default_factory=list)
    deadband: list[float] = field(default_factory=list)
    modes: list[Mapping[str, ModeLimit]] = field(default_factory=list)

    def switch(self, mode: str | None) -> None:
        """Set the limits of a mode where they are others than now."""
        limits = [modes.get(mode) if mode is not None else None for modes in self.modes]
        setpoint, deadband = np.array(self.setpoint), np.array(self.deadband)
        for index, limit in enumerate(limits):
            if limit is not None:
                setpoint[index] = np.nan if limit.setpoint is None else limit.setpoint
                deadband[index] = deadband[index] if limit.deadband is None else limit.deadband
        self.family.limit(np.array(self.condition, dtype=np.int64), setpoint, deadband)


class Modes:
    """All selectors of a site, and the limits that they choose."""

    def __init__(
        self, rules: RuleTable, selectors: Sequence[Selector], families: Iterable[Limited], tag_count: int
    ) -> None:
        self._selectors = selectors
        self._now: list[str | None] = [None] * len(selectors)
        self._chosen: list[list[_Chosen]] = [[] for _ in selectors]
        self._of_tag: dict[int, list[int]] = {}
        self._scheduled = [index for index, selector in enumerate(selectors) if selector.tag < 0]
        for index, selector in enumerate(selectors):
            if selector.tag >= 0:
                self._of_tag.setdefault(selector.tag, []).append(index)
        self._is_mode_tag = np.zeros(tag_count, dtype=np.bool_)
        self._is_mode_tag[list(self._of_tag)] = True
        self._clock = self._begin = self._end = 0
        """When the clock was asked last; the present modes by the clock hold from ``_begin`` to before ``_end``."""
        chosen = {row: extra for row, extra in rules.extras.items() if extra.selector >= 0}
        for family in families:
            rows = family.conditions.rows
            for row in sorted(chosen):
                condition = int(np.searchsorted(rows, row))
                if condition < len(rows) and rows[condition] == row:
                    extra = chosen[row]
                    part = self._part(extra.selector, family)
                    part.condition.append(condition)
                    part.setpoint.append(float(rules.setpoint[row]))
                    part.deadband.append(float(rules.deadband[row]))
                    part.modes.append({limit.mode: limit for limit in extra.modes})

    def _part(self, selector: int, family: Limited) -> _Chosen:
        parts = self._chosen[selector]
        if not parts or parts[-1].family is not family:
            parts.append(_Chosen(family))
        return parts[-1]

    @property
    def now(self) -> Sequence[str | None]:
        """The mode by each selector; None: not known."""
        return self._now

    def switches(self, readings: Readings) -> list[Switch]:
        """The modes that begin within a block, in the order of arrival."""
        found: list[Switch] = []
        if self._of_tag:
            found.extend(self._by_reading(readings))
        if self._scheduled and not self._holds(readings.received_time):
            found.extend(self._by_time(readings))
        return sorted(found, key=lambda switch: switch.position)

    def switch(self, selector: int, mode: str | None) -> None:
        """A mode holds from now on."""
        if mode == self._now[selector]:
            return
        self._now[selector] = mode
        for part in self._chosen[selector]:
            part.switch(mode)

    def lose(self, tag: Int64) -> None:
        """These tags have become stale: what they tell is not known."""
        if self._of_tag:
            for each in tag[self._is_mode_tag[tag]].tolist():
                for selector in self._of_tag[each]:
                    self.switch(selector, None)

    def advance(self, now: int) -> None:
        """Let time pass."""
        if self._scheduled and not self._begin <= now < self._end:
            at = np.array([now], dtype=np.int64)
            for index in self._scheduled:
                self.switch(index, _named(self._selectors[index].schedule, _span_at(self._selectors[index], at)[0]))
            self._look(now)

    def take_over(self, old: Self, latest: Latest, is_silent: Bool) -> None:
        """The modes by the newest readings of each tag, and by the clock as another has seen it."""
        for tag, selectors in self._of_tag.items():
            if latest.received_time[tag] and not is_silent[tag]:
                for index in selectors:
                    self.switch(index, self._mode(index, float(latest.value[tag]), int(latest.quality[tag])))
        if old._clock:
            self.advance(old._clock)

    def _holds(self, received: Int64) -> bool:
        return bool(received.min() >= self._begin and received.max() < self._end)

    def _by_reading(self, readings: Readings) -> Iterable[Switch]:
        """Where a reading tells another mode of what comes after it than the one before; the first always tells."""
        for group in np.flatnonzero(self._is_mode_tag[readings.tag[readings.begins]]).tolist():
            own = slice(int(readings.begins[group]), int(readings.begins[group] + readings.counts[group]))
            value, known = readings.value[own], readings.quality[own] != BAD
            for index in self._of_tag[int(readings.tag[own.start])]:
                values = self._selectors[index].values
                found = np.full(len(value), -1, dtype=np.int64)
                for number in range(len(values) - 1, -1, -1):
                    _, low, high = values[number]
                    found[known & (low <= value) & (value <= high)] = number
                for at in np.flatnonzero(group_begins(found)).tolist():
                    mode = values[int(found[at])][0] if found[at] >= 0 else None
                    yield Switch(int(readings.position[own.start + at]) + 1, index, mode)

    def breaks(self, readings: Readings | None, begin: int, end: int) -> Int64:
        """Received times, ``begin`` <= time < ``end``, at which a mode may change: by a schedule, or by a reading."""
        found: list[int] = []
        if self._scheduled:
            for midnight in range(begin - (begin + UTC_OFFSET) % DAY, end, DAY):
                for index in self._scheduled:
                    for span in self._selectors[index].schedule:
                        found += [midnight + span.begin, midnight + span.end]
                found.append(midnight)
        if self._of_tag and readings is not None:
            received = np.empty(int(readings.position.max()) + 1, dtype=np.int64)
            received[readings.position] = readings.received_time
            now = list(self._now)
            for switch in sorted(self._by_reading(readings), key=lambda switch: switch.position):
                if switch.mode != now[switch.selector]:
                    now[switch.selector] = switch.mode
                    found.append(int(received[switch.position - 1]))
        times = np.unique(np.array(found, dtype=np.int64))
        return times[(times >= begin) & (times < end)]

    def _by_time(self, readings: Readings) -> Iterable[Switch]:
        """Where the span of a schedule changes from one arrival to the next; the first always tells."""
        order = np.argsort(readings.position)
        received, position = readings.received_time[order], readings.position[order]
        for index in self._scheduled:
            span = _span_at(self._selectors[index], received)
            begins = np.flatnonzero(np.append(True, span[1:] != span[:-1]))
            for begin in begins.tolist():
                mode = _named(self._selectors[index].schedule, int(span[begin]))
                yield Switch(int(position[begin]), index, mode)
        self._look(int(received[-1]))

    def _mode(self, selector: int, value: float, quality: int) -> str | None:
        if quality == BAD:
            return None
        for mode, low, high in self._selectors[selector].values:
            if low <= value <= high:
                return mode
        return None

    def _look(self, now: int) -> None:
        """Note a span of time around ``now`` in which no schedule changes."""
        midnight = now - (now + UTC_OFFSET) % DAY
        edges = {midnight, midnight + DAY}
        for index in self._scheduled:
            for span in self._selectors[index].schedule:
                edges |= {midnight + span.begin, midnight + span.end}
        self._clock = now
        self._begin = max(edge for edge in edges if edge <= now)
        self._end = min(edge for edge in edges if edge > now)


def _span_at(selector: Selector, time: Int64) -> Int64:
    """The first span that holds at each of some instants: its index, -1 for none."""
    local = time + UTC_OFFSET
    day, clock = local // DAY, local % DAY
    weekday = (day + EPOCH_WEEKDAY) % 7
    found = np.full(len(time), -1, dtype=np.int64)
    for index in range(len(selector.schedule) - 1, -1, -1):
        span = selector.schedule[index]
        days = list(span.days) or list(range(7))
        today = np.isin(weekday, days)
        yesterday = np.isin((weekday - 1) % 7, days)
        over_midnight = span.end <= span.begin
        if over_midnight:
            holds = (today & (clock >= span.begin)) | (yesterday & (clock < span.end))
        else:
            holds = today & (clock >= span.begin) & (clock < span.end)
        found[holds] = index
    return found


def _named(schedule: Sequence[ModeSpan], index: int) -> str | None:
    return schedule[index].mode if index >= 0 else None
