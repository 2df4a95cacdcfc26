"""What the commands of the workbench work on: rules from configuration files, readings as a recording."""

import asyncio
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy import inspect, make_url

from alerting.incidents.grading import GradingTable, load_grading
from alerting.kpi.targets import Targets as KeyTargets
from alerting.kpi.targets import load_targets
from alerting.ledger.ledger import Ledger, LedgerUnavailable, reaching
from alerting.ledger.revisions_schema import revision
from domain.scales import Grade, Level
from domain.site import SERVICE_ENTERPRISE, Site
from historian.protocol import HistorianError
from service.config import ConfigurationError, Settings, format_faults, is_main_file, load, load_replay, load_site
from service.parts import make_historian
from service.reports.words import ZONE, full_time
from service.revisions.store import RevisionStore
from tuning.backtest.run import CLOCK_TOLERANCE, LATENESS
from tuning.readings.conversion import described, write_history, write_table
from tuning.readings.recorded import Recorded, RecordedError
from tuning.readings.recording import About, InForce, Recording, RecordingError, RecordingWriter
from tuning.scoring import Targets, Yardstick

PARQUET = ".parquet"
YEARS = range(1970, 2200)
"""Of instants that may be asked for [ours]."""
LISTED = 5
"""Names that a message gives of many."""
console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule set, with the settings that it is evaluated by."""

    site: Site
    lateness: int = LATENESS
    clock_tolerance: int = CLOCK_TOLERANCE
    kpi: KeyTargets = field(default_factory=load_targets)
    grading: GradingTable = field(default_factory=load_grading)

    @property
    def yardstick(self) -> Yardstick:
        """What alarms are measured against."""
        kpi, by_level = self.kpi, self.grading.alarm
        targets = Targets(
            graded_from_days=kpi.graded_from_days,
            average=kpi.average.acceptable,
            busy_above=kpi.busy.above,
            busy_share=kpi.busy.share_below,
            flood_begins_above=kpi.flood.begins_above,
            flood_ends_below=kpi.flood.ends_below,
            flood_share=kpi.flood.share_below,
            top_ten_share=kpi.top_ten.share_at_most,
            chattering_transitions=kpi.chattering.transitions,
            chattering_within=round(kpi.chattering.within * 1000),
            fleeting_within=round(kpi.fleeting.within * 1000),
            stale_after=round(kpi.stale.after * 1000),
            stale_per_day=kpi.stale.per_day_below,
            priorities={grade: getattr(kpi.priorities, grade.label) for grade in Grade},
            priorities_tolerance=kpi.priorities.tolerance,
        )
        return Yardstick(targets, {level: by_level.of(level) for level in Level})


def refused(message: str) -> typer.Exit:
    """What the command cannot do as it was asked: exit status 2."""
    typer.echo(message, err=True)
    return typer.Exit(2)


def rules_or_exit(files: Sequence[Path]) -> Rules:
    """The rules of one main file, or of site files together."""
    try:
        if len(files) == 1 and is_main_file(files[0]):
            settings = load(files[0], os.environ)
            return Rules(
                settings.site, settings.lateness, settings.clock_tolerance, settings.kpi, settings.grading_table
            )
        return Rules(load_site(files))
    except ConfigurationError as error:
        raise refused(format_faults(error.faults)) from None


def instant(text: str, option: str) -> int:
    """A date (from its midnight on, Asia/Shanghai) or an ISO 8601 instant, ms UTC."""
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise refused(f"{option} {text}: write a date, 2026-06-01, or an instant, 2026-06-01T08:00:00+08:00") from None
    if stamp.year not in YEARS:
        raise refused(f"{option} {text}: write a year from {YEARS[0]} to {YEARS[-1]}")
    return round((stamp if stamp.tzinfo else stamp.replace(tzinfo=ZONE)).timestamp() * 1000)


def tags_or_exit(site: Site, names: Sequence[str]) -> list[str]:
    """Paths of tags given by path or, where one enterprise has it, by name."""
    if not names:
        raise refused("--tags: no tag is named; write NAME,NAME, or leave it out for all")
    found = []
    for name in names:
        paths = [name] if name in site.tag_index else [tag.path for tag in site.tags if tag.name == name]
        if len(paths) != 1:
            wrong = f"is in {', '.join(paths[:LISTED])}: write which" if paths else "is no tag of these files"
            raise refused(f"--tags: {name} {wrong}")
        found += paths
    return found


def measured(site: Site) -> list[str]:
    """Paths of all tags but those of the service itself."""
    return [tag.path for tag in site.tags if not tag.system and tag.enterprise != SERVICE_ENTERPRISE]


def bars() -> Progress:
    """Progress on the terminal, beside what is printed."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


