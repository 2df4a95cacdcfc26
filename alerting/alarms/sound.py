"""Silence of the sound, apart from acknowledgement: by whom, why, for how long; it ends by itself.

In the vinyl chloride explosion of Zhangjiakou (2018, 24 dead) the gas alarm's sound had been off for a long time; so a
silence is short, journaled and listed, and what is red is never silenced by one person alone.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from alerting.alarms.limits import AlarmLimits
from alerting.alarms.roll import Roll
from alerting.alarms.timers import Timers
from alerting.incidents.persons import same_person
from alerting.records import SERVICE, Change, Incident
from alerting.refusals import Conflict, NotFound
from domain.clock import iso
from domain.scales import Grade

SILENCE = "silence"
"""Kind of timer: the end of a silence, by id."""
SCOPES = ("alarm", "unit", "desk")


class RedNeedsTwo(Conflict):
    """What is red is not silenced by one person."""


@dataclass(slots=True)
class Silence:
    """消音: a row of the table ``silence``; its id is the number of the entry that began it. Times in ms UTC."""

    id: int
    scope: str
    """``alarm``, ``unit`` or ``desk``."""
    target: str
    """Id of the alarm, ``enterprise/unit``, or id of the desk."""
    silenced_at: int
    until: int
    reason: str
    name: str
    second: str | None = None
    """The second person: needed where something is red."""
    regions: list[str] = field(default_factory=list)
    """Codes of a desk's regions, those below them included."""
    ended_at: int | None = None
    ended_by: str | None = None


class Sound:
    """Acts on the sound, and the ends of silences."""

    def __init__(
        self,
        roll: Roll,
        timers: Timers,
        limits: AlarmLimits,
        silences: Collection[Silence] = (),
    ) -> None:
        self._roll = roll
        self._timers = timers
        self.limits = limits
        self.silences = {silence.id: silence for silence in silences}
        for silence in silences:
            timers.set((SILENCE, silence.id, ""), silence.until)
        roll.on_red.append((self.silences, self._end_at_red))

    def silence(
        self,
        scope: str,
        target: str,
        regions: Collection[str],
        until: int,
        reason: str,
        actor: str,
        name: str,
        second: str | None,
        now: int,
        change: Change,
    ) -> Silence:
        """Switch the sound off until then (ms).

        ``regions``: of a desk. Raises NotFound: no such alarm is active; Conflict: too long; RedNeedsTwo: something is
        red and there is no second person.
        """
        alarm = self._roll.get(int(target)) if scope == "alarm" else None
        longest = self.limits.longest_silence
        if not now < until <= now + longest:
            raise Conflict(f"the sound is silenced for {longest / 60_000:g} min at the most; silence it for less")
        if second is not None and same_person(second, name):
            raise Conflict("the second person is another one than the first: give another name")
        silence = Silence(
            id=self._roll.journal.sequence + 1,
            scope=scope,
            target=target,
            silenced_at=now,
            until=until,
            reason=reason,
            name=name,
            second=second,
            regions=sorted(regions),
        )
        if second is None:
            is_red = alarm is not None and alarm.grade is Grade.RED
            if is_red or any(
                incident.grade is Grade.RED and self._covers(silence, incident)
                for incident in self._roll.casebook.open.values()
            ):
                raise RedNeedsTwo("what is red is not silenced by one person: name a second one in `second`")
        self.silences[silence.id] = silence
        self._timers.set((SILENCE, silence.id, ""), until)
        data: dict[str, object] = {"name": name, "second": second, "reason": reason, "until": until}
        self._note(silence, "sound.silenced", actor, data, now, change)
        return silence

    def resume(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Silence:
        """Switch the sound on again. Raises NotFound."""
        silence = self.silences.get(identity)
        if silence is None:
            raise NotFound(f"silence {identity} is over, or there is none of that number")
        self._end(silence, actor, name, {"why": "person", "name": name, "comment": comment}, now, change)
        return silence

    def expire(self, identity: int, now: int, change: Change) -> None:
        """A silence's time is over."""
        silence = self.silences.get(identity)
        if silence is not None:
            self._end(silence, SERVICE, None, {"why": "expired"}, now, change)

    def look_at_clock(self, now: int, change: Change) -> None:
        """End what would last for longer than a silence may: the service's clock was set back."""
        for silence in list(self.silences.values()):
            if silence.until - now > self.limits.longest_silence:
                self._end(silence, SERVICE, None, {"why": "clock"}, now, change)

    def _covers(self, silence: Silence, incident: Incident) -> bool:
        if silence.scope == "unit":
            return silence.target == f"{incident.enterprise}/{incident.unit}"
        if silence.scope == "desk":
            return incident.region in silence.regions
        alarm = self._roll.by_id.get(int(silence.target))
        return alarm is not None and alarm.incident == incident.id

    def _end_at_red(self, incident: Incident, now: int, change: Change) -> None:
        for silence in list(self.silences.values()):
            if silence.second is None and self._covers(silence, incident):
                self._end(silence, SERVICE, None, {"why": "red"}, now, change)

    def _end(
        self, silence: Silence, actor: str, by: str | None, data: dict[str, object], now: int, change: Change
    ) -> None:
        silence.ended_at, silence.ended_by = now, by
        del self.silences[silence.id]
        self._timers.cancel((SILENCE, silence.id, ""))
        self._note(silence, "sound.resumed", actor, data, now, change)

    def _note(self, silence: Silence, kind: str, actor: str, data: dict[str, object], now: int, change: Change) -> None:
        facts = {"silence": silence.id, "scope": silence.scope, "target": silence.target} | data
        change.upsert("silence", asdict(silence))
        alarm = self._roll.by_id.get(int(silence.target)) if silence.scope == "alarm" else None
        if alarm is not None:
            self._roll.record(alarm, kind, actor, facts, now, change)
            return
        enterprise, _, unit = silence.target.partition("/") if silence.scope == "unit" else (None, "", None)
        entry = self._roll.journal.append(now, kind, actor, facts, enterprise=enterprise, unit=unit)
        change.entries.append(entry)


def described(silence: Silence) -> dict[str, Any]:
    """A silence as JSON, its end apart."""
    return {
        "id": silence.id,
        "scope": silence.scope,
        "target": silence.target,
        "silenced_at": iso(silence.silenced_at),
        "until": iso(silence.until),
        "reason": silence.reason,
        "name": silence.name,
        "second": silence.second,
    }
