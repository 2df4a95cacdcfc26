"""Duty rosters (值班表): who is on duty at a post at an instant.

A shift belongs to the local day on which it begins; over midnight it goes on into the next. Which team has it is
counted from the roster's first day, so that a roster needs no upkeep; a holiday has a rotation of its own and does not
shift the others. Pure functions of the time that is passed in (ms UTC).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from alerting.response.local_time import DAY, local_day, midnight

Team = tuple[str, ...]
"""Ids of the contacts that have a shift together."""
Advance = Literal["shift", "day", "week"]


@dataclass(frozen=True, slots=True)
class Shift:
    """班次, in ms since local midnight. An end that is not after the begin is on the next day."""

    id: str
    name: str
    begin: int
    end: int

    @property
    def length(self) -> int:
        """ms; a whole day where begin and end are the same time."""
        return (self.end - self.begin) % DAY or DAY


@dataclass(frozen=True, slots=True)
class Holiday:
    """节假日: other teams have the shifts that begin on these days, first and last included."""

    first: date
    last: date
    rotation: tuple[Team, ...]


@dataclass(frozen=True, slots=True)
class Substitute:
    """替班: one contact has the shifts of another that begin on these days, first and last included."""

    contact: str
    by: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class OnDuty:
    """One shift of one team, substitutes in their places. ``begin`` included, ``end`` not (ms UTC)."""

    shift: Shift
    begin: int
    end: int
    contacts: Team


@dataclass(frozen=True, slots=True)
class Roster:
    """值班表 of one post: of a desk, a region or an enterprise."""

    id: str
    post: str
    start: date
    """The local day whose first shift the first team of the rotation has."""
    shifts: tuple[Shift, ...]
    rotation: tuple[Team, ...]
    advance: Advance = "shift"
    """When the next team's turn comes: with each shift, each day or each week (seven days from ``start``)."""
    name: str = ""
    desk: str | None = None
    region: str | None = None
    enterprise: str | None = None
    holidays: tuple[Holiday, ...] = ()
    substitutes: tuple[Substitute, ...] = ()

    def on_duty(self, at: int) -> tuple[str, ...]:
        """Ids of the contacts on duty at an instant; none before the roster's start or between shifts."""
        found: dict[str, None] = {}
        for turn in self.turns(at, at + 1):
            found.update(dict.fromkeys(turn.contacts))
        return tuple(found)

    def turns(self, begin: int, end: int) -> Iterator[OnDuty]:
        """The shifts that overlap a time (``end`` not included), in the order of their beginning."""
        # A shift lasts a day at the most, so those of the day before may still be under way.
        day = local_day(begin) - timedelta(days=1)
        while midnight(day) < end:
            for index, shift in sorted(enumerate(self.shifts), key=lambda pair: pair[1].begin):
                starts = midnight(day) + shift.begin
                if day >= self.start and starts < end and starts + shift.length > begin:
                    yield OnDuty(shift, starts, starts + shift.length, self._team(day, index))
            day += timedelta(days=1)

    def _team(self, day: date, index: int) -> Team:
        holiday = next((holiday for holiday in self.holidays if holiday.first <= day <= holiday.last), None)
        rotation, first = (self.rotation, self.start) if holiday is None else (holiday.rotation, holiday.first)
        days = (day - first).days
        turn = {"shift": days * len(self.shifts) + index, "day": days, "week": days // 7}[self.advance]
        team = rotation[turn % len(rotation)]
        return tuple(dict.fromkeys(self._present(contact, day) for contact in team))

    def _present(self, contact: str, day: date) -> str:
        """Who comes in the place of a contact; a substitute may have one in turn."""
        seen = {contact}
        while True:
            by = _substitute_of(self.substitutes, contact, day)
            if by is None or by in seen:
                return contact
            seen.add(by)
            contact = by


def _substitute_of(substitutes: Sequence[Substitute], contact: str, day: date) -> str | None:
    return next(
        (entry.by for entry in substitutes if entry.contact == contact and entry.first <= day <= entry.last), None
    )
