"""Versions of rules: a rule's version is the number of the revision that last changed it, 1 at first.

Each revision keeps which rules it changed: their paths, one a line, compressed; ``enterprise/tag/`` with nothing after
it stands for all rules of a tag, as whole point tables come and go.
"""

import zlib
from collections.abc import Iterable

import numpy as np

from domain.samples import Int64
from domain.site import Site
from service.revisions.matching import Matching

LARGEST = 1 << 30
"""Bytes that the list of one revision may have uncompressed [ours]."""


def inherit(old: Site, new: Site, matching: Matching, number: int) -> bytes:
    """Set the versions of a new site's rules, in place, as revision ``number`` makes it of ``old``.

    Returns which rules it changed, to be kept.
    """
    version = new.rules.version
    version[:] = number
    kept = matching.same_rule
    version[matching.rows[kept]] = old.rules.version[kept]
    return _packed(new, matching.changed_rows(new))


def renew(site: Site, number: int) -> bytes:
    """As ``inherit``, where nothing is known of what was before: every rule counts as changed."""
    site.rules.version[:] = number
    return _packed(site, np.arange(len(site.rules)))


def restore(site: Site, changes: Iterable[tuple[int, bytes]]) -> None:
    """Set the versions of a site's rules, in place, from what all revisions changed, in their order."""
    version = site.rules.version
    version[:] = 1
    for number, packed in changes:
        for line in _lines(packed):
            tag, _, key = line.rpartition("/")
            index = site.tag_index.get(tag)
            if index is None:
                continue
            rows = site.rules.of_tag(index)
            if not key:
                version[rows.start : rows.stop] = number
                continue
            for row in rows:
                if site.rules.key[row] == key:
                    version[row] = number


def _packed(site: Site, rows: Int64) -> bytes:
    if not len(rows):
        return b""
    tags, counts = np.unique(site.rules.tag[rows], return_counts=True)
    whole = counts == site.rules.start[tags + 1] - site.rules.start[tags]
    lines = [f"{site.tags[tag].path}/" for tag in tags[whole].tolist()]
    lines += [site.rule_path(row) for row in rows[~np.isin(site.rules.tag[rows], tags[whole])].tolist()]
    return zlib.compress("\n".join(lines).encode())


def _lines(packed: bytes) -> list[str]:
    if not packed:
        return []
    return zlib.decompressobj().decompress(packed, LARGEST).decode().split("\n")
