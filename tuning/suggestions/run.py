"""Suggestions from history: find bad actors, propose, and evaluate each proposal over the same readings."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from domain.scales import RuleKind
from domain.site import Rule, Site
from domain.truth import Truth
from tuning.backtest.parts import needed
from tuning.backtest.run import CLOCK_TOLERANCE, LATENESS, backtest
from tuning.readings.recording import Recording
from tuning.scoring import Score, Yardstick, score
from tuning.suggestions.actors import STANDING_SHARE, Actor, Trait, bad_actors, considered
from tuning.suggestions.habits import habits_of
from tuning.suggestions.proposals import Effect, Proposal, Remedy, Starting, Suggestion, proposals_for
from tuning.sweep.along import Quantity, TagReadings
from tuning.sweep.run import WORTH_A_PROCESS
from tuning.sweep.tally import MISSED, Entered, Marks, Tally, tally
from tuning.variants import with_versions

REAL_ALARM = 600_000
"""ms that an alarm of the present rule lasted to be one that should not be lost, where no truth is known [ours]."""
STOOD = 3.0
"""A proposal that keeps the alarm in for more than so many times as long turns one nuisance into another, if the alarm
then stands for more than ``STANDING_SHARE`` of the time [ours]."""
QUIET = 0.1
"""A proposal that leaves no more than this share of the fleeting alarms has dealt with them [ours]."""
HALVED = 0.5
"""And one that leaves no more than this share of all alarms, with a rule that merely comes often [ours]."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What is suggested for one rule set, from one recording."""

    site: Site
    score: Score
    readings: int
    actors: int
    """Bad actors that were found; suggestions are made for the worst of them."""
    assumed: bool
    """No truth was known: alarms that lasted ``REAL_ALARM`` stand for events."""
    suggestions: tuple[Suggestion, ...]


def suggest(
    site: Site,
    recording: Recording,
    yardstick: Yardstick,
    starting: Mapping[str, Starting],
    *,
    truth: Truth | None = None,
    begin: int | None = None,
    end: int | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
    lateness: int = LATENESS,
    clock_tolerance: int = CLOCK_TOLERANCE,
) -> Suggestions:
    """Find bad actors and propose changes.

    ``starting``: recommended deadband and delay by measurand; ``truth``: None: alarms of the present rules that lasted
    stand for events that must not be lost. ``progress`` is called with the number of readings done since the last
    call. Raises RecordingError.
    """
    present = backtest(
        site, recording, begin=begin, end=end, workers=workers, progress=progress, lateness=lateness,
        clock_tolerance=clock_tolerance,
    )  # fmt: skip
    scored = score(present, truth, yardstick)
    actors = bad_actors(scored, yardstick.targets)
    chosen = considered(actors)
    job = _Job(
        site, recording, yardstick, starting, truth, present.begin, present.end, begin, end, lateness, clock_tolerance
    )
    of_tag: dict[int, list[Actor]] = {}
    for actor in chosen:
        of_tag.setdefault(int(site.rules.tag[actor.figures.row]), []).append(actor)
    found: list[Suggestion] = []
    for part in _over_tags(job, of_tag, workers):
        found.extend(part)
    found = [job.through_engine(suggestion, workers) for suggestion in found]
    place = {actor.figures.row: number for number, actor in enumerate(chosen)}
    found.sort(key=lambda suggestion: place[suggestion.actor.figures.row])
    return Suggestions(site, scored, present.readings, len(actors), truth is None, tuple(found))


@dataclass(frozen=True)
class _Job:
    """What all tags have in common; it can be handed to another process."""

    site: Site
    recording: Recording
    yardstick: Yardstick
    starting: Mapping[str, Starting]
    truth: Truth | None
    begin: int
    end: int
    """Of the data, ms."""
    since: int | None
    until: int | None
    """What was asked for."""
    lateness: int
    clock_tolerance: int

    def of_tag(self, tag: int, actors: Sequence[Actor]) -> list[Suggestion]:
        """Suggestions for bad actors of one tag; those that need the engine have no effects yet."""
        about = self.site.tags[tag]
        readings = TagReadings.recorded(
            self.site, self.recording, tag, self.since, self.until, self.lateness, self.clock_tolerance
        )
        habits = None if readings is None else habits_of(readings)
        made = []
        for actor in actors:
            rule = self.site.rules.row(actor.figures.row)
            proposals = proposals_for(actor, rule, about, habits, self.starting.get(about.measurand))
            suggestion = Suggestion(actor, rule, habits, _as_counted(actor), tuple(proposals))
            quantity = None if readings is None else Quantity(readings, rule)
            if quantity is not None and quantity.exact:
                suggestion = self.weighed(suggestion, quantity.episodes)
            made.append(suggestion)
        return made

    def through_engine(self, suggestion: Suggestion, workers: int | None) -> Suggestion:
        """The same, with the effects of a rule that only the engine can evaluate; all versions in one pass."""
        rule = suggestion.rule
        versions = [proposal.rule for proposal in suggestion.proposals if proposal.rule is not None]
        if not versions or any(proposal.effect is not None for proposal in suggestion.proposals):
            return suggestion
        row = suggestion.actor.figures.row
        rules = list(dict.fromkeys([rule, *versions]))
        silences = [] if rule.kind is RuleKind.STALE else [one for one in needed(self.site, [row])[1] if one != row]
        table = with_versions(self.site, rules, silences)
        paths = [self.site.tags[tag].path for tag in sorted({int(tag) for tag in table.site.rules.tag})]
        done = backtest(
            table.site, self.recording, begin=self.since, end=self.until, tags=paths, workers=workers,
            lateness=self.lateness, clock_tolerance=self.clock_tolerance,
        )  # fmt: skip
        entered = dict(zip(rules, table.entered(done.episodes), strict=True))
        return self.weighed(suggestion, entered.__getitem__)

    def weighed(self, suggestion: Suggestion, episodes: Callable[[Rule], Entered]) -> Suggestion:
        """With what each proposal would have changed, and which of them is recommended."""
        row = suggestion.actor.figures.row
        rule = suggestion.rule
        marks = (
            Marks.assumed_from(episodes(rule), REAL_ALARM, self.end, 0)
            if self.truth is None
            else Marks.of_truth(self.site, row, self.truth)
        )
        versions = [rule, *(proposal.rule for proposal in suggestion.proposals if proposal.rule is not None)]
        told = tally(map(episodes, versions), len(versions), marks, self.end, self.yardstick.targets)
        effects = iter([_effect(told, number) for number in range(1, len(versions))])
        proposals = [
            proposal if proposal.rule is None else replace(proposal, effect=next(effects))
            for proposal in suggestion.proposals
        ]
        present = _effect(told, 0)
        steady = max(STANDING_SHARE * (self.end - self.begin), STOOD * present.time_in)
        chosen = _recommended(suggestion.actor, present, proposals, steady)
        return replace(suggestion, present=present, proposals=chosen)


