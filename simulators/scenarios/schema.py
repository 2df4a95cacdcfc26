"""A scenario as it is written: ``ScenarioFile``. Durations and offsets are whole ms inside."""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d)")
_LONGEST = 10 * 366 * _UNITS["d"]


def _milliseconds(given: object) -> int:
    """``1h30min`` in ms."""
    text = given.replace(" ", "") if isinstance(given, str) else ""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{given!r} is no duration; write e.g. 500ms, 90s, 5min, 1h30min or 3d")
    exact = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if exact > _LONGEST:
        raise ValueError(f"{given!r} is longer than ten years")
    return round(exact)


def _positive(given: object) -> int:
    found = _milliseconds(given)
    if found <= 0:
        raise ValueError(f"{given!r} is too short; write a duration above 0")
    return found


def _instant(given: object) -> int:
    """ISO 8601 with offset, in ms UTC."""
    try:
        parsed = datetime.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        raise ValueError(f"{given!r} is no instant; write e.g. 2026-03-04T22:00:00+08:00") from None
    if parsed.utcoffset() is None or not 2000 <= parsed.year < 2200:  # noqa: PLR2004 - plausible years
        raise ValueError(f"{given!r}: give an offset, such as +08:00, and a year from 2000 to 2199")
    return (parsed - datetime.fromisoformat("1970-01-01T00:00:00+00:00")) // timedelta(milliseconds=1)


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError(f"{given!r} is no number")
    return float(given)


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


Duration = Annotated[int, BeforeValidator(_milliseconds)]
PositiveDuration = Annotated[int, BeforeValidator(_positive)]
Instant = Annotated[int, BeforeValidator(_instant)]
Number = Annotated[float, BeforeValidator(_number)]
Natural = Annotated[Number, Field(ge=0.0)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
PlantId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Target = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\[\d{1,4}\])?\.[a-z0-9_]+$")]
"""``plant.input``, or ``plant[2].input`` of its second instance."""
Words = Annotated[tuple[Word, ...], BeforeValidator(_as_list), Field(min_length=1)]


class Section(BaseModel):
    """A mapping in the file; nothing else may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(Section):
    """Words for the reader, in both languages."""

    zh: Word
    en: Word


class Story(Section):
    """What happens, in both languages."""

    zh: Annotated[str, Field(min_length=1, max_length=4000)]
    en: Annotated[str, Field(min_length=1, max_length=4000)]


class PlantSection(Section):
    """Instances of one kind of plant, and the tags that measure them."""

    id: PlantId
    kind: Word
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    parameters: Mapping[str, float | str] = {}
    tags: Mapping[str, Words] = {}
    """Output -> ``enterprise/TAG`` of each instance, or one pattern with ``{n}`` (from 1; ``{n:03}``: three digits).

    Further tags, again one for each instance, are further instruments of the same.
    """


class InstrumentSection(Section):
    """What instruments are like that are unlike the usual ones; of several sections for a tag the last counts."""

    tags: Words
    """Paths; ``*`` and ``?`` stand for anything."""
    noise: Natural | None = None
    """Standard deviation, engineering units."""
    drift: Natural | None = None
    """Standard deviation of the slow wander of the zero point, engineering units."""
    lag: Duration | None = None
    decimals: Annotated[int, Field(ge=0, le=9)] | None = None


class GatewaySection(Section):
    """What the way of a gateway's messages is like."""

    gateway: Word
    """``enterprise/gateway``."""
    latency: Duration = 200
    jitter: Duration = 50


class CouplingSection(Section):
    """An output of one plant drives an input of another: ``to`` = ``from`` * factor + offset, one step later."""

    origin: Annotated[Target, Field(alias="from")]
    to: Target
    factor: Number = 1.0
    offset: Number = 0.0


class Wave(Section):
    """A sine: day and night, a pulsing pump."""

    mean: Number
    amplitude: Number
    period: PositiveDuration
    peak: Duration = 0
    """Offset of a maximum."""


