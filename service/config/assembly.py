"""Site files put together: regions, enterprises, units, gateways and tags, every reference between them checked."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.places import Map
from domain.site import Enterprise, Gateway, ModeSpan, Region, Rule, Selector, Site, Tag, Unit
from service.config.csv_table import csv_drafts
from service.config.document import Document, Loc
from service.config.faults import FaultList
from service.config.inline_tags import InlineOrigin, inline_drafts
from service.config.map_file import MapParts
from service.config.measurands import Measurands
from service.config.references import GATEWAY_KEYS, Conditions, Modes, Names, resolve_conditions, resolve_extras
from service.config.replay import Replay, read_replay
from service.config.site_file import (
    EnterpriseEntry,
    GatewayEntry,
    RegionEntry,
    SiteFile,
    TagEntry,
)
from service.config.system_points import system_points
from service.config.tag_list import TagList
from service.config.unit_entries import ModesEntry, UnitEntry
from service.config.unit_rules import UnitRule, read_unit_rules, resolve, system_tag, with_conditions
from service.config.validation import suggestion, validate

FEW = 20
"""So many names a remedy lists."""


@dataclass(slots=True)
class _Place:
    document: Document
    loc: Loc

    def __str__(self) -> str:
        return f"{self.document.path}:{self.document.place(self.loc)[0]}"


class SiteAssembly:
    """Takes site files one by one; ``build`` makes the site once there are no faults."""

    def __init__(self, measurands: Measurands, faults: FaultList) -> None:
        self.replays: dict[Document, Replay] = {}
        self._faults = faults
        self._tags = TagList(measurands)
        self._documents: list[Document] = []
        self._regions: dict[str, Region] = {}
        self._enterprises: dict[str, Enterprise] = {}
        self._units: dict[tuple[str, str], Unit] = {}
        self._gateways: dict[tuple[str, str], Gateway] = {}
        self._places: dict[tuple[str, ...], _Place] = {}
        self._wanted_regions: list[tuple[_Place, str]] = []
        self._cards_of: list[tuple[_Place, tuple[str, ...]]] = []
        self._wanted_units: list[tuple[_Place, str, str]] = []
        self._modes_of: dict[str, tuple[_Place, str, ModesEntry]] = {}
        self._modes = Modes()
        self._map = Map()
        self._map_parts = MapParts(faults)
        self._unit_rules: list[UnitRule] = []
        self._resolved: list[tuple[UnitRule, Rule]] = []
        self._conditions: dict[str, Conditions] = {}
        self._broken_tags: set[str] = set()
        self._tables_whole = True

    def add(self, document: Document) -> None:
        """Read one site file."""
        self._documents.append(document)
        validate(SiteFile, document.data, document.fault, ())
        self._map_parts.add(document)
        for loc, data in _items(document.data, "regions", ()):
            self._add_region(document, loc, data)
        for loc, data in _items(document.data, "enterprises", ()):
            self._add_enterprise(document, loc, data)

    def finish(self) -> None:
        """Check what can be checked only when all files of a site have been read."""
        for place, code in self._wanted_regions:
            if ("region", code) not in self._places:
                known = [key[1] for key in self._places if key[0] == "region"]
                place.document.fault(place.loc, f"no region {code[:40]!r}", suggestion(code, known))
        self._check_region_tree()
        self._check_neighbours()
        self._resolve_references()
        regions, enterprises = ([key[1] for key in self._places if key[0] == what] for what in ("region", "enterprise"))
        self._map = self._map_parts.finish(regions, enterprises)
        if not any(key[0] == "enterprise" for key in self._places):
            document = self._documents[0]
            document.fault((), "no enterprise in the site files: nothing would be watched", "Add one to `enterprises`.")
        for document in self._documents:
            if isinstance(document.data, dict) and document.data.get("replay") is not None:
                gateways = {f"{key[1]}/{key[2]}" for key in self._places if key[0] == "gateway"}
                replay = read_replay(document, gateways, self._gateway_of)
                if replay is not None:
                    self.replays[document] = replay

    @property
    def regions(self) -> Mapping[str, Region]:
        """Regions by code, as far as they have been read."""
        return self._regions

    @property
    def enterprises(self) -> Mapping[str, Enterprise]:
        """Enterprises by id, as far as they have been read."""
        return self._enterprises

    def check_cards(self, known: Collection[str]) -> None:
        """Report response cards that units and rules name, and that are not among the known."""
        for origin, draft, field, cards in self._tags.cards:
            for card in cards:
                if card not in known:
                    origin.fault(draft, f"{field}.cards", f"no response card {card!r}", suggestion(card, known))
        named = [(_Place(rule.document, rule.loc), rule.entry.cards) for rule in self._unit_rules]
        for place, cards in [*named, *self._cards_of]:
            for index, card in enumerate(cards):
                if card not in known:
                    loc = (*place.loc, "cards", index)
                    place.document.fault(loc, f"no response card {card!r}", suggestion(card, known))

    def build(self, canary_period: int, channels: Iterable[str] = ()) -> Site:
        """The site with the service's own points. Only after ``finish``, and only when there are no faults."""
        tags = self._tags
        own = system_points(self._regions.values(), self._gateways.values(), len(tags.tags), canary_period, channels)
        tags.append(own.tags, own.rules)
        self._append_unit_rules()
        return Site(
            regions=self._regions,
            enterprises=self._enterprises | {own.enterprise.id: own.enterprise},
            units=self._near_each_other() | {(unit.enterprise, unit.id): unit for unit in own.units},
            gateways=self._gateways | {(own.gateway.enterprise, own.gateway.id): own.gateway},
            tags=tags.tags,
            rules=tags.rules(),
            revision=hashlib.sha256("\n".join(tags.index).encode()).hexdigest()[:16],
            tag_index=tags.index,
            selectors=tuple(self._modes.selectors),
            map=self._map,
        )

    def _add_region(self, document: Document, loc: Loc, data: Any) -> None:
        entry = validate(RegionEntry, data, document.fault, loc)
        if entry is None:
            self._places.setdefault(("region", _raw_text(data, "code")), _Place(document, loc))
            return
        region = Region(entry.code, entry.name, entry.parent)
        first = self._places.setdefault(("region", region.code), _Place(document, loc))
        if first.document is document and first.loc != loc:
            message = f"region {region.code!r} is given already at {first}"
            document.fault((*loc, "code"), message, "Give each region once.")
        elif self._regions.get(region.code, region) != region:
            message = f"region {region.code!r} is given with another name or parent at {first}"
            document.fault((*loc, "code"), message, "Give it the same name and parent in every file.")
        self._regions.setdefault(region.code, region)
        if region.parent is not None:
            self._wanted_regions.append((_Place(document, (*loc, "parent")), region.parent))

    def _add_enterprise(self, document: Document, loc: Loc, data: Any) -> None:
        entry = validate(EnterpriseEntry, data, document.fault, loc)
        enterprise = _raw_text(data, "id")
        self._claim(document, loc, ("enterprise", enterprise))
        if entry is not None:
            at, wind = self._map_parts.place(document, loc, entry.id, entry.position, entry.wind)
            self._enterprises[entry.id] = Enterprise(entry.id, entry.name, entry.region, at, wind)
            self._wanted_regions.append((_Place(document, (*loc, "region")), entry.region))
        gateways: dict[str, None] = {}
        listed = False
        for inner, gateway in _items(data, "gateways", loc):
            listed = True
            self._add_gateway(document, inner, gateway, enterprise)
            gateways[_raw_text(gateway, "id")] = None
        before = len(self._tags.tags)
        for inner, unit in _items(data, "units", loc):
            self._add_unit(document, inner, unit, enterprise, gateways)
        if len(self._tags.tags) > before and not listed:
            message = f"enterprise {enterprise!r} has tags and no gateway"
            document.fault(loc, message, "Add `gateways: [{id: gw1, name: …}]`.")

    def _add_gateway(self, document: Document, loc: Loc, data: Any, enterprise: str) -> None:
        entry = validate(GatewayEntry, data, document.fault, loc)
        gateway = _raw_text(data, "id")
        self._claim(document, loc, ("gateway", enterprise, gateway))
        if entry is not None:
            held = Gateway(enterprise, gateway, entry.name, clock=entry.clock, format=entry.format)
            self._gateways[enterprise, gateway] = held

    def _add_unit(self, document: Document, loc: Loc, data: Any, enterprise: str, gateways: Mapping[str, None]) -> None:
        entry = validate(UnitEntry, data, document.fault, loc)
        unit = _raw_text(data, "id")
        self._claim(document, loc, ("unit", enterprise, unit))
        if entry is not None:
            near = tuple(path if "/" in path else f"{enterprise}/{path}" for path in entry.neighbours)
            at, wind = self._map_parts.place(document, loc, enterprise, entry.position, entry.wind)
            held = Unit(enterprise, unit, entry.name, entry.hazard_level, near, entry.cards, at, wind)
            self._units[enterprise, unit] = held
            for index, path in enumerate(near):
                self._wanted_units.append((_Place(document, (*loc, "neighbours", index)), f"{enterprise}/{unit}", path))
            self._cards_of.append((_Place(document, loc), entry.cards))
            if entry.modes is not None:
                self._modes_of[f"{enterprise}/{unit}"] = _Place(document, (*loc, "modes")), enterprise, entry.modes
        else:
            self._modes.broken.add(f"{enterprise}/{unit}")
        self._unit_rules += read_unit_rules(document, _items(data, "rules", loc), enterprise, unit)
        tags: list[TagEntry] = []
        locs: list[Loc] = []
        for inner, raw in _items(data, "tags", loc):
            tag = validate(TagEntry, raw, document.fault, inner)
            if tag is None:
                self._broken_tags.add(f"{enterprise}/{_raw_text(raw, 'tag')}")
            else:
                tags.append(tag)
                locs.append(inner)
        if tags:
            self._tags.add(inline_drafts(tags, InlineOrigin(document, locs)), enterprise, unit, gateways)
        for inner, table in _items(data, "tag_tables", loc):
            if isinstance(table, str) and table and table.isprintable():
                known = len(self._faults)
                for drafts in csv_drafts(document.path.parent / table, self._faults, (document, inner)):
                    self._tags.add(drafts, enterprise, unit, gateways)
                self._tables_whole = self._tables_whole and len(self._faults) == known

    def _claim(self, document: Document, loc: Loc, key: tuple[str, ...]) -> None:
        """Report an id that was given before; one that is not even a text is a fault already."""
        first = self._places.setdefault(key, _Place(document, loc))
        if key[-1] and (first.document is not document or first.loc != loc):
            message = f"{key[0]} {key[-1]!r} is given already at {first}"
            document.fault((*loc, "id"), message, "Give each id once: rename or delete one of the two.")

    def _check_region_tree(self) -> None:
        """Every region must lead to a root."""
        for region in self._regions.values():
            seen = {region.code}
            parent = region.parent
            while parent in self._regions and parent not in seen:
                seen.add(parent)
                parent = self._regions[parent].parent
            if parent == region.code:
                place = self._places["region", region.code]
                message = f"region {region.code!r} is its own superior"
                remedy = "Correct the parents: province, city, county; a province has none."
                place.document.fault((*place.loc, "parent"), message, remedy)

    def _check_neighbours(self) -> None:
        for place, unit, near in self._wanted_units:
            if near == unit:
                place.document.fault(place.loc, "a unit is no neighbour of itself", "Delete it.")
            elif ("unit", *near.split("/")) not in self._places:
                known = ["/".join(key[1:]) for key in self._places if key[0] == "unit"]
                remedy = suggestion(near, known) if len(known) <= FEW else "Write a unit's id, or enterprise/unit."
                place.document.fault(place.loc, f"no unit {near!r}", remedy)

    def _near_each_other(self) -> dict[tuple[str, str], Unit]:
        """Units with their neighbours: nearness holds both ways, whichever of the two says it."""
        near: dict[str, dict[str, None]] = {}
        for unit in self._units.values():
            for other in unit.neighbours:
                near.setdefault(unit.path, {})[other] = None
                near.setdefault(other, {})[unit.path] = None
        return {
            key: replace(unit, neighbours=tuple(near[unit.path])) if unit.path in near else unit
            for key, unit in self._units.items()
        }

    def _resolve_references(self) -> None:
        """Look up what rules say of other tags, conditions and modes."""
        names = Names(self._tags, self._broken_tags, whole=self._tables_whole)
        names.add(rule.path for rule in self._unit_rules)
        names.add(f"{enterprise}/@{gateway}/{key}" for enterprise, gateway in self._gateways for key in GATEWAY_KEYS)
        for unit, (place, enterprise, modes) in self._modes_of.items():
            tag = -1 if modes.tag is None else names.tag(enterprise, modes.tag)
            if tag is None:
                message = f"no tag {modes.tag!r} in enterprise {enterprise!r}"
                remedy = "Write the name of a tag of the same enterprise."
                place.document.fault((*place.loc, "tag"), message, remedy)
                continue
            values = tuple((mode, low, high) for mode, (low, high) in modes.values.items())
            schedule = tuple(ModeSpan(span.mode, span.days, span.begin, span.end) for span in modes.schedule)
            self._modes.index[unit] = len(self._modes.selectors)
            self._modes.selectors.append(Selector(unit, tag, values, schedule))
            self._modes.names[unit] = modes.names
        if self._tables_whole:
            for rule in self._unit_rules:
                resolved = resolve(rule, names)
                if resolved is not None:
                    self._resolved.append((rule, resolved))
        for document, loc, enterprise, name, units in self._map_parts.winds():
            self._check_wind(document, loc, names.tag(enterprise, name), f"{enterprise}/{name}", units)
        self._conditions = resolve_conditions([*self._tags.referring, *self._unit_rules], names)
        self._tags.extras.update(resolve_extras(self._tags.referring, self._conditions, self._modes, names))

    def _check_wind(self, document: Document, loc: Loc, tag: int | None, path: str, units: tuple[str, ...]) -> None:
        """A tag of the wind must exist, in a unit that is read as it is: nothing is converted."""
        if tag is None:
            document.fault(loc, f"no tag {path!r}", "Write the name of a tag of the same enterprise.")
        elif tag >= 0 and (own := self._tags.tags[tag].engineering_unit) not in units:
            remedy = f"Name a tag in {units[0]}: speed in m/s, direction in ° from north, where the wind blows from."
            document.fault(loc, f"tag {path!r} is in {own or 'no unit'}", remedy)

    def _append_unit_rules(self) -> None:
        """The system tags of units with rules of their own, and these rules."""
        tags: dict[str, Tag] = {}
        rules: list[Rule] = []
        first = len(self._tags.tags)
        for rule, resolved in self._resolved:
            if rule.tag_path not in tags:
                tags[rule.tag_path] = system_tag(rule, self._units[rule.enterprise, rule.unit].name)
            tag = first + list(tags).index(rule.tag_path)
            rules.append(with_conditions(resolved, tag, rule.attributes, self._conditions[rule.path]))
        self._tags.append(list(tags.values()), rules)

    def _gateway_of(self, path: str) -> str | None:
        """Gateway id of a tag; "" for one that has faults or may have been lost to them, None for one that is not."""
        index = self._tags.index.get(path)
        if index is not None:
            return self._tags.tags[index].gateway
        return None if self._tables_whole and path not in self._broken_tags else ""


def _items(data: Any, key: str, loc: Loc) -> Iterator[tuple[Loc, Any]]:
    """Elements of a list in a mapping, with their places; none where the data has another shape."""
    held = data.get(key) if isinstance(data, dict) else None
    if isinstance(held, list):
        for index, item in enumerate(held):
            yield (*loc, key, index), item


def _raw_text(data: Any, key: str) -> str:
    """A text in a mapping, even if the mapping has faults; "" where there is none."""
    held = data.get(key) if isinstance(data, dict) else None
    return str(held) if isinstance(held, str | int) else ""
