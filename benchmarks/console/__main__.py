"""The console as an officer feels it: the real service on Mosquitto, a real Chromium, and what the page itself notes.

First useful paint, a new alarm after its message, 10,000 active alarms scrolled, 500 updates a second with all of them
in the list, a day's trend. The processor is not throttled, Chromium is headless and draws without a graphics card, and
service, broker, gateway and browser share the machine. ``python -m benchmarks.console``
"""

import argparse
import asyncio
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from playwright.async_api import Browser, CDPSession, Page, ViewportSize, async_playwright
from rich.progress import Progress

from benchmarks.console import load
from benchmarks.report import publish
from tests import servers
from tests.running import TOKEN, Service, api_of, main_file, until

SCRIPT = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
SIZE = ViewportSize(width=1920, height=1080)
STREAM = 60.0
"""Seconds for the slowest page."""
SCROLLS, LENGTH, SPEED = 6, 24_000, 4_800
"""Scripted turns of the wheel, px each, px/s."""
TRENDS = 3
"""Times that each trend is drawn, every time by a page just opened."""
WARM_UP = 5.0
"""Seconds of updates before anything is noted."""
RECORD = """on => {
    bench.recording = on;
    if (on) Object.assign(bench, { frames: [], longTasks: [] });
}"""
FROM_ANSWER_TO_LINE = """() => {
    const [[url, drawn]] = bench.trends;
    return drawn - performance.getEntriesByName(url).at(-1).responseEnd;
}"""
AIMS = {"paint": 1500.0, "alarm": 100.0, "scroll": 60.0, "updates": 30.0, "trend": 300.0}
DAY_MINUTES = 1440
SMOOTH = 59.0
"""Frames a second that count as 60: a frame may fall on either side of a second."""

Row = dict[str, Any]


def row(what: str, aim: str, measured: str, met: bool) -> Row:  # noqa: FBT001 - a column of the table
    """A line of the report."""
    return {"what": what, "aim": aim, "measured": measured, "met": "yes" if met else "NO"}


class Bench:
    """One page of the console, and what it has noted."""

    def __init__(self, page: Page, protocol: CDPSession) -> None:
        self.page = page
        self._protocol = protocol

    @classmethod
    async def open(cls, browser: Browser, address: str) -> "Bench":
        """A browser profile that has nothing in its cache."""
        context = await browser.new_context(viewport=SIZE, timezone_id="Asia/Shanghai")
        context.set_default_timeout(STREAM * 1000)
        await context.add_init_script(SCRIPT)
        page = await context.new_page()
        protocol = await context.new_cdp_session(page)
        await page.goto(address)
        return cls(page, protocol)

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

    async def scroll(self, distance: int) -> None:
        """Turn the wheel over the list."""
        box = await self.page.locator("section.alarms .rows").bounding_box()
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


async def first_paint(browser: Browser, address: str, times: int) -> list[float]:
    """Ms from the address to the first alarm on the screen, each time with an empty cache."""
    taken = []
    for _ in range(times):
        bench = await Bench.open(browser, address)
        await bench.page.locator(".row .act button").first.wait_for()
        await bench.page.wait_for_timeout(300)
        taken.append(await bench.page.evaluate("bench.firstRow"))
        await bench.close()
    return taken


async def new_alarms(bench: Bench, gateway: load.Gateway, first: int, last: int) -> list[dict[str, float]]:
    """Ms from each alarm's message to its row."""
    for number in range(first, last):
        gateway.send({load.quiet(number): load.HIGH})
        await bench.page.wait_for_timeout(350)
    drawn: list[dict[str, float]] = await bench.page.evaluate("bench.drawn")
    assert len(drawn) == last - first, (len(drawn), last - first)
    return drawn


async def has_rows(bench: Bench, alarms: int) -> bool:
    """Every alarm has a row of its own in the list, drawn or not."""
    height: int = await bench.page.locator("section.alarms .all").evaluate("element => element.clientHeight")
    return height >= alarms * 40


async def scrolled(bench: Bench) -> tuple[list[float], list[float]]:
    """Frames in each second while the list is scrolled down and up."""
    await bench.record(on=True)
    for turn in range(SCROLLS):
        await bench.scroll(LENGTH if turn % 2 == 0 else -LENGTH)
    return await bench.frames()


