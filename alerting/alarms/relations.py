"""What the register has to know of a site's rules: each rule's facts, and what follows from what.

Relations between conditions hold within one enterprise; one that names another enterprise's condition is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.scales import RuleKind
from domain.site import Rule, Site, Tag

LINK = "LINK"
"""Key of the rule of a gateway that is lost."""
FAULTS = ("STALE", "BAD")
"""Keys of the rules by which a tag cannot be trusted."""
_SAID_BY_NO_READING = frozenset({RuleKind.STALE, RuleKind.BAD, RuleKind.SYSTEM})
_KEPT = 100_000
"""Rules whose facts are kept at hand."""
_NONE: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """One rule, its tag, and where both belong."""

    path: str
    """``enterprise/tag/rule``."""
    rule: Rule
    tag: Tag
    region: str


class Relations:
    """Built once for a site, from the few rules that have relations."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._facts: dict[int, RuleFacts] = {}
        self._suppressors: dict[str, tuple[str, ...]] = {}
        self._suppressed: dict[str, list[str]] = {}
        self._looked_at: dict[str, tuple[str, ...]] = {}
        self._leaning: dict[str, list[str]] = {}
        self._parents: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        self._re_alarm: dict[str, int] = {}
        for row in sorted(site.rules.extras):
            extra = site.rules.extras[row]
            path = site.rule_path(row)
            own = path.partition("/")[0]
            suppressors = tuple(other for other in extra.suppressed_by if other.partition("/")[0] == own)
            if suppressors:
                self._suppressors[path] = suppressors
            for other in suppressors:
                self._suppressed.setdefault(other, []).append(path)
            if extra.parent is not None and extra.parent.partition("/")[0] == own:
                self._parents[path] = extra.parent
                self._children.setdefault(extra.parent, []).append(path)
            if extra.re_alarm:
                self._re_alarm[path] = extra.re_alarm
        for path, suppressed in self._suppressed.items():
            self._looked_at[path] = self._tags_of(path)
            for tag in self._looked_at[path]:
                self._leaning.setdefault(tag, []).extend(suppressed)

    @property
    def site(self) -> Site:
        """What is watched."""
        return self._site

    def of_row(self, row: int) -> RuleFacts:
        """Facts of a row of the rule table."""
        found = self._facts.get(row)
        if found is None:
            site = self._site
            rule = site.rules.row(row)
            tag = _as_voted(site, rule, site.tags[rule.tag])
            found = RuleFacts(f"{tag.enterprise}/{tag.name}/{rule.key}", rule, tag, site.region_of(tag.enterprise))
            if len(self._facts) >= _KEPT:
                self._facts.clear()
            self._facts[row] = found
        return found

    def kind_of(self, rule_path: str) -> RuleKind | None:
        """What a rule watches; None: the site has no such rule."""
        try:
            return RuleKind(int(self._site.rules.kind[self._site.rule_row(rule_path)]))
        except KeyError:
            return None

    def gateway_of(self, enterprise: str, tag: str) -> str | None:
        """Gateway that a tag's readings come through; None: the site has no such tag."""
        index = self._site.tag_index.get(f"{enterprise}/{tag}")
        return None if index is None else self._site.tags[index].gateway

    def suppressors_of(self, rule_path: str) -> Sequence[str]:
        """Conditions that suppress this one by design, in the order of its rule."""
        return self._suppressors.get(rule_path, _NONE)

    def suppressed_by(self, rule_path: str) -> Sequence[str]:
        """Conditions that this one suppresses by design."""
        return self._suppressed.get(rule_path, _NONE)

    def looked_at_by(self, suppressor: str) -> Sequence[str]:
        """Paths of the tags whose readings make a condition that suppresses others; none for faults."""
        return self._looked_at.get(suppressor, _NONE)

    def leaning_on(self, tag_path: str) -> Sequence[str]:
        """Conditions that are suppressed by design by what readings of this tag say."""
        return self._leaning.get(tag_path, _NONE)

    def parent_of(self, rule_path: str) -> str | None:
        """The condition that this one follows from."""
        return self._parents.get(rule_path)

    def children_of(self, rule_path: str) -> Sequence[str]:
        """The conditions that follow from this one."""
        return self._children.get(rule_path, _NONE)

    def re_alarm_of(self, rule_path: str) -> int:
        """Time, ms, after which an acknowledged alarm that is still in sounds again; 0: never."""
        return self._re_alarm.get(rule_path, 0)

    def _tags_of(self, rule_path: str) -> tuple[str, ...]:
        try:
            rule = self._site.rules.row(self._site.rule_row(rule_path))
        except KeyError:
            return _NONE
        if rule.kind in _SAID_BY_NO_READING:
            return _NONE
        tags = [rule.tag]
        if rule.extra is not None:
            tags += rule.extra.inputs
            if rule.extra.reference is not None and rule.extra.reference.tag >= 0:
                tags.append(rule.extra.reference.tag)
        return tuple(self._site.tags[tag].path for tag in tags)


def link_path(enterprise: str, gateway: str) -> str:
    """Path of the condition that a gateway is lost."""
    return f"{enterprise}/@{gateway}/{LINK}"


def _as_voted(site: Site, rule: Rule, tag: Tag) -> Tag:
    """The system tag of a vote with the unit and the gas of what votes: a vote of gas detectors is an alarm of gas."""
    if rule.kind is not RuleKind.VOTE or rule.extra is None:
        return tag
    voters = [site.tags[index] for index in rule.extra.inputs]
    gas = voters[0].gas if len({voter.gas for voter in voters}) == 1 else None
    return replace(tag, engineering_unit=voters[0].engineering_unit, gas=gas)
