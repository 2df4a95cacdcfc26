"""Scenarios of drills: files that say which readings are played when, and what response is expected.

They are read each time that they are asked for, so that a file may be mended without a restart.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from domain.site import Site
from service.config.document import Document, read_document
from service.config.faults import ConfigurationError, FaultList
from service.config.quantities import Duration, Name, Number, PositiveDuration, refusal
from service.config.validation import Section, validate

SUFFIX = ".yaml"
Acts = Literal[
    "alarm.acknowledged",
    "incident.acknowledged",
    "incident.verified",
    "incident.handled",
    "incident.fed_back",
    "incident.closed",
]


class Ramp(Section):
    """A change at an even pace, from the value that the tag has."""

    to: Number
    over: PositiveDuration


class Step(Section):
    """What one tag reads from an instant on."""

    at: Duration
    """Since the drill began."""
    tag: Name
    """``enterprise/tag``."""
    value: Number | None = None
    ramp: Ramp | None = None
    quality: Literal["good", "uncertain", "bad"] = "good"
    silent: bool = False
    """No readings from now on: the tag becomes stale."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = (self.value is not None) + (self.ramp is not None) + self.silent
        if given > 1 or (given == 0 and self.quality != "bad"):
            remedy = "Write value: 25, or ramp: {to: 40, over: 60s}, or silent: true, or quality: bad."
            raise refusal("one of `value`, `ramp` and `silent` is wanted", remedy)
        return self


class Expected(Section):
    """An act that the response should show, and within what time of the alarm."""

    act: Acts
    within: PositiveDuration
    """Of the first alarm of the tag or of the unit; where neither is given of the drill."""
    tag: Name | None = None
    unit: Name | None = None
    side: Literal["desk", "enterprise"] | None = None
    """Of ``incident.acknowledged``; None: either."""
    text: str = ""
    """What is to be done, in words."""


class ScenarioFile(Section):
    """A scenario as it is written."""

    name: Name
    description: str = ""
    units: Annotated[tuple[Name, ...], Field(min_length=1)]
    duration: PositiveDuration
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    expected: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One that fits the site. ``id``: the file's name without its ending."""

    id: str
    file: ScenarioFile
    tracks: Mapping[str, Sequence[Step]]
    """By tag path, in the order of time."""

    def plan(self, units: Collection[str]) -> dict[str, Any]:
        """What is kept of it with the drill, durations in ms."""
        document = self.file.model_dump()
        document["steps"] = [step for step in document["steps"] if step["tag"] in self.tracks]
        return document | {"units": list(units)}

    def of_units(self, site: Site, units: Collection[str]) -> "Scenario":
        """The part that takes place in some of its units."""
        tracks = {path: steps for path, steps in self.tracks.items() if _unit_path(site, site.tag_index[path]) in units}
        return Scenario(self.id, self.file, tracks)


def reading(steps: Sequence[Step], elapsed: int) -> tuple[float | None, str] | None:
    """Value and quality of a tag so many ms after the drill began; None: it has no reading then."""
    value: float | None = None
    quality = ""
    for number, step in enumerate(steps):
        if step.at > elapsed:
            break
        quality = "" if step.silent else step.quality
        until = steps[number + 1].at if number + 1 < len(steps) else elapsed
        if step.value is not None:
            value = step.value
        elif step.ramp is not None and value is not None:
            done = min(1.0, (min(until, elapsed) - step.at) / step.ramp.over)
            value += (step.ramp.to - value) * done
    return (value, quality) if quality else None


def names(folder: Path) -> list[str]:
    """Ids of the scenarios in a folder."""
    try:
        return sorted(path.stem for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file())
    except OSError:
        return []


def read(folder: Path, identity: str, site: Site) -> Scenario:
    """A scenario, checked against the site. Raises ConfigurationError with all its faults, LookupError."""
    if identity not in names(folder):
        raise LookupError(identity)
    faults = FaultList()
    document = read_document(folder / f"{identity}{SUFFIX}", faults)
    file = None if document is None else validate(ScenarioFile, document.data, document.fault, ())
    if document is not None and file is not None:
        _check(document, file, site)
    if file is None or faults:
        raise ConfigurationError(faults.sorted())
    tracks: dict[str, list[Step]] = {}
    for step in sorted(file.steps, key=lambda step: step.at):
        tracks.setdefault(step.tag, []).append(step)
    return Scenario(identity, file, tracks)


def _check(document: Document, file: ScenarioFile, site: Site) -> None:
    known = {unit.path for unit in site.units.values()}
    for number, unit in enumerate(file.units):
        if unit not in known:
            document.fault(("units", number), f"no unit {unit!r} in the site", "Write enterprise/unit.")
    begun: set[str] = set()
    for number, step in sorted(enumerate(file.steps), key=lambda found: found[1].at):
        for loc, message, remedy in _step_faults(step, file, site, begun):
            document.fault(("steps", number, loc), message, remedy)
        if step.value is not None:
            begun.add(step.tag)
    for number, expected in enumerate(file.expected):
        for loc, message in _expected_faults(expected, file):
            document.fault(("expected", number, loc), message, "Name one that the scenario has.")


def _step_faults(step: Step, file: ScenarioFile, site: Site, begun: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Key, message and remedy; ``begun``: tags that have a value by then."""
    index = site.tag_index.get(step.tag)
    if index is None or site.tags[index].system:
        yield "tag", f"no tag {step.tag!r} in the site", "Write enterprise/tag of a measured point."
    elif (unit := _unit_path(site, index)) not in file.units:
        message = f"tag {step.tag!r} belongs to {unit}, where the drill does not take place"
        yield "tag", message, "Add the unit to `units`, or take another tag."
    if step.ramp is not None and step.tag not in begun:
        yield "ramp", "a ramp from nowhere", "Give the tag a `value` in a step before."
    if step.at >= file.duration:
        yield "at", "after the drill's end", "Make `duration` longer."


def _expected_faults(expected: Expected, file: ScenarioFile) -> Iterator[tuple[str, str]]:
    if expected.tag is not None and expected.tag not in {step.tag for step in file.steps}:
        yield "tag", f"tag {expected.tag!r} has no step"
    if expected.unit is not None and expected.unit not in file.units:
        yield "unit", f"unit {expected.unit!r} takes no part"
    if expected.side is not None and expected.act != "incident.acknowledged":
        yield "side", "only `incident.acknowledged` has sides"


def _unit_path(site: Site, tag: int) -> str:
    found = site.tags[tag]
    return f"{found.enterprise}/{found.unit}"
