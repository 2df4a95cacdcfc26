"""One tag under rules, told in seconds: for tests that read like a story."""

import numpy as np

from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import Rule, RuleTable
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns

MIDNIGHT = 1_750_032_000_000
"""ms; second 0 of a story."""


def seconds(count: float) -> int:
    """Milliseconds."""
    return round(count * 1000)


def high(key: str, setpoint: float, deadband: float = 0.0, on: float = 0, off: float = 0) -> Rule:
    """A high limit; delays in seconds."""
    level = Level.HH if key == "HH" else Level.H
    return Rule(0, key, RuleKind.HIGH, level, setpoint, deadband, seconds(on), seconds(off))


def low(key: str, setpoint: float, deadband: float = 0.0, on: float = 0, off: float = 0) -> Rule:
    """A low limit; delays in seconds."""
    level = Level.LL if key == "LL" else Level.L
    return Rule(0, key, RuleKind.LOW, level, setpoint, deadband, seconds(on), seconds(off))


def rise(per_second: float, window: float, deadband: float = 0.0, on: float = 0) -> Rule:
    """A limit of rise over a window in seconds."""
    return Rule(0, "RISE", RuleKind.RISE, Level.H, per_second, deadband, seconds(on), 0, seconds(window))


def fall(per_second: float, window: float) -> Rule:
    """A limit of fall over a window in seconds."""
    return Rule(0, "FALL", RuleKind.FALL, Level.H, per_second, window=seconds(window))


def bad(on: float = 0) -> Rule:
    """Bad quality; delay in seconds."""
    return Rule(0, "BAD", RuleKind.BAD, Level.FAULT, on_delay=seconds(on))


def stale(after: float, key: str = "STALE") -> Rule:
    """No reading for longer than ``after`` seconds."""
    return Rule(0, key, RuleKind.STALE, Level.FAULT, window=seconds(after))


class WatchedTag:
    """A tag that is read once a second, its rules, and what they say: ``["H entered at 3 s"]``."""

    def __init__(self, *rules: Rule, live_clock: bool = True, period: float = 1) -> None:
        self.rules = RuleTable.build(rules, 1)
        tags = TagColumns(np.array([seconds(period)]), np.array([live_clock]))
        self.engine = RuleEngine(self.rules, tags, lateness=seconds(600), clock_tolerance=seconds(5))
        self.engine.await_readings(MIDNIGHT)
        self.last: list[Transition] = []

    def reads(
        self, second: float, value: float, quality: Quality = Quality.GOOD, received: float | None = None
    ) -> list[str]:
        """One reading; it comes at once if no received time is given."""
        return self.reads_together([(second, value, quality)], received)

    def reads_together(self, readings: list[tuple[float, float, Quality]], received: float | None = None) -> list[str]:
        """Several readings in one block, all received with the last if no received time is given."""
        came = MIDNIGHT + seconds(readings[-1][0] if received is None else received)
        block = SampleBlock.of(
            [0] * len(readings),
            [MIDNIGHT + seconds(second) for second, _, _ in readings],
            [came] * len(readings),
            [value for _, value, _ in readings],
            [quality for _, _, quality in readings],
            [0] * len(readings),
        )
        return self._tell(self.engine.evaluate(block))

    def waits_until(self, second: float, *, cut_off: bool = False) -> list[str]:
        """No reading comes; the service's clock stands at ``second``."""
        return self._tell(self.engine.advance(MIDNIGHT + seconds(second), connected=not cut_off))

    def is_in(self) -> list[str]:
        """Keys of the rules whose condition is in."""
        return [self.rules.key[row] for row in self.engine.inside().tolist()]

    def _tell(self, transitions: list[Transition]) -> list[str]:
        self.last = transitions
        return [
            f"{self.rules.key[t.rule]} {'entered' if t.entered else 'left'} at {(t.source_time - MIDNIGHT) / 1000:g} s"
            for t in transitions
        ]