async def updated(bench: Bench, port: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Minutes of updates: memory before and after, frames in each second, what came."""
    await bench.page.mouse.move(5, 5)
    seconds = asked.minutes * 60
    sender = multiprocessing.get_context("spawn").Process(
        target=load.update, args=(port, asked.alarms, asked.rate, seconds + 2 * WARM_UP)
    )
    sender.start()
    await asyncio.sleep(2 * WARM_UP)  # of which the process takes some to start
    before = await bench.heap()
    entries = await bench.page.evaluate("bench.entries")
    await bench.record(on=True)
    begin = time.monotonic()
    with Progress(transient=True) as progress:
        bar = progress.add_task("updates", total=seconds)
        while time.monotonic() - begin < seconds:
            await asyncio.sleep(min(5.0, seconds))
            progress.update(bar, completed=time.monotonic() - begin)
    frames, tasks = await bench.frames()
    came = await bench.page.evaluate("bench.entries") - entries
    passed = time.monotonic() - begin
    await bench.page.evaluate("() => { bench.frames = []; bench.longTasks = []; }")
    after = await bench.heap()
    await asyncio.to_thread(sender.join)
    return {"frames": frames, "tasks": tasks, "before": before, "after": after, "rate": came / passed}


async def trend(bench: Bench, address: str, *, whole: bytes | None) -> float:
    """Ms from the last byte of a day's history to its last line; ``whole``: the answer with every point of it."""
    if whole is not None:
        await bench.page.route("**/samples?*", lambda route: route.fulfill(body=whole, content_type="application/json"))
    await bench.page.goto(f"{address}#/enterprises/works/trend")
    await bench.page.locator("button.row").click()
    await bench.page.locator("figure canvas").wait_for()
    await bench.page.wait_for_timeout(1000)
    await bench.page.evaluate("() => { performance.clearResourceTimings(); bench.trends = []; }")
    await bench.page.get_by_role("combobox").last.select_option(str(DAY_MINUTES * 60_000))
    await bench.page.wait_for_function("() => bench.trends.length > 0")
    taken: float = await bench.page.evaluate(FROM_ANSWER_TO_LINE)
    assert taken > 0
    return taken


async def trends(browser: Browser, address: str, whole: bytes) -> list[Row]:
    """A day as the page asks for it, and with every reading of it in the chart."""
    rows = []
    for name, answer in (
        ("a day's trend of 86,400 readings, as the page asks for it", None),
        ("a day's trend with all 86,400 points in the chart", whole),
    ):
        taken = []
        for _ in range(TRENDS):
            bench = await Bench.open(browser, f"{address}#token={TOKEN}")
            taken.append(await trend(bench, address, whole=answer))
            await bench.close()
        rows.append(figure(name, taken, AIMS["trend"]))
    return rows


async def measure(asked: argparse.Namespace, folder: Path) -> tuple[list[Row], dict[str, Any]]:
    """All of it."""
    single = asked.single + 5
    with servers.mosquitto() as broker:
        now = time.time_ns() // 1_000_000
        times, values = load.day(now)
        (folder / "data").mkdir()
        await load.remember(folder / "data", times, values)
        main = main_file(broker={"url": broker.url}, historian={"kind": "duckdb"})
        service = Service.configured(folder, main, load.site(asked.alarms, single))
        service.start()
        try:
            await service.ready()
            async with api_of(service.url) as api, async_playwright() as playwright:
                root = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = await playwright.chromium.launch(executable_path=chromium(), args=root)
                address = f"http://127.0.0.1:{service.port}/"
                rows: list[Row] = []
                details: dict[str, Any] = {}

                sender = await load.gateway(broker.port, "bench-console")
                sender.send({load.quiet(number): load.LOW for number in range(single)})
                for number in range(asked.single, single):
                    sender.send({load.quiet(number): load.HIGH})
                await until(lambda: active(api, 5))
                paints = await first_paint(browser, f"{address}#token={TOKEN}", asked.loads)
                details["paint_ms"] = paints
                rows.append(figure("first useful paint of the watch page, cache empty", paints, AIMS["paint"]))

                bench = await Bench.open(browser, f"{address}#token={TOKEN}")
                await bench.page.locator(".row .act button").first.wait_for()
                drawn = await new_alarms(bench, sender, 0, asked.single)
                details["alarm_ms"] = drawn
                painted = [each["painted"] for each in drawn]
                rows.append(figure("new alarm on the screen after its message", painted, AIMS["alarm"]))

                await sender.all_at(asked.alarms, load.LOW)
                await asyncio.sleep(2)
                await sender.all_at(asked.alarms, load.HIGH)
                await until(lambda: active(api, asked.alarms + single), STREAM)
                await until(lambda: has_rows(bench, asked.alarms), STREAM)
                frames, tasks = await scrolled(bench)
                details["scroll"] = {"frames": frames, "long_tasks_ms": tasks}
                rows.append(smooth(f"{asked.alarms:,} active alarms scrolled", frames, tasks))

                found = await updated(bench, broker.port, asked)
                details["updates"] = found
                rows += under_load(found, asked)
                await bench.close()

                rows += await trends(browser, address, whole_day(times.tolist(), values.tolist()))
                await browser.close()
        finally:
            service.stop()
        return rows, details


def chromium() -> str:
    """Debian's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise SystemExit("Chromium is missing: apt-get install chromium fonts-noto-cjk")
    return found


async def active(api: Any, count: int) -> bool:
    """So many alarms are in."""
    found: int = (await api.get("/watch", desk=load.DESK))["counts"]["active"]
    return found >= count


def whole_day(times: Sequence[int], values: Sequence[float]) -> bytes:
    """An answer of the API with a bucket for every reading; the service itself gives at most 10,000."""
    buckets = [
        {"t": iso(at), "min": value, "max": value, "mean": value, "count": 1, "quality": load.GOOD}
        for at, value in zip(times, values, strict=True)
    ]
    return orjson.dumps({"tag": load.TREND, "engineering_unit": "°C", "buckets": buckets})


def iso(at: int) -> str:
    """As the service writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at / 1000)) + f".{at % 1000:03}Z"


