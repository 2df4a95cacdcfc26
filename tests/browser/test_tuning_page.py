"""Change control in the browser: a limit dragged on its trend, seen, proposed, backtested, approved, watched, in force.

The historian is a real one with a week of readings; two people act, each at a desk of their own.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests import servers
from tests.browser import history
from tests.browser.desk import SIZES, Desk, Desks, is_uncovered
from tests.browser.test_pages import MAY_NOT_BE_CUT, pictured, strays
from tests.browser.works import Works, gas_tag, main
from tests.running import Service, site_of, until

pytestmark = pytest.mark.browser

TAG = "GT-101"
PROPOSER, APPROVER = "李工", "王芳"


@pytest.fixture
def site() -> dict[str, Any]:
    """A detector with a week of history, one without, and a flow without limits."""
    flow = {"tag": "FI-101", "measurand": "flow", "engineering_unit": "m3/h", "stale": "off", "bad": "off"}
    tags = [gas_tag(TAG, "H2S at pump 1"), gas_tag("GT-103", "H2S at pump 3"), flow]
    site = site_of([{"id": "tankfarm", "name": "Tank farm", "hazard_level": 3, "tags": tags}])
    site["regions"] = [{"code": "370783", "name": "Shouguang"}]
    site["enterprises"][0] |= {"name": "Works", "gateways": [{"id": "gw1", "name": "Gateway"}]}
    return site


@pytest.fixture
async def starting(broker: servers.Broker, tmp_path: Path, site: dict[str, Any]) -> AsyncIterator[Service]:
    """The service, with what its historian had before."""
    service = Service.configured(tmp_path / "served", main(broker), site)
    await history.fill(service.folder / "data", f"works/{TAG}", history.readings())
    service.start()
    try:
        yield service
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


async def test_a_limit_is_dragged_and_the_change_goes_the_whole_way(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await desk.button("更多").click()
    await desk.page.get_by_role("link", name="调优", exact=True).click()
    before = await outcome(desk, "H")
    assert before[0] > 200  # hours of chattering around the limit
    setpoint = field(desk, "限值")
    await rule_head(desk, "H").click()
    await expect(setpoint).to_have_value("10")

    await drag(desk, limit(desk, "H"), -28)
    tried = float(await setpoint.input_value())
    assert 11 < tried < 14
    await expect(desk.page.get_by_text("批准前必须回测", exact=False)).to_be_visible()
    await until(lambda: is_less(desk, "H", before[0] // 10))
    differences = desk.page.get_by_role("region", name="差异")
    await differences.get_by_role("button", name="减少").click()
    await expect(differences.get_by_role("row").nth(1)).to_contain_text("减少")
    await differences.get_by_role("button", name=re.compile("在图上查看")).first.click()
    await desk.button("显示全部时段").click()
    await expect(desk.button("显示全部时段")).to_have_count(0)
    assert (await rules(works))["H"]["setpoint"] == 10  # to look changes nothing

    await desk.button("提出变更").click()
    dialog = desk.page.get_by_role("dialog")
    await expect(dialog.get_by_role("row").filter(has_text="限值")).to_contain_text(f"{tried:g} mg/m³")
    await desk.sign(PROPOSER, "在 10.0 附近反复进出")
    await desk.button("提出变更", dialog).click()  # Enter makes a new line in a reason of several
    await desk.page.get_by_role("link", name="去查看").click()
    await expect(state(desk)).to_contain_text("已提出")

    other = await desks.open(works.address)
    await other.button("更多").click()
    await other.page.get_by_role("link", name="变更", exact=True).click()
    await act(other, "批准", APPROVER, "同意")
    await expect(other.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("须先完成回测")
    await other.page.keyboard.press("Escape")
    await expect(state(other)).to_contain_text("已提出")

    await act(desk, "回测", PROPOSER, None)
    await expect(state(desk)).to_contain_text("已回测")
    result = desk.page.get_by_role("region", name="回测")
    row = result.get_by_role("row").filter(has_text="GT-101 H").first
    await expect(row).to_contain_text(re.compile(rf"{before[0]}\s*→"))
    await expect(state(other)).to_contain_text("已回测")  # by itself

    await act(desk, "批准", PROPOSER, "我自己看过")
    await expect(desk.page.get_by_role("dialog").get_by_role("alert")).to_contain_text("须由另一人批准")
    await desk.page.keyboard.press("Escape")
    await act(other, "批准", APPROVER, "回测只少了抖动")
    await expect(state(other)).to_contain_text("已批准")

    await act(other, "试运行", APPROVER, "看一班")
    await expect(state(other)).to_contain_text("试运行")
    await works.publish(**{TAG: 10.6})
    shadow = other.page.get_by_role("region", name="试运行")
    await until(lambda: works.alarm(TAG, "H"))
    await expect(shadow.get_by_role("row").nth(1)).to_contain_text(re.compile(r"1\s*0\s*在报 → 未报"))
    assert (await rules(works))["H"]["setpoint"] == 10

    await act(other, "生效", APPROVER, "试运行正常")
    await expect(state(other)).to_contain_text("已生效")
    assert (await rules(works))["H"]["setpoint"] == tried
    await desk.turn_to("/tuning")
    await rule_head(desk, "H").click()
    await expect(field(desk, "限值")).to_have_value(f"{tried:g}")
    await expect(desk.page.get_by_role("link", name="变更 #")).to_be_visible()

    await act(other, "回退", APPROVER, "报警变得太晚")
    await expect(state(other)).to_contain_text("已回退")
    assert (await rules(works))["H"]["setpoint"] == 10
    await expect(field(desk, "限值")).to_have_value("10")
    kinds = {entry["kind"] for entry in await works.api.every("/journal") if entry["kind"].startswith("change.")}
    assert kinds >= {f"change.{kind}" for kind in ("proposed", "backtested", "approved", "applied", "rolled_back")}
    told = other.page.get_by_role("region", name="经过")
    for what in ("提出变更", "回测完成", "批准变更", "开始试运行", "变更生效", "变更回退"):
        await expect(told.get_by_text(what, exact=True)).to_be_visible()


async def test_limits_are_moved_by_keys_and_fields_and_what_is_missing_is_said(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await desk.turn_to("/tuning")
    await outcome(desk, "H")
    handle = limit(desk, "H")
    await desk.tab_to(handle)
    setpoint = field(desk, "限值")
    await expect(setpoint).to_have_value("10")
    await desk.page.keyboard.press("ArrowDown")
    lower = float(await setpoint.input_value())
    assert 9 < lower < 10
    await expect(handle).to_have_attribute("aria-valuenow", f"{lower:g}")
    await until(lambda: is_more(desk, "H"))
    await expect(desk.page.get_by_text("批准前必须回测", exact=False)).to_have_count(0)
    await desk.page.keyboard.press("Home")
    await expect(setpoint).to_have_value("10")
    await expect(desk.button("提出变更")).to_be_disabled()

    await drag(desk, handle, -40, give_up=True)
    await expect(setpoint).to_have_value("10")

    await field(desk, "死区").fill("1")
    await field(desk, "触发延时").fill("60")
    await expect(desk.page.get_by_text("批准前必须回测", exact=False)).to_be_visible()
    await until(lambda: is_less(desk, "H", 60))
    await setpoint.fill("")
    await expect(desk.page.get_by_text("请填写数字")).to_be_visible()
    await desk.button("全部还原").click()
    await expect(field(desk, "触发延时")).to_have_value("0")

    await desk.page.get_by_label("位号", exact=True).select_option("GT-103")
    await expect(desk.page.get_by_text("这段时间没有读数，无从比较")).to_be_visible()
    await desk.page.get_by_label("位号", exact=True).select_option("FI-101")
    await expect(desk.page.get_by_text("该位号没有可调的规则")).to_be_visible()
    await desk.turn_to("/changes")
    await expect(desk.page.get_by_text("还没有变更", exact=True)).to_be_visible()
    await desk.page.goto(f"{works.address}#/changes/77")
    await expect(desk.page.get_by_text("没有编号为 77 的变更")).to_be_visible()


async def test_both_pages_fit_their_windows_and_speak_one_language(works: Works, desks: Desks, tmp_path: Path) -> None:
    edit = {"enterprise": "works", "tag": TAG, "rule": "H", "setpoint": 12, "on_delay_ms": 5000}
    status, change = await works.api.post("/changes", {"name": "Li", "reason": "It chatters", "edits": [edit]})
    assert status in {200, 201}, change
    status, _ = await works.api.post(f"/changes/{change['id']}/backtest", {"days": 7, "name": "Li"})
    assert status in {200, 202}

    async def finished() -> bool:
        found = await works.api.get(f"/changes/{change['id']}")
        return bool(found["result"])

    await until(finished)
    for language in ("zh-CN", "en"):
        desk = await desks.open(works.address)
        if language == "en":
            await desk.button("English").click()
        for place in ("/tuning", "/changes"):
            await desk.turn_to(place)
            if place == "/tuning":
                await limit(desk, "H").press("PageUp")
            await expect(desk.page.get_by_role("row").nth(3)).to_be_visible()
            await desk.settled()
            for size, (width, height) in SIZES.items():
                await desk.page.set_viewport_size({"width": width, "height": height})
                async with pictured(desk, tmp_path / f"{size}-{language}-{place[1:]}.png"):
                    assert await desk.too_wide() == []
                    assert await desk.clipped(MAY_NOT_BE_CUT) == []
                    assert await is_uncovered(desk.page.locator("header"))
                    assert await strays(desk, language) == set()


def limit(desk: Desk, rule: str) -> Locator:
    """A limit's line on the trend."""
    return desk.page.get_by_role("slider", name=re.compile(rf"\b{rule}\b"))


