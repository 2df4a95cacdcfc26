"""Rules over several tags, which belong to a unit: votes, expressions, principal components."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from domain.scales import Grade, Level, RuleKind
from domain.site import UNIT_TAG, Rule, RuleExtra, Tag
from rules.expressions import ExpressionFault, parse
from service.config.attributes import Attributes, attributes_of
from service.config.document import Document, Loc
from service.config.measurands import STATUS
from service.config.references import Conditions, Names
from service.config.rule_entries import NOT_GIVEN
from service.config.unit_components import resolve_components
from service.config.unit_entries import UNIT_RULES, ComponentsEntry, ExpressionEntry, UnitRuleEntry, VoteEntry
from service.config.validation import suggestion, validate


@dataclass(frozen=True, slots=True)
class UnitRule:
    """A rule of a unit as its site file gives it."""

    document: Document
    loc: Loc
    enterprise: str
    unit: str
    entry: UnitRuleEntry

    @property
    def tag_path(self) -> str:
        """Path of the system tag that it belongs to."""
        return f"{self.enterprise}/{UNIT_TAG}{self.unit}"

    @property
    def path(self) -> str:
        """Path of its condition."""
        return f"{self.tag_path}/{self.entry.key}"

    @property
    def attributes(self) -> Attributes:
        """What it says of other conditions."""
        return attributes_of(self.entry)

    def fault(self, name: str, message: str, remedy: str) -> None:
        """Report a fault of one of its fields."""
        self.document.fault((*self.loc, name) if name else self.loc, message, remedy)


def read_unit_rules(
    document: Document, items: Iterable[tuple[Loc, Any]], enterprise: str, unit: str
) -> Iterable[UnitRule]:
    """The rules of one unit that have no faults; those of the others are reported."""
    seen: set[str] = set()
    for loc, data in items:
        kind = data.get("kind") if isinstance(data, dict) else next(iter(UNIT_RULES))
        if not isinstance(kind, str) or kind not in UNIT_RULES:
            told = "`kind` is missing" if kind is None else f"unknown kind {str(kind)[:40]!r}"
            document.fault((*loc, "kind"), told, f"Write `kind: {' or '.join(UNIT_RULES)}`.")
            continue
        entry = validate(UNIT_RULES[kind], data, document.fault, loc)
        if entry is None:
            continue
        if entry.key in seen:
            remedy = "Give each rule of a unit a key of its own."
            document.fault((*loc, "key"), f"a second rule of the key {entry.key!r}", remedy)
        seen.add(entry.key)
        yield UnitRule(document, loc, enterprise, unit, entry)


def resolve(rule: UnitRule, names: Names) -> Rule | None:
    """The rule with its inputs looked up, its tag still to be numbered; None where it has faults, or its tags have."""
    if isinstance(rule.entry, VoteEntry):
        return _vote(rule, rule.entry, names)
    if isinstance(rule.entry, ComponentsEntry):
        return resolve_components(rule.document, rule.loc, rule.enterprise, rule.entry, names)
    return _expression(rule, rule.entry, names)


def system_tag(rule: UnitRule, unit_name: str) -> Tag:
    """The tag that the rules of a unit belong to."""
    return Tag(
        enterprise=rule.enterprise,
        name=f"{UNIT_TAG}{rule.unit}",
        unit=rule.unit,
        gateway="",
        measurand=STATUS,
        description=f"{unit_name}（联合规则）",
        system=True,
    )


def with_conditions(rule: Rule, tag: int, attributes: Attributes, conditions: Conditions) -> Rule:
    """A resolved rule with the number of its tag and the conditions that it names."""
    extra = replace(
        rule.extra or RuleExtra(),
        suppressed_by=conditions.suppressed_by,
        parent=conditions.parent,
        re_alarm=max(attributes.re_alarm, 0),
        cards=attributes.cards,
    )
    return replace(rule, tag=tag, extra=extra)


def _vote(rule: UnitRule, entry: VoteEntry, names: Names) -> Rule | None:
    inputs = []
    for place, name in enumerate(entry.tags):
        index = names.tag(rule.enterprise, name)
        if index is None:
            near = _near(name, rule.enterprise, names)
            rule.document.fault((*rule.loc, "tags", place), f"no tag {name!r}", near)
            return None
        inputs.append(index)
    if min(inputs) < 0:
        return None
    tags = [names.tags.tags[index] for index in inputs]
    low, setpoint = entry.low is not None, entry.setpoint
    side = "low" if low else "high"
    canonical = names.tags.measurands.canonical_unit
    for place, tag in enumerate(tags):
        if canonical(tag.engineering_unit) != canonical(tags[0].engineering_unit):
            message = (
                f"{tag.name} is in {tag.engineering_unit or 'no unit'}, "
                f"{tags[0].name} in {tags[0].engineering_unit or 'no unit'}"
            )
            rule.document.fault((*rule.loc, "tags", place), message, "Let tags of one engineering unit vote.")
            return None
        if not tag.low <= setpoint <= tag.high:
            message = f"{setpoint:.12g} lies outside the range [{tag.low:.12g}, {tag.high:.12g}] of {tag.name}"
            rule.fault(side, message, "Correct the value, or leave the tag out of the vote.")
            return None
    level = Level(entry.level or ("L" if low else "H"))
    deadband = _deadband(tags, names) if entry.deadband is None else entry.deadband
    for tag in tags:
        if (setpoint + deadband >= tag.high) if low else (setpoint - deadband <= tag.low):
            message = f"with deadband {deadband:.12g} {tag.name} could never take back its vote"
            rule.fault("deadband", message, "Give a smaller `deadband`, or correct the value.")
            return None
    measurands = [names.tags.measurands.by_key[tag.measurand] for tag in tags]
    on_delay = max(held.on_delay for held in measurands) if level.is_first else 0
    return Rule(
        tag=-1,
        key=entry.key,
        kind=RuleKind.VOTE,
        level=level,
        setpoint=setpoint,
        deadband=deadband,
        on_delay=on_delay if entry.on_delay == NOT_GIVEN else entry.on_delay,
        off_delay=entry.off_delay,
        latching=entry.latching,
        grade=None if entry.grade is None else Grade.parse(entry.grade),
        extra=RuleExtra(inputs=tuple(inputs), needed=entry.needed, low=low),
    )


def _deadband(tags: Collection[Tag], names: Names) -> float:
    """The least of what the tags' measurands give."""
    shares = [
        round(names.tags.measurands.by_key[tag.measurand].deadband * (tag.high - tag.low), 12)
        for tag in tags
        if math.isfinite(tag.high - tag.low)
    ]
    return min(shares, default=0.0)


