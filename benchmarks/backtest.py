"""How fast rules run over recordings: a year of one tag, a week of a thousand, and the same job as vmalert.

The readings are made for the occasion and written to Parquet first, which is reported apart. Each evaluation is a
process of its own, from opening the file to the last episode; memory is the sum over all of its processes, read from
/proc twenty times a second.

Beside it, on the same readings and in the same run, ``vmalert -replay`` (Debian's victoria-metrics package) over a
VictoriaMetrics that has them already: two limits and a rise with ``for:`` on each tag. Both must find the same alarms.
vmalert forgets what is under way wherever one of its queries ends, so the readings of this job are calm at those times.

``python -m benchmarks.backtest``                         everything, about six minutes
``python -m benchmarks.backtest --only year --days 30``   less of one
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.progress import Progress

from benchmarks.report import publish
from domain.samples import Float64, SampleBlock
from service.config import load_site
from tests import servers
from tests.running import site_of
from tuning.backtest.run import backtest
from tuning.readings.recording import About, RecordedTag, Recording, RecordingWriter

BEGIN = 1_735_660_800_000
"""2025-01-01 in Shanghai."""
DAY = 86_400
STEP = 1_000
"""ms between readings."""
TARGETS = {"year": 3.0, "week": 120.0}
"""Seconds."""
MEMORY = 2_000
"""MB."""
RATIO = 20.0
"""Times faster than vmalert, the aim."""
LOST = 1e-4
"""Share of readings that never arrive."""
CHUNK = 1_000_000
LIMITS = {"H": (78, 60), "HH": (82, 10)}
"""Of the job that both can do: setpoint, and seconds for which it must hold."""
RISE = (4.05, 5)
"""Per minute, and seconds."""
QUERY = 21_600
"""Seconds that one query of vmalert covers; VictoriaMetrics allows 30,000 points."""


def rich_site(tags: int) -> dict[str, Any]:
    """H and HH with deadband and delays, a rate of rise, and what every tag has by default: STALE and BAD."""
    common = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 200]}
    limits = {
        "H": {"setpoint": 78, "deadband": 1, "on_delay": "10s", "off_delay": "5s"},
        "HH": {"setpoint": 82, "deadband": 1, "on_delay": "5s", "off_delay": "5s"},
    }
    rate = {"rise": {"limit": 12, "per": "1min", "window": "60s"}}
    return site_of(
        [
            {
                "id": "bench",
                "name": "测试",
                "tags": [{"tag": f"T-{number:04}", **common, "limits": limits, "rate": rate} for number in range(tags)],
            }
        ]
    )


def plain_site(tags: int) -> dict[str, Any]:
    """What vmalert can do as well: two limits and a rise over a minute, each held for a time, and nothing else."""
    common = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 200], "stale": "off", "bad": "off"}
    limits = {
        key: {"setpoint": setpoint, "deadband": 0, "on_delay": f"{held}s", "off_delay": 0}
        for key, (setpoint, held) in LIMITS.items()
    }
    rate = {"rise": {"limit": RISE[0], "per": "1min", "window": "60s", "deadband": 0, "on_delay": f"{RISE[1]}s"}}
    own = [{"tag": f"T-{number:04}", **common, "limits": limits, "rate": rate} for number in range(tags)]
    return site_of([{"id": "bench", "name": "测试", "tags": own}])


def alerts(tags: int) -> list[dict[str, str]]:
    """The same for vmalert: each tag has rules of its own, as each has limits of its own on a site."""
    found = []
    for number in range(tags):
        series = f'reading{{tag="T-{number:04}"}}'
        for key, (setpoint, held) in LIMITS.items():
            found.append({"alert": key, "expr": f"{series} >= {setpoint}", "for": f"{held}s"})
        found.append({"alert": "RISE", "expr": f"delta({series}[60s]) >= {RISE[0]}", "for": f"{RISE[1]}s"})
    return found


def values(random: np.random.Generator, begin: int, count: int, phase: float, *, calm: bool) -> Float64:
    """A daily swing, a batch of an hour and a half, noise; and now and then an excursion of some minutes.

    ``calm``: nothing is high where a query of vmalert ends.
    """
    second = np.arange(begin, begin + count)
    batch = -np.pi / 2 if calm else phase
    value = 55 + 6 * np.sin(2 * np.pi * second / DAY + phase) + 9 * np.sin(2 * np.pi * second / 5_400 + batch)
    starts = random.integers(0, max(count - 1_200, 1), max(count // 20_000, 1))
    if calm:
        starts = starts[(starts + begin) % QUERY < QUERY - 1_500]
    for start in starts.tolist():
        span = np.arange(min(1_200, count - start))
        value[start : start + len(span)] += 20 * np.sin(np.pi * span / 1_200) ** 2
    noise: Float64 = np.round(value + random.normal(0, 0.4, count), 1)
    return noise


def write(path: Path, tags: int, seconds: int, *, plain: bool = False) -> int:
    """A recording of tags at 1 Hz; returns the number of readings. ``plain``: calm (``values``), and none is lost."""
    lost = 0.0 if plain else LOST
    random = np.random.default_rng(4)
    described = tuple(RecordedTag(f"works/T-{number:04}", "works/bench", "°C") for number in range(tags))
    with (
        Progress(transient=True) as progress,
        RecordingWriter(path, About(described, "benchmark", live_clock=True)) as writer,
    ):
        bar = progress.add_task("writing", total=tags * seconds)
        for tag in range(tags):
            for begin in range(0, seconds, CHUNK):
                count = min(CHUNK, seconds - begin)
                source = BEGIN + STEP * np.arange(begin, begin + count)
                block = SampleBlock(
                    np.full(count, tag, dtype=np.int32),
                    source,
                    source + random.integers(20, 80, count),
                    values(random, begin, count, tag, calm=plain),
                    np.full(count, 192, dtype=np.uint8),
                    np.zeros(count, dtype=np.uint8),
                )
                writer.write_tag(block.take(random.random(count) >= lost) if lost else block)
                progress.advance(bar, count)
    return writer.rows


def evaluate(folder: Path) -> None:
    """What the process of its own does; prints figures as JSON."""
    begun = time.perf_counter()
    site = load_site([folder / "site.yaml"])
    loaded = time.perf_counter()
    found = backtest(site, Recording(folder / "data.parquet"))
    done = time.perf_counter()
    alarms = [
        (site.tags[int(site.rules.tag[rule])].name, site.rules.key[rule], entered, left)
        for rule, entered, left in zip(
            found.episodes.rule.tolist(),
            found.episodes.entered_at.tolist(),
            found.episodes.left_at.tolist(),
            strict=True,
        )
    ]
    counts: dict[str, int] = {}
    for rule in found.episodes.rule.tolist():
        counts[site.rules.key[rule]] = counts.get(site.rules.key[rule], 0) + 1
    print(
        json.dumps(
            {
                "seconds": done - loaded,
                "configuration": loaded - begun,
                "readings": found.readings,
                "alarms": len(alarms),
                "by_rule": counts,
                "episodes": alarms if len(site.tags) <= 100 else [],
            }
        )
    )


@contextmanager
def watched(process: "subprocess.Popen[str]") -> Iterator[list[float]]:
    """The greatest memory of a process and all that it starts together, MB."""
    peak = [0.0]
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], sum(map(_resident, _family(process.pid))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _family(pid: int) -> list[int]:
    found = [pid]
    for number in found:
        try:
            for task in Path(f"/proc/{number}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _resident(pid: int) -> float:
    """Memory of a process; what it shares with others is shared out."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0


