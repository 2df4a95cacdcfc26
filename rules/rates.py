"""Rate of change over a window in source time.

The rate at a reading is its difference from the oldest reading inside the window before it, or, where the window
holds none, from the reading before; divided by the window's length, or by the time between the two where that is
longer. A change that is quicker than the window thus counts as spread over the window: noise between two neighbouring
readings is no rate, and a ramp at the limit enters within one window.

RISE enters at rate >= setpoint and leaves at rate < setpoint - deadband, both per second; FALL is the same of the
falling value. Only readings of good quality with a finite value have a rate; others say nothing, and are no base. The
first reading has no rate. While the first reading since the start is less than a window back the rate may raise but
not clear, for it is too small then: a start clears nothing that was in before it.

Nearly all readings change nothing. While all readings of a window lie closer together than the least change that
enters, no condition that is out can enter, and the rate itself need not be known. Many readings of one tag are told
apart by this in short pieces, and only the stretches in which something may happen are looked at.
"""

from typing import Self

import numpy as np

from domain.samples import Bool, Float64, Int64
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.arrivals import GOOD, Readings
from rules.conditions import Conditions, Family
from rules.histories import of_tags, same_rings
from rules.scan import AGAINST, NEITHER, Toggles, together
from rules.setpoints import Setpoints

ROUNDING = 1e-9
"""What the change that enters is lessened by, relatively, so that rounding hides none."""
PIECE, WORTH_SKIPPING = 32, 8_192
"""Readings of which the lowest and highest are looked up; calm ones that cost more than stopping at them."""


class Rates(Family):
    """All RISE and FALL rules. ``period``: expected ms between readings of each tag."""

    def __init__(self, rules: RuleTable, period: Int64) -> None:
        rows = np.flatnonzero((rules.kind == RuleKind.RISE) | (rules.kind == RuleKind.FALL))
        self.conditions = Conditions(rules, rows, len(period))
        sign = np.where(rules.kind[rows] == RuleKind.RISE, 1.0, -1.0)
        self._setpoints = Setpoints(rules, self.conditions, sign)
        self._window = np.maximum(rules.window[rows], 1)

        self._ring, self._histories = of_tags(self.conditions.tag, self._window, period)
        rings = int(self._ring.max(initial=-1)) + 1
        self._change = np.full(rings, np.inf)
        """The least change that can enter a condition of a tag."""
        self._busy = np.zeros(rings, dtype=np.bool_)
        self.settle(np.arange(len(rows)))

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if not len(self.conditions.rows):
            return None
        rated = (readings.quality == GOOD) & np.isfinite(readings.value)
        if not readings.is_tall:
            rated &= self._ring[readings.tag] >= 0
        elif self._ring[readings.tag[0]] < 0:
            return None
        if not rated.all():
            if not rated.any():
                return None
            readings = readings.where(rated)
        if readings.is_tall:
            return self._along(readings)
        ring = self._ring[readings.tag[readings.begins]]
        number = self._histories.append(ring, readings.begins, readings.counts, readings.time, readings.value)
        with np.errstate(over="ignore"):
            stirs = (self._histories.spread(ring) >= self._change[ring]) | self._busy[ring]
            return self._run(readings, number, stirs) if stirs.any() else None

    def _run(self, readings: Readings, number: Int64, stirs: Bool) -> Toggles | None:
        """Evaluate the rates of those tags that a mask, one entry a tag, picks."""
        number = number[stirs.repeat(readings.counts)]
        readings = readings.of_tags(stirs)
        reading, condition = self.conditions.pairs(readings.tag)
        time = readings.time[reading]
        window = self._window[condition]
        base, base_time, base_value = self._histories.base(
            self._ring[readings.tag[reading]], number[reading], time - window
        )
        elapsed = time - base_time
        rate = (readings.value[reading] - base_value) * 1000.0 / np.maximum(elapsed, window)
        verdict = self._setpoints.verdict(condition, self._setpoints.signed(condition, rate))
        whole = (elapsed >= window) | (base > 0)
        verdict[(elapsed == 0) | ((verdict == AGAINST) & ~whole)] = NEITHER
        toggles = self.conditions.run(condition, time, readings.received_time[reading], rate, verdict)
        self.settle(condition)
        return toggles

    def _along(self, readings: Readings) -> Toggles | None:
        """The same of many readings of one tag."""
        tag = int(readings.tag[0])
        ring = int(self._ring[tag])
        number, time, value = self._histories.along(ring, readings.time, readings.value, int(readings.time[0]))
        known = len(time) - len(readings.time)
        own = self.conditions.of_tag(tag)
        found: list[Toggles | None] = []
        with np.errstate(over="ignore"):
            if value.max() - value.min() < self._change[ring] and not self._busy[ring]:
                return None
            longest = int(self._window[own.start : own.stop].max())
            stretches = _Stretches(_spreads(time, value, longest) >= self._change[ring], known, len(time))
            begin = known
            while (stretch := stretches.after(begin, within=bool(self._busy[ring]))) is not None:
                begin, end = stretch
                part = slice(begin - known, end - known)
                for condition in own:
                    window = int(self._window[condition])
                    base = _bases(time[:end], begin, window)
                    elapsed = time[begin:end] - time[base]
                    rate = (value[begin:end] - value[base]) * 1000.0 / np.maximum(elapsed, window)
                    verdict = self._setpoints.along(condition, rate)
                    if verdict is not None:
                        verdict[elapsed == 0] = NEITHER
                        if not base[0] + number:
                            whole = (elapsed >= window) | (base + number > 0)
                            verdict[(verdict == AGAINST) & ~whole] = NEITHER
                        received = readings.received_time[part]
                        found.append(self.conditions.along(condition, time[begin:end], received, rate, verdict))
                self.settle(np.array(own, dtype=np.int64))
                begin = end
        return together(found)

    def begin_anew(self, tag: Int64) -> None:
        """Forget the readings of these tags."""
        ring = self._ring[tag]
        self._histories.forget(ring[ring >= 0])
        super().begin_anew(tag)

    def limit(self, condition: Int64, setpoint: Float64, deadband: Float64) -> None:
        """Set other setpoints, NaN for no limit."""
        self._setpoints.change(condition, setpoint, deadband)
        self.settle(condition)

    def settle(self, condition: Int64) -> None:
        """Note which tags have a condition that is in or has a run under way, and what can enter one."""
        if not len(condition):
            return
        tag, begins, condition = self.conditions.of_same_tags(condition)
        change = self._setpoints.enter[condition] * self._window[condition] / 1000.0 * (1.0 - ROUNDING)
        self._change[self._ring[tag]] = np.minimum.reduceat(change, begins)
        self._busy[self._ring[tag]] = np.logical_or.reduceat(self.conditions.busy(condition), begins)

    def take_over(self, old: Self, tags: Int64, rows: Int64) -> Int64:
        """Go on where another left off, with its readings."""
        self._histories.take_over(old._histories, *same_rings(old._ring, self._ring, tags))
        return super().take_over(old, tags, rows)


