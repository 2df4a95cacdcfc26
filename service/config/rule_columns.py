"""Drafts of tags completed to rules in columns: what the file gives, and what the measurand brings."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.samples import Float64, Int32, Int64, UInt8
from domain.scales import Grade, Level, RuleKind
from domain.site import LEVELS
from service.config.attributes import NONE, Attributes
from service.config.drafts import RATES, Drafts, StuckDraft
from service.config.measurands import LEVEL_KEYS, DefaultRule
from service.config.profiles import ProfileColumns, Profiles
from service.config.rule_entries import NOT_GIVEN, OFF

STALE_PERIODS = 3
"""A tag is stale after this many periods without a reading."""
NAMED_SLOT = 255
"""Slot of rules with a name of their own."""

_SLOTS = (*LEVEL_KEYS, *RATES, "STALE", "BAD")
_LIMITS = slice(0, len(LEVEL_KEYS))
_RATES = slice(len(LEVEL_KEYS), len(LEVEL_KEYS) + len(RATES))
_STALE = _SLOTS.index("STALE")
_BAD = _SLOTS.index("BAD")
_SLOT_KEYS = np.array(_SLOTS, dtype=object)
_SLOT_KINDS = np.array(
    [
        RuleKind.HIGH,
        RuleKind.HIGH,
        RuleKind.LOW,
        RuleKind.LOW,
        RuleKind.RISE,
        RuleKind.FALL,
        RuleKind.STALE,
        RuleKind.BAD,
    ],
    dtype=np.uint8,
)


@dataclass(frozen=True, slots=True)
class RuleColumns:
    """Rules of a block of tags, sorted by tag, in columns as ``RuleTable`` has them."""

    tag: Int32
    """Counted from the block's first."""
    slot: UInt8
    """Index into HH, H, L, LL, RISE, FALL, STALE, BAD; ``NAMED_SLOT``."""
    kind: UInt8
    level: UInt8
    setpoint: Float64
    deadband: Float64
    on_delay: Int64
    off_delay: Int64
    window: Int64
    latching: UInt8
    grade: UInt8
    default: UInt8
    key: list[str]
    field: list[str]
    """Place of each rule within its tag, for faults."""
    attributes: dict[int, Attributes] = dataclasses.field(default_factory=dict)
    """By row, of the few rules that have any."""


def complete(drafts: Drafts, profile: Int64, profiles: Profiles) -> RuleColumns:
    """The rules of drafts; ``profile`` holds the number of each draft's pair of measurand and engineering unit."""
    columns = profiles.columns()
    share = np.nan_to_num(np.round(columns.share[profile] * (drafts.high - drafts.low), 12), nan=0.0)
    slots = _slots(drafts, profile, columns, share)
    others = [_brought(drafts, profile, share, *rule) for rule in profiles.named()]
    if drafts.named:
        others.append(_named(drafts, profile, columns, share))
    if drafts.stuck:
        others.append(_stuck(drafts, profile, profiles))
    others = [part for part in others if len(part.tag)]
    rules = _join([slots, *others]) if others else slots
    _attach(rules, drafts, profile, profiles)
    return rules


def _attach(rules: RuleColumns, drafts: Drafts, profile: Int64, profiles: Profiles) -> None:
    """What few rules have beside columns: attributes of their own, the tag's re-alarm, figures before conversion."""
    for (tag, place), attributes in drafts.attributes.items():
        begin, end = np.searchsorted(rules.tag, (tag, tag + 1)).tolist()
        for row in range(begin, end):
            if rules.field[row] == place:
                rules.attributes[row] = attributes
    for rule in drafts.named:
        if rule.attributes is not NONE and rule.setpoint is not None:
            begin, end = np.searchsorted(rules.tag, (rule.row, rule.row + 1)).tolist()
            for row in range(begin, end):
                if rules.field[row] == rule.field:
                    rules.attributes[row] = rule.attributes
    converted = profiles.columns().converted
    if converted.any():
        _attach_converted(
            rules, np.flatnonzero((rules.default == 1) & converted[profile[rules.tag]]), profile, profiles
        )
    if (drafts.re_alarm != NOT_GIVEN).any():
        _attach_re_alarm(rules, drafts)


