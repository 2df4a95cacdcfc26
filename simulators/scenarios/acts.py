"""The timeline of a scenario as what is done to inputs, instruments and gateways, each at its instants."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from domain.site import Site, Tag
from simulators.faults.gateway_faults import GATEWAY_FAULTS, GatewayFault
from simulators.faults.instrument_faults import FAULTS, Fault
from simulators.plants import Plant
from simulators.scenarios.faults import Loc, ScenarioFault
from simulators.scenarios.loading import Scenario
from simulators.scenarios.schema import Entry
from simulators.scenarios.timeline import Setting, Swing, Which

MOST = 200_000
"""Things that happen, repeats counted."""

Kind = TypeVar("Kind", Fault, GatewayFault)


@dataclass(frozen=True, slots=True)
class Laid:
    """All that happens."""

    settings: list[Setting] = field(default_factory=list)
    swings: list[Swing] = field(default_factory=list)
    of_instruments: list[Fault] = field(default_factory=list)
    of_gateways: dict[str, list[GatewayFault]] = field(default_factory=dict)


class Acts:
    """Lays out a timeline; ``faults`` is what is wrong in it."""

    def __init__(
        self,
        scenario: Scenario,
        plants: Mapping[str, Plant],
        counts: Mapping[str, int],
        tags: Sequence[Tag],
        site: Site,
    ) -> None:
        self._scenario = scenario
        self._file = scenario.file
        self._plants = plants
        self._counts = counts
        self._paths = [tag.path for tag in tags if tag.path in site.tag_index]
        self._gateways = {f"{tag.enterprise}/{tag.gateway}" for tag in tags}
        self._laid = Laid()
        self.faults: list[ScenarioFault] = []

    def laid(self) -> Laid:
        """Everything, in the order of the file."""
        happening = sum(entry.times or 1 for entry in self._file.timeline)
        if happening > MOST:
            self._fault(("timeline",), f"{happening} things happen", f"Let {MOST} happen at the most.")
            return self._laid
        for number, entry in enumerate(self._file.timeline):
            here: Loc = ("timeline", number)
            if entry.at >= self._file.duration:
                self._fault((*here, "at"), "it would happen after the end", "Give an offset before `duration`.")
            elif entry.fault is not None and entry.gateway is not None:
                self._gateway(here, entry)
            elif entry.fault is not None:
                self._instruments(here, entry)
            else:
                self._inputs(here, entry)
        return self._laid

    def _fault(self, loc: Loc, message: str, remedy: str) -> None:
        self.faults.append(self._scenario.fault(loc, message, remedy))

    @staticmethod
    def _instants(entry: Entry) -> Iterator[int]:
        """Offsets at which an entry happens, ms."""
        for turn in range(entry.times or 1):
            yield entry.at + turn * (entry.every or 0)

    def _windows(self, entry: Entry) -> Iterator[tuple[int, int]]:
        """From when to when, ms UTC."""
        begin, end = self._file.start, self._file.start + self._file.duration
        for at in self._instants(entry):
            until = end if entry.until is None else begin + entry.until + at - entry.at
            if begin + at < min(until, end):
                yield begin + at, until

    def _inputs(self, here: Loc, entry: Entry) -> None:
        for what, given in (("set", entry.set), ("ramp", entry.ramp)):
            for target, value in (given or {}).items():
                found = self._input((*here, what, target), target, entry.at)
                if found is None:
                    continue
                plant, name, which = found
                one = self._plants[plant].inputs[name]
                if not one.low <= value <= one.high:
                    remedy = f"Use {one.low:g} to {one.high:g} {one.engineering_unit}".rstrip() + "."
                    self._fault((*here, what, target), f"{value:g} is out of bounds", remedy)
                for at in self._instants(entry):
                    self._laid.settings.append(Setting(at, plant, name, which, value, entry.over or 0))
        for target, wave in (entry.wave or {}).items():
            found = self._input((*here, "wave", target), target, 0)
            if found is not None:
                plant, name, which = found
                until = self._file.duration if entry.until is None else entry.until
                self._laid.swings.append(
                    Swing(entry.at, until, plant, name, which, wave.mean, wave.amplitude, wave.period, wave.peak)
                )

    def _input(self, loc: Loc, target: str, at: int) -> tuple[str, str, Which] | None:
        owner, _, name = target.partition(".")
        owner, _, index = owner.partition("[")
        plant = self._plants.get(owner)
        if plant is None:
            self._fault(loc, f"no plant {owner!r}", f"Use one of {', '.join(self._plants)}.")
            return None
        if name not in plant.inputs:
            self._fault(loc, f"{owner} has no input {name!r}", f"Use one of {', '.join(plant.inputs)}.")
            return None
        count = self._counts[owner]
        pick = int(index.rstrip("]")) - 1 if index else None
        if pick is not None and not 0 <= pick < count:
            self._fault(loc, f"{owner} has {count} instances", "Count from 1.")
            return None
        if at == 0:
            return owner, name, slice(pick, None, count) if pick is not None else slice(None)
        return owner, name, pick if pick is not None else slice(0, count)

    def _instruments(self, here: Loc, entry: Entry) -> None:
        kind = FAULTS.get(entry.fault or "")
        if kind is None:
            self._fault((*here, "fault"), f"no instrument has {entry.fault!r}", f"Use one of {', '.join(FAULTS)}.")
            return
        tags = self._tags(here, entry)
        for begin, end in self._windows(entry) if tags else ():
            made = self._made(here, kind, entry, {"tags": tags, "begin": begin, "end": end})
            if made is None:
                return
            self._laid.of_instruments.append(made)

    def _gateway(self, here: Loc, entry: Entry) -> None:
        kind = GATEWAY_FAULTS.get(entry.fault or "")
        if kind is None:
            known = ", ".join(GATEWAY_FAULTS)
            self._fault((*here, "fault"), f"no gateway has {entry.fault!r}", f"Use one of {known}.")
            return
        if entry.gateway not in self._gateways:
            known = ", ".join(sorted(self._gateways))
            self._fault((*here, "gateway"), f"no tag comes through {entry.gateway}", f"Use one of {known}.")
            return
        more: dict[str, Any] = {}
        if entry.tags is not None:
            if "tags" not in {one.name for one in fields(kind)}:
                self._fault((*here, "tags"), f"{entry.fault} is of the whole gateway", "Delete `tags`.")
                return
            more["tags"] = self._tags(here, entry)
        for begin, end in self._windows(entry):
            made = self._made(here, kind, entry, {"begin": begin, "end": end, **more})
            if made is None:
                return
            self._laid.of_gateways.setdefault(entry.gateway, []).append(made)

    def _tags(self, here: Loc, entry: Entry) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for number, pattern in enumerate(entry.tags or ()):
            matching = [path for path in self._paths if fnmatchcase(path, pattern)]
            if not matching:
                message = f"no tag of the scenario is {pattern}"
                self._fault((*here, "tags", number), message, "Write enterprise/TAG as under `plants`.")
            found |= dict.fromkeys(matching)
        return tuple(found)

    def _made(self, here: Loc, kind: type[Kind], entry: Entry, more: Mapping[str, Any]) -> Kind | None:
        """A fault with its parameters, which may be none that it has."""
        own = {
            one.name: str(getattr(one.type, "__name__", one.type))
            for one in fields(kind)
            if one.name not in {"tags", "begin", "end"}
        }
        given: dict[str, Any] = {}
        for name, value in entry.parameters.items():
            if name not in own:
                known = f"Use one of {', '.join(own)}." if own else "Delete it: there are none."
                self._fault((*here, "with", name), f"{entry.fault} has no such parameter", known)
                return None
            wanted = own[name]
            right = (
                isinstance(value, str)
                if wanted == "str"
                else isinstance(value, bool)
                if wanted == "bool"
                else (value is None and "None" in wanted) or (isinstance(value, float) and not isinstance(value, bool))
            )
            if not right or ("int" in wanted and isinstance(value, float) and not value.is_integer()):
                self._fault((*here, "with", name), f"{value!r} does not fit", f"Give a value of type {wanted}.")
                return None
            given[name] = int(value) if "int" in wanted and isinstance(value, float) else value
        try:
            return kind(**more, **given)
        except TypeError:
            missing = ", ".join(name for name in own if name not in given)
            self._fault((*here, "with"), f"{entry.fault} lacks parameters", f"Give {missing}.")
        except ValueError as error:
            name, _, rest = str(error).partition(": ")
            message, _, remedy = rest.partition("; ")
            self._fault((*here, "with", name), message or str(error), f"{remedy or 'correct it'}.".capitalize())
        return None
