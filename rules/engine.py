"""Live evaluation: blocks of samples and the passing of time go in, transitions come out.

The cost of a sample does not depend on how many tags or rules there are elsewhere; only ``advance``, called a few
times a second, looks over all of them.
"""

from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Int64, SampleBlock
from domain.site import RuleTable
from domain.transitions import Transition
from rules.arrivals import Arrivals, Latest
from rules.conditions import Family
from rules.limits import Limits
from rules.quality import BadQuality
from rules.rates import Rates
from rules.scan import Toggles, ripen
from rules.silence import Silence

LONGEST_PATIENCE = 2_000
"""ms: a tag's next reading is awaited for its period, but no longer, before an on-delay ends without it [ours]."""


@dataclass(frozen=True, slots=True)
class TagColumns:
    """What the engine needs of n tags.

    period: expected ms between readings; live_clock: False where source times are taken as they are.
    """

    period: Int64
    live_clock: Bool


class RuleEngine:
    """The state of all rules of a site.

    ``lateness``: ms; a sample that comes later than this after its source time raises nothing live.
    ``clock_tolerance``: ms; a source time further ahead of the received time than this counts as that far ahead,
    so that a clock that was set back blinds the rules for no longer.
    """

    def __init__(self, rules: RuleTable, tags: TagColumns, lateness: int, clock_tolerance: int) -> None:
        count = len(tags.period)
        self._tags = tags
        self._lateness = lateness
        self._arrivals = Arrivals(tags.live_clock, clock_tolerance)
        self._rates = Rates(rules, tags.period)
        self._families: tuple[Family, ...] = (Limits(rules, count), self._rates, BadQuality(rules, count))
        self._silence = Silence(rules, count)
        self._awaited_since = 0

    @property
    def latest(self) -> Latest:
        """The newest sample of each tag."""
        return self._arrivals.latest

    @property
    def awaited_since(self) -> int:
        """Silence is measured from then at the earliest (ms)."""
        return self._awaited_since

    def restore(self, inside: Int64) -> None:
        """Set the conditions of these rows of the rule table to in, as the register holds them."""
        for family in self._families:
            family.settle(family.conditions.restore(inside))
        self._silence.restore(inside)

    def inside(self) -> Int64:
        """Rows of the rule table whose condition is in."""
        rows = [family.conditions.inside() for family in self._families]
        return np.sort(np.concatenate([*rows, self._silence.inside()]))

    def await_readings(self, now: int) -> None:
        """Begin to measure silence anew at ``now``: after a start, or when readings are held up on our own side."""
        self._awaited_since = now

    def begin_anew(self, tag: Int64) -> None:
        """Take the next samples of these tags, each once in ``tag``, for new ones, whatever their source times.

        For recordings that are played again: conditions that are in stay in until a reading clears them.
        """
        self._arrivals.forget_order(tag)
        self._rates.forget(tag)
        for family in self._families:
            family.settle(family.conditions.break_runs(tag))

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
        readings = self._arrivals.admit(block)
        if readings is None:
            return []
        transitions = self._silence.hear(readings)
        for family in self._families:
            toggles = family.evaluate(readings)
            if toggles is not None:
                transitions.extend(_transitions(toggles, family.conditions.rows))
        return _in_order(transitions) if len(transitions) > 1 else transitions

    def advance(self, now: int, *, connected: bool = True) -> list[Transition]:
        """Let time pass to ``now``: on-delays run out where no reading comes, and tags that are silent become stale.

        While the service itself is cut off from the broker (not ``connected``) silence says nothing.
        """
        transitions: list[Transition] = []
        if not connected:
            return transitions
        heard = np.maximum(self.latest.received_time, self._awaited_since)
        for family in self._families:
            conditions = family.conditions
            waiting = conditions.waiting()
            if len(waiting):
                tag = conditions.tag[waiting]
                patience = np.minimum(self._tags.period[tag], LONGEST_PATIENCE)
                toggles = ripen(conditions.state, conditions.on_delay, now, waiting, heard[tag], patience)
                family.settle(toggles.condition)
                transitions.extend(_transitions(toggles, conditions.rows))
        transitions.extend(self._silence.advance(now, heard))
        return transitions


def _in_order(transitions: list[Transition]) -> list[Transition]:
    """By received time, then rule; those of one rule stay in their order even if the service's clock was set back."""
    reached: dict[int, int] = {}
    keys = []
    for index, transition in enumerate(transitions):
        rule, received = transition.rule, transition.received_time
        reached[rule] = max(received, reached.get(rule, received))
        keys.append((reached[rule], rule, index))
    return [transitions[index] for _, _, index in sorted(keys)]


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