def _attach_converted(rules: RuleColumns, rows: Int64, profile: Int64, profiles: Profiles) -> None:
    """The figures that converted defaults come from; one object for all rules that share it."""
    shared: dict[tuple[int, str], Attributes] = {}
    for row in rows.tolist():
        if rules.kind[row] == RuleKind.STUCK:
            continue
        number, key = int(profile[rules.tag[row]]), rules.key[row]
        told = shared.get((number, key))
        if told is None:
            measurand = profiles[number].measurand
            figures: dict[str, dict[str, float]] = {rule.key: rule.setpoint for rule in measurand.rules}
            figures.update((str(level), limits) for level, limits in measurand.limits.items())
            given = profiles[number].told(figures.get(key))
            told = shared[number, key] = Attributes(given=given)
        own = rules.attributes.get(row)
        rules.attributes[row] = told if own is None else replace(own, given=told.given)


def _attach_re_alarm(rules: RuleColumns, drafts: Drafts) -> None:
    """The tag's re-alarm, for rules on the value that have none of their own."""
    shared: dict[int, Attributes] = {}
    after = drafts.re_alarm[rules.tag]
    watched = (rules.kind != RuleKind.STALE) & (rules.kind != RuleKind.BAD) & (rules.kind != RuleKind.STUCK)
    rows = np.flatnonzero((after != NOT_GIVEN) & watched)
    for row, time in zip(rows.tolist(), after[rows].tolist(), strict=True):
        own = rules.attributes.get(row)
        if own is None:
            if time not in shared:
                shared[time] = Attributes(re_alarm=time)
            rules.attributes[row] = shared[time]
        elif own.re_alarm == NOT_GIVEN:
            rules.attributes[row] = replace(own, re_alarm=time)


def _slots(drafts: Drafts, profile: Int64, columns: ProfileColumns, share: Float64) -> RuleColumns:
    """Limits, rates, STALE and BAD of all drafts, from matrices of one row per draft and one column per slot."""
    shape = (len(drafts), len(_SLOTS))
    inherited = np.isnan(drafts.setpoint) & ~drafts.off & ~np.isnan(columns.setpoint[profile])
    setpoint = np.zeros(shape)
    setpoint[:, _LIMITS] = np.where(inherited, columns.setpoint[profile], drafts.setpoint)
    setpoint[:, _RATES] = drafts.rate
    deadband = np.zeros(shape)
    own = np.where(np.isnan(drafts.deadband), columns.deadband[profile], drafts.deadband)
    deadband[:, _LIMITS] = np.where(np.isnan(own), share[:, np.newaxis], own)
    deadband[:, _RATES] = drafts.rate_deadband
    on_delay = np.zeros(shape, dtype=np.int64)
    on_delay[:, _LIMITS] = np.where(drafts.on_delay == NOT_GIVEN, columns.on_delay[profile], drafts.on_delay)
    on_delay[:, _RATES] = drafts.rate_on_delay
    on_delay[:, _BAD] = drafts.bad
    off_delay = np.zeros(shape, dtype=np.int64)
    off_delay[:, _LIMITS] = np.where(drafts.off_delay == NOT_GIVEN, 0, drafts.off_delay)
    off_delay[:, _RATES] = drafts.rate_off_delay
    window = np.zeros(shape, dtype=np.int64)
    window[:, _RATES] = drafts.rate_window
    window[:, _STALE] = np.where(drafts.stale == NOT_GIVEN, STALE_PERIODS * drafts.period, drafts.stale)
    level = np.empty(shape, dtype=np.uint8)
    level[:, _LIMITS] = [LEVELS.index(Level(key)) for key in LEVEL_KEYS]
    level[:, _RATES] = drafts.rate_level
    level[:, _STALE:] = LEVELS.index(Level.FAULT)
    latching = np.zeros(shape, dtype=np.uint8)
    latching[:, _LIMITS] = drafts.latching
    latching[:, _RATES] = drafts.rate_latching
    default = np.zeros(shape, dtype=np.uint8)
    default[:, _LIMITS] = inherited
    present = ~np.isnan(setpoint)
    present[:, _STALE] = drafts.stale != OFF
    present[:, _BAD] = drafts.bad != OFF
    tag, slot = np.nonzero(present)
    keys = _SLOT_KEYS[slot].tolist()
    return RuleColumns(
        tag=tag.astype(np.int32),
        slot=slot.astype(np.uint8),
        kind=_SLOT_KINDS[slot],
        level=level[present],
        setpoint=setpoint[present],
        deadband=deadband[present],
        on_delay=on_delay[present],
        off_delay=off_delay[present],
        window=window[present],
        latching=latching[present],
        grade=np.zeros(len(tag), dtype=np.uint8),
        default=default[present],
        key=keys,
        field=keys,
    )


