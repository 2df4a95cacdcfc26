"""Who and what is watched: regions, enterprises, units, gateways, tags; and their rules in columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from domain.components import ComponentModel
from domain.places import Map, Position, Wind
from domain.samples import Float64, Int32, Int64, UInt8
from domain.scales import Grade, Level, RuleKind

SERVICE_ENTERPRISE = "anshao"
"""Reserved enterprise id: the service's own conditions (broker, historian, spool, canary)."""
SERVICE_UNIT = "service"
"""Unit of ``SERVICE_ENTERPRISE`` that the service's own conditions belong to."""
GATEWAY_UNIT = "gateways"
"""Reserved unit id of every enterprise: the link and clock conditions of its gateways."""
UNIT_TAG = "@unit."
"""Prefix of the system tag that a unit's own rules, over several of its tags, belong to: ``@unit.tankfarm``."""


@dataclass(frozen=True, slots=True)
class Region:
    """辖区, a node of the province, city, county tree."""

    code: str
    """GB/T 2260 code."""
    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Enterprise:
    """企业."""

    id: str
    name: str
    region: str
    position: Position | None = None
    wind: Wind | None = None
    """Tags that tell the wind at all its units that name none themselves."""


@dataclass(frozen=True, slots=True)
class Unit:
    """装置/罐区 of one enterprise."""

    enterprise: str
    id: str
    name: str
    hazard_level: int | None = None
    """Major hazard source level, 1 (gravest) to 4; None: not a major hazard source."""
    neighbours: tuple[str, ...] = ()
    """Paths (``enterprise/unit``) of units near enough that an accident in one may be that in the other."""
    cards: tuple[str, ...] = ()
    """Ids of the response cards (应急处置卡) that are shown with its alarms."""
    position: Position | None = None
    wind: Wind | None = None

    @property
    def path(self) -> str:
        """``enterprise/id``."""
        return f"{self.enterprise}/{self.id}"


@dataclass(frozen=True, slots=True)
class Gateway:
    """网关: one credential, one enterprise."""

    enterprise: str
    id: str
    name: str
    clock: str = "live"
    """``live``: source times are checked against the service's clock (late, future).
    ``source``: they are taken as they are, for replayed recordings."""
    format: str = "anshao"
    """Name of the payload codec."""

    @property
    def path(self) -> str:
        """``enterprise/gateway``."""
        return f"{self.enterprise}/{self.id}"


@dataclass(frozen=True, slots=True)
class Tag:
    """位号, one measured point, identified by ``enterprise/name``."""

    enterprise: str
    name: str
    unit: str
    gateway: str
    measurand: str
    engineering_unit: str = ""
    low: float = float("-inf")
    """Lower end of the instrument's range; a reading below is UNCERTAIN."""
    high: float = float("inf")
    """Upper end of the instrument's range; a reading above is UNCERTAIN."""
    period: int = 1000
    """Expected time between readings, ms."""
    description: str = ""
    gas: str | None = None
    """``flammable``, ``toxic``, ``oxygen`` or ``methane``; None: not a gas detector."""
    system: bool = False
    """A point of the service or of a gateway, which no payload may write."""
    species: str | None = None
    """Formula of the one gas that it measures, a key of ``domain.gases.SPECIES``."""

    @property
    def path(self) -> str:
        """``enterprise/name``."""
        return f"{self.enterprise}/{self.name}"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a DEVIATION is measured from."""

    kind: str
    """``constant``, ``tag`` (another tag's newest reading) or ``median`` (of the tag's own window)."""
    constant: float = 0.0
    tag: int = -1
    """Index into ``Site.tags``."""
    window: int = 0
    """ms of source time that the median is taken over."""


@dataclass(frozen=True, slots=True)
class ModeLimit:
    """The limit that holds in one mode of operation, in place of the rule's own."""

    mode: str
    setpoint: float | None
    """None: no limit in this mode."""
    deadband: float | None = None
    """None: the rule's own."""


@dataclass(frozen=True, slots=True)
class RuleExtra:
    """What few rules have: see ``RuleKind`` for what needs which."""

    side: str = "both"
    """DEVIATION: ``both``, ``above`` or ``below`` the reference."""
    reference: Reference | None = None
    inputs: tuple[int, ...] = ()
    """VOTE, EXPRESSION, T2, SPE: indices into ``Site.tags``."""
    needed: int = 0
    """VOTE: M of the N inputs."""
    low: bool = False
    """VOTE: an input votes at value <= setpoint, not >=."""
    expression: str = ""
    """EXPRESSION: as the site file writes it; ``inputs`` are its names in the order of their first use."""
    model: ComponentModel | None = None
    """T2, SPE: what the unit is measured by; ``inputs`` are its tags in their order."""
    selector: int = -1
    """Index into ``Site.selectors``: what chooses among ``modes``."""
    modes: tuple[ModeLimit, ...] = ()
    suppressed_by: tuple[str, ...] = ()
    """Paths of conditions; while one of them is in the alarm is suppressed by design."""
    parent: str | None = None
    """Path of the condition that this one follows from: its alarm belongs under that one's."""
    re_alarm: int = 0
    """ms after which an acknowledged alarm that is still in sounds again; 0: never."""
    cards: tuple[str, ...] = ()
    """Ids of the response cards that are shown with the alarm."""
    given: str = ""
    """The setpoint as it was given, where it was converted to the tag's unit: ``25 %LEL``."""


