"""Which rules are bad actors, and in what way (ISA-18.2, IEC 62682: chattering, fleeting, stale, frequent alarms)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tuning.scoring.result import DAY, RuleFigures, Score
from tuning.scoring.yardstick import Targets

MOST = 30
"""Bad actors that are looked at, the worst first [ours]."""
FREQUENT = 10
"""The most frequent rules that are looked at."""
FREQUENT_PER_DAY = 6.0
"""A rule that alarms more often than this is frequent [ours]: of the 144 alarms a day that ISA-18.2 calls acceptable
for a whole desk it takes one in 24."""
STANDING_SHARE = 0.1
"""A rule that is in for more than this share of the time is as good as stale [ours]."""


class Trait(StrEnum):
    """What is bad about it."""

    CHATTERING = "chattering"
    FLEETING = "fleeting"
    STALE = "stale"
    FREQUENT = "frequent"


@dataclass(frozen=True, slots=True)
class Actor:
    """A rule, and what is bad about it."""

    figures: RuleFigures
    traits: tuple[Trait, ...]
    burden: float
    """By which actors are ranked: alarms and transitions in chatter a day, and days in."""


def bad_actors(score: Score, targets: Targets) -> tuple[Actor, ...]:
    """The bad actors, the worst first."""
    frequent = {figures.row for figures in score.rules[:FREQUENT] if figures.per_day > FREQUENT_PER_DAY}
    length = score.end - score.begin
    actors = []
    for figures in score.rules:
        traits = [
            trait
            for trait, holds in (
                (Trait.CHATTERING, figures.chattering > 0),
                (Trait.FLEETING, figures.fleeting > 0),
                (Trait.STALE, figures.stale > 0 or _stands(figures, length, targets)),
                (Trait.FREQUENT, figures.row in frequent),
            )
            if holds
        ]
        if traits:
            burden = figures.per_day + figures.chattering / score.days + figures.stale + figures.time_in / DAY
            actors.append(Actor(figures, tuple(traits), burden))
    return tuple(sorted(actors, key=lambda actor: (-actor.burden, actor.figures.path)))


def considered(actors: Sequence[Actor]) -> Sequence[Actor]:
    """Those that suggestions are made for."""
    return actors[:MOST]


def _stands(figures: RuleFigures, length: int, targets: Targets) -> bool:
    return length >= targets.stale_after and figures.time_in > STANDING_SHARE * length
