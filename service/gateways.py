"""What is known of each gateway: whether it is there, how much it sends, how far its clock is off."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.clock import iso
from domain.samples import Int64, SampleBlock
from domain.scales import RuleKind
from domain.site import SERVICE_ENTERPRISE, Gateway, Site
from ingest.decoder import Decoded, GatewayStatus
from ingest.intake import Reason, Refusal
from service.conditions import SystemConditions

CLOCK_CALM = 60_000
"""ms without a reading from the future before the clock condition leaves [ours]."""
LONGEST_REST = 60_000
"""ms between two looks for silent gateways at the most."""


@dataclass(slots=True)
class GatewayState:
    """One gateway. Times in ms UTC."""

    gateway: Gateway
    since: int
    status: str = "unknown"
    last_received: int | None = None
    heard_at: int | None = None
    """When anything came from it last that the broker had not stored."""
    silence: int | None = None
    """ms without a message after which it is lost; None: none of its tags says."""
    messages: int = 0
    readings: int = 0
    refused: int = 0
    skew: int | None = None
    """Received time minus the newest source time of its last block."""
    ahead_at: int | None = None
    """When its clock was last found ahead."""
    session: str | None = None
    """The run that its last status named."""

    @property
    def is_own(self) -> bool:
        """The canary's: no gateway of an enterprise, and without conditions of its own."""
        return self.gateway.enterprise == SERVICE_ENTERPRISE

    def describe(self) -> dict[str, object]:
        """As the API shows it."""
        return {
            "enterprise": self.gateway.enterprise,
            "gateway": self.gateway.id,
            "name": self.gateway.name,
            "status": self.status,
            "since": iso(self.since),
            "last_received": iso(self.last_received) if self.last_received else None,
            "last_heard": iso(self.heard_at) if self.heard_at else None,
            "messages": self.messages,
            "readings": self.readings,
            "refused": self.refused,
            "clock_skew_ms": self.skew,
            "clock": self.gateway.clock,
            "session": self.session,
        }