@dataclass(frozen=True, slots=True)
class ModeSpan:
    """A span of local time (Asia/Shanghai) in which a mode holds."""

    mode: str
    days: tuple[int, ...]
    """Days of the week, 0 Monday to 6; empty: every day."""
    begin: int
    """ms since local midnight."""
    end: int
    """ms since local midnight; not after ``begin``: over midnight."""


@dataclass(frozen=True, slots=True)
class Selector:
    """What chooses a mode of operation of one unit: the newest reading of a tag, or the clock."""

    unit: str
    """``enterprise/unit``."""
    tag: int = -1
    """Index into ``Site.tags``; -1: by the clock."""
    values: tuple[tuple[str, float, float], ...] = ()
    """(mode, lowest, highest value), both ends included; the first that holds counts."""
    schedule: tuple[ModeSpan, ...] = ()
    """The first span that holds counts; none: the rules' own limits."""


@dataclass(frozen=True, slots=True)
class Rule:
    """报警规则, one row of a ``RuleTable``.

    Times in ms; setpoint and deadband in the tag's engineering unit (per second for RISE and FALL).
    """

    tag: int
    key: str
    """Name of the rule, unique within its tag: the level as a rule (HH, H, L, LL), else RISE, FALL, STALE, BAD
    or a name of the site's own."""
    kind: RuleKind
    level: Level
    setpoint: float = 0.0
    deadband: float = 0.0
    on_delay: int = 0
    off_delay: int = 0
    window: int = 0
    latching: bool = False
    grade: Grade | None = None
    """The least grade that an alarm of this rule has by itself; None: by its level."""
    version: int = 1
    default: bool = False
    """The setpoint comes from the measurand's default and not from the site's own file."""
    extra: RuleExtra | None = None


