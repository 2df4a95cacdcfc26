"""The map over the API: what stands still on it, and asking whether it still holds."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.records import Alarm
from domain.places import Map, Outline, Position, Tiles, Wind
from domain.scales import Level, RuleKind
from domain.site import Rule, RuleExtra, RuleTable, Site, Tag
from service.api.map_models import SiteMap
from service.api.views import Views
from tests.api_service import HEADERS, Client, FakeService, api, make_alarm, make_site, sqlite_ledger

RING = (118.7, 36.8, 118.9, 36.8, 118.9, 37.0000000001, 118.7, 36.8)
COUNTY = Outline("云泽县", "region", is_area=True, paths=(RING,), region="370783")


def placed(site: Site) -> Site:
    """The site with positions at one enterprise, and a mast that tells its wind."""
    tank_farm = replace(site.units["huarui", "tankfarm"], position=Position(118.81, 36.91))
    huarui = replace(site.enterprises["huarui"], position=Position(118.8, 36.9), wind=Wind("GT-102", "TI-201"))
    return replace(
        site,
        units=site.units | {("huarui", "tankfarm"): tank_farm},
        enterprises=site.enterprises | {"huarui": huarui},
        map=Map("GCJ-02", (COUNTY,)),
    )


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    async with sqlite_ledger(tmp_path, 4) as (ledger, _):
        service = FakeService(ledger.engine)
        service.site = placed(service.site)
        yield service


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def test_it_tells_outlines_positions_and_the_tags_of_the_wind(client: Client) -> None:
    answer = await client.get("/api/v1/map")
    assert answer.status == 200
    told = SiteMap.model_validate(await answer.json())
    assert told.datum == "GCJ-02"
    assert told.outlines[0].paths == [[118.7, 36.8, 118.9, 36.8, 118.9, 37.0, 118.7, 36.8]]
    assert [region.code for region in told.regions] == ["370000", "370700", "370783", "140000"]
    huarui, heishan = told.enterprises
    assert huarui.position is not None
    assert huarui.position.longitude == 118.8
    (tank_farm,) = huarui.units  # its gateways are no place
    assert tank_farm.position is not None
    assert (tank_farm.position.latitude, tank_farm.hazard_level) == (36.91, 2)
    assert tank_farm.wind == huarui.wind
    assert tank_farm.wind is not None
    assert (tank_farm.wind.speed, tank_farm.wind.direction, tank_farm.wind.period_ms) == ("GT-102", "TI-201", 1000)
    assert (heishan.position, heishan.wind) == (None, None)
    assert [unit.position for unit in heishan.units] == [None, None]


async def test_a_tile_server_opens_the_policy_for_its_images_and_for_nothing_else(
    service: FakeService, tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<!doctype html>")
    async with api(service, console=tmp_path / "site") as client:
        closed = (await client.get("/")).headers["Content-Security-Policy"]
        assert "img-src 'self' data:;" in closed
        service.site = replace(service.site, map=Map(tiles=Tiles("https://t.example:8443/{z}/{x}/{y}.png", "©", 17)))
        opened = (await client.get("/")).headers["Content-Security-Policy"]
        told = SiteMap.model_validate(await (await client.get("/api/v1/map", headers=HEADERS)).json())
    assert opened == closed.replace("data:;", "data: https://t.example:8443;")
    assert told.tiles is not None
    assert (told.tiles.url, told.tiles.deepest) == ("https://t.example:8443/{z}/{x}/{y}.png", 17)


async def test_who_has_it_already_is_told_so_until_it_changes(client: Client, service: FakeService) -> None:
    first = await client.get("/api/v1/map")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = await client.get("/api/v1/map", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag)
    service.site = replace(service.site, map=Map("WGS-84", (COUNTY,)))
    changed = await client.get("/api/v1/map", headers={"If-None-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag
    assert (await changed.json())["datum"] == "WGS-84"


async def test_nobody_gets_it_without_a_token(service: FakeService) -> None:
    async with api(service) as stranger:
        for headers in ({}, {"If-None-Match": "*"}):
            assert (await stranger.get("/api/v1/map", headers=headers)).status == 401


def test_an_alarm_says_what_its_detector_measures_and_what_gas_it_is_for() -> None:
    """A rule over several detectors is of their gas and measurand, where all are of one."""
    base = make_site()
    vote, mixed = len(base.tags), len(base.tags) + 1
    tags = [
        *base.tags,
        Tag("huarui", "@unit.tankfarm", "tankfarm", "gw1", "status", system=True),
        Tag("heishan", "@unit.face", "face", "gw2", "status", system=True),
    ]
    rules = [
        *(base.rules.row(index) for index in range(len(base.rules))),
        Rule(vote, "2OO2", RuleKind.VOTE, Level.HH, 20.0, extra=RuleExtra(inputs=(0, 0))),
        Rule(mixed, "MIX", RuleKind.EXPRESSION, Level.HH, extra=RuleExtra(inputs=(0, 2))),
    ]
    site = replace(base, tags=tags, rules=RuleTable.build(rules, len(tags)), tag_index={})
    views = Views(site)

    def told(tag: str, rule: str, enterprise: str = "huarui") -> tuple[object, object]:
        alarm: Alarm = replace(make_alarm(1, base), enterprise=enterprise, tag=tag, rule=rule)
        view = views.alarm(alarm)
        unit = base.units.get((enterprise, alarm.unit))
        assert view["hazard_level"] == (unit and unit.hazard_level)
        return view["gas"], view["measurand"]

    measurand = base.tags[0].measurand
    assert told("GT-101", "H") == ("toxic", measurand)
    assert told("TI-201", "BAD") == (None, "temperature")
    assert told("@unit.tankfarm", "2OO2") == ("toxic", measurand)
    assert told("@unit.tankfarm", "GONE") == (None, None)
    assert told("@unit.face", "MIX", "heishan") == (None, None)
    assert told("NOT-THERE-ANY-MORE", "H") == (None, None)
