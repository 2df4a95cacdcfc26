"""Cold store, coal face, gas workplace and fireworks store: bounded, repeatable, independent, whatever is set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.plants import PLANTS, PlantFault

KINDS = ("cold_store", "coal_face", "gas_workplace", "fireworks_store")
REASONABLE = {
    "%vol": (0.0, 100.0),
    "ppm": (0.0, 1e6),
    "%RH": (0.0, 100.0),
    "°C": (-100.0, 2e4),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_input_and_no_step_drives_it_out_of_bounds(kind: str, data: st.DataObject) -> None:
    given_parameters = {
        name: data.draw(st.floats(one.low, min(one.high, 1e6)), label=name)
        for name, one in PLANTS[kind].parameters.items()
        if data.draw(st.integers(0, 5)) == 0
    }
    plant = PLANTS[kind](3, np.random.default_rng(1), given_parameters)
    for _ in range(data.draw(st.integers(1, 8))):
        name = data.draw(st.sampled_from(sorted(plant.inputs)))
        one = plant.inputs[name]
        plant.set(name, data.draw(st.floats(one.low, one.high)), data.draw(st.sampled_from([None, 0, slice(1, 3)])))
        plant.step(data.draw(st.sampled_from([0.0, 0.1, 1.0, 7.3, 60.0, 300.0])))
        for output, value in plant.read().items():
            unit = plant.outputs[output].engineering_unit
            low, high = REASONABLE.get(unit, (-1e12, 1e12))
            assert value.shape == (3,)
            assert np.isfinite(value).all(), (output, value)
            assert (value >= low - 1e-6).all(), (output, value)
            assert (value <= high + 1e-6).all(), (output, value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes(kind: str) -> None:
    def run(seed: int) -> bytes:
        plant = PLANTS[kind](5, np.random.default_rng(seed))
        for _ in range(50):
            plant.step(13.0)
        return b"".join(value.tobytes() for value in plant.read().values())

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_one_instance_leaves_the_others_alone(kind: str) -> None:
    faults = {"cold_store": "leak", "coal_face": "outburst", "gas_workplace": "gap", "fireworks_store": "heating"}
    plants = [PLANTS[kind](4, np.random.default_rng(1)) for _ in range(2)]
    plants[0].set(faults[kind], plants[0].inputs[faults[kind]].high / 100.0, 2)
    for plant in plants:
        plant.step(120.0)
    touched = False
    for output, value in plants[0].read().items():
        other = plants[1].read()[output]
        np.testing.assert_array_equal(np.delete(value, 2), np.delete(other, 2))
        touched |= bool(value[2] != other[2])
    assert touched


@pytest.mark.parametrize("kind", KINDS)
def test_without_variation_all_instances_are_alike(kind: str) -> None:
    plant = PLANTS[kind](4, np.random.default_rng(1), {"variation": 0.0})
    plant.step(600.0)
    for value in plant.read().values():
        assert len(set(value.tolist())) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_everything_has_a_name_in_both_languages_and_what_is_unknown_is_refused(kind: str) -> None:
    plant = PLANTS[kind](1, np.random.default_rng(1))
    assert plant.read().keys() == plant.outputs.keys()
    for table in (plant.outputs, plant.inputs, plant.parameters):
        for one in table.values():
            assert one.zh
            assert one.en
            assert one.zh != one.en
    with pytest.raises(PlantFault, match="unknown input 'nothing'"):
        plant.set("nothing", 1.0)
    with pytest.raises(PlantFault, match="unknown parameter 'nothing'"):
        PLANTS[kind](1, np.random.default_rng(1), {"nothing": 1.0})
