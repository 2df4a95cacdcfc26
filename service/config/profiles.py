"""What a tag inherits, by its measurand and engineering unit, in columns."""

from dataclasses import dataclass, field

import numpy as np

from domain.samples import Bool, Float64, Int64
from service.config.measurands import LEVEL_KEYS, DefaultRule, Measurand, Measurands


@dataclass(frozen=True, slots=True)
class ProfileColumns:
    """Profiles by index; columns of levels are p × 4 in the order of ``LEVEL_KEYS``."""

    setpoint: Float64
    """NaN: no default."""
    deadband: Float64
    """In the engineering unit; NaN: by the share of the span."""
    share: Float64
    """Of the span, for a deadband."""
    on_delay: Int64
    fits: Bool
    """Whether the engineering unit is one in which limits may be inherited."""


@dataclass(slots=True)
class Profiles:
    """Each pair of measurand and engineering unit that occurs, numbered as it turns up."""

    measurands: Measurands
    _index: dict[tuple[str, str], int] = field(default_factory=dict)
    _pairs: list[tuple[Measurand, str]] = field(default_factory=list)

    def index(self, measurand: str, engineering_unit: str) -> int:
        """Number of a pair, whose measurand must be known."""
        found = self._index.get((measurand, engineering_unit))
        if found is None:
            unit = self.measurands.canonical_unit(engineering_unit)
            found = self._index[measurand, engineering_unit] = len(self._pairs)
            self._pairs.append((self.measurands.by_key[measurand], unit))
        return found

    def measurand(self, index: int) -> Measurand:
        """Measurand of a pair."""
        return self._pairs[index][0]

    def named(self) -> list[tuple[int, DefaultRule, float]]:
        """Named rules that pairs bring: the pair's number, the rule, its setpoint."""
        return [
            (index, rule, _setpoint(rule.setpoint, unit))
            for index, (measurand, unit) in enumerate(self._pairs)
            for rule in measurand.rules
        ]

    def columns(self) -> ProfileColumns:
        """All pairs so far in columns."""
        nan = float("nan")
        pairs = self._pairs
        return ProfileColumns(
            setpoint=np.array(
                [[_setpoint(m.limits.get(level), unit) for level in LEVEL_KEYS] for m, unit in pairs],
                dtype=np.float64,
            ).reshape(-1, len(LEVEL_KEYS)),
            deadband=np.array(
                [[m.deadbands.get(level, nan) for level in LEVEL_KEYS] for m, _ in pairs], dtype=np.float64
            ).reshape(-1, len(LEVEL_KEYS)),
            share=np.array([m.deadband for m, _ in pairs], dtype=np.float64),
            on_delay=np.array(
                [[m.on_delay if level in ("H", "L") else 0 for level in LEVEL_KEYS] for m, _ in pairs], dtype=np.int64
            ).reshape(-1, len(LEVEL_KEYS)),
            fits=np.array([unit in m.units for m, unit in pairs], dtype=np.bool_),
        )


def _setpoint(setpoints: dict[str, float] | None, unit: str) -> float:
    """Default in a unit; in a unit that it is not given in, some figure, as ``fits`` forbids to use it."""
    if not setpoints:
        return float("nan")
    return setpoints.get(unit, next(iter(setpoints.values())))
