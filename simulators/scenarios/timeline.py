"""What a timeline does to the inputs of plants, step by step."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from domain.samples import Float64
from simulators.plants import Plant

Which = int | slice


@dataclass(frozen=True, slots=True)
class Setting:
    """From ``at`` on an input has a value; with ``over`` it goes there evenly."""

    at: int
    """ms since the beginning."""
    plant: str
    name: str
    which: Which
    value: float
    over: int = 0
    """ms."""


@dataclass(frozen=True, slots=True)
class Swing:
    """From ``at`` until ``until`` an input swings: mean + amplitude cos(2 pi (t - peak) / period)."""

    at: int
    until: int
    plant: str
    name: str
    which: Which
    mean: float
    amplitude: float
    period: int
    peak: int


@dataclass(slots=True)
class _Ramp:
    setting: Setting
    begin: Float64 | float


class Timeline:
    """Applies settings and swings as time goes on. What is set later on the same input ends an earlier ramp.

    ``held``: the value of each input (plant, name) at the beginning, one for each instance.
    """

    def __init__(
        self, settings: Iterable[Setting], swings: Iterable[Swing], held: Mapping[tuple[str, str], Float64]
    ) -> None:
        self._settings = sorted(settings, key=lambda one: one.at)
        self._swings = tuple(swings)
        self._held = dict(held)
        self._next = 0
        self._ramps: list[_Ramp] = []

    def advance(self, now: int, plants: Mapping[str, Plant]) -> None:
        """Set what is to be set at ``now`` (ms since the beginning; never goes back)."""
        while self._next < len(self._settings) and self._settings[self._next].at <= now:
            one = self._settings[self._next]
            self._next += 1
            self._ramps = [ramp for ramp in self._ramps if not _same(ramp.setting, one)]
            if one.over:
                begin = self._held[one.plant, one.name][one.which]
                self._ramps.append(_Ramp(one, begin if isinstance(one.which, int) else begin.copy()))
            else:
                self._set(plants, one.plant, one.name, one.value, one.which)
        for ramp in self._ramps:
            one = ramp.setting
            share = min((now - one.at) / one.over, 1.0)
            self._set(plants, one.plant, one.name, ramp.begin + (one.value - ramp.begin) * share, one.which)
        self._ramps = [ramp for ramp in self._ramps if now < ramp.setting.at + ramp.setting.over]
        for swing in self._swings:
            if swing.at <= now < swing.until:
                phase = 2.0 * math.pi * (now - swing.peak) / swing.period
                value = swing.mean + swing.amplitude * math.cos(phase)
                self._set(plants, swing.plant, swing.name, value, swing.which)

    def _set(self, plants: Mapping[str, Plant], plant: str, name: str, value: Float64 | float, which: Which) -> None:
        self._held[plant, name][which] = value
        plants[plant].set(name, np.asarray(value) if isinstance(value, np.ndarray) else value, which)


def _same(one: Setting, other: Setting) -> bool:
    return (one.plant, one.name, _rows(one.which)) == (other.plant, other.name, _rows(other.which))


def _rows(which: Which) -> tuple[int | None, ...]:
    return (which,) if isinstance(which, int) else (which.start, which.stop, which.step)
