"""What a backtest found, in columns."""

from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Float64, Int64
from domain.site import Site
from rules.scan import group_begins


@dataclass(frozen=True, slots=True)
class Transitions:
    """All transitions, in columns of equal length, ordered by received time, then rule; those of a rule in their order.

    rule: row of the site's rule table; entered: True in, False out
    source_time: when the condition became so by the gateway's clock; received_time: when that could be known (ms UTC)
    value: the value that decided, NaN where there is none
    """

    rule: Int64
    entered: Bool
    source_time: Int64
    received_time: Int64
    value: Float64

    def __len__(self) -> int:
        return len(self.rule)

    @classmethod
    def of(cls, rule: Int64, entered: Bool, source_time: Int64, received_time: Int64, value: Float64) -> "Transitions":
        """From columns in which the transitions of each rule stand in their order."""
        known = received_time
        if len(rule):
            # A service's clock that was set back must not turn the transitions of a rule around.
            by_rule = np.argsort(rule, kind="stable")
            known = np.empty_like(received_time)
            known[by_rule] = _greatest_so_far(rule[by_rule], received_time[by_rule])
        order = np.lexsort((rule, known))
        return cls(rule[order], entered[order], source_time[order], received_time[order], value[order])


@dataclass(frozen=True, slots=True)
class Episodes:
    """Alarms from in to out, in columns of equal length, ordered by when they entered, then rule.

    rule: row of the site's rule table; entered_at, left_at: ms UTC of source time, left_at -1 if still in at the end
    value: the value that decided at entering, NaN where there is none
    """

    rule: Int64
    entered_at: Int64
    left_at: Int64
    value: Float64

    def __len__(self) -> int:
        return len(self.rule)

    @classmethod
    def of(cls, transitions: Transitions) -> "Episodes":
        """Each entering with the leaving that follows it."""
        order = np.argsort(transitions.rule, kind="stable")
        rule, entered = transitions.rule[order], transitions.entered[order]
        time, value = transitions.source_time[order], transitions.value[order]
        enters = np.flatnonzero(entered)
        following = np.minimum(enters + 1, max(len(rule) - 1, 0))
        leaves = (following > enters) & (rule[following] == rule[enters]) & ~entered[following]
        left_at = np.where(leaves, time[following], -1)
        order = np.lexsort((rule[enters], time[enters]))
        return cls(rule[enters][order], time[enters][order], left_at[order], value[enters][order])


@dataclass(frozen=True, slots=True)
class Backtest:
    """A rule set over recorded readings.

    ``begin`` <= source time < ``end`` (ms UTC) of what was read; ``readings`` were evaluated, ``late`` of them came
    too late to raise anything; ``unknown_tags``: paths of recorded tags that the site does not have.
    """

    site: Site
    begin: int
    end: int
    readings: int
    late: int
    unknown_tags: tuple[str, ...]
    transitions: Transitions
    episodes: Episodes


def _greatest_so_far(group: Int64, column: Int64) -> Int64:
    """The greatest entry up to each, within groups that are sorted."""
    rank = np.argsort(np.argsort(column, kind="stable"), kind="stable")
    ordered = np.sort(column)
    place = np.cumsum(group_begins(group)) - 1
    found: Int64 = ordered[np.maximum.accumulate((place << 32) + rank) & 0xFFFF_FFFF]
    return found
