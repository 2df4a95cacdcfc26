"""What codecs write into: columns of readings, and what was refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from domain.scales import Quality, QualityReason


class Reason(StrEnum):
    """Why a message or one of its readings was refused."""

    UNREADABLE = "unreadable"
    WRONG_SHAPE = "wrong_shape"
    TOO_LARGE = "too_large"
    UNKNOWN_TOPIC = "unknown_topic"
    UNKNOWN_GATEWAY = "unknown_gateway"
    WRONG_ENTERPRISE = "wrong_enterprise"
    WRONG_GATEWAY = "wrong_gateway"
    UNKNOWN_TAG = "unknown_tag"
    IMPOSSIBLE_TIME = "impossible_time"
    FUTURE_TIME = "future_time"
    UNREADABLE_VALUE = "unreadable_value"
    RETAINED = "retained"


REMEDIES: dict[Reason, str] = {
    Reason.UNREADABLE: "send UTF-8 JSON; see the payload format in the README",
    Reason.WRONG_SHAPE: 'send {"ts": …, "values": {"TAG": number, …}} or an array of such objects',
    Reason.TOO_LARGE: "send fewer readings in one message",
    Reason.UNKNOWN_TOPIC: "publish to anshao/v1/{enterprise}/{gateway}/data",
    Reason.UNKNOWN_GATEWAY: "add the gateway to the site file, or correct the topic",
    Reason.WRONG_ENTERPRISE: "a gateway publishes for its own enterprise only: correct the payload or the topic",
    Reason.WRONG_GATEWAY: "publish the tag through the gateway it is configured for, or change the site file",
    Reason.UNKNOWN_TAG: "add the tag to the site file, or correct its name at the gateway",
    Reason.IMPOSSIBLE_TIME: "send epoch milliseconds or ISO 8601 with offset; set the gateway's clock",
    Reason.FUTURE_TIME: "set the gateway's clock (NTP)",
    Reason.UNREADABLE_VALUE: "send a number; a reading that is not valid is null or has its quality in q",
    Reason.RETAINED: "publish readings without the retain flag: a stored message is no live reading",
}


SEQUENCES = 1_000
"""Sequences of tags remembered for each gateway; then they are forgotten and learnt anew."""


class PayloadRefused(Exception):
    """A whole message is refused."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message, or readings of it, that went to quarantine."""

    received_time: int
    enterprise: str | None
    gateway: str | None
    topic: str
    reason: Reason
    detail: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A gateway as codecs see it.

    A gateway sends the same tags in the same order again and again. ``rows_of`` remembers such sequences, because
    looking up a known one touches far less memory than looking up its tags one by one.
    """

    enterprise: str
    gateway: str
    tags: dict[str, int]
    """The tags that it may write: name -> index into ``Site.tags``."""
    tags_of_enterprise: frozenset[str]
    """Names of all tags of its enterprise, those that other gateways write included."""

    _sequences: dict[str, tuple[tuple[str, ...], list[int]]] = field(default_factory=dict)
    """By the first name: the names of a sequence, and their rows."""

    @property
    def path(self) -> str:
        """``enterprise/gateway``."""
        return f"{self.enterprise}/{self.gateway}"

    def rows_of(self, names: Iterable[str]) -> list[int] | None:
        """Rows of at least one tag, all of this gateway; None where one is not."""
        wanted = tuple(names)
        known = self._sequences.get(wanted[0])
        if known is not None and known[0] == wanted:
            return known[1]
        rows = [self.tags.get(name, -1) for name in wanted]
        if -1 in rows:
            return None
        if len(self._sequences) >= SEQUENCES:
            self._sequences.clear()
        # Fresh numbers, so that those of one sequence lie side by side in memory.
        self._sequences[wanted[0]] = (wanted, np.array(rows).tolist())
        return rows


@dataclass(slots=True)
class Fault:
    """Refused parts of one message, of one reason: the first of them in words, and how many there are."""

    detail: str
    count: int = 1


@dataclass(slots=True)
class Intake:
    """Readings of several messages in columns, in order of arrival.

    ``flagged`` holds quality and reason of those readings that are not plainly good; ``faults`` the refused parts of
    the message that is being decoded; ``ids`` the message ids found in it, each with the reason if what it names was
    refused as a whole.
    """

    tag: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flagged: dict[int, tuple[Quality, QualityReason]] = field(default_factory=dict)
    faults: dict[Reason, Fault] = field(default_factory=dict)
    ids: list[tuple[str, Reason | None]] = field(default_factory=list)

    def add(self, tag: int, time: int, value: float, quality: Quality, reason: QualityReason) -> None:
        """Add one reading that is not plainly good. Codecs append plain ones to the columns by themselves."""
        self.flagged[len(self.tag)] = (quality, reason)
        self.tag.append(tag)
        self.time.append(time)
        self.value.append(value)

    def refuse(self, reason: Reason, detail: str) -> None:
        """Refuse a part of the message; the rest of it counts."""
        fault = self.faults.get(reason)
        if fault is None:
            # A lone surrogate, which JSON can spell, could be neither stored nor shown.
            self.faults[reason] = Fault(detail.encode("utf-8", "backslashreplace").decode())
        else:
            fault.count += 1
