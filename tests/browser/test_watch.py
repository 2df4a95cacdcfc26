"""The watch by keyboard, its filter and views, the help, the same under a thumb, and hundreds of alarms that move."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import TANK_FARM
from tests.browser.desk import Desk, Desks
from tests.browser.works import Works, gas_tag
from tests.running import site_of, until

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


MANY = [f"LT-{number:03}" for number in range(240)]
DOCKS = ["dock1", "dock2", "dock3"]
DRAWN = """() => {
    const box = document.querySelector('.rows').getBoundingClientRect();
    return [...document.querySelectorAll('.rows .one')].map((one) => ({
        top: Math.round(one.getBoundingClientRect().top),
        line: one.firstElementChild.dataset.line,
        tag: one.querySelector('.place b')?.innerText ?? '',
        named: one.querySelector('input')?.ariaLabel ?? '',
        checked: one.querySelector('input')?.checked ?? false,
    })).filter(({ top }) => top > box.top - 50 && top < box.bottom);
}"""
UNDER = "([x, y]) => document.elementFromPoint(x, y)?.closest('[data-line]')?.dataset.line"
ROW = 50
TOP = "document.querySelector('.rows').scrollTop"
SCROLL = "top => { document.querySelector('.rows').scrollTop = top; }"


class TestHundredsOfAlarms:
    """Elements of rows that left the view are used for rows that come."""

    @pytest.fixture
    def site(self) -> dict[str, Any]:
        """A tank farm with many detectors, and docks that are quiet at first."""
        many = {**TANK_FARM, "tags": [gas_tag(tag, "罐区硫化氢") for tag in MANY]}
        docks = [{**TANK_FARM, "id": dock, "name": dock, "tags": [gas_tag(dock, "装卸臂硫化氢")]} for dock in DOCKS]
        return site_of([many, *docks])

    async def test_every_act_is_of_the_row_that_was_meant(self, works: Works, desks: Desks) -> None:
        await works.publish(**dict.fromkeys(MANY, 12.5))
        desk = await desks.open(works.address)
        page, press = desk.page, desk.page.keyboard.press
        cursor, chosen = page.locator(".cursor"), page.locator(".selection b")
        await expect(page.locator(".rows .line, .rows .alarm-line").first).to_contain_text("240")
        await press("Home")
        await press("ArrowRight")  # the flood is one line until it is opened
        await expect(desk.rows.nth(5)).to_be_visible()

        # A box that is chosen belongs to its alarm, wherever its elements went.
        await press("ArrowDown")
        await press("x")
        marked = await cursor.get_attribute("data-line")
        for top in (3_000, 3_010, 9_000, 400, 11_000, 0):
            await page.evaluate(SCROLL, top)
            await self.settled(desk, {marked})
        await expect(chosen).to_have_text("已选 1 条")

        # What was pressed on one alarm is not clicked on another that has its elements by then.
        for top in range(500, 1_000, 50):
            await page.evaluate(SCROLL, 0)
            third = page.locator(".rows .one").nth(3).get_by_role("checkbox")
            await expect(third).to_be_visible()
            spot = await third.bounding_box()
            assert spot is not None
            await page.mouse.move(spot["x"] + 7, spot["y"] + 7)
            await page.mouse.down()
            await page.evaluate(SCROLL, top)
            await page.evaluate("() => new Promise(requestAnimationFrame)")
            await page.mouse.up()
            await expect(chosen).to_have_text("已选 1 条")

        # Keys act on the row that has the focus, be it by a click, and never on one out of sight.
        await page.evaluate(SCROLL, 2_000)
        await self.settled(desk, {marked})
        clicked = page.locator(".rows .one").nth(9)
        await clicked.locator(".value").click()
        line = await clicked.locator("[data-line]").get_attribute("data-line")
        await expect(cursor).to_have_attribute("data-line", str(line))
        await press("Escape")
        await press("a")
        await expect(page.get_by_role("dialog")).to_contain_text(await clicked.locator(".place b").inner_text())
        await press("Escape")
        await expect(cursor).to_be_focused()
        await page.mouse.wheel(0, 4_000)
        await expect(cursor).to_have_count(0)
        await expect(page.locator(":focus")).to_have_count(0)
        await press("x")
        await expect(cursor).to_be_focused()
        await expect(cursor).to_have_attribute("data-line", str(line))
        await self.settled(desk, {line})
        await press("Escape")

        # Who acknowledges one goes on from there: the list does not follow it to those that are acknowledged.
        top = await page.evaluate(TOP)
        await press("a")
        await desk.sign("王强", "")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(cursor).to_be_focused()
        await expect(cursor).to_be_in_viewport()
        assert abs(await page.evaluate(TOP) - top) <= ROW

        await self.alarms_come(works, desk)

    async def alarms_come(self, works: Works, desk: Desk) -> None:
        """Neither rows nor what stands above them move under the cursor; it is let go by leaving."""
        page = desk.page
        await page.evaluate(SCROLL, 0)
        await self.settled(desk, set())
        spot = await page.locator(".rows .one").nth(4).bounding_box()
        assert spot is not None
        point = [spot["x"] + 300, spot["y"] + 20]
        await page.mouse.move(point[0] - 9, point[1])
        await page.mouse.move(*point)
        under = await page.evaluate(UNDER, point)
        await works.publish(**dict.fromkeys(DOCKS, 25.0))
        await expect(page.get_by_role("button", name="条新报警")).to_contain_text("6 条新报警")
        await expect(page.get_by_role("button", name="起新警情")).to_contain_text("3 起新警情")
        assert await page.evaluate(UNDER, point) == under
        await expect(page.locator(".card")).to_have_count(1)
        await desk.page.mouse.move(2, 2)
        await expect(page.locator(".card")).to_have_count(4)
        await expect(page.get_by_role("button", name="新报警")).to_have_count(0)

    async def settled(self, desk: Desk, checked: set[str | None]) -> None:
        """What is drawn: each row once, in the order of the page, and those chosen are the ones that were."""
        rows: list[dict[str, Any]] = []

        async def in_order() -> bool:
            rows[:] = await desk.page.evaluate(DRAWN)
            return len(rows) > 5 and rows == sorted(rows, key=lambda row: row["top"])

        await until(in_order)
        assert len({row["line"] for row in rows}) == len(rows)
        assert all(row["tag"] in row["named"] for row in rows if row["named"])
        assert {row["line"] for row in rows if row["checked"]} <= checked
