"""The demo: three enterprises that run by themselves, and a flange that begins to leak ten seconds after the start."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from domain.samples import Float64
from simulators.batch_plant import BatchPlant
from simulators.coal_mine import CoalMine
from simulators.gas import Leak
from simulators.instruments import Instruments, Point
from simulators.tank_farm import FLANGE_LEAK, TankFarm

CONFIGURATION = Path(__file__).parent / "config" / "anshao.yaml"
"""Configuration of the demo's service; the site that it names describes exactly the tags simulated here."""

SEED = 7


class Plant(Protocol):
    """A plant model: what it measures, and how it goes on."""

    enterprise: str
    points: tuple[Point, ...]

    def step(self, dt: float) -> Float64:
        """Advance by ``dt`` s; the true values in the order of ``points``."""
        ...


@dataclass(frozen=True, slots=True)
class Readings:
    """What one gateway has read at one moment."""

    enterprise: str
    gateway: str
    values: dict[str, float]


class Demo:
    """The three enterprises, advanced together. No clock inside: time passes by ``advance`` alone."""

    def __init__(self, seed: int = SEED, leak: Leak | None = FLANGE_LEAK) -> None:
        seeds = np.random.SeedSequence(seed).spawn(6)
        rng = [np.random.default_rng(s) for s in seeds]
        plants: Sequence[Plant] = (TankFarm(rng[0], leak), BatchPlant(rng[1]), CoalMine(rng[2]))
        self._plants = [(plant, Instruments(plant.points, r)) for plant, r in zip(plants, rng[3:], strict=True)]
        self._gateways = [list(dict.fromkeys(p.gateway for p in plant.points)) for plant in plants]

    @property
    def gateways(self) -> list[tuple[str, str]]:
        """``(enterprise, gateway)`` of all gateways."""
        return [
            (plant.enterprise, gateway)
            for (plant, _), gateways in zip(self._plants, self._gateways, strict=True)
            for gateway in gateways
        ]

    @property
    def points(self) -> list[tuple[str, Point]]:
        """``(enterprise, point)`` of all instruments."""
        return [(plant.enterprise, point) for plant, _ in self._plants for point in plant.points]

    def advance(self, dt: float = 1.0) -> list[Readings]:
        """Let ``dt`` s pass (at most 2 s in one step); the readings of each gateway, in the order of ``gateways``."""
        result: list[Readings] = []
        for (plant, instruments), gateways in zip(self._plants, self._gateways, strict=True):
            shown = instruments.read(plant.step(dt), dt).tolist()
            values: dict[str, dict[str, float]] = {gateway: {} for gateway in gateways}
            for point, value in zip(plant.points, shown, strict=True):
                values[point.gateway][point.tag] = value
            result += [Readings(plant.enterprise, gateway, values[gateway]) for gateway in gateways]
        return result
