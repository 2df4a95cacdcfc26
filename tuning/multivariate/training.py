"""Principal components of a unit, learned from rows of its normal operation.

1. Tags that say nothing or drift are left out (``choose_tags``).
2. Readings are smoothed by a moving average, weighted exponentially (``Options.smoothing``), and standardised.
3. Components are retained by parallel analysis (J. Horn, Psychometrika 30 (1965) 179-185), by the variance that they
   explain, or as many as are asked for.
4. The limits are the greater of the theoretical ones (``limits``) and of those that held-out rows ask for: in turn
   each fifth of the time is left out, a model is made of the rest, and the rows left out are measured by it. Readings
   depend on each other over time, so the theory alone would raise far more often than it says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from domain.components import ComponentModel
from domain.samples import Bool, Float64
from tuning.multivariate.alignment import Table
from tuning.multivariate.limits import spe_limit, t2_limit

FOLDS = 5
"""Parts of the training span that are left out in turn."""
LEAST_ROWS, LEAST_ROWS_PER_TAG = 50, 3
"""Fewer complete rows than either tell components from chance no more [ours]."""
LONGEST_DRIFT = 0.7
"""Spread of the means of fifths of the span, in standard deviations of the tag, above which it drifts [ours]."""
MOST_MISSING = 0.1
"""Part of the rows that a tag may lack [ours]."""
_LEAST_DISTINCT = 3
_DRAWS, _MOST_DRAWN = 50, 20_000
"""Random tables that parallel analysis compares with, and their rows at the most: more make no difference then."""
_CHANCE = 0.95
"""Quantile of them that a component must exceed."""
_DIGITS = 12
"""Of loadings, as they are kept."""


class TrainingError(Exception):
    """No model can be made; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a model is made. Defaults are ours, chosen on the recordings of ``docs/multivariate.md``."""

    smoothing: float = 0.15
    """Weight of the newest row in the moving average; 1: none. C. Lowry et al., Technometrics 34 (1992) 46-53."""
    components: str | int | float = "parallel"
    """``parallel``; a fraction of the variance, below 1; or their number."""
    significance: float = 0.001
    """Of each limit: the part of normal rows that may exceed it."""
    keep_drifting: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tag that is no part of the model."""

    name: str
    reason: str
    """``constant``, ``missing``, ``drifts`` or ``asked``."""
    figure: float
    """What it was left out for: number of distinct values, part of rows missing, drift."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit and where it comes from."""

    theory: float | None
    held_out: float | None

    @property
    def limit(self) -> float:
        """The greater of the two."""
        return max(each for each in (self.theory, self.held_out) if each is not None)


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and how it came about."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    mean: Float64
    scale: Float64
    loadings: Float64
    eigenvalues: Float64
    retained: int
    chosen_by: str
    t2: Limit
    spe: Limit
    options: Options
    period: int
    begin: int
    end: int
    """Instants of the first and the last row, ms."""
    rows: int
    """Rows that the components are made of."""
    left_out: tuple[LeftOut, ...]
    false_rate: float
    """Part of held-out rows at which T2 or SPE exceeded its final limit."""

    @property
    def variance(self) -> float:
        """Part of the variance that the retained components explain."""
        return float(self.eigenvalues[: self.retained].sum() / self.eigenvalues.sum())

    def model(self, digest: str) -> ComponentModel:
        """As the live rules take it."""
        return ComponentModel(
            names=self.names,
            units=self.units,
            mean=self.mean,
            scale=self.scale,
            loadings=self.loadings,
            eigenvalues=self.eigenvalues,
            retained=self.retained,
            smoothing=self.options.smoothing,
            period=self.period,
            t2_limit=self.t2.limit,
            spe_limit=self.spe.limit,
            digest=digest,
        )


