"""The closed loop of an orange incident, clicked through by two people; shelves; drills; a flood with gas on top."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.async_api import expect

from tests.browser.conftest import TANK_FARM
from tests.browser.desk import Desk, Desks
from tests.browser.works import GATEWAY, Works, gas_tag
from tests.running import Service, site_of, until

pytestmark = pytest.mark.browser

SILENT = [f"TI-{number}" for number in range(1, 25)]
LEAKING = [f"GT-{number}" for number in range(201, 213)]
SCENARIO = """
name: 罐泵区泄漏
units: [works/tankfarm]
duration: 10min
steps:
  - {at: 0s, tag: works/GT-101, value: 15}
expected: []
"""
PICTURE = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def site() -> dict[str, Any]:
    """A tank farm none of whose tags falls silent meanwhile."""
    return site_of([{**TANK_FARM, "hazard_level": 2}])


async def test_an_orange_incident_is_handled_by_two_people(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await works.publish(**{"GT-101": 25.0})
    card = desk.page.get_by_role("link").filter(has_text="测试厂 · 原料罐区")
    await expect(card).to_contain_text("橙")
    await card.click()
    loop = desk.page.get_by_role("region", name="闭环处置")
    await expect(loop.get_by_text("确认时限")).to_be_visible()
    await expect(loop.get_by_text("还剩 4 分", exact=False)).to_be_visible()
    await expect(desk.page.get_by_role("heading", name="硫化氢泄漏").first).to_be_visible()

    await desk.do("值班席确认", "王芳", "已看到")
    await desk.button("代企业确认").click()
    await desk.page.get_by_role("dialog").get_by_label("企业人员姓名（电话确认时）").fill("赵刚")
    await desk.button("提交（Enter）").click()
    await expect(loop.get_by_text("王芳 代录")).to_be_visible()

    await desk.button("核实").click()
    dialog = desk.page.get_by_role("dialog")
    await dialog.get_by_label("误报").check()
    await expect(dialog.get_by_text("橙色和红色警情判为误报须第二人确认")).to_be_visible()
    await dialog.get_by_label("核实情况").fill("疑似仪表漂移")
    await desk.button("提交（Enter）", dialog).click()
    await expect(loop.get_by_text("王芳 提议“误报”，等待第二人确认")).to_be_visible()
    await desk.button("第二人确认").click()
    await desk.button("提交（Enter）", dialog).click()  # the same person
    await expect(dialog.get_by_role("alert")).to_contain_text("王芳 已是其中一人")
    await desk.page.keyboard.press("Escape")
    await desk.do("驳回提议", "李敏", "现场闻到气味")

    await desk.do("核实", "王芳", "P-101 机封泄漏")
    await desk.do("登记处置", "赵刚", "停泵，关闭进出口阀")
    await desk.page.locator("input[type=file]").set_input_files(
        {"name": "现场.pdf", "mimeType": "application/pdf", "buffer": PICTURE}
    )
    await expect(desk.button("现场.pdf")).to_be_visible()
    await desk.do("反馈", "赵刚", "泄漏已止")
    await works.publish(**{"GT-101": 1.0})
    await desk.button("全部确认（2）").click()
    await dialog.get_by_label("姓名", exact=True).fill("王芳")
    await desk.button("确认（Enter）", dialog).click()
    await expect(dialog).to_have_count(0)
    await expect(desk.button("关闭警情")).to_have_count(0)
    await desk.do("复核", "李敏", "同意")
    await desk.do("关闭警情", "王芳", "机封更换完毕")
    await expect(desk.page.get_by_text("由 王芳 关闭：机封更换完毕")).to_be_visible()
    await desk.do("归档", "王芳", "")
    await expect(loop.locator("li.here")).to_have_text("已归档")
    (incident,) = (await works.api.get("/incidents", unit="tankfarm"))["items"]
    assert incident["state"] == "archived"
    assert incident["verification"]["result"] == "real"
    assert incident["enterprise_acknowledgement"]["name"] == "赵刚"


async def test_a_shelved_alarm_leaves_the_watch_and_comes_back(works: Works, desks: Desks) -> None:
    desk = await desks.open(works.address)
    await works.publish(**{"GT-101": 12.0, "GT-105": 12.0})
    await expect(desk.rows).to_have_count(2)
    await shelve(desk, "GT-105", "探头校验")
    await desk.page.mouse.move(0, 0)
    await expect(desk.rows).to_have_count(1)
    await desk.page.get_by_role("link", name="搁置与停用 1 条").click()
    row = desk.page.get_by_role("row").filter(has_text="GT-105")
    await expect(row).to_contain_text("探头校验")
    await expect(row).to_contain_text("王芳")
    await desk.button("取消搁置", row).click()
    await desk.button("取消搁置（Enter）").click()
    await expect(desk.page.get_by_text("当前没有被搁置或停用的报警")).to_be_visible()
    await desk.turn_to("/")
    await expect(desk.row("GT-105").locator(".state")).to_contain_text("未确认")

    await works.publish(**{"GT-101": 25.0, "GT-103": 25.0})
    await expect(desk.page.locator(".card")).to_contain_text("红")
    await desk.button("GT-105：备注或搁置").click()
    dialog = desk.page.get_by_role("dialog")
    await expect(dialog.get_by_label("搁置", exact=True)).to_be_disabled()
    await expect(dialog).to_contain_text("红色警情中的报警不能搁置")
    await desk.page.keyboard.press("Escape")

    await desk.page.get_by_role("checkbox", name="选择 GT-105").check()
    await desk.button("全选未确认（5）").click()
    await desk.button("确认所选").click()
    await desk.button("确认（Enter）", dialog).click()
    await expect(dialog).to_have_count(0)
    acknowledged = await works.entries("alarm.acknowledged")
    assert len(acknowledged) == 5


async def shelve(desk: Desk, tag: str, reason: str) -> None:
    await desk.button(f"{tag}：备注或搁置").click()
    dialog = desk.page.get_by_role("dialog")
    await dialog.get_by_label("搁置", exact=True).check()
    await dialog.get_by_label("姓名", exact=True).fill("王芳")
    await dialog.get_by_label("原因").fill(reason)
    await desk.button("搁置（Enter）", dialog).click()
    await expect(dialog).to_have_count(0)


class TestAFlood:
    @pytest.fixture
    def site(self) -> dict[str, Any]:
        """A tank farm, and behind another gateway a unit whose tags are silent when it is lost."""
        slow = {"measurand": "temperature", "engineering_unit": "degC", "gateway": "gw2", "period": "1s", "bad": "off"}
        farm = {**TANK_FARM, "hazard_level": 2}
        pumps: dict[str, Any] = {"id": "pumps", "name": "泵房", "tags": [gas_tag(tag, "泵房硫化氢") for tag in LEAKING]}
        reactor: dict[str, Any] = {
            "id": "reactor",
            "name": "反应装置",
            "tags": [{"tag": tag, **slow} for tag in SILENT],
        }
        units = [
            {**unit, "tags": [{"gateway": "gw1", **tag} for tag in unit["tags"]]} for unit in (farm, pumps, reactor)
        ]
        return site_of(units, gateways=[{"id": "gw1", "name": "网关一"}, {"id": "gw2", "name": "网关二"}])

    async def test_is_told_by_unit_with_the_gas_on_top(self, works: Works, desks: Desks, tmp_path: Path) -> None:
        desk = await desks.open(works.address)
        other = GATEWAY.replace("gw1", "gw2")
        await works.send_to(f"{other}/status", orjson.dumps({"online": True}))
        await works.send_to(f"{other}/data", works.payload(**dict.fromkeys(SILENT, 20.0)))
        await works.send_to(f"{other}/status", orjson.dumps({"online": False}))
        folded = desk.page.locator(".group").filter(has_text="因网关 gw2 离线")
        await expect(folded).to_contain_text(f"{len(SILENT) + 1} 条报警")
        await expect(desk.rows).to_have_count(0)
        await folded.get_by_role("button").click()
        await expect(desk.rows.first).to_be_visible()
        await folded.get_by_role("button").click()
        await desk.page.mouse.move(0, 0)  # nothing moves while it points at the page

        await works.publish(**dict.fromkeys(LEAKING, 15.0), **{"GT-101": 25.0})  # more than ten within ten minutes
        await expect(desk.page.get_by_role("status").filter(has_text="报警泛滥")).to_be_visible()
        top = desk.page.get_by_role("listitem").first
        await expect(top).to_contain_text("GT-101")
        await expect(top).to_contain_text("HH 高高限")
        await expect(desk.page.locator(".group").filter(has_text="泵房")).to_contain_text("12 条工艺报警")
        await expect(folded).to_be_visible()
        await expect(desk.rows).to_have_count(2)  # GT-101: H and HH
        await desk.page.screenshot(path=tmp_path / "flood.png")


class TestADrill:
    @pytest.fixture
    def starting(self, starting: Service) -> Service:
        """With a scenario beside the main file."""
        folder = starting.folder / "drills"
        folder.mkdir(exist_ok=True)
        (folder / "leak.yaml").write_text(SCENARIO, encoding="utf-8")
        return starting

    async def test_is_marked_everywhere(self, works: Works, desks: Desks) -> None:
        desk = await desks.open(works.address)
        await desk.turn_to("/drills")
        await desk.button("开始演练").click()
        dialog = desk.page.get_by_role("dialog")
        await dialog.get_by_label("姓名", exact=True).fill("王芳")
        await desk.button("开始演练", dialog).click()
        await expect(desk.page.locator(".running")).to_contain_text("【演练】DRILL")
        await desk.turn_to("/")
        row = desk.row("GT-101", "【演练】DRILL")
        await expect(row).to_contain_text("H 高限")
        await expect(desk.page.locator(".card")).to_contain_text("【演练】DRILL")
        await expect(desk.page.locator(".tile.empty")).to_have_count(4)  # nothing of it is counted
        await desk.page.locator(".card").click()
        await expect(desk.page.locator(".head")).to_contain_text("【演练】DRILL")
        await desk.turn_to("/drills")
        await desk.button("结束演练").click()
        await desk.button("结束演练", dialog).click()
        await expect(desk.button("下载报告")).to_be_visible()

        async def ended() -> bool:
            return not await works.api.every("/alarms", active="true")

        await until(ended)
