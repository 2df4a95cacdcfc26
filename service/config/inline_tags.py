"""Tags written in a site file itself, as drafts."""

import math
from collections.abc import Sequence

from domain.scales import Grade, Level, RuleKind
from domain.site import LEVELS
from service.config.attributes import NONE, attributes_of
from service.config.document import Document, Loc
from service.config.drafts import RATES, Drafts, GivenUnit, NamedRule, StuckDraft, blank_drafts
from service.config.measurands import LEVEL_KEYS
from service.config.rule_entries import (
    NOT_GIVEN,
    OFF,
    AttributesEntry,
    DeviationEntry,
    LimitEntry,
    RateEntry,
    RuleEntry,
    StuckEntry,
)
from service.config.site_file import TagEntry

DEVIATION_DEADBAND = 0.1
"""Of a deviation that gives none, as a share of its setpoint [O]."""

_KINDS = {"high": RuleKind.HIGH, "low": RuleKind.LOW, "rise": RuleKind.RISE, "fall": RuleKind.FALL}


class InlineOrigin:
    """Tags of one unit of a site file; ``locs`` are their places in the document."""

    def __init__(self, document: Document, locs: Sequence[Loc]) -> None:
        self._document = document
        self._locs = locs

    def fault(self, row: int, name: str, message: str, remedy: str) -> None:
        """Report a fault of one tag."""
        head, _, rest = name.partition(".")
        loc: Loc
        if head in LEVEL_KEYS:
            loc = ("limits", head)
        elif head in RATES:
            loc = ("rate", head.lower())
        elif head.startswith("rules["):
            loc = ("rules", int(head[6:-1]))
        else:
            loc = (head.lower() if head in ("STALE", "BAD") else head,)
        self._document.fault(self._locs[row] + loc + ((rest,) if rest else ()), message, remedy)

    def place(self, row: int) -> str:
        """``file:line`` of one tag."""
        return f"{self._document.path}:{self._document.place(self._locs[row])[0]}"


def inline_drafts(entries: Sequence[TagEntry], origin: InlineOrigin) -> Drafts:
    """Drafts of the tags of one unit, in their order."""
    drafts = blank_drafts(len(entries), origin)
    for row, entry in enumerate(entries):
        drafts.name[row] = entry.tag
        drafts.measurand[row] = entry.measurand
        drafts.engineering_unit[row] = entry.engineering_unit
        drafts.gateway[row] = entry.gateway or ""
        drafts.description[row] = entry.description
        drafts.species[row] = entry.species
        drafts.re_alarm[row] = entry.re_alarm
        drafts.period[row] = entry.period
        drafts.stale[row] = entry.stale.after
        drafts.bad[row] = OFF if entry.bad is None else entry.bad.on_delay
        _set_attributes(drafts, row, "STALE", entry.stale)
        _set_attributes(drafts, row, "BAD", entry.bad)
        if entry.range is not None:
            drafts.low[row], drafts.high[row] = entry.range
        for column, level in enumerate(LEVEL_KEYS):
            _set_limit(drafts, row, column, entry, getattr(entry.limits, level))
            drafts.off[row, column] = level in entry.limits.model_fields_set and getattr(entry.limits, level) is None
        for column, rate in enumerate((entry.rate.rise, entry.rate.fall)):
            if rate is not None:
                _set_rate(drafts, row, column, entry, rate)
                _set_attributes(drafts, row, RATES[column], rate)
        for index, rule in enumerate(entry.rules):
            drafts.named.append(_named_rule(row, index, entry, rule))
            if rule.unit is not None and rule.setpoint is not None:
                drafts.units.append(GivenUnit(row, f"rules[{index}]", rule.unit, rule.deadband is not None))
        if entry.deviation is not None:
            drafts.named.append(_deviation(row, entry, entry.deviation))
        if entry.stuck is not None:
            drafts.stuck.append(_stuck(row, entry, entry.stuck))
            _set_attributes(drafts, row, "stuck", entry.stuck)
    return drafts


