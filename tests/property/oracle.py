"""What the rules mean, one sample at a time: the machine that the vectorised engine is compared with.

Written from the semantics (the docstrings of ``rules``, docs/rules.md), with plain Python and no thought of speed. Each
rule is an object that is told of readings and of the passing of time and answers with its transitions.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from math import isnan

from domain.samples import SampleBlock
from domain.scales import Quality, RuleKind
from domain.site import Rule, Selector
from domain.transitions import Transition
from tests.property.oracle_components import EarlyWarning
from tests.property.oracle_machines import (
    Bad,
    Delayed,
    High,
    Low,
    Machine,
    OwnDeviation,
    Rate,
    Sample,
    Stale,
    Stuck,
    Watched,
)
from tests.property.oracle_several import Meaning, several

KINDS: dict[RuleKind, type[Delayed] | type[Stale] | None] = {
    RuleKind.HIGH: High,
    RuleKind.LOW: Low,
    RuleKind.RISE: Rate,
    RuleKind.FALL: Rate,
    RuleKind.STALE: Stale,
    RuleKind.BAD: Bad,
    RuleKind.DEVIATION: OwnDeviation,
    RuleKind.STUCK: Stuck,
    RuleKind.VOTE: None,
    RuleKind.EXPRESSION: None,
    RuleKind.T2: None,
    RuleKind.SPE: None,
}
"""None: over several tags, and so may DEVIATION be."""

SHANGHAI = timezone(timedelta(hours=8))


class Oracle:
    """All rules of a site. ``rules`` in the order of the rule table; ``meanings``: of expressions, by index."""

    def __init__(
        self,
        rules: Sequence[Rule],
        periods: Sequence[int],
        live_clocks: Sequence[bool],
        clock_tolerance: int,
        selectors: Sequence[Selector] = (),
        meanings: Mapping[int, Meaning] | None = None,
    ) -> None:
        self.tags = [Watched(period, live) for period, live in zip(periods, live_clocks, strict=True)]
        self.meanings = meanings or {}
        self.has_stale = {rule.tag for rule in rules if rule.kind is RuleKind.STALE}
        self.rules: list[tuple[Rule, Machine]] = [
            (rule, self._machine(index, rule)) for index, rule in enumerate(rules) if rule.kind in KINDS
        ]
        self.tolerance = clock_tolerance
        self.selectors = selectors
        self.modes: list[str | None] = [None] * len(selectors)

    def _machine(self, index: int, rule: Rule) -> Machine:
        kind = KINDS[rule.kind]
        from_tag = rule.extra is not None and rule.extra.reference is not None and rule.extra.reference.kind == "tag"
        if rule.kind.is_early_warning:
            return EarlyWarning(index, rule)
        if kind is None or from_tag:
            return several(index, rule, self.has_stale, self.meanings.get(index))
        return kind(index, rule)

    def evaluate(self, block: SampleBlock) -> list[Transition]:
        """The samples of a block one after the other."""
        found = []
        for tag, source, received, value, quality in zip(
            block.tag.tolist(),
            block.source_time.tolist(),
            block.received_time.tolist(),
            block.value.tolist(),
            block.quality.tolist(),
            strict=True,
        ):
            found += self.read(tag, source, received, value, Quality(quality))
        return found

    def read(self, tag: int, source: int, received: int, value: float, quality: Quality) -> list[Transition]:
        """One sample."""
        watched = self.tags[tag]
        believed = min(source, received + self.tolerance) if watched.live_clock else source
        sample = watched.take(Sample(tag, source, received, value, quality, believed))
        if sample is None:
            return []
        self._look_at_the_clock(received)
        found = [t for _, machine in self.rules if tag in machine.tags for t in machine.read(sample)]
        for index, selector in enumerate(self.selectors):
            if selector.tag == tag:
                known = [mode for mode, low, high in selector.values if low <= value <= high]
                self._switch(index, known[0] if known and quality is not Quality.BAD else None)
        return found

    def begin_anew(self, tags: Sequence[int]) -> None:
        """What comes next of these tags is newer than all before; the conditions stay as they are."""
        for tag in tags:
            self.tags[tag].begin_anew()
        for _, machine in self.rules:
            concerned = [tag for tag in tags if tag in machine.tags]
            if concerned and isinstance(machine, Delayed):
                machine.begin_anew(concerned)

    def advance(self, now: int, *, connected: bool = True) -> list[Transition]:
        """Let time pass; without a connection silence says nothing."""
        self._look_at_the_clock(now)
        if not connected:
            return []
        silent_before = self._silent()
        in_turn = sorted(self.rules, key=lambda pair: isinstance(pair[1], Stale))
        found = [t for _, machine in in_turn for t in machine.tick(now, self.tags)]
        silent = self._silent() - silent_before
        if silent:
            for index, selector in enumerate(self.selectors):
                if selector.tag in silent:
                    self._switch(index, None)
            found += [t for _, machine in self.rules for t in machine.fall_silent(silent, now)]
        return found

    def await_readings(self, now: int) -> None:
        """Silence is measured from ``now`` on."""
        for tag in self.tags:
            tag.awaited_since = now

    def _silent(self) -> set[int]:
        return {rule.tag for rule, machine in self.rules if isinstance(machine, Stale) and machine.inside}

    def _look_at_the_clock(self, now: int) -> None:
        for index, selector in enumerate(self.selectors):
            if selector.tag < 0:
                self._switch(index, scheduled(selector, now))

    def _switch(self, selector: int, mode: str | None) -> None:
        if mode == self.modes[selector]:
            return
        self.modes[selector] = mode
        for rule, machine in self.rules:
            if isinstance(machine, Delayed) and rule.extra is not None and rule.extra.selector == selector:
                limits = {limit.mode: limit for limit in rule.extra.modes}
                machine.switch(limits.get(mode) if mode is not None else None)


def scheduled(selector: Selector, now: int) -> str | None:
    """The mode by the clock in Shanghai."""
    local = datetime.fromtimestamp(now // 1000, UTC).astimezone(SHANGHAI)
    clock = (local.hour * 3600 + local.minute * 60 + local.second) * 1000 + now % 1000
    for span in selector.schedule:
        begun = [
            (local.weekday(), span.begin <= clock and (clock < span.end or span.end <= span.begin)),
            ((local - timedelta(days=1)).weekday(), span.end <= span.begin and clock < span.end),
        ]
        if any(holds and (not span.days or day in span.days) for day, holds in begun):
            return span.mode
    return None


def by_rule(transitions: Iterable[Transition]) -> dict[int, list[tuple[object, ...]]]:
    """What each rule did, in order, in a form that compares equal where values are not numbers."""
    story: dict[int, list[tuple[object, ...]]] = {}
    for t in transitions:
        inputs: object = [(tag, "none" if isnan(value) else value) for tag, value in t.inputs]
        value: object = "none" if isnan(t.value) else t.value
        if t.shares:  # of statistics, in whose last digits the order of addition shows, and so in that of equal shares
            told = zip(t.inputs, t.shares, strict=True)
            inputs = sorted((tag, "none" if isnan(each) else each, round(share, 6)) for (tag, each), share in told)
            value = round(t.value, 6) if t.value < 1 else f"{t.value:.9g}"
        story.setdefault(t.rule, []).append((t.entered, t.source_time, t.received_time, value, inputs, t.retrospective))
    return story


__all__ = ["KINDS", "Meaning", "Oracle", "Watched", "by_rule"]
