"""Signing in by a name and a password, what ends it, and what each role is offered; the token goes on working."""

import re
import time
from http import HTTPStatus

import pytest
from playwright.async_api import expect

from tests.browser.desk import PAGES, Desks
from tests.browser.people import GOOD, STEP, begin_codes, made, sign_in
from tests.browser.works import Works
from tests.running import TOKEN, until

pytestmark = pytest.mark.browser

HEADING = "登录"
NOT_FOR_ENTERPRISES = {"/handover", "/messages", "/administration", "/accounts"}
BY_MOUSE = """() => {
    for (const kind of ['pointerdown', 'pointermove', 'mousedown', 'touchstart']) {
        addEventListener(kind, () => { window.byMouse = kind; }, true);
    }
}"""


async def test_the_way_of_an_officer_through_a_session(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 12.5})
    first = await made(works, "wangfang", "王芳", "duty_officer", None)
    desk = await desks.open(f"{works.address}#/suppressed", token=None)
    page = desk.page
    await expect(page.get_by_role("heading", name=HEADING, exact=True)).to_be_visible()
    await expect(page.get_by_label("账号", exact=True)).to_be_focused()
    await sign_in(desk, "wangfang", "not this one")
    await expect(page.get_by_role("alert")).to_have_text("账号或密码不对，请重新输入。")

    await sign_in(desk, "wangfang", first)
    await expect(page.get_by_role("heading", name="请先修改初始密码")).to_be_visible()
    await expect(page.locator("nav")).to_have_count(0)
    await page.get_by_label("初始密码", exact=True).fill(first)
    await page.get_by_label("新密码", exact=True).fill("wangfang2026")
    await page.get_by_label("再输入一次新密码").fill("wangfang2026")
    await expect(desk.button("修改密码")).to_be_disabled()
    await page.get_by_label("新密码", exact=True).fill(GOOD)
    await page.get_by_label("再输入一次新密码").fill(GOOD)
    await desk.button("修改密码").click()
    await expect(page.locator("nav")).to_be_visible()
    assert page.url.endswith("#/suppressed")

    who = page.locator(".who > button")
    await expect(who).to_have_text(re.compile("王芳.*值班员"))
    await desk.turn_to("/")
    await desk.row("GT-101").get_by_role("button", name="确认", exact=True).click()
    name = page.get_by_role("dialog").get_by_label("姓名", exact=True)
    await expect(name).to_have_value("王芳")
    await expect(name).to_have_attribute("readonly", "")
    await page.keyboard.press("Enter")
    await expect(desk.row("GT-101")).to_contain_text("已确认王芳")
    [entry] = await works.entries("alarm.acknowledged", "GT-101")
    assert entry["actor"] == "wangfang"

    await page.reload()
    await expect(who).to_contain_text("王芳")
    assert works.service.stop() == 0
    await expect(page.locator("main.outdated")).to_have_count(1)
    works.service.start()
    await works.service.ready()
    await expect(page.locator("main.outdated")).to_have_count(0)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.reload()
    await expect(desk.row("GT-101")).to_be_visible()
    assert await page.evaluate("document.cookie") == ""

    await who.click()
    await desk.button("退出登录").click()
    await expect(page.get_by_role("heading", name=HEADING, exact=True)).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name=HEADING, exact=True)).to_be_visible()
    await expect(page.get_by_text("GT-101")).to_have_count(0)


