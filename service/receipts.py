"""Receipts to gateways: which messages are committed, so that a gateway that stores readings may let them go."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import orjson
import structlog

from domain.clock import Clock, iso
from ingest.decoder import Receipt
from ingest.links.protocol import Link, LinkDown, PublishRefused

log = structlog.get_logger(__name__)

WAITING = 100_000
"""Receipts that may wait; older ones are dropped: the gateway sends again, which is harmless."""


class Receipts:
    """Run ``run`` as a task."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._waiting: deque[Receipt] = deque(maxlen=WAITING)
        self._awake = asyncio.Event()

    def add(self, receipts: Sequence[Receipt]) -> None:
        """These are committed."""
        self._waiting.extend(receipts)
        self._awake.set()

    async def run(self) -> None:
        """Publish for ever, all that wait for one gateway in one message."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            documents: dict[tuple[str, str], dict[str, Any]] = {}
            at = iso(self._clock.now())
            while self._waiting:
                receipt = self._waiting.popleft()
                document = documents.setdefault(receipt.gateway, {"ids": [], "at": at})
                if receipt.refused is None:
                    document["ids"].append(receipt.message)
                else:
                    refused = document.setdefault("refused", [])
                    refused.append({"id": receipt.message, "reason": receipt.refused.value})
            await asyncio.gather(*(self._publish(key, document) for key, document in documents.items()))

    async def _publish(self, gateway: tuple[str, str], document: dict[str, Any]) -> None:
        try:
            await self._link.publish(f"anshao/v1/{gateway[0]}/{gateway[1]}/receipt", orjson.dumps(document))
        except (LinkDown, PublishRefused) as fault:
            log.info("receipt was not sent; the gateway will send again", gateway=gateway, reason=str(fault))
