"""What really happened in a stream of readings: the truth that alarms are measured against."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something dangerous that happened, from ``begin`` to ``end`` (ms UTC of source time).

    An alarm on one of ``tags`` or in one of ``units`` (paths) while it lasts has found it. With neither, any alarm has.
    """

    id: str
    title: Mapping[str, str]
    """By language: ``zh``, ``en``."""
    begin: int
    end: int
    harm_at: int | None = None
    """When somebody would come to harm, or something would burst or run over; None: not at all."""
    tags: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """A condition that must enter between ``begin`` and ``end`` (ms UTC of source time, both included)."""

    condition: str
    """``enterprise/tag/rule``."""
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is known of what happened."""

    events: tuple[Event, ...] = ()
    expected: tuple[Expected, ...] = ()
    never: tuple[str, ...] = ()
    """Conditions (``enterprise/tag/rule``) that must not enter at all."""
