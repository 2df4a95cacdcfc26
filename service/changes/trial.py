"""What other figures would have done: two sets of figures over the same recording, alarm by alarm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.clock import iso
from domain.samples import Int64
from domain.site import Site
from service.config.tuned import Figures, put
from tuning.backtest.parts import Part, needed, part_of
from tuning.backtest.result import Backtest
from tuning.backtest.run import backtest
from tuning.readings.recording import Recording

DAY = 86_400_000
MOST_LISTED = 1_000
"""Alarms that a list of the result holds; all are counted [ours]."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Rules before and after, over the same tags; it can be handed to another process. Times in ms UTC."""

    before: Site
    after: Site
    labels: Mapping[str, str]
    """What the result calls a rule, by its path."""
    begin: int
    end: int
    lateness: int
    clock_tolerance: int


def part_with(site: Site, rows: Sequence[int], figures: Mapping[str, Figures]) -> Part:
    """The part of a site that some rules need, with other figures of rules by their paths, put into a copy."""
    part = part_of(site, *needed(site, sorted(rows)))
    for path, given in figures.items():
        put(part.site, part.site.rule_row(path), given)
    return part


def try_out(trial: Trial, recording: Path, progress: Callable[[float], None] | None = None) -> dict[str, Any]:
    """Evaluate both over a recording: the document of ``tuning_models.Comparison``. ``progress``: 0 to 1."""
    read = Recording(recording)
    whole = max(2 * int(read.counts.sum()), 1)
    done = 0

    def count(readings: int) -> None:
        nonlocal done
        done += readings
        if progress is not None:
            progress(min(done / whole, 1.0))

    def run(site: Site) -> Backtest:
        return backtest(
            site,
            read,
            begin=trial.begin,
            end=trial.end,
            workers=1,
            progress=count,
            lateness=trial.lateness,
            clock_tolerance=trial.clock_tolerance,
        )

    before, after = run(trial.before), run(trial.after)
    old = {label: _alarms(before, path, trial.end) for path, label in trial.labels.items()}
    new = {label: _alarms(after, path, trial.end) for path, label in trial.labels.items()}
    days = (trial.end - trial.begin) / DAY
    result: dict[str, Any] = {
        "from": iso(trial.begin),
        "to": iso(trial.end),
        "readings": before.readings,
        "late": before.late,
        "before": {"rules": {label: alarms.document(days) for label, alarms in old.items()}},
        "after": {"rules": {label: alarms.document(days) for label, alarms in new.items()}},
    }
    found: dict[str, list[dict[str, Any]]] = {"added": [], "removed": [], "earlier": [], "later": []}
    for label, alarms in old.items():
        for kind, items in compare(alarms, new[label]).items():
            found[kind] += [{"rule": label, **item} for item in items]
    counts = {"before": sum(map(len, old.values())), "after": sum(map(len, new.values()))}
    for kind, items in found.items():
        counts[kind] = len(items)
        result[kind] = sorted(items, key=lambda item: str(item["entered_at"]))[:MOST_LISTED]
    return result | {"counts": counts}


@dataclass(frozen=True, slots=True)
class Alarms:
    """Alarms of one rule in the order of time, in columns of equal length. Source times in ms.

    left_at: -1 while it is still in at ``end``
    """

    entered_at: Int64
    left_at: Int64
    value: np.typing.NDArray[np.float64]
    end: int

    def __len__(self) -> int:
        return len(self.entered_at)

    @property
    def until(self) -> Int64:
        """When each was over, the end where it was not."""
        return np.where(self.left_at < 0, self.end, self.left_at)

    def document(self, days: float) -> dict[str, Any]:
        """``tuning_models.RuleOutcome``."""
        return {
            "count": len(self),
            "per_day": round(len(self) / days, 6),
            "time_in_ms": int((self.until - self.entered_at).clip(0).sum()),
            "episodes": [self.episode(index) for index in range(min(len(self), MOST_LISTED))],
        }

    def episode(self, index: int) -> dict[str, Any]:
        """``tuning_models.Episode``."""
        left, value = int(self.left_at[index]), float(self.value[index])
        return {
            "entered_at": iso(int(self.entered_at[index])),
            "left_at": None if left < 0 else iso(left),
            "value": value if np.isfinite(value) else None,
        }


def compare(old: Alarms, new: Alarms) -> dict[str, list[dict[str, Any]]]:
    """Alarms that only one of two has, and those that both have and that entered at another time.

    Two are the same alarm if they overlap in time, or begin in the same instant. One may be the same as several: where
    a wider deadband joins three alarms, the first is the same, and the other two are no loss.
    """
    found: dict[str, list[dict[str, Any]]] = {"added": [], "removed": [], "earlier": [], "later": []}
    first_new, _ = _met(old, new)
    first_old, _ = _met(new, old)
    found["removed"] = [old.episode(index) for index in np.flatnonzero(first_new < 0).tolist()]
    found["added"] = [new.episode(index) for index in np.flatnonzero(first_old < 0).tolist()]
    for index in np.flatnonzero(first_old >= 0).tolist():
        other = int(first_old[index])
        if int(first_new[other]) != index:  # a later piece of an alarm that was one before
            continue
        by = int(new.entered_at[index] - old.entered_at[other])
        if by:
            item = new.episode(index) | {"was": iso(int(old.entered_at[other])), "by_ms": abs(by)}
            found["later" if by > 0 else "earlier"].append(item)
    return found


def _met(one: Alarms, other: Alarms) -> tuple[Int64, Int64]:
    """First and last of the other's alarms that each one overlaps; -1 where there is none. Neither overlaps itself."""
    if not len(one) or not len(other):
        nobody = np.full(len(one), -1, dtype=np.int64)
        return nobody, nobody
    # An alarm that was over in the instant in which it began still stands in that instant.
    one_until, other_until = np.maximum(one.until, one.entered_at + 1), np.maximum(other.until, other.entered_at + 1)
    first = np.searchsorted(other_until, one.entered_at, side="right")
    last = np.searchsorted(other.entered_at, one_until, side="left") - 1
    meets = first <= last
    return np.where(meets, first, -1), np.where(meets, last, -1)


def _alarms(found: Backtest, path: str, end: int) -> Alarms:
    episodes = found.episodes
    own = np.flatnonzero(episodes.rule == found.site.rule_row(path))
    return Alarms(episodes.entered_at[own], episodes.left_at[own], episodes.value[own], end)