def _as_counted(actor: Actor) -> Effect:
    figures = actor.figures
    return Effect(
        figures.count, figures.chattering, figures.fleeting, figures.stale, figures.time_in, figures.false or 0
    )


def _effect(told: Tally, number: int) -> Effect:
    """What a version did, beside the present one (number 0)."""
    before, after = told.first[0], told.first[number]
    both = (before != MISSED) & (after != MISSED)
    return Effect(
        alarms=int(told.alarms[number]),
        chattering=int(told.chattering[number]),
        fleeting=int(told.fleeting[number]),
        stale=int(told.stale[number]),
        time_in=int(told.time_in[number]),
        false=int(told.false[number]),
        lost=int(((before != MISSED) & (after == MISSED)).sum()),
        later=float((after - before)[both].mean()) if both.any() else 0.0,
    )


def _recommended(actor: Actor, present: Effect, proposals: Sequence[Proposal], longest: float) -> tuple[Proposal, ...]:
    """Mark the first proposal that deals with what is bad and loses nothing; else the best of those.

    Proposals stand in the order in which they intrude: a deadband or an off-delay never raises later, an on-delay does.
    A limit is a person's to review and is never recommended by itself. ``longest``: ms that the alarm may be in.
    """
    eligible = [
        number
        for number, proposal in enumerate(proposals)
        if proposal.effect is not None
        and not proposal.effect.lost
        and proposal.effect.time_in <= longest
        and proposal.effect.stale <= present.stale
        and proposal.remedy is not Remedy.LIMIT
    ]
    helping = [number for number in eligible if _helps(actor, present, proposals[number].effect)]
    if helping:
        chosen = helping[0]
    else:
        better = [number for number in eligible if _badness(proposals[number].effect) < _badness(present)]
        if not better:
            return tuple(proposals)
        chosen = min(better, key=lambda number: (_badness(proposals[number].effect), number))
    return tuple(replace(proposal, recommended=number == chosen) for number, proposal in enumerate(proposals))


def _helps(actor: Actor, present: Effect, effect: Effect | None) -> bool:
    """Whether it deals with every trait that deadbands, delays and windows can deal with."""
    if effect is None:
        return False
    deals = {
        Trait.CHATTERING: effect.chattering == 0,
        Trait.FLEETING: effect.fleeting <= QUIET * present.fleeting,
        Trait.FREQUENT: effect.alarms <= HALVED * present.alarms,
    }
    concerned = [deals[trait] for trait in actor.traits if trait in deals]
    return bool(concerned) and all(concerned)


def _badness(effect: Effect | None) -> tuple[int, int, int]:
    assert effect is not None  # noqa: S101 -- only those with an effect are asked
    return effect.chattering, effect.fleeting, effect.alarms


def _over_tags(job: _Job, of_tag: Mapping[int, Sequence[Actor]], workers: int | None) -> Iterable[list[Suggestion]]:
    """Suggestions by tag."""
    processes = min(workers or os.cpu_count() or 1, len(of_tag))
    counts = job.recording.counts
    places = [job.recording.index_of(job.site.tags[tag].path) for tag in of_tag]
    readings = sum(int(counts[place]) for place in places if place is not None)
    if processes <= 1 or (workers is None and readings < WORTH_A_PROCESS):
        return [job.of_tag(tag, actors) for tag, actors in of_tag.items()]
    with ProcessPoolExecutor(processes, get_context("forkserver")) as pool:
        return list(pool.map(job.of_tag, of_tag, of_tag.values()))
