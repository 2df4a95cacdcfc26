"""Draws the figures of docs/plants.md that show faults: of rooms with gas or heat, of instruments, of gateways.

    python docs/figures/faults/draw.py

The same plants give the same bytes, with the version of matplotlib in constraints.txt.
"""

# ruff: noqa: INP001 - a script, whose stories are literal

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from docs.figures import drawing
from docs.figures.drawing import INK, LINE, OTHER, THIRD, make, panels
from domain.scales import Quality
from simulators.faults.gateway_faults import ClockShift, GatewayFault, Outage, SlowLink
from simulators.faults.gateways import Gateway
from simulators.faults.instrument_faults import Bypass, Drift, Dropout, Fault, Lag, Poisoning, Spikes, Stuck
from simulators.faults.instruments import InstrumentArray, Measured
from simulators.instruments import Point
from simulators.plants import PLANTS

told = partial(drawing.told, seconds=60.0, digits=4)
"""In minutes."""


def cold_store() -> Figure:
    """Defrosting, a failure of the cooling, and a leak in the machine room."""
    plant = PLANTS["cold_store"](1, np.random.default_rng(4))
    acts = [(500.0, "cooling_failure", 1.0), (600.0, "machine_room_leak", 1.0), (610.0, "machine_room_leak", 0.0)]
    time, read = told(plant, 680, acts)
    figure, (temperature, ammonia) = panels(2)
    temperature.plot(time / 60.0, read["temperature"], color=INK, label="room")
    temperature.plot(time / 60.0, read["goods_temperature"], color=OTHER, label="goods")
    temperature.set_ylabel("°C")
    temperature.legend(frameon=False, loc="upper left")
    ammonia.plot(time / 60.0, read["machine_room_ammonia"], color=INK)
    ammonia.set_ylabel("machine room NH3, ppm")
    ammonia.set_xlabel("h")
    return figure


def coal_face() -> Figure:
    """The fan stops for half an hour."""
    plant = PLANTS["coal_face"](1, np.random.default_rng(2))
    time, read = told(plant, 240, [(120.0, "fan", 0.0), (150.0, "fan", 1.0)])
    figure, (methane, air) = panels(2)
    for name, colour, label in (
        ("methane_corner", OTHER, "upper corner"),
        ("methane", INK, "face"),
        ("methane_return", THIRD, "return"),
    ):
        methane.plot(time, read[name], color=colour, label=label)
    methane.axhline(1.0, color=LINE, linestyle="--", linewidth=0.8)
    methane.set_ylabel("CH4, %vol")
    methane.legend(frameon=False, loc="upper left")
    air.plot(time, read["air_speed"], color=INK)
    air.set_ylabel("air, m/s")
    air.set_xlabel("min")
    return figure


def gas_workplace() -> Figure:
    """A water seal dries out, blows through, and is filled again."""
    plant = PLANTS["gas_workplace"](1, np.random.default_rng(2))
    acts = [(30.0, "seal_loss", 400.0), (30.0, "refill", 0.0), (125.0, "refill", 1e5), (130.0, "fan", 1.0)]
    time, read = told(plant, 180, acts)
    figure, (seal, monoxide) = panels(2)
    seal.plot(time, read["seal_level"], color=INK)
    seal.set_ylabel("water seal, mm")
    monoxide.semilogy(time, read["co_near"], color=OTHER, label="near the leak")
    monoxide.semilogy(time, read["co"], color=INK, label="in the room")
    monoxide.axhline(24.0, color=LINE, linestyle="--", linewidth=0.8)
    monoxide.set_ylabel("CO, ppm")
    monoxide.set_xlabel("min")
    monoxide.legend(frameon=False, loc="upper left")
    return figure


