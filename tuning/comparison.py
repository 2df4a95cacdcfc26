"""Two rule sets over the same readings: alarms that only one of them has, and those that come earlier or later.

Only rules that differ are evaluated, both versions of each side by side in one table, so that their readings are read
once. A rule that is the same in both raises the same alarms from the same readings and need not be looked at; with
``whole`` it is evaluated all the same, once, for the total figures. A rule differs if anything differs that its
condition depends on: its own limits and delays, the tags that it looks at, their periods and clocks, their modes of
operation, and, for rules over several tags, when these count as silent.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from domain.samples import Int64
from domain.scales import RuleKind
from domain.site import Rule, Selector, Site
from domain.truth import Event, Truth
from tuning.backtest.parts import needed
from tuning.backtest.result import Backtest, Episodes
from tuning.backtest.run import CLOCK_TOLERANCE, LATENESS, backtest
from tuning.meanings import Meanings, looks_further, translated
from tuning.pairing import Pair, PairKind, pair_up
from tuning.readings.recording import Recording
from tuning.scoring import Score, Yardstick, score_episodes
from tuning.scoring.against_truth import place_of
from tuning.variants import Versions, with_versions

FIELDS = ("kind", "level", "setpoint", "deadband", "on_delay", "off_delay", "window", "latching", "grade")
"""Of a rule, in the order in which differences are told."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule that differs, and what came of it."""

    path: str
    differences: Mapping[str, tuple[Any, Any]]
    """By field: in the old set and in the new; None in a set that has no such rule."""
    old: Rule | None
    new: Rule | None
    counts: Mapping[PairKind, int]
    old_alarms: int
    new_alarms: int
    old_time_in: int
    """ms."""
    new_time_in: int


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """One alarm that one of the sets has and the other has not, or has at another time."""

    path: str
    pair: Pair


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rule sets over one recording. ``begin`` <= source time < ``end``, ms UTC."""

    old: Site
    new: Site
    begin: int
    end: int
    readings: int
    """That were read; each once, however many rules looked at it."""
    whole: bool
    """Rules that are the same in both are counted too."""
    same_rules: int
    rules: tuple[RuleChange, ...]
    changes: tuple[AlarmChange, ...]
    """Alarms that are not the same in both, by time."""
    unchanged: int
    """Alarms of differing rules that are the same in both."""
    old_score: Score
    """Of all rules with ``whole``, else of those that differ."""
    new_score: Score
    old_episodes: Episodes
    new_episodes: Episodes

    def count(self, kind: PairKind) -> int:
        """How many alarms of the rules that differ are of this kind."""
        return sum(rule.counts.get(kind, 0) for rule in self.rules)


def compare(
    old: Site,
    new: Site,
    recording: Recording,
    yardstick: Yardstick,
    *,
    truth: Truth | None = None,
    begin: int | None = None,
    end: int | None = None,
    whole: bool = False,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    lateness: int = LATENESS,
    clock_tolerance: int = CLOCK_TOLERANCE,
) -> Comparison:
    """Compare two rule sets. ``progress`` is called with the number of readings done. Raises RecordingError."""
    plan = Plan.of(old, new)
    run = _Run(
        partial(
            backtest,
            recording=recording,
            begin=begin,
            end=end,
            workers=workers,
            progress=progress,
            lateness=lateness,
            clock_tolerance=clock_tolerance,
        )
    )
    begin = recording.begin if begin is None else begin
    end = recording.end if end is None else end
    old_own, new_own = run.differing(plan)
    old_all, new_all = old_own, new_own
    if whole and plan.same:
        beside = run.alone(old, list(plan.same))
        old_all = _joined(old_own, beside.renamed(run.episodes, dict(enumerate(plan.same))))
        new_all = _joined(new_own, beside.renamed(run.episodes, dict(enumerate(plan.same.values()))))
    rules, changes, unchanged = _differences(plan, old_own, new_own, end)
    old_score = score_episodes(old, old_all, begin, end, truth, yardstick)
    new_score = score_episodes(new, new_all, begin, end, truth, yardstick)
    if not whole:
        old_score, new_score = _narrowed(plan, old_score, new_score)
    return Comparison(
        old=old,
        new=new,
        begin=begin,
        end=end,
        readings=run.readings,
        whole=whole,
        same_rules=len(plan.same),
        rules=rules,
        changes=changes,
        unchanged=unchanged,
        old_score=old_score,
        new_score=new_score,
        old_episodes=old_all,
        new_episodes=new_all,
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rules have to be evaluated. Rows of the old table and of the new.

    old_rows, new_rows: of the rules that differ; apart: of the new ones, those that can't be evaluated beside the old
    same: row in the old table -> row in the new, of the rules that mean the same, by level and grade too
    """

    old: Site
    new: Site
    old_rows: tuple[int, ...]
    new_rows: tuple[int, ...]
    apart: frozenset[int]
    same: Mapping[int, int]

    @classmethod
    def of(cls, old: Site, new: Site) -> "Plan":
        """Compare rule by rule, by path."""
        old_meanings, new_meanings = Meanings(old), Meanings(new)
        old_rows, new_rows = _by_path(old), _by_path(new)
        same = {
            row: new_rows[path]
            for path, row in old_rows.items()
            if path in new_rows
            and old_meanings.of(row) == new_meanings.of(new_rows[path])
            and _said_of(old.rules.row(row)) == _said_of(new.rules.row(new_rows[path]))
        }
        kept = set(same.values())
        differing = tuple(row for row in new_rows.values() if row not in kept)
        return cls(
            old,
            new,
            tuple(row for row in old_rows.values() if row not in same),
            differing,
            frozenset(row for row in differing if not _fits_beside(row, old, new, old_meanings, new_meanings)),
            same,
        )