class Gateways:
    """All gateways of a site, fed with what is decoded."""

    def __init__(
        self, site: Site, conditions: SystemConditions, tolerance: int, now: int, heard: Int64 | None = None
    ) -> None:
        """``heard``: when each tag was heard last (ms; 0: never), as far as that is known at the start."""
        self._conditions = conditions
        self._tolerance = tolerance
        self.states = {key: GatewayState(gateway, now) for key, gateway in site.gateways.items()}
        self._order = list(self.states.values())
        for state in self._order:
            if conditions.is_inside(_path(state.gateway, "CLOCK")):  # since before the start: it leaves when calm
                state.ahead_at = now
        number = {key: index for index, key in enumerate(self.states)}
        self._of_tag = np.array([number.get((tag.enterprise, tag.gateway), 0) for tag in site.tags], dtype=np.int64)
        self._looked_at = self._look_at = 0
        """No gateway can be found silent between the two."""
        self._learn_silences(site)
        if heard is not None and len(heard):
            newest = np.zeros(len(self._order), dtype=np.int64)
            np.maximum.at(newest, self._of_tag, heard)
            for index in np.flatnonzero(newest).tolist():
                self._order[index].heard_at = int(newest[index])

    def take_over(self, old: "Gateways") -> None:
        """Go on with what is known of the gateways of an older configuration."""
        for key, state in self.states.items():
            known = old.states.get(key)
            if known is not None:
                known.gateway, known.silence = state.gateway, state.silence
                self.states[key] = known
        self._order = list(self.states.values())
        self._look_at = 0

    def take(self, decoded: Decoded, now: int) -> None:
        """Count what was decoded; raise and clear the gateways' link and clock conditions."""
        for key, count in decoded.messages.items():
            if (sender := self.states.get(key)) is not None:
                sender.messages += count
        self._take_refusals(decoded.refusals, now)
        if len(decoded.block):
            self._take_block(decoded.block, now)
        # Last, so that a last will that comes right after the last readings counts.
        for status in decoded.statuses:
            state = self.states[status.gateway]
            if not status.stored:
                state.heard_at = now
            elif status.online and state.status == "offline":
                continue  # it says of a lost gateway only how it was before
            self._set_status(state, "online" if status.online else "offline", now)

    def begun(self, statuses: Sequence[GatewayStatus]) -> Int64:
        """Tags of gateways whose clock is not checked and that begin a new run: a recording is played again."""
        tags = [np.empty(0, dtype=np.int64)]
        for status in statuses:
            state = self.states[status.gateway]
            if status.session is None or status.session == state.session:
                continue
            if state.gateway.clock == "source" and not status.stored:
                tags.append(np.flatnonzero(self._of_tag == self._order.index(state)))
            state.session = status.session
        return np.unique(np.concatenate(tags))

    def advance(self, now: int, *, awaited_since: int = 0, connected: bool = True) -> None:
        """Let clock conditions leave that have been calm for long enough, and find gateways that are silent.

        While the service itself is cut off from the broker (not ``connected``) silence says nothing; nor does what
        was before ``awaited_since`` (ms).
        """
        if connected and not self._looked_at <= now < self._look_at:
            self._find_silent(now, awaited_since)
        for state in self._order:
            if state.ahead_at is not None and now - state.ahead_at > CLOCK_CALM:
                state.ahead_at = None
                self._set(state, "CLOCK", now, inside=False)

    def counts(self) -> dict[str, int]:
        """Number of gateways by status, the service's own left out."""
        counts = {"online": 0, "offline": 0, "unknown": 0}
        for state in self.visible():
            counts[state.status] += 1
        return counts

    def visible(self) -> Sequence[GatewayState]:
        """All but the service's own."""
        return [state for state in self._order if not state.is_own]

    def _learn_silences(self, site: Site) -> None:
        # The shortest time after which one of its tags is stale, less that tag's period: so the loss of a gateway is
        # found before the silence of its tags, whichever message bore them last.
        rows = np.flatnonzero(site.rules.kind == RuleKind.STALE)
        for tag, window in zip(site.rules.tag[rows].tolist(), site.rules.window[rows].tolist(), strict=True):
            state = self._order[self._of_tag[tag]]
            silence = max(window - site.tags[tag].period, window // 2)
            if state.silence is None or silence < state.silence:
                state.silence = silence

    def _find_silent(self, now: int, awaited_since: int) -> None:
        look_at = now + LONGEST_REST
        for state in self._order:
            if state.silence is None or state.status == "offline":
                continue
            due = now + state.silence
            if state.heard_at is not None:
                due = max(state.heard_at, awaited_since) + state.silence
                if now > due:
                    self._set_status(state, "offline", now)
                    continue
            look_at = min(look_at, due)
        self._looked_at, self._look_at = now, look_at

    def _hear(self, state: GatewayState, now: int) -> None:
        state.heard_at = now
        if state.status == "offline":
            self._set_status(state, "online", now)

    def _take_refusals(self, refusals: Sequence[Refusal], now: int) -> None:
        for refusal in refusals:
            state = self.states.get((refusal.enterprise or "", refusal.gateway or ""))
            if state is not None:
                state.refused += 1
                if refusal.reason is not Reason.RETAINED:
                    self._hear(state, now)
                if refusal.reason is Reason.FUTURE_TIME:
                    self._found_ahead(state, now)

    def _take_block(self, block: SampleBlock, now: int) -> None:
        number = self._of_tag[block.tag]
        counts = np.bincount(number)
        newest = np.zeros(len(counts), dtype=np.int64)
        np.maximum.at(newest, number, block.source_time)
        for index in np.flatnonzero(counts).tolist():
            state = self._order[index]
            state.readings += int(counts[index])
            state.last_received = state.heard_at = now
            state.skew = now - int(newest[index])
            if state.status != "online":
                self._set_status(state, "online", now)
            if state.skew < -self._tolerance and state.gateway.clock == "live":
                self._found_ahead(state, now)

    def _found_ahead(self, state: GatewayState, now: int) -> None:
        state.ahead_at = now
        self._set(state, "CLOCK", now, inside=True)

    def _set_status(self, state: GatewayState, status: str, now: int) -> None:
        if state.status != status:
            state.status, state.since = status, now
            self._look_at = min(self._look_at, now)
        self._set(state, "LINK", now, inside=status == "offline")

    def _set(self, state: GatewayState, key: str, now: int, *, inside: bool) -> None:
        if not state.is_own:
            self._conditions.set(_path(state.gateway, key), now, inside=inside)


def _path(gateway: Gateway, key: str) -> str:
    return f"{gateway.enterprise}/@{gateway.id}/{key}"
