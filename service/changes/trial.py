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
from tuning.pairing import DIFFERENCES, PairKind, pair_up
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
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in DIFFERENCES}
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


def compare(old: Alarms, new: Alarms) -> Mapping[str, list[dict[str, Any]]]:
    """What became of each alarm, by the kinds of ``PairKind``; those that are the same in both are left out."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in DIFFERENCES}
    old_index, new_index = ({entered: i for i, entered in enumerate(each.entered_at.tolist())} for each in (old, new))
    for pair in pair_up((old.entered_at, old.left_at), (new.entered_at, new.left_at)):
        if pair.kind is PairKind.SAME:
            continue
        if pair.new is None or pair.old is None:
            item = old.episode(old_index[pair.old[0]]) if pair.old else new.episode(new_index[pair.span[0]])
        else:
            was, became = old_index[pair.old[0]], new_index[pair.new[0]]
            by = pair.shift or int(new.until[became] - old.until[was])
            item = new.episode(became) | {"was": iso(pair.old[0]), "by_ms": abs(by)}
        found[pair.kind].append(item)
    return found


def _alarms(found: Backtest, path: str, end: int) -> Alarms:
    episodes = found.episodes
    own = np.flatnonzero(episodes.rule == found.site.rule_row(path))
    return Alarms(episodes.entered_at[own], episodes.left_at[own], episodes.value[own], end)