def _by_path(site: Site) -> dict[str, int]:
    """Rows of the rules that readings decide."""
    kinds = site.rules.kind.tolist()
    return {site.rule_path(row): row for row, kind in enumerate(kinds) if kind != RuleKind.SYSTEM}


def _fits_beside(row: int, old: Site, new: Site, old_meanings: Meanings, new_meanings: Meanings) -> bool:
    """Whether a rule of the new set means the same among the old one's tags."""
    if new.rules.kind[row] == RuleKind.STALE:
        return False  # its tag would be silent for the old set's rules too
    extra = new.rules.extras.get(row)
    joint = extra is not None and looks_further(new, extra)
    for tag in needed(new, [row])[0]:
        there = old.tag_index.get(new.tags[tag].path)
        if there is None or old_meanings.of_tag(there, joint=joint) != new_meanings.of_tag(tag, joint=joint):
            return False
    return True


def _said_of(rule: Rule) -> tuple[Any, ...]:
    return tuple(getattr(rule, name) for name in FIELDS)


class _Run:
    """Backtests over one recording; ``run`` does one of a site and the tags that it is asked for."""

    def __init__(self, run: Callable[..., Backtest]) -> None:
        self._run = run
        self.readings = 0
        self.episodes = _nothing()
        """Of the latest."""

    def differing(self, plan: Plan) -> tuple[Episodes, Episodes]:
        """Episodes of the rules that differ, of the old set and of the new."""
        old, new = plan.old, plan.new
        beside = [row for row in plan.new_rows if row not in plan.apart]
        selectors = list(old.selectors)
        versions = [old.rules.row(row) for row in plan.old_rows]
        versions += [translated(new.rules.row(row), new, old.tag_index, selectors) for row in beside]
        table = self._evaluate(old, versions, plan.old_rows, selectors)
        count = len(plan.old_rows)
        old_own = table.renamed(self.episodes, dict(enumerate(plan.old_rows)))
        new_own = table.renamed(self.episodes, dict(enumerate(beside, start=count)))
        if plan.apart:
            apart = sorted(plan.apart)
            table = self.alone(new, apart)
            new_own = _joined(new_own, table.renamed(self.episodes, dict(enumerate(apart))))
        return old_own, new_own

    def alone(self, site: Site, rows: Sequence[int]) -> Versions:
        """Evaluate rules of a site as they are, by the order of their rows."""
        return self._evaluate(site, [site.rules.row(row) for row in rows], rows, site.selectors)

    def _evaluate(
        self, site: Site, versions: Sequence[Rule], rows: Sequence[int], selectors: Sequence[Selector]
    ) -> Versions:
        """Evaluate versions of rules beside each other; ``rows``: those of them that are the site's own."""
        own = set(rows)
        silences = [row for row in needed(site, rows)[1] if row not in own]
        table = with_versions(site, versions, silences, selectors)
        self.episodes = _nothing()
        if versions:
            tags = {int(tag) for tag in table.site.rules.tag}
            paths = [site.tags[tag].path for tag in sorted(tags)]
            done = self._run(table.site, tags=paths)
            self.readings += done.readings
            self.episodes = done.episodes
        return table


