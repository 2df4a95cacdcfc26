"""Alarms of one condition by two rule sets, matched by overlap in time."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from domain.samples import Int64


class PairKind(StrEnum):
    """How an alarm of the one set is related to one of the other."""

    SAME = "same"
    ADDED = "added"
    """Only in the new set, at a time at which the old one had none."""
    REMOVED = "removed"
    """Only in the old set, at a time at which the new one has none."""
    EARLIER = "earlier"
    """In both, and the new one enters first."""
    LATER = "later"
    """In both, and the new one enters last."""
    LONGER = "longer"
    """Enters at the same time in both, and leaves later in the new set."""
    SHORTER = "shorter"
    SPLIT = "split"
    """Only in the new set, while the old one had an alarm that another one is matched with: one became several."""
    MERGED = "merged"
    """Only in the old set, while the new one has an alarm that another one is matched with: several became one."""


DIFFERENCES = tuple(kind.value for kind in PairKind if kind is not PairKind.SAME)
"""All but the first."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An alarm of the old set and one of the new, either may lack; (entered, left), ms, left -1: still in."""

    kind: PairKind
    old: tuple[int, int] | None
    new: tuple[int, int] | None

    @property
    def shift(self) -> int | None:
        """How much later the new alarm enters, ms; None where one lacks."""
        return None if self.old is None or self.new is None else self.new[0] - self.old[0]

    @property
    def span(self) -> tuple[int, int]:
        """From the first entering to the last leaving, -1: still in."""
        known = [each for each in (self.old, self.new) if each is not None]
        left = -1 if any(each[1] < 0 for each in known) else max(each[1] for each in known)
        return min(each[0] for each in known), left


def pair_up(old: tuple[Int64, Int64], new: tuple[Int64, Int64]) -> Iterator[Pair]:
    """Match alarms of one condition, (entered, left) of each set in order; every alarm is in exactly one pair.

    Those that overlap are matched in order, the first with the first.
    """
    forever = np.iinfo(np.int64).max
    olds, news = (list(zip(entered.tolist(), left.tolist(), strict=True)) for entered, left in (old, new))
    old_ends, new_ends = ([forever if left < 0 else left for _, left in each] for each in (olds, news))
    i = j = 0
    while i < len(olds) or j < len(news):
        if i < len(olds) and j < len(news) and olds[i][0] <= new_ends[j] and news[j][0] <= old_ends[i]:
            yield Pair(_kind(olds[i], news[j], old_ends[i], new_ends[j]), olds[i], news[j])
            i, j = i + 1, j + 1
        elif j == len(news) or (i < len(olds) and old_ends[i] < news[j][0]):
            within = j > 0 and olds[i][0] <= new_ends[j - 1]
            yield Pair(PairKind.MERGED if within else PairKind.REMOVED, olds[i], None)
            i += 1
        else:
            within = i > 0 and news[j][0] <= old_ends[i - 1]
            yield Pair(PairKind.SPLIT if within else PairKind.ADDED, None, news[j])
            j += 1


def _kind(old: tuple[int, int], new: tuple[int, int], old_end: int, new_end: int) -> PairKind:
    if new[0] != old[0]:
        return PairKind.EARLIER if new[0] < old[0] else PairKind.LATER
    if new_end == old_end:
        return PairKind.SAME
    return PairKind.LONGER if new_end > old_end else PairKind.SHORTER
