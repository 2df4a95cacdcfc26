"""The WebSocket ``/api/v1/live``."""

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from service.api.access import ROLES
from service.api.authentication import LIVE_PROTOCOL, caller_of
from service.api.live import LiveHub
from service.api.live_client import WRITE_BUFFER, LiveClient
from service.api.problems import Problem, unavailable
from service.api.requests import LiveQuery
from service.api.routes import checked_query

HEARTBEAT = 20.0
"""Seconds between pings; a client that answers none is gone."""
LARGEST_MESSAGE = 1024 * 1024


async def serve_live(request: web.Request, hub: LiveHub) -> web.WebSocketResponse:
    """Take a client on, and stay with it."""
    check_origin(request)
    query = checked_query(request, LiveQuery)
    if hub.is_closing:
        raise unavailable("the service stops; connect again later")
    socket = web.WebSocketResponse(
        protocols=(LIVE_PROTOCOL,),
        heartbeat=HEARTBEAT,
        compress=False,  # would compress every message once per client
        max_msg_size=LARGEST_MESSAGE,
        writer_limit=WRITE_BUFFER,
    )
    if not socket.can_prepare(request):
        raise Problem(
            HTTPStatus.UPGRADE_REQUIRED,
            "this is a WebSocket; connect with a WebSocket client",
            headers={"Upgrade": "websocket"},
        )
    transport = request.transport
    try:
        await socket.prepare(request)
    except ConnectionError:  # gone while it connected, as a page that is left does: nobody reads the answer
        raise unavailable("the caller has gone") from None
    if transport is None:
        return socket
    caller = caller_of(request)
    service = hub.feed.service
    client = LiveClient(
        hub.feed,
        socket,
        transport,
        query.since,
        lambda: caller.is_still_in(service),
        caller.scope,
        reads_journal=caller.role in ROLES["list_journal"],
    )
    hub.add(client)
    sender = asyncio.create_task(client.run(), name="live client")
    try:
        async for message in socket:
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                await client.receive(message.data)
    finally:
        hub.remove(client)
        sender.cancel()
        await asyncio.wait([sender])
    return socket


def check_origin(request: web.Request) -> None:
    """Refuse pages of other sites. Raises Problem (403). Programs send no Origin."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    try:
        parts = urlsplit(origin)
        same = parts.scheme in {"http", "https"} and parts.netloc.lower() == request.headers.get("Host", "").lower()
    except ValueError:
        same = False
    if not same:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "a page of another site may not connect; a reverse proxy must pass the Host header on unchanged",
        )
