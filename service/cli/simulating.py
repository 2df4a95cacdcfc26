"""``anshao simulate``: scenarios as recordings, as messages through a broker, as pictures."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from domain.site import Site
from ingest.links.protocol import parse_broker_url
from service.cli.outputs import check_outputs, check_recording
from service.cli.pacing import pace_of
from service.config import ConfigurationError, format_faults, load_site
from service.logs import configure_logs
from simulators.link import Link
from simulators.publisher import LinkLost
from simulators.scenarios import SITE, Chunk, ScenarioRefused, Simulation, find, load, shipped
from simulators.scenarios.picture import Picture
from simulators.scenarios.publishing import publish
from tuning.readings.recording import About, RecordedTag, RecordingWriter

CLOCKS = ("begins-now", "ends-now", "source")
_ROWS = 64
"""Readings of each instrument that are made ahead of their publication."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done with a scenario; see ``anshao simulate --help``."""

    scenario: str | None
    site: Path | None
    out: Path | None
    picture: Path | None
    broker: str | None
    speed: str
    clock: str
    passwords: Path | None
    seed: int | None
    scale: int
    tags: int | None


def run_simulation(asked: Asked) -> None:
    """Play the scenario. Exit status 2 for what cannot be begun, 1 for what failed."""
    if asked.scenario is None:
        raise _refused("name a scenario; `anshao simulate --list` shows the shipped ones")
    try:
        find(asked.scenario)
    except ScenarioRefused as error:
        raise _refused(str(error)) from None
    if asked.out is None and asked.picture is None and asked.broker is None:
        raise _refused("say what to do with it: --out FILE.parquet, --picture FILE.svg or --broker URL")
    if asked.picture is not None and asked.picture.suffix != ".svg":
        raise _refused(f"--picture {asked.picture}: pictures are SVG; name a file that ends with .svg")
    check_outputs({"--out": asked.out, "--picture": asked.picture}, (asked.site, asked.passwords, Path(asked.scenario)))
    if asked.out is not None:
        check_recording("--out", asked.out)
    configure_logs("warning", "console")
    try:
        site = load_site([asked.site or SITE])
        simulation = _simulation(asked, asked.scenario, site)
        wire = None if asked.broker is None else _wire(simulation, site, asked, asked.broker)
    except ConfigurationError as error:
        raise _refused(format_faults(error.faults)) from None
    except (ScenarioRefused, ValueError, OSError) as error:
        raise _refused(str(error)) from None
    _play(simulation, site, asked.out, asked.picture, wire)


@dataclass(frozen=True, slots=True)
class _Wire:
    """How a scenario is published."""

    links: Mapping[str, Link]
    shift: int
    speed: float | None
    url: str


def _simulation(asked: Asked, name: str, site: Site) -> Simulation:
    scenario = load(find(name))
    simulation = Simulation(scenario, site, seed=asked.seed, copies=asked.scale)
    if asked.tags is None:
        return simulation
    copies = max(1, round(asked.tags / len(simulation.tags) * asked.scale))
    return Simulation(scenario, site, seed=asked.seed, copies=copies)


def _wire(simulation: Simulation, site: Site, asked: Asked, broker: str) -> _Wire:
    clock, pace = asked.clock, pace_of(asked.speed)
    if clock not in CLOCKS:
        raise ValueError(f"--clock {clock}: write {', '.join(CLOCKS)}")
    if len(simulation.tags) > sum(tag.path in site.tag_index for tag in simulation.tags):
        raise ValueError("--scale and --tags make tags that no service knows: use them with --out, not with --broker")
    host, port, tls = parse_broker_url(broker)
    secrets = _passwords(asked.passwords)
    links = {}
    for station in simulation.stations:
        path = station.gateway.name
        if clock == "source" and site.gateways[station.enterprise, station.name].clock != "source":
            raise ValueError(
                f"--clock source: the service would take old readings of {path} for late ones. Give --site a copy of "
                "the site with `clock: source` on this gateway, and run the service with that."
            )
        links[path] = Link(station.enterprise, station.name, host, port, password=secrets.get(path), tls=tls)
    unknown = sorted(set(secrets) - set(links))
    if unknown:
        raise ValueError(f"--passwords {asked.passwords}: the scenario has no gateway {', '.join(unknown)}")
    if clock == "begins-now" and pace != 1.0:
        typer.echo(
            "note: faster than real time the source times run ahead of the clock, and a service refuses those more "
            "than ten minutes ahead; for quick runs use --clock source with gateways of `clock: source`.",
            err=True,
        )
    begins_now = time.time_ns() // 1_000_000 - simulation.begin
    ends_now = begins_now - simulation.scenario.file.duration
    shift = {"source": 0, "begins-now": begins_now, "ends-now": ends_now}[clock]
    return _Wire(links, shift, pace, broker)


