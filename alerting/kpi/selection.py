"""What belongs to one desk, enterprise or region in one period."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from alerting.kpi.records import NEVER, Case, Condition, Records
from domain.samples import Bool, Int64


@dataclass(frozen=True, slots=True)
class Period:
    """start <= t < end, ms UTC."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """In ms."""
        return self.end - self.start

    def holds(self, at: Int64) -> Bool:
        """Which instants lie in it."""
        inside: Bool = (at >= self.start) & (at < self.end)
        return inside


class Selection:
    """The rows of ``Records`` of one scope, as arrays. ``belongs(enterprise, region)`` decides."""

    def __init__(self, records: Records, period: Period, belongs: Callable[[str, str], bool]) -> None:
        self._records = records
        self.period = period
        self._belongs = belongs
        ours = np.array([belongs(one.enterprise, one.region) for one in records.conditions], dtype=bool)
        self._ours = ours
        self.called, self.called_number, self.called_grade, self.answered, self.is_first = self._rows(
            records.called_number,
            period.holds(_array(records.called_at)),
            records.called_at,
            records.called_number,
            records.called_grade,
            records.called_acknowledged,
            records.called_is_first,
        )
        order = np.argsort(self.called, kind="stable")
        self.called, self.called_number = self.called[order], self.called_number[order]
        self.called_grade, self.answered, self.is_first = (
            self.called_grade[order],
            self.answered[order],
            self.is_first[order],
        )

    def _rows(self, numbers: Sequence[int], inside: Bool, *columns: Sequence[int]) -> list[Int64]:
        wanted = inside & self._ours[_array(numbers)] if numbers else np.zeros(0, dtype=bool)
        return [_array(column)[wanted] for column in columns]

    def condition(self, number: int) -> Condition:
        """A condition by its number."""
        return self._records.conditions[number]

    def count(self, rows: Iterable[tuple[int, str, str]]) -> int:
        """How many of rows with time, enterprise and region belong here; what has neither belongs to all."""
        return sum(
            self.period.start <= at < self.period.end
            and (not (enterprise or region) or self._belongs(enterprise, region))
            for at, enterprise, region in rows
        )

    def moved(self) -> tuple[Int64, Int64]:
        """Transitions: source time and condition."""
        records = self._records
        inside = self.period.holds(_array(records.moved_entered))
        at, number = self._rows(records.moved_number, inside, records.moved_at, records.moved_number)
        return at, number

    def stays(self) -> tuple[Int64, Int64]:
        """Stays that ended in the period: their length, ms of source time, and condition."""
        records = self._records
        inside = self.period.holds(_array(records.stay_ended))
        begin, end, number = self._rows(
            records.stay_number, inside, records.stay_from, records.stay_to, records.stay_number
        )
        return end - begin, number

    def listed(self) -> tuple[Int64, Int64, Int64, Int64]:
        """Spans in the list that touch the period: from, to (its end if they last longer), condition, grade."""
        records = self._records
        begin, end = _array(records.listed_from), _array(records.listed_to)
        end = np.where((end == NEVER) | (end > self.period.end), self.period.end, end)
        inside = (begin < self.period.end) & (end >= self.period.start)
        ours = self._rows(
            records.listed_number, inside, records.listed_from, end.tolist(), records.listed_number,
            records.listed_grade,
        )  # fmt: skip
        return ours[0], ours[1], ours[2], ours[3]

    def lost(self) -> tuple[Int64, Int64, Int64]:
        """Spans without link within the period, clipped to it: from, to, condition."""
        records = self._records
        begin, end = _array(records.lost_from), _array(records.lost_to)
        begin = np.maximum(begin, self.period.start)
        end = np.minimum(np.where(end == NEVER, self.period.end, end), self.period.end)
        ours = self._rows(records.lost_number, end > begin, begin.tolist(), end.tolist(), records.lost_number)
        return ours[0], ours[1], ours[2]

    def chattered(self) -> set[int]:
        """Conditions that the service found chattering."""
        records = self._records
        inside = self.period.holds(_array(records.chattered_at))
        return set(self._rows(records.chattered_number, inside, records.chattered_number)[0].tolist())

    def cases(self) -> list[Case]:
        """Incidents opened in the period."""
        return [
            case
            for case in self._records.cases.values()
            if self.period.start <= case.opened_at < self.period.end and self._belongs(case.enterprise, case.region)
        ]


def _array(column: Sequence[int]) -> Int64:
    return np.asarray(column, dtype=np.int64)