def _expression(rule: UnitRule, entry: ExpressionEntry, names: Names) -> Rule | None:
    def is_tag(name: str) -> bool:
        return "/" not in name and names.tag(rule.enterprise, name) is not None

    try:
        expression = parse(entry.when, is_tag)
        inputs = [names.tag(rule.enterprise, name) for name in expression.names]
        known = [index for index in inputs if index is not None and index >= 0]
        if len(known) < len(inputs):
            return None
        tags = [names.tags.tags[index] for index in known]
        units = {tag.name: tag.engineering_unit for tag in tags}
        spelled: dict[str, str] = {}  # by canonical unit: faults tell it as the first tag has it
        expression.check_units(
            lambda name: spelled.setdefault(names.tags.measurands.canonical_unit(units[name]), units[name])
        )
    except ExpressionFault as fault:
        rule.fault("when", f"{fault.message} (character {fault.position + 1})", fault.remedy)
        return None
    return Rule(
        tag=-1,
        key=entry.key,
        kind=RuleKind.EXPRESSION,
        level=Level(entry.level),
        on_delay=entry.on_delay,
        off_delay=entry.off_delay,
        latching=entry.latching,
        grade=None if entry.grade is None else Grade.parse(entry.grade),
        extra=RuleExtra(inputs=tuple(known), expression=entry.when),
    )


def _near(name: str, enterprise: str, names: Names) -> str:
    """A tag of the enterprise that may have been meant, where they are few enough to be told."""
    own = [tag.name for tag in names.tags.tags if tag.enterprise == enterprise][:200]
    if len(own) <= 20:  # noqa: PLR2004 - what a reader takes in
        return suggestion(name, own)
    return "Write the name of a tag of the same enterprise."
