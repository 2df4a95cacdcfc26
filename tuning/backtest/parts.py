"""Parts of a site: what rules tie together, and sites of fewer tags."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from domain.samples import Int64
from domain.scales import RuleKind
from domain.site import RuleExtra, RuleTable, Site

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Part:
    """Some tags of a site with some of its rules, as a site of its own.

    tags: of each tag here its index in the whole; rows: of each rule its row there
    """

    site: Site
    tags: Int64
    rows: Int64


def restrict(site: Site, tags: Collection[str]) -> Site:
    """The site of some tags (paths) and all rules that look at them.

    The tags that these rules look at besides are in it, with their STALE rules alone: they say when such a tag has no
    value. Raises KeyError for a tag that the site does not have.
    """
    asked = rules_of(site, [site.tag_index[path] for path in tags])
    return part_of(site, *needed(site, asked, [site.tag_index[path] for path in tags])).site


def rules_of(site: Site, tags: Iterable[int]) -> list[int]:
    """Rows of the rules that these tags have a say in, without the service's own conditions."""
    return [row for row in site.rules.looking_at(tags) if site.rules.kind[row] != RuleKind.SYSTEM]


def needed(site: Site, rows: Collection[int], tags: Iterable[int] = ()) -> tuple[list[int], list[int]]:
    """Tags and rows that these rules cannot be evaluated without, themselves included; sorted."""
    seen = set(tags)
    for row in rows:
        seen.add(int(site.rules.tag[row]))
        seen.update(_looked_at(site, row))
    silences = [row for row in site.rules.looking_at(seen) if site.rules.kind[row] == RuleKind.STALE]
    return sorted(seen), sorted({*rows, *silences})


def components(site: Site, rows: Collection[int]) -> Iterator[tuple[list[int], list[int]]]:
    """Tags and rows of each component: no rule of one looks at a tag of another."""
    root: dict[int, int] = {}

    def find(tag: int) -> int:
        while root.setdefault(tag, tag) != tag:
            root[tag] = root[root[tag]]
            tag = root[tag]
        return tag

    for row in rows:
        own = find(int(site.rules.tag[row]))
        for tag in _looked_at(site, row):
            root[find(tag)] = own
    of_root: dict[int, tuple[list[int], list[int]]] = {}
    for tag in sorted(root):
        of_root.setdefault(find(tag), ([], []))[0].append(tag)
    for row in rows:
        of_root[find(int(site.rules.tag[row]))][1].append(row)
    yield from of_root.values()


def part_of(site: Site, tags: Sequence[int], rows: Sequence[int]) -> Part:
    """The part of some tags and rows, both sorted; the rows look at no other tags."""
    place = {tag: index for index, tag in enumerate(tags)}
    extras: dict[int, RuleExtra] = {}
    chosen: dict[int, int] = {}
    for index, row in enumerate(rows):
        extra = site.rules.extras.get(row)
        if extra is not None:
            selector = -1 if extra.selector < 0 else chosen.setdefault(extra.selector, len(chosen))
            extras[index] = _renumbered(extra, place, selector)
    selectors = [site.selectors[selector] for selector in chosen]
    at = np.array(rows, dtype=np.int64)
    table = site.rules
    rules = RuleTable(
        tag=np.array([place[tag] for tag in table.tag[at].tolist()], dtype=np.int32),
        kind=table.kind[at],
        level=table.level[at],
        setpoint=table.setpoint[at],
        deadband=table.deadband[at],
        on_delay=table.on_delay[at],
        off_delay=table.off_delay[at],
        window=table.window[at],
        latching=table.latching[at],
        grade=table.grade[at],
        version=table.version[at],
        default=table.default[at],
        key=[table.key[row] for row in rows],
        start=np.empty(0, dtype=np.int64),
        extras=extras,
    )
    rules = replace(rules, start=np.searchsorted(rules.tag, np.arange(len(tags) + 1)).astype(np.int64))
    own = [site.tags[tag] for tag in tags]
    small = Site(
        regions=site.regions,
        enterprises={tag.enterprise: site.enterprises[tag.enterprise] for tag in own},
        units=_of_tags(site.units, [(tag.enterprise, tag.unit) for tag in own]),
        gateways=_of_tags(site.gateways, [(tag.enterprise, tag.gateway) for tag in own]),
        tags=own,
        rules=rules,
        revision=site.revision,
        selectors=[
            replace(selector, tag=place[selector.tag]) if selector.tag >= 0 else selector for selector in selectors
        ],
    )
    return Part(small, np.array(tags, dtype=np.int64), at)


def _of_tags(things: Mapping[tuple[str, str], Thing], keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Thing]:
    return {key: things[key] for key in keys if key in things}


def _looked_at(site: Site, row: int) -> set[int]:
    """The tags that a rule looks at besides its own."""
    extra = site.rules.extras.get(row)
    if extra is None:
        return set()
    tags = set(extra.inputs)
    if extra.reference is not None and extra.reference.tag >= 0:
        tags.add(extra.reference.tag)
    if extra.selector >= 0 and site.selectors[extra.selector].tag >= 0:
        tags.add(site.selectors[extra.selector].tag)
    return tags


def _renumbered(extra: RuleExtra, place: dict[int, int], selector: int) -> RuleExtra:
    reference = extra.reference
    if reference is not None and reference.tag >= 0:
        reference = replace(reference, tag=place[reference.tag])
    return replace(extra, inputs=tuple(place[tag] for tag in extra.inputs), reference=reference, selector=selector)