@dataclass(frozen=True, slots=True)
class RuleTable:
    """All rules of a site in columns of length m, sorted by tag.

    ``start[t]:start[t + 1]`` are the rules of tag t.
    """

    tag: Int32
    kind: UInt8
    level: UInt8
    """Index into ``LEVELS``."""
    setpoint: Float64
    deadband: Float64
    on_delay: Int64
    off_delay: Int64
    window: Int64
    latching: UInt8
    grade: UInt8
    """0: none of its own."""
    version: Int32
    default: UInt8
    key: list[str]
    start: Int64
    """Length number of tags + 1."""
    extras: Mapping[int, RuleExtra] = field(default_factory=dict)
    """By row, of the few rules that have any."""

    def __len__(self) -> int:
        return len(self.tag)

    def row(self, index: int) -> Rule:
        """One rule as an object."""
        grade = int(self.grade[index])
        return Rule(
            tag=int(self.tag[index]),
            key=self.key[index],
            kind=RuleKind(int(self.kind[index])),
            level=LEVELS[int(self.level[index])],
            setpoint=float(self.setpoint[index]),
            deadband=float(self.deadband[index]),
            on_delay=int(self.on_delay[index]),
            off_delay=int(self.off_delay[index]),
            window=int(self.window[index]),
            latching=bool(self.latching[index]),
            grade=Grade(grade) if grade else None,
            version=int(self.version[index]),
            default=bool(self.default[index]),
            extra=self.extras.get(index),
        )

    def of_tag(self, tag: int) -> range:
        """Indices of the rules of one tag."""
        return range(int(self.start[tag]), int(self.start[tag + 1]))

    def looking_at(self, tags: Iterable[int]) -> list[int]:
        """Indices of the rules that these tags have a say in: their own, and those over several tags."""
        named = set(tags)
        over_several = [
            row
            for row, extra in self.extras.items()
            if not named.isdisjoint(extra.inputs) or (extra.reference is not None and extra.reference.tag in named)
        ]
        return sorted({row for tag in named for row in self.of_tag(tag)} | set(over_several))

    @classmethod
    def build(cls, rules: Iterable[Rule], tag_count: int) -> "RuleTable":
        """Table from rules in any order; rules of one tag keep their order."""
        rows = list(rules)
        return cls.from_columns(
            tag=np.array([r.tag for r in rows], dtype=np.int32),
            kind=np.array([r.kind for r in rows], dtype=np.uint8),
            level=np.array([LEVELS.index(r.level) for r in rows], dtype=np.uint8),
            setpoint=np.array([r.setpoint for r in rows], dtype=np.float64),
            deadband=np.array([r.deadband for r in rows], dtype=np.float64),
            on_delay=np.array([r.on_delay for r in rows], dtype=np.int64),
            off_delay=np.array([r.off_delay for r in rows], dtype=np.int64),
            window=np.array([r.window for r in rows], dtype=np.int64),
            latching=np.array([r.latching for r in rows], dtype=np.uint8),
            grade=np.array([r.grade or 0 for r in rows], dtype=np.uint8),
            version=np.array([r.version for r in rows], dtype=np.int32),
            default=np.array([r.default for r in rows], dtype=np.uint8),
            key=[r.key for r in rows],
            tag_count=tag_count,
            extras={index: r.extra for index, r in enumerate(rows) if r.extra is not None},
        )

    @classmethod
    def from_columns(
        cls,
        *,
        tag: Int32,
        kind: UInt8,
        level: UInt8,
        setpoint: Float64,
        deadband: Float64,
        on_delay: Int64,
        off_delay: Int64,
        window: Int64,
        latching: UInt8,
        grade: UInt8,
        version: Int32,
        default: UInt8,
        key: list[str],
        tag_count: int,
        extras: Mapping[int, RuleExtra] = MappingProxyType({}),
    ) -> "RuleTable":
        """Table from columns in any order, without an object per rule; rules of one tag keep their order.

        ``extras`` are by row of the columns as they are given.
        Columns that are sorted by tag already are taken as they are, not copied.
        """
        order: slice | Int64 = slice(None)
        if not bool((tag[1:] >= tag[:-1]).all()):
            order = np.argsort(tag, kind="stable").astype(np.int64)
            key = [key[index] for index in order.tolist()]
            place = {old: new for new, old in enumerate(order.tolist()) if old in extras}
            extras = {place[old]: extra for old, extra in extras.items()}
        tag = tag[order]
        return cls(
            tag=tag,
            kind=kind[order],
            level=level[order],
            setpoint=setpoint[order],
            deadband=deadband[order],
            on_delay=on_delay[order],
            off_delay=off_delay[order],
            window=window[order],
            latching=latching[order],
            grade=grade[order],
            version=version[order],
            default=default[order],
            key=key,
            start=np.searchsorted(tag, np.arange(tag_count + 1)).astype(np.int64),
            extras=extras,
        )


_LIMITS = (RuleKind.HIGH, RuleKind.LOW, RuleKind.RISE, RuleKind.FALL, RuleKind.DEVIATION)
"""Kinds that say of a value when it is dangerous."""
LEVELS: tuple[Level, ...] = tuple(Level)
"""Order of levels in ``RuleTable.level``."""


@dataclass(frozen=True)
class Site:
    """Everything that is watched. Built once from validated files; look-ups are made on construction."""

    regions: dict[str, Region]
    enterprises: dict[str, Enterprise]
    units: dict[tuple[str, str], Unit]
    gateways: dict[tuple[str, str], Gateway]
    tags: Sequence[Tag]
    rules: RuleTable
    revision: str
    """Digest of what the spool and the engine depend on: the list of tag paths."""
    selectors: Sequence[Selector] = ()
    map: Map = field(default_factory=Map)
    tag_index: dict[str, int] = field(default_factory=dict)
    """Tag path -> index into ``tags``."""

    def __post_init__(self) -> None:
        if not self.tag_index:
            self.tag_index.update((tag.path, index) for index, tag in enumerate(self.tags))

    def rule_path(self, index: int) -> str:
        """``enterprise/tag/key``: the identity of a condition, the same after any restart."""
        return f"{self.tags[int(self.rules.tag[index])].path}/{self.rules.key[index]}"

    def rule_row(self, path: str) -> int:
        """Row of the rule table that a condition's path names. Raises KeyError."""
        tag_path, _, key = path.rpartition("/")
        for index in self.rules.of_tag(self.tag_index[tag_path]):
            if self.rules.key[index] == key:
                return index
        raise KeyError(path)

    def has_limits(self, tag: int) -> bool:
        """False: the tag must be shown as 未配置限值 / no limits set, never as normal."""
        kinds = self.rules.kind[self.rules.start[tag] : self.rules.start[tag + 1]]
        return bool(np.isin(kinds, _LIMITS).any())

    def region_of(self, enterprise: str) -> str:
        """Region code of an enterprise; the service's own belong to the root region."""
        return self.enterprises[enterprise].region
