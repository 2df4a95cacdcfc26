"""``anshao train``."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from domain.samples import SampleBlock
from domain.scales import Quality, QualityReason
from domain.site import Site
from service.config import ConfigurationError, format_faults, load_replay, load_site
from service.config.quantities import parse_positive_duration
from service.logs import configure_logs
from tuning.multivariate.alignment import AlignmentError
from tuning.multivariate.artefact import write_model
from tuning.multivariate.normal import Span
from tuning.multivariate.training import Options, TrainingError
from tuning.multivariate.unit import Learned, Progress, Wishes, learn
from tuning.readings.recorded import Recorded, RecordedError
from tuning.readings.recording import About, RecordedTag, Recording, RecordingError, RecordingWriter

_BLOCK = 4_096
"""Rows of a table that are written to a recording at once."""
_ZONE = ZoneInfo("Asia/Shanghai")
"""Of times on the command line without an offset."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command's arguments, as they were written."""

    site: Path
    unit: str
    data: Path
    out: Path
    begin: str | None
    end: str | None
    exclude: tuple[str, ...]
    tags: tuple[str, ...]
    leave_out: tuple[str, ...]
    period: str | None
    components: str
    smoothing: float
    significance: float
    keep_drifting: bool
    keep_alarms: bool

    def wishes(self) -> Wishes:
        """As training takes them. Raises ValueError."""
        return Wishes(
            options=Options(self.smoothing, _components(self.components), self.significance, self.keep_drifting),
            begin=None if self.begin is None else _time(self.begin),
            end=None if self.end is None else _time(self.end),
            excluded=tuple(_span(each) for each in self.exclude),
            tags=self.tags,
            left_out=self.leave_out,
            period=None if self.period is None else _period(self.period),
            keep_alarms=self.keep_alarms,
        )


def run_training(asked: Asked) -> None:
    """Train, write the model, and say what it is. Exit status 2 where that cannot be done."""
    configure_logs("warning", "console")
    try:
        wishes = asked.wishes()
        known = load_site([asked.site])
        with _bars() as bars, _opened(asked.data, asked.site, known, bars) as recording:
            learned = learn(known, asked.unit, recording, wishes, asked.data.name, _Shown(bars))
        write_model(asked.out, learned.document)
    except ConfigurationError as error:
        raise _refused(format_faults(error.faults)) from None
    except (AlignmentError, TrainingError, RecordedError, RecordingError, ValueError, OSError) as error:
        raise _refused(str(error)) from None
    _tell(learned, asked.out)


