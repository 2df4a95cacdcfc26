"""The console as an officer feels it: the real service on Mosquitto, a real Chromium, and what the page itself notes.

First useful paint, a new alarm after its message, 10,000 active alarms scrolled, 500 updates a second with all of them
in the list, a day's trend, the size of what is loaded. The processor is not throttled, Chromium is headless and draws
without a graphics card, and service, broker, gateway and browser share the machine: beside the console's figures stand
those of bare pages that scroll and draw as much (``plain``), and its processor time, which others' load does not
stretch. ``python -m benchmarks.console``; only some of it: ``--only updates --minutes 10``
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
from playwright.async_api import Browser, async_playwright
from rich.progress import Progress

from benchmarks.console import load, plain
from benchmarks.console.bundle import MOST, bundle, kilobytes
from benchmarks.console.bundle import told as told_bundle
from benchmarks.console.pages import LENGTH, LIST, PATIENCE, SCROLLS, Bench, spent, told_costs
from benchmarks.report import publish
from tests import servers
from tests.running import TOKEN, Service, api_of, main_file, until

TRENDS = 3
"""Times that each trend is drawn, every time by a page just opened."""
WARM_UP = 5.0
"""Seconds of updates before anything is noted."""
STAGES = """() => {
    const [{ url, begun, read, drawn }] = bench.trends;
    const { requestStart, responseEnd } = performance.getEntriesByName(url).at(-1);
    return { request: responseEnd - requestStart, text: read - begun, parsed_and_drawn: drawn - read, all: drawn - responseEnd };
}"""
LOADED = "() => performance.getEntriesByType('resource').some(({ name }) => name.includes('/WallPage-'))"
"""The console has loaded its other pages too, which it does half a minute after the first."""
PARTS = ("bundle", "paint", "alarm", "scroll", "updates", "trend")
AIMS = {"paint": 1500.0, "alarm": 100.0, "scroll": 60.0, "updates": 30.0, "trend": 300.0}
DAY_MINUTES = 1440
SMOOTH = 59.0
"""Frames a second that count as 60: a frame may fall on either side of a second."""

Row = dict[str, Any]


def row(what: str, aim: str, measured: str, met: bool) -> Row:  # noqa: FBT001 - a column of the table
    """A line of the report."""
    return {"what": what, "aim": aim, "measured": measured, "met": "yes" if met else "NO"}


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
    height: int = await bench.page.locator(f"{LIST} .all").evaluate("element => element.clientHeight")
    return height >= alarms * 40


async def updated(bench: Bench, port: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Minutes of updates: memory before and after, frames in each second, what came."""
    await bench.page.mouse.move(5, 5)
    await bench.page.wait_for_function(LOADED, timeout=90_000)
    seconds = asked.minutes * 60
    sender = multiprocessing.get_context("spawn").Process(
        target=load.update, args=(port, asked.alarms, asked.rate, seconds + 2 * WARM_UP)
    )
    sender.start()
    await asyncio.sleep(2 * WARM_UP)  # of which the process takes some to start
    before = await bench.heap()
    costs = await bench.costs()
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
    cost = spent(costs, await bench.costs(), max(came, 1))
    await bench.page.evaluate("() => { bench.frames = []; bench.longTasks = []; }")
    after = await bench.heap()
    await asyncio.to_thread(sender.join)
    return {"frames": frames, "tasks": tasks, "before": before, "after": after, "rate": came / passed, "cost": cost}


async def trend(bench: Bench, address: str, *, whole: bytes | None) -> dict[str, float]:
    """Ms of each stage from the request for a day's history to its last line; ``whole``: an answer with every point."""
    if whole is not None:
        await bench.page.route("**/samples?*", lambda route: route.fulfill(body=whole, content_type="application/json"))
    await bench.page.goto(f"{address}#/enterprises/works/trend")
    await bench.page.locator("button.row").click()
    await bench.page.locator("figure canvas").wait_for()
    await bench.page.wait_for_timeout(1000)
    await bench.page.evaluate("() => { performance.clearResourceTimings(); bench.trends = []; }")
    await bench.page.get_by_role("combobox").last.select_option(str(DAY_MINUTES * 60_000))
    await bench.page.wait_for_function("() => bench.trends.length > 0")
    taken: dict[str, float] = await bench.page.evaluate(STAGES)
    assert taken["all"] > 0
    return taken


async def trends(browser: Browser, address: str, times: Sequence[int], values: Sequence[float]) -> list[Row]:
    """A day as the page asks for it, and with every reading of it in the chart."""
    rows = []
    alone = await plain.plot(browser, times, values)
    for name, answer, beside in (
        ("a day's trend of 86,400 readings, as the page asks for it", None, None),
        ("a day's trend with all 86,400 points in the chart", whole_day(times, values), alone),
    ):
        taken = []
        for _ in range(TRENDS):
            bench = await Bench.open(browser, f"{address}#token={TOKEN}")
            taken.append(await trend(bench, address, whole=answer))
            await bench.close()
        drawn = figure(name, [each["all"] for each in taken], AIMS["trend"])
        stages = {stage: statistics.median(each[stage] for each in taken) for stage in ("request", "text", "parsed_and_drawn")}
        drawn["measured"] += "; " + ", ".join(f"{stage.replace('_', ' ')} {ms:.0f} ms" for stage, ms in stages.items())
        if beside is not None:
            ratio = statistics.median(each["all"] for each in taken) / beside
            drawn["measured"] += f"; bare uPlot {beside:.0f} ms: {ratio:.1f} times"
        rows.append(drawn)
    return rows