def _bases(time: Int64, known: int, window: int) -> Int64:
    """The place of the base of each reading from ``known`` on, at least one: see the head of this file.

    Where readings come at even intervals the base is always as many readings back. Only others are searched for.
    """
    since = time[known:] - window
    middle = len(since) // 2
    first = int(np.searchsorted(time, since[middle])) - middle
    base = np.arange(first, first + len(since))
    others: Int64 | slice = slice(None)
    if 1 <= first < known:
        at, before = time[first : first + len(since)], time[first - 1 : first - 1 + len(since)]
        others = np.flatnonzero((at < since) | (before >= since))
    base[others] = np.searchsorted(time, since[others])
    own = np.arange(known, len(time))[others]
    alone = base[others] == own
    base[others] = np.where(alone, np.maximum(own - 1, 0), base[others])
    return base


def _spreads(time: Int64, value: Float64, window: int) -> Float64:
    """At least the greatest difference between any two readings of a piece of them and of the windows before it.

    Of the window before a reading, as everywhere, with the one before that.
    """
    begins = np.arange(0, len(value), PIECE)
    low, high = np.minimum.reduceat(value, begins), np.maximum.reduceat(value, begins)
    reached = np.maximum(np.searchsorted(time, time[begins] - window) - 1, 0)
    pieces = int(((begins - reached + PIECE - 1) // PIECE).max())
    covered = 0
    while covered < pieces:
        back = min(covered + 1, pieces - covered)
        low[back:], high[back:] = np.minimum(low[back:], low[:-back]), np.maximum(high[back:], high[:-back])
        covered += back
    spreads: Float64 = high - low
    return spreads


class _Stretches:
    """Stretches of readings in which something may happen, by whether each piece of them stirs."""

    def __init__(self, stirs: Bool, first: int, end: int) -> None:
        self._end = end
        pieces = np.flatnonzero(stirs[first // PIECE :]) + first // PIECE
        apart = np.flatnonzero(np.diff(pieces) * PIECE > WORTH_SKIPPING)
        self._begins = np.append(pieces[:1], pieces[apart + 1]) * PIECE
        self._ends = np.minimum(np.append(pieces[apart], pieces[-1:]) * PIECE + PIECE, end)
        self._stride = PIECE

    def after(self, begin: int, *, within: bool) -> tuple[int, int] | None:
        """The next stretch of readings from ``begin`` on; None if there is none.

        ``within``: something is under way, so that it begins there.
        """
        number = int(np.searchsorted(self._ends, begin, side="right"))
        if number < len(self._ends) and (not within or self._begins[number] <= begin + WORTH_SKIPPING):
            self._stride = PIECE
            return begin if within else max(begin, int(self._begins[number])), int(self._ends[number])
        if not within or begin == self._end:
            return None
        stride, self._stride = self._stride, 2 * self._stride  # it may last
        return begin, min(begin + stride, self._end)
