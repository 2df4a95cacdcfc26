"""What a desk makes heard: tones by grade until acknowledged, silences, a browser that lets nothing through, a loss."""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, async_playwright, expect

from tests.browser.conftest import TANK_FARM
from tests.browser.desk import Desk, Desks
from tests.browser.people import GOOD, made, person
from tests.browser.test_accessibility import AXE, LOOK
from tests.browser.works import Works
from tests.conftest import CHROMIUM_ARGUMENTS
from tests.running import Service, site_of, until

pytestmark = pytest.mark.browser

AUDIBLE = re.compile(r"^(0\.[1-9]|[1-9])")
"""What came out of the browser's mixer, 0 to 1."""
SAID = re.compile("^红色警情，测试厂，原料罐区，.*，高高限。共 .* 条报警未确认。")
REASON = "已派人到现场核实"

SCENARIO = """
name: 罐泵区泄漏
units: [works/tankfarm]
duration: 10min
steps:
  - {at: 0s, tag: works/GT-101, value: 25}
  - {at: 0s, tag: works/GT-105, value: 25}
expected: []
"""

Launch = Callable[[str], Awaitable[Desks]]


@pytest.fixture
def site() -> dict[str, Any]:
    """The tank farm as a first-level major hazard: two gases at high-high are red."""
    return site_of(
        [
            {**TANK_FARM, "hazard_level": 1},
            {**TANK_FARM, "hazard_level": 1, "id": "dock", "name": "装卸站台", "tags": DOCK},
        ]
    )


DOCK = [{**TANK_FARM["tags"][0], "tag": "GT-201", "description": "装卸臂硫化氢"}]


@pytest.fixture
async def under_policy() -> AsyncIterator[Launch]:
    """Desks in a Chromium with an autoplay policy of its own."""
    async with AsyncExitStack() as stack:

        async def launch(policy: str) -> Desks:
            playwright = await stack.enter_async_context(async_playwright())
            browser: Browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
                args=[*CHROMIUM_ARGUMENTS, f"--autoplay-policy={policy}"],
            )
            stack.push_async_callback(browser.close)
            return Desks(browser)

        yield launch


@pytest.mark.parametrize("policy", ["user-gesture-required", "document-user-activation-required"])
async def test_a_browser_that_lets_nothing_through_is_shown_and_one_click_mends_it(
    works: Works, under_policy: Launch, policy: str
) -> None:
    desks = await under_policy(policy)
    desk = await desks.open(works.address)
    bar = desk.button("声音未开启：点此开启 浏览器在有人操作页面之前不允许发声，报警现在听不见。")
    await expect(bar).to_be_visible()
    await works.publish(**{"GT-101": 12.5})
    await expect(desk.row("GT-101")).to_be_visible()
    await expect(speaker(desk)).to_have_attribute("data-sound", "blocked")
    await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow")
    await expect(speaker(desk)).to_have_attribute("data-played", "")
    counts = desk.page.get_by_role("group", name="各等级警情与报警数量")
    place = await counts.bounding_box()
    await desk.page.set_viewport_size({"width": 390, "height": 800})  # a phone
    assert await desk.clipped(".off") == []
    await bar.click()
    await expect(bar).to_have_count(0)
    await expect(speaker(desk)).to_have_attribute("data-played", "yellow=1")
    await expect(speaker(desk)).to_have_attribute("data-level", AUDIBLE)
    await desk.page.set_viewport_size({"width": 1366, "height": 768})
    assert await counts.bounding_box() == place  # the bar that went stood below
    assert await desks.close() == []


async def test_a_workstation_that_may_play_needs_no_click(works: Works, under_policy: Launch) -> None:
    desks = await under_policy("no-user-gesture-required")
    desk = await desks.open(works.address)
    await expect(speaker(desk)).to_have_attribute("data-sound", "on")
    await works.publish(**{"GT-101": 12.5})
    await expect(speaker(desk)).to_have_attribute("data-played", "yellow=1")
    await expect(speaker(desk)).to_have_attribute("data-level", AUDIBLE)
    await expect(desk.page.get_by_text("声音未开启")).to_have_count(0)
    assert await desks.close() == []


