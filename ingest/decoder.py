"""Messages in, one block of samples out, with everything that was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import orjson

from domain.ranges import doubt
from domain.samples import Bool, Int64, SampleBlock
from domain.scales import Quality
from domain.site import Site
from ingest.codecs import CODECS
from ingest.codecs.protocol import Codec
from ingest.intake import Intake, PayloadRefused, Reason, Refusal, Source

LARGEST_PAYLOAD = 4 * 1024 * 1024
"""Bytes; a larger message is refused unread [ours]."""
PREFIX = "anshao/v1/"
DRILL = ("anshao", "drill")
"""The service's own gateway that a drill's readings are published by."""
DRILL_TOPIC = f"{PREFIX}{'/'.join(DRILL)}/data"


class Received(Protocol):
    """A message as the link hands it on."""

    @property
    def topic(self) -> str:
        """The topic that it was published to."""
        ...

    @property
    def payload(self) -> bytes:
        """Its payload."""
        ...

    @property
    def retain(self) -> bool:
        """True: the broker had stored it."""
        ...


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """What a gateway, or its last will, says of itself."""

    gateway: tuple[str, str]
    online: bool
    session: str | None = None
    """Names one run of the gateway, where it says so."""
    stored: bool = False
    """The broker had it stored: it is not news."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message id to be answered; ``refused`` names the reason if the message was refused as a whole."""

    gateway: tuple[str, str]
    message: str
    refused: Reason | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a batch of messages held."""

    block: SampleBlock
    refusals: list[Refusal]
    receipts: list[Receipt]
    statuses: list[GatewayStatus]
    of_drills: list[Received]
    """Messages of drills, not decoded: their readings are none of the site's."""
    messages: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many messages of readings came from each gateway, refused ones too."""


@dataclass(frozen=True, slots=True)
class _Route:
    codec: Codec
    source: Source


class Decoder:
    """Decodes the messages of all gateways of a site.

    ``future``: ms; readings further ahead of the received time are refused, except where the gateway's clock is
    not checked. ``drill``: decode a drill's messages, whose tags are named by their paths, instead of the gateways'.
    """

    def __init__(self, site: Site, future: int, *, drill: bool = False) -> None:
        self._site = site
        self._future = future
        self._routes: dict[str, _Route] = {}
        self._status_topics: dict[str, tuple[str, str]] = {}
        self._low = np.array([tag.low for tag in site.tags])
        self._high = np.array([tag.high for tag in site.tags])
        self._ranged = np.isfinite(self._low) & np.isfinite(self._high)
        self._live = live_clock(site)
        if drill:
            paths = {tag.path: index for index, tag in enumerate(site.tags) if not tag.system}
            self._routes[DRILL_TOPIC] = _Route(CODECS["anshao"], Source(*DRILL, paths, frozenset(paths)))
            return
        tags: dict[tuple[str, str], dict[str, int]] = {key: {} for key in site.gateways}
        names: dict[str, set[str]] = {enterprise: set() for enterprise in site.enterprises}
        for index, tag in enumerate(site.tags):
            if not tag.system:
                tags[tag.enterprise, tag.gateway][tag.name] = index
                names[tag.enterprise].add(tag.name)
        of_enterprise = {enterprise: frozenset(tags_of) for enterprise, tags_of in names.items()}
        for key, gateway in site.gateways.items():
            source = Source(gateway.enterprise, gateway.id, tags[key], of_enterprise[gateway.enterprise])
            self._routes[f"{PREFIX}{gateway.path}/data"] = _Route(CODECS[gateway.format], source)
            self._status_topics[f"{PREFIX}{gateway.path}/status"] = key

    def decode(self, messages: Sequence[Received], now: int) -> Decoded:
        """Decode messages that arrived at ``now`` (ms UTC)."""
        intake = Intake()
        refusals: list[Refusal] = []
        receipts: list[Receipt] = []
        statuses: list[GatewayStatus] = []
        of_drills: list[Received] = []
        starts: list[int] = []
        counts: dict[str, int] = {}
        routes = self._routes
        for message in messages:
            starts.append(len(intake.tag))
            route = routes.get(message.topic)
            if route is None or message.retain:
                if message.topic == DRILL_TOPIC and not message.retain:
                    of_drills.append(message)
                else:
                    self._decode_aside(message, now, statuses, refusals)
                continue
            counts[message.topic] = counts.get(message.topic, 0) + 1
            payload = message.payload
            whole: Reason | None = None
            try:
                if len(payload) > LARGEST_PAYLOAD:
                    raise PayloadRefused(Reason.TOO_LARGE, f"{len(payload)} bytes; the most is {LARGEST_PAYLOAD}")  # noqa: TRY301 - one road for all refusals
                route.codec.decode(payload, route.source, intake)
            except PayloadRefused as refusal:
                whole = refusal.reason
                intake.refuse(refusal.reason, refusal.detail)
            if intake.faults:
                refusals.extend(_refusals(message, route.source, intake, now))
                intake.faults.clear()
            if intake.ids:
                key = (route.source.enterprise, route.source.gateway)
                receipts.extend(Receipt(key, identity, whole or refused) for identity, refused in intake.ids)
                intake.ids.clear()
        block = self._block(intake, now)
        future = (block.source_time > now + self._future) & self._live[block.tag]
        if future.any():
            refusals.extend(self._refuse_future(future, starts, messages, block, now))
            block = block.take(~future)
        sources = {topic: routes[topic].source for topic in counts}
        heard = {(source.enterprise, source.gateway): counts[topic] for topic, source in sources.items()}
        return Decoded(block, refusals, receipts, statuses, of_drills, heard)

    def _block(self, intake: Intake, now: int) -> SampleBlock:
        count = len(intake.tag)
        tag = np.array(intake.tag, dtype=np.int32)
        value = np.array(intake.value, dtype=np.float64)
        quality = np.full(count, Quality.GOOD, dtype=np.uint8)
        reason = np.zeros(count, dtype=np.uint8)
        for position, (flag, why) in intake.flagged.items():
            quality[position] = flag
            reason[position] = why
        doubt(value, quality, reason, self._low[tag], self._high[tag], self._ranged[tag])
        return SampleBlock(
            tag,
            np.array(intake.time, dtype=np.int64),
            np.full(count, now, dtype=np.int64),
            value,
            quality,
            reason,
        )

    def _refuse_future(
        self, future: Bool, starts: list[int], messages: Sequence[Received], block: SampleBlock, now: int
    ) -> list[Refusal]:
        """One refusal for each message that holds readings from the future."""
        ends = [*starts[1:], len(block)]
        positions: Int64 = np.flatnonzero(future)
        of_message = np.searchsorted(np.array(ends), positions, side="right")
        refusals = []
        for number in np.unique(of_message).tolist():
            first = int(positions[of_message == number][0])
            tag = self._site.tags[int(block.tag[first])]
            ahead = (int(block.source_time[first]) - now) / 1000
            message = messages[number]
            detail = f"{int((of_message == number).sum())} readings, {tag.name} first, {ahead:.0f} s ahead of our clock"
            refusals.append(
                Refusal(
                    now, tag.enterprise, tag.gateway, message.topic, Reason.FUTURE_TIME, detail, bytes(message.payload)
                )
            )
        return refusals

    def _decode_aside(
        self, message: Received, now: int, statuses: list[GatewayStatus], refusals: list[Refusal]
    ) -> None:
        """Everything but live data of a known gateway."""
        gateway = self._status_topics.get(message.topic)
        if gateway is not None:
            status = _read_status(message.payload)
            if status is not None:
                statuses.append(GatewayStatus(gateway, *status, stored=message.retain))
                return
            reason, detail = Reason.UNREADABLE, 'a status is {"online": true} or {"online": false}'
        elif message.topic in self._routes:
            source = self._routes[message.topic].source
            gateway = (source.enterprise, source.gateway)
            reason, detail = Reason.RETAINED, "a message that the broker had stored"
        else:
            reason, detail = Reason.UNKNOWN_GATEWAY, "no gateway of this name in the site file"
            parts = message.topic.removeprefix(PREFIX).split("/")
            if not message.topic.startswith(PREFIX) or len(parts) != len(("enterprise", "gateway", "data")):
                reason, detail = Reason.UNKNOWN_TOPIC, "not a topic of a gateway"
            elif parts[0] in self._site.enterprises:
                gateway = (parts[0], parts[1])
        enterprise, name = gateway or (None, None)
        refusals.append(Refusal(now, enterprise, name, message.topic, reason, detail, bytes(message.payload)))


def live_clock(site: Site) -> Bool:
    """Column over the tags: whether the source times of its gateway are checked against the service's clock."""
    return np.array(
        [tag.system or site.gateways[tag.enterprise, tag.gateway].clock == "live" for tag in site.tags], dtype=np.bool_
    )


def _refusals(message: Received, source: Source, intake: Intake, now: int) -> list[Refusal]:
    """One refusal a reason, which counts the rest of its kind."""
    return [
        Refusal(
            now,
            source.enterprise,
            source.gateway,
            message.topic,
            reason,
            fault.detail if fault.count == 1 else f"{fault.detail} (and {fault.count - 1} more)",
            bytes(message.payload),
        )
        for reason, fault in intake.faults.items()
    ]


def _read_status(payload: bytes) -> tuple[bool, str | None] | None:
    """Whether online, and the session; None where it cannot be read. An empty payload clears a retained status."""
    if not payload:
        return False, None
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("online"), bool):
        return None
    session = body.get("session")
    return body["online"], session if isinstance(session, str) else None