def field(desk: Desk, figure: str) -> Locator:
    """A figure of the rule that is unfolded."""
    return desk.page.get_by_role("spinbutton", name=figure)


def rule_head(desk: Desk, rule: str) -> Locator:
    """A rule beside the trend, folded or not."""
    return desk.page.get_by_role("button", name=re.compile(rf"^{rule} "))


def state(desk: Desk) -> Locator:
    """Where the change that is shown stands."""
    return desk.page.locator(".change .head .state")


async def drag(desk: Desk, handle: Locator, pixels: float, *, give_up: bool = False) -> None:
    """By mouse, at the left of its line, in several moves; given up by the Esc key before the button is released."""
    box = await handle.bounding_box()
    assert box is not None
    x, y = box["x"] + 120, box["y"] + box["height"] / 2
    await desk.page.mouse.move(x, y)
    await desk.page.mouse.down()
    await desk.page.mouse.move(x, y + pixels, steps=8)
    if give_up:
        await expect(handle).not_to_have_attribute("aria-valuenow", "10")
        await desk.page.keyboard.press("Escape")
    await desk.page.mouse.up()


async def counts(desk: Desk, rule: str) -> tuple[int, int]:
    """Alarms of a rule before and after, as its row says."""
    row = desk.page.locator("aside tr", has=desk.page.locator("b", has_text=re.compile(f"^{rule}$")))
    said = re.sub(r"(?<=\d)\u2009(?=\d)", "", await row.locator("td").nth(1).inner_text())
    found = [int(number) for number in re.findall(r"\d+", said)]
    return found[0], found[-1]


