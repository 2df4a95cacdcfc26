"""Outlines to draw on the map, from GeoJSON (RFC 7946): every fault with the feature that it is in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from domain.places import Outline
from service.config.document import Loc
from service.config.validation import suggestion

LARGEST = 4_000_000
"""Characters of a file of outlines [ours]."""
MOST_FEATURES = 2_000
"""Features of a file [ours]."""
MOST_POSITIONS = 50_000
"""Positions of all outlines of a site [ours]: what a browser draws without delay."""
KINDS = ("region", "enterprise", "water", "road", "railway", "built_up", "other")
REDUCE = "Simplify it, for example with `mapshaper county.geojson -simplify 10% -o`: a screen shows no more."
FIRST = "Write the longitude first, then the latitude, in degrees: [118.79, 36.86]."
_LONGEST_NAME = 100
_SHOWN = 30
_LEAST_RING, _LEAST_LINE = 4, 2
_SAME_AS = {
    "WGS-84": ("CRS84", "EPSG:4326", "EPSG::4326", "EPSG:4490", "EPSG::4490"),
    "GCJ-02": (),
}
"""Names that older files give in `crs`. CGCS2000 (EPSG:4490) and WGS-84 differ by centimetres [K]."""
_DEPTHS = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}
"""Geometry -> how deep its lines or rings lie in `coordinates`."""


class RefusedPart(Exception):
    """A part of a file that cannot be used: where, why, and what to do."""

    def __init__(self, message: str, remedy: str, *, at: Loc = ()) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.at = at


@dataclass(frozen=True, slots=True)
class PartFault:
    """What is wrong in a file of outlines."""

    loc: Loc
    message: str
    remedy: str
    line: int = 0


def read_outlines(text: str, datum: str) -> tuple[list[tuple[int, Outline]], list[PartFault]]:
    """Outlines with the number of their feature, and the faults of all others."""
    if len(text) > LARGEST:
        return [], [PartFault((), f"{len(text)} characters, where {LARGEST} are allowed", REDUCE)]
    try:
        features = _features(orjson.loads(text), datum)
    except orjson.JSONDecodeError as error:
        return [], [PartFault((), f"not JSON: {error.msg}", "Export the outlines as GeoJSON.", error.lineno)]
    except RefusedPart as fault:
        return [], [PartFault(fault.at, str(fault), fault.remedy)]
    outlines: list[tuple[int, Outline]] = []
    faults: list[PartFault] = []
    for index, feature in enumerate(features):
        try:
            outlines.append((index, _outline(feature)))
        except RefusedPart as fault:
            faults.append(PartFault(("features", index, *fault.at), f"{_named(feature)}{fault}", fault.remedy))
    return outlines, faults


def degrees(value: object, *, exactly: bool = False) -> tuple[float, float]:
    """Longitude and latitude. Raises ``RefusedPart``.

    ``exactly``: a height, which GeoJSON allows as third number, is refused.
    """
    pair = 2
    if not isinstance(value, list) or len(value) < pair or (exactly and len(value) > pair):
        raise RefusedPart("must be a list of two numbers", FIRST)
    for number in value[:pair]:
        if isinstance(number, bool) or not isinstance(number, int | float) or number - number != 0:
            raise RefusedPart("must be two finite numbers", FIRST)
    longitude, latitude = float(value[0]), float(value[1])
    if abs(longitude) <= 180 and abs(latitude) <= 90:  # noqa: PLR2004 - degrees
        return longitude, latitude
    if abs(longitude) <= 90 and abs(latitude) <= 180:  # noqa: PLR2004
        raise RefusedPart(f"a latitude of {latitude:g}: the two numbers are the wrong way round", FIRST)
    remedy = "Convert metres of a projection to degrees first, for example with `ogr2ogr -t_srs EPSG:4326`."
    raise RefusedPart(f"{longitude:g}, {latitude:g} is no longitude and latitude in degrees", remedy)


def _features(data: object, datum: str) -> list[object]:
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(data, dict) or data.get("type") != "FeatureCollection" or not isinstance(features, list):
        remedy = 'It begins with {"type": "FeatureCollection", "features": [ …: export it as GeoJSON.'
        raise RefusedPart("not a GeoJSON FeatureCollection", remedy)
    said = data.get("datum", datum)
    if said != datum:
        remedy = "Correct `map.datum` of the site file, or convert one of the two: nothing is converted here."
        raise RefusedPart(
            f"outlines in {str(said)[:_SHOWN]!r}, where the site file says {datum}", remedy, at=("datum",)
        )
    crs = data.get("crs")
    if crs is not None and not str(crs).rstrip("}' ").endswith(_SAME_AS[datum] or ("\0",)):
        remedy = "Export it in longitude and latitude, as RFC 7946 says, and delete `crs`; `datum` may say GCJ-02."
        raise RefusedPart(f"a reference system other than {datum}", remedy, at=("crs",))
    if len(features) > MOST_FEATURES:
        raise RefusedPart(f"{len(features)} features, where {MOST_FEATURES} are allowed", REDUCE, at=("features",))
    return features


def _outline(feature: object) -> Outline:
    """Raises ``RefusedPart``."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise RefusedPart("not a Feature", 'Write {"type": "Feature", "properties": {…}, "geometry": {…}}.')
    geometry = feature.get("geometry")
    shape = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or not isinstance(shape, str) or shape not in _DEPTHS:
        known = ", ".join(_DEPTHS)
        remedy = f"Use one of: {known}. Points are positions of enterprises and units, in the site file."
        raise RefusedPart(f"a geometry {str(shape)[:_SHOWN]!r}, which is no outline", remedy, at=("geometry", "type"))
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise RefusedPart("`properties` must be a mapping", 'Write {"name": "…"}.', at=("properties",))
    region, enterprise = _text(properties, "region"), _text(properties, "enterprise")
    kind = _text(properties, "kind") or ("region" if region else "enterprise" if enterprise else "other")
    if kind not in KINDS:
        raise RefusedPart(
            f"unknown kind {kind[:_SHOWN]!r}", suggestion(kind[:_SHOWN], KINDS), at=("properties", "kind")
        )
    is_area = shape.endswith("Polygon")
    lines = _lines(geometry.get("coordinates"), _DEPTHS[shape], ("geometry", "coordinates"))
    paths = tuple(_path(line, loc, is_ring=is_area) for loc, line in lines)
    return Outline(_text(properties, "name") or "", kind, is_area, paths, region, enterprise)