def fireworks_store() -> Figure:
    """Five days in July, the fourth of which brings a roof that leaks."""
    plant = PLANTS["fireworks_store"](1, np.random.default_rng(2))
    time, read = told(plant, 5 * 1440, [(4320.0, "water", 2.0), (4680.0, "water", 0.0)], 30)
    figure, (temperature, humidity) = panels(2)
    temperature.plot(time / 1440.0, read["outside_temperature"], color=LINE, label="outside")
    temperature.plot(time / 1440.0, read["temperature"], color=INK, label="inside")
    temperature.set_ylabel("°C")
    temperature.legend(frameon=False, loc="lower left")
    humidity.plot(time / 1440.0, read["outside_humidity"], color=LINE)
    humidity.plot(time / 1440.0, read["humidity"], color=INK)
    humidity.set_ylabel("%RH")
    humidity.set_xlabel("days")
    return figure


def instruments() -> Figure:
    """Faults of instruments, each on the same truth."""
    times = np.arange(0, 3_600_000, 15_000, dtype=np.int64)
    minutes = times / 60_000.0
    truth = 40.0 + 8.0 * np.sin(minutes / 6.0) + np.clip(minutes - 40.0, 0.0, 1.0) * 10.0
    when = {"begin": 900_000, "end": 2_700_000}
    tags = ("x",)
    stories: Mapping[str, Fault] = {
        "stuck": Stuck(tags=tags, **when),
        "drift, -480 a day": Drift(tags=tags, **when, per_day=-480.0),
        "poisoning, half-life 0.4 h": Poisoning(tags=tags, **when, half_life=0.4),
        "lag, 300 s": Lag(tags=tags, **when, seconds=300.0),
        "spikes, 40 an hour": Spikes(tags=tags, **when, per_hour=40.0, height=20.0, both=True),
        "dropout, 60 s at a time": Dropout(tags=tags, **when, per_hour=16.0, seconds=60.0),
        "bypass, held": Bypass(tags=tags, **when, shows="held"),
    }
    figure, axes = panels(len(stories), 1.15)
    for one, (label, fault) in zip(axes, stories.items(), strict=True):
        point = Point("x", "", noise=0.4, decimals=2, lag=20.0, low=0.0, high=100.0)
        shown = InstrumentArray([point], 3, [fault]).read(times, truth[:, None]).value[:, 0]
        one.plot(minutes, truth, color=LINE, linewidth=1.0)
        one.plot(minutes, shown, color=INK, linewidth=1.0)
        one.axvspan(15.0, 45.0, color=OTHER, alpha=0.07)
        one.set_title(label, loc="left", fontsize=9)
    axes[-1].set_xlabel("min")
    return figure


def gateways() -> Figure:
    """When messages arrive, against when they were read."""
    times = np.arange(0, 300_000, 1000, dtype=np.int64)
    flags = np.full((300, 1), Quality.GOOD, dtype=np.uint8)
    nothing = Measured(np.zeros((300, 1)), flags, np.zeros((300, 1), dtype=np.uint8))
    begin, end = 60_000, 150_000
    stories: Mapping[str, tuple[GatewayFault, str]] = {
        "outage, replayed at 2 a second": (Outage(begin=begin, end=end, rate=2.0), INK),
        "outage, live first": (Outage(begin=begin, end=end, rate=2.0, live_first=True), OTHER),
        "slow link, one in 2 s": (SlowLink(begin=begin, end=end, rate=0.5), THIRD),
        "clock 40 s behind": (ClockShift(begin=begin, end=end, offset=-40.0), "black"),
    }
    figure, (axes,) = panels(1, 3.6)
    for label, (fault, colour) in stories.items():
        gateway = Gateway("gw", ("x",), 1, [fault])
        first, rest = gateway.send(times, nothing), gateway.finish()
        received = np.concatenate([first.received_time, rest.received_time]) / 1000.0
        source = np.concatenate([first.source_time, rest.source_time]) / 1000.0
        axes.plot(received[::3], source[::3], ".", color=colour, markersize=3, label=label)
    axes.set_xlabel("arrives, s")
    axes.set_ylabel("time it carries, s")
    axes.legend(frameon=False, loc="upper left", markerscale=3)
    return figure


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "cold-store": cold_store,
    "coal-face": coal_face,
    "gas-workplace": gas_workplace,
    "fireworks-store": fireworks_store,
    "instruments": instruments,
    "gateways": gateways,
}


if __name__ == "__main__":
    make(FIGURES, Path(__file__).parent)