async def test_red_sounds_again_and_again_and_is_said_until_it_is_acknowledged_elsewhere(
    works: Works, desks: Desks
) -> None:
    desk = await listening(works, desks)
    await red(works)
    await expect(speaker(desk)).to_have_attribute("data-played", re.compile(r"red=[3-9]"))
    await expect(speaker(desk)).to_have_attribute("data-level", AUDIBLE)
    await expect(speaker(desk)).to_have_attribute("data-said", SAID)
    alarms = await works.api.every("/alarms", state="unacknowledged")
    body = {"ids": [alarm["id"] for alarm in alarms], "name": "李敏", "comment": ""}
    assert (await works.api.post("/alarms/acknowledge", body))[0] == 200
    # The incident itself is red and waits for the desk.
    await speaker(desk).click()
    panel = desk.page.get_by_role("dialog", name="声音")
    await expect(panel.get_by_role("link", name="去确认警情")).to_be_visible()
    (incident,) = await works.api.every("/incidents", state="open")
    signature = {"side": "desk", "name": "李敏", "comment": "", "grade": "red"}
    assert (await works.api.post(f"/incidents/{incident['id']}/acknowledge", signature))[0] == 200
    await expect(panel.get_by_text("没有未确认的报警，当前无声。")).to_be_visible()
    await expect(speaker(desk)).to_have_attribute("data-sounding", "")
    await stays_quiet(desk)


async def test_muting_asks_for_a_reason_is_journaled_shown_everywhere_and_ended_by_anybody(
    works: Works, desks: Desks
) -> None:
    desk, other = await listening(works, desks), await listening(works, desks)
    await works.publish(**{"GT-101": 12.5})
    await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow")
    await mute(desk, "王芳", "")
    await expect(desk.page.get_by_role("alert")).to_be_visible()  # no reason
    await sign(desk, "王芳", REASON)
    for each in (desk, other):
        shown = each.page.get_by_role("region", name="消音中")
        await expect(shown).to_contain_text("消音中：GT-101 · 测试厂 · 原料罐区")
        await expect(shown).to_contain_text(re.compile(r"王芳，至 \d\d:\d\d:\d\d（还剩 [23] 分"))
        await expect(shown).to_contain_text(f"原因：{REASON}")
        await expect(speaker(each)).to_have_attribute("data-sounding", "")
    (entry,) = await works.entries("sound.silenced")
    assert (entry["data"]["name"], entry["data"]["reason"], entry["data"]["second"]) == ("王芳", REASON, None)
    await works.publish(**{"GT-201": 12.5})  # is not what was silenced
    await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow")

    await other.button("恢复声音").click()
    await other.sign("李敏", "已到现场")
    for each in (desk, other):
        await expect(each.page.get_by_role("region", name="消音中")).to_have_count(0)
    (entry,) = await works.entries("sound.resumed")
    assert (entry["data"]["name"], entry["data"]["why"]) == ("李敏", "person")


async def test_a_silence_ends_by_itself(works: Works, desks: Desks) -> None:
    desk = await listening(works, desks)
    await works.publish(**{"GT-101": 12.5})
    await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow")
    body = {"scope": "unit", "target": "works/tankfarm", "duration": "4s", "name": "王芳", "reason": REASON}
    assert (await works.api.post("/sound/silence", body))[0] == 200
    await expect(desk.page.get_by_role("region", name="消音中")).to_be_visible()
    await expect(speaker(desk)).to_have_attribute("data-sounding", "")
    played = await speaker(desk).get_attribute("data-played")
    await expect(desk.page.get_by_role("region", name="消音中")).to_have_count(0)
    await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow")
    await expect(speaker(desk)).not_to_have_attribute("data-played", played or "")


