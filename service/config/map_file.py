"""What a site says of the map: positions, tags of the wind, and the file of outlines."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from domain.places import DATUMS, Map, Outline, Position, Tiles, Wind
from service.config.document import Document, Loc, field_name, read_text
from service.config.faults import Fault, FaultList
from service.config.outlines import MOST_POSITIONS, REDUCE, RefusedPart, degrees, read_outlines
from service.config.quantities import PathText, PointName, refusal
from service.config.validation import Section, suggestion, validate

SPEED_UNITS = ("m/s",)
_TILES = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/[A-Za-z0-9._~/?&=%+@:{}-]+")
_LONGEST_ADDRESS = 500
DIRECTION_UNITS = ("°", "deg", "度")


def coordinates(value: object) -> tuple[float, float]:
    """Longitude and latitude of ``[118.79, 36.86]``. Raises ``refusal``."""
    try:
        return degrees(value, exactly=True)
    except RefusedPart as fault:
        raise refusal(str(fault), fault.remedy) from None


PositionEntry = Annotated[tuple[float, float], BeforeValidator(coordinates)]
"""``[longitude, latitude]``, in the datum that the site's ``map`` says."""


class WindEntry(Section):
    """Tags of the same enterprise that tell the wind."""

    speed: PointName
    direction: PointName


def _tile_address(value: object) -> str:
    """An address whose origin can stand in a policy as it is. Raises ``refusal``."""
    remedy = "Write for example https://tiles.example.org/{z}/{x}/{y}.png."
    if not isinstance(value, str) or not _TILES.fullmatch(value) or len(value) > _LONGEST_ADDRESS:
        raise refusal("not the address of tiles", remedy)
    if any(value.count(part) != 1 for part in ("{z}", "{x}", "{y}")):
        raise refusal("{z}, {x} and {y} must stand in it once each", remedy)
    if re.search(r"[{}]", re.sub(r"\{[zxy]\}", "", value)):
        raise refusal("braces around something else than z, x or y", remedy)
    return value


class TilesEntry(Section):
    """Images to lie under the outlines."""

    url: Annotated[str, BeforeValidator(_tile_address)]
    attribution: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    deepest: Annotated[int, Field(ge=1, le=22)] = 18


class MapEntry(Section):
    """一张图: in what positions are given, and what is drawn behind them."""

    datum: Literal["WGS-84", "GCJ-02"] = "WGS-84"
    outlines: PathText | None = None
    tiles: TilesEntry | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An outline's reference to something that a site file must have."""

    file: str
    field: str
    what: str
    id: str


class MapParts:
    """Takes the map's part of site files one by one; ``finish`` checks what refers from one to another."""

    def __init__(self, faults: FaultList) -> None:
        self._faults = faults
        self._datum: tuple[str, Document] | None = None
        self._outlines: list[Outline] = []
        self._tiles: tuple[Tiles, Document] | None = None
        self._wanted: list[_Wanted] = []
        self._winds: list[tuple[Document, Loc, str, WindEntry]] = []
        self._positions = 0

    def add(self, document: Document) -> None:
        """Read ``map`` of a site file, and the outlines that it names."""
        data = document.data.get("map") if isinstance(document.data, dict) else None
        if not isinstance(data, dict):
            return
        entry = validate(MapEntry, data, document.fault, ("map",))
        if entry is None:
            return
        if self._datum is None:
            self._datum = entry.datum, document
        elif self._datum[0] != entry.datum:
            message = f"positions in {entry.datum}, where {self._datum[1].path} has {self._datum[0]}"
            remedy = "Convert the positions and outlines of one of the two files: nothing is converted here."
            document.fault(("map", "datum"), message, remedy)
        if entry.tiles is not None:
            tiles = Tiles(entry.tiles.url, entry.tiles.attribution, entry.tiles.deepest)
            if self._tiles is None:
                self._tiles = tiles, document
            elif self._tiles[0] != tiles:
                message = f"other tiles than {self._tiles[1].path} has"
                document.fault(("map", "tiles"), message, "Name the same tiles, or name them in one file only.")
        if entry.outlines is not None:
            self._read(document.path.parent / entry.outlines, document, entry.datum)

    def place(
        self, document: Document, loc: Loc, enterprise: str, at: tuple[float, float] | None, wind: WindEntry | None
    ) -> tuple[Position | None, Wind | None]:
        """As the site keeps them; that the tags of the wind exist, others check by ``winds``."""
        position = None if at is None else Position(*at)
        if wind is None:
            return position, None
        self._winds.append((document, (*loc, "wind"), enterprise, wind))
        return position, Wind(wind.speed, wind.direction)

    def winds(self) -> Iterator[tuple[Document, Loc, str, str, tuple[str, ...]]]:
        """Document, place, enterprise, tag and the engineering units that it may have, of each tag of the wind."""
        for document, loc, enterprise, entry in self._winds:
            yield document, (*loc, "speed"), enterprise, entry.speed, SPEED_UNITS
            yield document, (*loc, "direction"), enterprise, entry.direction, DIRECTION_UNITS

    def finish(self, regions: Collection[str], enterprises: Collection[str]) -> Map:
        """The map of all files."""
        known = {"region": regions, "enterprise": enterprises}
        for wanted in self._wanted:
            if wanted.id not in known[wanted.what]:
                message = f"no {wanted.what} {wanted.id[:40]!r} in the site files"
                remedy = suggestion(wanted.id, known[wanted.what])
                self._faults.add(Fault(wanted.file, 0, 0, wanted.field, message, remedy))
        datum = DATUMS[0] if self._datum is None else self._datum[0]
        return Map(datum, tuple(self._outlines), None if self._tiles is None else self._tiles[0])

    def _read(self, path: Path, document: Document, datum: str) -> None:
        text = read_text(path, self._faults, (document, ("map", "outlines")))
        if text is None:
            return
        outlines, faults = read_outlines(text, datum)
        for fault in faults:
            self._faults.add(Fault(str(path), fault.line, 0, field_name(fault.loc), fault.message, fault.remedy))
        for index, outline in outlines:
            self._positions += sum(len(one) // 2 for one in outline.paths)
            self._outlines.append(outline)
            for what, id_ in (("region", outline.region), ("enterprise", outline.enterprise)):
                if id_ is not None:
                    at = field_name(("features", index, "properties", what))
                    self._wanted.append(_Wanted(str(path), at, what, id_))
        if self._positions > MOST_POSITIONS:
            message = f"{self._positions} positions in all, where {MOST_POSITIONS} are allowed"
            self._faults.add(Fault(str(path), 0, 0, "", message, REDUCE))