def _brought(
    drafts: Drafts, profile: Int64, share: Float64, index: int, rule: DefaultRule, setpoint: float
) -> RuleColumns:
    """One named rule that a measurand brings, for the drafts of it that give none of that key themselves."""
    own = [named.row for named in drafts.named if named.key == rule.key]
    takes = profile == index
    takes[own] = False
    tag = np.flatnonzero(takes)
    column = LEVEL_KEYS.index(rule.level)
    count = len(tag)
    given = drafts.deadband[tag, column]
    return RuleColumns(
        tag=tag.astype(np.int32),
        slot=np.full(count, NAMED_SLOT, dtype=np.uint8),
        kind=np.full(count, RuleKind.HIGH if rule.kind == "high" else RuleKind.LOW, dtype=np.uint8),
        level=np.full(count, LEVELS.index(Level(rule.level)), dtype=np.uint8),
        setpoint=np.full(count, setpoint),
        deadband=np.where(np.isnan(given), share[tag], given),
        on_delay=np.zeros(count, dtype=np.int64),
        off_delay=np.zeros(count, dtype=np.int64),
        window=np.zeros(count, dtype=np.int64),
        latching=drafts.latching[tag, column],
        grade=np.full(count, Grade.parse(rule.grade) if rule.grade else 0, dtype=np.uint8),
        default=np.ones(count, dtype=np.uint8),
        key=[rule.key] * count,
        field=["rules"] * count,
    )


def _named(drafts: Drafts, profile: Int64, columns: ProfileColumns, share: Float64) -> RuleColumns:
    """Rules with a name that the file itself gives."""
    seen: set[tuple[int, str]] = set()
    for rule in drafts.named:
        if (rule.row, rule.key) in seen:
            remedy = "Give each rule of a tag a key of its own."
            drafts.fault(rule.row, f"{rule.field}.key", f"a second rule of the key {rule.key!r}", remedy)
        seen.add((rule.row, rule.key))
    rules = [(rule, rule.setpoint) for rule in drafts.named if rule.setpoint is not None]
    tag = np.array([rule.row for rule, _ in rules], dtype=np.int32)
    deadband = np.array([rule.deadband for rule, _ in rules], dtype=np.float64)
    on_delay = np.array([rule.on_delay for rule, _ in rules], dtype=np.int64)
    off_delay = np.array([rule.off_delay for rule, _ in rules], dtype=np.int64)
    column = np.array([LEVEL_KEYS.index(rule.level.value) for rule, _ in rules], dtype=np.int64)
    return RuleColumns(
        tag=tag,
        slot=np.full(len(rules), NAMED_SLOT, dtype=np.uint8),
        kind=np.array([rule.kind for rule, _ in rules], dtype=np.uint8),
        level=np.array([LEVELS.index(rule.level) for rule, _ in rules], dtype=np.uint8),
        setpoint=np.array([setpoint for _, setpoint in rules], dtype=np.float64),
        deadband=np.where(np.isnan(deadband), share[tag], deadband),
        on_delay=np.where(on_delay == NOT_GIVEN, columns.on_delay[profile[tag], column], on_delay),
        off_delay=np.where(off_delay == NOT_GIVEN, 0, off_delay),
        window=np.array([rule.window for rule, _ in rules], dtype=np.int64),
        latching=np.array([rule.latching for rule, _ in rules], dtype=np.uint8),
        grade=np.array([rule.grade or 0 for rule, _ in rules], dtype=np.uint8),
        default=np.zeros(len(rules), dtype=np.uint8),
        key=[rule.key for rule, _ in rules],
        field=[rule.field for rule, _ in rules],
    )


