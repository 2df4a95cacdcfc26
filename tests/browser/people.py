"""Accounts of people, and how each signs in at a browser of his own."""

import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pyotp
from playwright.async_api import Locator, expect

from tests.browser.desk import Desk, Desks
from tests.browser.works import Works

GOOD = "three calm herons"
"""A password that somebody has chosen."""
STEP = 30
"""Seconds of a one-time code."""


async def made(works: Works, name: str, display_name: str, role: str, password: str | None = GOOD, **bound: str) -> str:
    """An account whose first password is changed already; its first password where ``password`` is None."""
    body = {"name": name, "display_name": display_name, "role": role, **bound}
    status, answer = await works.api.post("/accounts", body)
    assert status == 200, answer
    first: str = answer["first_password"]
    if password is not None:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as own:
            url = f"{works.service.url}/session"
            async with own.post(url, json={"name": name, "password": first}) as answer:
                header = {"AnShao-CSRF": (await answer.json())["csrf"]}
            change = {"password": first, "new_password": password}
            async with own.post(f"{url}/password", json=change, headers=header) as answer:
                assert answer.status == 200, await answer.text()
    return first


async def sign_in(desk: Desk, name: str, password: str = GOOD, within: Locator | None = None) -> None:
    """Fill the form and send it by the Enter key."""
    place = within or desk.page.locator("main")
    await place.get_by_label("账号", exact=True).fill(name)
    await place.get_by_label("密码", exact=True).fill(password)
    await desk.page.keyboard.press("Enter")


async def begin_codes(desk: Desk) -> pyotp.TOTP:
    """Ask for one-time codes on the page of the own account. The first code is of the step before this one."""
    page = desk.page
    codes = page.locator("section", has=page.get_by_role("heading", name="一次性验证码"))
    await codes.get_by_label("现在的密码").fill(GOOD)
    await desk.button("启用", codes).click()
    await expect(page.get_by_role("img", name="验证器密钥的二维码")).to_be_visible()
    totp = pyotp.TOTP((await codes.locator("code").inner_text()).replace(" ", ""))
    await codes.get_by_label("一次性验证码").fill(totp.at(int(time.time()) - STEP))
    await desk.button("确认启用", codes).click()
    await expect(codes).to_contain_text("已启用")
    return totp


@dataclass
class Person:
    """Somebody with an account, at a browser of his own, and all that its live feed was sent."""

    name: str
    desk: Desk
    addresses: list[str] = field(default_factory=list)
    """Of each live connection."""
    frames: list[str] = field(default_factory=list)

    async def act(self, act: str, words: str = "") -> None:
        """One act of an incident's closed loop, up to its being sent: the name is the account's."""
        desk = self.desk
        await desk.button(act).click()
        dialog = desk.page.get_by_role("dialog")
        await expect(dialog.get_by_label("姓名", exact=True)).to_have_value(self.name)
        await dialog.get_by_role("textbox").last.fill(words)
        await dialog.get_by_role("button", name="提交").click()

    async def do(self, act: str, words: str = "") -> None:
        """An act that needs no signature."""
        await self.act(act, words)
        await expect(self.desk.page.get_by_role("dialog")).to_have_count(0)

    def note(self, socket: Any) -> None:
        """Keep what comes by a live connection."""
        self.addresses.append(socket.url)
        socket.on("framereceived", lambda frame: self.frames.append(str(frame)))


async def person(
    works: Works, desks: Desks, name: str, display_name: str, role: str, *, address: str | None = None, **bound: str
) -> Person:
    """A new account, signed in."""
    await made(works, name, display_name, role, **bound)
    one = Person(display_name, await desks.open(address or works.address, token=None))
    one.desk.page.on("websocket", one.note)
    await sign_in(one.desk, name)
    await expect(one.desk.page.locator(".who > button")).to_contain_text(display_name)
    return one
