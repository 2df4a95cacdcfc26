"""Gases by species, and the units in which detectors tell how much of one is in the air.

Lower explosive limits are those of DOMAIN's primary text [P], but for HCN [K]; molar masses follow from the standard
atomic weights of IUPAC [K], rounded to 0.01 g/mol.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

TEMPERATURE = 20.0
"""°C, at which a limit in mg/m³ is compared with one in ppm."""
PRESSURE = 101.325
"""kPa."""
GAS_CONSTANT = 8.314462618
"""J/(mol·K), exact by the SI."""
_ABSOLUTE_ZERO = -273.15
_DIGITS = 12
"""Digits kept of a converted figure: 25 %LEL of methane are 12500 ppm and not 12500.000000000002."""


class NotConvertible(ValueError):
    """A figure that cannot be converted: why, and what to do instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Species:
    """气体种类, one chemical species."""

    formula: str
    zh: str
    en: str
    molar_mass: float
    """g/mol."""
    lel: float | None = None
    """Lower explosive limit, %vol in air; None: does not burn, or not known."""


_ALL = (
    Species("CH4", "甲烷", "methane", 16.04, 5.0),
    Species("H2", "氢", "hydrogen", 2.02, 4.0),
    Species("C2H2", "乙炔", "acetylene", 26.04, 2.5),
    Species("C2H4", "乙烯", "ethylene", 28.05, 2.7),
    Species("C2H6", "乙烷", "ethane", 30.07, 3.0),
    Species("C3H8", "丙烷", "propane", 44.10, 2.1),
    Species("C4H10", "丁烷", "butane", 58.12, 1.8),
    Species("C3H6", "丙烯", "propylene", 42.08, 2.0),
    Species("CO", "一氧化碳", "carbon monoxide", 28.01, 12.5),
    Species("H2S", "硫化氢", "hydrogen sulphide", 34.08, 4.0),
    Species("NH3", "氨", "ammonia", 17.03, 15.0),
    Species("CH3OH", "甲醇", "methanol", 32.04, 6.0),
    Species("C2H5OH", "乙醇", "ethanol", 46.07, 3.3),
    Species("C6H6", "苯", "benzene", 78.11, 1.2),
    Species("C7H8", "甲苯", "toluene", 92.14, 1.2),
    Species("C6H14", "己烷", "hexane", 86.18, 1.1),
    Species("HCN", "氰化氢", "hydrogen cyanide", 27.03, 5.6),  # [K]
    Species("Cl2", "氯", "chlorine", 70.90),
    Species("SO2", "二氧化硫", "sulphur dioxide", 64.06),
    Species("NO2", "二氧化氮", "nitrogen dioxide", 46.01),
    Species("HCl", "氯化氢", "hydrogen chloride", 36.46),
    Species("HF", "氟化氢", "hydrogen fluoride", 20.01),
    Species("COCl2", "光气", "phosgene", 98.91),
    Species("O2", "氧", "oxygen", 32.00),
)
SPECIES: Mapping[str, Species] = {species.formula: species for species in _ALL}
"""By formula."""
UNITS = ("%LEL", "%vol", "ppm", "mg/m3")
"""Units that ``convert`` knows, in their canonical spelling."""


def convert(
    value: float,
    unit: str,
    to: str,
    species: Species,
    *,
    temperature: float = TEMPERATURE,
    pressure: float = PRESSURE,
) -> float:
    """A concentration of a species in another of ``UNITS``. Raises ``NotConvertible``.

    ``temperature`` in °C and ``pressure`` in kPa matter for mg/m3 only; by default a mole has 24.06 L.
    """
    for one in (unit, to):
        if one not in UNITS:
            told = f"the unit {one!r}" if one else "a value without a unit"
            raise NotConvertible(f"{told} cannot be converted", f"Use one of: {', '.join(UNITS)}.")
    if unit == to:
        return value
    ppm = value * _ppm(unit, species, temperature, pressure) / _ppm(to, species, temperature, pressure)
    return float(f"{ppm:.{_DIGITS}g}")


def _ppm(unit: str, species: Species, temperature: float, pressure: float) -> float:
    """Ppm in one of a unit."""
    if unit == "ppm":
        return 1.0
    if unit == "%vol":
        return 1e4
    if unit == "%LEL":
        if species.lel is None:
            message = f"no lower explosive limit is known of {species.formula}"
            raise NotConvertible(message, "Use ppm, %vol or mg/m3 for this gas.")
        return species.lel * 100.0
    return molar_volume(temperature, pressure) / species.molar_mass


def molar_volume(temperature: float = TEMPERATURE, pressure: float = PRESSURE) -> float:
    """L/mol of an ideal gas at °C and kPa. Raises ``ValueError`` where there is no such gas."""
    kelvin = temperature - _ABSOLUTE_ZERO
    if not (kelvin > 0 and pressure > 0 and math.isfinite(kelvin) and math.isfinite(pressure)):
        raise ValueError(f"no gas at {temperature} °C and {pressure} kPa")
    return GAS_CONSTANT * kelvin / pressure
