"""Take pictures of every page of the console: start ``anshao demo``, wait until its incident is red, photograph all.

    .venv/bin/python scripts/screenshot.py --to /tmp/pictures
    .venv/bin/python scripts/screenshot.py --only watch incident --theme light
    .venv/bin/python scripts/screenshot.py --docs

writes NAME-LANGUAGE-WIDTHxHEIGHT.png, in Chinese (zh) and English (en), at 1366 x 768 and 1920 x 1080, dark, and some
light too; scripts/pictures.py lists them. With --docs it takes what the guides and READMEs show instead, to
docs/screenshots, in few colours. A page that is in trouble is named, and the command fails. It takes about
eight minutes, and needs Chromium and a Chinese font; scripts/test installs both.
"""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from chromium import launch
from demo_state import PLAN, Api, prepare
from pictures import PICTURES, Picture, shown
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Response,
    sync_playwright,
)

Found = TypeVar("Found")

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "screenshots"
LANGUAGES = {"zh": "zh-CN", "en": "en"}
"""Part of a picture's name -> language of the console."""
START_SECONDS, RED_SECONDS = 180, 400
AFTER_RED = 20
"""Seconds for the trends to show the rise, and not yet the fall."""
REST, RESIZED = 900, 400
"""ms until a page has come to rest, and until it has found its place in another window."""
ADDRESS = re.compile(r"(http://\S+)/#token=(\S+)")
PASSWORD = re.compile(r"password  (\S+)")
TROUBLE = ".notice[role=alert], .failed[role=alert], .lost[role=alert]"
"""A page says so that it has failed. An incident on the wall is an alert too."""
COLOURS = 128
REFUSED = 400
"""From this status on a request was refused."""
EXPECTED = "Failed to load resource"
"""Begins what Chromium says of a refused request; those are told by their address."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What ``anshao demo`` has printed."""

    address: str
    token: str
    password: str


@dataclass
class Camera:
    """Takes pictures, with a browser signed in for each account and language."""

    browser: Browser
    demo: Demo
    folder: Path
    places: dict[str, int]
    """What the paths of pictures leave open."""
    docs: bool = False
    """Take one size of each, in few colours."""
    troubles: list[str] = field(default_factory=list)
    _contexts: dict[tuple[str | None, str, str], BrowserContext] = field(default_factory=dict)

    def take(self, picture: Picture, name: str, theme: str) -> None:
        """All sizes of a picture, in one language and theme."""
        page = self._context(picture.account, LANGUAGES[name], theme).new_page()
        faults: list[str] = []
        watch(page, faults, signed_in=picture.account is not None)
        title = f"{picture.name}-{name}" + ("-light" if theme == "light" else "")
        try:
            page.set_viewport_size(dict(zip(("width", "height"), picture.sizes[0], strict=True)))  # type: ignore[arg-type]
            page.goto(f"{self.demo.address}/#{picture.path.format(**self.places)}")
            page.locator(picture.awaits).first.wait_for()
            page.wait_for_timeout(REST)
            if picture.act is not None:
                picture.act(page)
            for width, height in self._sizes(picture):
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(RESIZED)
                to = self.folder / (f"{title}.png" if self.docs else f"{title}-{width}x{height}.png")
                page.screenshot(path=to)
                if self.docs:
                    # MAXCOVERAGE: the least sign keeps the colour of its grade.
                    few = (
                        Image.open(to)
                        .convert("RGB")
                        .quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
                    )
                    few.save(to, optimize=True)
            faults += [f"shows: {text}" for text in page.locator(TROUBLE).filter(visible=True).all_inner_texts()]
        except Error as error:
            faults.append(str(error).splitlines()[0])
            page.screenshot(path=self.folder / f"{title}-failed.png")
        finally:
            page.close()
        self.troubles += [f"{title}: {fault}" for fault in faults]

    def _sizes(self, picture: Picture) -> Sequence[tuple[int, int]]:
        return [max(picture.sizes) if picture.large else min(picture.sizes)] if self.docs else picture.sizes

    def _context(self, account: str | None, language: str, theme: str) -> BrowserContext:
        kind = account, language, theme
        if kind not in self._contexts:
            context = self.browser.new_context(locale=language, timezone_id="Asia/Shanghai")
            context.set_default_timeout(60_000)
            for key, value in (("language", language), ("theme", theme)):
                context.add_init_script(f"localStorage.setItem('anshao.{key}', '{value}')")
            if account is not None:
                signed_in = context.request.post(
                    f"{self.demo.address}/api/v1/session", data={"name": account, "password": self.demo.password}
                )
                if not signed_in.ok:
                    raise SystemExit(f"{account} cannot sign in: {signed_in.text()}")
            self._contexts[kind] = context
        return self._contexts[kind]


