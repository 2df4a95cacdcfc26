"""Rules of a tag as a site file writes them: limits, rates, deviation, stuck value, faults, others with a name."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WrapValidator, model_validator

from service.config.measurands import LevelKey
from service.config.quantities import (
    Delay,
    Identifier,
    NonNegative,
    Number,
    PointName,
    Positive,
    PositiveDuration,
    Window,
    check_point_name,
    parse_positive_duration,
    parse_window,
    refusal,
)
from service.config.validation import Section

NOT_GIVEN = -1
"""Of a duration: the file says nothing, the default applies."""
OFF = -2
"""Of a duration: the file says ``off``, there is no such rule."""
BAD_ON_DELAY = 5_000
"""On-delay of the rule BAD, ms; configurable default [O]."""
RATE_WINDOW = 60_000
"""Window of a rate rule, ms; configurable default [O]."""
MEDIAN = "median"
"""What ``from`` of a deviation says for the tag's own moving median."""
BUILT_IN_KEYS = frozenset({"HH", "H", "L", "LL", "RISE", "FALL", "STALE", "BAD", "DEVIATION", "STUCK"})

GradeName = Literal["blue", "yellow", "orange", "red"]


def is_off(value: object) -> bool:
    """Whether a value says that there is no such thing."""
    return value is False or (isinstance(value, str) and value.lower() == "off")


def is_on(value: object) -> bool:
    """Whether a value asks for a thing with its defaults."""
    return value is True or (isinstance(value, str) and value.lower() == "on")


def or_off(value: Any, handler: Callable[[Any], Any]) -> Any:
    """None for ``off``, which differs from a key that is not there."""
    if is_off(value):
        return None
    if value is None:
        raise refusal("the key has no value", "Write a value, or `off`, or delete the line.")
    return handler(value)


def _bare_setpoint(value: Any, handler: Callable[[Any], Any]) -> Any:
    """A limit as a bare number, a mapping, or ``off``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return handler({"setpoint": value})
    if isinstance(value, str) and not is_off(value):
        raise refusal("a limit must be a number, a mapping or off", "Write a plain number without quotes and unit.")
    return or_off(value, handler)


def parse_stale_time(value: object) -> int:
    """Ms after which a tag without a reading is stale, or ``OFF``."""
    return OFF if is_off(value) else parse_window(value)


def parse_re_alarm(value: object) -> int:
    """Ms after which an alarm sounds again; 0: never."""
    return 0 if is_off(value) else parse_positive_duration(value)


def own_key(key: str) -> str:
    """Key of a rule that no key of the service's own collides with."""
    if key.upper() in BUILT_IN_KEYS:
        remedy = "Give HH, H, L and LL under `limits`, RISE and FALL under `rate`, others by their own keys."
        raise refusal(f"the key {key!r} is reserved", remedy)
    return key


def _condition(value: object) -> str:
    remedy = "Write TAG/KEY, for example PI-101/HH, or enterprise/TAG/KEY; a unit's own rules are @unit.ID/KEY."
    parts = value.split("/") if isinstance(value, str) else []
    if not 2 <= len(parts) <= 3 or not all(parts):  # noqa: PLR2004 - with and without the enterprise
        raise refusal("not the path of a condition", remedy)
    for part in parts:
        check_point_name(part)
    return "/".join(parts)


ConditionPath = Annotated[str, BeforeValidator(_condition)]
"""``TAG/KEY`` or ``enterprise/TAG/KEY``."""
ReAlarm = Annotated[int, BeforeValidator(parse_re_alarm)]


class AttributesEntry(Section):
    """What any rule may say of itself."""

    suppressed_by: tuple[ConditionPath, ...] = ()
    parent: ConditionPath | None = None
    re_alarm: ReAlarm = NOT_GIVEN
    cards: tuple[Identifier, ...] = ()


class ModeLimitEntry(Section):
    """A limit in one mode of operation."""

    setpoint: Number
    deadband: NonNegative | None = None


_Modes = dict[PointName, Annotated[ModeLimitEntry | None, WrapValidator(_bare_setpoint)]]


class LimitEntry(AttributesEntry):
    """One limit of a tag; what is None is taken from the tag, then from its measurand.

    ``unit``: of setpoint, deadband and modes of this limit, where it is not the tag's own.
    """

    setpoint: Number | None = None
    unit: str | None = None
    deadband: NonNegative | None = None
    on_delay: Delay = NOT_GIVEN
    off_delay: Delay = NOT_GIVEN
    latching: bool | None = None
    modes: _Modes = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.setpoint is None and self.unit is not None:
            remedy = "Add `setpoint: …` in this unit, or delete it: what is inherited is converted by itself."
            raise refusal("a unit without a setpoint", remedy, at=("unit",))
        return self


_Limit = Annotated[LimitEntry | None, WrapValidator(_bare_setpoint)]


