"""Take the README's pictures: start ``anshao demo``, wait until its incident is red, photograph the console.

    .venv/bin/python scripts/screenshot.py

writes the watch page and the incident's page, 1920 x 1080, in Chinese (zh) and English (en) to docs/screenshots. It
takes about two and a half minutes, and needs Chromium and a Chinese font; scripts/test installs both.
"""

import argparse
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from chromium import launch
from playwright.sync_api import APIRequestContext, Browser, Page, sync_playwright

Found = TypeVar("Found")

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 1920, 1080
LANGUAGES = {"zh": "zh-CN", "en": "en"}
"""End of a picture's name -> language of the console."""
START_SECONDS, RED_SECONDS = 60, 180
AFTER_RED = 40
"""Seconds for the trends to show the rise, and not yet the fall."""
OFFICER = {"name": "王芳", "comment": "已电话通知现场核实"}


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "screenshots", help="folder of the pictures")
    folder: Path = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as printed, sync_playwright() as playwright:
        browser = launch(playwright)
        demo = start_demo(printed.fileno())
        try:
            address, token = wait(START_SECONDS, lambda: console_address(printed.fileno(), demo))
            api = playwright.request.new_context(
                base_url=f"{address}/api/v1/", extra_http_headers={"Authorization": f"Bearer {token}"}
            )
            incident = wait(RED_SECONDS, lambda: red_incident(api))
            print("the incident is red")
            acknowledge_first(api, incident)
            time.sleep(AFTER_RED)
            for name, language in LANGUAGES.items():
                photograph(browser, f"{address}/#token={token}", incident, language, folder, name)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait()


def start_demo(printed: int) -> subprocess.Popen[bytes]:
    """The demo on free ports."""
    command = [str(ROOT / ".venv" / "bin" / "anshao"), "demo", "--port", "0", "--broker-port", str(free_port())]
    return subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdout=printed)


def photograph(browser: Browser, address: str, incident: int, language: str, folder: Path, name: str) -> None:
    """The watch page and the incident's, in one language."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale=language, timezone_id="Asia/Shanghai"
    )
    context.add_init_script(f"localStorage.setItem('anshao.language', '{language}')")
    page = context.new_page()
    page.goto(address)
    page.locator(".row", has_text="GT-103").first.wait_for()
    shoot(page, folder / f"watch-{name}.png")
    page.evaluate(f"window.location.hash = '/incidents/{incident}'")
    page.locator("canvas").nth(1).wait_for()
    shoot(page, folder / f"incident-{name}.png")
    context.close()


def shoot(page: Page, to: Path) -> None:
    """One picture, once the page has come to rest."""
    page.wait_for_timeout(2_500)
    page.screenshot(path=to)
    print(to)


def console_address(printed: int, demo: subprocess.Popen[bytes]) -> tuple[str, str] | None:
    """The console's address and the token, as the demo has printed them; None: not yet."""
    if demo.poll() is not None:
        raise SystemExit("the demo has ended")
    for word in os.pread(printed, 65_536, 0).decode().split():
        address, found, token = word.partition("/#token=")
        if found:
            return address, token
    return None


def red_incident(api: APIRequestContext) -> int | None:
    """Number of the incident that is red; None: there is none yet."""
    items = api.get("incidents?grade=red&state=open").json()["items"]
    return int(items[0]["id"]) if items else None


def acknowledge_first(api: APIRequestContext, incident: int) -> None:
    """Acknowledge the incident's first alarm, as an officer would."""
    alarms = api.get(f"incidents/{incident}").json()["alarms"]
    first = min(alarms, key=lambda alarm: alarm["entered_at"])
    api.post(f"alarms/{first['id']}/acknowledge", data=OFFICER)


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
