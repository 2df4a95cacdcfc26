"""Chinese or English, and nothing in between."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.desk import PAGES, Desks
from tests.browser.works import Works, gas_tag
from tests.conftest import ROOT
from tests.running import site_of, until

pytestmark = pytest.mark.browser

TOP_KEYS = "|".join(json.loads((ROOT / "console/src/i18n/messages/en.json").read_text(encoding="utf-8")))
UNTRANSLATED = re.compile(rf"\b(?:{TOP_KEYS})\.[a-z]\w*|\{{\w+\}}", re.ASCII)
"""A key that no message has, or a placeholder that nothing was put into."""
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
OF_THE_LANGUAGE_BUTTON = {"中文"}


@pytest.fixture
def site() -> dict[str, Any]:
    """A site whose own texts are all English, so that Chinese on an English page is the console's."""
    site = site_of(
        [
            {
                "id": "tankfarm",
                "name": "Tank farm",
                "hazard_level": 1,
                "tags": [
                    gas_tag("GT-101", "H2S at pump 1"),
                    gas_tag("GT-103", "H2S at pump 3"),
                    gas_tag("TI-1", "", limits={"H": "off", "HH": "off"}),
                ],
            }
        ]
    )
    site["regions"] = [{"code": "370783", "name": "Shouguang"}]
    site["enterprises"][0]["name"] = "Works"
    site["enterprises"][0]["gateways"][0]["name"] = "Gateway"
    return site


async def test_every_page_is_wholly_in_its_language(works: Works, desks: Desks) -> None:
    """With an alarm of each look, an incident with its reasons, refused payloads, and the dialogs."""
    await works.publish(**{"GT-101": 25.0, "GT-103": 12.0, "GT-999": 1.0})
    await works.publish(**{"GT-103": 1.0})
    await works.send(b"{not json")
    alarm = await until(lambda: works.alarm("GT-101", "H"))
    await works.api.post(f"/alarms/{alarm['id']}/acknowledge", {"name": "Wang", "comment": "on my way"})
    desk = await desks.open(works.address)
    await expect(desk.rows).to_have_count(3)
    found: dict[str, list[str]] = {"zh": [], "en": []}
    for language in found:
        for place in [*PAGES.values(), "/enterprises/anshao/service", f"/incidents/{alarm['incident']}", "/nowhere"]:
            await desk.turn_to(place)
            if place == "/gateways":
                await desk.page.locator("summary").first.click()
            if place == "/enterprises":
                await desk.tag("GT-101").click()
            texts = await desk.texts()
            found[language] += texts
            assert not [text for text in texts if UNTRANSLATED.search(text)], place
        await desk.turn_to("/")
        await desk.rows.first.get_by_role("button").click()
        found[language] += await desk.texts()
        await desk.page.keyboard.press("Escape")
        if language == "zh":
            await desk.button("English").click()
    assert {text for text in found["en"] if CHINESE.search(text)} == OF_THE_LANGUAGE_BUTTON
