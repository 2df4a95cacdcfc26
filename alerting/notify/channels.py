"""Channels (通道): how a message leaves. One try each; who tries again, and by what else, is decided elsewhere."""

import asyncio
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import apprise
import orjson
from apprise.conversion import convert_between

from alerting.notify import signing
from alerting.notify.message import ERROR_SHOWN
from alerting.response.book import Channel
from domain.clock import Clock

PARALLEL = 8
"""Tries of one channel at a time."""


class ChannelFault(Exception):
    """The channel has not taken the message; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent. ``identity`` is the same at each try, so that a receiver knows a repetition."""

    identity: str
    address: str
    subject: str
    text: str
    html: str | None
    facts: dict[str, Any]
    """For receivers that are machines."""


class Way(Protocol):
    """A channel that can be used."""

    async def send(self, letter: Letter) -> bool:
        """Try once, within the channel's timeout. True: it has arrived, and was not only taken. Raises ChannelFault."""
        ...


class WebhookWay:
    """A signed request; its receiver has it when it answers 2xx."""

    def __init__(self, channel: Channel, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._channel = channel
        self._session = session
        self._clock = clock

    async def send(self, letter: Letter) -> bool:
        """See ``Way``."""
        timestamp = self._clock.now() // 1000
        data = letter.facts | {"address": letter.address, "subject": letter.subject, "text": letter.text}
        body = orjson.dumps({"type": "message", "timestamp": timestamp, "data": data})
        headers = signing.headers(self._channel.secret, letter.identity, timestamp, body)
        timeout = aiohttp.ClientTimeout(total=self._channel.timeout / 1000)
        try:
            async with self._session.post(
                addressed(self._channel.url, letter.address),
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                if response.status not in signing.OK:
                    raise ChannelFault(await signing.complaint(response))
        except TimeoutError:
            raise ChannelFault(f"no answer within {self._channel.timeout / 1000:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as fault:
            raise ChannelFault(_without_url(fault)) from None
        return True


class AppriseWay:
    """Any of apprise's services. It blocks, so that each try has a thread of its own, which is let go if it hangs."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._busy = 0

    async def send(self, letter: Letter) -> bool:
        """See ``Way``."""
        if self._busy >= PARALLEL:
            raise ChannelFault("the channel hangs: earlier tries have not come back")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str | None] = loop.create_future()

        def finish(error: str | None) -> None:
            self._busy -= 1
            if not done.done():
                done.set_result(error)

        def work() -> None:
            error = self._notify(letter)
            if not loop.is_closed():  # the service has stopped meanwhile
                loop.call_soon_threadsafe(finish, error)

        self._busy += 1
        threading.Thread(target=work, name=f"channel {self._channel.id}", daemon=True).start()
        try:
            async with asyncio.timeout(self._channel.timeout / 1000):
                error = await done
        except TimeoutError:
            raise ChannelFault(f"no answer within {self._channel.timeout / 1000:g} s") from None
        if error is not None:
            raise ChannelFault(error)
        return False

    def _notify(self, letter: Letter) -> str | None:
        """What went wrong. Runs in a thread."""
        try:
            _load_services()
            service = apprise.Apprise.instantiate(
                addressed(self._channel.url, letter.address), suppress_exceptions=True
            )
            if not isinstance(service, apprise.NotifyBase):
                return "the URL is none that apprise knows"
            # Not by ``Apprise.notify``: its threads are shared by all services, so that one could hold up another.
            given = apprise.NotifyFormat.TEXT if letter.html is None else apprise.NotifyFormat.HTML
            wanted = service.notify_format
            body = convert_between(given, wanted, content=letter.html or letter.text)  # type: ignore[no-untyped-call]
            taken = service.notify(
                body=body, title=letter.subject, notify_type=apprise.NotifyType.WARNING, body_format=wanted
            )
        except Exception as fault:  # noqa: BLE001 - a plugin's own fault is the channel's, whatever it raises
            return f"{type(fault).__name__} in apprise"
        return None if taken else "the service refused it or did not answer"


@cache
def _load_services() -> None:
    """Load apprise's plugins, some of which stand on modules that Python is about to drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise.Apprise.instantiate("json://127.0.0.1")


def way_of(channel: Channel, session: aiohttp.ClientSession, clock: Clock) -> Way:
    """How a channel is used."""
    return WebhookWay(channel, session, clock) if channel.kind == "webhook" else AppriseWay(channel)


def addressed(url: str, address: str) -> str:
    """A channel's URL with the recipient's address in its place."""
    for name in ("phone", "mail", "address"):
        url = url.replace(f"{{{name}}}", quote(address, safe="@"))
    return url


def is_known_to_apprise(url: str) -> bool:
    """Whether apprise takes a URL, whoever the recipient is."""
    for name, sample in (("phone", "13800000000"), ("mail", "a@example.cn"), ("address", "someone")):
        url = url.replace(f"{{{name}}}", sample)
    _load_services()
    return apprise.Apprise.instantiate(url, suppress_exceptions=True) is not None


def _without_url(fault: Exception) -> str:
    """What went wrong without the URL, which may hold a secret."""
    detail = fault.strerror if isinstance(fault, OSError) else None
    return f"{type(fault).__name__}: {detail}"[:ERROR_SHOWN] if detail else type(fault).__name__
