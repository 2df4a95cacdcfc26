"""The watch by keyboard, its filter and views, the help, and the same watch under a thumb."""

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desk, Desks
from tests.browser.works import Works
from tests.running import until

pytestmark = pytest.mark.browser

PHONE = (390, 844)
CUT = """rows => rows.flatMap(row => [...row.querySelectorAll('.place .ellipsis, .state .ellipsis')])
    .filter(({scrollWidth, clientWidth}) => scrollWidth > clientWidth).map(({textContent}) => textContent)"""
"""Words of a row that are not shown in full."""
SMALL = """() => [...document.querySelectorAll('button, select, .card, .more li')]
    .filter((element) => element.checkVisibility())
    .map((element) => [element.innerText, element.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 43.5 || height < 43.5)
    .map(([text, { width, height }]) => `${text} ${width}x${height}`)"""


async def test_the_watch_is_kept_by_keyboard_and_by_thumb(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 12.5, "GT-103": 12.5})
    desk = await desks.open(works.address)
    press, cursor = desk.page.keyboard.press, desk.page.locator(".cursor")
    await expect(desk.rows).to_have_count(2)

    # Going holds the rows; what is new waits behind its marker.
    await press("ArrowDown")
    await expect(cursor).to_be_focused()
    await press("ArrowDown")
    second = await cursor.get_attribute("data-line")
    await works.publish(**{"GT-105": 25.0})
    marker = desk.page.get_by_role("button", name="条新报警")
    await expect(marker).to_contain_text("2 条新报警")
    await expect(desk.rows).to_have_count(2)
    await press("n")
    await expect(desk.rows).to_have_count(4)
    await expect(cursor).to_have_attribute("data-line", str(second))

    # One, a unit, and signing without the mouse.
    await press("x")
    await expect(desk.page.get_by_text("已选 1 条")).to_be_visible()
    await press("u")
    await expect(desk.page.get_by_text("已选 4 条")).to_be_visible()
    await press("Escape")
    await expect(desk.page.get_by_text("已选")).to_have_count(0)
    await press("a")
    await desk.sign("王强", "")
    await expect(desk.page.get_by_role("dialog")).to_have_count(0)

    async def acknowledged() -> bool:
        return len(await works.entries("alarm.acknowledged")) == 1

    await until(acknowledged)

    # The help says which keys there are, and keeps the focus until it is left.
    await press("?")
    help_ = desk.page.get_by_role("dialog")
    await expect(help_).to_contain_text("选中同一装置未确认的全部报警")
    await press("a")
    await expect(desk.page.get_by_role("dialog")).to_have_count(1)
    await press("Escape")
    await expect(help_).to_have_count(0)

    await filters(desk)
    await phone(works, desks)


async def filters(desk: Desk) -> None:
    """A filter is told, kept under a name and in the address, and says what it hides."""
    press = desk.page.keyboard.press
    await press("/")
    await expect(desk.page.get_by_role("combobox", name="状态")).to_be_focused()
    await desk.page.get_by_role("combobox", name="状态").select_option("acknowledged")
    await expect(desk.rows).to_have_count(1)
    await expect(desk.page.get_by_text("筛选之外还有 3 条报警，未确认 3 条")).to_be_visible()
    await press("Escape")
    await press("v")
    await desk.page.get_by_label("视图名称").fill("已确认的")
    await press("Enter")
    await press("Escape")
    chosen = desk.page.get_by_role("button", name="视图 已确认的")
    await expect(chosen).to_be_focused()
    assert desk.page.url.endswith("#/?state=acknowledged")
    await desk.page.reload()
    await expect(desk.rows).to_have_count(1)
    await expect(chosen).to_be_visible()
    await press("0")
    await expect(desk.rows).to_have_count(4)
    await expect(desk.page.get_by_role("button", name="视图 全部报警")).to_be_visible()


async def phone(works: Works, desks: Desks) -> None:
    """An alarm and its incident are acknowledged on a telephone."""
    desk = await desks.open(works.address, size=PHONE, has_touch=True)
    await expect(desk.rows.first).to_be_visible()
    assert await desk.too_wide() == []
    assert await desk.page.evaluate(SMALL) == []
    assert await desk.rows.evaluate_all(CUT) == []
    await desk.button("菜单").tap()
    await expect(desk.page.get_by_role("link", name="台账", exact=True)).to_be_visible()
    assert await desk.too_wide() == []
    assert await desk.page.evaluate(SMALL) == []
    await desk.page.keyboard.press("Escape")
    await desk.button("确认", desk.row("GT-105", "HH")).tap()
    dialog = desk.page.get_by_role("dialog")
    await dialog.get_by_label("姓名", exact=True).fill("李敏")
    assert await desk.page.evaluate(SMALL) == []
    await dialog.locator("button.primary").tap()
    await expect(desk.row("GT-105", "HH").locator(".state")).to_contain_text("已确认")

    await desk.page.locator(".card").first.tap()
    await expect(desk.button("值班席确认")).to_be_visible()
    assert await desk.too_wide() == []
    await desk.button("值班席确认").tap()
    await dialog.locator("button.primary").tap()
    await expect(dialog).to_have_count(0)
    await expect(desk.button("值班席确认")).to_have_count(0)
