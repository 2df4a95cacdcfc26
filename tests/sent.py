"""A gateway's message where no wire is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sent:
    """A message as a link hands it on."""

    topic: str
    payload: bytes
    retain: bool = False
    packet_id: int | None = 1
