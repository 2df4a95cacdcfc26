"""Daily online rate 在线率 of gateways, from the journal alone and exact to the millisecond.

Known is the time in which the service ran and had its broker: from the journal's first entry, without the gaps between
the last that a run received and the next start, and without ``anshao/broker/DOWN``. Of that time a gateway was online
unless its LINK condition was in. What is not known is neither online nor lost: a day of which nothing is known has no
rate.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerting.kpi.reading import begins_at
from alerting.ledger.among import among
from alerting.ledger.ledger import reaching
from alerting.ledger.schema import alarm, journal
from alerting.response.local_time import DAY, local_day, midnight
from domain.site import SERVICE_ENTERPRISE

LONGEST = 90
"""Days that are computed at once."""
BROKER = f"{SERVICE_ENTERPRISE}/broker/DOWN"
LASTING = 2**62
"""In place of the end of what lasts."""
STARTED = "service.started"
_KINDS = ("alarm.entered", "alarm.damped", "alarm.returned", "alarm.withdrawn")
_MOST_NAMED = 500
"""Numbers in one query."""

Span = tuple[int, int]
"""start <= t < end, ms UTC."""


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of one gateway, or of several together. Times in ms; of several their sum."""

    date: date
    start: int
    known: int
    online: int

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None: nothing is known."""
        return self.online / self.known if self.known else None


@dataclass(frozen=True, slots=True)
class Move:
    """A condition entered or left, or what is known of it ended, by an entry of the journal."""

    path: str
    at: int
    inside: bool


@dataclass(frozen=True, slots=True)
class Start:
    """The service started."""

    at: int
    until: int | None
    """When the run before it was there last; None: there was none."""


@dataclass(frozen=True, slots=True)
class Links:
    """What the journal says of links within ``start <= t < end``."""

    start: int
    end: int
    known: Sequence[Span]
    lost: Mapping[str, Sequence[Span]]
    """By the path of the LINK condition."""

    def days(self, path: str, heard: int | None) -> list[Day]:
        """Days of the gateway with that LINK condition.

        ``heard``: of a gateway that the running service has not heard yet, when it was there last, 0: it is not known
        to have ever been; None: it has been heard, or is known to be lost.
        """
        lost = self.lost.get(path, ())
        known = self.known
        if heard is not None and not any(first <= self.end < last for first, last in lost):
            # That its link returned says that it was there.
            known = without(known, [(max([heard, *(last for _, last in lost if last != LASTING)]), self.end)])
        online = without(known, lost)
        return [
            Day(local_day(first), first, _within(known, first, last), _within(online, first, last))
            for first, last in local_days(self.start, self.end)
        ]


def together(days: Sequence[Sequence[Day]]) -> list[Day]:
    """The days of several gateways as one: of their times the sums."""
    return [
        Day(same[0].date, same[0].start, sum(day.known for day in same), sum(day.online for day in same))
        for same in zip(*days, strict=True)
    ]


def window(now: int, days: int) -> Span:
    """The last so many local days, the last of them today as far as it has come."""
    return midnight(local_day(now)) - (days - 1) * DAY, now


def local_days(start: int, end: int) -> list[Span]:
    """Local days from a midnight on, the last of them cut; at midnight it has begun."""
    return [(first, min(first + DAY, end)) for first in range(start, end + 1, DAY)]


def find_lost(moves: Iterable[Move]) -> dict[str, list[Span]]:
    """Spans in which conditions were in, by path; moves in their order."""
    since: dict[str, int] = {}
    found: dict[str, list[Span]] = {}
    for move in moves:
        if move.inside:
            since.setdefault(move.path, move.at)
        elif move.path in since:
            found.setdefault(move.path, []).append((since.pop(move.path), move.at))
    for path, first in since.items():
        found.setdefault(path, []).append((first, LASTING))
    return found


def find_known(whole: Span, starts: Iterable[Start], cut_off: Iterable[Span]) -> list[Span]:
    """When the service could know. ``cut_off``: without its broker."""
    down = [(start.until, start.at) for start in starts if start.until is not None]
    return without([whole], [*down, *cut_off])


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Spans less the holes; spans are in order and apart, holes lie as they like."""
    found: list[Span] = []
    ordered = sorted(hole for hole in holes if hole[0] < hole[1])
    for start, end in spans:
        at = start
        for first, last in ordered:
            if first >= end:
                break
            if first > at:
                found.append((at, first))
            at = max(at, last)
        if at < end:
            found.append((at, end))
    return found


def _within(spans: Iterable[Span], first: int, last: int) -> int:
    return sum(max(0, min(end, last) - max(start, first)) for start, end in spans)


async def read_links(engine: AsyncEngine, enterprises: Collection[str], start: int, now: int) -> Links:
    """What the journal says of the links of these enterprises' gateways. Raises LedgerUnavailable."""
    begins = await begins_at(engine)
    async with reaching(engine) as connection:
        lost = find_lost(await _moves(connection, enterprises, start))
        starts = await _starts(connection, start)
    whole = (max(start, now if begins is None else begins), now)
    known = find_known(whole, starts, lost.pop(BROKER, ())) if whole[0] < now else []
    return Links(start, now, known, lost)


async def _moves(connection: AsyncConnection, enterprises: Collection[str], start: int) -> list[Move]:
    first = await connection.scalar(select(func.min(journal.c.sequence)).where(journal.c.at >= start))
    lasting = alarm.c.state != "normal"
    alive = lasting if first is None else or_(lasting, alarm.c.sequence >= first)
    of_links = and_(alarm.c.rule == "LINK", alarm.c.tag.startswith("@"), among(alarm.c.enterprise, enterprises))
    of_broker = and_(alarm.c.enterprise == SERVICE_ENTERPRISE, alarm.c.tag == "broker", alarm.c.rule == "DOWN")
    query = select(alarm.c.id).where(alive, or_(of_links, of_broker), alarm.c.drill.is_(None))
    numbers = sorted((await connection.scalars(query)).all())
    rows: list[tuple[int, str, int, str]] = []
    for begin in range(0, len(numbers), _MOST_NAMED):
        part = numbers[begin : begin + _MOST_NAMED]
        entries = select(journal.c.sequence, journal.c.kind, journal.c.at, journal.c.body).where(
            journal.c.alarm.in_(part), journal.c.kind.in_(_KINDS)
        )
        rows += [(row[0], row[1], row[2], row[3]) for row in await connection.execute(entries)]
    return [_move(kind, at, orjson.loads(body)) for _, kind, at, body in sorted(rows)]


def _move(kind: str, at: int, body: Mapping[str, Any]) -> Move:
    data = body.get("data") or {}
    told = data.get("source_time")
    inside = bool(data.get("condition")) if kind == "alarm.damped" else kind == "alarm.entered"
    return Move(f"{body['enterprise']}/{body['tag']}/{body['rule']}", told if isinstance(told, int) else at, inside)


async def _starts(connection: AsyncConnection, start: int) -> list[Start]:
    """Starts of the service since then. Of one that does not say until when the last run received, the last entry."""
    query = select(journal.c.sequence, journal.c.at, journal.c.body).where(
        journal.c.kind == STARTED, journal.c.at >= start
    )
    found = []
    for sequence, at, body in (await connection.execute(query.order_by(journal.c.sequence))).all():
        until = (orjson.loads(body).get("data") or {}).get("until")
        if not isinstance(until, int):
            # What the start itself enters has its time.
            before = select(func.max(journal.c.at)).where(journal.c.sequence < sequence, journal.c.at < at)
            until = await connection.scalar(before)
        found.append(Start(int(at), until))
    return found
