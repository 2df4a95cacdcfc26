"""What every plant model offers: named outputs, inputs that a timeline may set, and steps of time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from domain.samples import Float64

Parameters = Mapping[str, float | str]
"""Parameters of a plant by name. Text only where a plant says so (the species and the unit of a gas release)."""


@dataclass(frozen=True, slots=True)
class Output:
    """A true value that an instrument may measure."""

    measurand: str
    """A key of the measurands shipped with the service."""
    engineering_unit: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Input:
    """Something that a timeline may set: how the plant is run, what surrounds it, or a fault (mostly 0 to 1)."""

    engineering_unit: str
    default: float
    zh: str
    en: str
    low: float = 0.0
    """What is set below this is taken as this."""
    high: float = 1.0
    """What is set above this is taken as this; finite, so that no input can drive a model out of all bounds."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a plant is built with."""

    engineering_unit: str
    default: float
    zh: str
    en: str
    low: float = 0.0
    high: float = math.inf
    """Least and greatest value that is accepted; anything else is refused."""
    spread: float = 0.0
    """Relative standard deviation between instances (held within two of them), times the parameter ``variation``."""
    source: str = "[ours]"
    """Where the default is from; [ours]: our own choice, for want of a source."""


class Plant(Protocol):
    """n instances of one kind of plant, advanced together; all columns have length n.

    The same generator state, parameters, inputs and steps give the same values.
    """

    count: int
    outputs: Mapping[str, Output]
    """Of the class by its default parameters, of the instance by its own."""
    inputs: Mapping[str, Input]
    parameters: Mapping[str, Parameter]

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        """Build ``count`` instances; raises ``PlantFault``.

        Every plant knows the parameter ``variation``: 1 for the natural differences between instances and the slow
        wander of what surrounds them, 0 for none of it.
        """
        ...

    def set(self, name: str, value: float | Float64, which: int | slice | None = None) -> None:
        """Set an input of all instances, or of those that ``which`` picks. Raises ``PlantFault``."""
        ...

    def step(self, seconds: float) -> None:
        """Let time pass, in as many smaller steps as the model needs."""
        ...

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name, each of length n and the caller's own to keep."""
        ...


class PlantFault(ValueError):
    """A parameter or an input that a plant cannot take: which, why, and what to do instead."""
