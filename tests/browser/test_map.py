"""The map: grades where they are, the downwind side of a leak, by mouse and by keyboard, and what it says when lost."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Locator, expect

from tests import servers
from tests.browser.conftest import TANK_FARM
from tests.browser.desk import SIZES, Desk, Desks
from tests.browser.works import Works, gas_tag, main
from tests.running import Service, site_of, until

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
RING = [[118.60, 36.80], [119.00, 36.80], [119.00, 37.10], [118.60, 37.10], [118.60, 36.80]]
OUTLINES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": HOSTILE, "region": "370783"},
            "geometry": {"type": "Polygon", "coordinates": [RING]},
        }
    ],
}


def weather(tag: str, measurand: str, unit: str) -> dict[str, Any]:
    return {"tag": tag, "measurand": measurand, "engineering_unit": unit, "stale": "off", "bad": "off"}


@pytest.fixture
def site(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A tank farm and a boiler on the map, a cellar that is not, and a weather station. Its parameter: tiles."""
    mast = [weather("WS-1", "wind_speed", "m/s"), weather("WD-1", "wind_direction", "°")]
    units = [
        {**TANK_FARM, "position": [118.70, 36.90]},
        {"id": "boiler", "name": "锅炉", "position": [118.90, 37.00], "tags": mast},
        {"id": "cellar", "name": "地下室", "tags": [gas_tag("GT-201", "地下室硫化氢")]},
    ]
    site = site_of(units)
    site["map"] = {"outlines": "county.geojson", **getattr(request, "param", {})}
    site["enterprises"][0]["wind"] = {"speed": "WS-1", "direction": "WD-1"}
    return site


@pytest.fixture
def starting(broker: servers.Broker, tmp_path: Path, site: dict[str, Any]) -> Any:
    """As everywhere, with the outlines beside the site file."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "county.geojson").write_text(json.dumps(OUTLINES), encoding="utf-8")
    service = Service.configured(folder, main(broker), site)
    service.start()
    try:
        yield service
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


async def leak(works: Works) -> int:
    """Gas at a detector of the tank farm; the incident."""
    await works.publish(**{"WS-1": 3.0, "WD-1": 270.0, "GT-101": 25.0})
    alarm = await until(lambda: works.alarm("GT-101", "HH"))
    return int(alarm["incident"])


def line(desk: Desk, unit: str) -> Locator:
    """A unit's line in the list."""
    return desk.page.get_by_role("region", name="地图上的企业和装置").locator("li", has_text=unit)


def mark(desk: Desk, place: str) -> Locator:
    """A place on the map."""
    return desk.page.locator(".mark", has_text=place)


async def test_a_leak_shows_where_how_bad_and_which_side_is_downwind(
    works: Works, desks: Desks, tmp_path: Path
) -> None:
    desk = await desks.open(works.address)
    await desk.page.get_by_role("link", name="地图", exact=True).click()
    await expect(line(desk, "原料罐区")).to_contain_text("无报警")
    await expect(mark(desk, "原料罐区")).to_be_visible()
    await expect(desk.page.locator("svg .sector")).to_have_count(0)
    await expect(desk.page.locator("svg .name.region")).to_have_text(HOSTILE)

    incident = await leak(works)
    await expect(mark(desk, "原料罐区")).to_contain_text(re.compile("[橙红黄]"))
    await expect(line(desk, "原料罐区")).to_contain_text("2 条报警，2 条未确认")
    await expect(line(desk, "原料罐区")).to_contain_text("下风向：东（90°）")
    await expect(line(desk, "原料罐区")).to_contain_text("不是扩散计算")
    await expect(desk.page.locator("svg path.sector")).to_have_count(1)
    await expect(desk.page.locator(".outline.region")).to_have_class(re.compile("tinted"))
    await expect(line(desk, "锅炉")).to_contain_text("无报警")
    for size, (width, height) in SIZES.items():
        await desk.page.set_viewport_size({"width": width, "height": height})
        await desk.page.screenshot(path=tmp_path / f"map-{size}.png")
        assert await desk.too_wide() == []

    await works.publish(**{"WS-1": 0.2})
    await expect(line(desk, "原料罐区")).to_contain_text("静风：各方向都可能受影响")
    await expect(desk.page.locator("svg path.sector")).to_have_count(0)
    await expect(desk.page.locator("svg circle.sector")).to_have_count(1)

    await mark(desk, "原料罐区").click()
    await expect(desk.page).to_have_url(re.compile(f"#/incidents/{incident}$"))
    await desk.page.get_by_role("link", name="在地图上查看").click()
    await expect(mark(desk, "原料罐区")).to_have_class(re.compile("chosen"))
    await expect(line(desk, "原料罐区")).to_have_attribute("aria-current", "true")