class Entry(Section):
    """Something that happens: inputs are set, go up or down, or swing; or an instrument or a gateway has a fault."""

    at: Duration
    """Since the beginning, as ``until``."""
    until: Duration | None = None
    """Of ``wave``, and of faults; None: to the end."""
    set: Annotated[Mapping[Target, Number], Field(min_length=1)] | None = None
    ramp: Annotated[Mapping[Target, Number], Field(min_length=1)] | None = None
    over: PositiveDuration | None = None
    """Of ``ramp``: until the value is reached."""
    wave: Annotated[Mapping[Target, Wave], Field(min_length=1)] | None = None
    fault: Word | None = None
    tags: Words | None = None
    """Paths of the instruments that have it; of ``wrong_units`` the tags that are sent wrongly."""
    gateway: Word | None = None
    """``enterprise/gateway`` that has it."""
    parameters: Annotated[Mapping[str, float | str | bool | None], Field(alias="with")] = {}
    """Of the fault."""
    every: PositiveDuration | None = None
    times: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """It happens so many times, ``every`` so often."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        acts = [name for name in ("set", "ramp", "wave", "fault") if getattr(self, name) is not None]
        if len(acts) != 1:
            raise ValueError("one of `set`, `ramp`, `wave` and `fault` is wanted")
        if (self.ramp is None) != (self.over is None):
            raise ValueError("`ramp` and `over` belong together: {at: 5min, ramp: {tank.filling: 200}, over: 10min}")
        if (self.every is None) != (self.times is None):
            raise ValueError("`every` and `times` belong together: {at: 0s, every: 24h, times: 30, set: {…}}")
        if self.fault is not None and self.tags is None and self.gateway is None:
            raise ValueError("a fault is one of instruments (`tags: […]`) or of a gateway (`gateway: …`)")
        if self.fault is None and (self.tags or self.gateway or self.parameters):
            raise ValueError("`tags`, `gateway` and `with` belong to a `fault`")
        if self.until is not None and (self.set or self.ramp):
            raise ValueError("`until` belongs to a `wave` or a `fault`; set the input back by another entry")
        if self.until is not None and self.until <= self.at:
            raise ValueError("`until` must be after `at`")
        return self


class EventSection(Section):
    """Something dangerous that happens. ``Event`` of the domain, with offsets."""

    id: Name
    title: Bilingual
    begin: Duration
    end: Duration
    harm_at: Duration | None = None
    tags: tuple[Word, ...] = ()
    units: tuple[Word, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end <= self.begin:
            raise ValueError("`end` must be after `begin`")
        return self


class ExpectedSection(Section):
    """A condition that must enter within a time."""

    condition: Word
    """``enterprise/tag/RULE``."""
    begin: Annotated[Duration, Field(alias="from")]
    end: Annotated[Duration, Field(alias="to")]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end < self.begin:
            raise ValueError("`to` must not be before `from`")
        return self


class TruthSection(Section):
    """What really happens."""

    events: tuple[EventSection, ...] = ()
    expected: tuple[ExpectedSection, ...] = ()
    never: tuple[Word, ...] = ()
    """Conditions that must not enter; ``*`` and ``?`` stand for anything."""


class ScenarioFile(Section):
    """A whole scenario."""

    name: Name
    title: Bilingual
    story: Story
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    start: Instant
    duration: PositiveDuration
    period: PositiveDuration = 1000
    plants: Annotated[tuple[PlantSection, ...], Field(min_length=1)]
    couplings: tuple[CouplingSection, ...] = ()
    instruments: tuple[InstrumentSection, ...] = ()
    gateways: tuple[GatewaySection, ...] = ()
    timeline: tuple[Entry, ...] = ()
    truth: TruthSection = TruthSection()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.duration < self.period:
            raise ValueError("`duration` is shorter than `period`: there would be no reading")
        return self
