"""What could be changed about a bad actor, and why.

Sources: ISA-18.2-2016 and EEMUA 191 recommend deadbands and delays by the kind of signal to begin with (flow and level
5 % of span, pressure 2 %, temperature 1 %; delays of 15 s for flow and pressure and 60 s for level and temperature).
The figures come from the measurands' data and are handed in. What else is used is our own and said so where it stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, floor, isfinite, log10

from domain.scales import RuleKind
from domain.site import Rule, Tag
from tuning.suggestions.actors import Actor, Trait
from tuning.suggestions.habits import Habits
from tuning.sweep.choice import loosens

NOISE_WIDTHS = 6.0
"""A deadband of so many standard deviations is as wide as the noise from edge to edge [ours]."""
STALE_PERIODS = 3
"""A point is stale after so many times its usual longest interval, as after so many expected periods."""
GAS_ON_DELAY = 3_000
"""ms; the longest on-delay that a gas detector's rule may have."""
RATE_SHARE = 0.2
"""Deadband of a rate of change as a share of its setpoint [ours]: there is no recommendation for rates."""
USUAL = 0.001
"""A limit that is passed for a longer share of the time says nothing unusual [ours]."""
MOST_LOOSENED = 0.5
"""A limit is not proposed further out than by this share of its distance from the middle of the readings [ours]."""

_HAIR = 1e-9
"""Steps: 0.30000000000000004 is 0.3."""
_VALUES = frozenset({RuleKind.HIGH, RuleKind.LOW})
_BANDED = frozenset({RuleKind.HIGH, RuleKind.LOW, RuleKind.RISE, RuleKind.FALL, RuleKind.DEVIATION})


class Remedy(StrEnum):
    """What is proposed."""

    DEADBAND = "deadband"
    """As wide as is recommended for this kind of signal."""
    NOISE = "noise"
    """A deadband as wide as this signal's own noise."""
    OFF_DELAY = "off_delay"
    ON_DELAY = "on_delay"
    BOTH = "both"
    """Deadband and off-delay."""
    ALL = "all"
    """Deadband, off-delay and on-delay."""
    LIMIT = "limit"
    """Review of the limit: a figure to begin with."""
    WINDOW = "window"
    """A longer time until the tag counts as stale."""
    INSTRUMENT = "instrument"
    """Nothing to tune: look at the instrument or its line."""
    PURPOSE = "purpose"
    """Nothing to tune: ask what the alarm is for."""