class LimitsEntry(Section):
    """Limits by level: None and set means off, None and not set means inherited."""

    HH: _Limit = None
    H: _Limit = None
    L: _Limit = None
    LL: _Limit = None


class RateEntry(AttributesEntry):
    """One rate-of-change rule; its deadband is in the unit of ``limit`` and ``per``."""

    limit: Positive
    per: PositiveDuration = 1_000
    window: Window = RATE_WINDOW
    level: LevelKey = "H"
    deadband: NonNegative = 0.0
    on_delay: Delay = 0
    off_delay: Delay = 0
    latching: bool | None = None


_Rate = Annotated[RateEntry | None, WrapValidator(or_off)]


class RatesEntry(Section):
    """Rate rules of a tag, up and down apart."""

    rise: _Rate = None
    fall: _Rate = None


class RuleEntry(AttributesEntry):
    """A further rule with a name of its own."""

    key: Annotated[PointName, AfterValidator(own_key)]
    kind: Literal["high", "low", "rise", "fall"] = "high"
    level: LevelKey | None = None
    setpoint: Annotated[Number | None, WrapValidator(or_off)]
    """None: ``off``, which removes a rule of this key that the measurand brings."""
    unit: str | None = None
    per: PositiveDuration = 1_000
    window: Window = RATE_WINDOW
    deadband: NonNegative | None = None
    on_delay: Delay = NOT_GIVEN
    off_delay: Delay = NOT_GIVEN
    latching: bool | None = None
    grade: GradeName | None = None
    modes: _Modes = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        rate = self.kind in ("rise", "fall")
        for key in ("unit", "modes") if rate else ("per", "window"):
            if key in self.model_fields_set:
                whose, others = ("limits", "high or low") if rate else ("rate rules", "rise or fall")
                remedy = f"Delete it, or write `kind: {others}`."
                raise refusal(f"`{key}` belongs to {whose} only", remedy, at=(key,))
        if rate:
            if self.setpoint is not None and self.setpoint <= 0:
                remedy = "Write the speed as a positive number; `kind: fall` says that it is downward."
                raise refusal("the setpoint of a rate rule must be above 0", remedy, at=("setpoint",))
            return self
        if self.level is not None and self.level not in (("H", "HH") if self.kind == "high" else ("L", "LL")):
            remedy = "Use H or HH with `kind: high`, L or LL with `kind: low`."
            raise refusal(f"level {self.level} does not go with kind {self.kind}", remedy, at=("level",))
        return self


def _reference(value: object) -> float | str:
    """A number, ``median``, or the name of a tag."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0:
        return float(value)
    if not isinstance(value, str):
        remedy = "Write a number, the name of a tag of the same enterprise, or median."
        raise refusal("neither a number nor a tag nor median", remedy)
    return check_point_name(value)


class DeviationEntry(AttributesEntry):
    """Distance of the value from a number, another tag, or its own moving median."""

    setpoint: Positive
    reference: Annotated[float | str, BeforeValidator(_reference)] = Field(alias="from")
    window: Window | None = None
    side: Literal["both", "above", "below"] = "both"
    level: LevelKey = "H"
    deadband: NonNegative | None = None
    on_delay: Delay = 0
    off_delay: Delay = 0
    latching: bool | None = None
    grade: GradeName | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        median = self.reference == MEDIAN
        if median and self.window is None:
            remedy = "Add `window: 10min`: what time before a reading the median is taken over."
            raise refusal("a median without its window", remedy, at=("window",))
        if not median and self.window is not None:
            remedy = "Delete it, or write `from: median`."
            raise refusal("`window` belongs to a median only", remedy, at=("window",))
        return self


class StuckEntry(AttributesEntry):
    """The value does not move; band and time are the measurand's where they are not given."""

    band: NonNegative | None = None
    duration: Window | None = Field(default=None, alias="for")
    on_delay: Delay = 0
    off_delay: Delay = 0
    latching: bool | None = None


def _stuck(value: Any, handler: Callable[[Any], Any]) -> Any:
    return handler({}) if is_on(value) else or_off(value, handler)


class StaleEntry(AttributesEntry):
    """The rule STALE."""

    after: Window = NOT_GIVEN


def _stale(value: Any, handler: Callable[[Any], Any]) -> Any:
    return handler(value) if isinstance(value, dict) else StaleEntry.model_construct(after=parse_stale_time(value))


class BadEntry(AttributesEntry):
    """The rule BAD."""

    on_delay: Delay = BAD_ON_DELAY


Deviation = Annotated[DeviationEntry | None, WrapValidator(or_off)]
Stuck = Annotated[StuckEntry | None, WrapValidator(_stuck)]
Stale = Annotated[StaleEntry, WrapValidator(_stale)]
Bad = Annotated[BadEntry | None, WrapValidator(or_off)]