def _set_limit(drafts: Drafts, row: int, column: int, tag: TagEntry, limit: LimitEntry | None) -> None:
    """What the limit says itself, else what its tag says, else nothing: the measurand's default follows later."""
    deadband = tag.deadband
    on_delay, off_delay, latching = tag.on_delay, tag.off_delay, tag.latching
    if limit is not None:
        if limit.setpoint is None:
            drafts.inheriting.append((row, column))
        else:
            drafts.setpoint[row, column] = limit.setpoint
        deadband = limit.deadband if limit.deadband is not None else deadband
        on_delay = limit.on_delay if limit.on_delay != NOT_GIVEN else on_delay
        off_delay = limit.off_delay if limit.off_delay != NOT_GIVEN else off_delay
        latching = limit.latching if limit.latching is not None else latching
        level = LEVEL_KEYS[column]
        if limit.unit is not None:
            drafts.units.append(GivenUnit(row, level, limit.unit, limit.deadband is not None))
        attributes = attributes_of(limit, limit.modes)
        if attributes is not NONE:
            drafts.attributes[row, level] = attributes
    drafts.deadband[row, column] = math.nan if deadband is None else deadband
    drafts.on_delay[row, column] = on_delay
    drafts.off_delay[row, column] = off_delay
    drafts.latching[row, column] = latching


def _set_rate(drafts: Drafts, row: int, column: int, tag: TagEntry, rate: RateEntry) -> None:
    per_second = 1000 / rate.per
    drafts.rate[row, column] = rate.limit * per_second
    drafts.rate_level[row, column] = LEVELS.index(Level(rate.level))
    drafts.rate_window[row, column] = rate.window
    drafts.rate_deadband[row, column] = rate.deadband * per_second
    drafts.rate_on_delay[row, column] = rate.on_delay
    drafts.rate_off_delay[row, column] = rate.off_delay
    drafts.rate_latching[row, column] = tag.latching if rate.latching is None else rate.latching


def _set_attributes(drafts: Drafts, row: int, field: str, entry: AttributesEntry | None) -> None:
    if entry is not None and (attributes := attributes_of(entry)) is not NONE:
        drafts.attributes[row, field] = attributes


def _deviation(row: int, tag: TagEntry, entry: DeviationEntry) -> NamedRule:
    """Takes no deadband and no delays from its tag, as rates do."""
    deadband = entry.setpoint * DEVIATION_DEADBAND if entry.deadband is None else entry.deadband
    return NamedRule(
        row=row,
        field="deviation",
        key="DEVIATION",
        kind=RuleKind.DEVIATION,
        level=Level(entry.level),
        setpoint=entry.setpoint,
        deadband=deadband,
        on_delay=entry.on_delay,
        off_delay=entry.off_delay,
        window=entry.window or 0,
        latching=tag.latching if entry.latching is None else entry.latching,
        grade=None if entry.grade is None else Grade.parse(entry.grade),
        attributes=attributes_of(entry, side=entry.side, reference=entry.reference, window=entry.window or 0),
    )


def _stuck(row: int, tag: TagEntry, entry: StuckEntry) -> StuckDraft:
    return StuckDraft(
        row=row,
        band=math.nan if entry.band is None else entry.band,
        window=NOT_GIVEN if entry.duration is None else entry.duration,
        on_delay=entry.on_delay,
        off_delay=entry.off_delay,
        latching=tag.latching if entry.latching is None else entry.latching,
    )


def _named_rule(row: int, index: int, tag: TagEntry, rule: RuleEntry) -> NamedRule:
    """A rate takes no deadband and no delays from its tag: those are of limits."""
    rate = rule.kind in ("rise", "fall")
    per_second = 1000 / rule.per if rate else 1.0
    deadband = rule.deadband if rule.deadband is not None or rate else tag.deadband
    return NamedRule(
        row=row,
        field=f"rules[{index}]",
        key=rule.key,
        kind=_KINDS[rule.kind],
        level=Level(rule.level or ("L" if rule.kind == "low" else "H")),
        setpoint=None if rule.setpoint is None else rule.setpoint * per_second,
        deadband=(0.0 if rate else math.nan) if deadband is None else deadband * per_second,
        on_delay=rule.on_delay if rule.on_delay != NOT_GIVEN else (0 if rate else tag.on_delay),
        off_delay=rule.off_delay if rule.off_delay != NOT_GIVEN else (0 if rate else tag.off_delay),
        window=rule.window if rate else 0,
        latching=tag.latching if rule.latching is None else rule.latching,
        grade=None if rule.grade is None else Grade.parse(rule.grade),
        attributes=attributes_of(rule, rule.modes),
    )