@contextmanager
def opened(
    data: Path | None,
    *,
    site: Site,
    mapping: Path | None = None,
    config: Path | None = None,
    begin: int | None = None,
    end: int | None = None,
    tags: Collection[str] | None = None,
) -> Iterator[Recording]:
    """Readings as a recording: a recording as it is; a table or a range of the historian as a temporary one.

    ``data``: a recording (file or folder) or a table, which ``mapping`` (a site file with ``replay``) describes;
    without it ``config`` (a main file) names the historian, and ``begin`` and ``end`` the range. Exit status 2 with the
    reason if that cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="anshao-") as folder:
        # Reports name the recording: a temporary one is called what it was made from
        try:
            if data is None:
                if config is None or begin is None or end is None:
                    raise refused("give DATA, or --config, --from and --to to take it from the historian")
                path = Path(folder) / f"historian of {config.name}"
                paths = list(tags) if tags is not None else measured(site)
                record_history(settings_or_exit(config), paths, begin, end, path)
            elif data.is_dir() or data.suffix.lower() == PARQUET:
                path = data
            elif mapping is None:
                raise refused(f"{data}: a table needs --mapping, a site file whose `replay` section describes it")
            else:
                path = Path(folder) / data.name
                record_table(data, mapping, site, path)
            recording = Recording(path)
            _reaches(recording, begin, end)
            yield recording
        except (RecordingError, RecordedError, OSError) as error:
            raise refused(str(error)) from None


def _reaches(recording: Recording, begin: int | None, end: int | None) -> None:
    """Exit status 2 where a span that is open on one side ends before it begins."""
    if not recording.counts.sum():
        return
    if end is None and begin is not None and begin > recording.end:
        raise refused(f"--from lies after the last reading, {full_time(recording.end)}: look at --from and --to")
    if begin is None and end is not None and end <= recording.begin:
        raise refused(f"--to lies before the first reading, {full_time(recording.begin)}: look at --from and --to")


def settings_or_exit(config: Path) -> Settings:
    """Settings of a main file."""
    try:
        return load(config, os.environ)
    except ConfigurationError as error:
        raise refused(format_faults(error.faults)) from None


def record_table(table: Path, mapping: Path, site: Site, path: Path) -> None:
    """Write a table to a recording, and say what of it could not be read. Raises RecordedError."""
    try:
        replay = load_replay(mapping)
    except ConfigurationError as error:
        raise refused(format_faults(error.faults)) from None
    recorded = Recorded(table, replay)
    enterprise = replay.gateway.partition("/")[0]
    paths = [f"{enterprise}/{name}" for name in replay.columns.values()]
    about = About(tuple(described(site, each) for each in paths), made_by=f"mapping {mapping.name}")
    with bars() as progress, RecordingWriter(path, about) as writer:
        bar = progress.add_task(table.name, total=len(recorded))
        write_table(recorded, paths, site, writer, lambda rows: progress.advance(bar, rows))
    faults = recorded.faults
    if faults.rows or faults.cells:
        typer.echo(
            f"{table.name}: left out {faults.rows} rows without a readable time; "
            f"without a number, and so BAD: {faults.cells} cells",
            err=True,
        )


def record_history(settings: Settings, paths: Sequence[str], begin: int, end: int, path: Path) -> int:
    """Write a range of the historian to a recording; returns the number of readings."""
    if begin >= end:
        raise refused("--from must lie before --to")
    live = any(gateway.clock == "live" for gateway in settings.site.gateways.values())
    tags = tuple(described(settings.site, each) for each in paths)

    async def read(writer: RecordingWriter, progress: Progress) -> None:
        writer.describe(About(tags, "record", live_clock=live, in_force=await revisions_in_force(settings, begin, end)))
        historian = make_historian(settings)
        try:
            await historian.start()
            bar = progress.add_task("历史数据 historian", total=len(paths) * (end - begin))
            await write_history(historian, paths, begin, end, writer, lambda ms: progress.advance(bar, ms))
        finally:
            await historian.close()

    try:
        with bars() as progress, RecordingWriter(path, About(tags)) as writer:
            asyncio.run(read(writer, progress))
    except HistorianError as error:
        raise refused(f"the historian: {error}. {error.remedy}".strip()) from None
    return writer.rows


async def revisions_in_force(settings: Settings, begin: int, end: int | None) -> tuple[InForce, ...]:
    """The revisions that held from ``begin`` on, as far as the ledger is there to say it."""
    if not has_ledger(settings):
        return ()
    ledger = Ledger(settings.ledger.url.get_secret_value())
    try:
        async with reaching(ledger.engine) as connection:
            if not await connection.run_sync(lambda sync: inspect(sync).has_table(revision.name)):
                return ()
        store, found, before = RevisionStore(ledger.engine), [], None
        while page := await store.page(100, before):
            for each in page:
                if end is None or each.at < end:
                    found.append(InForce(each.at, each.number, each.digest))
                if each.at <= begin:
                    return tuple(reversed(found))
            before = page[-1].number
        return tuple(reversed(found))
    except LedgerUnavailable as fault:
        typer.echo(
            f"note: the ledger cannot be read ({fault}): the revisions in force are not in the recording", err=True
        )
        return ()
    finally:
        await ledger.close()


def has_ledger(settings: Settings) -> bool:
    """False: its file is not there yet, and must not be made by looking."""
    url = make_url(settings.ledger.url.get_secret_value())
    return url.get_backend_name() != "sqlite" or Path(url.database or "").exists()
