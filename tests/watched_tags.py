"""Several tags of one unit under rules, told in seconds: for tests that read like a story."""

from collections.abc import Sequence

import numpy as np

from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import Rule, RuleExtra, RuleTable, Selector
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from rules.expressions import parse
from tests.watched_tag import MIDNIGHT, seconds

NAMES = "ABCD"
GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def vote(
    needed: int, setpoint: float, names: str = "ABC", deadband: float = 0.0, on: float = 0, off: float = 0
) -> Rule:
    """So many of the named tags at or beyond the setpoint; delays in seconds."""
    extra = RuleExtra(inputs=tuple(NAMES.index(name) for name in names), needed=needed)
    return Rule(3, "VOTE", RuleKind.VOTE, Level.HH, setpoint, deadband, seconds(on), seconds(off), extra=extra)


def expression(text: str, on: float = 0, off: float = 0) -> Rule:
    """An expression over the named tags; delays in seconds."""
    inputs = tuple(NAMES.index(name) for name in parse(text, NAMES.__contains__).names)
    extra = RuleExtra(expression=text, inputs=inputs)
    return Rule(3, "EXPRESSION", RuleKind.EXPRESSION, Level.H, 0, 0, seconds(on), seconds(off), extra=extra)


def stale(name: str, after: float) -> Rule:
    """No reading of a tag for longer than ``after`` seconds."""
    return Rule(NAMES.index(name), f"{name}-STALE", RuleKind.STALE, Level.FAULT, window=seconds(after))


class WatchedTags:
    """Four tags that are read once a second, their rules, and what they say: ``["VOTE entered at 3 s"]``."""

    def __init__(self, *rules: Rule, selectors: Sequence[Selector] = ()) -> None:
        self.rules = RuleTable.build(rules, len(NAMES))
        tags = TagColumns(np.full(len(NAMES), 1_000), np.ones(len(NAMES), dtype=np.bool_))
        expressions = {row: extra.expression for row, extra in self.rules.extras.items() if extra.expression}
        programs = {row: parse(text, NAMES.__contains__) for row, text in expressions.items()}
        self.engine = RuleEngine(self.rules, tags, seconds(600), seconds(5), programs, selectors)
        self.engine.await_readings(MIDNIGHT)
        self.last: list[Transition] = []

    def reads(self, second: float, quality: Quality = GOOD, **values: float) -> list[str]:
        """One reading of each named tag, all at once, in the order in which they are named."""
        count, at = len(values), MIDNIGHT + seconds(second)
        tags = [NAMES.index(name) for name in values]
        block = SampleBlock.of(tags, [at] * count, [at] * count, list(values.values()), [quality] * count, [0] * count)
        return self._tell(self.engine.evaluate(block))

    def waits_until(self, second: float) -> list[str]:
        """No reading comes; the service's clock stands at ``second``."""
        return self._tell(self.engine.advance(MIDNIGHT + seconds(second)))

    def is_in(self) -> list[str]:
        """Keys of the rules whose condition is in."""
        return [self.rules.key[row] for row in self.engine.inside().tolist()]

    def inputs(self) -> list[dict[str, float]]:
        """What decided the last transitions."""
        return [{NAMES[tag]: value for tag, value in t.inputs} for t in self.last]

    def _tell(self, transitions: list[Transition]) -> list[str]:
        self.last = transitions
        return [
            f"{self.rules.key[t.rule]} {'entered' if t.entered else 'left'} at {(t.source_time - MIDNIGHT) / 1000:g} s"
            for t in transitions
        ]
