"""Several versions of rules in one table, so that readings are read, sorted and held once for all of them.

Rules of one tag know nothing of each other, so a version beside another says what it would say alone. What they do
share is silence: a tag is silent for all of them when one of its STALE rules says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.samples import Int64
from domain.site import Rule, RuleTable, Selector, Site
from tuning.backtest.result import Episodes

MARK = "\N{MIDDLE DOT}"
"""Between a rule's key and the number of a version of it, in a table of versions; no key of a site holds it."""


@dataclass(frozen=True, slots=True)
class Versions:
    """A site whose rule table holds several versions."""

    site: Site
    row: Int64
    """Row of the site's table, by the order in which the versions were given."""

    def entered(self, episodes: Episodes) -> list[tuple[Int64, Int64]]:
        """By version: when it entered and left (-1: still in), ms of source time."""
        order = np.argsort(episodes.rule, kind="stable")
        bounds = np.searchsorted(episodes.rule[order], np.arange(len(self.site.rules) + 1))
        entered, left = episodes.entered_at[order], episodes.left_at[order]
        spans = [slice(bounds[row], bounds[row + 1]) for row in self.row.tolist()]
        return [(entered[span], left[span]) for span in spans]

    def renamed(self, episodes: Episodes, rows: Mapping[int, int]) -> Episodes:
        """The episodes of some versions, by number, as those of other rows of a rule table."""
        row_of = np.full(len(self.site.rules), -1, dtype=np.int64)
        row_of[self.row[list(rows)]] = list(rows.values())
        rule = row_of[episodes.rule]
        picked = np.flatnonzero(rule >= 0)
        picked = picked[np.lexsort((rule[picked], episodes.entered_at[picked]))]
        return Episodes(rule[picked], *(getattr(episodes, name)[picked] for name in Episodes.__slots__[1:]))


def with_versions(
    site: Site, versions: Sequence[Rule], fixed: Sequence[int] = (), selectors: Sequence[Selector] = ()
) -> Versions:
    """A site with these rules in place of its own; each gets a key of its own.

    ``fixed``: rows of its own rules that stay beside them. ``selectors``: what those of the rules count in, if that
    is not the site's own.
    """
    rules = [replace(rule, key=f"{rule.key}{MARK}{number}") for number, rule in enumerate(versions)]
    rules += [site.rules.row(row) for row in fixed]
    order = np.argsort([rule.tag for rule in rules], kind="stable")
    row = np.empty(len(rules), dtype=np.int64)
    row[order] = np.arange(len(rules))
    table = RuleTable.build(rules, len(site.tags))
    return Versions(replace(site, rules=table, selectors=selectors or site.selectors), row[: len(versions)])
