"""Every page at the two usual sizes and in both languages, on the worst day that fits the screen.

The site's own texts are English, so that Chinese on an English page is the console's.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.desk import PAGES, SIZES, Desk, Desks, is_uncovered
from tests.browser.works import Works, gas_tag, limits
from tests.conftest import ROOT
from tests.running import site_of, until

pytestmark = pytest.mark.browser

UNITS = 9
TAGS = [f"GT-{unit}0{number}-HYDROCRACKER" for unit in range(1, UNITS + 1) for number in (1, 2)]
TOP_KEYS = "|".join(json.loads((ROOT / "console/src/i18n/messages/en.json").read_text(encoding="utf-8")))
UNTRANSLATED = re.compile(rf"\b(?:{TOP_KEYS})\.[a-z]\w*|\{{\w+\}}", re.ASCII)
"""A key that no message has, or a placeholder that nothing was put into."""
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
OF_THE_LANGUAGE_BUTTON = {"中文"}
MAY_NOT_BE_CUT = ".row .state > span, .row .grade, .card .badge, .tile span, .link, nav a, button"


@pytest.fixture
def site() -> dict[str, Any]:
    """Nine units with long names, two detectors each."""
    units = [
        {
            "id": f"unit{unit}",
            "name": f"Hydrocracker {unit} and sulphur recovery, with sour water stripping",
            "hazard_level": unit % 4 + 1,
            "tags": [
                gas_tag(
                    f"GT-{unit}0{number}-HYDROCRACKER",
                    f"Hydrogen sulphide west of reflux pump {number} of main fractionator {unit}",
                    limits=limits(10, 20, latching=True),
                )
                for number in (1, 2)
            ],
        }
        for unit in range(1, UNITS + 1)
    ]
    site = site_of(units)
    site["regions"] = [{"code": "370783", "name": "Shouguang"}]
    site["enterprises"][0] |= {"name": "Works", "gateways": [{"id": "gw1", "name": "Gateway"}]}
    return site


async def test_every_page_fits_its_window_and_speaks_one_language(works: Works, desks: Desks, tmp_path: Path) -> None:
    incident = await worst_day(works)
    places = {**PAGES, "安哨": "/enterprises/anshao/service", "警情": f"/incidents/{incident}", "不存在": "/nowhere"}
    for language in ("zh-CN", "en"):
        desk = await desks.open(works.address)
        if language == "en":
            await desk.button("English").click()
        for name, place in places.items():
            await desk.turn_to(place)
            await unfold(desk, place)
            for size, (width, height) in SIZES.items():
                await desk.page.set_viewport_size({"width": width, "height": height})
                async with pictured(desk, tmp_path / f"{size}-{language}-{name}.png"):
                    await until(lambda desk=desk: fits(desk))
                    assert await desk.clipped(MAY_NOT_BE_CUT) == []
                    assert await is_uncovered(desk.page.locator("header"))
                    if name in {"值守", "警情"}:
                        assert await is_uncovered(desk.rows.first)
                    assert await strays(desk, language) == set()
        await desk.turn_to("/")
        await desk.rows.first.get_by_role("button").first.click()
        await expect(desk.page.get_by_role("dialog")).to_be_visible()
        assert await strays(desk, language) == set()


async def fits(desk: Desk) -> bool:
    """Nothing is wider than its window, once plots have followed another size of it."""
    return await desk.too_wide() == []


@asynccontextmanager
async def pictured(desk: Desk, path: Path) -> AsyncIterator[None]:
    """A picture of the page is taken where it fails, and named."""
    try:
        yield
    except AssertionError as fault:
        await desk.page.screenshot(path=path)
        fault.add_note(f"as in {path}")
        raise


async def strays(desk: Desk, language: str) -> set[str]:
    """Texts of the page that belong to no language or to the other one."""
    texts = set(await desk.texts())
    found = {text for text in texts if UNTRANSLATED.search(text)}
    if language == "en":
        found |= {text for text in texts if CHINESE.search(text)} - OF_THE_LANGUAGE_BUTTON
    return found


async def worst_day(works: Works) -> int:
    """Every unit in alarm, one returned, one alarm acknowledged, messages refused. The returned unit's incident."""
    await works.publish(**dict.fromkeys(TAGS, 25.0), **{"GT-UNKNOWN": 1.0})
    await works.send(b"{not json")

    async def all_in() -> bool:
        return len(await works.api.every("/alarms", active="true")) == 4 * UNITS

    await until(all_in)
    await works.publish(**dict.fromkeys(TAGS[:2], 1.0))
    alarm = await until(lambda: works.alarm(TAGS[0], "H"))
    status, _ = await works.api.post(f"/alarms/{alarm['id']}/acknowledge", {"name": "Wang", "comment": "on my way"})
    assert status == 200
    found: int = alarm["incident"]
    return found


async def unfold(desk: Desk, place: str) -> None:
    """Show what the page shows on demand only."""
    if place == "/enterprises/works":
        await desk.tag(TAGS[0]).click()
        await expect(desk.page.locator("canvas")).to_be_visible()
    if place == "/gateways":
        for refused in await desk.page.locator("summary").all():
            await refused.click()