async def scrolling(browser: Browser, bench: Bench, asked: argparse.Namespace) -> tuple[Row, dict[str, Any]]:
    """The list scrolled, and as many plain rows."""
    before = await bench.costs()
    frames, tasks = await bench.scrolled()
    costs = spent(before, await bench.costs(), SCROLLS * LENGTH / plain.ROW)
    nothing = await plain.idle(browser)
    bare_frames, bare_costs = await plain.scroll(browser, asked.alarms)
    found = smooth(f"{asked.alarms:,} active alarms scrolled", frames, tasks)
    found["measured"] += (
        f"; a row: {told_costs(costs)}; bare page: {statistics.mean(bare_frames):.1f} frames/s, "
        f"a row {bare_costs['in all']:.2f} ms; a page that does nothing: {statistics.mean(nothing):.1f} frames/s"
    )
    details = {"frames": frames, "long_tasks_ms": tasks, "ms_per_row": costs, "idle_frames": nothing}
    return found, details | {"bare_frames": bare_frames, "bare_ms_per_row": bare_costs}


async def measure(asked: argparse.Namespace, folder: Path) -> tuple[list[Row], dict[str, Any]]:
    """All that is asked for."""
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
                rows, details = await watched(browser, address, api, broker.port, asked)
                if "trend" in asked.only:
                    rows += await trends(browser, address, times.tolist(), values.tolist())
                await browser.close()
        finally:
            service.stop()
        return rows, details


async def watched(
    browser: Browser, address: str, api: Any, broker: int, asked: argparse.Namespace
) -> tuple[list[Row], dict[str, Any]]:
    """The watch page: opened, reached by single alarms, scrolled, under updates."""
    rows: list[Row] = []
    details: dict[str, Any] = {}
    single = asked.single + 5
    sender = await load.gateway(broker, "bench-console")
    sender.send({load.quiet(number): load.LOW for number in range(single)})
    for number in range(asked.single, single):
        sender.send({load.quiet(number): load.HIGH})
    await until(lambda: active(api, 5))
    if "paint" in asked.only:
        paints = await first_paint(browser, f"{address}#token={TOKEN}", asked.loads)
        details["paint_ms"] = paints
        rows.append(figure("first useful paint of the watch page, cache empty", paints, AIMS["paint"]))
    if not {"alarm", "scroll", "updates"} & set(asked.only):
        return rows, details

    bench = await Bench.open(browser, f"{address}#token={TOKEN}")
    await bench.page.locator(".row .act button").first.wait_for()
    if "alarm" in asked.only:
        drawn = await new_alarms(bench, sender, 0, asked.single)
        details["alarm_ms"] = drawn
        painted = [each["painted"] for each in drawn]
        rows.append(figure("new alarm on the screen after its message", painted, AIMS["alarm"]))
    if {"scroll", "updates"} & set(asked.only):
        await sender.all_at(asked.alarms, load.LOW)
        await asyncio.sleep(2)
        await sender.all_at(asked.alarms, load.HIGH)
        await until(lambda: active(api, asked.alarms), PATIENCE)
        await until(lambda: has_rows(bench, asked.alarms), PATIENCE)
    if "scroll" in asked.only:
        found, details["scroll"] = await scrolling(browser, bench, asked)
        rows.append(found)
    if "updates" in asked.only:
        details["updates"] = await updated(bench, broker, asked)
        rows += under_load(details["updates"], asked)
    await bench.close()
    return rows, details


def weighed() -> tuple[Row, dict[str, Any]]:
    """What the built files weigh."""
    built = bundle()
    found = row("size of the console, gzipped", f"<= {kilobytes(MOST)}", told_bundle(built), built.total <= MOST)
    return found, {"total": built.total, "first": built.first, "pages": built.pages}


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
    frames += f"; an update: {told_costs(found['cost'])}"
    memory = f"{found['before']:.1f} MB before, {found['after']:.1f} MB after, each after a forced collection"
    enough = found["rate"] >= 0.95 * asked.rate
    return [
        row(f"{what}: frames/s", f"never < {AIMS['updates']:g}", frames, lowest >= AIMS["updates"] and enough),
        row(f"{what}: memory in use", "no growth", memory, growth < 0.05 * found["before"] + 1),
    ]


async def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of it")
    parser.add_argument("--minutes", type=float, default=10, help="of updates")
    parser.add_argument("--rate", type=int, default=500, help="updates a second")
    parser.add_argument("--alarms", type=int, default=10_000, help="active at once")
    parser.add_argument("--single", type=int, default=40, help="alarms that enter alone and are timed")
    parser.add_argument("--loads", type=int, default=10, help="of the watch page")
    asked = parser.parse_args()
    rows: list[Row] = []
    details: dict[str, Any] = {}
    if "bundle" in asked.only:
        found, details["bundle"] = weighed()
        rows.append(found)
    if set(asked.only) - {"bundle"}:
        with tempfile.TemporaryDirectory() as folder:
            more, others = await measure(asked, Path(folder))
        rows, details = rows + more, details | others
    title = "The console in headless Chromium, 1920 x 1080, processor not throttled, no graphics card"
    whole = set(asked.only) == set(PARTS)
    publish("console" if whole else f"console-{'-'.join(asked.only)}", title, rows, details)
    if missed := [each["what"] for each in rows if each["met"] == "NO"]:
        raise SystemExit(f"short of the aim: {', '.join(missed)}")


if __name__ == "__main__":
    asyncio.run(main())
