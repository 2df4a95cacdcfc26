"""The watcher is watched: a synthetic reading runs through the whole chain once a period.

It is published to the broker like any gateway's, decoded, evaluated against a rule of its own and committed with its
transition; the time from publishing to commit is the latency. It leaves no alarm and no journal entry. If none has
arrived for the timeout, that is an alarm.
"""

import asyncio

import orjson
import structlog

from domain.clock import Clock
from domain.site import SERVICE_ENTERPRISE
from ingest.links.protocol import Link, LinkDown, PublishRefused
from service.conditions import CANARY, SystemConditions

log = structlog.get_logger(__name__)

TAG = "canary-reading"
RULE = f"{SERVICE_ENTERPRISE}/{TAG}/CANARY"
TOPIC = f"anshao/v1/{SERVICE_ENTERPRISE}/canary/data"
FIRST_TRIES = 1.0
"""Seconds between tries until the first has arrived."""


class Canary:
    """Run ``run`` as a task. ``inside``: whether the canary's condition is in at the start. Times in ms."""

    def __init__(
        self, link: Link, conditions: SystemConditions, clock: Clock, *, period: int, timeout: int, inside: bool
    ) -> None:
        self._link = link
        self._conditions = conditions
        self._clock = clock
        self._period = period
        self._timeout = timeout
        self._inside = inside
        self._waiting_since = clock.now()
        self.latency: int | None = None
        """ms, of the last that arrived."""
        self.arrived_at: int | None = None

    async def run(self) -> None:
        """Publish for ever."""
        while True:
            if self._link.status.connected:
                await self.publish()
            await asyncio.sleep(FIRST_TRIES if self.arrived_at is None else self._period / 1000)

    async def publish(self) -> None:
        """Send one canary; its value is the one that makes its condition toggle."""
        payload = orjson.dumps({"ts": self._clock.now(), "values": {TAG: 0 if self._inside else 1}})
        try:
            await self._link.publish(TOPIC, payload)
        except (LinkDown, PublishRefused) as fault:
            log.info("canary was not sent", reason=str(fault))

    def arrived(self, sent_at: int, *, inside: bool) -> None:
        """A canary sent at this time is committed."""
        now = self._clock.now()
        self._inside = inside
        self.latency = now - sent_at
        self.arrived_at = self._waiting_since = now
        self._conditions.set(CANARY, now, inside=False)

    def advance(self, now: int) -> None:
        """Notice that none has arrived."""
        if now - self._waiting_since > self._timeout:
            self._conditions.set(CANARY, now, inside=True)

    @property
    def is_missing(self) -> bool:
        """None has arrived for the timeout, whether or not that alarm could be raised."""
        return self._clock.now() - self._waiting_since > self._timeout
