"""What has been published lately: entries of the journal, encoded once, and the newest state of the service."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from alerting.journal.journal import describe
from alerting.ledger.journal_queries import desk_of
from alerting.records import Alarm, Entry, Incident
from domain.clock import iso
from service.api.ports import ServicePort
from service.api.views import Views

RING = 20_000
"""Entries that are kept for clients that resume."""
REPLAY = 10_000
"""Entries older than the ring's that a client may miss; with more it has to reload its lists."""

Told = tuple[Entry, Alarm | None, Incident | None]
"""An entry, with the alarm and the incident that it is about as they are after its commit."""

_NULL = b"null"
_AT = b',"at":'


@dataclass(frozen=True, slots=True)
class Encoded:
    """An entry as it is sent, and whose it is. ``message``: ``live_messages.LiveEntry``."""

    message: bytes
    enterprise: str | None
    desk: str | None
    kind: str


class Feed:
    """A ring of entries that all clients read from at their own pace."""

    def __init__(self, service: ServicePort, ring: int, replay: int) -> None:
        self.service = service
        self.last = service.sequence()
        """Number of the newest entry published."""
        self.first = self.last + 1
        """Number of the oldest entry in the ring; ``last + 1`` where it is empty."""
        self.health: bytes | None = None
        """The newest ``live_messages.LiveHealth``."""
        self._views = Views(service.site)
        self._ring: list[Encoded] = [Encoded(b"", None, None, "")] * ring
        self._replay = replay

    def reconfigure(self) -> None:
        """The service watches another site."""
        self._views = Views(self.service.site)

    def put(self, entries: Sequence[Told]) -> None:
        """Add the next entries. One that is there already changes nothing.

        An alarm or incident that several of them are about is written out once: in a flood that is most of the work.
        """
        alarms: dict[int, bytes] = {}
        incidents: dict[int, bytes] = {}
        ring = self._ring
        for entry, alarm, incident in entries:
            if entry.sequence <= self.last:
                continue
            if entry.sequence != self.last + 1:
                self.first = entry.sequence  # what lies between comes from the ledger
            ring[entry.sequence % len(ring)] = _encoded(
                entry,
                _NULL if alarm is None else alarms.get(id(alarm)) or alarms.setdefault(id(alarm), self._alarm(alarm)),
                _NULL
                if incident is None
                else incidents.get(id(incident)) or incidents.setdefault(id(incident), self._incident(incident)),
            )
            self.last = entry.sequence
        self.first = max(self.first, self.last - len(ring) + 1)

    def encode(self, entry: Entry, alarm: Alarm | None, incident: Incident | None) -> Encoded:
        """An entry that the ring holds no more."""
        return _encoded(
            entry,
            _NULL if alarm is None else self._alarm(alarm),
            _NULL if incident is None else self._incident(incident),
        )

    def _alarm(self, alarm: Alarm) -> bytes:
        return orjson.dumps(self._views.alarm(alarm))

    def _incident(self, incident: Incident) -> bytes:
        return orjson.dumps(self._views.incident(incident))

    def held(self, after: int, most: int) -> Iterator[Encoded]:
        """Entries of the ring after a number, which must be ``first - 1`` or later."""
        for sequence in range(after + 1, min(after + most, self.last) + 1):
            yield self._ring[sequence % len(self._ring)]

    def resumes(self, since: int | None) -> bool:
        """Whether a client that has seen the entries up to ``since`` can be sent all that it missed."""
        return since is not None and since <= self.last and self.first - 1 - since <= self._replay


def health_message(health: Mapping[str, Any]) -> bytes:
    """``live_messages.LiveHealth``."""
    return orjson.dumps({"type": "health", **health})


def entry_text(entry: Entry) -> bytes:
    """``journal.describe`` as JSON, made from the entry's own text without reading it: once for each entry."""
    body = entry.body.encode()
    # The body's keys are sorted, and only text and a number stand before ``at``; a quote within text is escaped.
    begin = body.find(_AT) + len(_AT)
    end = body.find(b",", begin)
    if begin < len(_AT) or body[begin:end] != b"%d" % entry.at:
        return orjson.dumps(describe(entry))
    return b'%b"%b"%b,"hash":"%b"}' % (
        body[:begin],
        iso(entry.at).encode(),
        body[end:-1],
        entry.hash.hex().encode(),
    )


def beyond_message(sequence: int, kinds: Iterable[str]) -> bytes:
    """``live_messages.LiveBeyond``."""
    return orjson.dumps({"type": "beyond", "sequence": sequence, "kinds": sorted(kinds)})


def _encoded(entry: Entry, alarm: bytes, incident: bytes) -> Encoded:
    return Encoded(_message(entry, alarm, incident), entry.enterprise, desk_of(entry), entry.kind)


def _message(entry: Entry, alarm: bytes, incident: bytes) -> bytes:
    return b'{"type":"entry","sequence":%d,"entry":%b,"alarm":%b,"incident":%b}' % (
        entry.sequence,
        entry_text(entry),
        alarm,
        incident,
    )