def main() -> None:
    """Take all pictures."""
    known = [picture.name for picture in PICTURES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, help="folder of the pictures (default: pictures)")
    parser.add_argument("--docs", action="store_true", help="what the guides and READMEs show, to docs/screenshots")
    parser.add_argument("--only", nargs="+", choices=known, metavar="NAME", help="these alone: " + ", ".join(known))
    parser.add_argument("--theme", choices=("dark", "light"), help="all in this theme")
    given = parser.parse_args()
    folder: Path = given.to or (DOCS if given.docs else Path("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    names = given.only or ({name for name, _ in shown()} if given.docs else known)
    wanted = [picture for picture in PICTURES if picture.name in names]
    with sync_playwright() as playwright, running_demo() as demo:
        browser = launch(playwright)
        api = api_of(playwright, demo)
        incident = wait(RED_SECONDS, lambda: red_incident(api))
        print("the incident is red", flush=True)
        red = time.monotonic()
        places = {"incident": incident, **prepare(api, incident, drawing(browser))}
        time.sleep(max(0.0, red + AFTER_RED - time.monotonic()))
        camera = Camera(browser, demo, folder, places, given.docs)
        photograph(camera, wanted, given.theme or ("dark" if given.docs else None))
    for trouble in camera.troubles:
        print(trouble, file=sys.stderr)
    raise SystemExit(1 if camera.troubles else 0)


def photograph(camera: Camera, wanted: Sequence[Picture], theme: str | None) -> None:
    """Take the pictures in their order, and say how far it is."""
    for number, picture in enumerate(wanted, 1):
        before = len(camera.troubles)
        for name in LANGUAGES:
            for each in (theme,) if theme else ("dark", "light") if picture.light else ("dark",):
                camera.take(picture, name, each)
        print(f"{number}/{len(wanted)} {picture.name}{' TROUBLE' if len(camera.troubles) > before else ''}", flush=True)


def watch(page: Page, faults: list[str], *, signed_in: bool) -> None:
    """Note what a page may never do. Who is not signed in is told so by a refused request."""

    def say(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(EXPECTED):
            faults.append(message.text)

    page.on("console", say)
    page.on("pageerror", lambda error: faults.append(str(error)))
    if signed_in:
        page.on("response", lambda answer: None if answer.status < REFUSED else faults.append(told(answer)))


def told(answer: Response) -> str:
    """A refused request, in words."""
    return f"{answer.status} {answer.url}"


@contextmanager
def running_demo() -> Iterator[Demo]:
    """The demo on free ports."""
    command = [str(ROOT / ".venv" / "bin" / "anshao"), "demo", "--port", "0", "--broker-port", str(free_port())]
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=printed)
        try:
            yield wait(START_SECONDS, lambda: told_by(printed.fileno(), process))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def drawing(browser: Browser) -> bytes:
    """The image of a site plan."""
    page = browser.new_page(viewport={"width": 1200, "height": 700})
    page.set_content(f'<body style="margin:0">{PLAN.read_text("utf-8")}</body>')
    image = page.screenshot()
    page.close()
    return image


def told_by(printed: int, process: subprocess.Popen[bytes]) -> Demo | None:
    """What the demo has printed; None: not yet."""
    if process.poll() is not None:
        raise SystemExit("the demo has ended")
    text = os.pread(printed, 65_536, 0).decode()
    address, password = ADDRESS.search(text), PASSWORD.search(text)
    if address is None or password is None:
        return None
    return Demo(address[1], address[2], password[1])


def api_of(playwright: Playwright, demo: Demo) -> Api:
    """The API by the demo's token."""
    return playwright.request.new_context(
        base_url=f"{demo.address}/api/v1/", extra_http_headers={"Authorization": f"Bearer {demo.token}"}
    )


def red_incident(api: Api) -> int | None:
    """Number of the incident that is red; None: there is none yet."""
    items = api.get("incidents?grade=red&state=open").json()["items"]
    return int(items[0]["id"]) if items else None


def wait(seconds: float, look: Callable[[], Found | None]) -> Found:
    """What ``look`` finds within so many seconds; it returns None as long as there is nothing."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"waited for {seconds:g} s in vain")
        time.sleep(0.5)
    return found


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
