"""Live evaluation: blocks of samples and the passing of time go in, transitions come out.

The cost of a sample does not depend on how many tags or rules there are elsewhere; only ``advance``, called a few
times a second, looks over all of them.
"""

from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Float64, Int64, SampleBlock, UInt8
from domain.scales import Quality, RuleKind
from domain.site import RuleTable
from domain.transitions import Transition
from rules.rates import Histories
from rules.scan import AGAINST, FOR, GROUP_SHIFT, NEITHER, ConditionState, Toggles, group_begins, ripen, scan

LONGEST_PATIENCE = 2_000
"""ms: a tag's next reading is awaited for its period, but no longer, before an on-delay ends without it [ours]."""


@dataclass(frozen=True, slots=True)
class TagColumns:
    """What the engine needs of n tags.

    period: expected ms between readings; live_clock: False where source times are taken as they are.
    """

    period: Int64
    live_clock: Bool


@dataclass(slots=True)
class Latest:
    """The newest sample of each tag, in columns of length n; source_time 0 where there was none."""

    source_time: Int64
    received_time: Int64
    value: Float64
    quality: UInt8
    reason: UInt8


class _Kernel:
    """The rules of one family, with the rows of the rule table they stand in and their state."""

    def __init__(self, rules: RuleTable, rows: Int64, tag_count: int) -> None:
        self.rows = rows
        self.tag = rules.tag[rows].astype(np.int64)
        self.on_delay = rules.on_delay[rows]
        self.off_delay = rules.off_delay[rows]
        self.start = np.searchsorted(self.tag, np.arange(tag_count + 1))
        self.state = ConditionState.out(len(rows))

    def pairs(self, tag: Int64) -> tuple[Int64, Int64]:
        """All pairs of a sample and a rule of its tag: positions in ``tag``, and indices of conditions."""
        first = self.start[tag]
        count = self.start[tag + 1] - first
        sample = np.repeat(np.arange(len(tag)), count)
        ends = np.cumsum(count)
        condition = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - (ends - count), count)
        return sample, condition

    def touch(self, condition: Int64, verdict: UInt8) -> Int64:
        """Positions of the readings of all conditions that may change, sorted by condition.

        A condition in a steady state with no run under way is left alone by readings that don't oppose it.
        """
        inside = self.state.inside[condition]
        opposing = np.where(inside, np.uint8(AGAINST), np.uint8(FOR)) == verdict
        stirred = opposing | (self.state.since[condition] != 0)
        if not stirred.any():
            return np.empty(0, dtype=np.int64)
        hit = np.unique(condition[stirred])
        at = np.searchsorted(hit, condition)
        picked = np.flatnonzero(hit[np.minimum(at, len(hit) - 1)] == condition)
        return picked[np.argsort(condition[picked], kind="stable")]

    def run(self, condition: Int64, source: Int64, received: Int64, value: Float64, verdict: UInt8) -> Toggles | None:
        """Evaluate readings of conditions (columns of equal length); None where nothing toggles."""
        picked = self.touch(condition, verdict)
        if not len(picked):
            return None
        toggles = scan(
            self.state,
            self.on_delay,
            self.off_delay,
            condition[picked],
            source[picked],
            received[picked],
            value[picked],
            verdict[picked],
        )
        return toggles if len(toggles) else None


