"""Principal components of a unit in normal operation, as they were learned: what T2 and SPE are measured by.

Readings x of n tags become z = (x - mean) / scale, and those a moving average y, weighted exponentially:
y += smoothing * (z - y), once a period (MEWMA, Lowry et al. 1992; smoothing 1: none). With the loadings P of the first
a of n components and their eigenvalues L, and the scores t = y P:

* T2 = sum t_i^2 / L_i, Hotelling's: how far the unit is from its usual state within what usually varies together
* SPE = |y - t P'|^2, also Q: how far readings are from what usually goes together

P. MacGregor and T. Kourti, Control Engineering Practice 3 (1995) 403-414; E. Russell, L. Chiang and R. Braatz,
Chemometrics and Intelligent Laboratory Systems 51 (2000) 81-93.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.samples import Float64

FORMAT = 1
"""Of the file that holds a model."""
FURTHEST = 1e4
"""Scales: a reading further away than this counts as this far away, so that nothing overflows [ours]."""


@dataclass(frozen=True, eq=False, slots=True)
class ComponentModel:
    """One model; two with the same digest are equal.

    names, units: of the n tags, in the order of the columns; mean, scale: float64, n, in the tags' engineering units
    loadings: float64, n x n, a component in each column, all of them; eigenvalues: float64, n, falling, never below 0
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    mean: Float64
    scale: Float64
    loadings: Float64
    eigenvalues: Float64
    retained: int
    """a: so many components make T2, the others SPE; 0 < a < n."""
    smoothing: float
    """Weight of the newest reading in the moving average, above 0, at most 1."""
    period: int
    """ms between two evaluations."""
    t2_limit: float
    spe_limit: float
    digest: str
    """SHA-256 of what the file says."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComponentModel) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"ComponentModel({len(self.names)} tags, {self.retained} components, {self.digest[:12]})"

    @property
    def memory(self) -> int:
        """After this time, ms, what was read has all but left the moving average: 5 % of it."""
        return int(self.period * np.ceil(3 / self.smoothing))

    def standardised(self, value: Float64) -> Float64:
        """Values, rows of n, in scales from the mean; NaN stays NaN."""
        furthest = FURTHEST * self.scale  # before the division, which would overflow
        return (np.clip(value, self.mean - furthest, self.mean + furthest) - self.mean) / self.scale

    def t2(self, smoothed: Float64) -> Float64:
        """T2 of rows of n."""
        kept = self.retained
        scores = smoothed @ self.loadings[:, :kept]
        t2: Float64 = (scores**2 / self.eigenvalues[:kept]).sum(axis=-1)
        return t2

    def spe(self, smoothed: Float64) -> Float64:
        """SPE of rows of n."""
        spe: Float64 = (self._residual(smoothed) ** 2).sum(axis=-1)
        return spe

    def shares_of_t2(self, smoothed: Float64) -> Float64:
        """What share of T2 each tag makes, for rows of n: y_j (P L^-1 P' y)_j, which add up to T2; none below 0.

        P. MacGregor and T. Kourti 1995; negative terms lower T2 and so are no cause of it.
        """
        kept = self.loadings[:, : self.retained]
        terms = smoothed * ((smoothed @ kept / self.eigenvalues[: self.retained]) @ kept.T)
        return _shares(np.maximum(terms, 0.0))

    def shares_of_spe(self, smoothed: Float64) -> Float64:
        """What share of SPE each tag makes, for rows of n: its own squared residual."""
        return _shares(self._residual(smoothed) ** 2)

    def _residual(self, smoothed: Float64) -> Float64:
        kept = self.loadings[:, : self.retained]
        residual: Float64 = smoothed - (smoothed @ kept) @ kept.T
        return residual


def _shares(terms: Float64) -> Float64:
    total = terms.sum(axis=-1, keepdims=True)
    shares: Float64 = np.divide(terms, total, out=np.zeros_like(terms), where=total > 0)
    return shares


def digest_of(data: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of all that the file of a model says but the digest itself."""
    said = {key: value for key, value in data.items() if key != "digest"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
