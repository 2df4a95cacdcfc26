"""Draws the figures of docs/plants.md and writes its tables, from the plants themselves.

    python docs/figures/plants/draw.py

The same plants give the same figures with the version of matplotlib in constraints.txt: to the byte on one machine, and
within a share of a pixel where another processor rounds otherwise.
"""

# ruff: noqa: INP001 - a script, whose stories are literal

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from docs.figures.drawing import INK, LINE, OTHER, THIRD, make, panels, told
from simulators.plants import PLANTS, Parameter
from simulators.plants.batch_reactor import BatchReactor
from simulators.plants.gas_release import GasRelease
from simulators.plants.pipeline import Pipeline
from simulators.plants.pressure_vessel import PressureVessel
from simulators.plants.storage_tank import StorageTank

PAGE = Path(__file__).parents[2] / "plants.md"
BLOCK = re.compile(r"<!-- tables of (\w+) -->\n.*?<!-- end of tables -->\n", re.DOTALL)

ACCIDENT = {"variation": 0.0, "oncb": 9.0448, "ammonia": 33.0, "water": 103.7, "temperature": 174.85}
BOOK = {45.0: 448.0 - 273.15, 55.0: 467.992 - 273.15}
"""°C at minutes, as Fogler's example gives them."""


def overfill() -> Figure:
    """A filling that nothing stops."""
    acts = [(0.0, "drawing", 0.0), (0.0, "filling", 300.0), (1800.0, "stop_failure", 1.0), (7200.0, "filling", 0.0)]
    tank = StorageTank(1, np.random.default_rng(1), {"variation": 0.0, "level": 65.0})
    time, read = told(tank, 9000, acts, 60)
    figure, (level, flow) = panels(2, 2.1)
    level.plot(time / 60.0, read["level"], color=INK)
    level.set_ylabel("level, %")
    flow.plot(time / 60.0, read["filling_flow"], color=INK, label="filling")
    flow.plot(time / 60.0, read["spill_flow"], color=OTHER, label="spill")
    flow.set_ylabel("m³/h")
    flow.set_xlabel("min")
    flow.legend(frameon=False)
    return figure


def relief() -> Figure:
    """The same blocked outlet with a sound inlet line, and with one that makes the valve chatter."""
    figure = Figure(figsize=(8.0, 4.4), layout="constrained")
    axes = figure.subplots(2, 2, width_ratios=(3, 1))
    for (pressure, lift), loss, colour in zip(axes, (0.02, 0.15), (INK, OTHER), strict=True):
        vessel = PressureVessel(1, np.random.default_rng(1), {"variation": 0.0, "inlet_loss": loss})
        begun, before = told(vessel, 130, [(10.0, "outlet_blocked", 1.0)])
        lifts = []
        for _ in range(100):
            vessel.step(0.05)
            lifts.append(round(float(vessel.read()["relief_lift"][0]), 3))
        lift.plot(130.0 + 0.05 * np.arange(1, 101), lifts, color=colour)
        later, after = told(vessel, 300)
        time = np.concatenate([begun, later + 135.0])
        shown = np.concatenate([before["pressure"], after["pressure"]])
        pressure.plot(time, shown, color=colour, label=f"inlet line loses {loss:.0%}, blowdown 7%")
        pressure.set_ylabel("pressure, kPa")
        pressure.legend(frameon=False, loc="lower right")
        lift.set_ylim(-5.0, 105.0)
        lift.set_ylabel("lift, %")
        for one in (pressure, lift):
            one.grid(color=LINE, alpha=0.3, linewidth=0.6)
            one.set_xlabel("s")
            for side in ("top", "right"):
                one.spines[side].set_visible(False)
    return figure


def runaway() -> Figure:
    """Fogler's Example 9-2: ten minutes without cooling, with the disc blocked and with one that opens."""
    labels = ("10 min without cooling, disc blocked", "the same, disc opens", "cooling kept")
    reactor = BatchReactor(3, np.random.default_rng(1), ACCIDENT | {"jacket": 1e-3, "coolant": 1e5})
    reactor.set("setpoint", 174.85)
    reactor.set("coolant_temperature", 24.85)
    reactor.set("disc_blocked", 1.0, 0)
    spans = []
    for seconds, failure, setpoint in ((2700, 0.0, 174.85), (600, 1.0, 174.85), (4500, 0.0, 0.0)):
        reactor.set("cooling_failure", failure, slice(2))
        reactor.set("setpoint", setpoint, slice(2))
        spans.append(told(reactor, seconds, period=20)[1])
    read = {name: np.concatenate([span[name] for span in spans]) for name in spans[0]}
    minutes = np.arange(1, len(read["temperature"]) + 1) / 3.0
    figure, (temperature, pressure) = panels(2, 2.4)
    for i, (label, colour) in enumerate(zip(labels, (OTHER, THIRD, INK), strict=True)):
        temperature.plot(minutes, read["temperature"][:, i], color=colour, label=label)
        pressure.plot(minutes, read["pressure"][:, i] / 1e3, color=colour)
    temperature.plot(list(BOOK), list(BOOK.values()), "o", color="black", markersize=4, label="Fogler's figures")
    temperature.set_ylim(0.0, 320.0)
    temperature.set_ylabel("temperature, °C")
    temperature.legend(frameon=False, loc="lower left")
    pressure.axhline(4.826, color=LINE, linestyle="--", linewidth=0.8)
    pressure.set_ylabel("pressure, MPa")
    pressure.set_xlabel("min")
    return figure