class RuleEngine:
    """The state of all rules of a site.

    ``lateness``: ms; a sample that comes later than this after its source time raises nothing live.
    ``clock_tolerance``: ms; a source time further ahead of the received time than this counts as that far ahead,
    so that a clock that was set back blinds the rules for no longer.
    """

    def __init__(self, rules: RuleTable, tags: TagColumns, lateness: int, clock_tolerance: int) -> None:
        count = len(tags.period)
        self._rules = rules
        self._tags = tags
        self._lateness = lateness
        self._tolerance = clock_tolerance
        self.latest = Latest(
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.full(count, np.nan),
            np.zeros(count, dtype=np.uint8),
            np.zeros(count, dtype=np.uint8),
        )
        self._order_time = np.zeros(count, dtype=np.int64)
        kind = rules.kind
        limits = np.flatnonzero((kind == RuleKind.HIGH) | (kind == RuleKind.LOW))
        self._limits = _Kernel(rules, limits, count)
        self._sign = np.where(kind[limits] == RuleKind.HIGH, 1.0, -1.0)
        self._enter = rules.setpoint[limits] * self._sign
        self._leave = self._enter - rules.deadband[limits]

        rates = np.flatnonzero((kind == RuleKind.RISE) | (kind == RuleKind.FALL))
        self._rates = _Kernel(rules, rates, count)
        self._rate_sign = np.where(kind[rates] == RuleKind.RISE, 1.0, -1.0)
        self._rate_enter = rules.setpoint[rates]
        self._rate_leave = rules.setpoint[rates] - rules.deadband[rates]
        self._window = np.maximum(rules.window[rates], 1)
        rated = np.unique(self._rates.tag)
        self._ring = np.full(count, -1, dtype=np.int64)
        self._ring[rated] = np.arange(len(rated))
        self._longest = np.zeros(len(rated), dtype=np.int64)
        np.maximum.at(self._longest, self._ring[self._rates.tag], self._window)
        self._histories = Histories(len(rated))

        self._bad = _Kernel(rules, np.flatnonzero(kind == RuleKind.BAD), count)

        self._stale_rows = np.flatnonzero(kind == RuleKind.STALE)
        self._stale_tag = rules.tag[self._stale_rows].astype(np.int64)
        self._stale_after = rules.window[self._stale_rows]
        self._stale_in = np.zeros(len(self._stale_rows), dtype=np.bool_)
        self._stale_of = np.full(count, -1, dtype=np.int64)
        self._stale_of[self._stale_tag] = np.arange(len(self._stale_rows))
        self._stale_floor = 0

    def restore(self, inside: Int64) -> None:
        """Set the conditions of these rows of the rule table to in, as the register holds them."""
        for kernel in (self._limits, self._rates, self._bad):
            kernel.state.inside[np.isin(kernel.rows, inside)] = True
        self._stale_in[np.isin(self._stale_rows, inside)] = True

    def inside(self) -> Int64:
        """Rows of the rule table whose condition is in."""
        rows = [kernel.rows[kernel.state.inside] for kernel in (self._limits, self._rates, self._bad)]
        return np.sort(np.concatenate([*rows, self._stale_rows[self._stale_in]]))

    def await_readings(self, now: int) -> None:
        """Begin to measure staleness anew at ``now``: after a start, or when the broker's link was down."""
        self._stale_floor = now

    def split_late(self, block: SampleBlock) -> tuple[SampleBlock, SampleBlock]:
        """The samples that may raise live alarms, and those that are too late for it."""
        late = (block.received_time - block.source_time > self._lateness) & self._tags.live_clock[block.tag]
        if not late.any():
            return block, block.take(slice(0, 0))
        return block.take(~late), block.take(late)

    def evaluate(self, block: SampleBlock) -> list[Transition]:
        """Evaluate a block of samples in the order of their arrival.

        A sample whose source time is not after that of its tag's newest changes nothing. Returns the transitions in
        order of received time, then rule, then source time.
        """
        if not len(block):
            return []
        order = np.argsort(block.tag, kind="stable")
        tag = block.tag[order].astype(np.int64)
        received = block.received_time[order]
        source = self._ordered_time(block.source_time[order], received, tag)
        newer = self._newer(tag, source, block.source_time[order] > source)
        if not newer.all():
            order, tag, received, source = order[newer], tag[newer], received[newer], source[newer]
            if not len(order):
                return []
        value = block.value[order]
        quality = block.quality[order]
        transitions = self._clear_stale(tag, received)
        self._remember(block, order, tag, source)
        for toggles, rows in (
            (self._run_limits(tag, source, received, value, quality), self._limits.rows),
            (self._run_rates(tag, source, received, value, quality), self._rates.rows),
            (self._run_bad(tag, source, received, value, quality), self._bad.rows),
        ):
            if toggles is not None:
                transitions.extend(_transitions(toggles, rows))
        transitions.sort(key=lambda t: (t.received_time, t.rule, t.source_time))
        return transitions

    def advance(self, now: int, *, stale: bool = True) -> list[Transition]:
        """Let time pass to ``now``: on-delays run out, and tags that are silent become stale.

        ``stale=False`` leaves out the second, while the service itself is cut off from the broker.
        """
        transitions: list[Transition] = []
        for kernel in (self._limits, self._rates, self._bad):
            waiting = np.flatnonzero((kernel.state.since != 0) & ~kernel.state.inside)
            if len(waiting):
                tag = kernel.tag[waiting]
                patience = np.minimum(self._tags.period[tag], LONGEST_PATIENCE)
                toggles = ripen(kernel.state, kernel.on_delay, now, waiting, self.latest.received_time[tag], patience)
                transitions.extend(_transitions(toggles, kernel.rows))
        if stale:
            heard = np.maximum(self.latest.received_time[self._stale_tag], self._stale_floor)
            silent = np.flatnonzero((now - heard > self._stale_after) & ~self._stale_in)
            self._stale_in[silent] = True
            for index in silent.tolist():
                when = int(heard[index] + self._stale_after[index])
                transitions.append(_stale(int(self._stale_rows[index]), when, now, entered=True))
        return transitions

    def _ordered_time(self, source: Int64, received: Int64, tag: Int64) -> Int64:
        """Source time, held back to the tolerance ahead of the received time where the clock is checked."""
        ahead = source > received + self._tolerance
        if not ahead.any():
            return source
        return np.where(ahead & self._tags.live_clock[tag], received + self._tolerance, source)

    def _newer(self, tag: Int64, source: Int64, held_back: Bool) -> Bool:
        """Which samples are after all earlier ones of their tag; one held back may also stand at the same time."""
        begins = group_begins(tag)
        before = np.empty_like(source)
        known = self._order_time[tag]
        if begins.all():
            before = known
        else:
            group = np.cumsum(begins) - 1
            highest = np.maximum.accumulate((group << GROUP_SHIFT) + source) - (group << GROUP_SHIFT)
            before[1:] = highest[:-1]
            before[begins] = 0
            before = np.maximum(before, known)
        newer: Bool = (source > before) | (held_back & (source == before))
        return newer

    def _remember(self, block: SampleBlock, order: Int64, tag: Int64, source: Int64) -> None:
        """Keep the newest sample of each tag; assignment goes in order, so the last of a tag stays."""
        latest = self.latest
        self._order_time[tag] = source
        latest.source_time[tag] = block.source_time[order]
        latest.received_time[tag] = block.received_time[order]
        latest.value[tag] = block.value[order]
        latest.quality[tag] = block.quality[order]
        latest.reason[tag] = block.reason[order]

    def _clear_stale(self, tag: Int64, received: Int64) -> list[Transition]:
        """Tags that were stale and are heard again."""
        stale = self._stale_of[tag]
        again = np.flatnonzero((stale >= 0) & self._stale_in[stale])
        if not len(again):
            return []
        who, first = np.unique(stale[again], return_index=True)
        self._stale_in[who] = False
        return [
            _stale(int(self._stale_rows[index]), when, when, entered=False)
            for index, when in zip(who.tolist(), received[again[first]].tolist(), strict=True)
        ]

    def _run_limits(self, tag: Int64, source: Int64, received: Int64, value: Float64, quality: UInt8) -> Toggles | None:
        sample, condition = self._limits.pairs(tag)
        if not len(sample):
            return None
        signed = value[sample] * self._sign[condition]
        for_ = signed >= self._enter[condition]
        against = signed < self._leave[condition]
        grade = quality[sample]
        verdict = np.where(for_, np.uint8(FOR), np.where(against, np.uint8(AGAINST), np.uint8(NEITHER)))
        # Bad quality says nothing; uncertain quality may raise but not clear.
        counts = (grade == Quality.GOOD) | ((grade == Quality.UNCERTAIN) & for_)
        if not counts.all():
            sample, condition, verdict = sample[counts], condition[counts], verdict[counts]
        return self._limits.run(condition, source[sample], received[sample], value[sample], verdict)

    def _run_rates(self, tag: Int64, source: Int64, received: Int64, value: Float64, quality: UInt8) -> Toggles | None:
        rated = (self._ring[tag] >= 0) & (quality == Quality.GOOD)
        if not rated.any():
            return None
        if not rated.all():
            tag, source, received, value = tag[rated], source[rated], received[rated], value[rated]
        ring = self._ring[tag]
        number = self._histories.append(ring, source, value)
        sample, condition = self._rates.pairs(tag)
        window = self._window[condition]
        time = source[sample]
        base_time, base_value = self._histories.base(ring[sample], number[sample], time - window)
        elapsed = time - base_time
        rate = (value[sample] - base_value) * 1000.0 / np.maximum(elapsed, window)
        last = np.append(np.flatnonzero(ring[1:] != ring[:-1]), len(ring) - 1)
        self._histories.forget(ring[last], source[last] - self._longest[ring[last]])
        signed = rate * self._rate_sign[condition]
        known = elapsed > 0
        verdict = np.where(
            known & (signed >= self._rate_enter[condition]),
            np.uint8(FOR),
            np.where(known & (signed < self._rate_leave[condition]), np.uint8(AGAINST), np.uint8(NEITHER)),
        )
        return self._rates.run(condition, time, received[sample], rate, verdict)

    def _run_bad(self, tag: Int64, source: Int64, received: Int64, value: Float64, quality: UInt8) -> Toggles | None:
        sample, condition = self._bad.pairs(tag)
        if not len(sample):
            return None
        grade = quality[sample]
        verdict = np.where(
            grade == Quality.BAD,
            np.uint8(FOR),
            np.where(grade == Quality.GOOD, np.uint8(AGAINST), np.uint8(NEITHER)),
        )
        return self._bad.run(condition, source[sample], received[sample], value[sample], verdict)


def _transitions(toggles: Toggles, rows: Int64) -> list[Transition]:
    return [
        Transition(rule, entered, source, received, value)
        for rule, entered, source, received, value in zip(
            rows[toggles.condition].tolist(),
            toggles.entered.tolist(),
            toggles.source_time.tolist(),
            toggles.received_time.tolist(),
            toggles.value.tolist(),
            strict=True,
        )
    ]


def _stale(rule: int, source_time: int, received_time: int, *, entered: bool) -> Transition:
    return Transition(rule, entered, source_time, received_time, float("nan"))
