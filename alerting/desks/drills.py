"""Drills (演练): which one runs, who takes part, and how it ended.

One drill runs at a time [ours]. It is over when its time is, when somebody ends it, or when the service starts anew:
its readings come from the process that began it. Whatever it raised is withdrawn then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from alerting.journal.journal import Journal
from alerting.records import SERVICE, Change, Entry
from alerting.refusals import Conflict, NotFound

TABLE = "drill"
OVER = "the scenario is over"
INTERRUPTED = "the service was started anew in the middle of the drill"
RECONFIGURED = "another configuration was applied"

Withdraw = Callable[[int, str, int, Change], object]
"""Told the drill, the reason, the time and the commit: ends the drill's alarms and incidents."""


def drill_of(entry: Entry) -> int | None:
    """The drill that an entry of the journal is part of: it goes to no machine beyond the drill's circle."""
    if '"drill":' not in entry.body:
        return None
    found = orjson.loads(entry.body)["data"].get("drill")
    return found if isinstance(found, int) else None


@dataclass(frozen=True, slots=True)
class Drill:
    """One; its id is the number of the journal entry that began it. Times in ms UTC."""

    id: int
    scenario: str
    name: str
    units: tuple[str, ...]
    """Paths, ``enterprise/unit``."""
    circle: tuple[str, ...]
    """Ids of the contacts that its messages go to, and nobody else."""
    leader: str
    plan: Mapping[str, Any]
    """The scenario as it was."""
    began_at: int
    due_at: int
    """When it is over by itself."""
    ended_at: int | None = None
    ended_by: str | None = None
    reason: str | None = None


class Drills:
    """A ``Participant``. ``interrupted``: drills that the ledger has as running at the start."""

    def __init__(self, journal: Journal, withdraw: Withdraw, interrupted: Iterable[Drill] = ()) -> None:
        self._journal = journal
        self._withdraw = withdraw
        self._interrupted = list(interrupted)
        self.running: Drill | None = None

    def circle_of(self, identity: int) -> tuple[str, ...]:
        """Who is told of a drill; nobody once it is over."""
        return self.running.circle if self.running is not None and self.running.id == identity else ()

    def is_running(self, identity: int) -> bool:
        """Whether what belongs to a drill still counts."""
        return self.running is not None and self.running.id == identity

    def begin(
        self,
        *,
        scenario: str,
        name: str,
        units: Sequence[str],
        circle: Sequence[str],
        leader: str,
        plan: Mapping[str, Any],
        duration: int,
        actor: str,
        by: str,
        comment: str,
        now: int,
        change: Change,
    ) -> Drill:
        """Begin one; ``duration`` in ms. Raises Conflict while another runs."""
        if self.running is not None:
            raise Conflict(f"drill {self.running.id} ({self.running.name}) is running; end it first")
        data = {
            "name": by,
            "comment": comment,
            "scenario": scenario,
            "title": name,
            "units": list(units),
            "circle": list(circle),
            "leader": leader,
            "due_at": now + duration,
        }
        entry = self._journal.append(now, "drill.began", actor, data)
        change.entries.append(entry)
        self.running = Drill(
            entry.sequence, scenario, name, tuple(units), tuple(circle), leader, plan, now, now + duration
        )
        change.upsert(TABLE, asdict(self.running))
        return self.running

    def end(self, identity: int, actor: str, name: str, comment: str, now: int, change: Change) -> Drill:
        """End it before its time. Raises NotFound: it does not run."""
        if self.running is None or self.running.id != identity:
            raise NotFound(f"drill {identity} does not run")
        return self._end(self.running, actor, name, comment or f"ended by {name}", now, change)

    def reconfigure(self, now: int, change: Change) -> None:
        """The site has changed: a drill's readings are of the old one."""
        if self.running is not None:
            self._end(self.running, SERVICE, None, RECONFIGURED, now, change)

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``."""
        for drill in self._interrupted:
            self._end(drill, SERVICE, None, INTERRUPTED, now, change)
        self._interrupted.clear()
        if self.running is not None and now >= self.running.due_at:
            self._end(self.running, SERVICE, None, OVER, now, change)

    def _end(self, drill: Drill, actor: str, name: str | None, reason: str, now: int, change: Change) -> Drill:
        self._withdraw(drill.id, reason, now, change)
        data = {"drill": drill.id, "reason": reason, **({} if name is None else {"name": name})}
        change.entries.append(self._journal.append(now, "drill.ended", actor, data))
        ended = replace(drill, ended_at=now, ended_by=name, reason=reason)
        change.upsert(TABLE, asdict(ended))
        if self.running is drill:
            self.running = None
        return ended
