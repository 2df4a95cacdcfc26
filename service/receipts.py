"""What is answered after a commit: first the gateways, by receipts, then the broker, by PUBACK.

A gateway that stores readings lets them go when a receipt names them. Because the receipt has reached the broker before
the PUBACK is sent, a crash between the two makes the broker deliver the readings again, and the receipt with them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from domain.clock import Clock, iso
from ingest.decoder import Receipt
from ingest.links.protocol import Link, LinkDown, Message, PublishRefused

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Messages of one connection that are committed, and the receipts that they are owed."""

    generation: int
    messages: Sequence[Message]
    receipts: Sequence[Receipt]


class Answers:
    """Run ``run`` as a task."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._waiting: asyncio.Queue[_Answer] = asyncio.Queue()

    def put(self, generation: int, messages: Sequence[Message], receipts: Sequence[Receipt]) -> None:
        """These messages are committed."""
        self._waiting.put_nowait(_Answer(generation, messages, receipts))

    async def drain(self) -> None:
        """Wait until everything committed is answered."""
        await self._waiting.join()

    async def run(self) -> None:
        """Answer for ever, in the order of the commits."""
        while True:
            answers = [await self._waiting.get()]
            while not self._waiting.empty():
                answers.append(self._waiting.get_nowait())
            documents = self._documents([receipt for answer in answers for receipt in answer.receipts])
            if documents:
                await asyncio.gather(*(self._publish(gateway, document) for gateway, document in documents.items()))
            for answer in answers:
                self._link.acknowledge(answer.generation, answer.messages)
                self._waiting.task_done()

    def _documents(self, receipts: Sequence[Receipt]) -> dict[tuple[str, str], dict[str, Any]]:
        """One receipt a gateway."""
        at = iso(self._clock.now())
        documents: dict[tuple[str, str], dict[str, Any]] = {}
        for receipt in receipts:
            document = documents.setdefault(receipt.gateway, {"ids": [], "at": at})
            if receipt.refused is None:
                document["ids"].append(receipt.message)
            else:
                refused = document.setdefault("refused", [])
                refused.append({"id": receipt.message, "reason": receipt.refused.value})
        return documents

    async def _publish(self, gateway: tuple[str, str], document: dict[str, Any]) -> None:
        try:
            await self._link.publish(f"anshao/v1/{gateway[0]}/{gateway[1]}/receipt", orjson.dumps(document))
        except (LinkDown, PublishRefused) as fault:
            log.info("receipt was not sent", gateway=gateway, reason=str(fault))
