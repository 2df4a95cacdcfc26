"""The duty room (值班室): all desks with their floods, attendance, handovers and drills, as one participant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.alarms.register import Register
from alerting.alarms.sound import described
from alerting.desks.attendance import REASON, Attendance, Presence
from alerting.desks.desks import Desk, Desks
from alerting.desks.drills import Drill, Drills
from alerting.desks.floods import COUNTED, WINDOW, Floods
from alerting.desks.handover import Handover, Handovers, capture
from alerting.desks.watch import Board, board
from alerting.ledger import schema
from alerting.ledger.desks_schema import desk_state, drill, handover
from alerting.ledger.ledger import entry_of, reaching
from alerting.records import Change, Entry
from alerting.refusals import NotFound
from domain.scales import Grade
from domain.site import Site

UNATTENDED_AFTER = 600_000
"""ms without input [ours]."""
_INPUT_KEPT = 60_000
"""ms: a desk's input is written down no more often, since it only has to be known roughly after a start."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """What a duty room goes on from after a start."""

    desks: Sequence[Mapping[str, Any]] = ()
    """Rows of ``desk_state``."""
    annunciated: Sequence[Entry] = ()
    """Entries that count for floods, of the window before the start."""
    unsigned: Sequence[Handover] = ()
    drills: Sequence[Drill] = ()
    """That were running."""


class DutyRoom:
    """A ``Participant``. ``desks`` empty: the site's default desks."""

    def __init__(
        self,
        site: Site,
        register: Register,
        now: int,
        desks: Sequence[Desk] = (),
        unattended_after: int = UNATTENDED_AFTER,
        state: RoomState | None = None,
    ) -> None:
        state = state or RoomState()
        journal = register.journal
        self._register = register
        self.desks = Desks(site, desks)
        self.floods = Floods(
            self.desks,
            journal,
            {row["desk"]: row["flood_began_at"] for row in state.desks if row["flood_began_at"] is not None},
            state.annunciated,
        )
        self.attendance = Attendance(
            self.desks,
            journal,
            lambda incident, at, change: register.casebook.escalate(incident, REASON, at, change),
            unattended_after,
            now,
            register.active.values(),
            {row["desk"]: _presence(row) for row in state.desks if row["input_at"] is not None},
        )
        self.handovers = Handovers(journal, state.unsigned)
        self.drills = Drills(journal, self._withdraw, state.drills)
        self._kept = {row["desk"]: dict(row) for row in state.desks}
        self._boards: dict[str, tuple[int, Board]] = {}

    def reconfigure(self, site: Site, desks: Sequence[Desk], now: int, change: Change) -> None:
        """Take another site and other desks. A drill that runs ends: its readings are of the old site."""
        self.desks.reconfigure(site, desks)
        self.floods.reconfigure()
        self.attendance.reconfigure(now)
        self.drills.reconfigure(now, change)
        self._boards.clear()

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``."""
        self.drills.take_part(change, now)
        self.floods.take_part(change, now)
        self.attendance.take_part(change, now)
        for desk in self.desks:
            row = self._row(desk.id)
            if row != self._kept.get(desk.id):
                self._kept[desk.id] = row
                change.upsert(desk_state.name, row)

    # ---- what a desk sees and does

    def board(self, desk: str) -> Board:
        """What the desk's main screen shows. Raises NotFound."""
        self.require(desk)
        kept = self._boards.get(desk)
        sequence = self._register.journal.sequence
        if kept is None or kept[0] != sequence:
            kept = (sequence, board(self._register.active.values(), self.desks.regions_of(desk), self._grade_of))
            self._boards[desk] = kept
        return kept[1]

    def hand_over(self, desk: str, actor: str, name: str, notes: str, now: int, change: Change) -> Handover:
        """The outgoing officer makes a handover; what is outstanding is captured. Raises NotFound."""
        self.require(desk)
        register, regions = self._register, self.desks.regions_of(desk)
        silences = self.silences(desk)
        captured = capture(register.active.values(), register.incidents.values(), silences, regions)
        return self.handovers.make(desk, actor, name, notes, captured, now, change)

    def silences(self, desk: str) -> list[dict[str, Any]]:
        """The sounds that are switched off in what a desk sees: its own, and those of its units and alarms."""
        regions, register = self.desks.regions_of(desk), self._register
        found = []
        for silence in register.sound.silences.values():
            if silence.scope == "desk":
                seen = silence.target == desk
            elif silence.scope == "unit":
                enterprise = register.site.enterprises.get(silence.target.partition("/")[0])
                seen = enterprise is not None and enterprise.region in regions
            else:
                alarm = register.active.get(int(silence.target))
                seen = alarm is not None and alarm.region in regions
            if seen:
                found.append(described(silence))
        return found

    def _withdraw(self, drill: int, reason: str, now: int, change: Change) -> None:
        self._register.withdraw_drill(drill, now, change)
        self._register.casebook.end_drill(drill, reason, now, change)

    def require(self, desk: str) -> Desk:
        """A desk by its id. Raises NotFound."""
        found = self.desks.get(desk)
        if found is None:
            raise NotFound(f"there is no desk {desk!r}; GET /api/v1/desks lists them")
        return found

    def _grade_of(self, incident: int | None) -> Grade | None:
        found = None if incident is None else self._register.incidents.get(incident)
        return None if found is None else found.grade

    def _row(self, desk: str) -> dict[str, Any]:
        flood, presence = self.floods.lasting(desk), self.attendance.presence(desk)
        row = {
            "desk": desk,
            "flood_began_at": None if flood is None else flood.began_at,
            "input_at": None if presence is None else presence.input_at,
            "unattended_since": None if presence is None else presence.unattended_since,
            "escalated": [] if presence is None else sorted(presence.escalated),
        }
        kept = self._kept.get(desk)
        if kept is not None and presence is not None and presence.input_at - (kept["input_at"] or 0) < _INPUT_KEPT:
            row["input_at"] = kept["input_at"]
        return row


async def load(engine: AsyncEngine, now: int) -> RoomState:
    """What the ledger has of the duty room. Raises LedgerUnavailable."""
    journal = schema.journal
    async with reaching(engine) as connection:
        desks = (await connection.execute(select(desk_state))).mappings().all()
        recent = await connection.execute(
            select(journal)
            .where(journal.c.at > now - WINDOW, journal.c.kind.in_(sorted(COUNTED)))
            .order_by(journal.c.sequence)
        )
        entries = [entry_of(row) for row in recent.mappings()]
        unsigned = await connection.execute(select(handover).where(handover.c.signed_at.is_(None)))
        running = await connection.execute(select(drill).where(drill.c.ended_at.is_(None)))
        return RoomState(
            desks=[dict(row) for row in desks],
            annunciated=entries,
            unsigned=[Handover(**row) for row in unsigned.mappings()],
            drills=[drill_of_row(row) for row in running.mappings()],
        )


def drill_of_row(row: RowMapping) -> Drill:
    """Drill from a row."""
    return Drill(**dict(row) | {"units": tuple(row["units"]), "circle": tuple(row["circle"])})


def _presence(row: Mapping[str, Any]) -> Presence:
    return Presence(row["input_at"], row["unattended_since"], set(row["escalated"]))
