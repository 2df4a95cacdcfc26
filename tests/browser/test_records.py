"""Journal, search and key figures: what happened is found again, and led from to where it belongs."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.browser.desk import Desk, Desks
from tests.browser.works import Works
from tests.running import until

pytestmark = pytest.mark.browser


def entries(desk: Desk) -> Locator:
    """Lines of the journal."""
    return desk.page.locator("tbody tr")


async def test_what_happened_is_found_by_word_person_and_time_and_counted(
    works: Works, desks: Desks, tmp_path: Path
) -> None:
    await works.publish(**{"GT-101": 25.0, "GT-103": 25.0})
    alarm = await until(lambda: works.alarm("GT-101", "HH"))
    await works.api.post(f"/alarms/{alarm['id']}/acknowledge", {"name": "王芳", "comment": "=已派人 100%"})
    desk = await desks.open(works.address)
    page = desk.page

    # The journal: by a word that stands only in the unit's name, then by person; chips are taken away again.
    await desk.turn_to("/journal")
    await page.keyboard.press("/")
    await expect(page.get_by_label("查找词")).to_be_focused()
    await page.keyboard.type("罐区")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("text="))
    await expect(entries(desk).filter(has_text="GT-101").first).to_contain_text("原料罐区")
    await page.get_by_label("操作人", exact=True).fill("王")
    await desk.button("查找").click()
    await expect(entries(desk)).to_have_count(1)
    await expect(entries(desk)).to_contain_text("王芳")
    await expect(entries(desk)).to_contain_text("=已派人 100%")
    await expect(page.get_by_text("已全部查完")).to_be_visible()
    async with page.expect_download() as saved:
        await desk.button("导出 CSV").click()
    file = tmp_path / "journal.csv"
    await (await saved.value).save_as(file)
    told = file.read_text("utf-8")
    assert told.startswith("\ufeff序号,")
    assert "王芳" in told
    assert "\n=" not in told
    await page.get_by_title("去掉条件：操作人 王").click()
    await expect(entries(desk).nth(1)).to_be_visible()

    # An alarm's own history, reached by its link; a time in which nothing was.
    link = page.get_by_role("link", name=f"报警 #{alarm['id']}", exact=True)
    await link.first.click()
    await expect(page).to_have_url(re.compile(rf"journal\?alarm={alarm['id']}$"))
    await expect(entries(desk).filter(has_text="GT-103")).to_have_count(0)
    await page.evaluate("location.hash = '/journal?to=2001-01-01T00:00:00.000Z'")
    await expect(page.get_by_text("没有符合条件的记录")).to_be_visible()

    # The search leads on; wildcards are letters.
    await desk.turn_to("/search")
    box = page.get_by_role("searchbox")
    await expect(box).to_be_focused()
    await box.fill("gt-10")
    await expect(page.get_by_role("region", name="位号").get_by_role("link", name="GT-105")).to_be_visible()
    await expect(page.get_by_role("region", name="报警").locator("li").first).to_contain_text("GT-10")
    await box.fill("%")
    await expect(page.get_by_text("没有找到“%”")).to_be_visible()
    await box.fill("罐区")
    await page.get_by_role("region", name="警情").get_by_role("link").first.click()
    await expect(page).to_have_url(re.compile(rf"/incidents/{alarm['incident']}$"))

    # The figures: of less than thirty days, so worked out and not graded; of an enterprise too; as a report.
    await desk.turn_to("/kpi")
    await expect(page.get_by_text("不足 30 天，只计算，不评价")).to_be_visible()
    await expect(page.get_by_role("region", name="最频繁的十个报警")).to_contain_text("GT-101")
    await expect(page.locator("canvas")).to_be_visible()
    await page.get_by_label("范围").select_option("enterprise:works")
    await expect(page).to_have_url(re.compile("scope=enterprise&id=works"))
    async with page.expect_download() as report:
        await desk.button("下载报告").click()
    assert (await report.value).suggested_filename.startswith("kpi-works-")
    await page.evaluate("location.hash = '/kpi?from=2001-01-01&to=2001-01-02'")
    await expect(page.get_by_text("这段时间没有台账，无法计算")).to_be_visible()