async def test_who_has_no_mouse_finds_everything_in_the_list(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    incident = await leak(works)
    await desk.turn_to("/map")
    surface = desk.page.get_by_role("group", name=re.compile("^地图："))
    at = mark(desk, "锅炉")
    await desk.tab_to(surface)
    before = await at.bounding_box()
    await desk.page.keyboard.press("ArrowRight")
    await until(lambda: elsewhere(at, before))
    for key in ("+", "-", "0"):
        await desk.page.keyboard.press(key)
    await until(lambda: there(at, before))
    await expect(line(desk, "地下室")).to_contain_text("无位置")
    await expect(desk.page.get_by_text("1 个装置没有位置")).to_be_visible()
    await desk.tab_to(line(desk, "原料罐区").get_by_role("link"))
    await desk.page.keyboard.press("Enter")
    await expect(desk.page).to_have_url(re.compile(f"#/incidents/{incident}$"))
    await desk.turn_to("/map")
    await line(desk, "地下室").get_by_role("link").click()
    await expect(desk.page).to_have_url(re.compile("#/enterprises/works/cellar$"))


async def elsewhere(at: Locator, before: Any) -> bool:
    return bool(await at.bounding_box() != before)


async def there(at: Locator, before: Any) -> bool:
    return bool(await at.bounding_box() == before)


async def test_wheel_and_drag_move_the_map_and_open_nothing(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await desk.turn_to("/map")
    await expect(line(desk, "锅炉")).to_contain_text("无报警")  # the strip above the map is there as well
    scale, at = desk.page.locator(".map .bar"), mark(desk, "锅炉")
    whole = await scale.text_content() or ""
    await desk.page.locator(".map .surface").hover()
    await desk.page.mouse.wheel(0, 600)
    await expect(scale).not_to_have_text(whole)
    await desk.button("全部").click()
    await expect(scale).to_have_text(whole)
    await desk.page.set_viewport_size({"width": 3840, "height": 2160})
    await expect(desk.page.locator(".map-page")).to_have_css("zoom", "1.5")
    box = await at.bounding_box()
    assert box is not None
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    await desk.page.mouse.move(middle["x"], middle["y"])
    await desk.page.mouse.down()
    await desk.page.mouse.move(middle["x"] - 90, middle["y"] + 40, steps=4)
    await desk.page.mouse.up()
    moved = await at.bounding_box()
    assert moved is not None
    assert (round(moved["x"] - box["x"]), round(moved["y"] - box["y"])) == (-90, 40)
    await expect(desk.page).to_have_url(re.compile("#/map$"))


async def test_a_lost_service_leaves_a_grey_map_that_says_so(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await leak(works)
    await desk.turn_to("/map")
    await expect(line(desk, "原料罐区")).to_contain_text("下风向：东")
    with works.frozen():
        await expect(desk.page.get_by_role("status").filter(has_text="以下是断开前的状况")).to_be_visible()
        await expect(line(desk, "原料罐区")).to_contain_text("风向未知：各方向都可能受影响")
        await expect(line(desk, "锅炉")).to_contain_text("状况未知")
        await expect(desk.page.locator("main")).to_have_class(re.compile("outdated"))
    await expect(desk.page.get_by_text("以下是断开前的状况")).to_have_count(0)


PORT = servers.free_port()
TILES = f"http://127.0.0.1:{PORT}"


@pytest.mark.parametrize(
    "site", [{"tiles": {"url": f"{TILES}/{{z}}/{{x}}/{{y}}.png", "attribution": "© 测试"}}], indirect=True
)
async def test_tiles_lie_under_the_outlines_and_may_be_away(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await desk.turn_to("/map")
    await expect(desk.page.get_by_text("底图服务器无应答，仅显示轮廓")).to_be_visible()
    await expect(mark(desk, "原料罐区")).to_be_visible()
    await expect(desk.page.locator("svg .name.region")).to_have_text(HOSTILE)
    asked: list[str] = []

    async def tile(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Referer", "") + request.headers.get("Cookie", ""))
        return web.Response(body=PIXEL, content_type="image/gif")

    app = web.Application()
    app.router.add_get("/{z}/{x}/{y}.png", tile)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", PORT).start()
        await desk.button("放大（键 +）").click()  # other tiles, which are there
        await expect(desk.page.get_by_text("© 测试")).to_be_visible()
        await expect(desk.page.locator(".tiles img:not([hidden])").first).to_be_visible()
    finally:
        await runner.cleanup()
    assert set(asked) == {""}
    assert all(fault.startswith(f"request to another host: {TILES}/") for fault in desk.faults)
    desk.faults.clear()
