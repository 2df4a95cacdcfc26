"""The road of a drill's readings behind the broker: rules of their own, so that the site's never see them.

Decoded as any gateway's, evaluated by an engine that begins with everything out, they become transitions that carry the
drill's number. They reach neither the spool nor the newest readings.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np
import orjson
import structlog

from domain.samples import Bool
from domain.scales import RuleKind
from domain.site import Site
from domain.transitions import Transition
from ingest.decoder import Decoder, Received
from rules.engine import RuleEngine

log = structlog.get_logger(__name__)

FUTURE = 60_000
"""ms that readings may be ahead: they were published by the same clock [ours]."""


class DrillRoad:
    """What one drill's messages become. Making it takes a while with many tags: not in the event loop.

    ``units``: paths of those where it takes place. ``key``: what its messages carry, so that nobody else's count.
    """

    def __init__(self, site: Site, make_engine: Callable[[], RuleEngine], units: Collection[str], key: str) -> None:
        self._decoder = Decoder(site, future=FUTURE, drill=True)
        self._engine = make_engine()
        self._rules = site.rules
        self._heard: Bool = np.zeros(len(site.tags), dtype=np.bool_)
        self._inside: Bool = np.array([f"{tag.enterprise}/{tag.unit}" in units for tag in site.tags], dtype=np.bool_)
        self._key = key
        self._drill = 0

    @property
    def drill(self) -> int:
        """The drill's number; 0 before it has begun."""
        return self._drill

    def open(self, drill: int, now: int) -> None:
        """It has begun."""
        self._drill = drill
        self._engine.await_readings(now)

    def evaluate(self, messages: Sequence[Received], now: int) -> list[Transition]:
        """Transitions of messages that are this drill's."""
        own = [message for message in messages if self._is_own(message.payload)]
        if len(own) < len(messages):
            log.warning("readings of a drill that does not run", messages=len(messages) - len(own))
        decoded = self._decoder.decode(own, now)
        if decoded.refusals:
            log.error("readings of a drill were refused", detail=decoded.refusals[0].detail)
        self._heard[decoded.block.tag] = True
        return self._of_drill(self._engine.evaluate(decoded.block))

    def advance(self, now: int, *, connected: bool) -> list[Transition]:
        """Let time pass."""
        return self._of_drill(self._engine.advance(now, connected=connected))

    def _is_own(self, payload: bytes) -> bool:
        try:
            body = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return False
        return isinstance(body, dict) and body.get("drill") == self._drill and body.get("key") == self._key

    def _of_drill(self, transitions: Sequence[Transition]) -> list[Transition]:
        """Those of the drill's units; of silence only where something was heard before."""
        return [
            replace(found, drill=self._drill)
            for found in transitions
            if self._inside[tag := int(self._rules.tag[found.rule])]
            and (self._heard[tag] or self._rules.kind[found.rule] != RuleKind.STALE)
        ]