async def test_a_session_that_an_administrator_ends_leaves_the_page_in_its_place(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 12.5})
    await made(works, "wangfang", "王芳", "duty_officer")
    desk = await desks.open(works.address, token=None)
    page = desk.page
    await sign_in(desk, "wangfang")
    await expect(desk.row("GT-101")).to_be_visible()
    await desk.turn_to("/enterprises/works/tankfarm")
    await expect(desk.tag("GT-101")).to_be_visible()

    status, _ = await works.api.post("/accounts/wangfang/disable", {"reason": "误停"})
    assert status == 200
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("alert")).to_contain_text("本页不是实时的")
    await expect(page.locator("main.outdated")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_visible()
    await sign_in(desk, "wangfang", within=dialog)
    await expect(dialog.get_by_text("账号或密码不对")).to_be_visible()
    await works.api.post("/accounts/wangfang/enable", {"reason": "改正"})
    await sign_in(desk, "wangfang", within=dialog)
    await expect(dialog).to_have_count(0)
    await expect(page.locator("main.outdated")).to_have_count(0)
    await expect(desk.tag("GT-101")).to_be_visible()
    assert page.url.endswith("#/enterprises/works/tankfarm")
    await works.publish(**{"GT-103": 12.5})
    await expect(desk.tag("GT-103")).to_contain_text("12.5")


async def test_a_wall_screen_is_offered_no_acts(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 25.0})
    alarm = await until(lambda: works.alarm("GT-101", "HH"))
    await made(works, "wall", "大屏一", "viewer")
    desk = await desks.open(works.address, token=None)
    page = desk.page
    await sign_in(desk, "wall")
    await expect(page).to_have_url(re.compile("#/wall$"))
    await desk.turn_to("/")
    await expect(desk.page.get_by_text("GT-101").first).to_be_visible()
    await expect(desk.button("确认")).to_have_count(0)
    await expect(page.get_by_role("checkbox", name=re.compile("GT-101"))).to_have_count(0)
    await desk.button("更多").click()
    await expect(page.get_by_role("link", name="网关与拒收")).to_be_visible()
    await expect(page.get_by_role("link", name="台账", exact=True)).to_have_count(0)
    await page.keyboard.press("Escape")
    await desk.turn_to(f"/incidents/{alarm['incident']}")
    await expect(page.get_by_text("大屏不能执行此操作")).to_be_visible()
    await expect(page.locator(".acts button")).to_have_count(0)
    await desk.turn_to("/journal")
    await expect(page.locator("main")).to_have_text(re.compile("^您的角色不能查看台账请找值班员"))  # and nothing else
    await desk.turn_to("/accounts")
    await expect(page.get_by_text("账号由管理员管理")).to_be_visible()
    status, _ = await works.api.post("/accounts/wall/role", {"role": "duty_officer"})
    assert status == 200
    await desk.turn_to("/")
    await expect(desk.button("确认").first).to_be_visible()


async def test_an_enterprise_is_offered_its_pages_and_told_who_sees_the_others(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 12.5})
    await made(works, "zhaomin", "赵敏", "enterprise", enterprise="works")
    desk = await desks.open(works.address, token=None)
    page = desk.page
    await sign_in(desk, "zhaomin")
    await expect(page.locator(".who > button")).to_contain_text("赵敏")
    await desk.button("更多").click()
    offered = {await link.get_attribute("href") for link in await page.locator("header a").all()}
    await page.keyboard.press("Escape")
    forbidden = re.compile("您的(角色|账号)不能|账号由管理员管理")
    for place in [*PAGES.values(), "/accounts"]:
        await desk.turn_to(place)
        if f"#{place}" in offered or place.startswith(("/enterprises/", "/site-plans/")):
            await expect(page.get_by_text(forbidden)).to_have_count(0)
            continue
        assert place in NOT_FOR_ENTERPRISES
        await expect(page.get_by_text(forbidden).first).to_be_visible()
        await expect(page.get_by_text(re.compile("请找|由管理员|请系统管理员")).first).to_be_visible()
    assert not {f"#{place}" for place in NOT_FOR_ENTERPRISES} & offered


async def test_an_officer_needs_no_mouse(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 25.0})
    await made(works, "wangfang", "王芳", "duty_officer", region="370783")
    desk = await desks.open(works.address, token=None)
    page, press, dialog = desk.page, desk.page.keyboard.press, desk.page.get_by_role("dialog")
    await page.evaluate(BY_MOUSE)
    await desk.tab_to(desk.button("English"))
    await press("Enter")
    await desk.tab_to(page.get_by_label("Account", exact=True))
    await page.keyboard.type("wangfang")
    await press("Tab")
    await page.keyboard.type(GOOD)
    await press("Enter")
    await expect(desk.rows).to_have_count(2)

    await press("ArrowDown")
    await expect(page.locator(".cursor")).to_be_focused()
    await press("u")
    await press("a")
    await expect(dialog.get_by_label("Name", exact=True)).to_have_value("王芳")
    await expect(dialog.get_by_label("Comment")).to_be_focused()
    await page.keyboard.type("Patrol sent")
    await press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(desk.row("GT-101", "Acknowledged")).to_have_count(2)
    await press("Enter")
    await expect(page.get_by_role("heading", name="测试厂 · 原料罐区")).to_be_visible()
    acknowledge = desk.button("Acknowledge (desk)")
    await expect(acknowledge).to_be_visible()
    await desk.tab_to(acknowledge)
    await press("Enter")
    await expect(dialog.get_by_label("Comment")).to_be_focused()
    await press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(acknowledge).to_have_count(0)
    entries = await works.entries("incident.acknowledged")
    assert [(entry["actor"], entry["data"]["name"]) for entry in entries] == [("wangfang", "王芳")]

    await desk.tab_to(page.locator(".who > button"))
    await press("Enter")
    await desk.tab_to(desk.button("Sign out"))
    await press("Enter")
    await expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    await expect(page.get_by_label("Account", exact=True)).to_be_focused()
    assert await page.evaluate("window.byMouse ?? ''") == ""


