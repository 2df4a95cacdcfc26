"""What rules over several tags share: the newest readings of their inputs, and readings in the order of arrival.

Such a rule is evaluated whenever one of its inputs has a reading that counts, in the order of arrival, the other inputs
held at their newest. Its instant is the greatest source time among its inputs so far, and so never decreases. An input
that is bad, stale or was never heard has no value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8
from domain.site import RuleTable
from rules.arrivals import BAD, GOOD, Readings
from rules.conditions import Conditions, Family, begins_by_tag
from rules.scan import FOR, Toggles, group_begins
from rules.ticks import LONGEST_PATIENCE, Ticks

SILENT = 3
"""A verdict beside FOR, AGAINST and NEITHER: the reading says nothing, and a run under way goes on."""


@dataclass(frozen=True, slots=True)
class Events:
    """Readings, one entry for each condition that a reading concerns, sorted by condition and then by arrival.

    condition; slot: which input of which condition; value: NaN where it is bad; good: its quality is GOOD
    time: the condition's instant; own_time: the reading's; received_time
    begins: where each condition begins; conditions: those conditions
    """

    condition: Int64
    slot: Int64
    value: Float64
    good: Bool
    time: Int64
    own_time: Int64
    received_time: Int64
    begins: Int64

    def __len__(self) -> int:
        return len(self.condition)

    @property
    def conditions(self) -> Int64:
        """The conditions concerned, each once."""
        return self.condition[self.begins]

    @property
    def ends(self) -> Int64:
        """Where the events of each condition end."""
        return np.append(self.begins[1:], len(self))


class Inputs(Conditions):
    """The conditions of a family over several tags. Each has ``width`` slots from ``first`` on, one for each input.

    In columns of one entry a slot: tag (``input``), newest value (NaN: none, or bad) and whether it is of good quality,
    and its source time.
    """

    def __init__(self, rules: RuleTable, rows: Int64, inputs: Sequence[Sequence[int]], tag_count: int) -> None:
        super().__init__(rules, rows, tag_count)
        self.width = np.array([len(tags) for tags in inputs], dtype=np.int64)
        self.first = np.cumsum(self.width) - self.width
        self.input = np.array([tag for tags in inputs for tag in tags], dtype=np.int64)
        self.owner = np.repeat(np.arange(len(rows)), self.width)
        count = len(self.input)
        self.value = np.full(count, np.nan)
        self.good = np.zeros(count, dtype=np.bool_)
        self._time = np.zeros(count, dtype=np.int64)
        self._instant = np.zeros(len(rows), dtype=np.int64)
        self._heard = np.zeros(len(rows), dtype=np.int64)
        self._patience: Int64 | None = None
        """Of readings of the past: ms that the next of the inputs is awaited, and when one was heard last."""
        self._by_tag = np.argsort(self.input, kind="stable")
        self._slots_begin = begins_by_tag(self.input[self._by_tag], tag_count)
        self._concerned = np.diff(self._slots_begin) > 0

    def slots(self, tag: Int64) -> tuple[Int64, Int64]:
        """All pairs of an entry of ``tag`` and a slot that it feeds: positions in ``tag``, and slots."""
        first = self._slots_begin[tag]
        count = self._slots_begin[tag + 1] - first
        entry = np.repeat(np.arange(len(tag)), count)
        within = np.arange(len(entry)) - np.repeat(np.cumsum(count) - count, count)
        return entry, self._by_tag[first[entry] + within]

    def slots_of(self, condition: Int64) -> Int64:
        """All slots of some conditions."""
        width = self.width[condition]
        return np.repeat(self.first[condition] - (np.cumsum(width) - width), width) + np.arange(int(width.sum()))

    def events(self, readings: Readings) -> Events | None:
        """What the readings are to the conditions; None: nothing."""
        concerned = self._concerned[readings.tag[readings.begins]]
        if not concerned.any():
            return None
        readings = readings.of_tags(concerned)
        reading, slot = self.slots(readings.tag)
        order = np.lexsort((readings.position[reading], self.owner[slot]))
        return self.in_order(readings, reading[order], slot[order])

    def in_order(self, readings: Readings, reading: Int64, slot: Int64) -> Events:
        """The events of some readings and slots, sorted by the slots' conditions and then by arrival."""
        condition = self.owner[slot]
        begins = np.flatnonzero(group_begins(condition))
        bad = readings.quality[reading] == BAD
        own_time = readings.time[reading]
        time = _greatest_so_far(condition, np.maximum(own_time, self._instant[condition]))
        received = readings.received_time[reading]
        if self._patience is not None:
            self._look_at_ticks(self._patience, condition, begins, received)
        return Events(
            condition=condition,
            slot=slot,
            value=np.where(bad, np.nan, readings.value[reading]),
            good=readings.quality[reading] == GOOD,
            time=time,
            own_time=own_time,
            received_time=received,
            begins=begins,
        )

    def heed(self, readings: Readings, heard: Int64, period: Int64) -> None:
        """Take note of the ticks between the events that come next."""
        del readings, heard
        self.tick_after = None
        if self._patience is None and len(self.rows):
            last, awaited = self.awaited(np.arange(len(self.rows)), np.zeros_like(period), period)
            self._patience = last + np.minimum(awaited, LONGEST_PATIENCE)

    def _look_at_ticks(self, patience: Int64, condition: Int64, begins: Int64, received: Int64) -> None:
        """Between events, sorted by condition and then by arrival."""
        owner = condition[begins]
        counts = np.diff(begins, append=len(condition))
        ticks = Ticks(owner, begins, counts, received, self._heard[owner], patience[owner])
        self.tick_after = ticks.after
        self._heard[owner] = received[begins + counts - 1]

    def hold(self, events: Events) -> None:
        """Keep the newest readings: later events of a slot overwrite earlier ones, for assignment goes in order."""
        self.value[events.slot] = events.value
        self.good[events.slot] = events.good & ~np.isnan(events.value)
        self._time[events.slot] = events.own_time
        self._instant[events.conditions] = events.time[events.ends - 1]

    def column(self, events: Events, number: int) -> tuple[Float64, Bool]:
        """Value and goodness of one input (``number``, 0 the first) of the condition of each event.

        To be asked before the events are held.
        """
        slot = self.first[events.condition] + number
        last = np.maximum.accumulate(np.where(events.slot == slot, np.arange(len(events)), -1))
        known = (last >= 0) & (events.slot[last] == slot)
        value = np.where(known, events.value[last], self.value[slot])
        return value, np.where(known, events.good[last], self.good[slot]) & ~np.isnan(value)

    def rows_of(self, events: Events, condition: int, begin: int, end: int) -> tuple[Float64, Bool]:
        """Values and goodness of all inputs of one condition, whose events are ``begin`` to before ``end``.

        One row an input, one column an event. To be asked before the events are held.
        """
        slots = np.arange(self.first[condition], self.first[condition] + self.width[condition])[:, np.newaxis]
        own = events.slot[begin:end] == slots
        last = np.maximum.accumulate(np.where(own, np.arange(begin, end), -1), axis=1)
        known = last >= 0
        value = np.where(known, events.value[last], self.value[slots])
        return value, np.where(known, events.good[last], self.good[slots]) & ~np.isnan(value)

    def shown(self, events: Events, toggles: Toggles, verdict: UInt8) -> Toggles:
        """The toggles with their inputs, as they stood with the event that showed it.

        A condition that entered because its delay ended before that event: as they stood before it. To be asked before
        the events are held; ``shown_by`` are indices of events.
        """
        told = []
        for condition, entered, event in zip(
            toggles.condition.tolist(), toggles.entered.tolist(), toggles.shown_by.tolist(), strict=True
        ):
            begin = int(events.begins[np.searchsorted(events.conditions, condition)])
            end = event if entered and verdict[event] != FOR else event + 1
            value = self.value[self.slots_of(np.array([condition]))]
            value[events.slot[begin:end] - self.first[condition]] = events.value[begin:end]
            told.append(self._named(condition, value))
        return replace(toggles, inputs=told)

    def inputs(self, condition: Int64) -> Sequence[tuple[tuple[int, float], ...]]:
        """What each of these conditions knows of its inputs."""
        return [self._named(each, self.value[self.slots_of(np.array([each]))]) for each in condition.tolist()]

    def _named(self, condition: int, value: Float64) -> tuple[tuple[int, float], ...]:
        tags = self.input[self.slots_of(np.array([condition]))]
        return tuple(zip(tags.tolist(), value.tolist(), strict=True))

    def lose(self, tag: Int64) -> Int64:
        """These tags have no value from now on; returns their slots."""
        _, slot = self.slots(tag)
        self.value[slot] = np.nan
        self.good[slot] = False
        return slot

    def instants(self, condition: Int64) -> Int64:
        """The instants that these conditions have come to."""
        return self._instant[condition]

    def awaited(self, condition: Int64, heard: Int64, period: Int64) -> tuple[Int64, Int64]:
        """When one of their inputs was heard last, and the time until the next of them is expected."""
        slot = self.slots_of(condition)
        begins = np.cumsum(self.width[condition]) - self.width[condition]
        tag = self.input[slot]
        return np.maximum.reduceat(heard[tag], begins), np.minimum.reduceat(period[tag], begins)

    def break_runs(self, tag: Int64) -> Int64:
        """Break what is under way where one of these tags is an input; the instants are those of the others."""
        _, slot = self.slots(tag)
        self._time[slot] = 0
        condition = np.unique(self.owner[slot])
        self.state.since[condition] = 0
        if len(condition):
            slot = self.slots_of(condition)
            begins = np.cumsum(self.width[condition]) - self.width[condition]
            self._instant[condition] = np.maximum.reduceat(self._time[slot], begins)
        return condition

    def take_over(self, old: Conditions, rows: Int64) -> tuple[Int64, Int64]:
        """Take the state of another family's conditions, with what they hold."""
        there, here = super().take_over(old, rows)
        if isinstance(old, Inputs):
            self._instant[here] = old.instants(there)
            slot, old_slot = self.slots_of(here), old.slots_of(there)
            for column in ("value", "good", "_time"):
                getattr(self, column)[slot] = getattr(old, column)[old_slot]
        return there, here


