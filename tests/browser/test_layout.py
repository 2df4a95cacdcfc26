"""At the two usual sizes everything is in sight, in both languages, on the worst day that fits the screen."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.desk import PAGES, SIZES, Desks, is_uncovered
from tests.browser.works import Works, gas_tag, limits
from tests.running import site_of, until

pytestmark = pytest.mark.browser
UNITS = 9


@pytest.fixture
def site() -> dict[str, Any]:
    """Nine units with long names, two detectors each."""
    return site_of(
        [
            {
                "id": f"unit{unit}",
                "name": f"{unit}号加氢裂化及硫磺回收联合装置（含酸性水汽提）",
                "hazard_level": unit % 4 + 1,
                "tags": [
                    gas_tag(
                        f"GT-{unit}0{number}-HYDROCRACKER",
                        f"{unit}号装置分馏塔顶回流泵{number}西侧硫化氢检测报警器",
                        limits=limits(10, 20, latching=True),
                    )
                    for number in (1, 2)
                ],
            }
            for unit in range(1, UNITS + 1)
        ]
    )


async def test_nothing_is_out_of_sight_with_every_unit_in_alarm(works: Works, desks: Desks, tmp_path: Path) -> None:
    tags = [f"GT-{unit}0{number}-HYDROCRACKER" for unit in range(1, UNITS + 1) for number in (1, 2)]
    await works.publish(**dict.fromkeys(tags, 25.0), **{"GT-UNKNOWN": 1.0})

    async def all_in() -> bool:
        return len(await works.api.every("/alarms", active="true")) == 4 * UNITS

    await until(all_in)
    await works.publish(**dict.fromkeys(tags[:2], 1.0))  # the longest words: returned or latched, unacknowledged
    incident = (await works.api.get("/incidents", unit="unit1"))["items"][0]["id"]
    places = {**PAGES, "警情": f"/incidents/{incident}"}
    for language in ("zh-CN", "en"):
        desk = await desks.open(works.address)
        if language == "en":
            await desk.button("English").click()
        for size, (width, height) in SIZES.items():
            await desk.page.set_viewport_size({"width": width, "height": height})
            for name, place in places.items():
                await desk.turn_to(place)
                if place == "/enterprises":
                    await desk.page.locator("button.row").first.click()
                    await expect(desk.page.locator("canvas")).to_be_visible()
                await desk.page.screenshot(path=tmp_path / f"{size}-{language}-{name}.png")
                assert await desk.too_wide() == [], (size, language, name)
                assert await is_uncovered(desk.page.locator("header")), (size, language, name)
                if place in {"/", places["警情"]}:
                    assert await is_uncovered(desk.rows.first), (size, language, name)
                    assert await desk.clipped(".row .state > span, .row .grade, .card .badge") == [], (size, language)
                if place == "/enterprises":
                    await desk.page.locator("button.row").first.click()