async def test_red_ends_the_silence_of_one_person_and_is_muted_by_two_accounts(works: Works, desks: Desks) -> None:
    await made(works, "limin", "李敏", "supervisor")
    desk = (await person(works, desks, "wangfang", "王芳", "duty_officer")).desk
    await works.publish(**{"GT-101": 12.5})
    await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow")
    body = {"scope": "unit", "target": "works/tankfarm", "duration": "5min", "name": "王芳", "reason": REASON}
    assert (await works.api.post("/sound/silence", body))[0] == 200
    await expect(speaker(desk)).to_have_attribute("data-sounding", "")
    await works.publish(**{"GT-201": 12.5})
    await red(works)
    await expect(speaker(desk)).to_have_attribute("data-sounding", "red")

    await speaker(desk).click()
    await desk.button("消音……").click()
    dialog, keys = desk.page.get_by_role("dialog", name="消音", exact=True), desk.page.keyboard
    name, password = dialog.get_by_label("第二人账号"), dialog.get_by_label("第二人密码")
    await expect(dialog.get_by_label("原因")).to_be_focused()
    await keys.type(REASON)
    await keys.press("Enter")
    await expect(dialog.get_by_role("alert")).to_have_text("不能一人决定：请第二人输入账号和密码（或验证码）。")
    for account, typed, told, at in (
        ("wangfang", GOOD, "这是当前登录的账号，第二人须是另一个人。", name),
        ("limin", "not this one", "账号或密码不对，请重新输入。", password),
    ):
        await expect(name).to_be_focused()
        await keys.type(account)
        await keys.press("Tab")
        await keys.type(typed)
        await keys.press("Enter")
        await expect(dialog.get_by_role("alert")).to_have_text(told)
        await expect(at).to_be_focused()
    await expect(speaker(desk)).to_have_attribute("data-sounding", "red")
    await keys.type(GOOD)
    await keys.press("Enter")
    await expect(desk.page.get_by_role("region", name="消音中")).to_contain_text("王芳、李敏")
    await expect(speaker(desk)).to_have_attribute("data-sounding", "")
    signed = [each["data"]["second"] for each in await works.entries("sound.silenced")]
    assert sorted(signed, key=str) == [None, "李敏", "李敏"], "a unit each"
    (proof,) = await works.entries("session.seconded")
    assert (proof["actor"], proof["data"]["by"]) == ("limin", "wangfang")
    await stays_quiet(desk)


async def test_the_loss_of_the_service_sounds_until_it_is_back(works: Works, desks: Desks) -> None:
    desk = await listening(works, desks)
    await expect(speaker(desk)).to_have_attribute("data-sounding", "")
    with works.frozen():
        await expect(desk.page.get_by_role("alert")).to_contain_text("与服务的连接已中断")
        await expect(speaker(desk)).to_have_attribute("data-played", re.compile(r"lost=[1-9]"))
        await expect(speaker(desk)).to_have_attribute("data-level", AUDIBLE)
        await speaker(desk).click()
        panel = desk.page.get_by_role("dialog", name="声音")
        await expect(panel.get_by_text("正在发出中断提示音")).to_be_visible()
    await expect(panel.get_by_text("没有未确认的报警，当前无声。")).to_be_visible()
    await stays_quiet(desk)


class TestADrill:
    @pytest.fixture
    def starting(self, starting: Service) -> Service:
        """With a scenario beside the main file."""
        folder = starting.folder / "drills"
        folder.mkdir(exist_ok=True)
        (folder / "leak.yaml").write_text(SCENARIO, encoding="utf-8")
        return starting

    async def test_sounds_and_is_said_to_be_one(self, works: Works, desks: Desks) -> None:
        desk = await listening(works, desks)
        drill = {"scenario": "leak", "units": ["works/tankfarm"], "leader": "赵刚", "name": "王芳", "circle": []}
        status, started = await works.api.post("/drills", drill)
        assert status == 200, started
        await expect(speaker(desk)).to_have_attribute("data-played", re.compile(r"red=[2-9]"))
        await expect(speaker(desk)).to_have_attribute(
            "data-said", re.compile("^演练，演练。红色警情，测试厂，原料罐区")
        )
        await works.publish(**{"GT-201": 12.5})  # this is real, and takes turns
        await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow red")
        await expect(speaker(desk)).to_have_attribute("data-played", re.compile("yellow=[1-9]"))
        status, _ = await works.api.post(f"/drills/{started['id']}/end", {"name": "王芳", "comment": ""})
        assert status == 200
        await expect(speaker(desk)).to_have_attribute("data-sounding", "yellow")