def _stuck(drafts: Drafts, profile: Int64, profiles: Profiles) -> RuleColumns:
    """Rules STUCK, band and time where they are not given from the measurand: its share of the span."""
    rules: list[tuple[StuckDraft, float, int]] = []
    numbers, spans, broken = profile.tolist(), (drafts.high - drafts.low).tolist(), drafts.broken.tolist()
    for rule in drafts.stuck:
        if broken[rule.row]:
            continue
        measurand = drafts.measurand[rule.row]
        default = profiles[numbers[rule.row]].measurand.stuck
        span = spans[rule.row]
        unknown = math.isnan(rule.band)
        if default is None and (unknown or rule.window == NOT_GIVEN):
            message = f"the measurand {measurand} has no band and time of its own"
            drafts.fault(rule.row, "stuck", message, "Write `stuck: {band: 0.1, for: 30min}`, or `stuck: off`.")
        elif unknown and math.isnan(span):
            remedy = "Give the tag a range, or write `stuck: {band: 0.1, for: 30min}`."
            drafts.fault(rule.row, "stuck", "the band is a share of the range, and the tag has none", remedy)
        else:
            share, window = (0.0, 0) if default is None else (default.share, default.duration)
            band = round(share * span, 12) if unknown else rule.band
            rules.append((rule, band, window if rule.window == NOT_GIVEN else rule.window))
    count = len(rules)
    return RuleColumns(
        tag=np.array([rule.row for rule, _, _ in rules], dtype=np.int32),
        slot=np.full(count, NAMED_SLOT, dtype=np.uint8),
        kind=np.full(count, RuleKind.STUCK, dtype=np.uint8),
        level=np.full(count, LEVELS.index(Level.FAULT), dtype=np.uint8),
        setpoint=np.array([band for _, band, _ in rules], dtype=np.float64),
        deadband=np.zeros(count),
        on_delay=np.array([rule.on_delay for rule, _, _ in rules], dtype=np.int64),
        off_delay=np.array([rule.off_delay for rule, _, _ in rules], dtype=np.int64),
        window=np.array([window for _, _, window in rules], dtype=np.int64),
        latching=np.array([rule.latching for rule, _, _ in rules], dtype=np.uint8),
        grade=np.zeros(count, dtype=np.uint8),
        default=np.array([np.isnan(rule.band) for rule, _, _ in rules], dtype=np.uint8),
        key=["STUCK"] * count,
        field=["stuck"] * count,
    )


def _join(parts: Sequence[RuleColumns]) -> RuleColumns:
    """One set of columns, sorted by tag; rules of one tag keep the order of the parts."""
    order = np.argsort(np.concatenate([part.tag for part in parts]), kind="stable")
    picked = order.tolist()
    keys = [key for part in parts for key in part.key]
    fields = [field for part in parts for field in part.field]
    return RuleColumns(
        tag=np.concatenate([part.tag for part in parts])[order],
        slot=np.concatenate([part.slot for part in parts])[order],
        kind=np.concatenate([part.kind for part in parts])[order],
        level=np.concatenate([part.level for part in parts])[order],
        setpoint=np.concatenate([part.setpoint for part in parts])[order],
        deadband=np.concatenate([part.deadband for part in parts])[order],
        on_delay=np.concatenate([part.on_delay for part in parts])[order],
        off_delay=np.concatenate([part.off_delay for part in parts])[order],
        window=np.concatenate([part.window for part in parts])[order],
        latching=np.concatenate([part.latching for part in parts])[order],
        grade=np.concatenate([part.grade for part in parts])[order],
        default=np.concatenate([part.default for part in parts])[order],
        key=[keys[index] for index in picked],
        field=[fields[index] for index in picked],
    )
