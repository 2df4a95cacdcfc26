"""What the same machine does with the same load and no console: a bare list, a bare plot, a page that does nothing.

The console's figures are told beside these, so that a slow machine is seen for what it is.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser

from benchmarks.console.pages import LENGTH, SCROLLS, Bench, spent

UPLOT = Path(__file__).parents[2] / "tuning" / "reports" / "assets" / "uPlot.js"
"""The library that the console draws with, where the build puts it for reports."""
ROW = 50
"""px, as a row of the alarm list."""
IDLE = 5.0
"""Seconds."""
PAGE = """<!doctype html><style>
    body { margin: 0; font: 14px sans-serif; background: #22262b; color: #dfe3e8; }
    .rows { height: 700px; overflow: auto; background: #22262b; }
    .row { box-sizing: border-box; height: 50px; padding: 4px 12px; border-bottom: 1px solid #3d444d; contain: strict; }
</style><div class="rows"></div>"""
FILL = """rows => {
    const box = document.querySelector('.rows');
    for (let n = 0; n < rows; n += 1) {
        const row = document.createElement('div');
        row.className = 'row';
        row.textContent = `T-${n} 测试厂 · ${n % 20} 号装置 HH 高高限 ≥ 80 °C 95.00 °C`;
        box.append(row);
    }
}"""
PLOT = """([times, values]) => new Promise(done => {
    const place = document.createElement('div');
    document.body.replaceChildren(place);
    const begin = performance.now();
    const mean = { stroke: '#dfe3e8', width: 1.5, points: { show: false } };
    const hooks = { draw: [() => done(performance.now() - begin)] };
    new uPlot({ width: 1400, height: 220, series: [{}, mean], hooks }, [times, values], place);
})"""


async def bare(browser: Browser) -> Bench:
    """A page of no service."""
    bench = await Bench.open(browser, "about:blank")
    await bench.page.set_content(PAGE)
    return bench


async def idle(browser: Browser) -> list[float]:
    """Frames in each second of a page that does nothing."""
    bench = await bare(browser)
    await bench.record(on=True)
    await asyncio.sleep(IDLE)
    frames, _ = await bench.frames()
    await bench.close()
    return frames


async def scroll(browser: Browser, rows: int) -> tuple[list[float], dict[str, float]]:
    """Frames in each second while so many plain rows are scrolled, and ms of processor time for a row."""
    bench = await bare(browser)
    await bench.page.evaluate(FILL, rows)
    before = await bench.costs()
    frames, _ = await bench.scrolled(".rows")
    costs = spent(before, await bench.costs(), SCROLLS * LENGTH / ROW)
    await bench.close()
    return frames, costs


async def plot(browser: Browser, times: Sequence[int], values: Sequence[float]) -> float | None:
    """Ms for the bare library to draw so many points, in memory already; None: the library is not built."""
    if not UPLOT.is_file():
        return None
    bench = await bare(browser)
    await bench.page.add_script_tag(path=UPLOT)
    taken: float = await bench.page.evaluate(PLOT, [[at / 1000 for at in times], list(values)])
    await bench.close()
    return taken
