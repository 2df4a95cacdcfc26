"""People with accounts of two counties: an incident from alarm to archive, who sees nothing of it; a lost network."""

import json
import re
import time
from typing import Any

import orjson
import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import TANK_FARM
from tests.browser.desk import Desk, Desks
from tests.browser.people import GOOD, STEP, Person, begin_codes, person
from tests.browser.relay import relay_to
from tests.browser.works import Works, gas_tag
from tests.running import site_of, until

pytestmark = pytest.mark.browser

PICTURE = b"%PDF-1.4\n%%EOF\n"
NEIGHBOUR = {
    "id": "dyes",
    "name": "邻县染料厂",
    "region": "370785",
    "gateways": [{"id": "gw1", "name": "网关"}],
    "units": [{"id": "vats", "name": "染缸间", "tags": [gas_tag("XT-1", "染缸硫化氢")]}],
}
OF_THE_WORKS = ("GT-101", "测试厂", "原料罐区", "硫化氢泄漏", "王芳")


@pytest.fixture
def site() -> dict[str, Any]:
    """Two enterprises in two counties of a city."""
    site = site_of([{**TANK_FARM, "hazard_level": 2}])
    site["regions"] = [
        {"code": "370700", "name": "潍坊市"},
        {"code": "370783", "name": "寿光市", "parent": "370700"},
        {"code": "370785", "name": "高密市", "parent": "370700"},
    ]
    site["enterprises"].append(NEIGHBOUR)
    return site


async def test_an_incident_is_closed_by_the_people_of_its_county_and_unknown_in_the_next(
    works: Works, desks: Desks
) -> None:
    officer = await person(works, desks, "wangfang", "王芳", "duty_officer", region="370783")
    staff = await person(works, desks, "zhaogang", "赵刚", "enterprise", enterprise="works")
    chief = await person(works, desks, "limin", "李敏", "supervisor", region="370700")
    stranger = await person(works, desks, "sunli", "孙丽", "duty_officer", region="370785")
    await chief.desk.turn_to("/account")
    codes = await begin_codes(chief.desk)
    await chief.desk.turn_to("/")
    for one in (officer, staff, chief, stranger):
        await expect(one.desk.page.get_by_text("当前没有报警")).to_be_visible()

    await works.publish(**{"GT-101": 25.0})
    for one in (officer, staff, chief):
        card = one.desk.page.get_by_role("link").filter(has_text="测试厂 · 原料罐区")
        await expect(card).to_contain_text("橙")
        await card.click()
        await expect(loop(one)).to_contain_text("确认时限")
    (incident,) = (await works.api.get("/incidents"))["items"]
    await expect(staff.desk.button("企业确认")).to_be_visible()
    await expect(staff.desk.button("值班席确认")).to_have_count(0)  # that is the desk's

    await officer.do("值班席确认", "已看到")
    for one in (staff, chief):
        await expect(loop(one)).to_contain_text(re.compile(r"值班席\s*王芳"))
    await expect(staff.desk.button("核实")).to_have_count(0)
    await expect(staff.desk.button("关闭警情")).to_have_count(0)
    await staff.do("企业确认", "已通知现场")
    for one in (officer, chief):
        await expect(loop(one)).to_contain_text(re.compile(r"企业\s*赵刚"))
    await officer.do("核实", "P-101 机封泄漏")
    await expect(loop(staff)).to_contain_text("属实")
    await staff.do("登记处置", "停泵，关闭进出口阀")
    await staff.desk.page.locator("input[type=file]").set_input_files(
        {"name": "现场.pdf", "mimeType": "application/pdf", "buffer": PICTURE}
    )
    await staff.do("反馈", "泄漏已止")
    for one in (officer, chief):
        await expect(loop(one)).to_contain_text("停泵，关闭进出口阀")
        await expect(loop(one)).to_contain_text("泄漏已止")
        await expect(one.desk.button("现场.pdf")).to_be_visible()

    await works.publish(**{"GT-101": 1.0})
    page, dialog = officer.desk.page, officer.desk.page.get_by_role("dialog")
    await officer.desk.button("全部确认（2）").click()
    await officer.desk.button("确认（Enter）", dialog).click()
    await expect(dialog).to_have_count(0)
    await signed(chief, "复核", "同意", codes.at)
    await expect(loop(officer)).to_contain_text("李敏")
    await officer.act("关闭警情", "机封更换完毕")
    signature = page.get_by_role("dialog", name="请再次证明是本人")
    await expect(signature.get_by_label("登录密码", exact=True)).to_be_focused()
    await page.keyboard.type("not this one")
    await page.keyboard.press("Enter")
    await expect(signature.get_by_role("alert")).to_contain_text("密码不对，请重新输入")
    await page.keyboard.press("Escape")
    await expect(signature).to_have_count(0)
    await expect(dialog.get_by_role("alert")).to_have_text("未签字，操作没有提交。")
    await expect(dialog.get_by_role("textbox").last).to_have_value("机封更换完毕")
    await expect(loop(officer).locator("li.here")).to_have_text("已复核")
    await officer.desk.button("提交（Enter）", dialog).click()
    await signature.get_by_label("登录密码", exact=True).fill(GOOD)
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    for one in (officer, staff, chief):
        await expect(one.desk.page.get_by_text("由 王芳 关闭：机封更换完毕")).to_be_visible()
    await chief.do("归档")
    for one in (officer, staff):
        await expect(loop(one).locator("li.here")).to_have_text("已归档")
    acts = {entry["kind"]: (entry["actor"], entry["data"]["name"]) for entry in await acts_on(works, incident["id"])}
    assert acts["incident.fed_back"] == ("zhaogang", "赵刚")
    assert (acts["incident.reviewed"], acts["incident.closed"]) == (("limin", "李敏"), ("wangfang", "王芳"))
    await sees_nothing(works, stranger, incident["id"])


