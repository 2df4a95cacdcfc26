"""Site files put together: regions, enterprises, units, gateways and tags, every reference between them checked."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.site import Enterprise, Gateway, Region, Site, Unit
from service.config.document import Document, Loc
from service.config.faults import FaultList
from service.config.inline_tags import InlineOrigin, inline_drafts
from service.config.measurands import Measurands
from service.config.point_table import table_drafts
from service.config.replay import Replay, read_replay
from service.config.site_file import (
    EnterpriseEntry,
    GatewayEntry,
    RegionEntry,
    SiteFile,
    TagEntry,
    UnitEntry,
)
from service.config.system_points import system_points
from service.config.tag_list import TagList
from service.config.validation import suggestion, validate


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
        self._broken_tags: set[str] = set()
        self._tables_whole = True

    def add(self, document: Document) -> None:
        """Read one site file."""
        self._documents.append(document)
        validate(SiteFile, document.data, document.fault, ())
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
        if not any(key[0] == "enterprise" for key in self._places):
            document = self._documents[0]
            document.fault((), "no enterprise in the site files: nothing would be watched", "Add one to `enterprises`.")
        for document in self._documents:
            if isinstance(document.data, dict) and document.data.get("replay") is not None:
                gateways = {f"{key[1]}/{key[2]}" for key in self._places if key[0] == "gateway"}
                replay = read_replay(document, gateways, self._gateway_of)
                if replay is not None:
                    self.replays[document] = replay

    def build(self, canary_period: int) -> Site:
        """The site with the service's own points. Only after ``finish``, and only when there are no faults."""
        tags = self._tags
        own = system_points(self._regions.values(), self._gateways.values(), len(tags.tags), canary_period)
        tags.append(own.tags, own.rules)
        return Site(
            regions=self._regions,
            enterprises=self._enterprises | {own.enterprise.id: own.enterprise},
            units=self._units | {(unit.enterprise, unit.id): unit for unit in own.units},
            gateways=self._gateways | {(own.gateway.enterprise, own.gateway.id): own.gateway},
            tags=tags.tags,
            rules=tags.rules(),
            revision=hashlib.sha256("\n".join(tags.index).encode()).hexdigest()[:16],
            tag_index=tags.index,
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
            self._enterprises[entry.id] = Enterprise(entry.id, entry.name, entry.region)
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
            self._units[enterprise, unit] = Unit(enterprise, unit, entry.name, entry.hazard_level)
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
                for drafts in table_drafts(document.path.parent / table, self._faults, (document, inner)):
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
