"""Gas released in the open: a leak that grows, is closed and dries up, and the plume it makes at the detectors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Float64
from simulators.dispersion import CLASSES, briggs


@dataclass(frozen=True, slots=True)
class Leak:
    """A flange whose gasket fails. Times in s since the plant's start, rate in mg/s of the toxic component."""

    start: float
    end: float
    rate: float
    initial: float
    """Share of ``rate`` that escapes at once; the rest follows as the gasket gives way."""
    growth: float
    """Time from ``start`` until the full rate."""
    drying: float
    """Time constant with which the wetted ground dries after the leak is closed."""

    def escaping(self, time: float) -> float:
        """Rate at the flange, mg/s."""
        if not self.start <= time < self.end:
            return 0.0
        return self.rate * (self.initial + (1.0 - self.initial) * min(1.0, (time - self.start) / self.growth))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a detector hangs, in m from the flange: ``along`` the prevailing wind and ``across`` it."""

    along: float
    across: float


class Plume:
    """Concentration at fixed places downwind of one ground-level leak.

    Gaussian plume with full reflection at the ground, C = q / (pi u sy sz) exp(-y^2 / 2 sy^2), with Briggs' open
    country dispersion for class D (``simulators.dispersion``). Places upwind see nothing. The way to the detector is
    a first-order lag of x / u.
    """

    def __init__(self, leak: Leak | None, places: Sequence[Place]) -> None:
        self._leak = leak
        along = np.array([p.along for p in places])
        across = np.array([p.across for p in places])
        self._distance = np.maximum(along, 0.1)
        sigma_y, sigma_z = briggs(self._distance, CLASSES.index("D"))
        self._share = np.where(along > 0.0, np.exp(-0.5 * (across / sigma_y) ** 2) / (math.pi * sigma_y * sigma_z), 0.0)
        self._release = 0.0
        self._seen = np.zeros(len(places))

    def step(self, time: float, dt: float, wind: float, gust: float = 0.0) -> Float64:
        """Concentrations in mg/m3 at ``time``, ``dt`` s after the last step, in a wind of ``wind`` m/s.

        ``gust`` is the relative excess of the mixing over its mean.
        """
        if self._leak is None:
            return self._seen
        target = self._leak.escaping(time)
        tau = 2.0 if target > self._release else self._leak.drying
        self._release += (target - self._release) * -math.expm1(-dt / tau)
        arriving = self._release * self._share / (wind * (1.0 + gust))
        self._seen = self._seen + (arriving - self._seen) * -np.expm1(-dt * wind / self._distance)
        return self._seen
