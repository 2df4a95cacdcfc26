"""``anshao train``: the work behind its arguments."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.progress import Progress as Bars
from rich.table import Table

from service.cli.datasets import bars, instant, opened, refused, rules_or_exit
from service.cli.outputs import check_outputs
from service.config.quantities import parse_positive_duration
from service.logs import configure_logs
from service.reports.words import ZONE
from tuning.multivariate.alignment import AlignmentError
from tuning.multivariate.artefact import write_model
from tuning.multivariate.normal import Span
from tuning.multivariate.training import Options, TrainingError
from tuning.multivariate.unit import Learned, Progress, Wishes, learn
from tuning.readings.recording import RecordingError


@dataclass(frozen=True, slots=True)
class Asked:
    """The command's arguments, as they were written."""

    rules: Path
    unit: str
    data: Path | None
    out: Path
    mapping: Path | None
    config: Path | None
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
        """As training takes them; exit status 2 where one makes no sense."""
        return Wishes(
            options=Options(self.smoothing, _components(self.components), self.significance, self.keep_drifting),
            begin=None if self.begin is None else instant(self.begin, "--from"),
            end=None if self.end is None else instant(self.end, "--to"),
            excluded=tuple(_span(each) for each in self.exclude),
            tags=self.tags,
            left_out=self.leave_out,
            period=None if self.period is None else _period(self.period),
            keep_alarms=self.keep_alarms,
        )


def run_training(asked: Asked) -> None:
    """Train, write the model, and say what it is. Exit status 2 where that cannot be done."""
    configure_logs("warning", "console")
    wishes = asked.wishes()
    check_outputs({"--out": asked.out}, (asked.rules, asked.data, asked.mapping, asked.config), makes_folders=True)
    if wishes.begin is not None and wishes.end is not None and wishes.begin >= wishes.end:
        raise refused("--from must lie before --to")
    site = rules_or_exit([asked.rules]).site
    mapping = asked.mapping or asked.rules
    with opened(
        asked.data, site=site, mapping=mapping, config=asked.config, begin=wishes.begin, end=wishes.end
    ) as recording:
        named = "historian" if asked.data is None else asked.data.name
        try:
            with bars() as shown:
                learned = learn(site, asked.unit, recording, wishes, named, _Shown(shown))
            write_model(asked.out, learned.document)
        except (AlignmentError, TrainingError, RecordingError, OSError) as error:
            raise refused(str(error)) from None
    _tell(learned, asked.out)


class _Shown(Progress):
    """Progress as a bar."""

    def __init__(self, shown: Bars) -> None:
        self._shown = shown
        self._bar = shown.add_task("", total=None)

    def begin(self, step: str, total: int | None) -> None:
        """A step begins."""
        self._shown.reset(self._bar, total=total, description=step)

    def advance(self, parts: int) -> None:
        """Parts of it are done."""
        self._shown.advance(self._bar, parts)


def _components(text: str) -> str | int | float:
    if text == "parallel":
        return text
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (0 < number < 1 or (number >= 1 and number.is_integer())):
        raise refused(f"--components {text}: write parallel, a fraction such as 0.85, or a whole number")
    return number if number < 1 else int(number)


def _period(text: str) -> int:
    try:
        return parse_positive_duration(text)
    except PydanticCustomError as fault:
        raise refused(f"--period {text}: {fault.message()}; write for example 10s or 3min") from None


def _span(text: str) -> Span:
    begin, slash, end = text.partition("/")
    if not slash or instant(begin, "--exclude") >= instant(end, "--exclude"):
        raise refused(f"--exclude {text}: write FROM/TO, the earlier time first")
    return Span(instant(begin, "--exclude"), instant(end, "--exclude"))


def _tell(learned: Learned, out: Path) -> None:
    """What was learned, and how it comes to be used."""
    trained, origin = learned.trained, learned.origin
    console = Console(highlight=False)
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
        console.print(f"  未用 left out: {each.name} — {each.reason} ({each.figure:.3g})")
    unit = origin.unit.partition("/")[2]
    typer.echo(f"\n模型 model: {out} ({learned.document['digest'][:12]}). 装置规则 in the unit's rules:")
    typer.echo(f"  - {{key: {unit}-T2, kind: t2, model: {out.name}}}")
    typer.echo(f"  - {{key: {unit}-SPE, kind: spe, model: {out.name}, grade: yellow}}")


def _limit(limit: float, theory: float | None, held_out: float | None) -> str:
    told = " / ".join("-" if each is None else f"{each:.4g}" for each in (theory, held_out))
    return f"{limit:.4g} (theory / held-out: {told})"


def _shown(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, ZONE).strftime("%Y-%m-%d %H:%M:%S")
