"""Parameters and inputs of plants as columns, checked by what the plant declares."""

import math
from collections.abc import Mapping

import numpy as np

from domain.samples import Float64
from simulators.plants.protocol import Input, Parameter, Parameters, PlantFault

VARIATION = "variation"
_WITHIN = 2.0
"""Standard deviations within which instances differ."""


def parameter_columns(
    kind: str,
    declared: Mapping[str, Parameter],
    given: Parameters | None,
    count: int,
    rng: np.random.Generator,
) -> dict[str, Float64]:
    """The parameters of ``count`` instances by name, the given ones over the defaults. Raises ``PlantFault``.

    As many random numbers are drawn whatever is given, so that instances stay alike when one parameter changes.
    """
    if count < 1:
        raise PlantFault(f"{kind}: count is {count}: use 1 or more")
    given = given or {}
    for name in given:
        if name not in declared and name != VARIATION:
            raise PlantFault(f"{kind}: unknown parameter {name!r}: use one of {', '.join([*declared, VARIATION])}")
    variation = variation_of(kind, given)
    columns: dict[str, Float64] = {}
    for name, parameter in declared.items():
        value = number(kind, name, given.get(name, parameter.default), parameter.low, parameter.high)
        column = np.full(count, value)
        if parameter.spread:
            drawn = np.clip(rng.standard_normal(count), -_WITHIN, _WITHIN)
            column = np.clip(column * (1.0 + variation * parameter.spread * drawn), parameter.low, parameter.high)
        columns[name] = column
    return columns


def variation_of(kind: str, given: Parameters | None) -> float:
    """The parameter ``variation``, 0 to 1. Raises ``PlantFault``."""
    return number(kind, VARIATION, (given or {}).get(VARIATION, 1.0), 0.0, 1.0)


def number(kind: str, name: str, value: object, low: float, high: float) -> float:
    """A number within its bounds. Raises ``PlantFault`` that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PlantFault(f"{kind}: {name} is {value!r}: use a number from {low:g} to {high:g}")
    if not low <= value <= high:
        raise PlantFault(f"{kind}: {name} is {value:g}: use {low:g} to {high:g}")
    return float(value)


class InputColumns:
    """What is set at present, one column per input."""

    def __init__(self, kind: str, declared: Mapping[str, Input], count: int) -> None:
        self._kind = kind
        self._declared = declared
        self.columns = {name: np.full(count, one.default) for name, one in declared.items()}
        """By input name; what is set later is seen in the same columns."""

    def __getitem__(self, name: str) -> Float64:
        return self.columns[name]

    def set(self, name: str, value: float | Float64, which: int | slice | None = None) -> None:
        """Set an input, held within its bounds. Raises ``PlantFault``."""
        one = self._declared.get(name)
        if one is None:
            raise PlantFault(f"{self._kind}: unknown input {name!r}: use one of {', '.join(self._declared)}")
        wanted = np.asarray(value, dtype=np.float64)
        if np.isnan(wanted).any():
            raise PlantFault(f"{self._kind}: {name} is not a number: use {one.low:g} to {one.high:g}")
        column = self.columns[name]
        try:
            column[slice(None) if which is None else which] = np.minimum(np.maximum(wanted, one.low), one.high)
        except (IndexError, ValueError) as fault:
            picked = "all instances" if which is None else f"instances {which}"
            message = f"{self._kind}: {name} does not fit {picked} of {len(column)}: {fault}"
            raise PlantFault(message) from None


def pieces(kind: str, seconds: float, longest: float) -> tuple[int, float]:
    """Equal steps of at most ``longest`` s that make up ``seconds``: how many, how long. Raises ``PlantFault``."""
    if not (math.isfinite(seconds) and seconds >= 0.0):
        raise PlantFault(f"{kind}: a step of {seconds} s: use a number of 0 or more")
    count = math.ceil(seconds / longest)
    return count, seconds / count if count else 0.0


class ColumnPlant:
    """What plants have in common whose parameters and inputs are columns; see ``Plant``.

    ``_p``: the parameters; ``_variation``: that of this name; ``_inputs``: what is set at present
    """

    inputs: Mapping[str, Input]
    parameters: Mapping[str, Parameter]
    LONGEST: float
    """s of one step inside."""

    def __init__(self, kind: str, count: int, rng: np.random.Generator, parameters: Parameters | None) -> None:
        self.count = count
        self._kind = kind
        self._p = parameter_columns(kind, self.parameters, parameters, count, rng)
        self._variation = variation_of(kind, parameters)
        self._inputs = InputColumns(kind, self.inputs, count)

    def set(self, name: str, value: float | Float64, which: int | slice | None = None) -> None:
        """Set an input. Raises ``PlantFault``."""
        self._inputs.set(name, value, which)

    def step(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        count, dt = pieces(self._kind, seconds, self.LONGEST)
        for _ in range(count):
            self._step(dt)

    def _step(self, dt: float) -> None:
        """Let ``dt`` s pass at once; for plants that have no ``step`` of their own."""
        raise NotImplementedError
