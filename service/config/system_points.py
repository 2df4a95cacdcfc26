"""Points of the service's own: its components, its canary, and the link and clock of every gateway."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.scales import Level, RuleKind
from domain.site import GATEWAY_UNIT, SERVICE_ENTERPRISE, SERVICE_UNIT, Enterprise, Gateway, Region, Rule, Tag, Unit
from service.config.measurands import CANARY, STATUS

_COMPONENTS = (
    ("broker", "DOWN", "消息代理连接"),
    ("historian", "DOWN", "历史库"),
    ("ledger", "DOWN", "台账库"),
    ("spool", "FILLING", "磁盘缓冲"),
    ("canary", "MISSING", "自检读数"),
)
"""Tag, key of its rule, description."""


@dataclass(frozen=True, slots=True)
class SystemPoints:
    """What the loader adds to a site."""

    enterprise: Enterprise
    units: list[Unit]
    gateway: Gateway
    tags: list[Tag]
    rules: list[Rule]


def system_points(
    regions: Iterable[Region],
    gateways: Iterable[Gateway],
    first_tag: int,
    canary_period: int,
    channels: Iterable[str] = (),
) -> SystemPoints:
    """Points to append to a site whose own tags are numbered below ``first_tag``; ``canary_period`` in ms.

    ``channels``: ids of the channels that messages go by. The service belongs to the first root region.
    """
    root = next(region.code for region in regions if region.parent is None)
    tags: list[Tag] = []
    rules: list[Rule] = []
    unit_of: dict[str, Unit] = {}
    for gateway in gateways:
        unit_of.setdefault(gateway.enterprise, Unit(gateway.enterprise, GATEWAY_UNIT, "网关"))
        rules += [_condition(first_tag + len(tags), key) for key in ("LINK", "CLOCK")]
        tags.append(_point(gateway.enterprise, f"@{gateway.id}", GATEWAY_UNIT, gateway.id, gateway.name))
    for name, key, description in _COMPONENTS:
        rules.append(_condition(first_tag + len(tags), key))
        tags.append(_point(SERVICE_ENTERPRISE, name, SERVICE_UNIT, "", description))
    for channel in channels:
        rules.append(_condition(first_tag + len(tags), "FAILING"))
        tags.append(_point(SERVICE_ENTERPRISE, f"channel.{channel}", SERVICE_UNIT, "", f"通知通道 {channel}"))
    rules.append(Rule(first_tag + len(tags), "CANARY", RuleKind.HIGH, Level.H, setpoint=0.5))
    tags.append(
        Tag(
            enterprise=SERVICE_ENTERPRISE,
            name="canary-reading",
            unit=SERVICE_UNIT,
            gateway=CANARY,
            measurand=CANARY,
            period=canary_period,
            description="自检读数（合成）",
        )
    )
    return SystemPoints(
        enterprise=Enterprise(SERVICE_ENTERPRISE, "安哨", root),
        units=[*unit_of.values(), Unit(SERVICE_ENTERPRISE, SERVICE_UNIT, "安哨服务")],
        gateway=Gateway(SERVICE_ENTERPRISE, CANARY, "自检"),
        tags=tags,
        rules=rules,
    )


def _point(enterprise: str, name: str, unit: str, gateway: str, description: str) -> Tag:
    return Tag(
        enterprise=enterprise,
        name=name,
        unit=unit,
        gateway=gateway,
        measurand=STATUS,
        description=description,
        system=True,
    )


def _condition(tag: int, key: str) -> Rule:
    return Rule(tag, key, RuleKind.SYSTEM, Level.FAULT)
