"""What two configurations differ in: for people, thing by thing and field by field."""

import dataclasses
import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from domain.places import Position, Wind
from domain.samples import Int64
from domain.scales import RuleKind
from domain.site import Reference, RuleExtra, Selector, Site
from service.config.documents import DocumentSet
from service.revisions.matching import Matching

ACTS = ADDED, REMOVED, CHANGED = "added", "removed", "changed"
LARGEST_PATCH = 400
"""Lines of a document's difference that are shown [ours]."""
LARGEST_COMPARED = 100_000
"""Bytes of a document whose lines are compared; a larger one is a point table, whose tags are shown [ours]."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field; None: not there, or nothing."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was added, removed or changed."""

    what: str
    """``region``, ``enterprise``, ``unit``, ``gateway``, ``tag``, ``rule`` or ``mode``."""
    path: str
    act: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """One document; ``patch`` shows the lines of a small one as ``diff -u`` does."""

    name: str
    act: str
    patch: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """``counts``: what -> act -> number, of all; ``items``: the first of them, ``more`` of them are not listed."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    more: int = 0
    documents: tuple[DocumentChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing differs, not even a text."""
        return not (self.counts or self.documents)


def compare(old: tuple[Site, DocumentSet], new: tuple[Site, DocumentSet], matching: Matching, limit: int) -> Difference:
    """The difference of two configurations; at most ``limit`` things are listed, and all are counted.

    Rules of a tag that is new or gone are counted, and listed with their tag only.
    """
    counts: dict[str, dict[str, int]] = {}

    def count(what: str, act: str, number: int = 1) -> None:
        if number:
            of = counts.setdefault(what, {})
            of[act] = of.get(act, 0) + number

    documents = tuple(_documents(old[1], new[1]))
    for document in documents:
        count("document", document.act)
    _count_rules(old[0], new[0], matching, count)
    items: list[Item] = []
    more = 0
    for item in _items(old[0], new[0], matching):
        if item.what != "rule":
            count(item.what, item.act)
        if len(items) < limit:
            items.append(item)
        else:
            more += 1
    return Difference(counts, tuple(items), more, documents)


def _count_rules(old: Site, new: Site, matching: Matching, count: Callable[[str, str, int], None]) -> None:
    found = int((matching.rows >= 0).sum())
    count("rule", ADDED, len(new.rules) - found)
    count("rule", REMOVED, len(old.rules) - found)
    count("rule", CHANGED, len(_changed_rules(old, new, matching)))


def _changed_rules(old: Site, new: Site, matching: Matching) -> Int64:
    """Rows of the old site whose rule reads otherwise in the new one."""
    found = np.flatnonzero(matching.rows >= 0)
    other = ~matching.same_rule[found] | (old.rules.default[found] != new.rules.default[matching.rows[found]])
    changed: Int64 = found[other]
    return changed


def _items(old: Site, new: Site, matching: Matching) -> Iterator[Item]:
    """Everything that differs but documents, in the order of a site file."""
    yield from _mappings("region", old.regions, new.regions)
    yield from _mappings("enterprise", old.enterprises, new.enterprises)
    yield from _mappings("unit", _by_path(old.units), _by_path(new.units))
    yield from _mappings("gateway", _by_path(old.gateways), _by_path(new.gateways))
    yield from _mappings("mode", _selectors(old), _selectors(new))
    yield from _tags(old, new, matching)
    yield from _rules(old, new, matching)


def _tags(old: Site, new: Site, matching: Matching) -> Iterator[Item]:
    for index, at in enumerate(matching.tags.tolist()):
        tag = old.tags[index]
        if tag.system:
            continue
        if at < 0:
            yield Item("tag", tag.path, REMOVED, _fields(_tag(old, index), {}))
        elif tag != new.tags[at]:
            yield Item("tag", tag.path, CHANGED, _fields(_tag(old, index), _tag(new, at), common=True))
    for index in np.setdiff1d(np.arange(len(new.tags)), matching.tags).tolist():
        if not new.tags[index].system:
            yield Item("tag", new.tags[index].path, ADDED, _fields({}, _tag(new, index)))


def _rules(old: Site, new: Site, matching: Matching) -> Iterator[Item]:
    for row in np.flatnonzero(matching.rows < 0).tolist():
        if matching.tags[old.rules.tag[row]] >= 0:
            yield Item("rule", old.rule_path(row), REMOVED, _fields(_rule(old, row), {}))
    for row in _changed_rules(old, new, matching).tolist():
        before, after = _rule(old, row), _rule(new, int(matching.rows[row]))
        fields = _fields(before, after, common=True)
        if fields:  # else it is the tag under it that means something else now
            yield Item("rule", old.rule_path(row), CHANGED, fields)
    kept = np.isin(new.rules.tag, matching.tags)
    for row in np.setdiff1d(np.flatnonzero(kept), matching.rows).tolist():
        yield Item("rule", new.rule_path(row), ADDED, _fields({}, _rule(new, row)))


