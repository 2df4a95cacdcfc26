"""A site file as it is written: regions, enterprises, units, gateways, tags and their rules.

Enterprises, units and tags are read one by one (``Any`` here), so that a fault in one hides none in another.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WrapValidator, model_validator

from ingest.codecs import CODECS
from service.config.measurands import LevelKey
from service.config.quantities import (
    Duration,
    EnterpriseId,
    Identifier,
    Name,
    NonNegative,
    Number,
    PathText,
    PointName,
    Positive,
    PositiveDuration,
    RegionCode,
    parse_positive_duration,
    refusal,
)
from service.config.validation import Section, suggestion

NOT_GIVEN = -1
"""Of a duration: the file says nothing, the default applies."""
OFF = -2
"""Of a duration: the file says ``off``, there is no such rule."""
BAD_ON_DELAY = 5_000
"""On-delay of the rule BAD, ms; configurable default [O]."""
RATE_WINDOW = 60_000
"""Window of a rate rule, ms; configurable default [O]."""
BUILT_IN_KEYS = frozenset({"HH", "H", "L", "LL", "RISE", "FALL", "STALE", "BAD"})
RESERVED_ENTERPRISES = frozenset({"anshao", "alarms", "data", "status", "receipt"})
"""``anshao`` is the service itself, the others are words of its topics: ``anshao/v1/alarms/{region}/data`` would
reach the subscription to ``anshao/v1/+/+/data``."""


def _is_off(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.lower() == "off")


def _or_off(value: Any, handler: Callable[[Any], Any]) -> Any:
    """None for ``off``, which differs from a key that is not there."""
    if _is_off(value):
        return None
    if value is None:
        raise refusal("the key has no value", "Write a value, or `off`, or delete the line.")
    return handler(value)


def _bare_setpoint(value: Any, handler: Callable[[Any], Any]) -> Any:
    """A limit as a bare number, a mapping, or ``off``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return handler({"setpoint": value})
    if isinstance(value, str) and not _is_off(value):
        raise refusal("a limit must be a number, a mapping or off", "Write a plain number without quotes and unit.")
    return _or_off(value, handler)


def parse_stale_time(value: object) -> int:
    """Ms after which a tag without a reading is stale, or ``OFF``."""
    return OFF if _is_off(value) else parse_positive_duration(value)


def _number_pair(value: object) -> tuple[float, float]:
    remedy = "Write the lower and the upper end of the instrument's range: [0, 100]."
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - a pair
        raise refusal("must be a list of two numbers", remedy)
    for end in value:
        if isinstance(end, bool) or not isinstance(end, int | float) or end - end != 0:
            raise refusal("must be a list of two finite numbers", remedy)
    low, high = float(value[0]), float(value[1])
    if low >= high:
        raise refusal("the lower end of the range is not below the upper end", remedy)
    return low, high


def _own_key(key: str) -> str:
    if key.upper() in BUILT_IN_KEYS:
        raise refusal(
            f"the key {key!r} is reserved", "Give HH, H, L and LL under `limits`, RISE and FALL under `rate`."
        )
    return key


def _own_tag(name: str) -> str:
    if name.startswith(("@", "$")):
        raise refusal(f"names beginning with {name[0]} are reserved", "Choose another name.")
    return name


def _own_enterprise(name: str) -> str:
    if name in RESERVED_ENTERPRISES:
        raise refusal(f"the id {name!r} is reserved", "Choose another id.")
    return name


def _own_unit(name: str) -> str:
    if name == "gateways":
        raise refusal(
            f"the id {name!r} is reserved", "Choose another id: the service keeps the gateways' alarms there."
        )
    return name


def _known_format(name: str) -> str:
    if name not in CODECS:
        raise refusal(f"unknown payload format {name[:40]!r}", suggestion(name[:40], CODECS))
    return name


OwnTag = Annotated[PointName, AfterValidator(_own_tag)]
"""Name of a tag that no name of the service's own collides with."""


class RegionEntry(Section):
    """辖区."""

    code: RegionCode
    name: Name
    parent: RegionCode | None = None


class GatewayEntry(Section):
    """网关."""

    id: Identifier
    name: Name
    format: Annotated[str, AfterValidator(_known_format)] = "anshao"
    clock: Literal["live", "source"] = "live"


