"""Texts of gateways, configurations and people are shown as text, whatever they say."""

import json
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.desk import PAGES, Desk, Desks
from tests.browser.works import Works, gas_tag
from tests.running import site_of, until

pytestmark = pytest.mark.browser

SCRIPT = "<script>alert('{}')</script>"
IMAGE = "<img src=http://127.0.0.2/{} onerror=alert('{}')>"
MESSAGE = "@:app.name {n} | {{ 7 * 7 }} %{n}"
"""What the messages' own syntax could make of a name."""
TAG = "<i>GT</i>-1".replace("/", "")
ENTERPRISE = f"\"><svg onload=alert('enterprise')>{MESSAGE}"
UNIT = SCRIPT.format("unit")
DESCRIPTION = IMAGE.format("description", "description")
GATEWAY = IMAGE.format("gateway", "gateway")
NAME = SCRIPT.format("name")
COMMENT = IMAGE.format("comment", "comment")
ENDLESS = "z" * 1_000
TURNING = "\u202e"
"""What stands after it is shown from right to left."""
PAYLOAD = f"</pre>{SCRIPT.format('payload')}{IMAGE.format('payload', 'payload')}"


@pytest.fixture
def site() -> dict[str, Any]:
    """A site that somebody hostile has described."""
    site = site_of([{"id": "tankfarm", "name": UNIT, "tags": [gas_tag(TAG, DESCRIPTION), gas_tag("GT-9", "shelved")]}])
    site["enterprises"][0]["name"] = ENTERPRISE
    site["enterprises"][0]["gateways"][0]["name"] = GATEWAY
    return site


async def test_no_text_is_taken_for_a_page(works: Works, desks: Desks) -> None:
    await works.publish(**{TAG: 25.0, "GT-9": 15.0, DESCRIPTION: 1.0})
    await works.send(PAYLOAD.encode())
    await works.send(json.dumps({"ts": PAYLOAD, "values": {TAG: PAYLOAD}}).encode())
    alarm = await until(lambda: works.alarm(TAG, "HH"))
    await works.api.post(f"/alarms/{alarm['id']}/acknowledge", {"name": NAME, "comment": COMMENT})
    await works.api.post(f"/alarms/{alarm['id']}/comment", {"name": NAME, "comment": f"{TURNING}{ENDLESS}"})
    shelved = await until(lambda: works.alarm("GT-9", "H"))
    shelf = {"name": NAME, "reason": COMMENT, "duration": "1h"}
    assert (await works.api.post(f"/alarms/{shelved['id']}/shelve", shelf))[0] == 200
    assert (await works.api.post("/desks/370783/handovers", {"name": NAME, "notes": COMMENT}))[0] in {200, 201}
    edit = {"enterprise": "works", "tag": "GT-9", "rule": "H", "setpoint": 9}
    assert (await works.api.post("/changes", {"name": NAME, "reason": COMMENT, "edits": [edit]}))[0] in {200, 201}
    desk = await desks.open(works.address)
    await desk.page.get_by_label("本席").select_option("370783")
    shown = {
        "/": [TAG, DESCRIPTION, ENTERPRISE, UNIT, NAME],
        "/suppressed": ["GT-9", ENTERPRISE, UNIT, NAME, COMMENT],
        "/drills": [],
        "/handover": [NAME, COMMENT],
        "/enterprises": [ENTERPRISE],
        "/enterprises/works": [TAG, DESCRIPTION, ENTERPRISE, UNIT],
        "/tuning": [TAG, DESCRIPTION, ENTERPRISE, UNIT],
        "/changes": ["GT-9", ENTERPRISE, UNIT, NAME, COMMENT],
        "/map": [ENTERPRISE, UNIT],
        "/site-plans/works": [ENTERPRISE],
        "/gateways": [ENTERPRISE, GATEWAY, PAYLOAD],
        "/search": [],
        "/journal": [TAG, ENTERPRISE, UNIT, NAME, COMMENT, ENDLESS],
        "/kpi": [TAG, DESCRIPTION, ENTERPRISE],
        "/search?text=%3C": [TAG, DESCRIPTION, ENTERPRISE, UNIT],
        "/administration/documents": [TAG],
        "/contacts": [],
        "/plans": [],
        "/messages": [],
        "/administration": [],
        f"/incidents/{alarm['incident']}": [TAG, DESCRIPTION, ENTERPRISE, UNIT, NAME, COMMENT, ENDLESS],
    }
    assert shown.keys() > set(PAGES.values())
    for place, texts in shown.items():
        await desk.turn_to(place)
        if place == "/gateways":
            for one in await desk.page.locator("summary").all():
                await one.click()
            await expect(desk.page.locator("details")).to_have_count(3)
        if place == "/enterprises/works":
            await desk.page.locator("button.row").first.click()
            await expect(desk.page.locator("canvas")).to_be_visible()
        all_text = "\n".join(await desk.texts())
        for text in texts:
            assert text in all_text, (place, text)
        assert TURNING not in all_text, place
        if ENDLESS in texts:
            assert await desk.too_wide() == [], place
        await expect(desk.page.locator("img, iframe, object, embed, script:not([src]), i, svg[onload]")).to_have_count(
            0
        )
    await desk.turn_to("/")
    await desk.button("确认", desk.row(TAG).first).click()
    await expect(desk.page.get_by_role("dialog")).to_contain_text(DESCRIPTION)

    # A page that did take such a text for its own would not have gone unnoticed here.
    assert desk.faults == []
    await desk.page.evaluate("html => { document.querySelector('main').innerHTML = html; }", DESCRIPTION)
    await until(lambda: noticed(desk, "img-src http://127.0.0.2/description"))
    await desk.page.evaluate("fetch('http://127.0.0.2/stolen').catch(() => undefined)")
    await until(lambda: noticed(desk, "connect-src http://127.0.0.2/stolen"))
    desk.faults.clear()


async def noticed(desk: Desk, text: str) -> bool:
    """The desk has noted it."""
    return any(text in fault for fault in desk.faults)