class _Shown(Progress):
    """Progress as a bar."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._bar = bars.add_task("", total=None)

    def begin(self, step: str, total: int | None) -> None:
        """A step begins."""
        self._bars.reset(self._bar, total=total, description=step)

    def advance(self, parts: int) -> None:
        """Parts of it are done."""
        self._bars.advance(self._bar, parts)


def _bars() -> Bars:
    columns = (TextColumn("{task.description:12}"), BarColumn(), TimeRemainingColumn())
    return Bars(*columns, console=Console(stderr=True), transient=True)


@contextmanager
def _opened(data: Path, site: Path, known: Site, bars: Bars) -> Iterator[Recording]:
    """The data as a recording; a table is written to one first, which is removed at the end."""
    if data.is_dir() or data.suffix == ".parquet":
        yield Recording(data)
        return
    mapping = load_replay(site)
    recorded = Recorded(data, mapping)
    enterprise = mapping.gateway.partition("/")[0]
    places = {name: place for place, name in enumerate(mapping.columns.values())}
    tags = tuple(_recorded_tag(known, f"{enterprise}/{name}") for name in places)
    with tempfile.TemporaryDirectory(prefix="anshao-train-") as folder:
        path = Path(folder) / "data.parquet"
        bar = bars.add_task(data.name, total=len(recorded))
        with RecordingWriter(path, About(tags, made_by=data.name)) as writer:
            for block in _blocks(recorded, places):
                writer.write(block)
                bars.advance(bar, len(block) / len(places))
        bars.remove_task(bar)
        if recorded.faults.rows or recorded.faults.cells:
            typer.echo(
                f"{data.name}: left out {recorded.faults.rows} rows without a readable time; "
                f"without a number: {recorded.faults.cells} cells",
                err=True,
            )
        yield Recording(path)


def _recorded_tag(site: Site, path: str) -> RecordedTag:
    tag = site.tags[site.tag_index[path]]
    return RecordedTag(path, tag.unit, tag.engineering_unit, tag.measurand, tag.period)


def _blocks(recorded: Recorded, places: dict[str, int]) -> Iterator[SampleBlock]:
    """Rows of a table, as readings that came when they were taken."""
    times: list[int] = []
    rows: list[list[float]] = []
    for time, values in recorded:
        times.append(time)
        rows.append([np.nan if (value := values[name]) is None else value for name in places])
        if len(rows) == _BLOCK:
            yield _block(times, rows)
            times, rows = [], []
    if rows:
        yield _block(times, rows)


def _block(times: list[int], rows: list[list[float]]) -> SampleBlock:
    value = np.array(rows)
    time = np.repeat(np.array(times, dtype=np.int64), value.shape[1])
    flat = value.ravel()
    gone = np.isnan(flat)
    return SampleBlock(
        tag=np.tile(np.arange(value.shape[1], dtype=np.int32), len(rows)),
        source_time=time,
        received_time=time,
        value=flat,
        quality=np.where(gone, np.uint8(Quality.BAD), np.uint8(Quality.GOOD)),
        reason=np.where(gone, np.uint8(QualityReason.NOT_A_NUMBER), np.uint8(QualityReason.NONE)),
    )


def _components(text: str) -> str | int | float:
    if text == "parallel":
        return text
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (0 < number < 1 or (number >= 1 and number == int(number))):
        raise ValueError(f"--components {text}: write parallel, a fraction such as 0.85, or a whole number")
    return number if number < 1 else int(number)


def _period(text: str) -> int:
    try:
        return parse_positive_duration(text)
    except PydanticCustomError as fault:
        raise ValueError(f"--period {text}: {fault.message()}; write for example 10s or 3min") from None


def _time(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write for example 2026-03-01T00:00:00+08:00") from None
    return round((at if at.tzinfo else at.replace(tzinfo=_ZONE)).timestamp() * 1000)


def _span(text: str) -> Span:
    begin, slash, end = text.partition("/")
    if not slash or _time(begin) >= _time(end):
        raise ValueError(f"--exclude {text}: write FROM/TO, the earlier time first")
    return Span(_time(begin), _time(end))


def _refused(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(2)


def _tell(learned: Learned, out: Path) -> None:
    """What was learned, and how it comes to be used."""
    trained, origin = learned.trained, learned.origin
    console = Console()
    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in (
        ("装置 unit", origin.unit),
        ("时段 span", f"{_shown(trained.begin)} … {_shown(trained.end)}, {trained.period / 1000:g} s"),
        ("行 rows", f"{trained.rows} used of {learned.rows}"),
        ("除外 without", f"{origin.rows_in_alarm} in or near alarms or events, {origin.rows_incomplete} incomplete"),
        ("位号 tags", f"{len(trained.names)}"),
        ("主元 components", f"{trained.retained} by {trained.chosen_by}, {trained.variance:.0%} of the variance"),
        ("限值 limit T²", _limit(trained.t2.limit, trained.t2.theory, trained.t2.held_out)),
        ("限值 limit SPE", _limit(trained.spe.limit, trained.spe.theory, trained.spe.held_out)),
        ("误报 false", f"{trained.false_rate:.2%} of held-out rows, before `consecutive`"),
    ):
        facts.add_row(name, value)
    console.print(facts)
    for each in trained.left_out:
        console.print(f"  left out 未用: {each.name} — {each.reason} ({each.figure:.3g})", highlight=False)
    unit = origin.unit.partition("/")[2]
    console.print(
        f"\nmodel 模型: {out} ({learned.document['digest'][:12]}). In the unit's rules 装置规则:", highlight=False
    )
    console.print(f"  - {{key: {unit}-T2, kind: t2, model: {out.name}}}", highlight=False)
    console.print(f"  - {{key: {unit}-SPE, kind: spe, model: {out.name}, grade: yellow}}", highlight=False)


def _limit(limit: float, theory: float | None, held_out: float | None) -> str:
    told = " / ".join("-" if each is None else f"{each:.4g}" for each in (theory, held_out))
    return f"{limit:.4g} (theory / held-out: {told})"


def _shown(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, _ZONE).strftime("%Y-%m-%d %H:%M:%S")
