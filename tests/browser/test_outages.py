"""What a desk says when service, network or broker go away, and how it comes back by itself."""

import asyncio
import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.desk import Desk, Desks
from tests.browser.relay import relay_to
from tests.browser.works import Works
from tests.running import until

pytestmark = pytest.mark.browser


async def test_a_frozen_service_is_called_lost_and_nothing_on_the_page_looks_current(
    works: Works, desks: Desks
) -> None:
    watch, site = await desks.open(works.address), await desks.open(works.address)
    await works.publish(**{"GT-101": 12.5, "GT-105": 1.0})
    await expect(watch.row("GT-101").locator(".value")).to_contain_text("12.50")
    await site.turn_to("/enterprises/works/tankfarm")
    await expect(site.tag("GT-101").locator(".status")).to_have_text("报警")
    with works.frozen():
        for desk in (watch, site):
            await expect(banner(desk)).to_contain_text("与服务的连接已中断")
            await expect(banner(desk)).to_have_css("background-color", "rgb(179, 23, 13)")
            await expect(desk.page.locator("main")).to_have_css("filter", "grayscale(1)")
            await expect(desk.page).to_have_title("● 连接中断 · 安哨 · 高危场所报警服务")
        await expect(site.tag("GT-101").locator(".status")).to_have_text("未知")
        await expect(site.tag("GT-105").locator(".status")).to_have_text("未知")
        await expect(site.tag("GT-105").locator(".value")).to_have_class("number value dim")
        await expect(watch.row("GT-101").locator(".value")).to_contain_text("读数")  # and how old that is
        await works.publish(**{"GT-105": 25.0})
    for desk in (watch, site):
        await expect(banner(desk)).to_have_count(0)
        await expect(desk.page.get_by_role("status").filter(has_text="连接已恢复")).to_be_visible()
        await expect(desk.page.locator("main")).to_have_css("filter", "none")
    await expect(watch.row("GT-105", "HH 高高限")).to_be_visible()
    await expect(site.tag("GT-105").locator(".status")).to_have_text("报警")
    await expect(site.tag("GT-105").locator(".value")).to_contain_text("25.00")
    age = site.tag("GT-101").locator(".age")  # its reading was repeated, which makes it no younger
    assert re.fullmatch(r"([3-9]|[1-9]\d) 秒前|\d+ 分 .*", await age.inner_text())


async def test_a_page_outlives_the_crash_of_its_service_and_tells_what_it_missed(works: Works, desks: Desks) -> None:
    async with relay_to(works.service.port) as network:
        desk = await desks.open(f"http://127.0.0.1:{network.port}/")
        await works.publish(**{"GT-101": 12.5})
        await expect(desk.row("GT-101")).to_be_visible()
        await desk.page.evaluate("window.sameDocument = true")
        await network.cut()
        works.service.kill()
        await expect(banner(desk)).to_contain_text("与服务的连接已中断")
        await works.publish(**{"GT-101": 1.0, "GT-105": 25.0})
        works.service.start()
        await works.service.ready()
        await until(lambda: works.alarm("GT-105", "HH"))
        await network.mend()
        notice = desk.page.get_by_role("status")
        await expect(notice).to_contain_text("连接已恢复。中断期间：")
        await expect(notice).to_contain_text("新报警 2 条")
        await expect(notice).to_contain_text("最高等级 黄色")
        await expect(notice).to_contain_text("恢复 1 条")
        await expect(banner(desk)).to_have_count(0)
        await expect(desk.row("GT-105", "HH 高高限")).to_be_visible()
        await expect(desk.row("GT-101").locator(".state")).to_contain_text("已恢复 · 未确认")
        await desk.button("知道了").click()
        await expect(notice).to_have_count(0)
        await desk.button("确认", desk.row("GT-101")).click()
        await desk.sign("王强", "")
        await expect(desk.row("GT-101")).to_have_count(0)
        assert await desk.page.evaluate("window.sameDocument") is True
        await desk.page.context.close()
    alarm = await works.alarm("GT-101", "H")
    assert alarm is not None
    assert (alarm["state"], alarm["acknowledged_by"]) == ("normal", "王强")


async def test_a_lost_broker_shows_in_the_chain_and_as_an_alarm(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    link = desk.page.get_by_role("region", name="链路状态").locator(".link", has_text="消息服务器")
    await expect(link).to_have_text("消息服务器 正常")
    await asyncio.to_thread(works.broker.stop)
    await expect(link).to_contain_text("中断")
    row = desk.row("broker", "中断")
    await expect(row).to_contain_text("安哨")
    await expect(row.locator(".state")).to_contain_text("未确认")
    await asyncio.to_thread(works.broker.start)
    await expect(link).to_have_text("消息服务器 正常")
    await expect(row.locator(".state")).to_contain_text("已恢复 · 未确认")


def banner(desk: Desk) -> Locator:
    """That the service is lost."""
    return desk.page.get_by_role("alert")