def leak() -> Figure:
    """A hole of 20 mm in a line of 40 km."""
    line = Pipeline(1, np.random.default_rng(1), {"variation": 0.0})
    time, read = told(line, 900, [(120.0, "leak_diameter", 20.0)], 4)
    figure, (flow, pressure) = panels(2, 2.1)
    flow.plot(time, read["inlet_flow"], color=INK, label="inlet")
    flow.plot(time, read["outlet_flow"], color=OTHER, label="outlet")
    flow.set_ylabel("flow, m³/h")
    flow.legend(frameon=False, loc="center right")
    for name, colour in (("inlet", INK), ("middle", THIRD), ("outlet", OTHER)):
        fallen = read[f"{name}_pressure"][:, 0] - read[f"{name}_pressure"][0, 0]
        pressure.plot(time, fallen, color=colour, label={"middle": "at the leak"}.get(name, name))
    pressure.set_ylabel("pressure change, kPa")
    pressure.set_xlabel("s")
    pressure.legend(frameon=False, loc="upper right")
    return figure


def release() -> Figure:
    """Hydrogen sulphide past five detectors; the wind turns by 60° after four minutes."""
    places = ((15.0, 0.5), (25.0, -1.0), (-15.0, 4.0), (10.0, 14.0), (0.0, -25.0))
    given: dict[str, float | str] = {"detectors": 5.0, "species": "H2S", "unit": "mg/m3"}
    for i, (east, north) in enumerate(places):
        given |= {f"detector_{i + 1}_east": east, f"detector_{i + 1}_north": north}
    plant = GasRelease(1, np.random.default_rng(3), given)
    acts = [(30.0, "release_rate", 0.4), (240.0, "wind_from", 210.0), (420.0, "release_rate", 0.0)]
    time, read = told(plant, 540, acts)
    figure, (axes,) = panels(1, 2.8)
    colours = (INK, OTHER, LINE, THIRD, "black")
    for i, (place, colour) in enumerate(zip(places, colours, strict=True)):
        axes.plot(time, read[f"detector_{i + 1}"], color=colour, label=f"{place[0]:g} m E, {place[1]:g} m N")
    axes.axhline(10.0, color=LINE, linestyle="--", linewidth=0.8)
    axes.set_ylabel("H2S, mg/m³")
    axes.set_xlabel("s")
    axes.legend(frameon=False, loc="upper right")
    return figure


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "overfill": overfill,
    "relief": relief,
    "runaway": runaway,
    "leak": leak,
    "release": release,
}


def bounds(low: float, high: float) -> str:
    """A range, open above where there is no bound."""
    return f"{low:g} to {high:g}" if np.isfinite(high) else f"from {low:g}"


def parameter_row(name: str, one: Parameter) -> str:
    """A line of the table of parameters."""
    spread = f"{one.spread:.1%}" if one.spread else ""
    unit, accepted = one.engineering_unit, bounds(one.low, one.high)
    return f"| `{name}` | {one.zh} | {one.en} | {one.default:g} | {unit} | {accepted} | {spread} | {one.source} |"


def tables(kind: str) -> str:
    """Outputs, inputs and parameters of a kind of plant, as Markdown."""
    plant = PLANTS[kind]
    lines = ["| output | 名称 | name | unit | measurand |", "|---|---|---|---|---|"]
    for name, output in plant.outputs.items():
        lines.append(f"| `{name}` | {output.zh} | {output.en} | {output.engineering_unit} | {output.measurand} |")
    lines += ["", "| input | 名称 | name | default | unit | held within |", "|---|---|---|---|---|---|"]
    for name, one in plant.inputs.items():
        within = bounds(one.low, one.high)
        lines.append(f"| `{name}` | {one.zh} | {one.en} | {one.default:g} | {one.engineering_unit} | {within} |")
    lines += ["", "| parameter | 名称 | name | default | unit | accepted | spread | source |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    lines += [parameter_row(name, parameter) for name, parameter in plant.parameters.items()]
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """The page with its tables as the plants declare them."""

    def block(found: re.Match[str]) -> str:
        kind = found.group(1)
        return f"<!-- tables of {kind} -->\n{tables(kind)}<!-- end of tables -->\n"

    return BLOCK.sub(block, page)


if __name__ == "__main__":
    make(FIGURES, Path(__file__).parent, simplify=False)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
