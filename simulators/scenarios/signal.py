"""Signals: values that follow the timeline and no physics, such as a mode of operation or a motor's current."""

from collections.abc import Mapping

import numpy as np

from domain.samples import Float64
from simulators.instruments import Wander
from simulators.plants.columns import InputColumns, parameter_columns, pieces, variation_of
from simulators.plants.protocol import Input, Output, Parameter, Parameters

KIND = "signal"
_MOST = 1e9


class Signals:
    """n values that approach what is wanted with a first-order lag and wander about it.

    ``value`` = lagged(``value`` as set) + ``unrest`` (standard deviation, correlated over ``tau``) where the value is
    above 0: what is switched off does not move.
    """

    outputs: Mapping[str, Output] = {"value": Output("", "", "值", "value")}
    inputs: Mapping[str, Input] = {"value": Input("", 0.0, "值", "value", -_MOST, _MOST)}
    parameters: Mapping[str, Parameter] = {
        "value": Parameter("", 0.0, "初始值", "value at the start", -_MOST, _MOST),
        "lag": Parameter("s", 0.0, "时间常数", "time constant", 0.0, 1e6),
        "unrest": Parameter("", 0.0, "波动", "standard deviation of its wander", 0.0, _MOST),
        "tau": Parameter("s", 60.0, "波动时间", "time over which it wanders", 0.1, 1e6),
    }

    def __init__(self, count: int, rng: np.random.Generator, parameters: Parameters | None = None) -> None:
        p = parameter_columns(KIND, self.parameters, parameters, count, rng)
        self.count = count
        self._inputs = InputColumns(KIND, self.inputs, count)
        self._inputs.set("value", p["value"])
        self._value = p["value"].copy()
        self._lag = p["lag"]
        self._unrest = Wander(rng, p["unrest"] * variation_of(KIND, parameters), float(p["tau"][0]), count)

    @property
    def wanted(self) -> Float64:
        """Where the values go."""
        return self._inputs["value"]

    def set(self, name: str, value: float | Float64, which: int | slice | None = None) -> None:
        """Set an input. Raises ``PlantFault``."""
        self._inputs.set(name, value, which)

    def step(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        _, dt = pieces(KIND, seconds, max(seconds, 1e-9))
        keep = np.where(self._lag > 0.0, np.exp(-dt / np.maximum(self._lag, 1e-9)), 0.0)
        wanted = self._inputs["value"]
        self._value = wanted + (self._value - wanted) * keep
        self._unrest.step(dt)

    def read(self) -> Mapping[str, Float64]:
        """The true values by output name."""
        value = np.where(self._lag > 0.0, self._value, self._inputs["value"])
        return {"value": value + np.where(value > 0.0, self._unrest.value, 0.0)}
