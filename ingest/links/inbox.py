"""What has arrived over a link and nobody has taken yet."""

import asyncio
from collections import deque

from ingest.links.protocol import Batch, LinkDown, Message


class Inbox:
    """Messages in the order of their arrival, in batches of one generation each, for one consumer.

    It refuses nothing: when ``full``, whoever fills it stops reading. Lives in the event loop.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._batches: deque[tuple[int, list[Message], int]] = deque()
        self._count = 0
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    @property
    def full(self) -> bool:
        """Too much waits: stop reading."""
        return not self._room.is_set()

    def put(self, generation: int, messages: list[Message], size: int) -> None:
        """Add messages that take so many bytes; the list is the inbox's from now on."""
        if self._closed:
            return
        if self._batches and self._batches[-1][0] == generation:
            _, waiting, before = self._batches[-1]
            waiting += messages
            self._batches[-1] = (generation, waiting, before + size)
        else:
            self._batches.append((generation, messages, size))
        self._count += len(messages)
        self._bytes += size
        if self._count >= self._max_messages or self._bytes >= self._max_bytes:
            self._room.clear()
        self._arrived.set()

    async def take(self) -> Batch:
        """Wait for messages and take all of the oldest generation that waits. Raises LinkDown once closed."""
        while not self._batches:
            if self._closed:
                break
            self._arrived.clear()
            await self._arrived.wait()
        if self._closed:
            raise LinkDown("the link is stopped")
        generation, messages, size = self._batches.popleft()
        self._count -= len(messages)
        self._bytes -= size
        if self._count < self._max_messages and self._bytes < self._max_bytes:
            self._room.set()
        return Batch(generation, messages)

    async def room(self) -> None:
        """Wait until it is no longer full."""
        await self._room.wait()

    def close(self) -> None:
        """Nothing is handed on any more."""
        self._closed = True
        self._batches.clear()
        self._arrived.set()