async def test_an_administrator_makes_an_account_and_too_many_wrong_passwords_have_to_wait(
    works: Works, desks: Desks
) -> None:
    await made(works, "chief", "赵刚", "administrator")
    desk = await desks.open(f"{works.address}#/accounts", token=None)
    page, dialog = desk.page, desk.page.get_by_role("dialog")
    await sign_in(desk, "chief")
    await desk.button("新建账号").click()
    await dialog.get_by_label("姓名", exact=True).fill("李娜")
    await dialog.get_by_label("账号", exact=True).fill("李娜")
    await desk.button("新建账号", dialog).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("账号名由字母")
    await dialog.get_by_label("账号", exact=True).fill("lina")
    await dialog.get_by_label("角色").select_option("engineer")
    await dialog.get_by_label("管辖").select_option(label="测试厂")
    await desk.button("新建账号", dialog).click()
    await expect(dialog.get_by_role("heading", name="李娜 的初始密码")).to_be_visible()
    first = await dialog.locator("code").inner_text()
    await desk.button("已转告，关闭", dialog).click()
    await expect(page.get_by_text(first)).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("lina"))
    await expect(row).to_contain_text("初始密码尚未修改")
    await expect(row).to_contain_text("测试厂")

    await desk.button("停用", page.get_by_role("row", name=re.compile("chief"))).click()
    await desk.button("停用", dialog).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("请填写原因")
    await dialog.get_by_label("原因").fill("试")
    await desk.button("停用", dialog).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("最后一位管理员")
    await page.keyboard.press("Escape")
    await desk.button("停用", row).click()
    await dialog.get_by_label("原因").fill("离职")
    await desk.button("停用", dialog).click()
    await expect(row).to_contain_text("已停用")
    [entry] = await works.entries("account.disabled")
    assert (entry["actor"], entry["data"]["reason"]) == ("chief", "离职")

    other = await desks.open(works.address, token=None)
    for _ in range(12):
        async with other.page.expect_response(lambda answer: answer.request.method == "POST") as answer:
            await sign_in(other, "chief", "not this one")
        if (await answer.value).status == HTTPStatus.TOO_MANY_REQUESTS:
            break
    await expect(other.page.get_by_text("错误次数过多")).to_be_visible()
    await expect(other.page.get_by_text(re.compile(r"还需等待 0:0\d"))).to_be_visible()
    await expect(other.button("登录")).to_be_disabled()
    await expect(other.button("登录")).to_be_enabled()


async def test_one_time_codes_are_begun_by_a_picture_and_asked_for(works: Works, desks: Desks) -> None:
    await made(works, "wangfang", "王芳", "duty_officer")
    desk = await desks.open(f"{works.address}#/account", token=None)
    page = desk.page
    await sign_in(desk, "wangfang")
    totp = await begin_codes(desk)
    await page.context.clear_cookies()
    await page.reload()
    await sign_in(desk, "wangfang")
    code = page.get_by_label("一次性验证码")
    await expect(code).to_be_focused()
    await code.fill(totp.at(int(time.time()) + STEP))
    await page.keyboard.press("Enter")
    await expect(page.locator(".who > button")).to_contain_text("王芳")


async def test_a_token_goes_on_working(works: Works, desks: Desks) -> None:
    await works.publish(**{"GT-101": 12.5})
    desk = await desks.open(works.address, token=TOKEN)
    await expect(desk.row("GT-101")).to_be_visible()
    await expect(desk.page.locator(".who > button")).to_have_text(re.compile("tests.*管理员"))
    await desk.turn_to("/account")
    await expect(desk.page.get_by_text("您以令牌访问，没有账号")).to_be_visible()
    await desk.page.locator(".who > button").click()
    await desk.button("不再使用此令牌", desk.page.locator(".menu")).click()
    await expect(desk.page.get_by_role("heading", name=HEADING, exact=True)).to_be_visible()
    await expect(desk.page.get_by_role("alert")).to_have_count(0)
