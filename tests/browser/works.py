"""A watched site on a real broker: what is configured, what its gateway publishes, and the service over it."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiomqtt
import orjson

from tests import servers
from tests.running import Api, Service, main_file

GATEWAY = "anshao/v1/works/gw1"


def limits(high: float, high_high: float, *, latching: bool = False) -> dict[str, Any]:
    """H and HH that act and return at once."""
    at_once = {"deadband": 0, "on_delay": "0s", "off_delay": "0s"}
    return {"H": {"setpoint": high, **at_once}, "HH": {"setpoint": high_high, "latching": latching, **at_once}}


def gas_tag(tag: str, description: str, **settings: Any) -> dict[str, Any]:
    """A hydrogen sulphide detector that may be silent between a test's readings."""
    return {
        "tag": tag,
        "measurand": "h2s",
        "engineering_unit": "mg/m3",
        "range": [0, 100],
        "description": description,
        "limits": limits(10, 20),
        "stale": "off",
        "bad": "off",
        **settings,
    }


def main(broker: servers.Broker) -> dict[str, Any]:
    """The main file: Mosquitto, and stores that need no server."""
    return main_file(broker={"url": broker.url}, historian={"kind": "duckdb"})


@dataclass
class Works:
    """The service, its broker, its API, and the gateway ``works/gw1``."""

    service: Service
    broker: servers.Broker
    api: Api

    @property
    def address(self) -> str:
        """Of the console."""
        return f"http://127.0.0.1:{self.service.port}/"

    async def publish(self, **values: Any) -> None:
        """The gateway's readings of this moment."""
        await self.send(self.payload(**values))

    @staticmethod
    def payload(**values: Any) -> bytes:
        """Readings of this moment as a gateway sends them."""
        return orjson.dumps({"ts": time.time_ns() // 1_000_000, "values": values})

    async def send(self, payload: bytes) -> None:
        """Any message of the gateway."""
        await self.send_to(f"{GATEWAY}/data", payload)

    async def send_to(self, topic: str, payload: bytes) -> None:
        """Any message on any topic."""
        async with aiomqtt.Client("127.0.0.1", self.broker.port) as client:
            await client.publish(topic, payload, qos=1)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The service's process stopped: its connections stay open and nothing answers."""
        process = self.service.process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    async def alarm(self, tag: str, rule: str) -> dict[str, Any] | None:
        """The newest alarm of that condition."""
        found: list[dict[str, Any]] = await self.api.every("/alarms", tag=tag)
        return next((alarm for alarm in found if alarm["rule"] == rule), None)

    async def entries(self, kind: str, tag: str | None = None) -> list[dict[str, Any]]:
        """Journal entries of a kind."""
        found = await self.api.every("/journal", kind=kind)
        return [entry for entry in found if tag is None or entry["tag"] == tag]
