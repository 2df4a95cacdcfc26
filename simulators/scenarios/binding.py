"""A scenario on a site: its plants built, its tags found, its faults laid on, everything checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.samples import Float64, Int64
from domain.site import Site, Tag
from domain.truth import Truth
from simulators.faults.gateways import Gateway
from simulators.faults.instruments import InstrumentArray, stream
from simulators.instruments import Point
from simulators.plants import PLANTS, Plant, PlantFault
from simulators.scenarios import signal
from simulators.scenarios.acts import Acts, Laid
from simulators.scenarios.faults import Loc, ScenarioFault, ScenarioRefused
from simulators.scenarios.instrument_defaults import point_of
from simulators.scenarios.loading import Scenario
from simulators.scenarios.schema import GatewaySection, PlantSection
from simulators.scenarios.timeline import Timeline
from simulators.scenarios.truth import truth_of

KINDS: Mapping[str, type[Plant]] = {**PLANTS, signal.KIND: signal.Signals}
"""Plants by kind."""
MOST_TAGS = 100_000


@dataclass(frozen=True, slots=True)
class BoundPlant:
    """A plant with the columns that its outputs go to."""

    id: str
    plant: Plant
    count: int
    """Instances in one copy."""
    columns: Sequence[tuple[str, slice | Int64]]
    """Output, and the number of each instance's tag."""


@dataclass(frozen=True, slots=True)
class Coupling:
    """An output that drives an input."""

    origin: str
    output: str
    pick: int | None
    to: str
    input: str
    into: int | None
    count: int
    """Instances of the driven plant in one copy."""
    copies: int
    factor: float
    offset: float


@dataclass(frozen=True, slots=True)
class Station:
    """A gateway with its instruments; its tags are numbered on from ``first``."""

    enterprise: str
    name: str
    first: int
    tags: Sequence[Tag]
    instruments: InstrumentArray
    gateway: Gateway


@dataclass(frozen=True, slots=True)
class Bound:
    """All that takes part."""

    tags: Sequence[Tag]
    plants: Sequence[BoundPlant]
    couplings: Sequence[Coupling]
    stations: Sequence[Station]
    timeline: Timeline
    truth: Truth


def bind(scenario: Scenario, site: Site, seed: int, copies: int) -> Bound:
    """Raises ScenarioRefused with all that does not fit."""
    return _Binding(scenario, site, seed, copies).bound()


