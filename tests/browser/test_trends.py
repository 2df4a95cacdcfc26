"""The page of trends: any tags together, live and back in time, and what is exported of them."""

import csv
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Browser, expect

from tests import servers
from tests.browser.desk import Desk, Desks
from tests.browser.history import DAY, PERIOD, fill
from tests.browser.works import Works, gas_tag, main
from tests.running import Service, api_of, site_of

pytestmark = pytest.mark.browser

SPIKE = 88.25
"""A single reading of the week, mg/m³."""
HOSTILE = "<img src=x onerror=alert(1)>"
DRAWN = """() => {
    const canvas = document.querySelector('main canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
}"""


@pytest.fixture
def site() -> dict[str, Any]:
    """Two detectors, a temperature and a tag whose description comes from a stranger."""
    return site_of(
        [
            {
                "id": "tankfarm",
                "name": "原料罐区",
                "tags": [
                    gas_tag("GT-101", "1# 罐泵区硫化氢", period="10s"),
                    gas_tag("GT-102", HOSTILE),
                    {"tag": "TI-7", "measurand": "temperature", "engineering_unit": "degC", "description": "釜温"},
                ],
            }
        ]
    )


@pytest.fixture
async def works(broker: servers.Broker, tmp_path: Path, site: dict[str, Any], browser: Browser) -> AsyncIterator[Works]:
    """The site, served, with a quiet week of GT-101 but for one reading."""
    del browser
    values = np.full(7 * DAY // PERIOD, 4.5)
    values[len(values) // 3] = SPIKE
    service = Service.configured(tmp_path / "served", main(broker), site)
    await fill(service.folder / "data", "works/GT-101", values)
    service.start()
    try:
        await service.ready()
        async with api_of(service.url) as api:
            yield Works(service, broker, api)
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


async def test_tags_are_found_laid_over_each_other_and_kept_in_the_address(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await works.publish(**{"GT-102": 25.0, "TI-7": 41.5})
    await desk.turn_to("/trends")
    await expect(desk.page.get_by_text("还没有选位号")).to_be_visible()
    search = desk.page.get_by_role("searchbox")
    await expect(search).to_be_focused()
    for words in ("罐泵区 硫化氢", "img", "°C"):
        await search.fill(words)
        await expect(desk.page.locator(".hits li")).to_have_count(1)
        await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator(".legend tbody tr")).to_have_count(3)
    await desk.page.keyboard.press("Escape")
    await expect(search).to_have_count(0)
    await expect(legend(desk, "TI-7")).to_contain_text("41.50 °C")
    await expect(legend(desk, "GT-102")).to_contain_text(HOSTILE)
    assert await desk.page.evaluate(DRAWN)
    assert "tag=works/GT-101&tag=works/GT-102&tag=works/TI-7&span=1h" in desk.page.url
    await works.publish(**{"TI-7": 42.5})
    await expect(legend(desk, "TI-7")).to_contain_text("42.50 °C")
    await desk.page.reload()
    await expect(desk.page.locator(".legend tbody tr")).to_have_count(3)
    await desk.button("移除 works/GT-101").click()
    await expect(desk.page.locator(".legend tbody tr")).to_have_count(2)
    with works.frozen():
        await expect(desk.page.get_by_text("连接中断，曲线停在中断时刻")).to_be_visible()
    await expect(desk.page.get_by_text("连接中断，曲线停在中断时刻")).to_have_count(0)


async def test_a_spike_of_one_reading_is_seen_in_a_week_and_raw_when_zoomed_in(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await desk.page.set_viewport_size({"width": 3840, "height": 2160})  # enlarged, and the pointer is read rightly
    await desk.turn_to("/trends?tag=works/GT-101&span=7d")
    await expect(desk.page.get_by_text("每 600 秒一段")).to_be_visible()
    rows = await exported(desk)
    assert 1000 <= len(rows) <= 1010
    assert max(float(row["最高"]) for row in rows) == SPIKE
    assert {row["质量"] for row in rows} == {"好"}
    assert rows[0]["时间"].endswith("+08:00")
    box = await desk.page.locator(".u-over").bounding_box()
    assert box is not None
    await desk.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 80)
    await expect(legend(desk, "GT-101")).to_contain_text("4.50 mg/m³")
    spike = box["x"] + box["width"] / 3
    await desk.page.mouse.move(spike - 12, box["y"] + 80)
    await desk.page.mouse.down()
    await desk.page.mouse.move(spike + 12, box["y"] + 80, steps=3)
    await desk.page.mouse.up()
    await expect(desk.page.get_by_text("原始读数", exact=True)).to_be_visible()
    assert "from=" in desk.page.url
    rows = await exported(desk)
    assert [row["值（均值）"] for row in rows if float(row["值（均值）"]) > 10] == [str(SPIKE)]
    assert len(rows) < 4000
    await desk.page.go_back()
    await expect(desk.page.get_by_text("每 600 秒一段")).to_be_visible()
    async with desk.page.expect_download() as download:
        await desk.button("导出 PNG").click()
    picture = await (await download.value).path()
    assert picture.read_bytes().startswith(b"\x89PNG")


async def test_keyboard_and_links_from_a_tag_lead_there_and_nothing_is_told_where_nothing_was_measured(
    works: Works, desks: Desks
) -> None:
    desk = await desks.open(works.address)
    await desk.turn_to("/enterprises/works/tankfarm")
    await desk.tag("GT-101").click()
    await desk.page.get_by_role("link", name="放大查看").click()
    plot = desk.page.get_by_role("group", name="GT-101 的趋势图")
    await expect(plot).to_be_visible()
    assert desk.page.url.endswith("#/trends?tag=works/GT-101&span=15m")
    await plot.focus()
    for _ in range(30):
        await desk.page.keyboard.press("ArrowLeft")
    await expect(legend(desk, "GT-101")).to_contain_text("4.50 mg/m³")
    year_ago = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() - 365 * 86_400))
    later = time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() - 364 * 86_400))
    await desk.page.get_by_label("开始时间").fill(year_ago)
    await desk.page.get_by_label("结束时间").fill(later)
    await desk.button("查看").click()
    await expect(desk.page.get_by_text("这段时间没有读数，请换一段时间")).to_be_visible()
    await expect(desk.button("导出 CSV")).to_be_disabled()
    await desk.page.evaluate("window.location.hash = '/trends?tag=works/NO-1'")
    await expect(desk.page.get_by_text("网址中的位号都不存在")).to_be_visible()


async def exported(desk: Desk) -> list[dict[str, str]]:
    """Rows of the table that is saved."""
    async with desk.page.expect_download() as download:
        await desk.button("导出 CSV").click()
    path = await (await download.value).path()
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def legend(desk: Desk, tag: str) -> Any:
    """The row of a tag below the chart."""
    return desk.page.locator(".legend tbody tr", has_text=tag)
