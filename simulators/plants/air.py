"""Air in rooms: well-mixed spaces, water vapour, density."""

import numpy as np

from domain.gases import GAS_CONSTANT
from domain.samples import Float64

ZERO = 273.15
"""K at 0 °C."""
PRESSURE = 101_325.0
"""Pa."""
AIR = 0.0289652
"""kg/mol of dry air (ISO 2533)."""
WATER = 0.01801528
"""kg/mol of water."""
HEAT = 1006.0
"""J/(kg K) of dry air at constant pressure, near room temperature."""
GRAVITY = 9.80665
"""m/s², standard."""
OXYGEN = 20.946
"""%vol in clean dry air (ISO 2533)."""


def density(temperature: Float64) -> Float64:
    """kg/m³ of dry air at °C and standard pressure: p M / (R T)."""
    return PRESSURE * AIR / GAS_CONSTANT / (temperature + ZERO)


def gas_volume(mass: Float64, molar_mass: float, temperature: Float64 | float) -> Float64:
    """m³ of an ideal gas at °C and standard pressure, of ``mass`` in g; ``molar_mass`` in g/mol."""
    return mass / molar_mass * (GAS_CONSTANT / PRESSURE) * (temperature + ZERO)


def well_mixed(
    share: Float64, volume: Float64, through: Float64, gain: Float64, seconds: float
) -> tuple[Float64, Float64]:
    """The share of a gas in a well-mixed space ``seconds`` later, and what has left it, m³/s on average.

    V c' = gain - through c, with c a volume share, ``gain`` all of the gas that comes in (m³/s, with the air and of
    itself) and ``through`` all that goes out (m³/s). Exact while gain and flow are constant:
    c(t) = c(0) e^(-t through/V) + gain/V (1 - e^(-t through/V)) / (through/V); the limit without flow is linear. What
    has left is what came in less what stayed, so that spaces in series keep their balance to rounding.
    """
    rate = through / volume
    gone = -np.expm1(-rate * seconds)
    # (1 - e^-x)/x has the limit 1; below 1e-9 its deviation is less than rounding
    span = np.where(rate * seconds > 1e-9, gone / np.maximum(rate, 1e-300), seconds)  # noqa: PLR2004
    later = share * (1.0 - gone) + gain / volume * span
    return later, gain + volume * (share - later) / seconds


def two_nodes(
    values: tuple[Float64, Float64],
    capacities: tuple[Float64, Float64],
    gains: tuple[Float64, Float64],
    losses: tuple[Float64, Float64],
    link: Float64,
    seconds: float,
) -> tuple[tuple[Float64, Float64], tuple[Float64, Float64]]:
    """Two linked nodes ``seconds`` later, and the values at which their flows ran meanwhile.

    C1 x' = gain1 - loss1 x + link (y - x), C2 y' = gain2 - loss2 y + link (x - y). Trapezium rule (second order) where
    the step is short against both nodes' own time constants, backward Euler (which never oscillates) where it is not.
    Both keep the balance to rounding: C (x_new - x) = seconds (gain - loss x_between + ...).
    """
    (x, y), (c1, c2), (g1, g2), (l1, l2) = values, capacities, gains, losses
    stiff = (seconds * (l1 + link) > c1) | (seconds * (l2 + link) > c2)
    theta = np.where(stiff, 1.0, 0.5)
    # Unknown are the values between, m = x + theta (x_new - x): C/(theta dt) (m - x) = gain - loss m + link (n - m)
    s1, s2 = c1 / (theta * seconds), c2 / (theta * seconds)
    a, b = s1 + l1 + link, s2 + l2 + link
    p, q = s1 * x + g1, s2 * y + g2
    whole = a * b - link * link
    m, n = (p * b + link * q) / whole, (q * a + link * p) / whole
    return (x + (m - x) / theta, y + (n - y) / theta), (m, n)


def saturation(temperature: Float64) -> Float64:
    """Pa, vapour pressure of water at saturation over water: Magnus' formula with the coefficients of WMO-No. 8.

    611.2 exp(17.62 t / (243.12 + t)), t from -45 to 60 °C (Guide to Instruments and Methods of Observation, Volume I,
    annex 4.B).
    """
    return 611.2 * np.exp(17.62 * temperature / (243.12 + temperature))


def dew_point(vapour: Float64) -> Float64:
    """°C at which a vapour pressure in Pa is that of saturation: Magnus' formula turned round."""
    log = np.log(np.maximum(vapour, 1e-3) / 611.2)
    return 243.12 * log / (17.62 - log)
