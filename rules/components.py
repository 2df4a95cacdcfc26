"""Principal components of a unit: T2 and SPE over all its tags (``domain.components`` has the formulas).

The tags are looked at together once a round. A round begins with a reading and is over when every tag that is not
silent has been read in it, and the last round is three quarters of the model's period ago; or before the first reading
that comes three quarters of the period or more after the round began. So rows that arrive together are judged with
their last reading, and a tag that keeps its row waiting delays it by one row at the most.

Judged are the newest readings of all tags:

* A tag that is bad, silent or was never heard is filled in with what the others let expect of it (known data
  regression, F. Arteaga and A. Ferrer, Journal of Chemometrics 16 (2002) 408-418). That never raises T2 or SPE above
  what the missing reading itself would on average, so the limits hold. With less than ``LEAST_KNOWN`` of the tags
  nothing is said.
* FOR: the statistic is at or beyond the setpoint; uncertain readings count.
* AGAINST: it is below the setpoint less the deadband, and all tags have good readings: what is missing may be just
  what was wrong, so it takes nothing back.
* Between the two, or below without all tags good: NEITHER.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.components import ComponentModel
from domain.samples import Bool, Float64, Int64, UInt8
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.arrivals import Readings
from rules.conditions import Conditions
from rules.inputs import SILENT, Events, Inputs, OverInputs
from rules.scan import AGAINST, FOR, NEITHER, Toggles

LEAST_KNOWN = 0.75
"""With a smaller part of a model's tags known nothing is said [ours]."""
_LEAST_VARIANCE = 1e-6
"""Of a component, where tags are filled in: keeps apart what the training data cannot tell apart."""
_PATTERNS = 64
"""So many sets of missing tags are remembered with their regressions."""
_NEVER = np.int64(-(1 << 62))

Shown = tuple[Float64, Float64]
"""Values of a condition's tags as they were judged, and their moving average."""