def _lines(value: object, depth: int, at: Loc) -> Iterator[tuple[Loc, list[object]]]:
    if not isinstance(value, list) or not value:
        raise RefusedPart("must be a list that is not empty", "Export the outline anew, or delete the feature.", at=at)
    if depth == 0:
        yield at, value
        return
    for index, held in enumerate(value):
        yield from _lines(held, depth - 1, (*at, index))


def _path(line: Iterable[object], at: Loc, *, is_ring: bool) -> tuple[float, ...]:
    found: list[float] = []
    for index, value in enumerate(line):
        try:
            found += degrees(value)
        except RefusedPart as fault:
            raise RefusedPart(str(fault), fault.remedy, at=(*at, index)) from None
    if len(found) // 2 < (_LEAST_RING if is_ring else _LEAST_LINE):
        told = "a ring of fewer than four positions" if is_ring else "a line of a single position"
        raise RefusedPart(told, "Export the outline anew, or delete it.", at=at)
    if is_ring and found[:2] != found[-2:]:
        raise RefusedPart("the ring is not closed", "Repeat its first position at its end.", at=at)
    return tuple(found)


def _text(properties: dict[str, Any], key: str) -> str | None:
    value = properties.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not value.isprintable():
        remedy = 'Write "370783", in quotes.' if key == "region" else "Write a short text."
        raise RefusedPart(f"`{key}` must be text of {_LONGEST_NAME} characters at most", remedy, at=("properties", key))
    return value


def _named(feature: object) -> str:
    """The feature's own name before what is said of it: numbers alone are hard to find in a file."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return f"{name[:_SHOWN]!r}: " if isinstance(name, str) and name else ""
