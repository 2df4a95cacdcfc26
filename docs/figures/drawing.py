"""What the scripts that draw the documentation's figures share."""

# ruff: noqa: INP001 - a folder of scripts

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from domain.samples import Float64
from simulators.plants import Plant

INK, OTHER, THIRD, LINE = "#1f4e79", "#b5651d", "#4b7f52", "#9aa0a6"

Act = tuple[float, str, float]
"""Time, input, value."""


def told(
    plant: Plant, until: int, acts: Sequence[Act] = (), period: int = 1, *, seconds: float = 1.0, digits: int = 3
) -> tuple[Float64, Mapping[str, Float64]]:
    """Times, and readings of shape (times, instances), every ``period``, with acts on the way.

    ``seconds``: of one unit of all these times; ``digits``: of the readings, after the point.
    """
    rows: list[Mapping[str, Float64]] = []
    times = np.arange(period, until + 1, period, dtype=np.float64)
    left = sorted(acts)
    for time in times:
        while left and left[0][0] <= time - period:
            _, name, value = left.pop(0)
            plant.set(name, value)
        plant.step(seconds * period)
        rows.append({name: values.round(digits) for name, values in plant.read().items()})
    return times, {name: np.array([row[name] for row in rows]) for name in rows[0]}


def panels(count: int, height: float = 2.0) -> tuple[Figure, list[Axes]]:
    """Axes below each other."""
    figure = Figure(figsize=(8.0, height * count), layout="constrained")
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for one in axes:
        one.grid(color=LINE, alpha=0.3, linewidth=0.6)
        for side in ("top", "right"):
            one.spines[side].set_visible(False)
    return figure, list(axes)


def make(figures: Mapping[str, Callable[[], Figure]], folder: Path, *, simplify: bool = True) -> None:
    """Draw figures into a folder, each as NAME.svg; the same figures give the same bytes.

    ``simplify``: leave out points of a line that hardly show.
    """
    with mpl.rc_context({"svg.hashsalt": "anshao", "svg.fonttype": "none", "path.simplify": simplify}):
        for name, figure in figures.items():
            metadata = {"Date": None, "Creator": None}
            figure().savefig(folder / f"{name}.svg", format="svg", metadata=metadata)