async def test_keeps_nobody_out(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await expect(desk.page.get_by_text("声音未开启")).to_be_visible()
    await red(works)
    alarm = await until(lambda: works.alarm("GT-101", "H"))
    body = {
        "scope": "alarm",
        "target": str(alarm["id"]),
        "duration": "5min",
        "name": "王芳",
        "second": "李敏",
        "reason": REASON,
    }
    assert (await works.api.post("/sound/silence", body))[0] == 200
    await expect(desk.page.get_by_role("region", name="消音中")).to_be_visible()
    await desk.page.evaluate(AXE(encoding="utf-8"))
    assert await desk.page.evaluate(LOOK) == []
    await desk.tab_to(speaker(desk))
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.get_by_role("dialog", name="声音")).to_be_visible()
    assert await desk.page.evaluate(LOOK) == []
    await desk.button("消音……").click()
    await expect(desk.page.get_by_role("dialog", name="消音", exact=True)).to_be_visible()
    assert await desk.page.evaluate(LOOK) == []


async def test_each_tone_can_be_tried_and_the_volume_is_kept_and_never_nothing(works: Works, desks: Desks) -> None:
    desk = await listening(works, desks)
    await speaker(desk).click()
    panel = desk.page.get_by_role("dialog", name="声音")
    for name, tone in {"红色": "red", "橙色": "orange", "黄色": "yellow", "蓝色": "blue", "连接中断": "lost"}.items():
        await desk.button(name, panel).click()
        await expect(speaker(desk)).to_have_attribute("data-played", re.compile(f"{tone}=1"))
        await expect(speaker(desk)).to_have_attribute("data-level", AUDIBLE)
    await expect(panel.get_by_text("本机没有可用的中文语音")).to_be_visible()  # as in this Chromium
    volume = panel.get_by_role("slider", name="音量")
    await volume.focus()
    await desk.page.keyboard.press("Home")
    await expect(panel.get_by_text("30%")).to_be_visible()
    await desk.page.reload()
    await speaker(desk).click()
    await expect(volume).to_have_value("30")
    await desk.page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)


def speaker(desk: Desk) -> Locator:
    """The loudspeaker of the header, which carries what the engine counts."""
    return desk.page.locator("header [data-sound]")


async def listening(works: Works, desks: Desks) -> Desk:
    """A desk that somebody has clicked at."""
    desk = await desks.open(works.address)
    await desk.settled()
    await desk.page.get_by_text("声音未开启").click()
    await expect(speaker(desk)).to_have_attribute("data-sound", "on")
    return desk


async def red(works: Works) -> None:
    """Two gases at high-high at a first-level major hazard."""
    await works.publish(**{"GT-101": 25.0, "GT-105": 25.0})

    async def is_red() -> bool:
        return any(each["grade"] == "red" for each in await works.api.every("/incidents", state="open"))

    await until(is_red)


async def mute(desk: Desk, name: str, reason: str) -> None:
    """Open the dialog through the loudspeaker, and sign."""
    await speaker(desk).click()
    await desk.button("消音……").click()
    await sign(desk, name, reason)


async def sign(desk: Desk, name: str, reason: str) -> None:
    """Fill the dialog that mutes, and send it."""
    dialog = desk.page.get_by_role("dialog", name="消音", exact=True)
    await dialog.get_by_label("姓名", exact=True).fill(name)
    await dialog.get_by_label("原因").fill(reason)
    await desk.button("消音（Enter）", dialog).click()


async def stays_quiet(desk: Desk) -> None:
    """Longer than red would take to sound again, nothing does."""
    played = await speaker(desk).get_attribute("data-played")
    with pytest.raises(AssertionError):
        await expect(speaker(desk)).not_to_have_attribute("data-played", played or "", timeout=4_000)
