"""Deadband, on-delay and off-delay for any number of conditions at once.

The semantics, for one condition and its readings in order of source time (sample and hold):

* Each reading is *for* (the value is at or beyond the setpoint), *against* (back beyond the deadband), or
  neither (inside the deadband).
* A condition that is out enters when it has been *for* without a break for the on-delay. The value is held between
  readings, so it also enters when the on-delay ended before the next reading came, whatever that reading says.
* A condition that is in leaves at the first *against* reading that comes at least the off-delay after the first of
  an unbroken run of *against* readings. Without a reading nothing leaves: silence never clears.
* The instant of either is the beginning of the run plus the delay.

High and low limits: GB/T 41261 / IEC 62682 alarm attributes as PLC alarm blocks implement them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8

NEITHER, FOR, AGAINST = 0, 1, 2

TickAfter = Callable[[Int64, Int64, Int64 | None], Int64]
"""For each of some conditions the first tick not before a time (ms) at which it had waited long enough for a reading;
beyond all times if there is none before it was heard at a second time, if that is given."""


@dataclass(slots=True)
class ConditionState:
    """State of m conditions, in columns of length m.

    inside: the condition is in
    since: source time at which the unbroken run began that may toggle the condition; 0: no such run
    since_received: its received time
    since_value: the value of the last reading of that run
    """

    inside: Bool
    since: Int64
    since_received: Int64
    since_value: Float64

    @classmethod
    def out(cls, count: int) -> "ConditionState":
        """All conditions out."""
        return cls(
            np.zeros(count, dtype=np.bool_),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.float64),
        )


@dataclass(frozen=True, slots=True)
class Toggles:
    """Conditions that toggled, in columns, ordered by condition and time.

    condition: index of the condition; entered: True in, False out; source_time: instant of the toggle;
    received_time: when the reading came that showed it; value: the reading that decided.
    shown_by: index of the reading that showed it, in the columns that were evaluated; -1: the passing of time
    inputs: of rules over several tags, for each toggle the tags with the values that they had; else empty
    shares: of principal components, for each toggle the share that each of its inputs has in it; else empty
    """

    condition: Int64
    entered: Bool
    source_time: Int64
    received_time: Int64
    value: Float64
    shown_by: Int64
    inputs: Sequence[tuple[tuple[int, float], ...]] = ()
    shares: Sequence[tuple[float, ...]] = ()

    def __len__(self) -> int:
        return len(self.condition)


def together(parts: Sequence[Toggles | None]) -> Toggles | None:
    """What several conditions did, in their order; None where none did anything."""
    found = [part for part in parts if part is not None]
    if not found:
        return None
    return Toggles(
        condition=np.concatenate([part.condition for part in found]),
        entered=np.concatenate([part.entered for part in found]),
        source_time=np.concatenate([part.source_time for part in found]),
        received_time=np.concatenate([part.received_time for part in found]),
        value=np.concatenate([part.value for part in found]),
        shown_by=np.concatenate([part.shown_by for part in found]),
    )


def group_begins(column: Int64) -> Bool:
    """Where a run of equal entries begins, in a column of at least one entry."""
    begins = np.empty(len(column), dtype=np.bool_)
    begins[0] = True
    np.not_equal(column[1:], column[:-1], out=begins[1:])
    return begins


def earliest(time_at: Callable[[Int64], Int64], low: Int64, high: Int64, since: Int64) -> Int64:
    """Index of the first of the entries ``low`` to ``high`` that is not before ``since``; ``high`` if none is.

    One search for each element of the columns; ``time_at`` gives the times of entries, which never decrease from
    ``low`` to ``high``.
    """
    while True:
        open_ = low < high
        if not open_.any():
            return low
        middle = (low + high) >> 1
        early = time_at(middle) < since
        low = np.where(open_ & early, middle + 1, low)
        high = np.where(open_ & ~early, middle, high)


def first_not_before(column: Int64, low: Int64, high: Int64, since: Int64, *, ordered: bool) -> Int64:
    """As ``earliest``, in a column. ``ordered``: it never decreases as a whole, which is quicker to search."""
    if ordered:
        return np.clip(np.searchsorted(column, since), low, high)
    most = len(column) - 1
    return earliest(lambda index: column[np.minimum(index, most)], low, high, since)


@dataclass(frozen=True, slots=True)
class _Readings:
    """The columns that ``scan`` is given; ``number``: their indices."""

    condition: Int64
    source_time: Int64
    received_time: Int64
    value: Float64
    verdict: UInt8
    number: Int64

    @property
    def are_of_one(self) -> bool:
        """Whether there is one condition only."""
        return bool(self.condition[0] == self.condition[-1])

    def after_runs_under_way(self, state: ConditionState) -> "_Readings":
        """The same, with each run that is under way put first as a reading at the time it began."""
        begins = np.flatnonzero(group_begins(self.condition))
        touched = self.condition[begins]
        carried = state.since[touched] != 0
        if not carried.any():
            return self
        at = begins[carried]
        who = touched[carried]
        verdict = np.where(state.inside[who], np.uint8(AGAINST), np.uint8(FOR))
        return _Readings(
            np.insert(self.condition, at, who),
            np.insert(self.source_time, at, state.since[who]),
            np.insert(self.received_time, at, state.since_received[who]),
            np.insert(self.value, at, state.since_value[who]),
            np.insert(self.verdict, at, verdict),
            np.insert(self.number, at, -1),
        )


def scan(
    state: ConditionState,
    on_delay: Int64,
    off_delay: Int64,
    condition: Int64,
    source_time: Int64,
    received_time: Int64,
    value: Float64,
    verdict: UInt8,
    tick_after: TickAfter | None = None,
) -> Toggles:
    """Carry ``state`` over readings and return what toggled.

    ``on_delay`` and ``off_delay`` have one entry a condition (length m); the other columns one entry a reading
    (length k >= 1), sorted by condition and, within it, in order of evaluation with source times that never decrease.
    ``verdict`` is FOR, AGAINST or NEITHER. ``state`` is changed in place. ``tick_after``: of readings of the past, the
    ticks of the clock between them, at which on-delays run out; live, ``ripen`` does that.
    """
    readings = _Readings(condition, source_time, received_time, value, verdict, np.arange(len(condition)))
    readings = readings.after_runs_under_way(state)
    condition, source_time, verdict = readings.condition, readings.source_time, readings.verdict
    begins = group_begins(condition)
    touched = condition[begins]

    # Runs of equal verdicts: from ``first`` to ``last``.
    count = len(condition)
    run_begins = begins.copy()
    run_begins[1:] |= verdict[1:] != verdict[:-1]
    first = np.flatnonzero(run_begins)
    last = np.append(first[1:], count) - 1
    run_verdict = verdict[first]
    run_condition = condition[first]

    # The reading at which a run has lasted for its delay: one of its own, or, for an on-delay, the one that ends it.
    delay = np.where(run_verdict == FOR, on_delay[run_condition], off_delay[run_condition])
    due = source_time[first] + delay
    one = readings.are_of_one
    shown_by = first_not_before(source_time, first, last, due, ordered=one) if delay.any() else first
    ripe = (run_verdict != NEITHER) & (source_time[shown_by] >= due)
    following = np.minimum(last + 1, count - 1)
    ended = (following > last) & ~begins[following]
    held = (run_verdict == FOR) & ~ripe & ended & (due < source_time[following])
    decided_by = np.where(held, last, shown_by)
    shown_by = np.where(held, following, shown_by)
    ripe |= held
    told_at = readings.received_time[shown_by]
    if tick_after is not None:
        until = np.where(ripe, shown_by, np.where(ended, following, last))
        waits = np.flatnonzero((run_verdict == FOR) & (delay > 0))
        run, tick, newest = _ripened(readings, tick_after, first, last, until, delay, waits)
        ripe[run] = True
        told_at[run] = tick
        decided_by[run] = shown_by[run] = newest

    event = np.flatnonzero(ripe)
    event_condition = run_condition[event]
    enters = run_verdict[event] == FOR
    before = np.empty(len(event), dtype=np.bool_)
    if len(event):
        before[0] = state.inside[event_condition[0]]
        same = event_condition[1:] == event_condition[:-1]
        before[1:] = np.where(same, enters[:-1], state.inside[event_condition[1:]])
    picked = event[enters != before]
    toggles = Toggles(
        condition=run_condition[picked],
        entered=run_verdict[picked] == FOR,
        source_time=due[picked],
        received_time=told_at[picked],
        value=readings.value[decided_by[picked]],
        shown_by=readings.number[shown_by[picked]],
    )

    # Later events of a condition overwrite earlier ones: assignment goes in order.
    state.inside[event_condition] = enters
    final = np.append(np.flatnonzero(begins)[1:], count) - 1
    final_run = np.searchsorted(first, final, side="right") - 1
    opposing = np.where(state.inside[touched], AGAINST, FOR)
    under_way = run_verdict[final_run] == opposing
    state.since[touched] = np.where(under_way, source_time[first[final_run]], 0)
    state.since_received[touched] = np.where(under_way, readings.received_time[first[final_run]], 0)
    state.since_value[touched] = np.where(under_way, readings.value[final], 0.0)
    return toggles


def _ripened(
    readings: _Readings, tick_after: TickAfter, first: Int64, last: Int64, until: Int64, delay: Int64, run: Int64
) -> tuple[Int64, Int64, Int64]:
    """Those of some runs, from ``first`` to ``last``, whose delay runs out with a tick of the clock.

    That is, before the reading ``until``, at which it runs out or the run is broken. Returns the runs, the ticks, and
    the reading of the run that was the newest then.
    """
    received = readings.received_time
    run = run[received[first[run]] + delay[run] < received[until[run]]]
    heard = received[until[run]]
    tick = tick_after(readings.condition[first[run]], received[first[run]] + delay[run], heard)
    run, tick = run[tick < heard], tick[tick < heard]
    after = first_not_before(received, first[run], last[run] + 1, tick + 1, ordered=readings.are_of_one)
    return run, tick, after - 1


def ripen(
    state: ConditionState,
    on_delay: Int64,
    now: int,
    candidates: Int64,
    last_received: Int64,
    patience: Int64,
) -> Toggles:
    """Let time pass where no reading comes: conditions whose on-delay has run out by the service's clock enter.

    ``candidates`` are indices of conditions that are out with a run under way. The last three columns have one entry
    a candidate: the tag's last received time and how long its next reading is awaited before silence counts, so that
    a reading due at this very moment decides by itself.
    """
    due = state.since_received[candidates] + on_delay[candidates]
    ripe = candidates[(due <= now) & (last_received + patience <= now)]
    return enter(state, on_delay, ripe, np.full(len(ripe), now, dtype=np.int64))


def enter(state: ConditionState, on_delay: Int64, ripe: Int64, at: Int64) -> Toggles:
    """Conditions with a run under way whose on-delay has run out enter, each at its ``at`` by the service's clock."""
    toggles = Toggles(
        condition=ripe,
        entered=np.ones(len(ripe), dtype=np.bool_),
        source_time=state.since[ripe] + on_delay[ripe],
        received_time=at,
        value=state.since_value[ripe].copy(),
        shown_by=np.full(len(ripe), -1, dtype=np.int64),
    )
    state.inside[ripe] = True
    state.since[ripe] = 0
    return toggles