def _mappings(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Item]:
    for key, before in old.items():
        after = new.get(key)
        if after is None:
            yield Item(what, key, REMOVED, _fields(_plain(before), {}))
        elif before != after:
            yield Item(what, key, CHANGED, _fields(_plain(before), _plain(after), common=True))
    for key, after in new.items():
        if key not in old:
            yield Item(what, key, ADDED, _fields({}, _plain(after)))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], *, common: bool = False) -> tuple[FieldChange, ...]:
    """Fields that differ; of something that is new or gone, those that say anything."""
    names = dict.fromkeys((*old, *new))
    changes = (FieldChange(name, old.get(name), new.get(name)) for name in names)
    if common:
        return tuple(change for change in changes if change.old != change.new)
    return tuple(change for change in changes if (change.old, change.new) not in _SAYS_NOTHING)


_SAYS_NOTHING: tuple[tuple[Any, Any], ...] = ((None, None), ("", None), (None, ""), (False, None), (None, False))


def _by_path(held: Mapping[Any, Any]) -> dict[str, Any]:
    return {thing.path: thing for thing in held.values()}


def _plain(thing: Any) -> dict[str, Any]:
    """Fields of a record but for those that are its path."""
    if isinstance(thing, Mapping):
        return dict(thing)
    own = {"code", "enterprise", "id"} if hasattr(thing, "path") or hasattr(thing, "parent") else {"id"}
    return {part.name: _value(getattr(thing, part.name)) for part in dataclasses.fields(thing) if part.name not in own}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return str(value) if isinstance(value, Position | Wind) else value


def _tag(site: Site, index: int) -> dict[str, Any]:
    tag = site.tags[index]
    fields = {
        part.name: _value(getattr(tag, part.name))
        for part in dataclasses.fields(tag)
        if part.name not in {"enterprise", "name", "system", "gas"}
    }
    shown = [f"{site.rules.key[row]} {_limit(site, row)}".strip() for row in site.rules.of_tag(index)]
    return fields | {"rules": ", ".join(shown)}


def _limit(site: Site, row: int) -> str:
    return f"{site.rules.setpoint[row]:.12g}" if site.rules.kind[row] <= RuleKind.FALL else ""


def _rule(site: Site, row: int) -> dict[str, Any]:
    rule = site.rules.row(row)
    fields: dict[str, Any] = {
        "kind": rule.kind.name.lower(),
        "level": rule.level.value,
        "setpoint": rule.setpoint,
        "deadband": rule.deadband,
        "on_delay": rule.on_delay,
        "off_delay": rule.off_delay,
        "window": rule.window,
        "latching": rule.latching,
        "grade": rule.grade.label if rule.grade else None,
        "default": rule.default,
    }
    return fields if rule.extra is None else fields | _extra(site, rule.extra)


def _extra(site: Site, extra: RuleExtra) -> dict[str, Any]:
    reference = extra.reference
    return {
        "side": extra.side,
        "reference": None if reference is None else _reference(site, reference),
        "inputs": _value(tuple(site.tags[index].path for index in extra.inputs)),
        "needed": extra.needed,
        "low": extra.low,
        "expression": extra.expression,
        "model": None if extra.model is None else extra.model.digest[:12],
        "modes": _value(tuple(f"{limit.mode} {limit.setpoint}" for limit in extra.modes)),
        "suppressed_by": _value(extra.suppressed_by),
        "parent": extra.parent,
        "re_alarm": extra.re_alarm,
        "cards": _value(extra.cards),
        "given": extra.given or None,
    }


def _reference(site: Site, reference: Reference) -> str:
    if reference.kind == "constant":
        return f"{reference.constant:.12g}"
    return site.tags[reference.tag].path if reference.kind == "tag" else f"median of {reference.window} ms"


def _selectors(site: Site) -> dict[str, dict[str, Any]]:
    return {selector.unit: _selector(site, selector) for selector in site.selectors}


def _selector(site: Site, selector: Selector) -> dict[str, Any]:
    return {
        "tag": site.tags[selector.tag].path if selector.tag >= 0 else None,
        "values": _value(tuple(f"{mode} {low:.12g}…{high:.12g}" for mode, low, high in selector.values)),
        "schedule": _value(selector.schedule),
    }


def _documents(old: DocumentSet, new: DocumentSet) -> Iterator[DocumentChange]:
    for name in sorted(old.digests.keys() | new.digests.keys()):
        if name not in new.digests:
            yield DocumentChange(name, REMOVED)
        elif name not in old.digests:
            yield DocumentChange(name, ADDED)
        elif old.digests[name] != new.digests[name]:
            yield DocumentChange(name, CHANGED, _patch(old.contents[name], new.contents[name]))
    if old.roots != new.roots:
        yield DocumentChange("(main file)", CHANGED, _patch(_listed(old.roots), _listed(new.roots)))


def _listed(roots: Mapping[str, Any]) -> bytes:
    return "".join(f"{key}: {value}\n" for key, value in roots.items()).encode()


def _patch(old: bytes, new: bytes) -> str:
    if max(len(old), len(new)) > LARGEST_COMPARED:
        return ""
    before, after = (content.decode("utf-8-sig", "replace").splitlines() for content in (old, new))
    lines = list(islice(difflib.unified_diff(before, after, n=1, lineterm=""), 2, LARGEST_PATCH + 3))
    if len(lines) > LARGEST_PATCH:
        lines[LARGEST_PATCH:] = ["…"]
    return "\n".join(lines)
