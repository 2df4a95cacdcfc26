"""A page under measurement: its frames, its long tasks, its memory, and the processor time of its main thread."""

from collections.abc import Mapping
from pathlib import Path

from playwright.async_api import Browser, CDPSession, Page, ViewportSize

SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
SIZE = ViewportSize(width=1920, height=1080)
LIST = "section.alarms .rows"
PATIENCE = 60.0
"""Seconds for the slowest page."""
SCROLLS, LENGTH, SPEED = 6, 24_000, 4_800
"""Scripted turns of the wheel, px each, px/s."""
COSTS = {
    "TaskDuration": "in all",
    "LayoutDuration": "layout",
    "RecalcStyleDuration": "style",
}
"""Names of Chromium's figures -> what they are of."""
RECORD = """on => {
    bench.recording = on;
    if (on) Object.assign(bench, { frames: [], longTasks: [] });
}"""


class Bench:
    """One page of the console, and what it has noted."""

    def __init__(self, page: Page, protocol: CDPSession) -> None:
        self.page = page
        self._protocol = protocol

    @classmethod
    async def open(cls, browser: Browser, address: str) -> "Bench":
        """A browser profile that has nothing in its cache."""
        context = await browser.new_context(viewport=SIZE, timezone_id="Asia/Shanghai")
        context.set_default_timeout(PATIENCE * 1000)
        await context.add_init_script(SCRIPT)
        page = await context.new_page()
        protocol = await context.new_cdp_session(page)
        # Of the thread's own time, which a busy machine does not stretch as it does the clock on the wall.
        await protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
        await page.goto(address)
        return cls(page, protocol)

    async def costs(self) -> dict[str, float]:
        """Ms of processor time that the page's main thread has used since it was opened, by what for."""
        found = (await self._protocol.send("Performance.getMetrics"))["metrics"]
        return {each["name"]: each["value"] * 1000 for each in found if each["name"] in COSTS}

    async def close(self) -> None:
        """With its profile."""
        await self.page.context.close()

    async def heap(self) -> float:
        """Megabytes of JavaScript that are in use after a collection."""
        for _ in range(3):
            await self._protocol.send("HeapProfiler.collectGarbage")
        used: float = (await self._protocol.send("Runtime.getHeapUsage"))["usedSize"]
        return used / 1e6

    async def record(self, *, on: bool) -> None:
        """Note frames and long tasks from now on, or no more."""
        await self.page.evaluate(RECORD, on)

    async def frames(self) -> tuple[list[float], list[float]]:
        """Frames in each whole second that was recorded, and ms of each long task."""
        await self.record(on=False)
        at: list[float] = await self.page.evaluate("bench.frames")
        tasks: list[tuple[float, float]] = await self.page.evaluate("bench.longTasks")
        counts = [0.0] * int((at[-1] - at[0]) // 1000)
        for each in at:
            second = int((each - at[0]) // 1000)
            if second < len(counts):
                counts[second] += 1
        return counts, [duration for _, duration in tasks]

    async def scroll(self, distance: int, rows: str = LIST) -> None:
        """Turn the wheel over the list."""
        box = await self.page.locator(rows).bounding_box()
        assert box is not None
        await self._protocol.send(
            "Input.synthesizeScrollGesture",
            {
                "x": box["x"] + box["width"] / 2,
                "y": box["y"] + box["height"] / 2,
                "yDistance": -distance,
                "speed": SPEED,
                "gestureSourceType": "mouse",
                "preventFling": True,
            },
        )

    async def scrolled(self, rows: str = LIST) -> tuple[list[float], list[float]]:
        """Frames in each second, and long tasks, while the list is scrolled down and up."""
        await self.record(on=True)
        for turn in range(SCROLLS):
            await self.scroll(LENGTH if turn % 2 == 0 else -LENGTH, rows)
        return await self.frames()


def spent(before: Mapping[str, float], after: Mapping[str, float], steps: float) -> dict[str, float]:
    """Ms of processor time for one step of many."""
    return {said: (after[name] - before[name]) / steps for name, said in COSTS.items()}


def told_costs(costs: Mapping[str, float]) -> str:
    """In words."""
    parts = ", ".join(f"{said} {costs[said]:.2f}" for said in COSTS.values() if said != "in all")
    return f"{costs['in all']:.2f} ms of processor time ({parts})"
