"""Contacts, plans, rosters, messages, channels, calls back; a revision of the configuration made and restored.

A desk is paged through a receiver of webhooks that works and one that does not exist.
"""

import hashlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from playwright.async_api import FilePayload, Locator, expect

from tests import servers
from tests.browser.conftest import TANK_FARM
from tests.browser.desk import Desk, Desks
from tests.browser.works import Works, main
from tests.office import Receiver, receiver
from tests.running import Service, site_of, until, write_yaml

pytestmark = pytest.mark.browser

VIEWER = "token-of-the-wall"
CONTACTS = """id,name,post,title,organisation,enterprise,region,phone,mail,language,quiet,updated
wang,王芳,duty,值班员,寿光市应急管理局,,370783,13800000001,,zh,,2020-01-01
li,李强,duty,值班员,寿光市应急管理局,,370783,13800000002,,zh,,2099-01-01
control,中控室,operator,内操,测试厂,works,370783,13800000007,,zh,,2099-01-01
safety,钱安,safety_head,安全总监,测试厂,works,370783,,qian@works.example,zh,,2099-01-01
"""
POINTS = "tag,measurand,engineering_unit,low,high,H,HH\nGT-301,h2s,mg/m3,0,100,10,20\n"
SECRET = "a secret that is none"


def response(url: str, nowhere: int) -> dict[str, Any]:
    """Two channels, a roster, and a plan with a call back."""
    signed = {"kind": "webhook", "secret": SECRET, "timeout": "2s", "retries": 1}
    return {
        "contacts": "contacts.csv",
        "channels": [
            {"id": "sms", "name": "短信网关", "url": f"{url}?to={{phone}}", **signed},
            {"id": "mail", "name": "邮件网关", "url": f"http://127.0.0.1:{nowhere}/?to={{mail}}", **signed},
        ],
        "rosters": [
            {
                "id": "county",
                "name": "寿光市值班",
                "post": "duty",
                "region": "370783",
                "start": "2026-01-01",
                "shifts": [{"id": "all", "name": "全天", "begin": "08:00", "end": "08:00"}],
                "rotation": ["wang"],
            }
        ],
        "plans": [
            {
                "id": "leak",
                "name": "硫化氢橙色",
                "grades": ["orange"],
                "hazards": ["h2s"],
                "acknowledge": "15min",
                "feedback": "1h",
                "acknowledged_by": "both",
                "call_back": "2min",
                "steps": [
                    {"who": {"post": "safety_head"}},
                    {
                        "who": {"post": "duty", "of": "county"},
                        "by": ["sms", "mail"],
                        "within": "10min",
                        "then": [{"who": {"contact": "li"}}],
                    },
                ],
            }
        ],
    }


@pytest.fixture
def site() -> dict[str, Any]:
    """A tank farm, and a store whose tags stand in a table."""
    store = {"id": "store", "name": "库房", "tag_tables": ["points/store.csv"]}
    return site_of([{**TANK_FARM, "hazard_level": 2}, store])


@pytest.fixture
async def sms() -> AsyncIterator[Receiver]:
    """Takes short messages."""
    async with receiver() as found:
        yield found


