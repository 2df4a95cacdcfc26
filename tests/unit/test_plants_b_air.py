"""Air in rooms against published figures and exact solutions."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from simulators.plants.air import density, dew_point, gas_volume, saturation, two_nodes, well_mixed


def column(*values: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array(values, dtype=np.float64)


def test_vapour_pressure_is_that_of_the_steam_tables() -> None:
    """Saturation pressure of water in hPa, IAPWS-IF97 steam tables; Magnus' formula is within 0.4 % of them."""
    known = {0.0: 6.112, 10.0: 12.28, 20.0: 23.39, 30.0: 42.47, 40.0: 73.85, 50.0: 123.5}
    np.testing.assert_allclose(saturation(column(*known)) / 100.0, list(known.values()), rtol=4e-3)


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected"),
    [
        (20.0, 50.0, 9.3),
        (25.0, 50.0, 13.9),
        (25.0, 80.0, 21.3),
        (30.0, 60.0, 21.4),
        (35.0, 90.0, 33.1),
        (10.0, 30.0, -6.8),
    ],
)
def test_dew_points_are_those_of_the_table(temperature: float, humidity: float, expected: float) -> None:
    """Dew point table over water, to 0.1 K (psychrometric tables, as DIN 4108-3 annex A prints them from 10 °C up)."""
    vapour = saturation(column(temperature)) * humidity / 100.0
    assert float(dew_point(vapour)[0]) == pytest.approx(expected, abs=0.1)


def test_dew_point_and_saturation_are_inverse() -> None:
    temperature = np.linspace(-40.0, 60.0, 50)
    np.testing.assert_allclose(dew_point(saturation(temperature)), temperature, atol=1e-9)


def test_density_and_volume_follow_the_gas_law() -> None:
    """ISO 2533: 1.225 kg/m³ at 15 °C; a mole of an ideal gas has 24.055 L at 20 °C and 101.325 kPa."""
    assert float(density(column(15.0))[0]) == pytest.approx(1.225, abs=1e-4)
    assert float(gas_volume(column(17.03), 17.03, 20.0)[0]) == pytest.approx(0.024055, rel=1e-4)


def test_a_well_mixed_room_fills_and_clears_along_the_exponential() -> None:
    """c(t) = q/Q (1 - e^(-Q t/V)), and c0 e^(-Q t/V) afterwards: whatever the steps, to rounding."""
    volume, through, gain = 300.0, 0.75, 0.002
    for dt in (1.0, 60.0, 1000.0):
        share = column(0.0)
        for _ in range(round(3000 / dt)):
            share, _ = well_mixed(share, column(volume), column(through), column(gain), dt)
        assert float(share[0]) == pytest.approx(gain / through * -math.expm1(-through * 3000 / volume), rel=1e-12)
    cleared, _ = well_mixed(share, column(volume), column(through), column(0.0), 400.0)
    assert float(cleared[0] / share[0]) == pytest.approx(math.exp(-1.0), rel=1e-12)


def test_a_closed_room_fills_in_proportion_to_time() -> None:
    share, out = well_mixed(column(0.01), column(50.0), column(0.0), column(0.1), 100.0)
    assert float(share[0]) == pytest.approx(0.01 + 0.1 * 100 / 50)
    assert float(out[0]) == pytest.approx(0.0, abs=1e-15)


def test_what_comes_in_goes_out_or_stays() -> None:
    rng = np.random.default_rng(1)
    share, volume, through, gain = rng.random((4, 200)) * np.array([[1.0], [100.0], [3.0], [0.1]]) + 1e-3
    later, out = well_mixed(share, volume, through, gain, 7.0)
    np.testing.assert_allclose(volume * (later - share) + 7.0 * out, 7.0 * gain, rtol=1e-12)


def test_two_linked_nodes_follow_the_matrix_exponential() -> None:
    """Solution of x' = A x + f: x(t) = x_rest + expm(A t) (x(0) - x_rest)."""
    c, g, loss, link = (5e4, 9e5), (800.0, 20.0), (40.0, 3.0), 60.0
    matrix = np.array([[-(loss[0] + link) / c[0], link / c[0]], [link / c[1], -(loss[1] + link) / c[1]]])
    rest = -np.linalg.solve(matrix, np.array([g[0] / c[0], g[1] / c[1]]))
    start = np.array([30.0, -5.0])
    x, y = column(start[0]), column(start[1])
    for _ in range(2000):
        (x, y), _ = two_nodes(
            (x, y), (column(c[0]), column(c[1])), (column(g[0]), column(g[1])), (column(loss[0]), column(loss[1])),
            column(link), 5.0,
        )  # fmt: skip
    expected = rest + expm(matrix * 10_000.0) @ (start - rest)
    assert float(x[0]) == pytest.approx(expected[0], abs=1e-4)
    assert float(y[0]) == pytest.approx(expected[1], abs=1e-4)


def test_stiff_nodes_settle_without_swinging() -> None:
    x, y = column(100.0), column(0.0)
    seen = []
    for _ in range(20):
        (x, y), _ = two_nodes(
            (x, y),
            (column(1.0), column(1e6)),
            (column(0.0), column(0.0)),
            (column(50.0), column(0.0)),
            column(50.0),
            10.0,
        )
        seen.append(float(x[0]))
    assert all(0.0 <= v < 1.0 for v in seen)
