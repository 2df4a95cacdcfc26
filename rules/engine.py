"""Live evaluation: blocks of samples and the passing of time go in, transitions come out.

The cost of a sample does not depend on how many tags or rules there are elsewhere; only ``advance``, called a few
times a second, looks over all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from domain.samples import Bool, Int64, SampleBlock
from domain.site import RuleTable, Selector
from domain.transitions import Transition
from rules.arrivals import Arrivals, Latest, Readings
from rules.components import PrincipalComponents
from rules.conditions import Family
from rules.deviations import ConstantDeviations, PairDeviations
from rules.formulas import Formulas, Program
from rules.inputs import OverInputs
from rules.limits import Limits
from rules.medians import MedianDeviations
from rules.modes import Modes
from rules.quality import BadQuality
from rules.rates import Rates
from rules.scan import Toggles, ripen
from rules.silence import Silence
from rules.stuck import Stuck
from rules.ticks import LONGEST_PATIENCE
from rules.votes import Votes

__all__ = ["LONGEST_PATIENCE", "RuleEngine", "TagColumns"]


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
    ``programs``: what each EXPRESSION rule says, by its row of the rule table; KeyError is raised if one lacks.
    ``selectors``: what chooses among the modes of the rules that have them, ``Site.selectors``.
    """

    def __init__(
        self,
        rules: RuleTable,
        tags: TagColumns,
        lateness: int,
        clock_tolerance: int,
        programs: Mapping[int, Program] | None = None,
        selectors: Sequence[Selector] = (),
    ) -> None:
        count = len(tags.period)
        self._tags = tags
        self._lateness = lateness
        self._arrivals = Arrivals(tags.live_clock, clock_tolerance)
        self._silence = Silence(rules, count)
        limits, rates = Limits(rules, count), Rates(rules, tags.period)
        constants, medians = ConstantDeviations(rules, count), MedianDeviations(rules, tags.period)
        pairs = PairDeviations(rules, count)
        self._over_inputs: tuple[OverInputs, ...] = (
            pairs,
            Votes(rules, self._silence.watched),
            Formulas(rules, programs or {}, count),
            PrincipalComponents(rules, count),
        )
        self._families: tuple[Family, ...] = (
            limits,
            rates,
            BadQuality(rules, count),
            constants,
            medians,
            Stuck(rules, tags.period),
            *self._over_inputs,
        )
        self._modes = Modes(rules, selectors, (limits, rates, constants, medians, pairs), count)
        self._awaited_since = np.zeros(count, dtype=np.int64)
        self._awaited_at = 0
        self._now = 0

    @property
    def latest(self) -> Latest:
        """The newest sample of each tag."""
        return self._arrivals.latest

    @property
    def modes(self) -> Sequence[str | None]:
        """The mode of operation by each selector; None: not known, and the rules' own limits hold."""
        return self._modes.now

    @property
    def awaited_since(self) -> int:
        """Silence is measured from then at the earliest (ms)."""
        return self._awaited_at

    def restore(self, inside: Int64) -> None:
        """Set the conditions of these rows of the rule table to in, as the register holds them."""
        for family in self._families:
            family.restore(inside)
        self._silence.restore(inside)
        self._lose(self._silence.silent)

    def take_over(self, old: Self, tags: Int64, rows: Int64) -> None:
        """Go on where another engine left off, as far as tags and rules are the same.

        ``tags[i]``, ``rows[j]``: index here of its tag i, of its row j of the rule table, or -1. To be called once,
        before anything else. Conditions, runs under way, readings and the order of arrival go on. A rule that is new
        is out; it knows the newest readings. A tag that is new is awaited from now on.
        """
        self._now = old._now
        self._arrivals.take_over(old._arrivals, tags)
        self._awaited_at = old._awaited_at
        self._awaited_since[:] = old._now
        kept = np.flatnonzero(tags >= 0)
        self._awaited_since[tags[kept]] = old._awaited_since[kept]
        self._silence.take_over(old._silence, rows)
        silent = np.zeros(len(self._tags.period), dtype=np.bool_)
        silent[self._silence.silent] = True
        # Before the conditions are taken: a new limit would break their runs.
        self._modes.take_over(old._modes, self.latest, silent)
        known = [
            family.take_over(before, tags, rows) for family, before in zip(self._families, old._families, strict=True)
        ]
        for family, conditions in zip(self._over_inputs, known[-len(self._over_inputs) :], strict=True):
            newest = self._arrivals.newest(np.unique(family.conditions.input))
            if newest is not None:
                family.learn(newest, conditions)
        self._lose(self._silence.silent)

    def inside(self) -> Int64:
        """Rows of the rule table whose condition is in."""
        rows = [family.conditions.inside() for family in self._families]
        return np.sort(np.concatenate([*rows, self._silence.inside()]))

    def await_readings(self, now: int) -> None:
        """Begin to measure silence anew at ``now``: after a start, or when readings are held up on our own side."""
        self._awaited_since[:] = now
        self._awaited_at = now
        self._now = now

    def begin_anew(self, tag: Int64) -> None:
        """Take the next samples of these tags, each once in ``tag``, for new ones, whatever their source times.

        For recordings that are played again: conditions that are in stay in until a reading clears them.
        """
        self._arrivals.forget_order(tag)
        for family in self._families:
            family.begin_anew(tag)

    def split_late(self, block: SampleBlock) -> tuple[SampleBlock, SampleBlock]:
        """The samples that may raise live alarms, and those that are too late for it."""
        lag = block.received_time - block.source_time
        if not len(lag) or lag.max() <= self._lateness:
            return block, block.take(slice(0, 0))
        late = (lag > self._lateness) & self._tags.live_clock[block.tag]
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
        for part in self._by_mode(readings):
            for family in self._families:
                toggles = family.evaluate(part)
                if toggles is not None:
                    transitions.extend(_transitions(toggles, family.conditions.rows))
        return _in_order(transitions) if len(transitions) > 1 else transitions

    def _by_mode(self, readings: Readings) -> Iterator[Readings]:
        """The readings, in parts between which a mode of operation changes; each mode is set when its part is due."""
        begin = 0
        for switch in self._modes.switches(readings):
            if switch.mode == self._modes.now[switch.selector]:
                continue
            before = (readings.position >= begin) & (readings.position < switch.position)
            if before.any():
                yield readings.where(before)
            begin = switch.position
            self._modes.switch(switch.selector, switch.mode)
        after = readings.position >= begin
        if begin == 0:
            yield readings
        elif after.any():
            yield readings.where(after)

    def advance(self, now: int, *, connected: bool = True) -> list[Transition]:
        """Let time pass to ``now``: on-delays run out where no reading comes, and tags that are silent become stale.

        While the service itself is cut off from the broker (not ``connected``) silence says nothing.
        """
        self._now = now
        self._modes.advance(now)
        return self._pass(now, np.maximum(self.latest.received_time, self._awaited_since)) if connected else []

    def _pass(self, now: int, heard: Int64) -> list[Transition]:
        """Let on-delays run out and tags become stale; ``heard``: when each tag was heard last."""
        transitions: list[Transition] = []
        for family in self._families:
            conditions = family.conditions
            waiting = conditions.waiting()
            if len(waiting):
                last, period = conditions.awaited(waiting, heard, self._tags.period)
                patience = np.minimum(period, LONGEST_PATIENCE)
                toggles = ripen(conditions.state, conditions.on_delay, now, waiting, last, patience)
                if len(toggles):
                    condition = toggles.condition
                    family.settle(condition)
                    toggles = replace(toggles, inputs=conditions.inputs(condition), shares=conditions.shares(condition))
                    transitions.extend(_transitions(toggles, conditions.rows))
        stale, silent = self._silence.advance(now, heard)
        transitions.extend(stale)
        if len(silent):
            self._modes.lose(silent)
            for family in self._families:
                fallen = family.fall_silent(silent, now)
                if fallen is not None:
                    transitions.extend(_transitions(fallen, family.conditions.rows))
        return transitions

    def _lose(self, tag: Int64) -> None:
        """These tags are stale, whatever follows from that."""
        if len(tag):
            self._modes.lose(tag)
            for family in self._over_inputs:
                family.lose(tag)


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
        Transition(rule, entered, source, received, value, inputs, shares)
        for rule, entered, source, received, value, inputs, shares in zip(
            rows[toggles.condition].tolist(),
            toggles.entered.tolist(),
            toggles.source_time.tolist(),
            toggles.received_time.tolist(),
            toggles.value.tolist(),
            toggles.inputs or [()] * len(toggles),
            toggles.shares or [()] * len(toggles),
            strict=True,
        )
    ]
