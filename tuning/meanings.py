"""What a rule's condition depends on, apart from the readings: two rules that mean the same say the same."""

from collections.abc import Hashable, Mapping
from dataclasses import fields, replace

from domain.scales import RuleKind
from domain.site import Rule, RuleExtra, Selector, Site

_UNHEARD = frozenset({"inputs", "reference", "selector", "suppressed_by", "parent", "re_alarm", "cards", "given"})
"""Of a rule's extras: what is written by index, or concerns the alarm and not the condition."""


class Meanings:
    """The meanings of the rules of one site, comparable with those of another."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._silences: dict[int, list[int]] = {}
        for row, kind in enumerate(site.rules.kind.tolist()):
            if kind == RuleKind.STALE:
                self._silences.setdefault(int(site.rules.tag[row]), []).append(int(site.rules.window[row]))

    def of(self, row: int) -> Hashable:
        """The meaning of one rule."""
        rule = self._site.rules.row(row)
        figures = (rule.kind, rule.setpoint, rule.deadband, rule.on_delay, rule.off_delay, rule.window)
        joint = rule.extra is not None and looks_further(self._site, rule.extra)
        return (*figures, self.of_tag(rule.tag, joint=joint), self._of_extra(rule.extra))

    def of_tag(self, tag: int, *, joint: bool) -> Hashable:
        """What matters of a tag; ``joint``: to a rule that looks at several, to which it has no value while silent."""
        about = self._site.tags[tag]
        silence = tuple(sorted(self._silences.get(tag, ()))) if joint else ()
        return about.path, about.period, about.low, about.high, clock_of(self._site, tag), silence

    def _of_extra(self, extra: RuleExtra | None) -> Hashable:
        if extra is None:
            return None
        rest = tuple(repr(getattr(extra, field.name)) for field in fields(extra) if field.name not in _UNHEARD)
        inputs = tuple(self.of_tag(tag, joint=True) for tag in extra.inputs)
        reference: Hashable = None
        if extra.reference is not None:
            given = extra.reference
            tag = self.of_tag(given.tag, joint=True) if given.tag >= 0 else None
            reference = (given.kind, given.constant, given.window, tag)
        selector: Hashable = None
        if extra.selector >= 0:
            chosen = self._site.selectors[extra.selector]
            tag = self.of_tag(chosen.tag, joint=True) if chosen.tag >= 0 else None
            selector = (tag, chosen.values, chosen.schedule)
        return rest, inputs, reference, selector


def looks_further(site: Site, extra: RuleExtra) -> bool:
    """Whether a rule looks at other tags than its own, so that silence decides."""
    by_tag = extra.selector >= 0 and site.selectors[extra.selector].tag >= 0
    return bool(extra.inputs) or by_tag or (extra.reference is not None and extra.reference.tag >= 0)


def clock_of(site: Site, tag: int) -> str:
    """``clock`` of a tag's gateway."""
    about = site.tags[tag]
    gateway = site.gateways.get((about.enterprise, about.gateway))
    return "" if gateway is None else gateway.clock


def translated(rule: Rule, site: Site, place: Mapping[str, int], selectors: list[Selector]) -> Rule:
    """A rule of one site with its tags numbered as another has them; its selector is added to ``selectors``."""

    def there(tag: int) -> int:
        return place[site.tags[tag].path]

    extra = rule.extra
    if extra is not None:
        reference = extra.reference
        if reference is not None and reference.tag >= 0:
            reference = replace(reference, tag=there(reference.tag))
        chosen = -1
        if extra.selector >= 0:
            selector = site.selectors[extra.selector]
            selector = replace(selector, tag=there(selector.tag)) if selector.tag >= 0 else selector
            if selector not in selectors:
                selectors.append(selector)
            chosen = selectors.index(selector)
        inputs = tuple(there(tag) for tag in extra.inputs)
        extra = replace(extra, inputs=inputs, reference=reference, selector=chosen)
    return replace(rule, tag=there(rule.tag), extra=extra)
