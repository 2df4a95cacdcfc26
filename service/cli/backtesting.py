"""``anshao backtest``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from service.cli.datasets import Rules, bars, instant, opened, refused, rules_or_exit, tags_or_exit
from service.cli.outputs import check_outputs
from service.logs import configure_logs
from service.reports.words import ZONE
from tuning.backtest.result import Backtest
from tuning.backtest.run import backtest
from tuning.readings.recording import Recording
from tuning.reports.documents import backtest_document, to_json
from tuning.reports.page import AssetMissing
from tuning.reports.pages import Cover, backtest_page
from tuning.scoring import Score, score

LISTED = 20
"""Rules, and tags, that the terminal shows; the documents have all."""
_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    rules: Sequence[Path]
    data: Path | None
    mapping: Path | None
    config: Path | None
    begin: str | None
    end: str | None
    tags: str | None
    out: Path | None
    json: Path | None
    language: str
    workers: int | None


def run_backtest(asked: Asked) -> None:
    """Evaluate, show, and write what was asked for. Exit status 2 for what cannot be begun."""
    configure_logs("warning", "console")
    check_outputs({"--out": asked.out, "--json": asked.json}, (*asked.rules, asked.data, asked.mapping, asked.config))
    known = rules_or_exit(asked.rules)
    chosen = None if asked.tags is None else tags_or_exit(known.site, [name for name in asked.tags.split(",") if name])
    begin = None if asked.begin is None else instant(asked.begin, "--from")
    end = None if asked.end is None else instant(asked.end, "--to")
    if begin is not None and end is not None and begin >= end:
        raise refused("--from must lie before --to")
    with opened(
        asked.data, site=known.site, mapping=asked.mapping, config=asked.config, begin=begin, end=end, tags=chosen
    ) as recording:
        with bars() as progress:
            bar = progress.add_task("回测 backtest", total=_expected(recording, chosen))
            found = backtest(
                known.site,
                recording,
                begin=begin,
                end=end,
                tags=chosen,
                workers=asked.workers,
                progress=lambda count: progress.advance(bar, count),
                lateness=known.lateness,
                clock_tolerance=known.clock_tolerance,
            )
        scored = score(found, recording.about.truth, known.yardstick)
        _show(found, scored)
        if asked.json is not None:
            asked.json.write_bytes(to_json(backtest_document(found, scored, recording)))
            typer.echo(f"-> {asked.json}")
        if asked.out is not None:
            cover = Cover(recording, recording.about.truth, asked.language, metadata.version("anshao"))
            _write_page(asked.out, found, scored, known, cover)


def _expected(recording: Recording, tags: Sequence[str] | None) -> int:
    """Readings that there will be, about."""
    if tags is None:
        return int(recording.counts.sum())
    places = [recording.index_of(path) for path in tags]
    return sum(int(recording.counts[place]) for place in places if place is not None)


def _write_page(path: Path, found: Backtest, scored: Score, known: Rules, cover: Cover) -> None:
    try:
        path.write_bytes(backtest_page(found, scored, known.yardstick, cover))
    except AssetMissing as error:
        raise refused(str(error)) from None
    typer.echo(f"-> {path}")


def _show(found: Backtest, scored: Score) -> None:
    """What came of it, for the terminal."""
    console = Console()
    span = f"{_day_time(found.begin)} – {_day_time(found.end)}"
    table = Table(title=f"回测 Backtest  {span}\n{found.readings:,} 读数 readings")
    for heading in ("规则 rule", "报警 alarms", "每日 per day", "在报 time in", "仍在 still in"):
        table.add_column(heading, justify="left" if heading.startswith("规则") else "right")
    still = np.bincount(found.episodes.rule[found.episodes.left_at < 0], minlength=len(found.site.rules))
    for each in scored.rules[:LISTED]:
        table.add_row(
            each.path, f"{each.count:,}", f"{each.per_day:.2f}", _length(each.time_in), str(still[each.row] or "")
        )
    figures = scored.figures
    table.add_section()
    table.add_row("合计 all", f"{figures.alarms:,}", f"{figures.per_day:.2f}", "", str(int(still.sum()) or ""))
    console.print(table)
    if len(scored.rules) > LISTED:
        console.print(f"… 另有 {len(scored.rules) - LISTED} 条 more rules (--json, --out)")
    console.print(f"十分钟最多 most in ten minutes: {figures.peak}")
    if scored.outcomes:
        console.print(f"事件 events found: {scored.found} / {len(scored.outcomes)}")
    if scored.expected:
        met = sum(promise.met for promise in scored.expected)
        console.print(f"预期 expected conditions in time: {met} / {len(scored.expected)}")
    if scored.false is not None:
        console.print(f"误报 false alarms: {scored.false} ({scored.false / scored.days:.2f} 每日 per day)")
    if found.late:
        console.print(f"迟到 late, raising nothing: {found.late:,} 读数 readings")
    if found.unknown_tags:
        names = ", ".join(found.unknown_tags[:LISTED])
        more = f" … ({len(found.unknown_tags)})" if len(found.unknown_tags) > LISTED else ""
        console.print(f"无此位号 recorded, but no tag of these rules: {names}{more}")
    if not found.readings:
        console.print("无读数 no reading of these tags in this range: nothing was evaluated")


def _day_time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _length(milliseconds: int) -> str:
    if milliseconds >= _HOUR:
        return f"{milliseconds / _HOUR:,.1f} h"
    return f"{milliseconds / _MINUTE:.1f} min" if milliseconds >= _MINUTE else f"{milliseconds / _SECOND:.1f} s"
