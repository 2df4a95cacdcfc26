"""An MQTT 3.1.1 broker inside the process, for the demonstration and for tests: nothing need be installed.

It is ``amqtt`` on a loopback port that anyone on this machine may use without a password. What it does not do, found
by reading and measuring version 0.12, and why ``anshao serve`` wants a broker of its own:

- Sessions and stored messages live in memory and end with the process.
- A message that is not acknowledged within 5 s, or whose connection is lost before, is forgotten: it is not delivered
  again. Only what is published while a persistent session is away waits for it, and is then delivered with the retain
  flag set, which ``EmbeddedBroker`` corrects.
- A publish is acknowledged to its sender before anybody has received it.
- A silent client is not disconnected, so its last will is published only when its connection breaks.
- Stored messages are sent to every client that connects, whether it has subscribed to them or not.
- It is slow: about a thousand messages a second, in the same event loop as the service.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

_HOST = "127.0.0.1"
_LISTENER = "default"


class AcceptEveryone(BaseAuthPlugin):  # type: ignore[misc] # amqtt is untyped
    """amqtt plugin: no passwords. Sessions are not marked anonymous, because amqtt keeps none that is."""

    async def authenticate(self, *, session: Session) -> bool:  # noqa: ARG002 - amqtt's signature
        """Whoever reaches the loopback port is accepted."""
        return True


class _Steady(dict[str, Any]):
    """Subscriptions that are gone through as they stood: amqtt waits meanwhile, and other clients come and go."""

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self.keys()))

    def items(self) -> Any:
        return tuple(super().items())


class _CorrectedBroker(Broker):  # type: ignore[misc] # amqtt is untyped
    """amqtt's broker, without the retain flag on messages that waited for a persistent session.

    And a client that connects while another subscribes is served: amqtt left it half connected.
    """

    def __init__(self, config: BrokerConfig) -> None:
        super().__init__(config)
        self._subscriptions = _Steady()

    async def _publish_session_retained_messages(self, session: Session) -> None:
        handler = self._get_handler(session)
        waiting = session.retained_messages
        if handler is not None and not waiting.empty():
            messages = [waiting.get_nowait() for _ in range(waiting.qsize())]
            await asyncio.gather(
                *(handler.mqtt_publish(m.topic, m.data, m.qos, retain=False) for m in messages),
                return_exceptions=True,  # not acknowledged in time, or the connection is lost again
            )


class EmbeddedBroker:
    """A broker on a loopback port. Use once: start, then stop."""

    def __init__(self, port: int = 0) -> None:
        """Port 0: any free one."""
        self._wanted_port = port
        self._broker: Broker | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()

    async def start(self) -> int:
        """Listen; returns the port. Raises OSError."""
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.ERROR)
        logging.getLogger("amqtt.broker").addFilter(_is_news)
        config = {
            "listeners": {_LISTENER: {"type": "external"}},
            "plugins": {f"{AcceptEveryone.__module__}.{AcceptEveryone.__qualname__}": {}},
        }
        self._broker = _CorrectedBroker(BrokerConfig.from_dict(config))
        await self._broker.start()
        # our own listener, because amqtt's does not say which port it has got
        try:
            self._server = await asyncio.start_server(self._connected, _HOST, self._wanted_port)
        except OSError:
            await self._broker.shutdown()
            raise
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Close all connections; no task is left."""
        if self._server is not None:
            self._server.close()
        if self._broker is not None:
            await self._broker.shutdown()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if self._broker is None or task is None:
            return
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            await self._broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), _LISTENER)
        except OSError:
            pass  # the client went while it was being answered
        finally:
            writer.close()


def _is_news(record: logging.LogRecord) -> bool:
    """False for amqtt's traceback on every message that was not acknowledged within 5 s."""
    return not (record.exc_info and isinstance(record.exc_info[1], TimeoutError))
