"""Site plans: an image is added, tags are put on it by mouse and by keyboard, saved, and read there by others."""

import re
import struct
import zlib
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.desk import SIZES, Desk, Desks
from tests.browser.works import Works, gas_tag
from tests.running import site_of, until

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def site() -> dict[str, Any]:
    """Two units."""
    tanks = [gas_tag("GT-101", "1# 罐泵区硫化氢"), gas_tag("GT-102", HOSTILE), gas_tag("GT-103", "3# 罐")]
    return site_of(
        [
            {"id": "tankfarm", "name": "原料罐区", "hazard_level": 2, "tags": tanks},
            {"id": "boiler", "name": "锅炉", "tags": [gas_tag("GT-201", "锅炉房")]},
        ]
    )


def drawing() -> bytes:
    """Grey stripes, 800 x 500."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes([230 if row // 50 % 2 else 250]) * 800 for row in range(500))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 800, 500, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def mark(desk: Desk, tag: str) -> Locator:
    return desk.page.locator(f'.tag-mark[data-tag="{tag}"]')


async def middle(of: Locator) -> tuple[float, float]:
    box = await of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def drag(desk: Desk, source: Locator, to: tuple[float, float]) -> None:
    await desk.page.mouse.move(*await middle(source))
    await desk.page.mouse.down()
    await desk.page.mouse.move(*to, steps=6)
    await desk.page.mouse.up()


async def add(desk: Desk, content: bytes, name: str) -> None:
    await desk.button("添加平面图").click()
    dialog = desk.page.get_by_role("dialog")
    await dialog.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    await dialog.get_by_label("范围").select_option(label="原料罐区")
    await dialog.get_by_label("姓名", exact=True).fill("李工")
    await desk.button("保存", dialog).click()


async def test_tags_are_arranged_on_an_image_and_read_there(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await desk.turn_to("/map")
    await desk.page.get_by_role("link", name="平面图", exact=True).last.click()
    await expect(desk.page).to_have_url(re.compile("#/site-plans/works$"))
    await expect(desk.page.get_by_text("该企业没有平面图")).to_be_visible()

    await add(desk, b"<svg><script>alert(1)</script></svg>", "plan.png")
    dialog = desk.page.get_by_role("dialog")
    await expect(dialog.get_by_role("alert")).to_contain_text("须是完整的 PNG")
    await desk.button("取消（Esc）", dialog).click()
    await add(desk, drawing(), "罐区.png")
    await expect(desk.page.get_by_role("heading", name="罐区")).to_be_visible()
    image = desk.page.locator(".plan .image")
    await expect(image).to_be_visible()

    # By mouse: from the list onto the right tank, and on from there.
    await desk.button("布置位号").click()
    pool = desk.page.get_by_role("region", name="可布置的位号")
    await expect(pool.get_by_role("button")).to_have_count(3)
    box = await image.bounding_box()
    assert box is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + box["width"] * x, box["y"] + box["height"] * y

    await drag(desk, pool.get_by_role("button", name="GT-101"), at(0.3, 0.3))
    await drag(desk, mark(desk, "GT-101"), at(0.25, 0.5))
    # By keyboard: into the middle, twenty pixels down and one back, and off again for another.
    await pool.get_by_role("button", name="GT-102").focus()
    await desk.page.keyboard.press("Enter")
    await expect(mark(desk, "GT-102")).to_be_focused()
    before = await middle(mark(desk, "GT-102"))
    for key in ("Shift+ArrowDown", "ArrowUp"):
        await desk.page.keyboard.press(key)
    await until(lambda: moved(mark(desk, "GT-102"), before, 19))
    await pool.get_by_role("button", name="GT-103").focus()
    await desk.page.keyboard.press("Enter")
    await expect(mark(desk, "GT-103")).to_be_focused()
    await desk.page.keyboard.press("Delete")
    await expect(mark(desk, "GT-103")).to_have_count(0)
    await desk.button("撤销").click()
    await expect(mark(desk, "GT-103")).to_have_count(1)
    await desk.page.keyboard.press("Control+z")
    await expect(mark(desk, "GT-103")).to_have_count(0)
    await expect(desk.page.get_by_text("2 处更改未保存")).to_be_visible()
    await desk.button("保存").click()
    await desk.sign("李工", "按竣工图布置")
    await expect(desk.button("布置位号")).to_be_visible()
    (plan,) = (await works.api.get("/site-plans", enterprise="works"))["items"]
    places = {one["tag"]: (one["x"], one["y"]) for one in plan["tags"]}
    assert places.keys() == {"GT-101", "GT-102"}
    assert places["GT-101"] == pytest.approx((0.25, 0.5), abs=0.01)

    # Somebody else, at another desk, sees what comes.
    other = await desks.open(works.address)
    await other.turn_to(f"/site-plans/works/{plan['id']}")
    await expect(mark(other, "GT-101")).to_contain_text("无读数")
    await works.publish(**{"GT-101": 5.0, "GT-102": 25.0})
    await expect(mark(other, "GT-101")).to_contain_text("5.00 mg/m³")
    await expect(mark(other, "GT-102")).to_have_class(re.compile("graded"))
    await expect(mark(other, "GT-102")).to_contain_text("25.00 mg/m³")
    await expect(mark(other, "GT-102")).to_have_attribute("title", re.compile(re.escape(HOSTILE)))
    for width, height in SIZES.values():
        await other.page.set_viewport_size({"width": width, "height": height})
        assert await other.too_wide() == []
    incident = await until(lambda: works.alarm("GT-102", "HH"))
    await mark(other, "GT-102").click()
    await expect(other.page).to_have_url(re.compile(f"#/incidents/{incident['incident']}$"))
    await other.page.go_back()
    await other.tab_to(mark(other, "GT-101"))
    await other.page.keyboard.press("Enter")
    await expect(other.page).to_have_url(re.compile("#/trends.*GT-101"))

    # Two arrange at once: the second is told, and overwrites nothing.
    await desk.button("布置位号").click()
    await mark(desk, "GT-101").focus()
    await desk.page.keyboard.press("Delete")
    body = {"version": plan["version"], "place": [{"tag": "GT-201", "x": 0.9, "y": 0.9}], "name": "赵工"}
    assert (await works.api.post(f"/site-plans/{plan['id']}/tags", body))[0] == 200
    await expect(desk.page.get_by_text("他人已更改此图")).to_be_visible()
    await desk.button("保存").click()
    await desk.sign("李工", "取下")
    await expect(desk.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("他人已更改此图")
    await desk.button("取消（Esc）").click()
    await desk.button("放弃更改").click()
    await expect(mark(desk, "GT-201")).to_have_count(1)

    await desk.button("移除").click()
    await desk.sign("李工", "旧图")
    await expect(desk.page.get_by_text("该企业没有平面图")).to_be_visible()
    kinds = [entry["kind"] for entry in await works.api.every("/journal")]
    assert [kind for kind in kinds if kind.startswith("site_plan.")][::-1] == [
        "site_plan.added", "site_plan.tags_placed", "site_plan.tags_placed", "site_plan.removed",
    ]  # fmt: skip


async def moved(of: Locator, before: tuple[float, float], down: float) -> bool:
    x, y = await middle(of)
    return abs(x - before[0]) < 0.6 and abs(y - before[1] - down) < 0.6
