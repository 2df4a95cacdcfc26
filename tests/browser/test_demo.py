"""``anshao demo`` as somebody meets it: one command, one address, a leak that grows while one watches."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests import servers
from tests.browser.desk import Desks
from tests.running import START_SECONDS, STOP_SECONDS, until

pytestmark = pytest.mark.browser

LEAK = 60_000
"""ms until the first alarm, at most."""
GRADED = 120_000
"""ms until an orange or red incident, at most."""

IS_DRAWN = """(canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((byte) => byte !== 0);
}"""


class Demo:
    """The command in a process of its own. ``folder`` takes what it prints."""

    def __init__(self, folder: Path) -> None:
        self.printed, self.errors = folder / "stdout", folder / "stderr"
        ports = ["--port", str(servers.free_port()), "--broker-port", str(servers.free_port())]
        with self.printed.open("wb") as printed, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("anshao"), "demo", *ports],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=errors,
                env=os.environ | {"PYTHONWARNINGS": "default"},
            )

    async def address(self) -> str:
        """What it prints for the browser."""

        async def found() -> re.Match[str] | None:
            assert self.process.poll() is None, self.errors.read_text()
            return re.search(r"http://\S+/#token=\S+", self.printed.read_text())

        match: re.Match[str] = await until(found, START_SECONDS)
        return match[0]

    def interrupt(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A running demo."""
    demo = Demo(tmp_path)
    try:
        yield demo
    finally:
        demo.process.kill()
        demo.process.wait()


async def test_a_leak_grows_into_an_incident_while_one_watches(demo: Demo, desks: Desks, tmp_path: Path) -> None:
    address = await demo.address()
    desk = await desks.open(address, token=None)
    await expect(desk.page).to_have_url(re.compile(r"^http://127\.0\.0\.1:\d+/#/$"))
    await desk.page.get_by_role("link", name="企业与位号").click()
    await desk.page.get_by_role("link", name="华瑞化工储运").click()
    await desk.page.get_by_role("link", name=re.compile("^原料罐区")).click()
    await expect(desk.page.get_by_role("heading", name="华瑞化工储运 · 原料罐区")).to_be_visible()
    value = desk.tag("GD-101").locator(".value")
    await expect(value).to_contain_text(re.compile(r"\d"))
    await expect(value).not_to_have_text(await value.inner_text())
    await expect(desk.tag("GD-101").locator(".status")).to_have_text("正常")

    await desk.turn_to("/")
    first = desk.rows.filter(has_text="华瑞化工储运").first
    await expect(first).to_be_visible(timeout=LEAK)
    await expect(first).to_contain_text("GT-101")
    await expect(first).to_contain_text("H 高限")
    card = desk.page.get_by_role("link").filter(has_text="华瑞化工储运 · 原料罐区")
    await expect(card).to_contain_text("黄")
    await expect(card).to_contain_text(re.compile("[橙红]"), timeout=GRADED)

    await card.click()
    await expect(desk.page.get_by_text(re.compile("^为何定为[橙红]色$"))).to_be_visible()
    await expect(desk.page.locator(".why li", has_text="重大危险源，上调 1 级")).to_be_visible()
    await expect(desk.row("GT-101", "HH 高高限")).to_be_visible()
    await expect(desk.row("GT-101", "H 高限")).to_be_visible()
    trend = desk.page.locator(".trend", has_text="GT-101")
    await expect(trend.locator("canvas")).to_be_visible()
    await expect(trend.locator(".limits")).to_contain_text("HH ≥ 20")
    await expect(trend.locator(".limits")).to_contain_text("H ≥ 10")
    assert await trend.locator("canvas").evaluate(IS_DRAWN)
    await expect(desk.page.locator(".timeline li", has_text="等级变化").first).to_be_visible()

    await desk.page.screenshot(path=tmp_path / "incident.png")
    await desk.turn_to("/")
    await desk.page.screenshot(path=tmp_path / "watch.png")

    assert demo.interrupt() == 0
    assert demo.errors.read_text() == ""
    await expect(desk.page.get_by_role("alert")).to_be_visible()
