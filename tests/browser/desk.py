"""An officer's browser: its pages, and the watch over what no page may ever do."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.running import TOKEN

SIZES = {"1366x768": (1366, 768), "1920x1080": (1920, 1080)}
PAGES = {
    "值守": "/",
    "地图": "/map",
    "搁置与停用": "/suppressed",
    "演练": "/drills",
    "交接班": "/handover",
    "企业与位号": "/enterprises",
    "企业": "/enterprises/works",
    "调优": "/tuning",
    "变更": "/changes",
    "平面图": "/site-plans/works",
    "网关与拒收": "/gateways",
    "搜索": "/search",
    "台账": "/journal",
    "关键指标": "/kpi",
    "通讯录与值班": "/contacts",
    "预案与值班表": "/plans",
    "通知与渠道": "/messages",
    "服务与配置": "/administration",
}
"""The pages of the header and its menu, by their Chinese names."""
NETWORK = ("Failed to load resource", "WebSocket connection to")
"""What Chromium itself notes of a refusal or a lost service."""
REPORT = """
    document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`against the policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
    window.alert = (text) => { console.error(`alert: ${text}`); };
"""
WIDER_THAN_IT_MAY_BE = """() => [...document.querySelectorAll('*')]
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .filter((element) => element === document.documentElement
        || ['auto', 'scroll'].includes(getComputedStyle(element).overflowX))
    .map((element) => `${element.tagName}.${element.className} ${element.scrollWidth} > ${element.clientWidth}`)
"""
IS_UNCOVERED = """(element) => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return at !== null && element.contains(at) && left >= 0 && top >= 0
        && right <= window.innerWidth && bottom <= window.innerHeight;
}"""
LEAVE_FOR = """place => {
    if (window.location.hash === `#${place}`) return;
    document.querySelector('main > *').dataset.left = '';
    window.location.hash = place;
}"""
CLIPPED = """selector => [...document.querySelectorAll(selector)]
    .filter((element) => element.scrollWidth > element.clientWidth)
    .map((element) => element.innerText)
"""
TEXTS = """() => {
    const texts = [document.title];
    for (const element of document.querySelectorAll('body, body *')) {
        for (const name of ['title', 'aria-label', 'placeholder', 'alt']) texts.push(element.getAttribute(name) ?? '');
        for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
    }
    return texts.map((text) => text.trim()).filter((text) => text !== '');
}"""

expect.set_options(timeout=20_000)


@dataclass
class Desk:
    """One page in a browser profile of its own."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)

    @property
    def rows(self) -> Locator:
        """The alarms of the watch page, or of an incident's."""
        return self.page.locator(".row", has=self.page.locator(".act"))

    def row(self, *texts: str) -> Locator:
        """The alarm whose row says all this."""
        found = self.rows
        for text in texts:
            found = found.filter(has_text=text)
        return found

    def button(self, name: str, within: Locator | None = None) -> Locator:
        """A button by its exact name."""
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def tag(self, name: str) -> Locator:
        """A tag's row on the page of enterprises."""
        return self.page.locator("button.row", has=self.page.locator("b", has_text=re.compile(f"^{re.escape(name)}$")))

    async def turn_to(self, place: str) -> None:
        """Another page of the console, e.g. ``/journal``, without loading anything anew."""
        if not self.page.url.endswith(f"#{place}"):
            await self.page.evaluate(LEAVE_FOR, place)
            await expect(self.page.locator("main > [data-left]")).to_have_count(0)
        await self.settled()

    async def settled(self) -> None:
        """Nothing on the page says that it is still loading."""
        await expect(self.page.get_by_text(re.compile("…$"))).to_have_count(0)
        await expect(self.page.locator("main").first).not_to_be_empty()

    async def tab_to(self, target: Locator) -> None:
        """Reach a control as somebody without a mouse does."""
        for _ in range(80):
            await self.page.keyboard.press("Tab")
            if await target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"the Tab key does not reach {target}")

    async def sign(self, name: str, comment: str) -> None:
        """Fill the open dialog by keyboard, from the field that it has chosen to the Enter key."""
        dialog = self.page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        signature = dialog.get_by_label("姓名", exact=True)
        await expect(dialog.locator(":focus")).to_have_count(1)
        if await signature.input_value() == "":
            await self.page.keyboard.type(name)
            await self.page.keyboard.press("Tab")
        await expect(signature).to_have_value(name)
        await expect(dialog.get_by_role("textbox").last).to_be_focused()
        await self.page.keyboard.type(comment)
        await self.page.keyboard.press("Enter")

    async def do(self, act: str, name: str, words: str) -> None:
        """One act of an incident's closed loop, signed, with the words that it asks for."""
        await self.button(act).click()
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_label("姓名", exact=True).fill(name)
        await dialog.get_by_role("textbox").last.fill(words)
        await dialog.get_by_role("button", name="提交").click()
        await expect(dialog).to_have_count(0)

    async def too_wide(self) -> list[str]:
        """What of the page could only be seen by scrolling sideways."""
        found: list[str] = await self.page.evaluate(WIDER_THAN_IT_MAY_BE)
        return found

    async def clipped(self, selector: str) -> list[str]:
        """Words that don't fit where they stand."""
        found: list[str] = await self.page.evaluate(CLIPPED, selector)
        return found

    async def texts(self) -> list[str]:
        """Every text on the page: its title, nodes and attributes that are read or shown."""
        found: list[str] = await self.page.evaluate(TEXTS)
        return found

    def watch(self, context: BrowserContext) -> None:
        """Note from now on whatever a console must not do."""
        host = urlsplit(self.origin).netloc

        def note_address(url: str) -> None:
            parts = urlsplit(url)
            if parts.scheme not in {"data", "blob"} and parts.netloc != host:
                self.faults.append(f"request to another host: {url}")

        def note_message(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"} and not message.text.startswith(NETWORK):
                self.faults.append(message.text)

        context.on("request", lambda request: note_address(request.url))
        self.page.on("websocket", lambda socket: note_address(socket.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", note_message)


async def is_uncovered(shown: Locator) -> bool:
    """It lies inside the window, and nothing lies over its middle."""
    found: bool = await shown.evaluate(IS_UNCOVERED)
    return found


class Desks:
    """Opens desks, and says in the end what any of them did wrong."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._desks: list[Desk] = []

    async def open(
        self, address: str, *, token: str | None = TOKEN, size: tuple[int, int] = (1366, 768), **context: Any
    ) -> Desk:
        """A new desk at an address of the console. Its browser asks for English pages."""
        profile = await self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="en-US",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            **context,
        )
        await profile.add_init_script(REPORT)
        desk = Desk(await profile.new_page(), address)
        self._desks.append(desk)
        desk.watch(profile)
        await desk.page.goto(address if token is None else f"{address}#token={token}")
        return desk

    async def close(self) -> list[str]:
        """Close all; what they did wrong."""
        for desk in self._desks:
            await desk.page.context.close()
        return [fault for desk in self._desks for fault in desk.faults]
