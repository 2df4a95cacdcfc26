"""Parts that take part in every commit: they see what happened and add to it, in the same transaction."""

from typing import Protocol

from alerting.records import Change


class Participant(Protocol):
    """Called in the commit's stage of the pipeline, after the register; several are called in a fixed order.

    What a participant keeps in memory is what the ledger will hold after the commit; at a start it is loaded from
    there.
    """

    def take_part(self, change: Change, now: int) -> None:
        """Look at ``change`` and at the time (ms UTC), and journal, insert or upsert what follows from them."""
        ...