class LimitEntry(Section):
    """One limit of a tag; what is None is taken from the tag, then from its measurand."""

    setpoint: Number
    deadband: NonNegative | None = None
    on_delay: Duration = NOT_GIVEN
    off_delay: Duration = NOT_GIVEN
    latching: bool | None = None


_Limit = Annotated[LimitEntry | None, WrapValidator(_bare_setpoint)]


class LimitsEntry(Section):
    """Limits by level: None and set means off, None and not set means inherited."""

    HH: _Limit = None
    H: _Limit = None
    L: _Limit = None
    LL: _Limit = None


class RateEntry(Section):
    """One rate-of-change rule; its deadband is in the unit of ``limit`` and ``per``."""

    limit: Positive
    per: PositiveDuration = 1_000
    window: PositiveDuration = RATE_WINDOW
    level: LevelKey = "H"
    deadband: NonNegative = 0.0
    on_delay: Duration = 0
    off_delay: Duration = 0
    latching: bool | None = None


_Rate = Annotated[RateEntry | None, WrapValidator(_or_off)]


class RatesEntry(Section):
    """Rate rules of a tag, up and down apart."""

    rise: _Rate = None
    fall: _Rate = None


def _setpoint_or_off(value: Any, handler: Callable[[Any], Any]) -> Any:
    return _or_off(value, handler)


class RuleEntry(Section):
    """A further rule with a name of its own."""

    key: Annotated[PointName, AfterValidator(_own_key)]
    kind: Literal["high", "low", "rise", "fall"] = "high"
    level: LevelKey | None = None
    setpoint: Annotated[Number | None, WrapValidator(_setpoint_or_off)]
    """None: ``off``, which removes a rule of this key that the measurand brings."""
    per: PositiveDuration = 1_000
    window: PositiveDuration = RATE_WINDOW
    deadband: NonNegative | None = None
    on_delay: Duration = NOT_GIVEN
    off_delay: Duration = NOT_GIVEN
    latching: bool | None = None
    grade: Literal["blue", "yellow", "orange", "red"] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind in ("rise", "fall"):
            if self.setpoint is not None and self.setpoint <= 0:
                remedy = "Write the speed as a positive number; `kind: fall` says that it is downward."
                raise refusal("the setpoint of a rate rule must be above 0", remedy, at=("setpoint",))
            return self
        for key in ("per", "window"):
            if key in self.model_fields_set:
                raise refusal(f"`{key}` belongs to rate rules only", "Delete it, or write `kind: rise`.", at=(key,))
        if self.level is not None and self.level not in (("H", "HH") if self.kind == "high" else ("L", "LL")):
            remedy = "Use H or HH with `kind: high`, L or LL with `kind: low`."
            raise refusal(f"level {self.level} does not go with kind {self.kind}", remedy, at=("level",))
        return self


class BadEntry(Section):
    """The rule BAD."""

    on_delay: Duration = BAD_ON_DELAY


class TagEntry(Section):
    """位号."""

    tag: OwnTag
    measurand: str
    engineering_unit: str = ""
    range: Annotated[tuple[float, float], BeforeValidator(_number_pair)] | None = None
    period: PositiveDuration = 1_000
    gateway: str | None = None
    description: str = ""
    deadband: NonNegative | None = None
    on_delay: Duration = NOT_GIVEN
    off_delay: Duration = NOT_GIVEN
    latching: bool = False
    limits: LimitsEntry = LimitsEntry()
    rate: RatesEntry = RatesEntry()
    rules: tuple[RuleEntry, ...] = ()
    stale: Annotated[int, BeforeValidator(parse_stale_time)] = NOT_GIVEN
    bad: Annotated[BadEntry | None, WrapValidator(_or_off)] = BadEntry()


class UnitEntry(Section):
    """装置/罐区."""

    id: Annotated[Identifier, AfterValidator(_own_unit)]
    name: Name
    hazard_level: Annotated[int, Field(strict=True, ge=1, le=4)] | None = None
    tags: tuple[Any, ...] = ()
    tag_tables: tuple[PathText, ...] = ()


class EnterpriseEntry(Section):
    """企业."""

    id: Annotated[EnterpriseId, AfterValidator(_own_enterprise)]
    name: Name
    region: RegionCode
    gateways: tuple[Any, ...] = ()
    units: tuple[Any, ...] = ()


class SiteFile(Section):
    """The keys of a site file."""

    regions: tuple[Any, ...] = ()
    enterprises: tuple[Any, ...] = ()
    replay: dict[str, Any] | None = None