def _passwords(path: Path | None) -> Mapping[str, str]:
    if path is None:
        return {}
    try:
        given = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        given = None
    if not isinstance(given, dict) or not all(isinstance(text, str) for each in given.items() for text in each):
        raise ValueError(f'--passwords {path}: write one line for each gateway, `enterprise/gateway: "password"`')
    return given


def _play(simulation: Simulation, site: Site, out: Path | None, picture: Path | None, wire: _Wire | None) -> None:
    """Make the readings once, and hand them to all that want them."""
    file = simulation.scenario.file
    drawn = None if picture is None else Picture(simulation, site)
    counts = _Counts()
    with ExitStack() as stack:
        progress = stack.enter_context(
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("steps"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
        )
        bar = progress.add_task(file.name, total=simulation.steps)
        try:
            take = None if out is None else stack.enter_context(written(simulation, out))
            chunks = _seen(simulation, take, drawn, progress, bar, counts, None if wire is None else _ROWS)
            if wire is None:
                for _ in chunks:
                    pass
            else:
                sent = asyncio.run(publish(chunks, wire.links, shift=wire.shift, speed=wire.speed))
                typer.echo(f"{sent} messages published as {', '.join(wire.links)}")
        except LinkLost as error:
            typer.echo(f"{error}; published in part. Is the broker running at {wire.url if wire else ''}?", err=True)
            raise typer.Exit(1) from None
        except OSError as error:
            raise _refused(f"{out}: {error.strerror or error}") from None
    if out is not None:
        typer.echo(f"{counts.readings:,} readings of {len(simulation.tags)} tags written to {out}")
    if drawn is not None and picture is not None:
        picture.write_text(drawn.svg(), encoding="utf-8")
        typer.echo(f"drawn to {picture}")
    for gateway, lost in simulation.lost.items():
        if lost:
            typer.echo(f"{gateway}: {lost} messages lost, as the scenario has it")


@dataclass(slots=True)
class _Counts:
    readings: int = 0


def _seen(
    simulation: Simulation,
    take: Callable[[Chunk], None] | None,
    picture: Picture | None,
    progress: Progress,
    bar: TaskID,
    counts: _Counts,
    steps: int | None,
) -> Iterator[Chunk]:
    """The chunks, on their way to the broker or to nobody, seen by recording and picture."""
    for chunk in simulation.chunks(steps):
        if take is not None:
            take(chunk)
        if picture is not None:
            picture.add(chunk)
        counts.readings += len(chunk)
        progress.advance(bar, chunk.steps)
        yield chunk


def about(simulation: Simulation) -> About:
    """The description of a simulation's recording."""
    recorded = [
        RecordedTag(tag.path, tag.unit, tag.engineering_unit, tag.measurand, tag.period) for tag in simulation.tags
    ]
    made_by = f"simulate {simulation.scenario.file.name} seed {simulation.seed}"
    return About(tuple(recorded), made_by, live_clock=True, truth=simulation.truth)


@contextmanager
def written(simulation: Simulation, path: Path) -> Iterator[Callable[[Chunk], None]]:
    """A recording of a simulation: what it takes is written while the next chunk is made. Raises OSError."""
    with RecordingWriter(path, about(simulation)) as writer, ThreadPoolExecutor(1) as thread:
        under_way: list[Future[None]] = []

        def take(chunk: Chunk) -> None:
            while under_way:
                under_way.pop().result()
            under_way.append(thread.submit(_write, chunk, writer))

        yield take
        while under_way:
            under_way.pop().result()


def _write(chunk: Chunk, writer: RecordingWriter) -> None:
    for part in chunk.parts:
        if len(part.delivered):
            for column in range(len(part.station.tags)):
                writer.write_tag(*part.column(column))


def list_scenarios() -> None:
    """The shipped scenarios as a table."""
    table = Table("name", "title", "duration", "tags", box=None, pad_edge=False)
    for name, path in shipped().items():
        file = load(path).file
        tags: Sequence[int] = [
            section.count if "{" in names[0] else len(names)
            for section in file.plants
            for names in section.tags.values()
        ]
        table.add_row(name, f"{file.title.zh} {file.title.en}", _told(file.duration), str(sum(tags)))
    Console().print(table)


def _told(milliseconds: int) -> str:
    """``1d12h``."""
    rest, told = milliseconds, ""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, length)
        told += f"{count}{unit}" if count else ""
    return told


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)
