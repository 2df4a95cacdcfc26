"""Which pictures there are of the console: every page of its navigation, and what else an officer meets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
SHOWING = ("README.md", "README.zh-CN.md", "docs/console.md", "docs/console.zh-CN.md")
"""Documents with pictures of the console."""
NAVIGATION = ROOT / "console" / "src" / "navigation.ts"

DESK, TELEPHONE = ((1366, 768), (1920, 1080)), ((390, 844),)
"""Sizes of a window."""
TRENDS = "/trends?" + urlencode(
    {"tag": ["huarui/GT-101", "huarui/GT-103", "huarui/GD-101", "huarui/WS-001"], "span": "15m"}, doseq=True
)


def press(selector: str, then: str) -> Callable[["Page"], None]:
    """Presses a button, and waits for what comes of it."""

    def act(page: "Page") -> None:
        page.locator(selector).first.click()
        page.locator(then).first.wait_for()

    return act


def strike(keys: str, then: str) -> Callable[["Page"], None]:
    """Strikes keys, and waits for what comes of it."""

    def act(page: "Page") -> None:
        for key in keys.split():
            page.keyboard.press(key)
        page.locator(then).first.wait_for()

    return act


def rest(milliseconds: int) -> Callable[["Page"], None]:
    """Lets the service work out what the page asked for."""
    return lambda page: page.wait_for_timeout(milliseconds)


def look_for(words: str) -> Callable[["Page"], None]:
    """Fills the page's field of search, and waits for what is found."""

    def act(page: "Page") -> None:
        page.locator("main input").first.fill(words)
        page.locator("main a", has_text=words).first.wait_for()

    return act


@dataclass(frozen=True, slots=True)
class Picture:
    """One view of the console."""

    name: str
    """Of the file; of a page of the navigation, its name there."""
    path: str
    """In the console; `{incident}` is the number of the demo's red one, `{plan}` of its site plan."""
    account: str | None
    """Of the demo, whose page it is; None: nobody is signed in."""
    act: Callable[["Page"], None] | None = None
    """What is done there before."""
    awaits: str = "main"
    """It is not there before this is."""
    sizes: tuple[tuple[int, int], ...] = DESK
    light: bool = False
    """Taken in the light theme too."""
    large: bool = False
    """Documents show its largest size, and not its smallest."""


PICTURES = (
    # While the leak is at its height.
    Picture("watch", "/", "wangfang", awaits=".row", light=True),
    Picture("incident", "/incidents/{incident}", "liqiang", awaits=".trend canvas", light=True, large=True),
    Picture("trends", TRENDS, "wangfang", awaits="canvas", light=True),
    Picture("map", "/map", "wangfang", awaits="main svg", light=True),
    Picture("wall", "/wall", "daping", awaits="strong"),
    Picture("site-plan-one", "/site-plans/huarui/{plan}", "wangfang", awaits=".tag-mark"),
    Picture("telephone", "/", "wangfang", awaits=".row", sizes=TELEPHONE),
    Picture("telephone-incident", "/incidents/{incident}", "wangfang", awaits=".loop", sizes=TELEPHONE),
    Picture("acknowledge", "/", "wangfang", strike("Shift+X a", "dialog[open]"), awaits=".row"),
    Picture("sign", "/incidents/{incident}", "liqiang", press(".loop .acts .primary", "dialog[open]"), awaits=".loop"),
    Picture("unit", "/enterprises/huarui/tankfarm", "zhaomin", awaits=".value"),
    # The other pages of the navigation.
    Picture("site", "/enterprises", "zhanglei", awaits="table"),
    Picture("suppressed", "/suppressed", "wangfang"),
    Picture("handover", "/handover", "wangfang"),
    Picture("drills", "/drills", "liqiang"),
    Picture("contacts", "/contacts", "wangfang"),
    Picture("plans", "/plans", "wangfang"),
    Picture("messages", "/messages", "wangfang"),
    Picture("sitePlan", "/site-plans", "wangfang"),
    Picture("gateways", "/gateways", "zhaomin", awaits="table"),
    Picture("search", "/search", "wangfang", look_for("GT-101")),
    Picture("journal", "/journal", "wangfang", awaits="main td"),
    Picture("kpi", "/kpi", "liqiang"),
    Picture("tuning", "/tuning/huarui/tankfarm/GT-101", "chenjing", rest(6_000), awaits="canvas"),
    Picture("changes", "/changes", "chenjing"),
    Picture("administration", "/administration", "chenjing"),
    Picture("accounts", "/accounts", "admin", awaits="table"),
    # Parts of pages.
    Picture("enterprise-gateways", "/enterprises/huarui?show=gateways", "zhaomin", awaits="table"),
    Picture("enterprise-refused", "/enterprises/huarui?show=quarantine", "zhaomin"),
    Picture("enterprise-online", "/enterprises/huarui?show=online", "zhaomin", rest(3_000)),
    # Over any page, and before there is one.
    Picture("menu", "/", "wangfang", strike("g", ".menu"), awaits=".row"),
    Picture("menu-admin", "/", "admin", strike("g", ".menu"), awaits=".row"),
    Picture("help", "/", "wangfang", strike("?", "dialog[open]"), awaits=".row", light=True),
    Picture("sound", "/", "wangfang", strike("m", "dialog[open]"), awaits=".row"),
    Picture("account", "/account", "wangfang"),
    Picture("missing", "/nowhere", "wangfang"),
    Picture("forbidden", "/accounts", "wangfang"),
    Picture("sign-in", "/", None, awaits="form"),
    Picture("token", "/", None, press("summary", "details[open]"), awaits="form"),
)


def destinations() -> list[str]:
    """Names of all pages that the console leads to."""
    return re.findall(r"^  \{ name: '(\w+)'", NAVIGATION.read_text("utf-8"), re.MULTILINE)


def shown() -> set[tuple[str, str]]:
    """Names of the pictures that documents show, each with the language."""
    text = "".join((ROOT / document).read_text("utf-8") for document in SHOWING)
    return set(re.findall(r"screenshots/([\w-]+)-(zh|en)\.png", text))
