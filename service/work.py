"""What goes down the road from the first stage to the second, and what is told of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from alerting.alarms.register import Register
from alerting.ledger.ledger import Refused
from alerting.records import Alarm, Change, Entry, Incident
from domain.samples import SampleBlock
from domain.transitions import Transition
from ingest.decoder import Receipt
from ingest.intake import Refusal
from ingest.links.protocol import Message

PAYLOAD_SHOWN = 4_096
"""Characters of a refused payload that are kept."""

Told = tuple[Entry, Alarm | None, Incident | None]


@dataclass(slots=True)
class Work:
    """What goes from the first stage to the second."""

    generation: int = 0
    messages: Sequence[Message] = ()
    blocks: list[SampleBlock] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    of_drill: list[Transition] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    canaries: list[Transition] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    """Tags whose recording is played again."""
    act: Callable[[Register, int, Change], Any] | None = None
    done: asyncio.Future[Any] | None = None
    finish: Callable[[], None] | None = None
    """What is to be done once the act is committed, before anything else happens."""


class Listener(Protocol):
    """What is told after each commit."""

    def committed(self, told: Sequence[Told], canaries: Sequence[Transition]) -> None:
        """A commit is on disk: journal entries with their alarms and incidents, canaries arrived."""
        ...


@dataclass(slots=True)
class Counters:
    """Since the start."""

    messages: int = 0
    readings: int = 0
    refused: int = 0
    late: int = 0
    unstored: int = 0
    """Readings that were evaluated but could not be spooled."""
    transitions: int = 0
    commits: int = 0


@dataclass(slots=True)
class LedgerStatus:
    """Whether commits go through."""

    ok: bool
    since: int
    detail: str = ""


def quarantined(refusal: Refusal) -> Refused:
    """A refused payload, or its beginning, as a row of the quarantine."""
    shown = refusal.payload[:PAYLOAD_SHOWN].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    return Refused(
        received_at=refusal.received_time,
        enterprise=refusal.enterprise,
        gateway=refusal.gateway,
        topic=refusal.topic,
        reason=refusal.reason.value,
        detail=refusal.detail.replace("\x00", "\\x00"),
        payload=shown[:PAYLOAD_SHOWN],
        payload_bytes=len(refusal.payload),
    )
