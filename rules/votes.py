"""Voting: at least M of N tags are at or beyond the setpoint (IEC 61511 practice).

A tag that is bad or stale has no vote. With k of them M' = max(1, M - k) of the others are enough: 2oo3 becomes 1oo2. A
tag that has not been heard yet since the start counts as nothing until its STALE rule says that it is silent; without
such a rule it is bad from the start.

* FOR: at least M' tags that are not bad are at or beyond the setpoint.
* A tag *stands* until a good reading says that it is back behind the deadband; one that went bad while it stood
  stands on, and so may one that has not been heard. A good reading is AGAINST where fewer than max(1, M - j) stand, j
  being the bad tags that do not. So no reading that is missing, bad or uncertain takes a vote back, and a detector
  that died while it was well does not hold the condition for ever.
* Between the two: NEITHER if M' of the tags that are not bad stand, else nothing is said.
"""

from dataclasses import replace
from typing import Self

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.inputs import SILENT, Events, Inputs, OverInputs
from rules.scan import AGAINST, FOR, NEITHER, Toggles, group_begins

_VOTES, _STANDS, _BAD, _BAD_AND_STANDS = range(4)


class Votes(OverInputs):
    """All VOTE rules. ``has_silence``, for each tag: it has a STALE rule."""

    def __init__(self, rules: RuleTable, has_silence: Bool) -> None:
        rows = np.flatnonzero(rules.kind == RuleKind.VOTE)
        extras = [rules.extras[row] for row in rows.tolist()]
        self.conditions = Inputs(rules, rows, [extra.inputs for extra in extras], len(has_silence))
        self._needed = np.array([extra.needed for extra in extras], dtype=np.int64)
        self._sign = np.array([-1.0 if extra.low else 1.0 for extra in extras])
        self._enter = rules.setpoint[rows] * self._sign
        self._leave = self._enter - rules.deadband[rows]
        awaited = has_silence[self.conditions.input]
        self._seats = np.zeros((4, len(awaited)), dtype=np.bool_)
        """What each slot is: votes, stands, bad, bad and stands."""
        self._seats[_STANDS] = awaited
        self._seats[_BAD] = ~awaited
        self._counts = np.zeros((4, len(rows)), dtype=np.int64)
        """How many of the slots of each condition are so."""
        self._heard = np.zeros(len(awaited), dtype=np.bool_)
        """Has had a reading that was not bad."""
        self._kept = np.zeros(len(awaited), dtype=np.bool_)
        """Stands until it is heard: the condition was in at the start."""
        self._count(np.arange(len(rows)))

    def judge(self, events: Events) -> tuple[UInt8, Float64]:
        """Verdict and number of votes at each event."""
        counts = self._counts_at(events)
        for_, degraded = self._enters(events.condition, counts)
        against = counts[_STANDS] < np.maximum(
            self._needed[events.condition] - counts[_BAD] + counts[_BAD_AND_STANDS], 1
        )
        neither = counts[_STANDS] - counts[_BAD_AND_STANDS] >= degraded
        verdict = np.full(len(events), SILENT, dtype=np.uint8)
        verdict[neither] = NEITHER
        verdict[against] = AGAINST
        verdict[~events.good | np.isnan(events.value)] = SILENT
        verdict[for_] = FOR
        return verdict, counts[_VOTES].astype(np.float64)

    def _enters(self, condition: Int64, counts: Int64) -> tuple[Bool, Int64]:
        """Whether there are enough votes, and how many are."""
        degraded = np.maximum(self._needed[condition] - counts[_BAD], 1)
        enters: Bool = counts[_VOTES] >= degraded
        return enters, degraded

    def _counts_at(self, events: Events) -> Int64:
        """The counts of an event's condition with each event; keeps those of the last."""
        order = np.argsort(events.slot, kind="stable")
        slot, condition = events.slot[order], events.condition[order]
        signed = events.value[order] * self._sign[condition]
        bad = np.isnan(signed)
        first = group_begins(slot)
        numbers = np.arange(len(slot))
        begin = np.maximum.accumulate(np.where(first, numbers, 0))
        heard = np.maximum.accumulate(np.where(bad, -1, numbers))
        in_block = heard >= begin
        stood = np.where(self._heard[slot], self._seats[_STANDS, slot], self._kept[slot])
        stands = ~(events.good[order] & (signed < self._leave[condition]))
        stands = np.where(in_block, stands[heard], stood)
        seats = np.stack([signed >= self._enter[condition], stands, bad, bad & stands])
        before = np.empty_like(seats)
        before[:, 1:] = seats[:, :-1]
        before[:, first] = self._seats[:, slot[first]]
        change = np.empty(seats.shape, dtype=np.int64)
        change[:, order] = seats.astype(np.int64) - before
        counts: Int64 = np.cumsum(change, axis=1)
        base = counts[:, events.begins] - change[:, events.begins] - self._counts[:, events.conditions]
        counts -= np.repeat(base, events.ends - events.begins, axis=1)
        # Assignment goes in order: the last event of a slot or condition stays.
        self._seats[:, slot] = seats
        self._heard[slot[in_block]] = True
        self._counts[:, events.conditions] = counts[:, events.ends - 1]
        return counts

    def restore(self, inside: Int64) -> None:
        """Set conditions to in: what of their inputs has not been heard may stand."""
        condition = self.conditions.restore(inside)
        slot = self.conditions.slots_of(condition)
        slot = slot[~self._heard[slot]]
        self._kept[slot] = self._seats[_STANDS, slot] = True
        self._seats[_BAD_AND_STANDS, slot] = self._seats[_BAD, slot]
        self._count(condition)

    def lose(self, tag: Int64) -> Int64:
        """These tags have no value from now on."""
        slot = super().lose(tag)
        stands = np.where(self._heard[slot], self._seats[_STANDS, slot], self._kept[slot])
        self._seats[_VOTES, slot] = False
        self._seats[_BAD, slot] = True
        self._seats[_STANDS, slot] = self._seats[_BAD_AND_STANDS, slot] = stands
        self._count(np.unique(self.conditions.owner[slot]))
        return slot

    def fall_silent(self, tag: Int64, now: int) -> Toggles | None:
        """These tags have become stale: fewer votes may be enough.

        A condition none of whose inputs was heard since it began anew has no instant to enter at: it awaits a reading.
        """
        condition = np.unique(self.conditions.owner[self.lose(tag)])
        condition = condition[self.conditions.instants(condition) > 0]
        counts = self._counts[:, condition]
        enters, _ = self._enters(condition, counts)
        if not enters.any():
            return None
        condition, votes = condition[enters], counts[_VOTES, enters]
        toggles = self.conditions.run(
            condition,
            self.conditions.instants(condition),
            np.full(len(condition), now, dtype=np.int64),
            votes.astype(np.float64),
            np.full(len(condition), FOR, dtype=np.uint8),
        )
        return None if toggles is None else replace(toggles, inputs=self.conditions.inputs(toggles.condition))

    def take_over(self, old: Self, tags: Int64, rows: Int64) -> Int64:
        """Go on where another left off, with its votes."""
        del tags
        there, here = self.conditions.take_over(old.conditions, rows)
        slot, old_slot = self.conditions.slots_of(here), old.conditions.slots_of(there)
        self._seats[:, slot] = old._seats[:, old_slot]
        self._heard[slot] = old._heard[old_slot]
        self._kept[slot] = old._kept[old_slot]
        self._count(here)
        return here

    def _count(self, condition: Int64) -> None:
        """Count the seats of these conditions."""
        if len(condition):
            width = self.conditions.width[condition]
            seats = self._seats[:, self.conditions.slots_of(condition)].astype(np.int64)
            self._counts[:, condition] = np.add.reduceat(seats, np.cumsum(width) - width, axis=1)
