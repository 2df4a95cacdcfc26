"""Floods (报警泛滥): more alarms at a desk than one person can take in.

One begins when more than ten alarms were annunciated at the desk within ten minutes, and ends when fewer than five
were [ISA-18.2-2016, 16.5.4.3]. An alarm counts each time that it is annunciated: on entering, when its suppression
ends, when it sounds again. What is suppressed does not count, nor a drill's; an alarm that follows from a cause, as
the silence of a lost gateway's tags, does not either: its cause does.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from alerting.desks.desks import Desks
from alerting.journal import Journal
from alerting.records import SERVICE, Change, Entry

WINDOW = 600_000
"""ms."""
BEGINS_ABOVE = 10
ENDS_BELOW = 5
COUNTED = frozenset({"alarm.entered", "alarm.annunciated", "alarm.realarmed"})
"""Kinds of entries by which an alarm is annunciated."""


@dataclass(frozen=True, slots=True)
class Flood:
    """One that lasts."""

    desk: str
    began_at: int


class Floods:
    """A ``Participant``. ``began``: floods that last at the start; ``annunciated``: see ``count``."""

    def __init__(
        self,
        desks: Desks,
        journal: Journal,
        began: Mapping[str, int] | None = None,
        annunciated: Iterable[tuple[int, str]] = (),
    ) -> None:
        self._desks = desks
        self._journal = journal
        self._recent: deque[tuple[int, str]] = deque(annunciated)
        """Instant (ms) and region of what was annunciated within the window, and may be a little older."""
        self._of_desk: dict[str, deque[int]] = {}
        self._lasting = {desk: Flood(desk, at) for desk, at in (began or {}).items()}
        self.reconfigure()

    def reconfigure(self) -> None:
        """The desks have changed."""
        self._of_desk = {desk.id: deque() for desk in self._desks}
        for at, region in self._recent:
            self._add(at, region)

    def lasting(self, desk: str) -> Flood | None:
        """The flood at a desk, if there is one."""
        return self._lasting.get(desk)

    def rate(self, desk: str, now: int) -> int:
        """Alarms annunciated at a desk within the ten minutes before ``now``."""
        return sum(at > now - WINDOW for at in self._of_desk.get(desk, ()))

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``. Every entry of a commit has its time, so that is when a flood begins."""
        for entry in change.entries:
            region = annunciates(entry)
            if region is not None:
                self._recent.append((entry.at, region))
                self._add(entry.at, region)
        while self._recent and self._recent[0][0] <= now - WINDOW:
            self._recent.popleft()
        for desk, instants in self._of_desk.items():
            while instants and instants[0] <= now - WINDOW:
                instants.popleft()
            flood = self._lasting.get(desk)
            if flood is None and len(instants) > BEGINS_ABOVE:
                self._lasting[desk] = Flood(desk, now)
                self._note("flood.began", {"desk": desk, "rate": len(instants)}, now, change)
            elif flood is not None and len(instants) < ENDS_BELOW:
                self._end(flood, {"rate": len(instants)}, now, change)
        for flood in [flood for flood in self._lasting.values() if flood.desk not in self._of_desk]:
            self._end(flood, {"rate": None, "reason": "the desk was removed"}, now, change)

    def _end(self, flood: Flood, data: Mapping[str, object], now: int, change: Change) -> None:
        del self._lasting[flood.desk]
        self._note("flood.ended", {"desk": flood.desk, **data, "began_at": flood.began_at}, now, change)

    def _add(self, at: int, region: str) -> None:
        for desk in self._desks.of_region(region):
            self._of_desk[desk.id].append(at)

    def _note(self, kind: str, data: Mapping[str, object], now: int, change: Change) -> None:
        change.entries.append(self._journal.append(now, kind, SERVICE, data))


def annunciates(entry: Entry) -> str | None:
    """The region in which an entry annunciates an alarm that counts; None: it does not."""
    if entry.kind not in COUNTED:
        return None
    body: dict[str, Any] = orjson.loads(entry.body)
    data = body["data"]
    if data.get("cause") is not None or data.get("drill") is not None:
        return None
    if entry.kind == "alarm.entered" and data.get("suppression") is not None:
        return None
    region: str | None = body["region"]
    return region
