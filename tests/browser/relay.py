"""The network between a desk and the service: forwards TCP until it is cut or stalls, and again once it is mended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests import servers


class Relay:
    """Forwards a port of its own to ``target`` on the loopback interface."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self.port = servers.free_port()

    async def mend(self) -> None:
        """Forward, also what has waited."""
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)

    def stall(self) -> None:
        """As a cable that is pulled: nothing is refused, and nothing gets through."""
        self._flows.clear()

    async def cut(self) -> None:
        """Break what is open, and refuse what comes."""
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.transport.abort()
            self._flows.set()
            await self._server.wait_closed()
            self._server = None

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            service_reader, service_writer = await asyncio.open_connection("127.0.0.1", self._target)
            both = {writer, service_writer}
            self._open |= both
            try:
                await asyncio.gather(self._copy(reader, service_writer), self._copy(service_reader, writer))
            finally:
                for one in both:
                    one.transport.abort()
                self._open -= both

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            await self._flows.wait()
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def relay_to(port: int) -> AsyncIterator[Relay]:
    """A relay that works, until the block ends."""
    relay = Relay(port)
    await relay.mend()
    try:
        yield relay
    finally:
        await relay.cut()