async def signed(one: Person, act: str, words: str, code_at: Any) -> None:
    """An act by somebody with one-time codes: a wrong password, a wrong code, then a right one."""
    await one.act(act, words)
    page = one.desk.page
    signature = page.get_by_role("dialog", name="请再次证明是本人")
    code = signature.get_by_label("六位验证码", exact=True)
    await expect(code).to_be_focused()
    await one.desk.button("改用登录密码", signature).click()
    await signature.get_by_label("登录密码", exact=True).fill("not this one")
    await page.keyboard.press("Enter")
    await expect(signature.get_by_role("alert")).to_contain_text("密码不对，请重新输入")
    await one.desk.button("改用一次性验证码", signature).click()
    await expect(signature.get_by_role("alert")).to_have_count(0)
    await expect(code).to_be_focused()
    await page.keyboard.type(code_at(int(time.time()) - 100 * STEP))
    await page.keyboard.press("Enter")
    await expect(signature.get_by_role("alert")).to_contain_text("验证码不对或已用过")
    await expect(code).to_be_focused()
    await page.keyboard.type(code_at(int(time.time()) + STEP))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def sees_nothing(works: Works, one: Person, incident: int) -> None:
    """Neither on the watch, nor live, nor by address; what there is to do is said."""
    page = one.desk.page
    await expect(page.get_by_text("当前没有报警")).to_be_visible()
    last = max(entry["sequence"] for entry in await works.api.every("/journal"))

    async def has_passed() -> bool:
        return any(json.loads(frame).get("sequence") == last for frame in one.frames)

    await until(has_passed)
    told = "\n".join(one.frames)
    assert '"beyond"' in told
    assert [text for text in OF_THE_WORKS if text in told] == []
    await one.desk.turn_to(f"/incidents/{incident}")
    await expect(page.get_by_text(f"没有编号为 {incident} 的警情，或您的账号看不到它")).to_be_visible()
    await expect(page.get_by_text("请核对编号")).to_be_visible()
    await one.desk.turn_to("/enterprises/works/tankfarm")
    await expect(page.get_by_text("没有这家企业，或您的账号看不到它")).to_be_visible()
    for place in ("/", "/enterprises", "/journal", "/map", "/gateways", "/suppressed", "/wall"):
        await one.desk.turn_to(place)
        texts = "\n".join(await one.desk.texts())
        assert [text for text in OF_THE_WORKS if text in texts] == [], place
    await page.reload()
    await one.desk.turn_to("/")
    await send(works, 12.5)
    await expect(one.desk.row("XT-1", "邻县染料厂")).to_be_visible()


