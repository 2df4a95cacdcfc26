"""Handover of a shift: the outgoing officer makes it, the incoming one signs it.

What is outstanding is captured by the service at that moment and not written down by the officer: alarms, what is
suppressed, silences, open incidents. The journal has the digest of what was captured.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from alerting.incidents.persons import same_person
from alerting.journal.journal import Journal
from alerting.records import Alarm, Change, Incident
from alerting.refusals import Conflict, NotFound
from domain.clock import iso

TABLE = "handover"


@dataclass(frozen=True, slots=True)
class Handover:
    """One; its id is the number of the journal entry that it was made by. Times in ms UTC."""

    id: int
    desk: str
    made_at: int
    outgoing: str
    notes: str
    captured: str
    """JSON text, see ``capture``."""
    digest: str
    """SHA-256 of ``captured``, hex."""
    signed_at: int | None = None
    incoming: str | None = None
    comment: str | None = None


class Handovers:
    """Those that are not signed yet. ``unsigned``: as the ledger has them."""

    def __init__(self, journal: Journal, unsigned: Iterable[Handover] = ()) -> None:
        self._journal = journal
        self._unsigned = {handover.id: handover for handover in unsigned}

    def unsigned(self, desk: str) -> list[Handover]:
        """Those of a desk, newest first; they stay until somebody signs them."""
        return sorted((each for each in self._unsigned.values() if each.desk == desk), key=lambda each: -each.id)

    def make(
        self, desk: str, actor: str, name: str, notes: str, captured: Mapping[str, Any], now: int, change: Change
    ) -> Handover:
        """The outgoing officer hands over."""
        text = orjson.dumps(captured)
        digest = hashlib.sha256(text).hexdigest()
        counts = {what: len(captured[what]) for what in ("alarms", "suppressed", "silences", "incidents")}
        data = {"name": name, "desk": desk, "notes": notes, "digest": digest, **counts}
        entry = self._journal.append(now, "shift.handed_over", actor, data)
        change.entries.append(entry)
        handover = Handover(entry.sequence, desk, now, name, notes, text.decode(), digest)
        self._unsigned[handover.id] = handover
        change.upsert(TABLE, asdict(handover))
        return handover

    def sign(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Handover:
        """The incoming officer takes over. Raises NotFound (not there, or signed already), Conflict (same person)."""
        handover = self._unsigned.get(identity)
        if handover is None:
            raise NotFound(f"there is no handover {identity} that waits for a signature")
        if same_person(handover.outgoing, name):
            raise Conflict(
                f"handover {identity} was made by {handover.outgoing}; the officer who takes over signs it, "
                "under another name"
            )
        signed = replace(handover, signed_at=now, incoming=name, comment=comment)
        data = {
            "name": name,
            "desk": handover.desk,
            "handover": identity,
            "outgoing": handover.outgoing,
            "digest": handover.digest,
            "comment": comment,
        }
        change.entries.append(self._journal.append(now, "shift.accepted", actor, data))
        change.upsert(TABLE, asdict(signed))
        del self._unsigned[identity]
        return signed


def capture(
    alarms: Iterable[Alarm],
    incidents: Iterable[Incident],
    silences: Sequence[Mapping[str, Any]],
    regions: frozenset[str],
) -> dict[str, Any]:
    """What a desk has outstanding: ``{"alarms", "suppressed", "silences", "incidents"}``. Drills are left out."""
    watched = sorted(
        (alarm for alarm in alarms if alarm.region in regions and alarm.drill is None),
        key=lambda alarm: (-alarm.grade, -alarm.entered_at, -alarm.id),
    )
    return {
        "alarms": [_alarm(alarm) for alarm in watched if alarm.suppression is None],
        "suppressed": [
            _alarm(alarm)
            | {
                "suppression": alarm.suppression,
                "until": None if alarm.suppressed_until is None else iso(alarm.suppressed_until),
                "reason": alarm.suppression_reason,
                "by": alarm.suppressed_by,
            }
            for alarm in watched
            if alarm.suppression is not None
        ],
        "silences": list(silences),
        "incidents": [
            {
                "id": incident.id,
                "enterprise": incident.enterprise,
                "unit": incident.unit,
                "grade": incident.grade.label,
                "state": str(incident.state),
                "opened_at": iso(incident.opened_at),
                "alarms_active": incident.alarms_active,
                "alarms_unacknowledged": incident.alarms_unacknowledged,
            }
            for incident in sorted(incidents, key=lambda incident: (-incident.grade, -incident.id))
            if incident.region in regions and incident.drill is None
        ],
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "enterprise": alarm.enterprise,
        "unit": alarm.unit,
        "tag": alarm.tag,
        "rule": alarm.rule,
        "description": alarm.description,
        "grade": alarm.grade.label,
        "state": alarm.state.value,
        "value": alarm.value,
        "engineering_unit": alarm.engineering_unit,
        "entered_at": iso(alarm.entered_at),
        "acknowledged_by": alarm.acknowledged_by,
    }
