"""All these plants together: whatever is set, for however long, no reading is without sense; and the protocol holds."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.samples import Float64
from service.config.measurands import shipped
from simulators.plants import PLANTS, Plant, PlantFault
from simulators.plants.batch_reactor import BatchReactor
from simulators.plants.pressure_vessel import PressureVessel
from simulators.plants.storage_tank import StorageTank

KINDS = ("storage_tank", "pressure_vessel", "batch_reactor", "pipeline", "gas_release")
MAY_BE_NEGATIVE = {"temperature", "jacket_temperature", "imbalance"}


def build(kind: str, seed: int = 1, count: int = 3, parameters: Mapping[str, float | str] | None = None) -> Plant:
    return PLANTS[kind](count, np.random.default_rng(seed), parameters)


def sensible(plant: Plant) -> None:
    for name, values in plant.read().items():
        assert values.shape == (plant.count,), name
        assert np.isfinite(values).all(), (name, values)
        if name not in MAY_BE_NEGATIVE:
            least = -101.325 if name.endswith("pressure") else -1e-9
            assert (values >= least).all(), (name, values)


@st.composite
def stories(draw: st.DrawFn) -> tuple[str, int, dict[str, float | str], list[tuple[str, float, int | None, float]]]:
    """A kind, a seed, some parameters and acts: an input, its value, where, and how long until the next."""
    kind = draw(st.sampled_from(KINDS))
    plant = PLANTS[kind]
    parameters: dict[str, float | str] = {}
    for name in draw(st.lists(st.sampled_from(sorted(plant.parameters)), max_size=3, unique=True)):
        declared = plant.parameters[name]
        high = declared.high if math.isfinite(declared.high) else 1e6
        parameters[name] = draw(st.floats(declared.low, high))
    value = st.one_of(st.floats(allow_nan=False), st.floats(-2.0, 2.0), st.sampled_from([math.inf, -math.inf]))
    acts = []
    for _ in range(draw(st.integers(1, 6))):
        name = draw(st.sampled_from(sorted(plant.inputs)))
        declared_input = plant.inputs[name]
        inside = st.floats(declared_input.low, declared_input.high)
        picked = draw(st.sampled_from([None, 0, 2]))
        acts.append(
            (name, draw(st.one_of(inside, inside, value)), picked, draw(st.sampled_from([0.0, 0.01, 1.0, 7.3])))
        )
    return kind, draw(st.integers(0, 2**32)), parameters, acts


@settings(max_examples=120, deadline=None)
@given(stories())
def test_whatever_is_set_no_reading_is_without_sense(
    story: tuple[str, int, dict[str, float | str], list[tuple[str, float, int | None, float]]],
) -> None:
    kind, seed, parameters, acts = story
    plant = build(kind, seed, parameters=parameters)
    sensible(plant)
    for name, value, which, seconds in acts:
        plant.set(name, value, which)
        plant.step(seconds)
        sensible(plant)
    plant.step(20.0)
    sensible(plant)
    if isinstance(plant, StorageTank):
        assert (plant.volume >= 0.0).all()
        assert (plant.gas >= 0.0).all()
    if isinstance(plant, PressureVessel):
        assert (plant.amount > 0.0).all()
    if isinstance(plant, BatchReactor):
        assert all((amount >= 0.0).all() for amount in plant.amounts.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_at_both_ends_for_long_stays_sensible(kind: str) -> None:
    inputs = PLANTS[kind].inputs
    for end in ("low", "high"):
        for name, one in inputs.items():
            plant = build(kind)
            plant.set(name, getattr(one, end))
            for _ in range(4):
                plant.step(60.0)
                sensible(plant)
    plant = build(kind)
    for name, one in inputs.items():
        plant.set(name, one.high)
    plant.step(120.0)
    sensible(plant)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_values_and_another_seed_others(kind: str) -> None:
    def values(seed: int) -> list[Float64]:
        plant = build(kind, seed)
        plant.set(max(plant.inputs), 1.0)
        for _ in range(20):
            plant.step(1.0)
        return list(plant.read().values())

    np.testing.assert_array_equal(values(5), values(5))
    assert not np.array_equal(values(5), values(6))


@pytest.mark.parametrize("kind", KINDS)
def test_without_variation_all_instances_are_alike(kind: str) -> None:
    plant = build(kind, parameters={"variation": 0.0})
    plant.step(30.0)
    for name, values in plant.read().items():
        assert values.min() == values.max(), name


def test_instances_differ_by_their_spread_and_no_more() -> None:
    levels = build("storage_tank", count=2000).read()["level"]
    spread = PLANTS["storage_tank"].parameters["level"].spread
    assert levels.std() / 50.0 == pytest.approx(spread, rel=0.15)  # a little less: held within two
    assert np.abs(levels / 50.0 - 1.0).max() <= 2.0 * spread + 1e-9
    less = build("storage_tank", count=2000, parameters={"variation": 0.5}).read()["level"]
    assert less.std() == pytest.approx(0.5 * levels.std(), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_step_is_many_short_ones(kind: str) -> None:
    short, long = (build(kind, parameters={"variation": 0.0}) for _ in range(2))
    for plant in (short, long):
        for name in ("leak_diameter", "release_rate", "outlet_blocked", "cooling_failure"):
            if name in plant.inputs:
                plant.set(name, 1.0)
    for _ in range(60):
        short.step(1.0)
    long.step(60.0)
    for name, values in short.read().items():
        if not name.endswith(("flow", "imbalance")):  # those of a vessel or a line are means over the last step
            np.testing.assert_allclose(long.read()[name], values, rtol=2e-3, atol=2e-2, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_readings_are_those_declared_in_units_and_measurands_that_the_service_knows(kind: str) -> None:
    plant = build(kind)
    assert list(plant.read()) == list(plant.outputs)
    measurands = shipped().by_key
    for output in plant.outputs.values():
        assert output.measurand in measurands
        assert output.zh
        assert output.en
        units = measurands[output.measurand].units
        assert not units or output.engineering_unit in units or output.measurand == "flammable_gas"
    for one in plant.inputs.values():
        assert one.low <= one.default <= one.high < math.inf
        assert one.zh
        assert one.en
    for parameter in plant.parameters.values():
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.zh
        assert parameter.en


@pytest.mark.parametrize("kind", KINDS)
def test_what_read_gives_is_the_callers_own(kind: str) -> None:
    plant = build(kind)
    plant.step(1.0)
    before = {name: values.copy() for name, values in plant.read().items()}
    for values in plant.read().values():
        values[:] = -1.0
    for name, values in plant.read().items():
        np.testing.assert_array_equal(values, before[name])


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_set_for_all_or_for_some_and_held_within_their_bounds(kind: str) -> None:
    plant = build(kind)
    name, one = next(iter(plant.inputs.items()))
    plant.set(name, one.low)
    plant.set(name, math.inf, 1)
    plant.set(name, np.array([one.high, -math.inf]), slice(1, 3))
    columns = plant._inputs.columns  # type: ignore[attr-defined]
    np.testing.assert_array_equal(columns[name], [one.low, one.high, one.low])


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_taken_is_refused_by_name_with_a_remedy(kind: str) -> None:
    plant = build(kind)
    name = next(iter(plant.inputs))
    with pytest.raises(PlantFault, match=f"{kind}: unknown input 'nothing': use one of {name}"):
        plant.set("nothing", 1.0)
    with pytest.raises(PlantFault, match=f"{kind}: {name} is not a number"):
        plant.set(name, math.nan)
    with pytest.raises(PlantFault, match=f"{kind}: {name} does not fit instances 7 of 3"):
        plant.set(name, 1.0, 7)
    with pytest.raises(PlantFault, match="does not fit all instances"):
        plant.set(name, np.ones(5))
    for seconds in (-1.0, math.nan, math.inf):
        with pytest.raises(PlantFault, match=f"{kind}: a step of"):
            plant.step(seconds)
    with pytest.raises(PlantFault, match="count is 0"):
        build(kind, count=0)
    with pytest.raises(PlantFault, match=f"{kind}: unknown parameter 'nothing': use one of"):
        build(kind, parameters={"nothing": 1.0})
    with pytest.raises(PlantFault, match=f"{kind}: variation is 'much': use a number from 0 to 1"):
        build(kind, parameters={"variation": "much"})
    declared, parameter = next(iter(plant.parameters.items()))
    with pytest.raises(PlantFault, match=f"{kind}: {declared} is -1e\\+09: use"):
        build(kind, parameters={declared: -1e9})
    with pytest.raises(PlantFault, match=f"{kind}: {declared} is nan"):
        build(kind, parameters={declared: math.nan})
    assert parameter.low > -1e9
