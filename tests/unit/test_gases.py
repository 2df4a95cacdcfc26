"""Concentrations of a gas in one unit and another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.gases import SPECIES, UNITS, NotConvertible, Species, convert, molar_volume


@pytest.mark.parametrize(
    ("value", "unit", "to", "species", "expected"),
    [
        (25, "%LEL", "ppm", "CH4", 12_500),
        (25, "%LEL", "%vol", "CH4", 1.25),
        (1.0, "%vol", "%LEL", "CH4", 20),
        (25, "%LEL", "ppm", "C3H8", 5_250),
        (50, "%LEL", "%vol", "H2", 2.0),
        (1, "%vol", "ppm", "O2", 10_000),
        (24, "ppm", "mg/m3", "CO", 27.9),
        (160, "ppm", "mg/m3", "CO", 186),
        # the pairs of GB/T 50493's secondary sources, as this service ships them
        (10, "mg/m3", "ppm", "H2S", 7),
        (20, "mg/m3", "ppm", "CO", 17),
        (20, "mg/m3", "ppm", "NH3", 28),
        (1, "mg/m3", "ppm", "Cl2", 0.34),
        (5, "mg/m3", "ppm", "SO2", 1.9),
        (5, "mg/m3", "ppm", "NO2", 2.6),
        (1, "mg/m3", "ppm", "HCN", 0.89),
        (7.5, "mg/m3", "ppm", "HCl", 4.9),
        (2, "mg/m3", "ppm", "HF", 2.4),
        (0.5, "mg/m3", "ppm", "COCl2", 0.12),
        (6, "mg/m3", "ppm", "C6H6", 1.8),
        (25, "mg/m3", "ppm", "CH3OH", 19),
    ],
)
def test_known_pairs(value: float, unit: str, to: str, species: str, expected: float) -> None:
    assert convert(value, unit, to, SPECIES[species]) == pytest.approx(expected, rel=0.03)


def test_a_share_of_the_limit_is_exact() -> None:
    assert convert(25, "%LEL", "ppm", SPECIES["C3H8"]) == 5_250.0
    assert convert(7, "ppm", "ppm", SPECIES["H2S"]) == 7


def test_a_mole_of_gas() -> None:
    assert molar_volume() == pytest.approx(24.06, abs=0.005)
    assert molar_volume(0) == pytest.approx(22.414, abs=0.001)
    warm = convert(10, "mg/m3", "ppm", SPECIES["H2S"], temperature=40, pressure=90)
    assert warm == pytest.approx(10 * molar_volume(40, 90) / 34.08)
    for temperature, pressure in ((-273.15, 101.325), (20, 0), (float("nan"), 1), (20, float("inf"))):
        with pytest.raises(ValueError, match="no gas at"):
            molar_volume(temperature, pressure)


@pytest.mark.parametrize(
    ("unit", "to", "species", "message", "remedy"),
    [
        ("%LEL", "ppm", "Cl2", "no lower explosive limit is known of Cl2", "mg/m3"),
        ("ppm", "%LEL", "SO2", "no lower explosive limit is known of SO2", "mg/m3"),
        ("°c", "ppm", "CH4", "the unit '°c' cannot be converted", "%LEL, %vol, ppm, mg/m3"),
        ("ppm", "LEL·m", "CH4", "the unit 'LEL·m' cannot be converted", "%LEL, %vol, ppm, mg/m3"),
        ("", "ppm", "CH4", "a value without a unit cannot be converted", "%LEL, %vol, ppm, mg/m3"),
    ],
)
def test_what_cannot_be_converted(unit: str, to: str, species: str, message: str, remedy: str) -> None:
    with pytest.raises(NotConvertible, match=message) as caught:
        convert(1.0, unit, to, SPECIES[species])
    assert remedy in caught.value.remedy


@given(
    st.sampled_from([species for species in SPECIES.values() if species.lel is not None]),
    st.sampled_from(UNITS),
    st.sampled_from(UNITS),
    st.sampled_from(UNITS),
    st.floats(1e-6, 1e6),
)
def test_there_and_back_by_any_way(gas: Species, first: str, second: str, third: str, value: float) -> None:
    direct = convert(value, first, third, gas)
    assert convert(convert(value, first, second, gas), second, third, gas) == pytest.approx(direct, rel=1e-10)
    assert convert(direct, third, first, gas) == pytest.approx(value, rel=1e-10)
