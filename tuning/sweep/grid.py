"""Grids of setpoint, deadband, delays and window, as they are written on the command line."""

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from domain.scales import RuleKind
from domain.site import Rule

MOST_POINTS = 10_000
"""In one grid [ours]."""
_TOLD = 1e12
"""Values of which a message tells the number."""
AXES = ("setpoint", "deadband", "on_delay", "off_delay", "window")
SWEPT = frozenset({RuleKind.HIGH, RuleKind.LOW, RuleKind.RISE, RuleKind.FALL, RuleKind.DEVIATION, RuleKind.STUCK,
                   RuleKind.VOTE})  # fmt: skip
"""Kinds that have a setpoint."""
DELAYED = frozenset({RuleKind.EXPRESSION, RuleKind.T2, RuleKind.SPE, RuleKind.BAD})
"""Kinds that have delays and no setpoint of their own."""
_WINDOWED = frozenset({RuleKind.RISE, RuleKind.FALL, RuleKind.STUCK})
_TIMES = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d)?")
_DIGITS = 9
"""Significant digits of a step's sums: 0.1 + 0.2 is to be 0.3."""


class GridError(Exception):
    """What was asked for makes no grid; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of one axis: as it is, or so many times what the rule has."""

    value: float
    times: bool = False

    def of(self, present: float) -> float:
        """The value for a rule that has ``present``."""
        return _rounded(present * self.value) if self.times else self.value


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a grid; None: as the rule has it. Times in ms."""

    setpoint: Setting | None = None
    deadband: Setting | None = None
    on_delay: Setting | None = None
    off_delay: Setting | None = None
    window: Setting | None = None

    def of(self, rule: Rule) -> Rule:
        """The rule at this point."""
        return replace(
            rule,
            setpoint=rule.setpoint if self.setpoint is None else self.setpoint.of(rule.setpoint),
            deadband=rule.deadband if self.deadband is None else self.deadband.of(rule.deadband),
            on_delay=rule.on_delay if self.on_delay is None else round(self.on_delay.of(rule.on_delay)),
            off_delay=rule.off_delay if self.off_delay is None else round(self.off_delay.of(rule.off_delay)),
            window=rule.window if self.window is None else round(self.window.of(rule.window)),
        )


PRESENT = Point()
"""The rule as it is."""


@dataclass(frozen=True, slots=True)
class Grid:
    """All combinations of the values of its axes. The point of the rules as they are is none of them."""

    axes: Mapping[str, tuple[Setting, ...]]

    def __len__(self) -> int:
        return math.prod(len(values) for values in self.axes.values())

    def __iter__(self) -> Iterator[Point]:
        for values in itertools.product(*self.axes.values()):
            yield Point(**dict(zip(self.axes, values, strict=True)))

    @classmethod
    def parse(cls, texts: Mapping[str, str | None]) -> "Grid":
        """A grid from the texts of its axes, None or missing where an axis is not swept. Raises GridError."""
        axes = {axis: _axis(axis, text) for axis in AXES if (text := texts.get(axis)) is not None}
        if not axes:
            raise GridError(
                "nothing to sweep: give at least one of --setpoint, --deadband, --on-delay, --off-delay, --window, "
                "e.g. --setpoint 70:90:5 --on-delay 0s,15s,60s"
            )
        grid = cls(axes)
        if len(grid) > MOST_POINTS:
            raise GridError(f"{len(grid):,} points: {MOST_POINTS:,} are the most; take wider steps or fewer axes")
        return grid

    def fits(self, rule: Rule) -> None:
        """Raises GridError, saying why, where this rule cannot be swept over this grid."""
        if rule.kind not in SWEPT and not (rule.kind in DELAYED and set(self.axes) <= {"on_delay", "off_delay"}):
            sweepable = "; sweep its delays" if rule.kind in DELAYED else ""
            raise GridError(f"a rule of kind {rule.kind.name} has no setpoint to sweep{sweepable}")
        if "window" in self.axes and rule.kind not in _WINDOWED:
            raise GridError(f"--window: a rule of kind {rule.kind.name} has no window; RISE, FALL and STUCK have one")
        if rule.extra is not None and rule.extra.selector >= 0 and {"setpoint", "deadband"} & set(self.axes):
            raise GridError(
                "its setpoint and deadband come from the mode of operation; sweep its delays, or write the limits of "
                "the modes into two site files and compare them"
            )


def _axis(axis: str, text: str) -> tuple[Setting, ...]:
    option = f"--{axis.replace('_', '-')} {text}"
    read: Callable[[str], float] = _number if axis in {"setpoint", "deadband"} else _time
    values: list[Setting] = []
    for part in text.split(","):
        times = part.strip().startswith("x")
        cells = part.strip().removeprefix("x").split(":")
        try:
            numbers = [(_number if times else read)(cell) for cell in cells]
        except ValueError as error:
            raise GridError(
                f"{option}: {error}. Write values, 70,75,80, or first:last:step, 70:90:5; x in front is times the "
                f"present value, x0.9:1.1:0.05{'' if read is _number else '; times have a unit, 0s:60s:15s'}"
            ) from None
        if len(numbers) == 1:
            values.append(Setting(numbers[0], times))
        elif len(numbers) == 3:  # noqa: PLR2004 -- first, last, step
            values.extend(Setting(value, times) for value in _range(option, *numbers))
        else:
            raise GridError(f"{option}: a range is first:last:step, e.g. 70:90:5")
    if axis != "setpoint" and any(setting.value < 0 for setting in values):
        raise GridError(f"{option}: {axis.replace('_', '-')} cannot be negative")
    if axis == "window" and any(setting.value <= 0 for setting in values):
        raise GridError(f"{option}: a window is longer than nothing")
    return tuple(dict.fromkeys(values))


def _range(option: str, first: float, last: float, step: float) -> list[float]:
    if step == 0 or (last - first) * step < 0:
        raise GridError(f"{option}: with a step of {step:g} nobody gets from {first:g} to {last:g}")
    steps = (last - first) / step * (1 + 1e-12) + 1e-9
    if steps >= MOST_POINTS:
        told = f"{math.floor(steps) + 1:,}" if steps < _TOLD else "far too many"
        raise GridError(f"{option}: {told} values: {MOST_POINTS:,} points are the most")
    count = math.floor(steps) + 1
    return [_rounded(first + index * step) for index in range(count)]


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is no number that can be compared with")
    return value


def _time(text: str) -> float:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no length of time")
    if found[2] is None and float(found[1]) != 0:
        raise ValueError(f"{text!r} has no unit")
    return float(found[1]) * _TIMES[found[2] or "s"]
