"""What a payload codec is."""

from typing import Protocol

from ingest.intake import Intake, Source


class Codec(Protocol):
    """Reads one message of one payload format. Stateless between messages."""

    def decode(self, payload: bytes, source: Source, intake: Intake) -> None:
        """Append the message's readings to ``intake``.

        A part that cannot be read is refused through ``intake.refuse`` and loses nothing else; a message that cannot
        be read at all raises PayloadRefused.
        """
        ...