class OverInputs(Family):
    """A family of rules over several tags; ``judge`` is what they differ in."""

    conditions: Inputs

    def judge(self, events: Events) -> tuple[UInt8, Float64]:
        """FOR, AGAINST, NEITHER or SILENT, and a value, for each event; before the events are held."""
        raise NotImplementedError

    def evaluate(self, readings: Readings) -> Toggles | None:
        """Carry the conditions over the readings; None where nothing toggles."""
        if not len(self.conditions.rows):
            return None
        events = self.conditions.events(readings)
        if events is None:
            return None
        verdict, value = self.judge(events)
        said = np.flatnonzero(verdict != SILENT)
        toggles = None
        if len(said):
            toggles = self.conditions.run(
                events.condition[said], events.time[said], events.received_time[said], value[said], verdict[said]
            )
        if toggles is not None and self.conditions.tick_after is None:  # of the past nobody asks for the inputs
            toggles = self.conditions.shown(events, replace(toggles, shown_by=said[toggles.shown_by]), verdict)
        self.conditions.hold(events)
        return toggles

    def minds_silence(self) -> Int64:
        """The inputs: they have no value then."""
        return self.conditions.input

    def fall_silent(self, tag: Int64, now: int) -> Toggles | None:
        """These tags have become stale: they have no value from now on."""
        del now
        self.lose(tag)
        return None

    def lose(self, tag: Int64) -> Int64:
        """These tags have no value from now on, whatever follows from that; returns their slots."""
        return self.conditions.lose(tag)

    def learn(self, readings: Readings, known: Int64) -> None:
        """Take readings as the newest of inputs, without a verdict, but for the conditions that are ``known``."""
        if not len(self.conditions.rows):
            return
        reading, slot = self.conditions.slots(readings.tag)
        new = ~np.isin(self.conditions.owner[slot], known)
        if new.any():
            reading, slot = reading[new], slot[new]
            order = np.lexsort((reading, self.conditions.owner[slot]))
            events = self.conditions.in_order(readings, reading[order], slot[order])
            self.judge(events)
            self.conditions.hold(events)


def _greatest_so_far(group: Int64, column: Int64) -> Int64:
    """The greatest entry up to each, within groups that are sorted."""
    ascending = np.argsort(column, kind="stable")
    rank = np.empty_like(ascending)
    rank[ascending] = np.arange(len(column))
    greatest = np.maximum.accumulate((group << 32) + rank) & 0xFFFF_FFFF
    found: Int64 = column[ascending[greatest]]
    return found
