"""Reads of the journal for those who look for something in it: newest first, and never more than a part at a time.

What an index answers is read in one go. What has to be looked for (a word, a person, a unit) is looked for in
windows of consecutive entries, at most ``MOST_LOOKED`` of them for one answer, which says how far it has come; the
next question goes on from there. So looking through ten million entries holds up nobody.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerting.ledger.among import among
from alerting.ledger.ledger import entry_of, reaching
from alerting.ledger.queries import PATIENCE
from alerting.ledger.schema import journal
from alerting.records import SERVICE, Entry

MOST_LOOKED = 200_000
"""Entries that one answer looks through [ours]: at about 5 µs each a second."""
WINDOW = 10_000
"""Entries that one statement looks through."""
ENOUGH_SECONDS = 2.0
"""After so long no further window is begun [ours]."""
_SLACK = 1_000
"""Entries around an instant that may be out of their order in time, where the clock was set."""
_LAST = 2**63 - 1
_OF_DESKS = frozenset({"desk", "shift", "flood", "sound"})
"""What stands before the dot in the kinds of entries that belong to a desk, and to no enterprise."""
_ESCAPE = "\\"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "alarms": ("alarm",),
    "incidents": ("incident",),
    "acts": (),
    "messages": ("message", "delivery", "channel", "call_back"),
    "shifts": ("desk", "shift", "sound", "flood", "maintenance"),
    "drills": ("drill",),
    "changes": ("change", "config"),
    "accounts": ("account", "session"),
    "service": ("service", "journal", "evidence"),
}
"""What stands before the dot in the kinds of a group. ``acts`` is what people do, of whatever kind."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text that is looked for, without regard to case, and the places that have it in their names."""

    text: str
    enterprises: frozenset[str] = frozenset()
    units: frozenset[tuple[str, str]] = frozenset()
    """(enterprise, unit)."""


@dataclass(frozen=True, slots=True)
class SeenEntries:
    """What somebody sees of the journal who does not see all of it: these enterprises, and what these desks do."""

    enterprises: frozenset[str]
    desks: frozenset[str]

    def has(self, enterprise: str | None, desk: str | None) -> bool:
        """Whether an entry is seen that is of an enterprise, or of a desk."""
        return enterprise in self.enterprises if enterprise is not None else desk in self.desks


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """Which entries of the journal; None: any. ``since`` and ``until`` (not included): entered then (ms)."""

    since: int | None = None
    kind: str | None = None
    enterprise: str | None = None
    alarm: int | None = None
    incident: int | None = None
    until: int | None = None
    groups: Collection[str] | None = None
    """Keys of ``GROUPS``: those of any of them."""
    enterprises: Collection[str] | None = None
    unit: str | None = None
    """Id of a unit within its enterprise."""
    actor: str | None = None
    """Part of the name of who did it: of the person who signed, or of the account."""
    words: Words | None = None
    seen: SeenEntries | None = None
    """Only what somebody sees; None: all."""

    @property
    def is_looked_for(self) -> bool:
        """Whether no index answers it, so that it is read in windows."""
        given = (self.groups, self.enterprise, self.enterprises, self.unit, self.actor, self.words, self.seen)
        return self.alarm is None and self.incident is None and any(one is not None for one in given)


def desk_of(entry: Entry) -> str | None:
    """The desk that an entry belongs to; None: it belongs to an enterprise, or to the whole site."""
    group = entry.kind.partition(".")[0]
    if entry.enterprise is not None or group not in _OF_DESKS:
        return None
    desk = orjson.loads(entry.body)["data"].get("target" if group == "sound" else "desk")
    return desk if isinstance(desk, str) else None


@dataclass(frozen=True, slots=True)
class Entries:
    """Part of the journal. ``next``: the key to go on after; None: nothing older is left to look at."""

    items: list[Entry]
    next: int | None
    looked: int
    """Entries that were looked through for it."""
    looked_to: int | None
    """When the oldest of them was entered (ms); None: there was none."""


async def entries(engine: AsyncEngine, which: JournalFilter, limit: int, after: int | None = None) -> Entries:
    """Entries of the journal, newest first. Raises LedgerUnavailable."""
    begin = asyncio.get_running_loop().time()
    clauses = _clauses(which)
    found: list[Entry] = []
    async with reaching(engine, PATIENCE) as connection:
        first, end = await _range(connection, which, after)
        top = end
        width = WINDOW if which.is_looked_for else max(end - first, 1)
        while end > first and len(found) <= limit:
            low = max(first, end - width)
            window = and_(journal.c.sequence >= low, journal.c.sequence < end, *clauses)
            query = select(journal).where(window).order_by(journal.c.sequence.desc())
            # Of what the database finds a little falls out below, such as a key of the body that has the text.
            rows = (await connection.execute(query.limit(limit + 1 - len(found)))).mappings().all()
            found += (entry for entry in map(entry_of, rows) if _keeps(which, entry))
            end = low if len(rows) < limit + 1 - len(found) or not rows else rows[-1]["sequence"]
            if top - end >= MOST_LOOKED or asyncio.get_running_loop().time() - begin > ENOUGH_SECONDS:
                break
        if len(found) > limit:
            found = found[:limit]
            end = found[-1].sequence
        looked_to = await _entered(connection, end) if end < top else None
    return Entries(found, end if end > first else None, top - end, looked_to)


