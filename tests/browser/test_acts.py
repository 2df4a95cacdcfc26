"""From a reading to a closed incident, on the page and by keyboard, with a second desk looking on."""

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desks
from tests.browser.works import Works
from tests.running import until

pytestmark = pytest.mark.browser


async def test_an_alarm_is_seen_acknowledged_and_its_incident_closed(works: Works, desks: Desks) -> None:
    desk, second = await desks.open(works.address), await desks.open(works.address)
    await expect(desk.page.get_by_text("当前没有报警")).to_be_visible()
    await expect(second.page.get_by_text("当前没有报警")).to_be_visible()
    await expect(desk.page.get_by_text("没有报警不等于正常")).to_be_visible()  # nothing was heard of the gateway yet
    await works.publish(**{"FI-101": 33.0})
    await expect(desk.page.get_by_text("所有报警条件均未成立，链路正常，网关全部在线。")).to_be_visible()
    await desk.page.evaluate("window.sameDocument = true")

    await works.publish(**{"GT-101": 12.5})
    for one in (desk, second):
        row = one.row("GT-101", "H 高限")
        await expect(row).to_contain_text("1# 罐泵区硫化氢")
        await expect(row).to_contain_text("≥ 10 mg/m³")
        await expect(row).to_contain_text("触发值 12.50 mg/m³")
        await expect(row.locator(".state")).to_contain_text("未确认")
        await expect(row.locator(".grade")).to_have_text("蓝")

    button = desk.button("确认", desk.row("GT-101"))
    await desk.tab_to(button)
    await desk.page.keyboard.press("Enter")
    await desk.sign("王强", "已电话通知罐区值班")
    for one in (desk, second):
        state = one.row("GT-101").locator(".state")
        await expect(state).to_contain_text("已确认")
        await expect(state).to_contain_text("王强")
        await expect(one.button("确认", one.row("GT-101"))).to_have_count(0)
    alarm = await works.alarm("GT-101", "H")
    assert alarm is not None
    assert (alarm["state"], alarm["acknowledged_by"], alarm["comment"]) == (
        "acknowledged",
        "王强",
        "已电话通知罐区值班",
    )
    (entry,) = await works.entries("alarm.acknowledged")
    assert (entry["alarm"], entry["data"]["name"]) == (alarm["id"], "王强")

    await desk.row("GT-101").get_by_role("link", name="GT-101").click()
    await expect(desk.page.get_by_role("heading", name="测试厂 · 原料罐区")).to_be_visible()
    close = desk.button("关闭警情")
    await expect(desk.page.get_by_text("1 条报警仍在报")).to_be_visible()
    await expect(close).to_have_count(0)

    await works.publish(**{"GT-101": 1.0})
    await expect(desk.row("GT-101").locator(".state")).to_contain_text("已恢复正常")
    await expect(second.page.get_by_text("当前没有报警")).to_be_visible()
    await close.click()
    await works.publish(**{"GT-105": 15.0})  # while the officer writes
    await expect(second.row("GT-105")).to_be_visible()
    await desk.sign("王强", "泄漏已堵")
    refusal = desk.page.get_by_role("dialog").get_by_role("alert")
    await expect(refusal).to_contain_text("还有报警在报、未确认或未复位")
    await refusal.get_by_text("服务的原文（英文）").click()
    await expect(refusal.get_by_text("GT-105 H")).to_be_visible()
    (incident,) = (await works.api.get("/incidents", state="open"))["items"]
    await desk.page.keyboard.press("Escape")
    await expect(desk.page.get_by_role("dialog")).to_have_count(0)

    await works.publish(**{"GT-105": 1.0})
    await desk.button("确认", desk.row("GT-105")).click()
    await desk.sign("王强", "同一处")
    await close.click()
    await desk.sign("王强", "泄漏已堵")
    await expect(desk.page.get_by_text("由 王强 关闭：泄漏已堵")).to_be_visible()
    await expect(second.page.get_by_text("当前没有警情")).to_be_visible()
    closed = await works.api.get(f"/incidents/{incident['id']}")
    assert (closed["state"], closed["closed_by"], closed["close_comment"]) == ("closed", "王强", "泄漏已堵")
    assert await desk.page.evaluate("window.sameDocument") is True


async def test_a_latched_alarm_stays_until_it_is_reset(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await works.publish(**{"GT-103": 25.0})
    row = desk.row("GT-103", "HH 高高限")
    await expect(row.locator(".state")).to_contain_text("未确认")
    await works.publish(**{"GT-103": 1.0})
    await expect(row.locator(".state")).to_contain_text("锁存 · 未确认")
    await desk.button("确认", row).click()
    await desk.sign("李敏", "")
    await expect(row.locator(".state")).to_contain_text("锁存 · 已确认")

    await row.get_by_role("link", name="GT-103").click()
    await expect(desk.page.get_by_text("2 条报警已恢复，待确认或复位")).to_be_visible()
    await desk.page.go_back()
    await desk.button("复位", row).click()
    await desk.sign("李敏", "现场已复核")

    async def reset() -> bool:
        alarm = await works.alarm("GT-103", "HH")
        return alarm is not None and alarm["state"] == "normal"

    await until(reset)
    (entry,) = await works.entries("alarm.reset", "GT-103")
    assert (entry["data"]["name"], entry["data"]["comment"]) == ("李敏", "现场已复核")
    await desk.page.mouse.move(0, 0)
    await expect(row).to_have_count(0)
