"""Attendance: whether anybody is at a desk while something waits there.

A desk is unattended when it has had no input for a set time while an alarm waited as long to be acknowledged. Then
what waits is escalated, each incident once, until there is input again. Only the nearest desks of an enterprise are
asked for attendance: nobody need sit at the province's desk because a county has an alarm [ours].
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alerting.desks.desks import Desk, Desks
from alerting.journal.journal import Journal
from alerting.records import SERVICE, Alarm, Change
from alerting.refusals import Conflict, NotFound

REASON = "desk_unattended"

Escalate = Callable[[int, int, Change], object]
"""Told the incident's number, the time and the commit; raises NotFound, Conflict."""


@dataclass(slots=True)
class Presence:
    """What is known of one desk. Times in ms UTC."""

    input_at: int
    """Of the last input; after a start that time, until there is one."""
    unattended_since: int | None = None
    escalated: set[int] = field(default_factory=set)
    """Incidents that were escalated since it is unattended."""


class Attendance:
    """A ``Participant``. ``limit``: ms without input. ``known``: as it was before the start."""

    def __init__(
        self,
        desks: Desks,
        journal: Journal,
        escalate: Escalate,
        limit: int,
        now: int,
        alarms: Iterable[Alarm] = (),
        known: Mapping[str, Presence] | None = None,
    ) -> None:
        self._desks = desks
        self._journal = journal
        self._escalate = escalate
        self._limit = limit
        self._presence = {
            desk: presence if presence.unattended_since is not None else Presence(max(presence.input_at, now))
            for desk, presence in (known or {}).items()
        }
        self._inputs: dict[str, int] = {}
        self._waiting: dict[str, dict[int, tuple[int, int | None]]] = {}
        """Region -> alarm -> since when it waits (ms), and its incident."""
        self.reconfigure(now)
        for alarm in alarms:
            self._see(alarm, max(alarm.received_at, now))

    def reconfigure(self, now: int) -> None:
        """The desks have changed; one that is new has had its first input just now."""
        self._presence = {desk.id: self._presence.get(desk.id) or Presence(now) for desk in self._desks}

    def touch(self, desk: str, now: int) -> None:
        """There was input at a desk; the next commit takes it up. Raises NotFound."""
        if desk not in self._desks:
            raise NotFound(f"there is no desk {desk!r}; GET /api/v1/desks lists them")
        self._inputs[desk] = now

    def presence(self, desk: str) -> Presence | None:
        """What is known of a desk."""
        return self._presence.get(desk)

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``."""
        for alarm in change.alarms.values():
            self._see(alarm, now)
        for touched, at in self._inputs.items():
            self._take_input(touched, at, now, change)
        self._inputs.clear()
        for desk in self._desks:
            presence = self._presence[desk.id]
            if now - presence.input_at >= self._limit:
                self._look_after(desk, presence, now, change)

    def _take_input(self, desk: str, at: int, now: int, change: Change) -> None:
        presence = self._presence.get(desk)
        if presence is None:
            return
        presence.input_at = max(presence.input_at, at)
        if presence.unattended_since is not None:
            self._note("desk.attended", {"desk": desk, "unattended_since": presence.unattended_since}, now, change)
            presence.unattended_since = None
            presence.escalated.clear()

    def _look_after(self, desk: Desk, presence: Presence, now: int, change: Change) -> None:
        overdue = [
            incident
            for region, waiting in self._waiting.items()
            if waiting and desk in self._desks.nearest(region)
            for since, incident in waiting.values()
            if now - since >= self._limit
        ]
        if not overdue:
            return
        incidents: Sequence[int] = sorted({incident for incident in overdue if incident is not None})
        if presence.unattended_since is None:
            presence.unattended_since = now
            data = {"desk": desk.id, "input_at": presence.input_at, "waiting": len(overdue), "incidents": incidents}
            self._note("desk.unattended", data, now, change)
        for incident in incidents:
            if incident not in presence.escalated:
                presence.escalated.add(incident)
                try:
                    self._escalate(incident, now, change)
                except (NotFound, Conflict):
                    continue  # it is closed, or with the last tier already

    def _see(self, alarm: Alarm, now: int) -> None:
        waiting = self._waiting.setdefault(alarm.region, {})
        if alarm.is_unacknowledged and alarm.suppression is None and alarm.drill is None:
            waiting.setdefault(alarm.id, (now, alarm.incident))
        else:
            waiting.pop(alarm.id, None)

    def _note(self, kind: str, data: Mapping[str, object], now: int, change: Change) -> None:
        change.entries.append(self._journal.append(now, kind, SERVICE, data))
