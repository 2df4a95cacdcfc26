"""Somebody opens the console for the first time: with nothing, with a wrong token, and from an English browser."""

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desks
from tests.browser.works import Works
from tests.running import TOKEN

pytestmark = pytest.mark.browser


async def test_who_it_is_is_asked_and_chinese_is_spoken_until_english_is_chosen(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 12.5})
    first = await desks.open(works.address, token=None)
    await expect(first.page.get_by_role("heading", name="登录", exact=True)).to_be_visible()
    await expect(first.page.get_by_role("alert")).to_have_count(0)
    await expect(first.page.get_by_label("账号", exact=True)).to_be_focused()
    await expect(first.page.get_by_label("访问令牌", exact=True)).to_be_hidden()

    desk = await desks.open(works.address, token="wrong")
    await expect(desk.page.get_by_role("alert")).to_have_text("令牌未被服务接受，可能已更换或被撤销。")
    await expect(desk.page.get_by_role("heading", name="登录", exact=True)).to_be_visible()
    await expect(desk.page.get_by_text("GT-101")).to_have_count(0)
    assert "wrong" not in desk.page.url
    field = desk.page.get_by_label("访问令牌", exact=True)
    await field.fill("令牌")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.get_by_role("alert").last).to_contain_text("不允许的字符")
    await field.fill(TOKEN)
    await desk.page.keyboard.press("Enter")
    await expect(desk.row("GT-101")).to_be_visible()
    await desk.page.reload()
    await expect(desk.row("GT-101")).to_be_visible()
    assert TOKEN not in await desk.page.evaluate("JSON.stringify({ ...localStorage }) + document.cookie + location")

    html, menu = desk.page.locator("html"), desk.page.get_by_role("navigation").first
    assert await desk.page.evaluate("navigator.language") == "en-US"
    await expect(html).to_have_attribute("lang", "zh-CN")
    await expect(menu).to_contain_text("值守")
    await desk.button("English").click()
    await expect(html).to_have_attribute("lang", "en")
    await desk.page.reload()
    await expect(html).to_have_attribute("lang", "en")
    await expect(menu).to_contain_text("Watch")
    await desk.button("中文").click()
    await desk.page.reload()
    await expect(html).to_have_attribute("lang", "zh-CN")
    await expect(menu).to_contain_text("值守")
