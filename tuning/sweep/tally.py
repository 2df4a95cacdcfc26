"""What versions of one rule did: counts, false alarms, and when each event was found first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Bool, Int64
from domain.site import Site
from domain.truth import Truth
from tuning.scoring.against_truth import place_of, row_of
from tuning.scoring.yardstick import Targets

MISSED = -1
Entered = tuple[Int64, Int64]
"""When a version entered and left (-1: still in), ms, in order."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What the alarms of one rule are measured against. Columns ``begin``, ``end``, ``origin`` of length e, in ms.

    An alarm finds an event if it enters from begin to end. An event that is only assumed, since the rule as it is had
    an alarm then, is found by any alarm that is in between them. The delay is measured from ``origin``.
    """

    begin: Int64
    end: Int64
    origin: Int64
    number: Int64
    """Of the event, among all; expected conditions are numbered after the events."""
    assumed: bool
    calm_until: Int64
    """Ends of the spans in which no alarm is false, without overlap and in order; ``calm_from``: their beginnings."""
    calm_from: Int64
    known: bool
    """False: nobody knows what happened, so no alarm is false."""

    @classmethod
    def of_truth(cls, site: Site, row: int, truth: Truth) -> "Marks":
        """The events in the place of a rule, and after them what is expected of it, which it must not lose either."""
        here = [
            (number, event.begin, event.end) for number, event in enumerate(truth.events) if place_of(site, event)[row]
        ]
        here += [
            (number, each.begin, each.end)
            for number, each in enumerate(truth.expected, start=len(truth.events))
            if row_of(site, each.condition) == row
        ]
        columns = np.array(here, dtype=np.int64).reshape(-1, 3)
        calm_until, calm_from = _joined([(begin, end) for _, begin, end in here])
        return cls(
            begin=columns[:, 1],
            end=columns[:, 2],
            origin=columns[:, 1],
            number=columns[:, 0],
            assumed=False,
            calm_until=calm_until,
            calm_from=calm_from,
            known=bool(truth.events or truth.expected or truth.never),
        )

    @classmethod
    def assumed_from(cls, present: Entered, least: int, end: int, numbered_from: int) -> "Marks":
        """Alarms of the rule as it is that lasted at least ``least`` ms stand for events, in lack of a truth."""
        entered, left = present
        left = np.where(left < 0, end, left)
        long = left - entered >= least
        begin, until = entered[long], left[long]
        number = np.arange(numbered_from, numbered_from + len(begin))
        calm_until, calm_from = _joined(list(zip(begin.tolist(), until.tolist(), strict=True)))
        return cls(begin, until, begin, number, assumed=True, calm_until=calm_until, calm_from=calm_from, known=True)


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one rule at each of p points; columns of length p, ``first`` of p rows and as many columns as it has events.

    first: when each event was found, -1: missed
    time_in: ms; chattering: transitions; the rest are alarms
    """

    marks: Marks
    alarms: Int64
    false: Int64
    time_in: Int64
    chattering: Int64
    fleeting: Int64
    stale: Int64
    first: Int64


def tally(versions: Iterable[Entered], count: int, marks: Marks, end: int, targets: Targets) -> Tally:
    """Count what each of ``count`` versions did. ``end``: of the data, ms."""
    columns = np.zeros((6, count), dtype=np.int64)
    first = np.full((count, len(marks.begin)), MISSED, dtype=np.int64)
    within, reach = targets.chattering_within, targets.chattering_transitions - 1
    for number, (entered, left) in enumerate(versions):
        if not len(entered):
            continue
        until = np.where(left < 0, np.maximum(end, entered), left)
        length = until - entered
        columns[:, number] = (
            len(entered),
            int((~_touches(marks, entered, until)).sum()) if marks.known else 0,
            int(length.sum()),
            _chattering(entered, left, reach, within),
            int((length[left >= 0] < targets.fleeting_within).sum()),
            int((length > targets.stale_after).sum()),
        )
        first[number] = _first(marks, entered, until)
    alarms, false, time_in, chattering, fleeting, stale = columns
    return Tally(marks, alarms, false, time_in, chattering, fleeting, stale, first)


def _first(marks: Marks, entered: Int64, until: Int64) -> Int64:
    """When each event was found."""
    place = np.searchsorted(until if marks.assumed else entered, marks.begin)
    found = place < len(entered)
    at = entered[np.minimum(place, len(entered) - 1)]
    return np.where(found & (at <= marks.end), at, MISSED)


def _touches(marks: Marks, entered: Int64, until: Int64) -> Bool:
    """Which episodes have some of their time where no alarm is false."""
    if not len(marks.calm_from):
        return np.zeros(len(entered), dtype=np.bool_)
    place = np.searchsorted(marks.calm_until, entered)
    known = place < len(marks.calm_from)
    touches: Bool = known & (marks.calm_from[np.minimum(place, len(marks.calm_from) - 1)] <= until)
    return touches


def _chattering(entered: Int64, left: Int64, reach: int, within: int) -> int:
    """Transitions that stand in a row of more than ``reach`` within so many ms."""
    at = np.stack([entered, left], axis=1).ravel()
    if left[-1] < 0:
        at = at[:-1]
    if len(at) <= reach:
        return 0
    in_row = np.zeros(len(at), dtype=np.bool_)
    close = at[reach:] - at[:-reach] <= within
    for step in range(reach + 1):
        in_row[step : len(at) - reach + step] |= close
    return int(in_row.sum())


def _joined(spans: Sequence[tuple[int, int]]) -> tuple[Int64, Int64]:
    """Ends and beginnings of the union of spans, in order."""
    joined: list[list[int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([begin, end])
    columns = np.array(joined, dtype=np.int64).reshape(-1, 2)
    return columns[:, 1], columns[:, 0]