def train(
    table: Table,
    names: Sequence[str],
    units: Sequence[str],
    options: Options,
    asked_out: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Learn from a table, one column for each of ``names`` in ``units``; ``asked_out`` are left out by wish.

    ``progress`` is told each step. Raises TrainingError.
    """
    progress("tags")
    kept, left_out = choose_tags(table, names, asked_out, keep_drifting=options.keep_drifting)
    if len(kept) < 2:  # noqa: PLR2004 - nothing goes together with nothing
        told = "; ".join(f"{each.name}: {each.reason} ({each.figure:.3g})" for each in left_out)
        raise TrainingError(f"fewer than two tags are left: {told}. Give a longer span of normal operation")
    smoothed = smooth(table.tags(kept), options.smoothing)
    least = max(LEAST_ROWS, LEAST_ROWS_PER_TAG * len(kept))
    if len(smoothed) < least:
        raise TrainingError(
            f"{len(smoothed)} complete rows for {len(kept)} tags; {least} are the least. "
            "Give a longer span, a shorter --period, or leave out tags that are often missing"
        )
    progress("components")
    basis = _Basis.of(smoothed)
    if options.components == "parallel":
        retained, chosen_by = _parallel(basis, len(smoothed)), "parallel analysis"
    else:
        retained, chosen_by = _asked_for(basis, float(options.components))
    held = _held_out(smoothed, retained, progress)
    left = basis.eigenvalues[retained:]
    t2, spe = (
        Limit(theory, float(np.quantile(column, 1 - options.significance)))
        for theory, column in (
            (t2_limit(retained, len(smoothed), options.significance), held[:, 0]),
            (spe_limit(left, options.significance), held[:, 1]),
        )
    )
    exceeds = (held[:, 0] >= t2.limit) | (held[:, 1] >= spe.limit)
    return Trained(
        names=tuple(names[column] for column in kept),
        units=tuple(units[column] for column in kept),
        mean=basis.mean,
        scale=basis.scale,
        loadings=basis.loadings,
        eigenvalues=basis.eigenvalues,
        retained=retained,
        chosen_by=chosen_by,
        t2=t2,
        spe=spe,
        options=options,
        period=table.period,
        begin=int(table.time[0]),
        end=int(table.time[-1]),
        rows=len(smoothed),
        left_out=tuple(left_out),
        false_rate=float(exceeds.mean()),
    )


def choose_tags(
    table: Table, names: Sequence[str], asked_out: Sequence[str] = (), *, keep_drifting: bool = False
) -> tuple[list[int], list[LeftOut]]:
    """Columns that a model can be made of, and the others with the reason."""
    kept, left_out = [], []
    for column, name in enumerate(names):
        value = table.value[:, column]
        known = value[~np.isnan(value)]
        distinct = len(np.unique(known))
        missing = 1 - len(known) / max(len(value), 1)
        drift = _drift(value) if distinct >= _LEAST_DISTINCT else 0.0
        if name in asked_out:
            left_out.append(LeftOut(name, "asked", 0.0))
        elif missing > MOST_MISSING:
            left_out.append(LeftOut(name, "missing", missing))
        elif distinct < _LEAST_DISTINCT:
            left_out.append(LeftOut(name, "constant", float(distinct)))
        elif drift > LONGEST_DRIFT and not keep_drifting:
            left_out.append(LeftOut(name, "drifts", drift))
        else:
            kept.append(column)
    return kept, left_out


def smooth(table: Table, smoothing: float) -> Float64:
    """Complete rows as a moving average, without those after a gap in which it has not settled."""
    complete = ~np.isnan(table.value).any(axis=1)
    value, time = table.value[complete], table.time[complete]
    memory = table.period * int(np.ceil(3 / smoothing))
    settling = int(np.ceil(1 / smoothing)) - 1
    rows, settled = np.empty_like(value), np.zeros(len(value), dtype=np.bool_)
    average, since = value[0] if len(value) else np.empty(0), 0
    for row in range(len(value)):
        if row == 0 or time[row] - time[row - 1] > memory:
            average, since = value[row], row
        else:
            average = average + smoothing * (value[row] - average)
        rows[row], settled[row] = average, row - since >= settling
    return rows[settled]


@dataclass(frozen=True, slots=True)
class _Basis:
    mean: Float64
    scale: Float64
    loadings: Float64
    eigenvalues: Float64

    @classmethod
    def of(cls, rows: Float64) -> "_Basis":
        """The components of rows, all of them, the greatest first."""
        mean, scale = rows.mean(axis=0), rows.std(axis=0, ddof=1)
        scale = np.where(scale > 0, scale, 1.0)  # within a part of the rows a tag may stand still
        standardised = (rows - mean) / scale
        variance, loadings = np.linalg.eigh(standardised.T @ standardised / (len(rows) - 1))
        loadings = loadings[:, ::-1]
        # The sign of a component means nothing; this one makes the same data give the same file.
        loadings = loadings * np.where(loadings[np.abs(loadings).argmax(axis=0), np.arange(len(variance))] < 0, -1, 1)
        return cls(mean, scale, np.round(loadings, _DIGITS), np.maximum(variance[::-1], 0.0))

    def measured(self, rows: Float64, retained: int) -> Float64:
        """T2 and SPE of rows, in two columns."""
        standardised = (rows - self.mean) / self.scale
        scores = standardised @ self.loadings[:, :retained]
        t2 = (scores**2 / self.eigenvalues[:retained]).sum(axis=1)
        spe = ((standardised - scores @ self.loadings[:, :retained].T) ** 2).sum(axis=1)
        return np.column_stack([t2, spe])


def _parallel(basis: _Basis, rows: int) -> int:
    """As many components as exceed what random tables of this size have, in turn."""
    random = np.random.default_rng(0)
    count = len(basis.eigenvalues)
    drawn = np.array(
        [
            np.linalg.eigvalsh(np.corrcoef(random.normal(size=(min(rows, _MOST_DRAWN), count)), rowvar=False))[::-1]
            for _ in range(_DRAWS)
        ]
    )
    below = basis.eigenvalues <= np.quantile(drawn, _CHANCE, axis=0)
    return min(max(int(np.argmax(below)) if below.any() else count, 1), count - 1)


def _asked_for(basis: _Basis, asked: float) -> tuple[int, str]:
    count = len(basis.eigenvalues)
    if asked < 1:
        explained = np.cumsum(basis.eigenvalues) / basis.eigenvalues.sum()
        retained = int(np.searchsorted(explained, asked)) + 1
        chosen_by = f"cumulative variance {asked:g}"
    else:
        retained, chosen_by = int(asked), "asked for"
    usable = int((basis.eigenvalues > 0).sum())
    if not 0 < retained < count or retained > usable:
        raise TrainingError(
            f"{retained} components of {count} tags leave none for SPE: give a smaller number, or a smaller fraction"
        )
    return retained, chosen_by


def _held_out(rows: Float64, retained: int, progress: Callable[[str], None]) -> Float64:
    """T2 and SPE of each row by a model that was made without its part of the time."""
    measured = []
    for number, (inside, outside) in enumerate(_folds(len(rows))):
        progress(f"held out {number + 1}/{FOLDS}")
        measured.append(_Basis.of(rows[outside]).measured(rows[inside], retained))
    return np.concatenate(measured)


def _folds(count: int) -> Iterator[tuple[Bool, Bool]]:
    """Each part of the time, and the rest."""
    for part in np.array_split(np.arange(count), FOLDS):
        inside = np.zeros(count, dtype=np.bool_)
        inside[part] = True
        yield inside, ~inside


def _drift(value: Float64) -> float:
    """Spread of the means of parts of the time, in standard deviations."""
    known = ~np.isnan(value)
    parts = [part[~np.isnan(part)] for part in np.array_split(value, FOLDS)]
    means = [float(part.mean()) for part in parts if len(part)]
    spread = float(value[known].std(ddof=1))
    return float(np.std(means, ddof=1)) / spread if len(means) > 1 and spread > 0 else 0.0
