"""The wall screen: what it goes by turns through, what it stops at, and how it tells that it is not current."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desk, Desks
from tests.browser.works import Works, gas_tag
from tests.running import site_of, until

pytestmark = pytest.mark.browser

SIZES = ((1366, 768), (1920, 1080), (3840, 2160))
SCROLLED = """() => [...document.querySelectorAll('.wall, .wall *')]
    .filter((element) => ['auto', 'scroll'].includes(getComputedStyle(element).overflowY))
    .concat(document.documentElement)
    .filter((element) => element.scrollHeight > element.clientHeight + 1
        || element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.className)
"""
QUICKER = """() => {
    const every = window.setInterval;
    window.setInterval = (run, ms, ...rest) => every(run, ms === 15000 ? 4000 : ms, ...rest);
}"""
"""The wall turns every 4 s."""
TINY = """() => [...document.querySelectorAll('.wall .label')]
    .map((element) => element.getBoundingClientRect().height / window.innerHeight)
"""
"""Heights of the map's names, which are enlarged as one."""
REACHED = """() => [...document.querySelectorAll('.wall a, .wall button, .wall [tabindex]')]
    .filter((element) => element.closest('[inert]') === null)
    .map((element) => element.outerHTML)
"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll('.wall *')]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''))
    .map((element) => parseFloat(getComputedStyle(element).fontSize))) / window.innerHeight
"""


@pytest.fixture
def site() -> dict[str, Any]:
    """A major hazard source of level 2, so that a second limit is orange; it has a place on the map."""
    tank_farm = {"id": "tankfarm", "name": "原料罐区", "hazard_level": 2, "position": [118.70, 36.90]}
    return site_of([{**tank_farm, "tags": [gas_tag("GT-101", "1# 泵")]}])


async def test_it_jumps_to_orange_and_stays_until_somebody_acknowledges(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address, size=(1920, 1080))
    await desk.page.evaluate(f"({QUICKER})()")
    await desk.page.evaluate("window.location.hash = '/wall'")
    await expect(desk.page.get_by_text("当前没有警情")).to_be_visible()
    assert await desk.page.locator(".wall").get_by_role("button").count() == 0
    await works.publish(**{"GT-101": 25.0})
    focus = desk.page.locator(".focus")
    await expect(focus).to_contain_text("橙色")
    await expect(focus).to_contain_text("测试厂 · 原料罐区")
    await expect(focus).to_contain_text("25.00 mg/m³")
    await expect(focus.locator(".live")).to_contain_text("好 · 读数")
    for width, height in SIZES:
        await desk.page.set_viewport_size({"width": width, "height": height})
        assert await desk.page.evaluate(SCROLLED) == []
        assert await desk.page.evaluate(SMALLEST) >= 1 / 45
    for alarm in await works.api.every("/alarms", active="true"):
        await works.api.post(f"/alarms/{alarm['id']}/acknowledge", {"name": "王芳", "comment": "已通知"})
    await expect(focus).to_have_count(0)
    await expect(desk.page.locator(".list li")).to_contain_text("原料罐区")
    assert await desk.page.evaluate(REACHED) == []  # what leads away from here cannot be clicked
    beside = desk.page.locator(".beside")
    await expect(beside.locator(".words li").first).to_contain_text("原料罐区")  # by turns: the map
    await expect(beside.locator(".mark")).to_contain_text(["原料罐区"])
    await expect(beside.locator(".words")).to_contain_text("气体泄漏，风向未知：各方向都可能受影响")
    for width, height in SIZES:
        await desk.page.set_viewport_size({"width": width, "height": height})
        await expect(beside.locator(".label")).to_have_count(1)
        assert await desk.page.evaluate(SCROLLED) == []
        await until(lambda: names_are_large(desk))  # once the map has been drawn anew
        assert await desk.page.evaluate(REACHED) == []
    await expect(desk.page.get_by_text("企业概况")).to_be_visible()
    await expect(desk.page.locator(".grid li")).to_contain_text(["测试厂"])


async def names_are_large(desk: Desk) -> bool:
    """All of the map's can be read from afar."""
    return min(await desk.page.evaluate(TINY), default=0.0) >= 1 / 35


async def test_it_tells_that_the_service_is_lost_and_comes_back_by_itself(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address, size=(1920, 1080))
    await desk.page.evaluate("window.location.hash = '/wall'")
    content = desk.page.locator(".content")
    await expect(content.get_by_text("当前没有警情")).to_be_visible()
    banner = desk.page.get_by_role("alert").filter(has_text="与服务的连接已中断")
    with works.frozen():
        await expect(banner).to_be_visible()
        await expect(banner).to_have_css("background-color", "rgb(179, 23, 13)")
        await expect(content).to_have_css("filter", "grayscale(1)")
        await expect(desk.page.get_by_text("当前没有警情")).to_have_count(0)
        await works.publish(**{"GT-101": 25.0})
    await expect(banner).to_have_count(0)
    await expect(desk.page.locator(".focus")).to_contain_text("橙色")
    await until(lambda: works.alarm("GT-101", "HH"))