@dataclass(frozen=True, slots=True)
class Starting:
    """What is recommended for a measurand to begin with: deadband as a share of the span, delay in ms."""

    deadband: float
    delay: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a version of a rule did over the data. Times in ms.

    lost: events (of the truth, or long alarms of the present rule) that the present version found and this one misses
    later: how much later it finds those that both find, on average
    """

    alarms: int
    chattering: int
    fleeting: int
    stale: int
    time_in: int
    false: int
    lost: int = 0
    later: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change, why, and what it would have changed. ``rule``: after it; None: nothing to set.

    reason: a key of the reports' words, what holds its place there in ``figures``
    """

    remedy: Remedy
    rule: Rule | None
    reason: str
    figures: Mapping[str, float]
    loosens: bool = False
    effect: Effect | None = None
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A bad actor, with proposals in the order in which they should be tried."""

    actor: Actor
    rule: Rule
    habits: Habits | None
    present: Effect
    proposals: tuple[Proposal, ...]


def proposals_for(
    actor: Actor, rule: Rule, tag: Tag, habits: Habits | None, starting: Starting | None
) -> list[Proposal]:
    """What could be changed, without effects yet; the least intrusive first."""
    found = _found(actor, rule, tag, habits, starting)
    return [replace(each, loosens=each.rule is not None and loosens(rule, each.rule)) for each in found]


def _found(actor: Actor, rule: Rule, tag: Tag, habits: Habits | None, starting: Starting | None) -> list[Proposal]:
    if rule.kind is RuleKind.STALE:
        return list(_for_silence(rule, habits))
    if rule.kind in {RuleKind.BAD, RuleKind.STUCK}:
        return [Proposal(Remedy.INSTRUMENT, None, "instrument", {})]
    found: list[Proposal] = []
    if {Trait.CHATTERING, Trait.FLEETING, Trait.FREQUENT} & set(actor.traits):
        found.extend(_steadier(rule, tag, habits, starting))
    if {Trait.STALE, Trait.FREQUENT} & set(actor.traits):
        found.extend(_limit(rule, tag, habits))
    return found or [Proposal(Remedy.PURPOSE, None, "purpose", {})]


def _steadier(rule: Rule, tag: Tag, habits: Habits | None, starting: Starting | None) -> Iterator[Proposal]:
    """Deadband and delays."""
    bands = dict(_deadbands(rule, tag, habits, starting))
    for remedy, (deadband, reason, figures) in bands.items():
        yield Proposal(remedy, replace(rule, deadband=deadband), reason, figures)
    delay = starting.delay if starting is not None and starting.delay else 15_000 if tag.gas is None else GAS_ON_DELAY
    off_delay = max(delay, rule.off_delay)
    longer_off = off_delay > rule.off_delay
    told = {"delay": delay / 1000}
    if longer_off:
        yield Proposal(Remedy.OFF_DELAY, replace(rule, off_delay=off_delay), "off_delay", told)
    widest = max((deadband for deadband, _, _ in bands.values()), default=rule.deadband)
    if longer_off and bands:
        both = replace(rule, deadband=widest, off_delay=off_delay)
        yield Proposal(Remedy.BOTH, both, "both", told | {"deadband": widest})
    on_delay = _on_delay(rule, tag, delay)
    if on_delay > rule.on_delay:
        told = {"delay": on_delay / 1000}
        yield Proposal(Remedy.ON_DELAY, replace(rule, on_delay=on_delay), "on_delay", told)
        every = replace(rule, deadband=widest, off_delay=off_delay, on_delay=on_delay)
        if every != replace(rule, on_delay=on_delay):
            yield Proposal(Remedy.ALL, every, "all", told | {"deadband": widest})


def _deadbands(
    rule: Rule, tag: Tag, habits: Habits | None, starting: Starting | None
) -> Iterator[tuple[Remedy, tuple[float, str, dict[str, float]]]]:
    if rule.kind not in _BANDED or (rule.extra is not None and rule.extra.selector >= 0):
        return
    rate = rule.kind in {RuleKind.RISE, RuleKind.FALL}
    span = tag.high - tag.low
    widest = abs(rule.setpoint) if rate or rule.kind is RuleKind.DEVIATION else float("inf")
    if rate:
        band, figures, reason = RATE_SHARE * rule.setpoint, {"share": RATE_SHARE * 100}, "deadband_of_rate"
    elif starting is not None and starting.deadband and isfinite(span):
        band, reason = starting.deadband * span, "deadband"
        figures = {"share": starting.deadband * 100, "span": span}
    else:
        band, figures, reason = 0.0, {}, ""
    band = rounded(band, up=True)
    if rule.deadband < band < widest:
        yield Remedy.DEADBAND, (band, reason, figures | {"deadband": band})
    if habits is not None and habits.noise > 0 and not rate:
        wide = rounded(NOISE_WIDTHS * habits.noise, up=True)
        if rule.deadband < wide < min(widest, span / 4) and wide != band:
            yield Remedy.NOISE, (wide, "noise", {"noise": habits.noise, "widths": NOISE_WIDTHS, "deadband": wide})


def _on_delay(rule: Rule, tag: Tag, delay: int) -> int:
    """The longest on-delay that may be proposed: none for the second level, 3 s for gas."""
    if rule.level.is_second:
        return 0
    return min(delay, GAS_ON_DELAY) if tag.gas is not None else delay


def _limit(rule: Rule, tag: Tag, habits: Habits | None) -> Iterator[Proposal]:
    """Review of a limit that is passed in normal operation."""
    if rule.kind not in _VALUES or habits is None or (rule.extra is not None and rule.extra.selector >= 0):
        yield Proposal(Remedy.PURPOSE, None, "purpose", {})
        return
    if tag.gas is not None:
        # Limits of gases are given by standards; a detector that stands in alarm is looked at, or the air is.
        yield Proposal(Remedy.INSTRUMENT, None, "gas", {})
        return
    sign = 1.0 if rule.kind is RuleKind.HIGH else -1.0
    usual = habits.quantiles[1 - USUAL] if sign > 0 else habits.quantiles[USUAL]
    middle = habits.quantiles[0.5]
    setpoint = rounded(usual, up=sign > 0, digits=3)
    further = (setpoint - rule.setpoint) * sign
    room = abs(rule.setpoint - middle) * MOST_LOOSENED
    inside = tag.low <= setpoint <= tag.high
    figures = {"usual": usual, "share": USUAL * 100, "middle": middle, "setpoint": setpoint}
    if further > 0 and further <= room and inside:
        yield Proposal(Remedy.LIMIT, replace(rule, setpoint=setpoint), "limit", figures)
    else:
        yield Proposal(Remedy.PURPOSE, None, "limit_far", figures)


def _for_silence(rule: Rule, habits: Habits | None) -> Iterator[Proposal]:
    if habits is not None:
        window = STALE_PERIODS * habits.longest_usual
        if window > rule.window:
            window = -(-window // 1000) * 1000
            figures = {"usual": habits.longest_usual / 1000, "periods": float(STALE_PERIODS), "window": window / 1000}
            yield Proposal(Remedy.WINDOW, replace(rule, window=window), "window", figures)
    yield Proposal(Remedy.INSTRUMENT, None, "line", {})


def rounded(value: float, *, up: bool, digits: int = 2) -> float:
    """To so many significant digits, upwards or downwards."""
    if value == 0:
        return 0.0
    scale = 10.0 ** (floor(log10(abs(value))) - digits + 1)
    steps = value / scale
    return float(f"{(ceil(steps - _HAIR) if up else floor(steps + _HAIR)) * scale:.9g}")