def in_process(folder: Path) -> dict[str, Any]:
    """Evaluate in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.backtest", "--evaluate", str(folder)]
    begun, used = time.perf_counter(), of_children()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with watched(process) as peak:
        output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"the evaluation failed with {process.returncode}")
    took = {"process": time.perf_counter() - begun, "cpu": of_children() - used}
    return {**json.loads(output), **took, "memory": peak[0]}


def of_children() -> float:
    """Processor seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def job(name: str, tags: int, days: int, rounds: int) -> dict[str, Any]:
    """One of our own jobs."""
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        (folder / "site.yaml").write_text(yaml.safe_dump(rich_site(tags), allow_unicode=True))
        begun = time.perf_counter()
        readings = write(folder / "data.parquet", tags, days * DAY)
        written = time.perf_counter() - begun
        runs = [in_process(folder) for _ in range(rounds)]
        best = min(runs, key=lambda run: run["seconds"])
        assert best["readings"] == readings, f"{best['readings']} of {readings} readings were evaluated"
        whole = tags == {"year": 1, "week": 1_000}[name] and days == {"year": 365, "week": 7}[name]
        return {
            "what": f"{tags:,} tag(s), {days} days at 1 Hz",
            "readings": readings,
            "seconds": best["seconds"],
            "readings/s": readings / best["seconds"],
            "target s": TARGETS[name] if whole else "-",
            "memory MB": max(run["memory"] for run in runs),
            "alarms": best["alarms"],
            "written in s": written,
            "file MB": (folder / "data.parquet").stat().st_size / 1e6,
            "runs": [run["seconds"] for run in runs],
            "by_rule": best["by_rule"],
        }


# ---- beside vmalert


