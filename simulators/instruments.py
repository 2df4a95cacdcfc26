"""What stands between a plant's truth and its readings: lag, drift, noise and resolution of each instrument."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Float64


@dataclass(frozen=True, slots=True)
class Point:
    """One instrument of a plant. Magnitudes are in the tag's engineering unit."""

    tag: str
    gateway: str
    noise: float = 0.0
    """Standard deviation of the white noise."""
    decimals: int = 2
    """Resolution of the transmitted number."""
    lag: float = 0.0
    """Time constant in s; a detector's T90 is 2.303 time constants."""
    drift: float = 0.0
    """Standard deviation of the slow wander of the zero point."""
    floor: float = -math.inf
    """The least that the instrument shows."""
    ceiling: float = math.inf
    """The most that the instrument shows."""
    low: float = -math.inf
    high: float = math.inf
    """Ends of the range; what lies beyond is shown as UNCERTAIN by simulated scenarios."""


class Wander:
    """Ornstein-Uhlenbeck processes: wind, demand, rock bursts; mean 0, exact for any ``dt``.

    ``std`` and ``tau`` (s) broadcast to ``size``. Excursions are held within three standard deviations, so that
    models which run for days stay inside the margins that they were checked with.
    """

    def __init__(self, rng: np.random.Generator, std: float | Float64, tau: float, size: int) -> None:
        self._rng = rng
        self._std = np.broadcast_to(np.asarray(std, dtype=np.float64), (size,))
        self._high = 3.0 * self._std
        self._low = -self._high
        self._tau = tau
        self.value: Float64 = self._draw()

    def _draw(self) -> Float64:
        drawn = self._rng.standard_normal(len(self._std))
        # As np.clip does, at a third of its cost for the few values of most models
        return self._std * np.maximum(np.minimum(drawn, 3.0, out=drawn), -3.0, out=drawn)

    def step(self, dt: float) -> Float64:
        """The values ``dt`` seconds later."""
        keep = math.exp(-dt / self._tau)
        self.value = self.value * keep + math.sqrt(1.0 - keep * keep) * self._draw()
        np.minimum(self.value, self._high, out=self.value)
        return np.maximum(self.value, self._low, out=self.value)


class Instruments:
    """All instruments of one plant, read together."""

    DRIFT_TAU = 900.0
    """Time constant of zero-point drift, s."""

    def __init__(self, points: Sequence[Point], rng: np.random.Generator) -> None:
        self._rng = rng
        self._noise = np.array([p.noise for p in points])
        self._lag = np.array([p.lag for p in points])
        self._floor = np.array([p.floor for p in points])
        self._ceiling = np.array([p.ceiling for p in points])
        self._scale = 10.0 ** np.array([p.decimals for p in points])
        self._drift = Wander(rng, np.array([p.drift for p in points]), self.DRIFT_TAU, len(points))
        self._state: Float64 | None = None

    def read(self, truth: Float64, dt: float) -> Float64:
        """Readings of ``truth`` after ``dt`` seconds; the first call starts with settled instruments."""
        if self._state is None:
            self._state = truth.copy()
        else:
            with np.errstate(divide="ignore"):
                self._state += (truth - self._state) * -np.expm1(-dt / self._lag)
        noise = self._noise * np.clip(self._rng.standard_normal(len(self._noise)), -4.0, 4.0)
        shown: Float64 = np.clip(self._state + self._drift.step(dt) + noise, self._floor, self._ceiling)
        return np.asarray(np.rint(shown * self._scale) / self._scale)
