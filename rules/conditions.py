"""The conditions of one family of rules, and what the engine asks of a family."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, Self

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8
from domain.site import RuleTable
from rules.arrivals import Readings
from rules.scan import AGAINST, FOR, ConditionState, TickAfter, Toggles, enter, group_begins, scan
from rules.ticks import LONGEST_PATIENCE, NEVER, Ticks, at_or_after


def begins_by_tag(tag: Int64, tag_count: int) -> Int64:
    """Where the entries of each tag begin in a sorted column, and last where they end."""
    if not len(tag):
        return np.broadcast_to(np.int64(0), (tag_count + 1,))  # of no size in memory
    return np.searchsorted(tag, np.arange(tag_count + 1))


class Conditions:
    """The rules of one family: the rows of the rule table they stand in, their delays and state.

    Columns have one entry a condition, sorted by tag.
    """

    def __init__(self, rules: RuleTable, rows: Int64, tag_count: int) -> None:
        self.rows = rows
        self.tag = rules.tag[rows].astype(np.int64)
        self.on_delay = rules.on_delay[rows]
        self.off_delay = rules.off_delay[rows]
        self.state = ConditionState.out(len(rows))
        self.tick_after: TickAfter | None = None
        """Of readings of the past: the ticks between them."""
        self._start = begins_by_tag(self.tag, tag_count)

    def pairs(self, tag: Int64) -> tuple[Int64, Int64]:
        """All pairs of an entry of ``tag`` and a condition of it: positions in ``tag``, and indices of conditions."""
        first = self._start[tag]
        count = self._start[tag + 1] - first
        entry = np.repeat(np.arange(len(tag)), count)
        ends = np.cumsum(count)
        return entry, np.arange(len(entry)) + np.repeat(first - (ends - count), count)

    def of_same_tags(self, condition: Int64) -> tuple[Int64, Int64, Int64]:
        """All conditions of the tags of at least one: the tags, where those of each begin, and the conditions."""
        tag = np.sort(self.tag[condition])  # ten times as fast as np.unique, which hashes
        tag = tag[group_begins(tag)]
        owner, condition = self.pairs(tag)
        return tag, group_begins(owner).nonzero()[0], condition

    def steady(self, condition: Int64) -> Bool:
        """Which of these conditions have no run under way."""
        steady: Bool = self.state.since[condition] == 0
        return steady

    def busy(self, condition: Int64) -> Bool:
        """Which of these conditions are in or have a run under way."""
        return self.state.inside[condition] | ~self.steady(condition)

    def run(self, condition: Int64, time: Int64, received: Int64, value: Float64, verdict: UInt8) -> Toggles | None:
        """Evaluate readings of conditions (columns of equal length, in order of time); None where nothing toggles."""
        picked = self._touched(condition, verdict)
        if not len(picked):
            return None
        return self._scan(picked, condition[picked], time, received, value, verdict)

    def along(self, condition: int, time: Int64, received: Int64, value: Float64, verdict: UInt8) -> Toggles | None:
        """As ``run``, of many readings of one condition: only those that may decide are looked at.

        Those are the first and the last of each run of equal verdicts, the one at which a delay has run out, and the
        newest before a tick with which it has.
        """
        state, on_delay, off_delay = self.state, int(self.on_delay[condition]), int(self.off_delay[condition])
        opposing = AGAINST if state.inside[condition] else FOR
        begun = int(state.since[condition])
        if not len(verdict) or (not begun and not (verdict == opposing).any()):
            return None
        first = np.append(0, np.flatnonzero(verdict[1:] != verdict[:-1]) + 1)
        last = np.append(first[1:], len(verdict)) - 1
        kind, since, since_received = verdict[first], time[first], received[first]
        if begun and kind[0] == opposing:
            since[0], since_received[0] = begun, state.since_received[condition]
        deciding = [first, last]
        if on_delay or off_delay:
            due = since + np.where(kind == FOR, on_delay, off_delay)
            shown_by = np.clip(np.searchsorted(time, due), first, last)
            deciding.append(shown_by)
        if on_delay and self.tick_after is not None:
            until = np.where(time[shown_by] >= due, shown_by, np.minimum(last + 1, len(time) - 1))
            run = np.flatnonzero((kind == FOR) & (since_received + on_delay < received[until]))
            who = np.full(len(run), condition)
            tick = self.tick_after(who, since_received[run] + on_delay, received[until[run]])
            newest = np.searchsorted(received, tick, side="right") - 1
            deciding.append(np.clip(newest, first[run], last[run]))
        picked = np.sort(np.concatenate(deciding))
        picked = picked[group_begins(picked)]
        return self._scan(picked, np.full(len(picked), condition), time, received, value, verdict)

    def _scan(
        self, picked: Int64, condition: Int64, time: Int64, received: Int64, value: Float64, verdict: UInt8
    ) -> Toggles | None:
        """Carry the state over the readings ``picked``, each of the ``condition`` beside it; None: nothing toggles."""
        toggles = scan(
            self.state,
            self.on_delay,
            self.off_delay,
            condition,
            time[picked],
            received[picked],
            value[picked],
            verdict[picked],
            self.tick_after,
        )
        if not len(toggles):
            return None
        return replace(toggles, shown_by=np.where(toggles.shown_by < 0, -1, picked[toggles.shown_by]))

    def of_tag(self, tag: int) -> range:
        """The conditions of one tag."""
        return range(int(self._start[tag]), int(self._start[tag + 1]))

    def break_runs(self, tag: Int64) -> Int64:
        """Break what is under way at some tags, each once in ``tag``; returns all their conditions."""
        _, condition = self.pairs(tag)
        self.state.since[condition] = 0
        return condition

    def waiting(self) -> Int64:
        """The conditions that are out and may enter by the passing of time."""
        return np.flatnonzero((self.state.since != 0) & ~self.state.inside)

    def ripen_between(self) -> Toggles | None:
        """Conditions that the readings left waiting enter with the ticks between those; None where none does."""
        waiting = self.waiting()
        if self.tick_after is None or not len(waiting):
            return None
        tick = self.tick_after(waiting, self.state.since_received[waiting] + self.on_delay[waiting], None)
        ripe = tick < NEVER
        return enter(self.state, self.on_delay, waiting[ripe], tick[ripe]) if ripe.any() else None

    def ripen_until(self, now: int, heard: Int64, period: Int64) -> Toggles | None:
        """Conditions that wait and had to, until a tick not after ``now``, enter; None where none does.

        ``heard``, ``period``: of each tag.
        """
        waiting = self.waiting()
        if not len(waiting):
            return None
        last, awaited = self.awaited(waiting, heard, period)
        due = self.state.since_received[waiting] + self.on_delay[waiting]
        tick = at_or_after(np.maximum(due, last + np.minimum(awaited, LONGEST_PATIENCE)))
        ripe = tick <= now
        return enter(self.state, self.on_delay, waiting[ripe], tick[ripe]) if ripe.any() else None

    def awaited(self, condition: Int64, heard: Int64, period: Int64) -> tuple[Int64, Int64]:
        """When what these conditions look at was heard last, and the time until the next reading is expected.

        ``heard``, ``period``: of each tag.
        """
        tag = self.tag[condition]
        return heard[tag], period[tag]

    def heed(self, readings: Readings, heard: Int64, period: Int64) -> None:
        """Take note of the ticks between the readings that come next; ``heard``, ``period``: of each tag."""
        if not len(self.rows):
            return
        tag = readings.tag[readings.begins]
        patience = np.minimum(period[tag], LONGEST_PATIENCE)
        ticks = Ticks(tag, readings.begins, readings.counts, readings.received_time, heard[tag], patience)
        self.tick_after = lambda condition, time, until: ticks.after(self.tag[condition], time, until)

    def inputs(self, condition: Int64) -> Sequence[tuple[tuple[int, float], ...]]:
        """What each of these conditions knows of its inputs, if they are several."""
        return [()] * len(condition)

    def shares(self, condition: Int64) -> Sequence[tuple[float, ...]]:
        """What share each of these inputs has in what the condition looks at, where that can be told."""
        return [()] * len(condition)

    def take_over(self, old: "Conditions", rows: Int64) -> tuple[Int64, Int64]:
        """Take the state of another family's conditions: ``rows[j]`` is the row here of its table's row j, or -1.

        Returns the conditions there that have gone on, and the same here.
        """
        row = rows[old.rows]
        place = np.searchsorted(self.rows, row)
        known = (row >= 0) & (place < len(self.rows))
        known[known] = self.rows[place[known]] == row[known]
        there, here = np.flatnonzero(known), place[known]
        for column in ConditionState.__slots__:
            getattr(self.state, column)[here] = getattr(old.state, column)[there]
        return there, here

    def restore(self, inside: Int64) -> Int64:
        """Set the conditions of these rows of the rule table to in; returns those of this family that were out.

        One that is in already keeps its run under way.
        """
        restored = np.flatnonzero(np.isin(self.rows, inside) & ~self.state.inside)
        self.state.inside[restored] = True
        self.state.since[restored] = 0
        return restored

    def inside(self) -> Int64:
        """Rows of the rule table whose condition is in."""
        return self.rows[self.state.inside]

    def _touched(self, condition: Int64, verdict: UInt8) -> Int64:
        """Positions of the readings of all conditions that may change, sorted by condition.

        A condition in a steady state with no run under way is left alone by readings that don't oppose it.
        """
        inside = self.state.inside[condition]
        opposing = np.where(inside, np.uint8(AGAINST), np.uint8(FOR)) == verdict
        stirred = opposing | ~self.steady(condition)
        if not stirred.any():
            return np.empty(0, dtype=np.int64)
        picked = np.flatnonzero(np.isin(condition, condition[stirred]))
        return picked[np.argsort(condition[picked], kind="stable")]


class Family(Protocol):
    """Rules of one family, evaluated together. A new rule kind that looks at readings is a new family."""

    conditions: Conditions

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        ...

    def settle(self, condition: Int64) -> None:
        """Take note that the state of these conditions has changed."""
        del condition

    def restore(self, inside: Int64) -> None:
        """Set the conditions of these rows of the rule table to in."""
        self.settle(self.conditions.restore(inside))

    def begin_anew(self, tag: Int64) -> None:
        """Whatever comes next of these tags, each once in ``tag``, has nothing to do with what came before."""
        self.settle(self.conditions.break_runs(tag))

    def fall_silent(self, tag: Int64, now: int) -> Toggles | None:
        """These tags have become stale; None where nothing toggles by it."""
        del tag, now
        return None

    def minds_silence(self) -> Int64:
        """The tags whose silence means something to these rules."""
        return np.empty(0, dtype=np.int64)

    def take_over(self, old: Self, tags: Int64, rows: Int64) -> Int64:
        """Go on where another left off: ``tags[i]``, ``rows[j]`` are the index here of its tag i and row j, or -1.

        Returns the conditions that have gone on.
        """
        del tags
        _, here = self.conditions.take_over(old.conditions, rows)
        self.settle(here)
        return here
