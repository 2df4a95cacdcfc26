"""One client of the live part: what it was sent, what it wants, and how it is let go."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import orjson
import structlog
from aiohttp import WSMsgType, web
from pydantic import ValidationError

from alerting.ledger import queries
from alerting.ledger.journal_queries import SeenEntries
from alerting.ledger.ledger import LedgerUnavailable
from domain.clock import iso
from domain.samples import Int64
from service.accounts import WHOLE_SITE, Scope
from service.api.live_feed import Encoded, Feed, beyond_message, health_message
from service.api.reach import reach_of
from service.api.requests import Subscription
from service.api.scopes import seen_entries

_OF_THE_SITE = ("config.", "drill.")
"""Kinds of entries that change what anybody sees."""
SEND_PATIENCE = 10.0
"""Seconds in which a client must take ``BATCH`` entries."""
BATCH = 100
WRITE_BUFFER = 32 * 1024
"""Bytes that may wait for a client before no more are written."""
LOOK_AGAIN = 0.005
"""Seconds between looks whether it has taken them."""
LEDGER_BATCH = 500
LEAVE_PATIENCE = 1.0
ABORT_AFTER = 5.0
"""Seconds that the rest of what was sent may take to leave."""

GOING_AWAY = 1001
UNREADABLE = 1007
INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013
SIGN_IN_AGAIN = 4001
TOO_SLOW = 4008

log = structlog.get_logger(__name__)


class _TooSlow(Exception):
    """The client does not keep up."""


class _SessionOver(Exception):
    """Who is on the line has signed out elsewhere, or the time is up."""


class LiveClient:
    """A connection. ``run`` sends, until it ends; whatever it sends begins with ``hello``."""

    def __init__(
        self,
        feed: Feed,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        since: int | None,
        is_still_in: Callable[[], bool],
        scope: Scope = WHOLE_SITE,
        *,
        reads_journal: bool = True,
    ) -> None:
        """``is_still_in``: whether the client's session counts; it is asked whenever something is sent.

        ``reads_journal``: whether the role may; else nothing is sent of what is no enterprise's and no desk's.
        """
        self._scope = scope
        self._reads_journal = reads_journal
        self._feed = feed
        self._is_still_in = is_still_in
        self._socket = socket
        self._transport = transport
        self._resumed = feed.resumes(since)
        self._start = feed.last
        self._sent = since if self._resumed and since is not None else feed.last
        self._health: bytes | None = None
        self._wake = asyncio.Event()
        self._wake.set()
        self._wanted: tuple[str, ...] = ()
        self._tags: Int64 = np.empty(0, dtype=np.int64)
        self._seen: tuple[Int64, Int64] = (self._tags, self._tags)
        self._readings_due = False
        self._seen_entries: SeenEntries | None = None
        self.resubscribe()

    def wake(self) -> None:
        """There is something new to send."""
        self._wake.set()

    def offer_readings(self) -> None:
        """A second has passed."""
        if len(self._tags):
            self._readings_due = True
            self._wake.set()

    async def receive(self, text: str | bytes) -> None:
        """Take a message of the client."""
        try:
            wanted = Subscription.model_validate_json(text)
        except ValidationError as fault:
            message = fault.errors(include_url=False, include_input=False)[0]["msg"]
            await self._close(UNREADABLE, f'send {{"subscribe": ["enterprise/tag", …]}}: {message}')
            return
        self._wanted = tuple(wanted.subscribe)
        self.resubscribe()

    async def run(self) -> None:
        """Send until the connection ends, one way or the other."""
        try:
            await self._send_all()
        except (TimeoutError, _TooSlow):
            log.warning("live_client_cut", sent=self._sent, last=self._feed.last)
            await self._close(TOO_SLOW, "too slow; connect again and resume")
        except _SessionOver:
            await self._close(SIGN_IN_AGAIN, "the session has ended; sign in again")
        except LedgerUnavailable:
            await self._close(TRY_AGAIN_LATER, "the ledger is unavailable")
        except ConnectionError:
            pass
        except Exception:
            log.exception("live_client_failed")
            await self._close(INTERNAL_ERROR, "internal error")

    async def leave(self) -> None:
        """The service stops: say goodbye, and give up what the client does not take soon."""
        await self._close(GOING_AWAY, "the service stops")
        end = asyncio.get_running_loop().time() + LEAVE_PATIENCE
        while self._transport.get_write_buffer_size():
            if asyncio.get_running_loop().time() > end:
                self._transport.abort()
                return
            await asyncio.sleep(0.01)

    async def _send_all(self) -> None:
        feed = self._feed
        health = feed.service.health()
        hello = {
            "type": "hello",
            "sequence": self._start,
            "now": health["now"],
            "version": health["version"],
            "resumed": self._resumed,
        }
        async with _in_time():
            await self._send(orjson.dumps(hello))
            await self._send(health_message(health))
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._is_still_in():
                raise _SessionOver
            await self._send_states()
            while self._sent < feed.last:
                await self._send_entries()
                await self._send_states()
                await asyncio.sleep(0)

    async def _send_states(self) -> None:
        """Send what is only worth having while it is new."""
        async with _in_time():
            newest = self._feed.health
            if newest is not None and newest is not self._health:
                self._health = newest
                await self._send(newest)
            if self._readings_due:
                self._readings_due = False
                items = self._changed_readings()
                if items:
                    await self._send(orjson.dumps({"type": "readings", "items": items}))

    async def _send_entries(self) -> None:
        """Send some of the entries that the client lacks."""
        feed = self._feed
        if self._sent + 1 >= feed.first:
            await self._send_seen(list(feed.held(self._sent, BATCH)))
            return
        if self._sent >= self._start:
            raise _TooSlow
        missed = await queries.tail(feed.service.ledger, self._sent, feed.first, LEDGER_BATCH)
        if not missed or missed[0][0].sequence != self._sent + 1:
            raise LookupError(f"the ledger lacks journal entry {self._sent + 1}")
        for begin in range(0, len(missed), BATCH):
            await self._send_seen([feed.encode(*each) for each in missed[begin : begin + BATCH]])

    async def _send_seen(self, entries: Sequence[Encoded]) -> None:
        """Send the next entries: those that the client sees, and how far it has come with the others."""
        sequence, seen = self._sent + len(entries), self._seen_entries
        if seen is None:
            messages = [each.message for each in entries]
        else:
            beyond = [each for each in entries if not seen.has(each.enterprise, each.desk)]
            messages = [each.message for each in entries if seen.has(each.enterprise, each.desk)]
            if beyond:
                kinds = {each.kind for each in beyond if each.kind.startswith(_OF_THE_SITE)}
                messages.append(beyond_message(sequence, kinds))
        await self._send_together(messages)
        self._sent = sequence

    def resubscribe(self) -> None:
        """Find what the client sees, and the tags that it named, again where the site has changed.

        Tags that the site has not, or the client does not see, are left out.
        """
        service = self._feed.service
        reach = reach_of(service.site, self._scope)
        self._seen_entries = seen_entries(service, reach, of_the_site=self._reads_journal)
        index = service.site.tag_index
        tags = {index[path] for path in self._wanted if path in index and reach.sees_all([path])}
        self._tags = np.array(sorted(tags), dtype=np.int64)
        never = np.zeros(len(self._tags), dtype=np.int64)
        self._seen = (never, never)
        self.offer_readings()

    def _changed_readings(self) -> list[dict[str, Any]]:
        """Newest samples of subscribed tags that were not sent yet."""
        latest, tags = self._feed.service.latest, self._tags
        source, received = latest.source_time[tags], latest.received_time[tags]
        changed = np.flatnonzero((source != self._seen[0]) | (received != self._seen[1]))
        self._seen = (source, received)
        items = []
        for position in changed.tolist():
            row = int(tags[position])
            tag = self._feed.service.site.tags[row]
            value = float(latest.value[row])
            items.append(
                {
                    "enterprise": tag.enterprise,
                    "tag": tag.name,
                    "v": value if np.isfinite(value) else None,
                    "q": int(latest.quality[row]),
                    "t": iso(int(source[position])),
                }
            )
        return items

    async def _send_together(self, messages: Sequence[bytes]) -> None:
        """Send messages in one write: one by one, a flood would be as many system calls for each client."""
        if self._socket.closed or self._transport.is_closing():
            raise ConnectionResetError
        async with _in_time():
            self._transport.write(b"".join(map(_frame, messages)))
            while self._transport.get_write_buffer_size() > WRITE_BUFFER:  # noqa: ASYNC110 -- it tells its protocol only
                await asyncio.sleep(LOOK_AGAIN)

    async def _send(self, message: bytes) -> None:
        await self._socket.send_frame(message, WSMsgType.TEXT)

    async def _close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(LEAVE_PATIENCE):
                # Not drained: in aiohttp a wait that was given up makes all later ones of the connection end at once,
                # as if they were cancelled.
                await self._socket.close(code=code, message=reason.encode()[:120], drain=False)
        except TimeoutError:
            self._transport.abort()
        except ConnectionError:
            pass
        else:
            asyncio.get_running_loop().call_later(ABORT_AFTER, self._transport.abort)


def _frame(message: bytes) -> bytes:
    """A whole text message of a server (RFC 6455, 5.2): unmasked, not compressed."""
    length = len(message)
    if length < 126:  # noqa: PLR2004 -- by the RFC
        return b"\x81%c%b" % (length, message)
    if length < 65_536:  # noqa: PLR2004 -- by the RFC
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), message)
    return b"\x81\x7f%b%b" % (length.to_bytes(8, "big"), message)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    async with asyncio.timeout(SEND_PATIENCE):
        yield