def beside_vmalert(tags: int, days: int, rounds: int) -> dict[str, Any]:
    """The same readings and the same rule."""
    with tempfile.TemporaryDirectory() as name_of_folder, servers.victoria_metrics() as victoria:
        folder = Path(name_of_folder)
        (folder / "site.yaml").write_text(yaml.safe_dump(plain_site(tags), allow_unicode=True))
        readings = write(folder / "data.parquet", tags, days * DAY, plain=True)
        begun = time.perf_counter()
        fill(victoria.url, folder / "data.parquet")
        filled = time.perf_counter() - begun
        ours: list[dict[str, Any]] = []
        theirs: list[float] = []
        their_cpu: list[float] = []
        for _ in range(rounds):
            ours.append(in_process(folder))
            assert victoria.process is not None
            server = cpu_seconds(victoria.process.pid)
            seconds, cpu = replayed(victoria.url, folder, tags, days)
            theirs.append(seconds)
            their_cpu.append(cpu + cpu_seconds(victoria.process.pid) - server)
        found = {tuple(each) for each in ours[-1]["episodes"]}
        expected = firing(victoria)
        if found != expected:
            raise SystemExit(f"alarms differ: {sorted(found ^ expected)[:6]} of {len(found)} and {len(expected)}")
        own, process, other = min(r["seconds"] for r in ours), min(r["process"] for r in ours), min(theirs)
        return {
            "what": f"{tags} tags, {days} days at 1 Hz, H, HH and a rise, each with a delay",
            "readings": readings,
            "alarms, equal": len(found),
            "AnShao s": own,
            "whole process s": process,
            "vmalert s": other,
            "times faster": other / own,
            "processor s": min(r["cpu"] for r in ours),
            "vmalert + server": min(their_cpu),
            "filled in s": filled,
            "runs": {"ours": [r["seconds"] for r in ours], "vmalert": theirs},
        }


def fill(url: str, path: Path) -> None:
    """Put a recording into VictoriaMetrics."""
    recording = Recording(path)
    for index, tag in enumerate(recording.tags):
        name = tag.path.partition("/")[2]
        for block in recording.read_tag(index):
            line = {
                "metric": {"__name__": "reading", "tag": name},
                "values": block.value.tolist(),
                "timestamps": block.source_time.tolist(),
            }
            post(f"{url}/api/v1/import", json.dumps(line).encode())
    post(f"{url}/internal/force_flush")


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process that runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def replayed(url: str, folder: Path, tags: int, days: int) -> tuple[float, float]:
    """Seconds that ``vmalert -replay`` takes, and processor seconds of it alone."""
    program = shutil.which("vmalert")
    if program is None:
        raise SystemExit("vmalert is not installed: apt-get install victoria-metrics")
    group = {"name": "bench", "interval": f"{STEP}ms", "rules": alerts(tags)}
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [group]}))
    end = BEGIN + days * DAY * 1_000
    command = [
        program,
        f"-rule={folder}/rules.yaml",
        f"-datasource.url={url}",
        f"-remoteWrite.url={url}",
        f"-replay.timeFrom={_iso(BEGIN)}",
        f"-replay.timeTo={_iso(end)}",
        f"-datasource.queryStep={STEP}ms",  # without it every fifth minute is looked at
        f"-replay.maxDatapointsPerQuery={QUERY}",
        "-replay.rulesDelay=0s",
        "-replay.disableProgressBar",
        "-loggerLevel=ERROR",
        f"-httpListenAddr=127.0.0.1:{servers.free_port()}",
    ]
    begun, used = time.perf_counter(), of_children()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"vmalert failed: {run.stdout[-2000:]}{run.stderr[-2000:]}")
    return time.perf_counter() - begun, of_children() - used


def firing(victoria: servers.Victoria) -> set[tuple[str, str, int, int]]:
    """Tag, rule, first and last second of each alarm that vmalert has written, the last as ours tells it."""
    post(f"{victoria.url}/internal/force_flush")
    found: set[tuple[str, str, int, int]] = set()
    times: dict[tuple[str, str], list[int]] = {}
    for series in victoria.export('ALERTS{alertstate="firing"}'):
        metric = series["metric"]
        times.setdefault((metric["tag"], metric["alertname"]), []).extend(series["timestamps"])
    for (tag, rule), stamps in times.items():
        at = np.unique(np.array(stamps, dtype=np.int64))
        begins = np.flatnonzero(np.diff(at, prepend=-STEP * 2) > STEP)
        ends = np.append(begins[1:], len(at)) - 1
        found |= {(tag, rule, int(at[a]), int(at[b]) + STEP) for a, b in zip(begins, ends, strict=True)}
    return found


def post(url: str, body: bytes = b"") -> None:
    """Send, and fail on anything but success."""
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=120) as answer:
        answer.read()


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["year", "week", "vmalert"])
    parser.add_argument("--tags", type=int, help="of the week, or of the job with vmalert")
    parser.add_argument("--days", type=int, help="of the year, or of the job with vmalert")
    parser.add_argument("--rounds", type=int, default=2, help="the best counts; all are written down")
    parser.add_argument("--evaluate", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.evaluate:
        evaluate(asked.evaluate)
        return
    rows = []
    if asked.only in {None, "year"}:
        rows.append(job("year", 1, asked.days or 365, asked.rounds))
    if asked.only in {None, "week"}:
        rows.append(job("week", asked.tags or 1_000, 7, asked.rounds))
    if rows:
        shown = [{key: value for key, value in row.items() if key not in {"runs", "by_rule"}} for row in rows]
        publish("backtest", f"Backtests of recordings (memory: aim below {MEMORY:,} MB)", shown, {"jobs": rows})
    if asked.only in {None, "vmalert"}:
        row = beside_vmalert(asked.tags or 50, asked.days or 7, asked.rounds)
        shown = [{key: value for key, value in row.items() if key != "runs"}]
        publish("backtest-vmalert", f"Beside vmalert -replay (aim: {RATIO:g} times)", shown, row)


if __name__ == "__main__":
    main()
