"""Floods of alarms (报警泛滥): more than one person can take in. Instants are ms UTC."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

TEN_MINUTES = 600_000


@dataclass(frozen=True, slots=True)
class Flood:
    """One flood; ``alarms`` from the first that made it to its end."""

    began_at: int
    ended_at: int
    alarms: int


def find_floods(entered: Sequence[int], end: int, above: int, below: int) -> tuple[Flood, ...]:
    """Floods of alarms at these sorted instants; one that lasts ends with the data or the period, at ``end``.

    One begins at the alarm with which more than ``above`` came within ten minutes, and ends at the instant at which
    fewer than ``below`` did.
    """
    floods: list[Flood] = []
    recent: deque[int] = deque()
    began: int | None = None
    alarms = 0
    for at in [*entered, None]:
        until = end if at is None else at
        while recent and recent[0] + TEN_MINUTES <= until:
            ended = recent.popleft() + TEN_MINUTES
            if began is not None and len(recent) < below:
                floods.append(Flood(began, ended, alarms))
                began = None
        if at is None:
            break
        recent.append(at)
        if began is not None:
            alarms += 1
        elif len(recent) > above:
            began, alarms = at, len(recent)
    if began is not None:
        floods.append(Flood(began, end, alarms))
    return tuple(floods)