@pytest.fixture
async def starting(
    broker: servers.Broker, tmp_path: Path, site: dict[str, Any], sms: Receiver
) -> AsyncIterator[Service]:
    """The service, with whom it tells and by what."""
    settings = main(broker)
    viewer = {"name": "wall", "sha256": hashlib.sha256(VIEWER.encode()).hexdigest(), "role": "viewer"}
    settings |= {"response": "response.yaml", "tokens": [*settings["tokens"], viewer]}
    service = Service.configured(tmp_path / "served", settings, site)
    write_yaml(service.folder / "response.yaml", response(sms.url, servers.free_port()))
    (service.folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    (service.folder / "points").mkdir()
    (service.folder / "points" / "store.csv").write_text(POINTS, encoding="utf-8")
    service.start()
    try:
        yield service
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


async def test_who_is_told_and_what_is_watched(works: Works, desks: Desks, sms: Receiver) -> None:
    desk = await desks.open(works.address, permissions=["clipboard-read", "clipboard-write"])
    await works.publish(**{"GT-101": 25.0})
    await people(desk)
    await plans(desk)
    await messages(desk, sms)
    await read(desk, works)
    await revisions(desk, works)
    wall = await desks.open(works.address, token=VIEWER)
    for place, said in (
        ("/contacts", "不能查看通讯录"),
        ("/messages", "不能查看通知"),
        ("/administration", "不能查看配置"),
    ):
        await wall.turn_to(place)
        await expect(wall.page.get_by_text(said)).to_be_visible()


async def people(desk: Desk) -> None:
    """Who is on duty; somebody is found and rung; the directory goes out and is looked at before it comes in."""
    await desk.button("更多").click()
    await desk.page.get_by_role("link", name="通讯录与值班").click()
    duty = desk.page.get_by_role("region", name="现在谁在值班")
    await expect(duty.get_by_role("listitem")).to_contain_text("王芳")
    await desk.button("13800000001", duty).click()
    await expect(duty.get_by_text("已复制")).to_be_visible()
    assert await desk.page.evaluate("navigator.clipboard.readText()") == "13800000001"
    directory = desk.page.get_by_role("region", name="通讯录", exact=True)
    rows = directory.locator("tbody tr")
    await expect(rows).to_have_count(4)
    await directory.get_by_label("查找联系人").fill("测试厂 0007")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("中控室")
    await directory.get_by_label("查找联系人").fill("无此人")
    await desk.button("显示全部").click()
    await directory.get_by_label("只看待核对").check()
    await expect(rows).to_contain_text("王芳")
    async with desk.page.expect_download() as download:
        await desk.button("导出 xlsx").click()
    assert (await download.value).suggested_filename == "contacts.xlsx"

    check = desk.page.get_by_role("region", name="检查通讯录文件")
    await check.locator("input").set_input_files(
        text("new.csv", CONTACTS.replace("safety,", ",").replace("0007", "0008"))
    )
    await expect(check.get_by_role("row").nth(1)).to_contain_text("第 5 行")
    await expect(check.get_by_text("改变 1")).to_be_visible()
    assert await desk.too_wide() == []


async def plans(desk: Desk) -> None:
    """The ladder of a plan, the week, and a card."""
    await desk.turn_to("/plans")
    plan = desk.page.get_by_role("article", name="硫化氢橙色")
    await expect(plan.get_by_role("listitem")).to_contain_text(
        ["立即", "2 分钟", "10 分钟", "15 分钟", "15 分钟", "1 小时"]
    )
    await expect(plan.get_by_role("listitem").nth(2)).to_contain_text("李强 依次用所有渠道 （若县级的值班尚未确认）")
    await expect(plan.get_by_role("img")).to_be_visible()
    await desk.page.get_by_role("link", name="值班表", exact=True).click()
    await expect(desk.page.locator(".turn.now")).to_contain_text("王芳")
    await desk.button("下一周 →").click(click_count=2)  # a shift of Sunday goes on into Monday
    await expect(desk.page.locator(".turn.now")).to_have_count(0)
    await desk.page.get_by_role("link", name="处置卡", exact=True).click()
    await desk.page.get_by_role("button", name="硫化氢泄漏").click()
    await expect(desk.page.get_by_role("heading", name="硫化氢泄漏")).to_be_visible()


async def read(desk: Desk, works: Works) -> None:
    """The open page of an incident tells at once that a message has been read."""
    items = (await works.api.get("/messages", state="delivered"))["items"]
    message = next(each for each in items if each["name"] == "王芳")
    await desk.turn_to(f"/incidents/{message['incident']}")
    told = desk.page.get_by_role("region", name="通知", exact=True).get_by_role("row").filter(has_text="王芳").first
    await expect(told).to_contain_text("已送达")
    await works.api.post(f"/messages/{message['id']}/receipt", {"state": "read"})
    await expect(told).to_contain_text("已读")


async def messages(desk: Desk, sms: Receiver) -> None:
    """Who has not been reached and why; a channel that works and one that does not; the site is called back."""
    await desk.turn_to("/messages")
    sent = desk.page.get_by_role("region", name="通知", exact=True)
    await expect(sent.get_by_role("row").filter(has_text="王芳")).to_contain_text("已送达")
    await sent.get_by_label("只看").select_option("undelivered")
    lost = sent.get_by_role("row").filter(has_text="钱安")
    await expect(lost).to_contain_text("连不上对方服务")
    await expect(sent.get_by_role("row").filter(has_text="王芳")).to_have_count(0)
    await desk.button("详情", lost).click()
    await expect(sent.get_by_text("各渠道都已失败一次")).to_be_visible()
    await desk.page.reload()  # what is shown is kept in the address
    await expect(lost.get_by_role("link", name="警情")).to_be_visible()

    got = len(sms.got)
    channels = desk.page.get_by_role("region", name="渠道", exact=True)
    dialog = desk.page.get_by_role("dialog")
    for channel, said in (("短信网关", "渠道已接收"), ("邮件网关", "连不上对方服务")):
        await desk.button("测试", channels.get_by_role("row").filter(has_text=channel)).click()
        await dialog.get_by_label("发给").fill("13900000000")
        await dialog.get_by_label("姓名").fill("王芳")
        await desk.button("发出测试", dialog).click()
        await expect(dialog).to_contain_text(said)
        await desk.button("关闭（Esc）", dialog).click()
    assert any(body["data"].get("test") for body in sms.bodies[got:])

    await lost.get_by_role("link", name="警情").click()
    await expect(sent.get_by_role("row").filter(has_text="王芳")).to_contain_text("13800000001")
    await expect(sent.get_by_role("row").filter(has_text="钱安")).to_contain_text("未送达")
    await expect(sent).to_contain_text("连不上对方服务")
    await expect(desk.page.get_by_role("region", name="经过")).to_contain_text("消息送达王芳短信网关")
    calls = desk.page.get_by_role("region", name="待回呼")
    await expect(calls.get_by_role("button", name="13800000007")).to_be_visible()  # whom to call
    await desk.button("已回呼", calls).click()
    await desk.sign("王芳", "中控室已确认切断")
    await expect(calls).to_have_count(0)
    await desk.turn_to("/messages")
    await expect(calls.get_by_text("没有待回呼的现场")).to_be_visible()


async def revisions(desk: Desk, works: Works) -> None:
    """A document is read; faults are told by their places; a change is looked at, made, and taken back."""
    await desk.turn_to("/administration")
    await expect(desk.page.get_by_text("一切正常")).to_be_visible()
    await desk.page.get_by_role("link", name="配置文件").click()
    await desk.page.get_by_role("button", name="points/store.csv").click()
    line = desk.page.get_by_role("article", name="points/store.csv").get_by_role("row").nth(1)
    await expect(line).to_contain_text("2")
    await expect(line).to_contain_text("GT-301,h2s,mg/m3")

    await desk.page.get_by_role("link", name="上传与生效").click()
    change = desk.page.get_by_role("region", name="上传与生效")
    await choose(desk, change, workbook("=5+5"))
    fault = change.get_by_role("row").nth(1)
    await expect(fault).to_contain_text("单元格 F2")
    await expect(change.get_by_role("button", name="生效")).to_have_count(0)
    await choose(desk, change, workbook(12))
    await expect(difference(change)).to_contain_text(["10", "12"])
    assert await setpoint(works) == 10
    await desk.button("生效", change).click()
    dialog = desk.page.get_by_role("dialog")
    await desk.sign("王芳", "")
    await expect(dialog.get_by_role("alert")).to_contain_text("请填写原因")
    await desk.page.keyboard.type("限值复核")
    await desk.page.keyboard.press("Enter")
    await expect(change.get_by_text("修订版 2 已生效")).to_be_visible()
    assert await setpoint(works) == 12

    await desk.page.get_by_role("link", name="看它改变了什么").click()
    made = desk.page.get_by_role("article", name="修订版 2")
    await expect(made).to_contain_text("王芳")
    await expect(made).to_contain_text("限值复核")
    await expect(difference(made)).to_contain_text(["10", "12"])
    assert await desk.too_wide() == []
    await desk.page.get_by_role("link", name="修订版 1").click()
    await desk.button("恢复到此版", desk.page.get_by_role("article", name="修订版 1")).click()
    await expect(difference(dialog)).to_contain_text(["12", "10"])
    await desk.sign("王芳", "复核有误")
    await expect(desk.page.get_by_text("修订版 3 已生效")).to_be_visible()
    await expect(desk.page.get_by_role("article", name="修订版 3")).to_contain_text("复核有误")

    async def restored() -> bool:
        return await setpoint(works) == 10

    await until(restored)


def text(name: str, content: str) -> FilePayload:
    """A file of the browser's computer."""
    return {"name": name, "mimeType": "text/plain", "buffer": content.encode()}


def workbook(high: object) -> FilePayload:
    """The store's table in Excel, with another high limit."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "store"
    header, row = (line.split(",") for line in POINTS.split())
    sheet.append(header)
    sheet.append([*row[:3], 0, 100, high, 20])
    content = BytesIO()
    book.save(content)
    return {"name": "points.xlsx", "mimeType": "application/octet-stream", "buffer": content.getvalue()}


async def choose(desk: Desk, change: Locator, file: FilePayload) -> None:
    """Choose a file and have it checked."""
    await change.locator("input[type=file]").set_input_files(file)
    await desk.button("检查", change).click()


def difference(within: Locator) -> Locator:
    """The old and the new value of the store's high limit."""
    return within.get_by_role("row").filter(has_text="works/GT-301/H").locator("td:nth-child(n + 3)")


async def setpoint(works: Works) -> float:
    """The store's high limit that holds."""
    (tag,) = (await works.api.get("/tuning/rules", enterprise="works", unit="store"))["items"]
    (rule,) = [rule for rule in tag["rules"] if rule["key"] == "H"]
    found: float = rule["setpoint"]
    return found