async def outcome(desk: Desk, rule: str) -> tuple[int, int]:
    """The same, once it is known."""
    await expect(desk.page.locator("aside table")).to_be_visible()
    await desk.settled()
    return await counts(desk, rule)


async def is_less(desk: Desk, rule: str, most: int) -> bool:
    """There would be at most so many alarms."""
    return (await counts(desk, rule))[1] <= most


async def is_more(desk: Desk, rule: str) -> bool:
    """There would be more alarms."""
    before, after = await counts(desk, rule)
    return after > before


async def act(desk: Desk, name: str, person: str, words: str | None) -> None:
    """One act on the change that is shown, signed; without words where none are asked for."""
    await desk.button(name, desk.page.get_by_role("group", name="下一步")).click()
    dialog = desk.page.get_by_role("dialog")
    await dialog.get_by_label("姓名", exact=True).fill(person)
    if words is not None:
        await dialog.get_by_role("textbox").last.fill(words)
    await desk.button("提交（Enter）", dialog).click()


async def rules(works: Works) -> dict[str, dict[str, Any]]:
    """The detector's rules that hold now, by their keys."""
    tags = (await works.api.get("/tuning/rules", enterprise="works", unit="tankfarm"))["items"]
    (tag,) = [tag for tag in tags if tag["tag"] == TAG]
    return {rule["key"]: rule for rule in tag["rules"]}
