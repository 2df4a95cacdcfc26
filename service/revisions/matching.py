"""How one site's tags and rules go over into another's: what is the same, what has changed, what is gone.

A tag is known by its path, a rule by its tag and key. A rule is the same if it says the same of the same tag: in the
same engineering unit and measurand, by the same clock, with all its delays, references, inputs and modes. Whether its
setpoint is the measurand's default or the site's own, and in what unit it was given, is no part of it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from domain.samples import Bool, Int64
from domain.site import RuleExtra, RuleTable, Site
from ingest.decoder import live_clock

_COLUMNS = ("kind", "level", "setpoint", "deadband", "on_delay", "off_delay", "window", "latching", "grade")


@dataclass(frozen=True, slots=True)
class Matching:
    """From an old site of n tags and m rules to a new one.

    tags: int64, n: index of the tag of the same path, -1 where there is none
    same_tag: bool, n: its readings mean the same
    rows: int64, m: row of the rule of the same tag path and key, -1 where there is none
    same_rule: bool, m: that rule is the same
    """

    tags: Int64
    same_tag: Bool
    rows: Int64
    same_rule: Bool

    @property
    def kept_tags(self) -> Int64:
        """As ``tags``, -1 for those whose readings mean something else now."""
        return np.where(self.same_tag, self.tags, -1)

    @property
    def kept_rows(self) -> Int64:
        """As ``rows``, -1 for those that have changed."""
        return np.where(self.same_rule, self.rows, -1)

    def changed_rows(self, new: Site) -> Int64:
        """Rows of the new site whose rule is new or has changed."""
        fresh = np.ones(len(new.rules), dtype=np.bool_)
        fresh[self.rows[self.same_rule]] = False
        return np.flatnonzero(fresh)


def match(old: Site, new: Site) -> Matching:
    """Compare two sites."""
    tags = _match_tags(old, new)
    same_tag = _same_tags(old, new, tags)
    rows = _match_rows(old.rules, new.rules, tags)
    found = np.flatnonzero(rows >= 0)
    at = rows[found]
    same = same_tag[old.rules.tag[found]]
    for name in _COLUMNS:
        same &= getattr(old.rules, name)[found] == getattr(new.rules, name)[at]
    same_rule = np.zeros(len(old.rules), dtype=np.bool_)
    same_rule[found] = same
    _compare_extras(old, new, rows, same_rule)
    return Matching(tags, same_tag, rows, same_rule)


def _match_tags(old: Site, new: Site) -> Int64:
    if old.revision == new.revision and len(old.tags) == len(new.tags):
        return np.arange(len(old.tags))
    tags = np.full(len(old.tags), -1, dtype=np.int64)
    held = old.tag_index
    tags[np.fromiter(held.values(), np.int64, len(held))] = np.fromiter(
        (new.tag_index.get(path, -1) for path in held), np.int64, len(held)
    )
    return tags


def _same_tags(old: Site, new: Site, tags: Int64) -> Bool:
    """Whether readings of each old tag mean the same in the new site."""
    live_before, live_after = live_clock(old), live_clock(new)
    same = np.zeros(len(tags), dtype=np.bool_)
    for index, at in enumerate(tags.tolist()):
        if at >= 0:
            before, after = old.tags[index], new.tags[at]
            same[index] = before.measurand == after.measurand and before.engineering_unit == after.engineering_unit
    found = tags >= 0
    same[found] &= live_before[found] == live_after[tags[found]]
    return same


def _match_rows(old: RuleTable, new: RuleTable, tags: Int64) -> Int64:
    """Row of the rule of the same tag and key; a key is unique within its tag."""
    codes: dict[str, int] = {}
    for key in (*dict.fromkeys(old.key), *dict.fromkeys(new.key)):
        codes.setdefault(key, len(codes))
    span = len(codes) + 1
    new_id = new.tag.astype(np.int64) * span + np.fromiter(map(codes.__getitem__, new.key), np.int64, len(new))
    tag = tags[old.tag]
    old_id = np.where(tag >= 0, tag * span + np.fromiter(map(codes.__getitem__, old.key), np.int64, len(old)), -1)
    if not len(new_id):
        return np.full(len(old), -1, dtype=np.int64)
    order = np.argsort(new_id, kind="stable")
    place = np.minimum(np.searchsorted(new_id, old_id, sorter=order), len(new_id) - 1)
    row = order[place]
    return np.where(new_id[row] == old_id, row, -1)


def _compare_extras(old: Site, new: Site, rows: Int64, same_rule: Bool) -> None:
    """Take out of ``same_rule`` what differs in what few rules have, or rests on a tag or a selector that does."""
    for row in old.rules.extras.keys() | {int(at) for at in _rows_of_extras(new, rows)}:
        at = int(rows[row])
        if same_rule[row] and _spelled(old, old.rules.extras.get(row)) != _spelled(new, new.rules.extras.get(at)):
            same_rule[row] = False


def _rows_of_extras(new: Site, rows: Int64) -> Int64:
    """Old rows whose new rule has more than columns hold."""
    return np.flatnonzero(np.isin(rows, list(new.rules.extras)))


def _spelled(site: Site, extra: RuleExtra | None) -> Any:
    """What a rule has beyond its columns, with tags and selectors as themselves and not by their numbers."""
    if extra is None:
        return None
    plain = replace(extra, inputs=(), selector=-1, reference=None, given="")
    if plain == RuleExtra() and not extra.inputs and extra.selector < 0 and extra.reference is None:
        return None
    reference = extra.reference
    return (
        plain,
        [_meaning(site, index) for index in extra.inputs],
        None if reference is None else (replace(reference, tag=-1), _meaning(site, reference.tag)),
        _selector(site, extra.selector),
    )


def _selector(site: Site, index: int) -> Any:
    if index < 0:
        return None
    selector = site.selectors[index]
    return replace(selector, tag=-1), _meaning(site, selector.tag)


def _meaning(site: Site, index: int) -> tuple[str, ...] | None:
    if index < 0:
        return None
    tag = site.tags[index]
    return tag.path, tag.measurand, tag.engineering_unit