async def _range(connection: AsyncConnection, which: JournalFilter, after: int | None) -> tuple[int, int]:
    """First number to look at, and the one after the last, from the times asked for."""
    number, at = journal.c.sequence, journal.c.at
    newest = (await connection.execute(select(func.max(number)))).scalar() or 0
    end = newest + 1 if after is None else min(after, newest + 1)
    first = 1
    if which.until is not None:
        before = select(number).where(at < which.until).order_by(at.desc(), number.desc()).limit(_SLACK).subquery()
        last = (await connection.execute(select(func.max(before.c.sequence)))).scalar()
        end = min(end, 1 if last is None else last + 1)
    if which.since is not None:
        later = select(number).where(at >= which.since).order_by(at, number).limit(_SLACK).subquery()
        earliest = (await connection.execute(select(func.min(later.c.sequence)))).scalar()
        first = _LAST if earliest is None else earliest
    return first, end


async def _entered(connection: AsyncConnection, sequence: int) -> int | None:
    query = select(journal.c.at).where(journal.c.sequence == sequence)
    at: int | None = (await connection.execute(query)).scalar()
    return at


def _clauses(which: JournalFilter) -> list[ColumnElement[bool]]:
    columns = journal.c
    pairs: tuple[tuple[Column[Any], object], ...] = (
        (columns.kind, which.kind),
        (columns.enterprise, which.enterprise),
        (columns.alarm, which.alarm),
        (columns.incident, which.incident),
    )
    clauses: list[ColumnElement[bool]] = [column == wanted for column, wanted in pairs if wanted is not None]
    if which.since is not None:
        clauses.append(columns.at >= which.since)
    if which.until is not None:
        clauses.append(columns.at < which.until)
    if which.enterprises is not None:
        clauses.append(among(columns.enterprise, which.enterprises))
    if which.seen is not None:
        of_desks = and_(columns.enterprise.is_(None), or_(*map(_begins, sorted(_OF_DESKS))))
        clauses.append(or_(among(columns.enterprise, which.seen.enterprises), of_desks))
    if which.groups is not None:
        clauses.append(or_(*map(_in_group, sorted(which.groups))))
    if which.unit is not None:
        clauses.append(_has(_unit_text(which.unit)))
    if which.actor is not None:
        clauses.append(_has(_json_text(which.actor)))
    if which.words is not None:
        units = which.words.units
        clauses.append(
            or_(
                _has(_json_text(which.words.text)),
                among(columns.enterprise, which.words.enterprises),
                *(and_(columns.enterprise == of, _has(_unit_text(unit))) for of, unit in sorted(units)),
            )
        )
    return clauses


def _in_group(group: str) -> ColumnElement[bool]:
    if group == "acts":
        return journal.c.body.not_like(f'{{"actor":"{SERVICE}",%')
    return or_(*map(_begins, GROUPS[group]))


def _begins(before: str) -> ColumnElement[bool]:
    return journal.c.kind.startswith(f"{before}.", autoescape=True)


def _has(text: str) -> ColumnElement[bool]:
    return journal.c.body.icontains(text, autoescape=True, escape=_ESCAPE)


def _json_text(text: str) -> str:
    """As it stands within a body, which is JSON with all letters as they are."""
    return orjson.dumps(text).decode()[1:-1]


def _unit_text(unit: str) -> str:
    return f'"unit":"{_json_text(unit)}"'


def _keeps(which: JournalFilter, entry: Entry) -> bool:
    """Whether what was asked for stands where it was asked for, and not in a name of the body's fields."""
    if which.unit is None and which.actor is None and which.words is None and which.seen is None:
        return True
    body: dict[str, Any] = orjson.loads(entry.body)
    if which.seen is not None and not which.seen.has(entry.enterprise, desk_of(entry)):
        return False
    if which.unit is not None and body["unit"] != which.unit:
        return False
    if which.actor is not None:
        names = (body["actor"], body["data"].get("name"))
        if not any(isinstance(name, str) and which.actor.casefold() in name.casefold() for name in names):
            return False
    return which.words is None or _tells(which.words, body)


def _tells(words: Words, body: dict[str, Any]) -> bool:
    place = (body["enterprise"], body["unit"])
    if body["enterprise"] in words.enterprises or place in words.units:
        return True
    return words.text in _numbers(body) or _has_text(body, words.text.casefold())


def _numbers(body: Mapping[str, Any]) -> set[str]:
    """What an entry is known by. Other figures are not looked into: instants are full of digits."""
    return {str(body[name]) for name in ("sequence", "alarm", "incident")}


def _has_text(value: object, text: str) -> bool:
    match value:
        case str():
            return text in value.casefold()
        case dict():
            return any(_has_text(one, text) for one in value.values())
        case list():
            return any(_has_text(one, text) for one in value)
        case _:
            return False
