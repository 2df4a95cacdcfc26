"""Backtests: a rule set over a recording, by the rules that are live.

Left aside are the conditions that the service itself sets (gateway link and clock, canary, stores): a recording holds
readings, and they are not made from readings. Tags of the site that the recording does not know are not evaluated
either; where a rule over several tags looks at one, it was never heard.
"""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.samples import Int64, SampleBlock
from domain.site import Site
from rules.engine import TagColumns
from rules.expressions import programs_of
from rules.past import Found, PastEngine
from tuning.backtest.parts import Part, components, needed, part_of, rules_of
from tuning.backtest.ranges import Ranges
from tuning.backtest.result import Backtest, Episodes, Transitions
from tuning.backtest.sharing import Shared, read_ahead
from tuning.readings.recording import ROWS, Recording

LATENESS, CLOCK_TOLERANCE = 600_000, 5_000
"""ms; the service's defaults."""
WORTH_A_PROCESS = 4_000_000
"""Readings that make up for the start of another process."""
SHARES, LARGEST_SHARE = 8, 10_000_000
"""Work for each process comes in so many shares at least, of about so many readings at the most."""


def backtest(
    site: Site,
    recording: Recording,
    *,
    begin: int | None = None,
    end: int | None = None,
    tags: Collection[str] | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    lateness: int = LATENESS,
    clock_tolerance: int = CLOCK_TOLERANCE,
) -> Backtest:
    """Evaluate a site's rules over a recording.

    ``begin`` <= source time < ``end`` (ms UTC); ``tags``: only the rules that look at these (paths); ``workers``:
    processes, by default as many as there is work for; ``progress`` is called with the number of readings done since
    the last call. Raises RecordingError, KeyError for a tag that the site does not have.
    """
    asked = range(len(site.tags)) if tags is None else sorted(site.tag_index[path] for path in tags)
    recorded = {tag: recording.index_of(site.tags[tag].path) for tag in asked}
    heard = [tag for tag in asked if recorded[tag] is not None or (tags is not None and site.tags[tag].system)]
    wanted = rules_of(site, heard)
    _, rows = needed(site, wanted)
    job = _Job(recording, begin, end, lateness, clock_tolerance)
    parts = [part_of(site, *each) for each in components(site, rows)]
    found = job.run(parts, workers, progress or (lambda _: None))
    transitions = _together([each.transitions for each in found], np.array(wanted, dtype=np.int64))
    return Backtest(
        site=site,
        begin=recording.begin if begin is None else begin,
        end=recording.end if end is None else end,
        readings=sum(each.readings for each in found),
        late=sum(each.late for each in found),
        unknown_tags=tuple(tag.path for tag in recording.tags if tag.path not in site.tag_index),
        transitions=transitions,
        episodes=Episodes.of(transitions),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Of one component; its transitions by rows of the whole site."""

    transitions: Found
    readings: int
    late: int


def _together(parts: Sequence[Found], wanted: Int64) -> Transitions:
    """The transitions of some rules, out of those of several components."""
    found = Found.concatenate(parts)
    kept = np.isin(found.rule, wanted)
    return Transitions.of(
        found.rule[kept],
        found.entered[kept],
        found.source_time[kept],
        found.received_time[kept],
        found.value[kept],
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """What all components have in common."""

    recording: Recording
    begin: int | None
    end: int | None
    lateness: int
    clock_tolerance: int

    def run(self, parts: Sequence[Part], workers: int | None, progress: Callable[[int], None]) -> list[_Found]:
        """Evaluate components: in several processes, or here, reading ahead in a thread."""
        counts = [sum(self._counts(part.site)) for part in parts]
        cores = os.cpu_count() or 1
        processes = workers or min(cores, sum(counts) // WORTH_A_PROCESS)
        if min(processes, len(parts)) < 2:  # noqa: PLR2004 - one is this one
            return [self.evaluate(part, progress, ahead=cores > 1) for part in parts]
        tasks: list[list[Part]] = [[]]
        size, most = 0, min(sum(counts) // (processes * SHARES), LARGEST_SHARE)
        for number in np.argsort(np.negative(counts), kind="stable").tolist():
            if size > most:
                tasks.append([])
                size = 0
            tasks[-1].append(parts[number])
            size += counts[number]
        shared = Shared(self.evaluate_all, min(processes, len(tasks)))
        return [each for found in shared.run(tasks, progress) for each in found]

    def evaluate_all(self, parts: Sequence[Part], progress: Callable[[int], None]) -> list[_Found]:
        """Evaluate several components."""
        return [self.evaluate(part, progress, ahead=False) for part in parts]

    def evaluate(self, part: Part, progress: Callable[[int], None], *, ahead: bool) -> _Found:
        """Evaluate one component."""
        site, recording = part.site, self.recording
        live = np.array([self._is_live(site, tag) for tag in range(len(site.tags))], dtype=np.bool_)
        columns = TagColumns(np.array([tag.period for tag in site.tags], dtype=np.int64), live)
        engine = PastEngine(site.rules, columns, self.lateness, self.clock_tolerance, programs_of(site), site.selectors)
        first, last = recording.heard
        engine.await_readings(first if self.begin is None else max(first, self.begin))
        readings = late = 0
        for block in self._blocks(site, ahead=ahead):
            usual, too_late = engine.split_late(block)
            engine.carry(usual)
            readings += len(block)
            late += len(too_late)
            progress(len(block))
        engine.finish(last if self.end is None else min(last, self.end))
        found = engine.take()
        return _Found(replace(found, rule=part.rows[found.rule]), readings, late)

    def _is_live(self, site: Site, tag: int) -> bool:
        """Whether source times are checked: only where they were when the recording was made."""
        gateway = site.gateways.get((site.tags[tag].enterprise, site.tags[tag].gateway))
        return self.recording.about.live_clock and gateway is not None and gateway.clock == "live"

    def _counts(self, site: Site) -> list[int]:
        places = [self.recording.index_of(tag.path) for tag in site.tags]
        return [int(self.recording.counts[place]) for place in places if place is not None]

    def _blocks(self, site: Site, *, ahead: bool) -> Iterator[SampleBlock]:
        """The readings of a component, its tags numbered as there."""
        number = np.full(len(self.recording.tags), -1, dtype=np.int32)
        for index, tag in enumerate(site.tags):
            place = self.recording.index_of(tag.path)
            if place is not None:
                number[place] = index
        places = np.flatnonzero(number >= 0).tolist()
        ranges = Ranges(site)
        blocks = self.recording.read_tags(places, self.begin, self.end)
        for block in read_ahead(blocks) if ahead else blocks:
            tags = np.broadcast_to(number[places], len(block)) if len(places) == 1 else number[block.tag]
            whole = replace(block, tag=tags)
            for start in range(0, len(block), ROWS):
                yield ranges.doubted(whole.take(slice(start, start + ROWS)))
