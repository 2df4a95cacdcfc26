"""What the WebSocket says: the shapes of its messages, as in ``models``."""

from typing import Literal

from service.api.incidents_models import Incident
from service.api.models import Alarm, Document, Entry, Health, Instant


class LiveHello(Document):
    """First message. `resumed` false: reload the lists, what follows does not join what was seen before."""

    type: Literal["hello"]
    sequence: int
    now: Instant
    version: str
    resumed: bool


class LiveEntry(Document):
    """An entry of the journal, with the alarm and the incident that it is about."""

    type: Literal["entry"]
    sequence: int
    entry: Entry
    alarm: Alarm | None
    incident: Incident | None


class LiveBeyond(Document):
    """Entries up to this number are not for the caller; `kinds` of those among them that change what anybody sees."""

    type: Literal["beyond"]
    sequence: int
    kinds: list[str]


class LiveHealth(Health):
    """State of the service, every 2 s and at once when it changes."""

    type: Literal["health"]


class Reading(Document):
    """The newest sample of a subscribed tag."""

    enterprise: str
    tag: str
    v: float | None
    q: int
    t: Instant


class LiveReadings(Document):
    """Subscribed tags that have a newer sample, at most once a second."""

    type: Literal["readings"]
    items: list[Reading]
