"""An enterprise as its safety officer sees it: from the table of all to its tags, gateways, refusals and days."""

import re
from typing import Any

import orjson
import pytest
from playwright.async_api import expect

from tests.browser.conftest import TANK_FARM
from tests.browser.desk import SIZES, Desk, Desks
from tests.browser.test_accessibility import AXE, violations
from tests.browser.works import GATEWAY, Works, gas_tag
from tests.running import site_of, until

pytestmark = pytest.mark.browser

SECTIONS = ("装置与位号", "网关", "拒收报文", "日在线率")


@pytest.fixture
def site() -> dict[str, Any]:
    """Works with two gateways, one of which is lost, and a quiet neighbour."""
    pumps = {"id": "pumps", "name": "泵房", "tags": [gas_tag("GT-201", "泵房硫化氢", gateway="gw2")]}
    farm = {**TANK_FARM, "tags": [{"gateway": "gw1", **tag} for tag in TANK_FARM["tags"]]}
    site = site_of([farm, pumps], gateways=[{"id": "gw1", "name": "罐区网关"}, {"id": "gw2", "name": "泵房网关"}])
    quiet = {"id": "quiet", "name": "安静厂", "region": "370783", "gateways": [], "units": []}
    site["enterprises"].append(quiet)
    return site


async def test_a_safety_officer_finds_what_is_wrong_with_the_enterprise(
    works: Works, desks: Desks, tmp_path: Any
) -> None:
    lost = GATEWAY.replace("gw1", "gw2")
    await works.send_to(f"{lost}/status", orjson.dumps({"online": True, "session": "s-7"}))
    await works.send_to(f"{lost}/data", works.payload(**{"GT-201": 1.0}))
    await works.send_to(f"{lost}/status", orjson.dumps({"online": False}))
    await works.publish(**{"GT-101": 25.0, "GT-103": 1.0, "FI-101": 3.0, "GT-UNKNOWN": 1.0})
    await works.send(b"{not json <b>bold</b>")
    await until(lambda: works.alarm("GT-101", "HH"))
    await until(lambda: works.alarm("@gw2", "LINK"))
    desk = await desks.open(works.address)
    page = desk.page
    await page.evaluate(AXE(encoding="utf-8"))

    # All enterprises: the gravest on top, and the other way about by a press of the column's head.
    await desk.turn_to("/enterprises")
    rows = page.locator("tbody tr")
    await expect(rows.first).to_contain_text("测试厂")
    await expect(rows.first).to_contain_text("1 / 2")
    await expect(rows.first).to_contain_text("1 / 5")
    await expect(rows.first.locator(".badge")).to_be_visible()
    assert await violations(desk, "all") == []
    await page.screenshot(path=tmp_path / "all-zh.png")
    await desk.button("最高等级").click()
    await expect(rows.last).to_contain_text("测试厂")
    await page.get_by_role("searchbox", name="按名称或辖区查找").fill("安静")
    await expect(rows).to_have_count(1)
    await desk.button("未配置限值的位号").click()
    await page.get_by_role("searchbox").fill("测试")
    await page.get_by_role("link", name="测试厂").click()

    # Its tags: found by name, and by what is wrong with them.
    await expect(page.get_by_role("heading", name="测试厂", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name=re.compile("^警情 #"))).to_have_count(2)
    await expect(desk.tag("GT-101").locator(".status")).to_have_text("报警")
    await expect(desk.tag("FI-101")).to_contain_text("未配置限值")
    choose = page.get_by_label("筛选位号")
    await choose.select_option("no_limits")
    await expect(page.locator("button.row")).to_have_count(1)
    await page.get_by_role("searchbox").fill("硫化氢")
    await expect(page.get_by_text("没有符合条件的位号")).to_be_visible()
    await desk.button("清除筛选").click()
    await expect(page.locator("button.row")).to_have_count(5)
    await choose.select_option("alarm")
    await expect(page.locator("button.row")).to_have_count(1)
    await desk.tag("GT-101").click()
    await expect(page.get_by_role("link", name="放大查看")).to_be_visible()
    await page.get_by_role("link", name=re.compile("^泵房")).click()
    await expect(desk.tag("GT-201")).to_be_visible()

    # Its gateways, and from what one of them had refused to the payload.
    await page.get_by_role("link", name="网关", exact=True).click()
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("离线")
    await expect(rows.nth(1)).to_contain_text("s-7")
    await expect(rows.nth(0)).to_contain_text("正常")
    await expect(rows.nth(0)).to_contain_text(re.compile(r"\d\.\d / \d\.\d"))
    assert await violations(desk, "gateways") == []
    await rows.nth(0).get_by_role("link", name="2", exact=True).click()
    items = page.locator("details")
    await expect(items).to_have_count(2)
    await page.get_by_label("原因", exact=True).select_option("unreadable")
    await expect(items).to_have_count(1)
    await page.locator("summary").click()
    await expect(page.locator("pre")).to_have_text("{not json <b>bold</b>")
    await desk.button("复制报文").click()
    await expect(page.get_by_text(re.compile("已复制|已选中"))).to_be_visible()
    assert await violations(desk, "refused") == []
    await page.get_by_label("网关", exact=True).select_option("gw2")
    await expect(page.get_by_text("没有符合条件的拒收报文")).to_be_visible()

    # The days: the lost gateway is below the target, what was before the journal is not known.
    await page.get_by_role("link", name="日在线率", exact=True).click()
    await expect(rows).to_have_count(30)
    await expect(rows.first).to_contain_text("泵房网关")
    await expect(rows.last).to_contain_text("不知道")
    assert await violations(desk, "days") == []
    await fits(desk, tmp_path)
    await page.goto(f"{works.address}#/enterprises/nobody")
    await expect(page.get_by_text("没有这家企业")).to_be_visible()
    await page.get_by_role("link", name="全部企业").click()
    await expect(rows).to_have_count(3)


async def fits(desk: Desk, folder: Any) -> None:
    """Every section in both sizes, languages and themes."""
    page = desk.page
    for theme, language in (("dark", "zh-CN"), ("light", "en")):
        await page.evaluate(
            "kept => { Object.assign(localStorage, kept); }", {"anshao.theme": theme, "anshao.language": language}
        )
        await page.reload()
        await page.evaluate(AXE(encoding="utf-8"))
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            for number in range(len(SECTIONS)):
                await page.locator(".sections a").nth(number).click()
                await desk.settled()
                if number == 2:
                    await page.locator("summary").first.click()
                await page.screenshot(path=folder / f"{number}-{size}-{language}.png")
                assert await desk.too_wide() == [], (number, size, language)
                if theme == "light":
                    assert await violations(desk, f"{number} {size} {theme}") == []
    await page.evaluate(
        "kept => { Object.assign(localStorage, kept); }", {"anshao.theme": "dark", "anshao.language": "zh-CN"}
    )
    await page.reload()
