"""Tags as files give them, in columns: before defaults are filled in and rules are checked.

A site file's own tags and a point table of 440,000 rows take the same way from here on.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8
from domain.scales import Grade, Level, RuleKind
from service.config.attributes import NONE, Attributes
from service.config.measurands import LEVEL_KEYS
from service.config.rule_entries import BAD_ON_DELAY, NOT_GIVEN, RATE_WINDOW

RATES = ("RISE", "FALL")
"""Rate rules, in the order of their columns."""
_LEVELS = len(LEVEL_KEYS)
_RATES = len(RATES)


class Origin(Protocol):
    """Where drafts come from: tags of a site file, or rows of a point table."""

    def fault(self, row: int, name: str, message: str, remedy: str) -> None:
        """Report a fault of one draft. ``name``: ``tag``, ``H``, ``H.deadband``, ``RISE``, ``rules[2]``."""
        ...

    def place(self, row: int) -> str:
        """``file:line`` of one draft."""
        ...


@dataclass(slots=True)
class NamedRule:
    """A rule with a name of its own."""

    row: int
    field: str
    """Its place within the draft, e.g. ``rules[0]``."""
    key: str
    kind: RuleKind
    level: Level
    setpoint: float | None
    """None: off."""
    deadband: float
    """NaN: not given."""
    on_delay: int
    off_delay: int
    window: int
    latching: bool
    grade: Grade | None
    attributes: Attributes = NONE


@dataclass(slots=True)
class StuckDraft:
    """A rule STUCK."""

    row: int
    band: float = np.nan
    """NaN: the measurand's share of the span."""
    window: int = NOT_GIVEN
    """ms; ``NOT_GIVEN``: the measurand's."""
    on_delay: int = 0
    off_delay: int = 0
    latching: bool = False


@dataclass(frozen=True, slots=True)
class GivenUnit:
    """A limit that is given in a unit of its own."""

    row: int
    field: str
    """A level, or the place of a rule with a name: ``rules[0]``."""
    unit: str
    own_deadband: bool
    """Whether the limit gives its deadband itself, and so in this unit."""


@dataclass(slots=True)
class Drafts:
    """Columns of n tags; those of limits are n × 4 in the order of ``LEVEL_KEYS``, of rates n × 2 as ``RATES``.

    What is not given: NaN in float columns, ``NOT_GIVEN`` in durations, "" in texts. Durations in ms.
    """

    origin: Origin
    name: list[str]
    measurand: list[str]
    engineering_unit: list[str]
    gateway: list[str]
    description: list[str]
    species: list[str]
    low: Float64
    high: Float64
    period: Int64
    setpoint: Float64
    off: Bool
    """Limits that are switched off."""
    deadband: Float64
    on_delay: Int64
    off_delay: Int64
    latching: UInt8
    rate: Float64
    """Per second; NaN: no such rule."""
    rate_level: UInt8
    """Index into ``LEVELS``."""
    rate_window: Int64
    rate_deadband: Float64
    rate_on_delay: Int64
    rate_off_delay: Int64
    rate_latching: UInt8
    stale: Int64
    """``OFF``: no rule."""
    bad: Int64
    """On-delay of the rule BAD; ``OFF``: no rule."""
    re_alarm: Int64
    """Of all rules on the value that say nothing themselves, ms."""
    broken: Bool
    """Rows with a fault reported already; they are checked no further."""
    named: list[NamedRule] = field(default_factory=list)
    stuck: list[StuckDraft] = field(default_factory=list)
    units: list[GivenUnit] = field(default_factory=list)
    inheriting: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of limits that are spoken of without a setpoint, which the measurand must give then."""
    attributes: dict[tuple[int, str], Attributes] = field(default_factory=dict)
    """By row and field (``H``, ``RISE``, ``stuck``, …), of rules without a name of their own."""

    def __len__(self) -> int:
        return len(self.name)

    def fault(self, row: int, name: str, message: str, remedy: str) -> None:
        """Report a fault of one draft and check it no further."""
        self.broken[row] = True
        self.origin.fault(row, name, message, remedy)


def blank_drafts(count: int, origin: Origin) -> Drafts:
    """Drafts of which nothing is given yet."""
    first_level = list(Level).index(Level.H)
    return Drafts(
        origin=origin,
        name=[""] * count,
        measurand=[""] * count,
        engineering_unit=[""] * count,
        gateway=[""] * count,
        description=[""] * count,
        species=[""] * count,
        low=np.full(count, np.nan),
        high=np.full(count, np.nan),
        period=np.full(count, 1_000, dtype=np.int64),
        setpoint=np.full((count, _LEVELS), np.nan),
        off=np.zeros((count, _LEVELS), dtype=np.bool_),
        deadband=np.full((count, _LEVELS), np.nan),
        on_delay=np.full((count, _LEVELS), NOT_GIVEN, dtype=np.int64),
        off_delay=np.full((count, _LEVELS), NOT_GIVEN, dtype=np.int64),
        latching=np.zeros((count, _LEVELS), dtype=np.uint8),
        rate=np.full((count, _RATES), np.nan),
        rate_level=np.full((count, _RATES), first_level, dtype=np.uint8),
        rate_window=np.full((count, _RATES), RATE_WINDOW, dtype=np.int64),
        rate_deadband=np.zeros((count, _RATES)),
        rate_on_delay=np.zeros((count, _RATES), dtype=np.int64),
        rate_off_delay=np.zeros((count, _RATES), dtype=np.int64),
        rate_latching=np.zeros((count, _RATES), dtype=np.uint8),
        stale=np.full(count, NOT_GIVEN, dtype=np.int64),
        bad=np.full(count, BAD_ON_DELAY, dtype=np.int64),
        re_alarm=np.full(count, NOT_GIVEN, dtype=np.int64),
        broken=np.zeros(count, dtype=np.bool_),
    )
