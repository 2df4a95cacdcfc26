"""The workbench's reports in a real browser: single files that draw, zoom, speak two languages and load nothing."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Request, expect
from typer.testing import CliRunner

from service.cli.app import app
from tests import tuning_case
from tests.browser.desk import REPORT, SIZES

pytestmark = pytest.mark.browser

SWEEP = ["--setpoint", "70:90:5", "--deadband", "0,2", "--on-delay", "0s,15s"]
TITLES = {
    "backtest": ("回测报告", "Backtest"),
    "compare": ("规则对比报告", "Comparison of two rule sets"),
    "sweep": ("参数扫描报告", "Sweep"),
    "suggest": ("改进建议报告", "Suggestions"),
}
INK = """() => [...document.querySelectorAll('.plot canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) colours.add(data.slice(at, at + 3).join());
    return colours.size;
})"""
"""Of each plot: how many colours are drawn."""
LABELS = """() => {
    window.labels = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
        window.labels.push(text);
        fillText.call(this, text, ...place);
    };
}"""
"""Notes what is written on canvases from now on."""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All four, made by the commands."""
    folder = tmp_path_factory.mktemp("reports")
    case = tuning_case.make(folder)
    old, new, data = str(case.old), str(case.new), str(case.data)
    commands = {
        "backtest": ["backtest", old, data],
        "compare": ["compare", old, new, data],
        "sweep": ["sweep", old, data, "LI-101/H", *SWEEP],
        "suggest": ["suggest", old, data],
    }
    made = {}
    for name, command in commands.items():
        made[name] = folder / f"{name}.html"
        told = CliRunner().invoke(app, [*command, "--out", str(made[name])], catch_exceptions=False)
        assert told.exit_code == 0, told.output
    return made


@dataclass
class Reader:
    """Opens reports, and watches what no page may ever do."""

    browser: Browser
    faults: list[str] = field(default_factory=list)

    async def open(self, path: Path, size: str = "1366x768", **options: Any) -> Page:
        width, height = SIZES[size]
        viewport = {"width": width, "height": height}
        context = await self.browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        await context.add_init_script(REPORT)
        page = await context.new_page()
        page.on("console", lambda said: self.faults.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._request)
        self.file = path.as_uri()
        await page.goto(self.file)
        await page.locator(".plot canvas").first.wait_for()
        return page

    def _request(self, request: Request) -> None:
        if request.url != self.file:
            self.faults.append(f"asked for {request.url}")


@pytest.fixture
async def reader(browser: Browser) -> AsyncIterator[Reader]:
    reader = Reader(browser)
    yield reader
    for context in browser.contexts:
        await context.close()
    assert not reader.faults, "\n".join(reader.faults)


async def see_all(page: Page) -> None:
    """Scroll through the page: plots are drawn when they come near."""
    plots = page.locator(".plot")
    for number in range(await plots.count()):
        await plots.nth(number).scroll_into_view_if_needed()
        await plots.nth(number).locator("canvas").wait_for()


@pytest.mark.parametrize("name", TITLES)
async def test_a_report_draws_in_both_languages_and_both_themes(
    reader: Reader, reports: dict[str, Path], name: str
) -> None:
    page = await reader.open(reports[name], color_scheme="light")
    await see_all(page)
    heading = page.locator("header h1")
    await expect(heading).to_contain_text(TITLES[name][0])
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert min(await page.evaluate(INK)) > 3
    assert await page.evaluate(WIDER) <= 0
    chinese = await page.locator("body").inner_text()
    assert re.search(r"[\u4e00-\u9fff]", chinese)

    await page.locator("#language").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(heading).to_contain_text(TITLES[name][1])
    own = page.locator(":is(h2, th, dt, figcaption button, .tile > span, header button):visible")
    assert [text for text in await own.all_inner_texts() if re.search(r"[\u4e00-\u9fff]", text)] == ["中文"]
    await page.locator("#theme").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert min(await page.evaluate(INK)) > 3


async def test_a_wide_screen_is_filled_and_nothing_sticks_out(reader: Reader, reports: dict[str, Path]) -> None:
    for name, path in reports.items():
        page = await reader.open(path, "1920x1080", color_scheme="dark")
        await see_all(page)
        assert await page.evaluate(WIDER) <= 0, name
        widths = await page.locator(".plot").evaluate_all("all => all.map((one) => one.clientWidth)")
        drawn = await page.locator(".plot .uplot").evaluate_all("all => all.map((one) => one.clientWidth)")
        assert drawn == widths


async def shown_span(page: Page) -> tuple[str, str]:
    """The first and the last label of the tip that follows the cursor over the first trend."""
    over = page.locator(".plot").first.locator(".u-over")
    box = await over.bounding_box()
    assert box is not None
    stamps = []
    for share in (0.002, 0.998):
        await page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        stamps.append((await page.locator(".plot").first.locator(".tip").inner_text()).splitlines()[0])
    return stamps[0], stamps[1]


async def test_a_trend_is_zoomed_by_dragging_and_by_a_row_of_a_table(reader: Reader, reports: dict[str, Path]) -> None:
    page = await reader.open(reports["compare"])
    plot = page.locator(".plot").first
    await plot.scroll_into_view_if_needed()
    whole = await shown_span(page)
    box = await plot.locator(".u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    await page.mouse.up()
    zoomed = await shown_span(page)
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    await plot.locator(".u-over").dblclick()
    assert await shown_span(page) == whole

    row = page.locator("tr[data-plot='0']").filter(has_text="消失").first
    await row.click()
    await expect(page.locator("figure.shown")).to_have_count(1)
    await page.wait_for_timeout(600)  # the page scrolls smoothly
    near = await shown_span(page)
    assert near[0] < near[1] < whole[1]
    await page.locator("[data-whole='0']").click()
    assert await shown_span(page) == whole


async def test_the_trade_off_tells_of_the_point_under_the_cursor(reader: Reader, reports: dict[str, Path]) -> None:
    page = await reader.open(reports["sweep"])
    over = page.locator(".plot").first.locator(".u-over")
    box = await over.bounding_box()
    assert box is not None
    told = set()
    for across in range(0, 100, 2):
        await page.mouse.move(box["x"] + box["width"] * across / 100, box["y"] + box["height"] * 0.97)
        tip = page.locator(".plot").first.locator(".tip")
        if await tip.is_visible():
            told.add((await tip.inner_text()).splitlines()[0])
    assert any(re.match(r"setpoint \d", line) for line in told)
    heads = page.locator("th[data-sort]")
    column = heads.filter(has_text="报警 / 天")
    await column.click()
    cells = page.locator("table").last.locator("tbody tr td:nth-child(8)")
    values = [float(value) for value in await cells.evaluate_all("all => all.map((one) => one.dataset.value)")]
    assert values == sorted(values, reverse=True)


async def test_counts_of_the_trade_off_begin_at_zero(reader: Reader, reports: dict[str, Path]) -> None:
    page = await reader.open(reports["sweep"])
    await page.evaluate(LABELS)
    await page.locator("#theme").click()  # draws anew
    await page.wait_for_function("window.labels.includes('10')")
    labels = await page.evaluate("window.labels")
    assert "0" in labels
    assert [label for label in labels if re.match(r"[-−]", label)] == []


def test_a_report_is_one_file_of_reasonable_size(reports: dict[str, Path]) -> None:
    for path in reports.values():
        text = path.read_text(encoding="utf-8")
        assert len(text) < 2_000_000
        assert "MIT License" in text
        assert not re.search(r"<(?:img|link|iframe)\b|@import", text)