async def acts_on(works: Works, incident: int) -> list[dict[str, Any]]:
    """What people did to it."""
    found = await works.api.every("/journal", incident=incident)
    return [entry for entry in found if "name" in entry["data"]]


async def test_a_lost_network_is_told_and_what_was_missed_is_what_the_account_may_see(
    works: Works, desks: Desks
) -> None:
    async with relay_to(works.service.port) as network:
        address = f"http://127.0.0.1:{network.port}/"
        officer = await person(works, desks, "wangfang", "王芳", "duty_officer", address=address, region="370783")
        stranger = await person(works, desks, "sunli", "孙丽", "duty_officer", address=address, region="370785")
        await works.publish(**{"GT-101": 12.5})
        await expect(officer.desk.row("GT-101")).to_be_visible()
        sound = officer.desk.page.locator("header [data-sound]")
        await expect(sound).to_have_attribute("data-sound", "on")  # signing in has opened it
        loaded: list[str] = []
        for one in (officer, stranger):
            one.desk.page.on("request", lambda request: loaded.append(request.url))
            await expect(one.desk.page.locator("main")).to_have_css("filter", "none")

        network.stall()  # nothing tells the browsers: they have to notice
        for one in (officer, stranger):
            await expect(lost(one.desk)).to_contain_text("与服务的连接已中断")
            await expect(one.desk.page.locator("main")).to_have_css("filter", "grayscale(1)")
            await expect(one.desk.page).to_have_title(re.compile("连接中断"))
        await expect(sound).to_have_attribute("data-played", re.compile(r"lost=[1-9]"))
        await expect(sound).to_have_attribute("data-level", re.compile(r"^(0\.[1-9]|[1-9])"))
        await works.publish(**{"GT-105": 25.0})
        await until(lambda: works.alarm("GT-105", "HH"))
        await network.mend()
        notice = officer.desk.page.get_by_role("status").filter(has_text="连接已恢复")
        await expect(notice).to_contain_text("新报警 2 条")
        await expect(notice).to_contain_text("最高等级 橙色")  # the incident's: its alarms are yellow
        await expect(officer.desk.row("GT-105", "HH 高高限")).to_be_visible()
        await expect(stranger.desk.page.get_by_text("连接已恢复。中断期间没有新报警。")).to_be_visible()
        await expect(stranger.desk.page.get_by_text("当前没有报警")).to_be_visible()

        # Each has taken up where it was, also by entries that were not for it: no list was loaded again.
        assert [url for url in loaded if re.search(r"/api/v1/(alarms|incidents)\b", url)] == []
        for one in (officer, stranger):
            since = [int(found) for url in one.addresses for found in re.findall(r"since=(\d+)", url)]
            assert since, one.name
            assert since[-1] >= (await works.entries("alarm.entered", "GT-101"))[-1]["sequence"], one.name

        # Another cut, refused this time; who has signed in stays so.
        await network.cut()
        for one in (officer, stranger):
            await expect(lost(one.desk)).to_be_visible()
        await send(works, 25.0)
        await until(lambda: works.alarm("XT-1", "HH"))
        await network.mend()
        await expect(stranger.desk.row("XT-1", "HH 高高限")).to_be_visible()
        await expect(stranger.desk.page.get_by_text("新报警 2 条")).to_be_visible()
        for one in (officer, stranger):
            await expect(lost(one.desk)).to_have_count(0)
            await expect(one.desk.page.locator("main")).to_have_css("filter", "none")
            await one.desk.page.context.close()


async def send(works: Works, value: float) -> None:
    """A reading of the neighbour's."""
    payload = {"ts": time.time_ns() // 1_000_000, "values": {"XT-1": value}}
    await works.send_to("anshao/v1/dyes/gw1/data", orjson.dumps(payload))


def loop(one: Person) -> Locator:
    """An incident's closed loop."""
    return one.desk.page.get_by_role("region", name="闭环处置")


def lost(desk: Desk) -> Locator:
    """That the service is lost."""
    return desk.page.get_by_role("alert")
