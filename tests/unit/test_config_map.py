"""Positions, tags of the wind and outlines: what a site says of the map, and every way to get it wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.places import Map, Outline, Position, Tiles, Wind
from service.config import ConfigurationError, check, load, load_site
from service.config.outlines import MOST_FEATURES, MOST_POSITIONS, read_outlines

SQUARE = [[118.7, 36.8], [118.9, 36.8], [118.9, 37.0], [118.7, 36.8]]


def feature(shape: str = "Polygon", coordinates: Any = None, **properties: Any) -> dict[str, Any]:
    geometry = {"type": shape, "coordinates": [SQUARE] if coordinates is None else coordinates}
    return {"type": "Feature", "properties": {"name": "云泽县", **properties}, "geometry": geometry}


def collection(*features: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", **more, "features": list(features)}


def site() -> dict[str, Any]:
    return {
        "regions": [{"code": "370783", "name": "云泽县"}],
        "map": {"outlines": "county.geojson"},
        "enterprises": [
            {
                "id": "works",
                "name": "测试厂",
                "region": "370783",
                "position": [118.8, 36.9],
                "wind": {"speed": "WS-1", "direction": "WD-1"},
                "gateways": [{"id": "gw1", "name": "网关"}],
                "units": [
                    {
                        "id": "tanks",
                        "name": "罐区",
                        "position": [118.81, 36.91],
                        "tags": [
                            {"tag": "WS-1", "measurand": "wind_speed", "engineering_unit": "m/s"},
                            {"tag": "WD-1", "measurand": "wind_direction", "engineering_unit": "°"},
                            {"tag": "TI-1", "measurand": "temperature", "engineering_unit": "°C"},
                        ],
                    },
                    {"id": "boiler", "name": "锅炉"},
                ],
            }
        ],
    }


def write(folder: Path, told: dict[str, Any], outlines: Any) -> Path:
    text = outlines if isinstance(outlines, str) else json.dumps(outlines, ensure_ascii=False)
    (folder / "county.geojson").write_text(text, encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def test_positions_wind_and_outlines_are_those_that_the_files_give(tmp_path: Path) -> None:
    hole = [[118.75, 36.85], [118.8, 36.85], [118.8, 36.9], [118.75, 36.85]]
    outlines = collection(
        feature(coordinates=[SQUARE, hole], region="370783"),
        feature("MultiPolygon", [[SQUARE], [hole]], enterprise="works", name="厂界"),
        feature("LineString", [[118.7, 36.8, 12.0], [118.9, 37.0]], kind="road", name=""),
        feature("MultiLineString", [SQUARE, hole]),
    )
    found = load_site([write(tmp_path, site(), outlines)])
    assert found.enterprises["works"].position == Position(118.8, 36.9)
    assert found.enterprises["works"].wind == Wind("WS-1", "WD-1")
    assert found.units["works", "tanks"].position == Position(118.81, 36.91)
    assert found.units["works", "tanks"].wind is None
    assert found.units["works", "boiler"].position is None
    ring, inner = (tuple(number for position in path for number in position) for path in (SQUARE, hole))
    assert found.map == Map(
        "WGS-84",
        (
            Outline("云泽县", "region", is_area=True, paths=(ring, inner), region="370783"),
            Outline("厂界", "enterprise", is_area=True, paths=(ring, inner), enterprise="works"),
            Outline("", "road", is_area=False, paths=((118.7, 36.8, 118.9, 37.0),)),
            Outline("云泽县", "other", is_area=False, paths=(ring, inner)),
        ),
    )


def test_a_site_without_a_map_has_none(tmp_path: Path) -> None:
    told = site()
    del told["map"]
    assert load_site([write(tmp_path, told, "garbage")]).map == Map()


def test_the_datum_is_kept_and_nothing_is_converted(tmp_path: Path) -> None:
    told = site()
    told["map"]["datum"] = "GCJ-02"
    found = load_site([write(tmp_path, told, collection(feature(), datum="GCJ-02"))])
    assert found.map.datum == "GCJ-02"
    assert found.map.outlines[0].paths[0][:2] == (118.7, 36.8)
    assert found.enterprises["works"].position == Position(118.8, 36.9)


def test_outlines_belong_to_the_revision(tmp_path: Path) -> None:
    write(tmp_path, site(), collection(feature()))
    main = tmp_path / "anshao.yaml"
    main.write_text("sites: [site.yaml]\nhistorian: {kind: duckdb}\n", encoding="utf-8")
    assert "county.geojson" in load(main, {}).documents.contents


def of_map(**change: Any) -> Callable[[dict[str, Any]], None]:
    return lambda told: told["map"].update(change)


def of_tiles(url: str) -> Callable[[dict[str, Any]], None]:
    return of_map(tiles={"url": url, "attribution": "©"})


def test_tiles_are_of_one_server_and_all_files_agree(tmp_path: Path) -> None:
    told = site()
    told["map"]["tiles"] = {"url": "http://10.0.0.8:8080/{z}/{x}/{y}.png?style=grey", "attribution": " © OSM "}
    tiles = load_site([write(tmp_path, told, collection())]).map.tiles
    assert tiles == Tiles("http://10.0.0.8:8080/{z}/{x}/{y}.png?style=grey", "© OSM", 18)
    assert tiles.origin == "http://10.0.0.8:8080"


def of_enterprise(**change: Any) -> Callable[[dict[str, Any]], None]:
    return lambda told: told["enterprises"][0].update(change)


@pytest.mark.parametrize(
    ("change", "field", "words", "remedy"),
    [
        (of_map(datum="BD-09"), "map.datum", "must be one of", "GCJ-02"),
        (of_map(outline="x"), "map.outline", "unknown key", "outlines"),
        (of_map(outlines="nowhere.geojson"), "map.outlines", "cannot read", "Correct the path"),
        (of_tiles("ftp://t/{z}/{x}/{y}"), "map.tiles.url", "not the address", "https://tiles"),
        (of_tiles("https://t;script-src *//{z}/{x}/{y}"), "map.tiles.url", "not the address", "https://tiles"),
        (of_tiles("https://{z}.t/{x}/{y}"), "map.tiles.url", "not the address", "https://tiles"),
        (of_tiles("https://me:secret@t/{z}/{x}/{y}"), "map.tiles.url", "not the address", "https://tiles"),
        (of_tiles("https://t/{z}/{x}"), "map.tiles.url", "once each", "https://tiles"),
        (of_tiles("https://t/{z}/{x}/{y}/{s}"), "map.tiles.url", "something else", "https://tiles"),
        (of_enterprise(position=[36.9, 118.8]), "enterprises[0].position", "wrong way round", "longitude first"),
        (of_enterprise(position=[118.8]), "enterprises[0].position", "two numbers", "[118.79, 36.86]"),
        (of_enterprise(position=[118.8, 36.9, 5]), "enterprises[0].position", "two numbers", "[118.79, 36.86]"),
        (of_enterprise(position=[True, 36.9]), "enterprises[0].position", "finite numbers", "[118.79, 36.86]"),
        (of_enterprise(position=[118.8, float("inf")]), "enterprises[0].position", "finite numbers", "[118.79"),
        (of_enterprise(position=[586000, 4085000]), "enterprises[0].position", "no longitude", "ogr2ogr"),
        (of_enterprise(wind={"speed": "WS-1"}), "enterprises[0].wind.direction", "missing", "Add"),
        (of_enterprise(wind={"speed": "WS-1", "direction": "WD-9"}), "enterprises[0].wind.direction", "no tag", "tag"),
        (of_enterprise(wind={"speed": "TI-1", "direction": "WD-1"}), "enterprises[0].wind.speed", "in °C", "m/s"),
    ],
)
def test_faults_of_the_site_file(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], field: str, words: str, remedy: str
) -> None:
    told = site()
    change(told)
    (fault,) = check([write(tmp_path, told, collection(feature()))])
    assert (Path(fault.file).name, fault.field) == ("site.yaml", field)
    assert fault.line > 0
    assert words in fault.message
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("outlines", "field", "words", "remedy"),
    [
        ("{", "", "not JSON", "GeoJSON"),
        ("[]", "", "FeatureCollection", "FeatureCollection"),
        (collection(feature(), datum="GCJ-02"), "datum", "the site file says WGS-84", "nothing is converted"),
        (collection(crs={"properties": {"name": "EPSG:3857"}}), "crs", "other than WGS-84", "RFC 7946"),
        (collection(*[feature()] * (MOST_FEATURES + 1)), "features", f"{MOST_FEATURES} are allowed", "mapshaper"),
        (collection(feature("LineString", SQUARE * (MOST_POSITIONS // 4 + 1))), "", "are allowed", "mapshaper"),
        (collection(feature(), 7), "features[1]", "not a Feature", "geometry"),
        (collection(feature("Point", [118.7, 36.8])), "features[0].geometry.type", "'云泽县': a geometry", "site file"),
        (collection({"type": "Feature", "geometry": {"type": []}}), "features[0].geometry.type", "no outline", "Use"),
        (collection(feature(kind="rood")), "features[0].properties.kind", "unknown kind", "`road`"),
        (collection(feature(region="370799")), "features[0].properties.region", "no region", "370783"),
        (collection(feature(region=370783)), "features[0].properties.region", "must be text", "in quotes"),
        (collection(feature(enterprise="work")), "features[0].properties.enterprise", "no enterprise", "`works`"),
        (collection(feature(coordinates=[])), "features[0].geometry.coordinates", "not empty", "delete"),
        (collection(feature(coordinates=[SQUARE[:3]])), "features[0].geometry.coordinates[0]", "fewer", "Export"),
        (
            collection(feature(coordinates=[[*SQUARE[:3], [1, 2]]])),
            "features[0].geometry.coordinates[0]",
            "closed",
            "Re",
        ),
        (
            collection(feature(coordinates=[[*SQUARE[:2], [36.9, 118.8], SQUARE[0]]])),
            "features[0].geometry.coordinates[0][2]",
            "'云泽县': a latitude of 118.8",
            "longitude first",
        ),
        (collection(feature(coordinates=[[*SQUARE[:2], [1e999, 36], SQUARE[0]]])), "", "not JSON", "Export"),
    ],
)
def test_faults_of_the_outlines(tmp_path: Path, outlines: Any, field: str, words: str, remedy: str) -> None:
    (fault,) = check([write(tmp_path, site(), outlines)])
    assert (Path(fault.file).name, fault.field) == ("county.geojson", field)
    assert words in fault.message
    assert remedy in fault.remedy


def test_every_feature_at_fault_is_told(tmp_path: Path) -> None:
    outlines = collection(feature(kind="x"), feature(), feature("Point", []), feature(region="1"))
    faults = check([write(tmp_path, site(), outlines)])
    assert [fault.field.split(".", maxsplit=1)[0] for fault in faults] == ["features[0]", "features[2]", "features[3]"]


def test_two_site_files_share_one_datum(tmp_path: Path) -> None:
    first = write(tmp_path, site(), collection(feature()))
    second = tmp_path / "second.yaml"
    second.write_text("map: {datum: GCJ-02}\nregions: []\nenterprises: []\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load_site([first, second])
    (fault,) = raised.value.faults
    assert (Path(fault.file).name, fault.field) == ("second.yaml", "map.datum")
    assert "nothing is converted" in fault.remedy


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
SHAPES = st.sampled_from(["LineString", "MultiLineString", "Polygon", "MultiPolygon", "Point"])
GEOMETRIES = st.fixed_dictionaries({"type": SHAPES | JSON, "coordinates": JSON})
FEATURES = st.fixed_dictionaries({"type": st.just("Feature"), "properties": JSON, "geometry": GEOMETRIES | JSON})


@given(st.lists(FEATURES | JSON, max_size=3), JSON)
def test_whatever_a_file_holds_is_told_as_a_fault_and_never_a_crash(features: list[Any], more: Any) -> None:
    outlines, faults = read_outlines(json.dumps(collection(*features, crs=more)), "WGS-84")
    of_file = [fault for fault in faults if fault.loc[:1] != ("features",)]
    assert len(outlines) + len(faults) == (1 if of_file else len(features))
    assert all(fault.message and fault.remedy for fault in faults)