def figure(what: str, taken: Sequence[float], most: float) -> Row:
    """A time, against its aim."""
    said = f"{taken[0]:.0f} ms"
    if len(taken) > 1:
        said = f"median {statistics.median(taken):.0f} ms, max {max(taken):.0f} ms of {len(taken)}"
    return row(what, f"< {most:g} ms", said, max(taken) < most)


def smooth(what: str, frames: Sequence[float], tasks: Sequence[float]) -> Row:
    """Frames a second, against 60."""
    mean = statistics.mean(frames)
    said = f"mean {mean:.1f}, lowest second {min(frames):.0f} frames/s; {told(tasks)}"
    return row(what, f"{AIMS['scroll']:g} frames/s", said, mean >= SMOOTH)


def told(tasks: Sequence[float]) -> str:
    """Long tasks in words."""
    return f"{len(tasks)} tasks over 50 ms" + (f", longest {max(tasks):.0f} ms" if tasks else "")


def under_load(found: dict[str, Any], asked: argparse.Namespace) -> list[Row]:
    """Frames and memory while updates come."""
    what = f"{found['rate']:.0f} updates/s for {asked.minutes:g} min over {asked.alarms:,} rows"
    lowest, growth = min(found["frames"]), found["after"] - found["before"]
    frames = f"lowest second {lowest:.0f}, mean {statistics.mean(found['frames']):.1f}; {told(found['tasks'])}"
    memory = f"{found['before']:.1f} MB before, {found['after']:.1f} MB after"
    enough = found["rate"] >= 0.95 * asked.rate
    return [
        row(f"{what}: frames/s", f"never < {AIMS['updates']:g}", frames, lowest >= AIMS["updates"] and enough),
        row(f"{what}: memory in use", "no growth", memory, growth < 0.05 * found["before"] + 1),
    ]


async def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of updates")
    parser.add_argument("--rate", type=int, default=500, help="updates a second")
    parser.add_argument("--alarms", type=int, default=10_000, help="active at once")
    parser.add_argument("--single", type=int, default=40, help="alarms that enter alone and are timed")
    parser.add_argument("--loads", type=int, default=10, help="of the watch page")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows, details = await measure(asked, Path(folder))
    title = "The console in headless Chromium, 1920 x 1080, processor not throttled, no graphics card"
    publish("console", title, rows, details)
    if missed := [each["what"] for each in rows if each["met"] == "NO"]:
        raise SystemExit(f"short of the aim: {', '.join(missed)}")


if __name__ == "__main__":
    asyncio.run(main())
