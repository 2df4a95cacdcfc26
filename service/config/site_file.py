"""A site file as it is written: regions, enterprises, units, gateways, tags and their rules.

Enterprises, units and tags are read one by one (``Any`` here), so that a fault in one hides none in another.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from ingest.codecs import CODECS
from service.config.map_file import PositionEntry, WindEntry
from service.config.quantities import (
    Delay,
    EnterpriseId,
    Identifier,
    Name,
    NonNegative,
    PointName,
    PositiveDuration,
    RegionCode,
    refusal,
)
from service.config.rule_entries import (
    NOT_GIVEN,
    Bad,
    BadEntry,
    Deviation,
    LimitsEntry,
    RatesEntry,
    ReAlarm,
    RuleEntry,
    Stale,
    StaleEntry,
    Stuck,
)
from service.config.validation import Section, suggestion

RESERVED_ENTERPRISES = frozenset({"anshao", "alarms", "data", "status", "receipt"})
"""``anshao`` is the service itself, the others are words of its topics: ``anshao/v1/alarms/{region}/data`` would
reach the subscription to ``anshao/v1/+/+/data``."""


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


def _own_tag(name: str) -> str:
    if name.startswith(("@", "$")):
        raise refusal(f"names beginning with {name[0]} are reserved", "Choose another name.")
    return name


def _own_enterprise(name: str) -> str:
    if name in RESERVED_ENTERPRISES:
        raise refusal(f"the id {name!r} is reserved", "Choose another id.")
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


class TagEntry(Section):
    """位号."""

    tag: OwnTag
    measurand: str
    engineering_unit: str = ""
    range: Annotated[tuple[float, float], BeforeValidator(_number_pair)] | None = None
    period: PositiveDuration = 1_000
    gateway: str | None = None
    description: str = ""
    species: str = ""
    re_alarm: ReAlarm = NOT_GIVEN
    deadband: NonNegative | None = None
    on_delay: Delay = NOT_GIVEN
    off_delay: Delay = NOT_GIVEN
    latching: bool = False
    limits: LimitsEntry = LimitsEntry()
    rate: RatesEntry = RatesEntry()
    rules: tuple[RuleEntry, ...] = ()
    deviation: Deviation = None
    stuck: Stuck = None
    stale: Stale = StaleEntry()
    bad: Bad = BadEntry()


class EnterpriseEntry(Section):
    """企业."""

    id: Annotated[EnterpriseId, AfterValidator(_own_enterprise)]
    name: Name
    region: RegionCode
    position: PositionEntry | None = None
    wind: WindEntry | None = None
    gateways: tuple[Any, ...] = ()
    units: tuple[Any, ...] = ()


class SiteFile(Section):
    """The keys of a site file."""

    regions: tuple[Any, ...] = ()
    enterprises: tuple[Any, ...] = ()
    map: dict[str, Any] | None = None
    replay: dict[str, Any] | None = None