class _Binding:
    def __init__(self, scenario: Scenario, site: Site, seed: int, copies: int) -> None:
        self._scenario = scenario
        self._file = scenario.file
        self._site = site
        self._seed = seed
        self._copies = copies
        self._faults: list[ScenarioFault] = []
        self._plants: dict[str, Plant] = {}
        self._counts: dict[str, int] = {}

    def bound(self) -> Bound:
        cells = [cell for number, section in enumerate(self._file.plants) for cell in self._plant(number, section)]
        self._raise_if_any()
        if not cells:
            self._fault(("plants",), "no plant has a tag", "Give one of them tags: {output: enterprise/TAG}.")
        if len(cells) > MOST_TAGS:
            self._fault(("plants",), f"{len(cells)} tags", f"Use {MOST_TAGS} at the most.")
        couplings = [self._coupling(number) for number in range(len(self._file.couplings))]
        acts = Acts(self._scenario, self._plants, self._counts, [cell.tag for cell in cells], self._site)
        laid = acts.laid()
        self._faults += acts.faults
        self._faults += [
            self._scenario.fault(("gateways", number), f"no tag comes through {each.gateway}", "Delete the entry.")
            for number, each in enumerate(self._file.gateways)
            if each.gateway not in {_gateway_of(cell.tag) for cell in cells}
        ]
        truth, found = truth_of(self._scenario, self._site, [cell.tag for cell in cells])
        self._faults += found
        self._raise_if_any()
        gateways = list(dict.fromkeys(_gateway_of(cell.tag) for cell in cells))
        ordered = sorted(range(len(cells)), key=lambda index: gateways.index(_gateway_of(cells[index].tag)))
        tags = [cells[index].tag for index in ordered]
        number_of = np.empty(len(cells), dtype=np.int64)
        number_of[ordered] = np.arange(len(cells))
        stations = self._stations(gateways, tags, laid)
        self._raise_if_any()
        return Bound(
            tags=tags,
            plants=self._bound_plants(cells, number_of),
            couplings=[coupling for coupling in couplings if coupling is not None],
            stations=stations,
            timeline=Timeline(laid.settings, laid.swings, self._held()),
            truth=truth,
        )

    def _raise_if_any(self) -> None:
        if self._faults:
            raise ScenarioRefused(self._faults)

    def _fault(self, loc: Loc, message: str, remedy: str) -> None:
        self._faults.append(self._scenario.fault(loc, message, remedy))

    def _plant(self, number: int, section: PlantSection) -> Sequence["_Cell"]:
        """Build a plant; its tags."""
        here: Loc = ("plants", number)
        if section.id in self._plants:
            self._fault((*here, "id"), f"{section.id!r} is given twice", "Give each plant an id of its own.")
            return []
        kind = KINDS.get(section.kind)
        if kind is None:
            self._fault((*here, "kind"), f"unknown kind {section.kind!r}", f"Use one of {', '.join(KINDS)}.")
            return []
        try:
            rng = stream(self._seed, "plant", section.id)
            plant = kind(section.count * self._copies, rng, section.parameters)
        except PlantFault as fault:
            self._fault((*here, "parameters"), str(fault), f"See `anshao simulate --describe {section.kind}`.")
            return []
        self._plants[section.id], self._counts[section.id] = plant, section.count
        cells: list[_Cell] = []
        for output, given in section.tags.items():
            if output not in plant.outputs:
                known = ", ".join(plant.outputs)
                self._fault((*here, "tags", output), f"{section.kind} has no such output", f"Use one of {known}.")
                continue
            cells += self._cells((*here, "tags", output), section, output, given)
        return cells

    def _cells(self, loc: Loc, section: PlantSection, output: str, given: Sequence[str]) -> Sequence["_Cell"]:
        try:
            names = [given[0].format(n=n + 1) for n in range(section.count)] if "{" in given[0] else list(given)
        except (KeyError, ValueError, IndexError):
            self._fault(loc, f"{given[0]!r} is no pattern", "Write {n} for the instance's number, or {n:03}.")
            return []
        if len(names) % section.count or len(set(names)) < len(names):
            message = f"{len(set(names))} different tags for {section.count} instances"
            self._fault(
                loc, message, "Give one for each instance, as many again for a second instrument, or a pattern."
            )
            return []
        cells: list[_Cell] = []
        for number, name in enumerate(names):
            twin, instance = divmod(number, section.count)
            index = self._site.tag_index.get(name)
            if index is None or self._site.tags[index].system:
                self._fault(loc, f"the site has no tag {name}", "Correct it, or give the tag in the site file.")
                continue
            tag = self._site.tags[index]
            self._check_tag(loc, tag, section.id, output)
            for copy in range(self._copies):
                named = tag if copy == 0 else replace(tag, name=f"{tag.name}~{copy + 1}")
                cells.append(_Cell(named, section.id, output, twin, copy * section.count + instance))
        return cells

    def _check_tag(self, loc: Loc, tag: Tag, plant: str, output: str) -> None:
        unit = self._plants[plant].outputs[output].engineering_unit
        if unit and unit != tag.engineering_unit:
            message = f"{tag.path} is in {tag.engineering_unit}, the plant's {output} in {unit}"
            self._fault(loc, message, f"Take a tag in {unit}: values are not converted.")
        if tag.period != self._file.period:
            message = f"{tag.path} is read every {tag.period / 1000:g} s, the scenario every "
            message += f"{self._file.period / 1000:g} s"
            self._fault(loc, message, "Give both the same period, or the tag would be stale all the time.")

    def _coupling(self, number: int) -> Coupling | None:
        section = self._file.couplings[number]
        ends = []
        for name, target in (("from", section.origin), ("to", section.to)):
            owner, _, what = target.partition(".")
            owner, _, index = owner.partition("[")
            pick = int(index.rstrip("]")) - 1 if index else None
            plant = self._plants.get(owner)
            known = None if plant is None else plant.outputs if name == "from" else plant.inputs
            if plant is None or known is None or what not in known:
                self._fault(
                    ("couplings", number, name), f"no such {name} {target!r}", "Write plant.output, plant.input."
                )
                return None
            if pick is not None and not 0 <= pick < self._counts[owner]:
                self._fault(("couplings", number, name), f"{owner} has {self._counts[owner]}", "Count from 1.")
                return None
            ends.append((owner, what, pick))
        (origin, output, pick), (to, what, into) = ends
        width = 1 if pick is not None else self._counts[origin]
        if width != 1 and (into is not None or width != self._counts[to]):
            message = f"{width} outputs do not fit {1 if into is not None else self._counts[to]} inputs"
            self._fault(("couplings", number, "from"), message, "Pick one: plant[2].output.")
            return None
        factor, offset = section.factor, section.offset
        return Coupling(origin, output, pick, to, what, into, self._counts[to], self._copies, factor, offset)

    def _bound_plants(self, cells: Sequence["_Cell"], number_of: Int64) -> Sequence[BoundPlant]:
        numbers: dict[tuple[str, str, int], list[tuple[int, int]]] = {}
        for cell, number in zip(cells, number_of.tolist(), strict=True):
            numbers.setdefault((cell.plant, cell.output, cell.twin), []).append((cell.instance, number))
        columns: dict[str, list[tuple[str, slice | Int64]]] = {name: [] for name in self._plants}
        for (plant, output, _), found in numbers.items():
            run = np.array([number for _, number in sorted(found)], dtype=np.int64)
            together = bool((np.diff(run) == 1).all())
            columns[plant].append((output, slice(int(run[0]), int(run[-1]) + 1) if together else run))
        return [BoundPlant(name, plant, self._counts[name], columns[name]) for name, plant in self._plants.items()]

    def _stations(self, gateways: Sequence[str], tags: Sequence[Tag], laid: Laid) -> Sequence[Station]:
        sections = {section.gateway: section for section in self._file.gateways}
        stations = []
        for path in gateways:
            mine = [tag for tag in tags if _gateway_of(tag) == path]
            names = [tag.path for tag in mine]
            points: list[Point] = [point_of(tag, tag.path, self._file.instruments) for tag in mine]
            section = sections.get(path, GatewaySection(gateway=path))
            faults = [fault for fault in laid.of_instruments if set(fault.tags) & set(names)]
            kept = [replace(fault, tags=tuple(tag for tag in fault.tags if tag in names)) for fault in faults]
            stations.append(
                Station(
                    enterprise=mine[0].enterprise,
                    name=mine[0].gateway,
                    first=tags.index(mine[0]),
                    tags=mine,
                    instruments=InstrumentArray(points, self._seed, kept),
                    gateway=Gateway(
                        path,
                        names,
                        self._seed,
                        laid.of_gateways.get(path, ()),
                        ranges=[(tag.low, tag.high) for tag in mine],
                        latency=section.latency / 1000.0,
                        jitter=section.jitter / 1000.0,
                    ),
                )
            )
        return stations

    def _held(self) -> dict[tuple[str, str], Float64]:
        held = {}
        for name, plant in self._plants.items():
            for what, one in plant.inputs.items():
                held[name, what] = np.full(plant.count, one.default)
            if isinstance(plant, signal.Signals):
                held[name, "value"] = plant.wanted.copy()
        return held


@dataclass(frozen=True, slots=True)
class _Cell:
    """A tag and what it measures."""

    tag: Tag
    plant: str
    output: str
    twin: int
    """0 for the first instrument of the output, 1 for a second one, …"""
    instance: int


def _gateway_of(tag: Tag) -> str:
    return f"{tag.enterprise}/{tag.gateway}"
