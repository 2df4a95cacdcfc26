"""Sweeps: many versions of rules over the same readings, in parallel.

Each tag's readings are read once. Versions of limits, rates and deviations from a constant are evaluated along time
(``along``); those of other kinds stand as rows beside each other in one table that the engine evaluates in one pass.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from domain.samples import Int64
from domain.site import Rule, Site
from domain.truth import Truth
from tuning.backtest.parts import needed
from tuning.backtest.run import CLOCK_TOLERANCE, LATENESS, backtest
from tuning.readings.recording import Recording
from tuning.scoring.yardstick import Targets
from tuning.sweep.along import Quantity, TagReadings, goes_along
from tuning.sweep.choice import choose, front
from tuning.sweep.grid import PRESENT, Grid, GridError, Point
from tuning.sweep.multiples import fault_of, without_impossible
from tuning.sweep.result import DAY, LeftOut, PointResult, RuleChoice, Sweep
from tuning.sweep.tally import MISSED, Entered, Marks, Tally, tally
from tuning.variants import with_versions

ASSUMED_EVENT = 600_000
"""ms that an alarm of the present rule has to last to stand for an event where no truth is known [ours]."""
WORTH_A_PROCESS = 4_000_000
"""Readings below which processes cost more than they save."""


def sweep(
    site: Site,
    recording: Recording,
    rows: Sequence[int],
    grid: Grid,
    targets: Targets,
    *,
    truth: Truth | None = None,
    least_lead: int = 0,
    least: int = ASSUMED_EVENT,
    begin: int | None = None,
    end: int | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    lateness: int = LATENESS,
    clock_tolerance: int = CLOCK_TOLERANCE,
) -> Sweep:
    """Evaluate rules (rows of the site's table) at every point of a grid, all of them at the same point at a time.

    ``truth``: None: long alarms of the rules as they are (``least`` ms) stand for events. ``least_lead``: what is
    asked of the lead time, ms. ``progress`` is called with the number of readings done since the last call. Multiples
    that would take a setpoint out of its range or its order are left out. Raises GridError for a rule that does not fit
    the grid or whose tag was not recorded, or where no setpoint is left; RecordingError.
    """
    for row in rows:
        path = site.rule_path(row)
        try:
            grid.fits(site.rules.row(row))
        except GridError as error:
            raise GridError(f"{path}: {error}") from None
        tag = site.tags[int(site.rules.tag[row])]
        if not tag.system and recording.index_of(tag.path) is None:
            raise GridError(f"{path}: the recording has no readings of {tag.path}")
    grid, left_out = without_impossible(site, rows, grid)
    job = _Job(
        site, recording, (PRESENT, *grid), targets, truth, least,
        begin, end,
        lateness, clock_tolerance,
    )  # fmt: skip
    along = [row for row in rows if goes_along(site.rules.row(row))]
    report = progress or (lambda _: None)
    done = dict(_along(job, along, workers, report))
    readings = sum(count for count, _ in done.values())
    tallies = {row: found for _, each in done.values() for row, found in each.items()}
    other = [row for row in rows if row not in tallies]
    if other:
        more, found = job.through_engine(other, workers, report)
        readings += more
        tallies |= found
    return _sum_up(job, rows, grid, left_out, tallies, readings, least_lead)


@dataclass(frozen=True)
class _Job:
    """What all tags have in common; it can be handed to another process."""

    site: Site
    recording: Recording
    points: tuple[Point, ...]
    targets: Targets
    truth: Truth | None
    least: int
    since: int | None
    until: int | None
    """What was asked for: since <= source time < until, ms."""
    lateness: int
    clock_tolerance: int

    @property
    def begin(self) -> int:
        """Of the data, ms."""
        return self.recording.begin if self.since is None else self.since

    @property
    def end(self) -> int:
        """Of the data, ms."""
        return self.recording.end if self.until is None else self.until

    def of_tag(self, tag: int, rows: Sequence[int]) -> tuple[int, dict[int, Tally]]:
        """Readings of a tag, and what its rules did; without those that the engine has to be asked about."""
        readings = TagReadings.recorded(
            self.site, self.recording, tag, self.since, self.until, self.lateness, self.clock_tolerance
        )
        assert readings is not None  # noqa: S101 -- looked up before
        found = {}
        for row in rows:
            rule = self.site.rules.row(row)
            quantity = Quantity(readings, rule)
            if not quantity.exact:
                continue
            found[row] = self.tally(row, rule, quantity.episodes)
        return len(readings.time), found

    def tally(self, row: int, rule: Rule, episodes: Callable[[Rule], Entered]) -> Tally:
        """What one rule did at every point."""
        marks = (
            Marks.assumed_from(episodes(rule), self.least, self.end, 0)
            if self.truth is None
            else Marks.of_truth(self.site, row, self.truth)
        )
        versions = (episodes(point.of(rule)) for point in self.points)
        return tally(versions, len(self.points), marks, self.end, self.targets)

    def through_engine(
        self, rows: Sequence[int], workers: int | None, progress: Callable[[int], None]
    ) -> tuple[int, dict[int, Tally]]:
        """Readings, and what rules of any kind did; all versions are evaluated in one pass."""
        rules = {row: self.site.rules.row(row) for row in rows}
        number = {}
        versions: list[Rule] = []
        for row, rule in rules.items():
            for point in self.points:
                version = point.of(rule)
                if (row, _key(version)) not in number:
                    number[row, _key(version)] = len(versions)
                    versions.append(version)
        _, all_rows = needed(self.site, rows)
        beside = with_versions(self.site, versions, [row for row in all_rows if row not in rules])
        done = backtest(
            beside.site, self.recording, begin=self.since, end=self.until, workers=workers, progress=progress,
            lateness=self.lateness, clock_tolerance=self.clock_tolerance,
        )  # fmt: skip
        entered = beside.entered(done.episodes)

        def of(row: int) -> Callable[[Rule], Entered]:
            return lambda version: entered[number[row, _key(version)]]

        found = {row: self.tally(row, rule, of(row)) for row, rule in rules.items()}
        return done.readings, found


def _key(rule: Rule) -> tuple[float, float, int, int, int]:
    return rule.setpoint, rule.deadband, rule.on_delay, rule.off_delay, rule.window


def _along(
    job: _Job, rows: Sequence[int], workers: int | None, progress: Callable[[int], None]
) -> Iterator[tuple[int, tuple[int, dict[int, Tally]]]]:
    """By tag: its readings, and what its rules did."""
    of_tag: dict[int, list[int]] = {}
    for row in rows:
        of_tag.setdefault(int(job.site.rules.tag[row]), []).append(row)
    counts = job.recording.counts
    expected = {tag: int(counts[job.recording.index_of(job.site.tags[tag].path) or 0]) for tag in of_tag}
    processes = min(workers or os.cpu_count() or 1, len(of_tag))
    if processes <= 1 or (workers is None and sum(expected.values()) < WORTH_A_PROCESS):
        for tag, own in of_tag.items():
            yield tag, job.of_tag(tag, own)
            progress(expected[tag])
        return
    with ProcessPoolExecutor(processes, get_context("forkserver"), initializer=_begin, initargs=(job,)) as pool:
        for tag, found in zip(of_tag, pool.map(_work, of_tag.items()), strict=True):
            yield tag, found
            progress(expected[tag])


_job: _Job | None = None
"""Of this process, where it is one of a pool."""


def _begin(job: _Job) -> None:
    global _job  # noqa: PLW0603 -- a process of a pool has one job for its life
    _job = job


def _work(item: tuple[int, list[int]]) -> tuple[int, dict[int, Tally]]:
    assert _job is not None  # noqa: S101 -- the pool's initializer has set it
    return _job.of_tag(*item)


def _sum_up(
    job: _Job,
    rows: Sequence[int],
    grid: Grid,
    left_out: tuple[LeftOut, ...],
    tallies: Mapping[int, Tally],
    readings: int,
    least_lead: int,
) -> Sweep:
    assumed = job.truth is None
    if assumed:
        events = sum(len(tallies[row].marks.number) for row in rows)
    else:
        events = len({number for row in rows for number in tallies[row].marks.number.tolist()})
    points = _together(job, [tallies[row] for row in rows])
    rules = [job.site.rules.row(row) for row in rows]
    by_rule = []
    for row, rule in zip(rows, rules, strict=True):
        own = _together(job, [tallies[row]])
        # What goes together with another rule's multiple may be out of order alone
        impossible = {each for each in grid.axes.get("setpoint", ()) if fault_of(job.site, [row], each) is not None}
        alone = [number for number, point in enumerate(job.points) if point.setpoint not in impossible]
        choice = choose([own[number] for number in alone], len(tallies[row].marks.number), least_lead, [rule])
        if choice.point is not None:
            choice = replace(choice, point=alone[choice.point])
        chosen = None if choice.point is None else own[choice.point]
        by_rule.append(RuleChoice(row, job.site.rule_path(row), choice, own[0], chosen))
    return Sweep(
        site=job.site,
        rows=tuple(rows),
        grid=grid,
        left_out=left_out,
        begin=job.begin,
        end=job.end,
        readings=readings,
        events=events,
        assumed=assumed,
        least=job.least,
        least_lead=least_lead,
        points=points,
        front=front(points),
        choice=choose(points, events, least_lead, rules),
        by_rule=tuple(by_rule),
    )


def _together(job: _Job, tallies: Sequence[Tally]) -> tuple[PointResult, ...]:
    """What several rules did at each point: an event is found by whichever found it first."""
    first, origin = _first_of_all(tallies)
    harm = _harm(job, tallies)
    days = max(job.end - job.begin, 1) / DAY
    results = []
    for number, point in enumerate(job.points):
        found = first[number] != MISSED
        delay = (first[number] - origin)[found]
        lead = [harm[event] - int(first[number, event]) for event in np.flatnonzero(found).tolist() if event in harm]
        alarms, false, time_in, chattering, fleeting, stale = (
            int(sum(getattr(each, name)[number] for each in tallies))
            for name in ("alarms", "false", "time_in", "chattering", "fleeting", "stale")
        )
        results.append(
            PointResult(
                point=point,
                alarms=alarms,
                per_day=alarms / days,
                false=false,
                false_per_day=false / days,
                found=int(found.sum()),
                missed=int((~found).sum()),
                delay=float(delay.mean()) if len(delay) else None,
                worst_delay=int(delay.max()) if len(delay) else None,
                least_lead=min(lead, default=None),
                time_in=time_in,
                chattering=chattering,
                fleeting=fleeting,
                stale=stale,
            )
        )
    return tuple(results)


def _first_of_all(tallies: Sequence[Tally]) -> tuple[Int64, Int64]:
    """When each event was found first by any of the rules (rows: points), and from when its delay is measured."""
    never = np.iinfo(np.int64).max
    if tallies[0].marks.assumed:  # each rule has events of its own
        first = np.concatenate([each.first for each in tallies], axis=1)
        return first, np.concatenate([each.marks.origin for each in tallies])
    numbers = sorted({number for each in tallies for number in each.marks.number.tolist()})
    place = {number: index for index, number in enumerate(numbers)}
    first = np.full((len(tallies[0].alarms), len(numbers)), never, dtype=np.int64)
    origin = np.zeros(len(numbers), dtype=np.int64)
    for each in tallies:
        for column, number in enumerate(each.marks.number.tolist()):
            at = np.where(each.first[:, column] == MISSED, never, each.first[:, column])
            first[:, place[number]] = np.minimum(first[:, place[number]], at)
            origin[place[number]] = each.marks.origin[column]
    return np.where(first == never, MISSED, first), origin


def _harm(job: _Job, tallies: Sequence[Tally]) -> dict[int, int]:
    """By column of ``_first_of_all``: when the event does harm."""
    if job.truth is None:
        return {}
    numbers = sorted({number for each in tallies for number in each.marks.number.tolist()})
    events = job.truth.events
    harm_at = [(index, events[number].harm_at) for index, number in enumerate(numbers) if number < len(events)]
    return {index: at for index, at in harm_at if at is not None}