class Components(Inputs):
    """The conditions of this family.

    In columns of one entry a slot: whether it was read in this round (``fresh``) or is silent and not waited for
    (``excused``); its value as it was judged last, and its moving average (NaN: there is none).
    In columns of one entry a condition: when this round began, the last one was over, and the average was moved last.
    """

    _OF_SLOTS = ("fresh", "excused", "judged", "smoothed")
    _OF_CONDITIONS = ("begun", "over", "averaged")

    def __init__(
        self,
        rules: RuleTable,
        rows: Int64,
        inputs: Sequence[Sequence[int]],
        models: Sequence[ComponentModel],
        tag_count: int,
    ) -> None:
        super().__init__(rules, rows, inputs, tag_count)
        self.models = models
        self.is_t2 = rules.kind[rows] == RuleKind.T2
        self.period = np.array([model.period for model in models], dtype=np.int64)
        count = len(self.input)
        self.fresh = np.zeros(count, dtype=np.bool_)
        self.excused = np.zeros(count, dtype=np.bool_)
        self.judged = np.full(count, np.nan)
        self.smoothed = np.full(count, np.nan)
        self.begun = np.full(len(rows), _NEVER)
        self.over = np.full(len(rows), _NEVER)
        self.averaged = np.full(len(rows), _NEVER)

    def own(self, condition: int) -> slice:
        """The slots of one condition."""
        return slice(int(self.first[condition]), int(self.first[condition] + self.width[condition]))

    def statistic(self, condition: int, smoothed: Float64) -> float:
        """T2 or SPE of one row."""
        model = self.models[condition]
        return float(model.t2(smoothed) if self.is_t2[condition] else model.spe(smoothed))

    def told(self, condition: int, shown: Shown) -> tuple[tuple[tuple[int, float], ...], tuple[float, ...]]:
        """The tags with their values, the one with the greatest share in the statistic first; and the shares."""
        value, smoothed = shown
        model = self.models[condition]
        shares = (model.shares_of_t2 if self.is_t2[condition] else model.shares_of_spe)(smoothed)
        order = np.argsort(-shares, kind="stable")
        tags = self.input[self.own(condition)][order]
        return tuple(zip(tags.tolist(), value[order].tolist(), strict=True)), tuple(shares[order].tolist())

    def as_judged(self, condition: int) -> Shown:
        """What was judged last."""
        own = self.own(condition)
        return self.judged[own], self.smoothed[own]

    def inputs(self, condition: Int64) -> Sequence[tuple[tuple[int, float], ...]]:
        """As they were judged last, for each of these conditions."""
        return [self.told(each, self.as_judged(each))[0] for each in condition.tolist()]

    def shares(self, condition: Int64) -> Sequence[tuple[float, ...]]:
        """The shares of ``inputs``."""
        return [self.told(each, self.as_judged(each))[1] for each in condition.tolist()]

    def awaited(self, condition: Int64, heard: Int64, period: Int64) -> tuple[Int64, Int64]:
        """As ``Inputs``, but that a whole round is awaited before an on-delay ends without it."""
        last, shortest = super().awaited(condition, heard, period)
        return last + self.period[condition], shortest

    def lose(self, tag: Int64) -> Int64:
        """These tags have no value from now on, and no round waits for them."""
        slot = super().lose(tag)
        self.excused[slot] = True
        return slot

    def break_runs(self, tag: Int64) -> Int64:
        """What is under way where one of these tags is an input begins anew."""
        condition = super().break_runs(tag)
        slot = self.slots_of(condition)
        self.fresh[slot] = False
        self.smoothed[slot] = np.nan
        self.begun[condition] = self.over[condition] = _NEVER
        return condition

    def take_over(self, old: Conditions, rows: Int64) -> tuple[Int64, Int64]:
        """Take the state of another family's conditions, with their rounds and averages."""
        there, here = super().take_over(old, rows)
        if isinstance(old, Components):
            slot, old_slot = self.slots_of(here), old.slots_of(there)
            for column in self._OF_SLOTS:
                getattr(self, column)[slot] = getattr(old, column)[old_slot]
            for column in self._OF_CONDITIONS:
                getattr(self, column)[here] = getattr(old, column)[there]
        return there, here


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Rounds of one condition that are over.

    ends: index of the event after the last that belongs to each; shown_by: that of the event that showed that it is
    over; time: the condition's instant then
    """

    ends: list[int]
    shown_by: list[int]
    time: list[int]


class PrincipalComponents(OverInputs):
    """All T2 and SPE rules."""

    conditions: Components

    def __init__(self, rules: RuleTable, tag_count: int) -> None:
        rows = np.flatnonzero((rules.kind == RuleKind.T2) | (rules.kind == RuleKind.SPE))
        extras = [rules.extras[row] for row in rows.tolist()]
        models = [extra.model for extra in extras if extra.model is not None]
        self.conditions = Components(rules, rows, [extra.inputs for extra in extras], models, tag_count)
        self._enter = rules.setpoint[rows]
        self._leave = self._enter - rules.deadband[rows]
        self._regressions: dict[tuple[str, bytes], Float64] = {}

    def judge(self, events: Events) -> tuple[UInt8, Float64]:
        """A reading alone says nothing."""
        return np.full(len(events), SILENT, dtype=np.uint8), np.full(len(events), np.nan)

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if not len(self.conditions.rows):
            return None
        events = self.conditions.events(readings)
        if events is None:
            return None
        found = [
            toggles
            for condition, begin, end in zip(
                events.conditions.tolist(), events.begins.tolist(), events.ends.tolist(), strict=True
            )
            if (toggles := self._carry(condition, events, begin, end)) is not None
        ]
        self.conditions.hold(events)
        return _together(found)

    def _carry(self, condition: int, events: Events, begin: int, end: int) -> Toggles | None:
        """Carry one condition over its events."""
        held = self.conditions
        rounds = _rounds(held, condition, events, begin, end)
        if not rounds.ends:
            return None
        value, all_good = self._as_of(condition, events, begin, rounds.ends)
        time = np.array(rounds.time, dtype=np.int64)
        own = held.own(condition)
        before = held.as_judged(condition)
        before = before[0].copy(), before[1].copy()
        smoothed = self._smoothed(condition, value, time)
        said = np.flatnonzero(~np.isnan(smoothed[:, 0]))
        if not len(said):
            return None
        value, smoothed, time = value[said], smoothed[said], time[said]
        # Row by row: sums over many rows at once end in other digits than those over few.
        statistic = np.array([held.statistic(condition, row) for row in smoothed])
        verdict = np.full(len(said), NEITHER, dtype=np.uint8)
        verdict[all_good[said] & (statistic < self._leave[condition])] = AGAINST
        verdict[statistic >= self._enter[condition]] = FOR
        shown_by = np.array(rounds.shown_by, dtype=np.int64)[said]
        held.judged[own], held.smoothed[own] = value[-1], smoothed[-1]
        toggles = held.run(
            np.full(len(said), condition, dtype=np.int64), time, events.received_time[shown_by], statistic, verdict
        )
        if toggles is None:
            return None
        told = []
        for entered, row in zip(toggles.entered.tolist(), toggles.shown_by.tolist(), strict=True):
            at = row - 1 if entered and verdict[row] != FOR else row
            told.append(held.told(condition, (value[at], smoothed[at]) if at >= 0 else before))
        return replace(
            toggles,
            shown_by=shown_by[toggles.shown_by],
            inputs=[inputs for inputs, _ in told],
            shares=[shares for _, shares in told],
        )

    def _as_of(self, condition: int, events: Events, begin: int, ends: Sequence[int]) -> tuple[Float64, Bool]:
        """Values of all tags at the end of each round, a row a round; whether all of them are good then."""
        own = self.conditions.own(condition)
        value = self.conditions.value[own].copy()
        good = self.conditions.good[own] & np.isfinite(value)
        values = np.empty((len(ends), len(value)))
        all_good = np.empty(len(ends), dtype=np.bool_)
        for row, end in enumerate(ends):
            part = slice(begin, end)
            slot = events.slot[part] - own.start
            value[slot] = events.value[part]
            good[slot] = events.good[part] & np.isfinite(events.value[part])
            values[row], all_good[row] = value, good.all()
            begin = end
        values[np.isinf(values)] = np.nan
        return values, all_good

    def _smoothed(self, condition: int, value: Float64, time: Int64) -> Float64:
        """The moving average with each round; NaN where too little is known. It begins anew after a long gap."""
        held = self.conditions
        model = held.models[condition]
        standardised = model.standardised(value)
        self._fill(model, standardised)
        rows = np.full(standardised.shape, np.nan)
        own = held.own(condition)
        average, since = held.smoothed[own], int(held.averaged[condition])
        memory, weight = model.memory, model.smoothing
        for row, (at, newest) in enumerate(zip(time.tolist(), standardised, strict=True)):
            if np.isnan(newest[0]):
                continue
            fresh = weight == 1 or np.isnan(average[0]) or at - since > memory
            average = newest if fresh else average + weight * (newest - average)
            rows[row], since = average, at
        held.averaged[condition] = since
        return rows

    def _fill(self, model: ComponentModel, standardised: Float64) -> None:
        """Fill in what is missing, in place; rows of which too little is known are NaN as a whole."""
        missing = np.isnan(standardised)
        for row in np.flatnonzero(missing.any(axis=1)).tolist():
            gone = missing[row]
            if gone.mean() > 1 - LEAST_KNOWN:
                standardised[row] = np.nan
            else:
                standardised[row, gone] = self._regression(model, gone) @ standardised[row, ~gone]

    def _regression(self, model: ComponentModel, gone: Bool) -> Float64:
        """What the tags that are there say of those that are not: C_mk C_kk^-1, C the covariance of the model."""
        pattern = model.digest, gone.tobytes()
        if pattern not in self._regressions:
            variance = np.maximum(model.eigenvalues, _LEAST_VARIANCE)
            covariance = (model.loadings * variance) @ model.loadings.T
            known = covariance[np.ix_(~gone, ~gone)]
            if len(self._regressions) >= _PATTERNS:
                del self._regressions[next(iter(self._regressions))]
            solved = np.linalg.solve(known, covariance[np.ix_(~gone, gone)])
            self._regressions[pattern] = solved.T.astype(np.float64)
        return self._regressions[pattern]


def _rounds(held: Components, condition: int, events: Events, begin: int, end: int) -> _Rounds:
    """The rounds of a condition that are over with its events; keeps what the one under way has come to."""
    own = held.own(condition)
    time, slot = events.time[begin:end], events.slot[begin:end] - own.start
    wait = max(int(held.period[condition]) * 3 // 4, 1)
    fresh, excused = held.fresh[own].copy(), held.excused[own].copy()
    begun, last = int(held.begun[condition]), int(held.over[condition])
    instant = int(held.instants(np.array([condition]))[0])
    rounds = _Rounds([], [], [])
    at, count = 0, end - begin
    width = own.stop - own.start
    whole = 0 if fresh.any() or excused.any() else _whole_rows(slot, time, width, wait, last)
    if whole:
        at = whole * width
        shown = np.arange(width - 1, at, width)
        rounds.ends.extend((begin + shown + 1).tolist())
        rounds.shown_by.extend((begin + shown).tolist())
        rounds.time.extend(time[shown].tolist())
        last = rounds.time[-1]
    before = _previous(slot)
    while at < count:
        if not fresh.any():
            begun = int(time[at])
        over = at + int(np.searchsorted(time[at:], begun + wait))
        done = _completing(slot[at:over], before[at:over] < at, fresh, excused)
        if done is not None and time[at + done] >= last + wait:
            ends, shown_by, last = at + done + 1, at + done, int(time[at + done])
        elif over < count:
            ends, shown_by, last = over, over, int(time[over - 1]) if over else instant
        else:
            break
        rounds.ends.append(begin + ends)
        rounds.shown_by.append(begin + shown_by)
        rounds.time.append(last)
        excused[slot[at:ends]] = False
        fresh[:] = False
        at = ends
    fresh[slot[at:]] = True
    excused[slot[at:]] = False
    held.fresh[own], held.excused[own] = fresh, excused
    held.begun[condition], held.over[condition] = begun, last
    return rounds


def _whole_rows(slot: Int64, time: Int64, width: int, wait: int, last: int) -> int:
    """How many rounds, from the first reading on, are each one row of all tags: seen at once, not one by one."""
    rows = len(slot) // width
    if not rows:
        return 0
    slots, times = slot[: rows * width].reshape(rows, width), time[: rows * width].reshape(rows, width)
    whole = (np.sort(slots, axis=1) == np.arange(width)).all(axis=1)
    whole &= times[:, -1] - times[:, 0] < wait
    whole &= np.diff(times[:, -1], prepend=last) >= wait
    return rows if whole.all() else int(np.argmin(whole))


def _completing(slot: Int64, first: Bool, fresh: Bool, excused: Bool) -> int | None:
    """Index of the reading with which all slots that are waited for have been read; None: they have not, or had been.

    ``first``: nothing was read of its slot among these readings before.
    """
    wanted = ~fresh & ~excused
    missing = int(wanted.sum())
    new = np.flatnonzero(first & wanted[slot])
    return int(new[missing - 1]) if 0 < missing <= len(new) else None


def _previous(slot: Int64) -> Int64:
    """For each reading the index of the one before of the same slot, -1 where there is none."""
    order = np.argsort(slot, kind="stable")
    previous = np.full(len(slot), -1, dtype=np.int64)
    same = slot[order[1:]] == slot[order[:-1]]
    previous[order[1:][same]] = order[:-1][same]
    return previous


def _together(found: Sequence[Toggles]) -> Toggles | None:
    """The toggles of several conditions as one."""
    if len(found) < 2:  # noqa: PLR2004 - nothing to put together
        return found[0] if found else None
    return Toggles(
        condition=np.concatenate([each.condition for each in found]),
        entered=np.concatenate([each.entered for each in found]),
        source_time=np.concatenate([each.source_time for each in found]),
        received_time=np.concatenate([each.received_time for each in found]),
        value=np.concatenate([each.value for each in found]),
        shown_by=np.concatenate([each.shown_by for each in found]),
        inputs=[inputs for each in found for inputs in each.inputs],
        shares=[shares for each in found for shares in each.shares],
    )
