"""Floods (报警泛滥): more alarms at a desk than one person can take in.

One begins when more than ten alarms were annunciated at the desk within ten minutes, and ends when fewer than five
were [ISA-18.2-2016, 16.5.4.3]. An alarm counts each time that it is annunciated: on entering, when its suppression
ends, when it sounds again. What is suppressed does not count, nor a drill's; an alarm that follows from a cause, as
the silence of a lost gateway's tags, does not either: its cause does.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from alerting.desks.desks import Desks
from alerting.journal.journal import Journal
from alerting.records import SERVICE, Change, Entry

WINDOW = 600_000
"""ms."""
BEGINS_ABOVE = 10
ENDS_BELOW = 5
GROUPED = "alarm.grouped"
"""Kind of entry by which an alarm is found to follow from a cause, after it was annunciated."""
COUNTED = frozenset({"alarm.entered", "alarm.annunciated", "alarm.realarmed", GROUPED})
"""Kinds of entries that change the count."""


@dataclass(frozen=True, slots=True)
class Flood:
    """One that lasts."""

    desk: str
    began_at: int


@dataclass(slots=True)
class _Annunciation:
    at: int
    alarm: int | None
    region: str
    counts: bool = True


class Floods:
    """A ``Participant``.

    ``began``: floods that last at the start, by desk; ``recent``: entries of the kinds ``COUNTED`` of the window before
    the start, in order.
    """

    def __init__(
        self, desks: Desks, journal: Journal, began: Mapping[str, int] | None = None, recent: Iterable[Entry] = ()
    ) -> None:
        self._desks = desks
        self._journal = journal
        self._recent: deque[_Annunciation] = deque()
        self._of_alarm: dict[int | None, list[_Annunciation]] = {}
        self._rates: dict[str, int] = {}
        self._lasting = {desk: Flood(desk, at) for desk, at in (began or {}).items()}
        self.reconfigure()
        for entry in recent:
            self._see(entry)

    def reconfigure(self) -> None:
        """The desks have changed."""
        self._rates = {desk.id: 0 for desk in self._desks}
        for annunciation in self._recent:
            if annunciation.counts:
                self._count(annunciation.region, 1)

    def lasting(self, desk: str) -> Flood | None:
        """The flood at a desk, if there is one."""
        return self._lasting.get(desk)

    def rate(self, desk: str) -> int:
        """Alarms annunciated at a desk within ten minutes, as of the last commit."""
        return self._rates.get(desk, 0)

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``. Every entry of a commit has its time, so that is when a flood begins."""
        for entry in change.entries:
            if entry.kind in COUNTED:
                self._see(entry)
        while self._recent and self._recent[0].at <= now - WINDOW:
            self._forget(self._recent.popleft())
        for desk, rate in self._rates.items():
            flood = self._lasting.get(desk)
            if flood is None and rate > BEGINS_ABOVE:
                self._lasting[desk] = Flood(desk, now)
                self._note("flood.began", {"desk": desk, "rate": rate}, now, change)
            elif flood is not None and rate < ENDS_BELOW:
                self._end(flood, {"rate": rate}, now, change)
        for flood in [flood for flood in self._lasting.values() if flood.desk not in self._rates]:
            self._end(flood, {"rate": None, "reason": "the desk was removed"}, now, change)

    def _see(self, entry: Entry) -> None:
        body = orjson.loads(entry.body)
        data = body["data"]
        if entry.kind == GROUPED:
            if data.get("cause") is not None:
                for annunciation in self._of_alarm.get(entry.alarm, ()):
                    if annunciation.counts:
                        annunciation.counts = False
                        self._count(annunciation.region, -1)
            return
        if data.get("cause") is not None or data.get("drill") is not None:
            return
        if entry.kind == "alarm.entered" and data.get("suppression") is not None:
            return
        annunciation = _Annunciation(entry.at, entry.alarm, body["region"])
        self._recent.append(annunciation)
        self._of_alarm.setdefault(entry.alarm, []).append(annunciation)
        self._count(annunciation.region, 1)

    def _forget(self, annunciation: _Annunciation) -> None:
        of_alarm = self._of_alarm[annunciation.alarm]
        of_alarm.remove(annunciation)
        if not of_alarm:
            del self._of_alarm[annunciation.alarm]
        if annunciation.counts:
            self._count(annunciation.region, -1)

    def _count(self, region: str, by: int) -> None:
        for desk in self._desks.of_region(region):
            self._rates[desk.id] += by

    def _end(self, flood: Flood, data: Mapping[str, object], now: int, change: Change) -> None:
        del self._lasting[flood.desk]
        self._note("flood.ended", {"desk": flood.desk, **data, "began_at": flood.began_at}, now, change)

    def _note(self, kind: str, data: Mapping[str, object], now: int, change: Change) -> None:
        change.entries.append(self._journal.append(now, kind, SERVICE, data))