def _nothing() -> Episodes:
    none = np.empty(0, dtype=np.int64)
    return Episodes(none, none, none, np.empty(0))


def _joined(*parts: Episodes) -> Episodes:
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Episodes.__slots__]
    order = np.lexsort((columns[0], columns[1]))
    return Episodes(*(column[order] for column in columns))


def _differences(
    plan: Plan, old: Episodes, new: Episodes, end: int
) -> tuple[tuple[RuleChange, ...], tuple[AlarmChange, ...], int]:
    """By rule, and by alarm; and how many alarms of these rules are the same in both."""
    old_rows = {plan.old.rule_path(row): row for row in plan.old_rows}
    new_rows = {plan.new.rule_path(row): row for row in plan.new_rows}
    old_spans, new_spans = _spans(old), _spans(new)
    none = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    rules, changes, unchanged = [], [], 0
    for path in sorted({*old_rows, *new_rows}):
        old_row, new_row = old_rows.get(path), new_rows.get(path)
        before = old_spans.get(-1 if old_row is None else old_row, none)
        after = new_spans.get(-1 if new_row is None else new_row, none)
        pairs = list(pair_up(before, after))
        counts = Counter(pair.kind for pair in pairs)
        unchanged += counts[PairKind.SAME]
        changes += [AlarmChange(path, pair) for pair in pairs if pair.kind is not PairKind.SAME]
        was = None if old_row is None else plan.old.rules.row(old_row)
        becomes = None if new_row is None else plan.new.rules.row(new_row)
        rules.append(
            RuleChange(
                path=path,
                differences=_told(was, becomes),
                old=was,
                new=becomes,
                counts=counts,
                old_alarms=len(before[0]),
                new_alarms=len(after[0]),
                old_time_in=_time_in(before, end),
                new_time_in=_time_in(after, end),
            )
        )
    changes.sort(key=lambda change: (change.pair.span[0], change.path))
    return tuple(rules), tuple(changes), unchanged


def _narrowed(plan: Plan, old: Score, new: Score) -> tuple[Score, Score]:
    """Scores without what no rule that differs could find or keep: others were not looked at."""
    paths = {plan.old.rule_path(row) for row in plan.old_rows} | {plan.new.rule_path(row) for row in plan.new_rows}

    def seen(event: Event) -> bool:
        before, after = place_of(plan.old, event), place_of(plan.new, event)
        return bool(before[list(plan.old_rows)].any() or after[list(plan.new_rows)].any())

    kept = {outcome.event.id for outcome in old.outcomes if seen(outcome.event)}
    narrowed = [
        replace(
            score,
            outcomes=tuple(outcome for outcome in score.outcomes if outcome.event.id in kept),
            expected=tuple(promise for promise in score.expected if promise.condition in paths),
        )
        for score in (old, new)
    ]
    return narrowed[0], narrowed[1]


def _spans(episodes: Episodes) -> dict[int, tuple[Int64, Int64]]:
    """By row: when it entered and left."""
    order = np.argsort(episodes.rule, kind="stable")
    rule = episodes.rule[order]
    rows, begins = np.unique(rule, return_index=True)
    entered = np.split(episodes.entered_at[order], begins[1:])
    left = np.split(episodes.left_at[order], begins[1:])
    return dict(zip(rows.tolist(), zip(entered, left, strict=True), strict=True)) if len(rows) else {}


def _time_in(spans: tuple[Int64, Int64], end: int) -> int:
    entered, left = spans
    return int((np.where(left < 0, np.maximum(end, entered), left) - entered).sum())


def _told(old: Rule | None, new: Rule | None) -> dict[str, tuple[Any, Any]]:
    """Fields that differ."""
    told = {}
    for name in FIELDS:
        before, after = (None if rule is None else getattr(rule, name) for rule in (old, new))
        if before != after:
            told[name] = (before, after)
    if not told and old is not None and new is not None:
        told["extra"] = (old.extra, new.extra)
    return told
