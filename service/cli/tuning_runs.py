"""What ``anshao compare``, ``sweep`` and ``suggest`` do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import typer
from pydantic_core import PydanticCustomError

from domain.truth import Truth
from service.cli.datasets import Rules, bars, instant, opened, refused, rules_or_exit
from service.cli.outputs import check_outputs
from service.cli.tuning_inputs import check_range, conditions, starting_values
from service.cli.tuning_summaries import print_comparison, print_suggestions, print_sweep
from service.config.quantities import parse_duration
from service.logs import configure_logs
from tuning.comparison import compare
from tuning.readings.recording import Recording
from tuning.reports import documents, pages
from tuning.reports.page import AssetMissing
from tuning.suggestions import suggest
from tuning.sweep import Grid, GridError, sweep


@dataclass(frozen=True, slots=True)
class Common:
    """Arguments that the commands have in common, as they were written."""

    data: Path
    mapping: Path | None
    begin: str | None
    end: str | None
    out: Path | None
    json: Path | None
    language: str
    workers: int | None

    def span(self) -> tuple[int | None, int | None]:
        """``--from`` and ``--to``, ms."""
        begin = None if self.begin is None else instant(self.begin, "--from")
        end = None if self.end is None else instant(self.end, "--to")
        if begin is not None and end is not None and begin >= end:
            raise refused("--from must lie before --to")
        return begin, end

    def check(self, *rules: Path) -> None:
        """Exit status 2 for what could not be written in the end, or would replace what is read."""
        check_outputs({"--out": self.out, "--json": self.json}, (*rules, self.data, self.mapping))


def run_compare(old: Path, new: Path, common: Common, *, whole: bool) -> None:
    """Compare, say what came of it, and write what was asked for."""
    configure_logs("warning", "console")
    common.check(old, new)
    before, after = rules_or_exit([old]), rules_or_exit([new])
    with _work(common, after, "对比 compare") as work:
        found = compare(before.site, after.site, work.recording, after.yardstick, whole=whole, **work.arguments)
        work.done()
        print_comparison(found)
        if found.rules:
            work.note(found.readings)
        work.write(
            lambda: documents.compare_document(found, work.recording), lambda: pages.compare_page(found, work.cover)
        )


def run_sweep(
    site: Path, patterns: Sequence[str], texts: Mapping[str, str | None], lead: str, least: str, common: Common
) -> None:
    """Sweep, say what is recommended, and write what was asked for."""
    configure_logs("warning", "console")
    common.check(site)
    rules = rules_or_exit([site])
    try:
        grid = Grid.parse(texts)
    except GridError as error:
        raise refused(str(error)) from None
    rows = conditions(rules.site, patterns)
    check_range(rules.site, rows, grid)
    asked: dict[str, Any] = {"least_lead": _duration(lead, "--lead"), "least": _duration(least, "--least")}
    with _work(common, rules, "扫描 sweep") as work:
        targets = rules.yardstick.targets
        found = sweep(rules.site, work.recording, rows, grid, targets, **asked, **work.arguments)
        work.done()
        print_sweep(found)
        work.note(found.readings)
        work.write(lambda: documents.sweep_document(found, work.recording), lambda: pages.sweep_page(found, work.cover))


def run_suggest(site: Path, common: Common) -> None:
    """Suggest, say what, and write what was asked for."""
    configure_logs("warning", "console")
    common.check(site)
    rules = rules_or_exit([site])
    with _work(common, rules, "建议 suggest") as work:
        found = suggest(rules.site, work.recording, rules.yardstick, starting_values(), **work.arguments)
        work.done()
        print_suggestions(found)
        work.note(found.readings)
        work.write(
            lambda: documents.suggest_document(found, work.recording), lambda: pages.suggest_page(found, work.cover)
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """One run over a recording."""

    common: Common
    recording: Recording
    arguments: Mapping[str, Any]
    """Of every kind of run."""
    done: Callable[[], None]
    """To be called when the readings are done: what is printed then stands alone."""

    @property
    def cover(self) -> pages.Cover:
        """What every page is given."""
        version = metadata.version("anshao")
        return pages.Cover(self.recording, self.arguments["truth"], self.common.language, version)

    def note(self, readings: int) -> None:
        """Say so where nothing was there to be evaluated."""
        if not readings:
            typer.echo("无读数 no reading of these tags in this range: nothing was evaluated", err=True)

    def write(self, document: Callable[[], Mapping[str, Any]], page: Callable[[], bytes]) -> None:
        """Write the reports that were asked for."""
        if self.common.json is not None:
            self.common.json.write_bytes(documents.to_json(document()))
            typer.echo(f"-> {self.common.json}")
        if self.common.out is not None:
            self.common.out.write_bytes(page())
            typer.echo(f"-> {self.common.out}")


@contextmanager
def _work(common: Common, rules: Rules, name: str) -> Iterator[_Work]:
    """A recording, open, and a bar of its readings; what cannot be done is said in one line, with exit status 2."""
    begin, end = common.span()
    with opened(common.data, site=rules.site, mapping=common.mapping, begin=begin, end=end) as recording:
        progress = bars()
        bar = progress.add_task(name, total=int(recording.counts.sum()))
        arguments = {
            "truth": _truth_of(recording),
            "begin": begin,
            "end": end,
            "workers": common.workers,
            "progress": lambda count: progress.advance(bar, count),
            "lateness": rules.lateness,
            "clock_tolerance": rules.clock_tolerance,
        }
        try:
            progress.start()
            yield _Work(common, recording, arguments, progress.stop)
        except (GridError, AssetMissing) as error:
            raise refused(str(error)) from None
        finally:
            progress.stop()


def _truth_of(recording: Recording) -> Truth | None:
    """The truth that a recording holds; None where it knows of nothing."""
    truth = recording.about.truth
    return truth if truth.events or truth.expected or truth.never else None


def _duration(text: str, option: str) -> int:
    try:
        return parse_duration(text)
    except PydanticCustomError as fault:
        raise refused(f"{option} {text}: {fault.message()}; write for example 30s or 10min") from None
