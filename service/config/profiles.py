"""What a tag inherits, by its measurand, engineering unit and species, in columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from domain.gases import SPECIES, NotConvertible, convert
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
    """Whether limits may be inherited: they are given in the engineering unit, or can be converted to it."""
    converted: Bool
    """Whether they are converted."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One measurand in one engineering unit, of one species."""

    measurand: Measurand
    unit: str
    """Canonical."""
    species: str
    """Formula; "": not known."""
    source: str
    """Unit that limits are converted from; "": they are given in ``unit``, or cannot be converted."""
    fits: bool

    def figure(self, given: Mapping[str, float] | None) -> float:
        """A limit or deadband of the measurand in the tag's unit; NaN: there is none.

        Where it can be had in no way, some figure, as ``fits`` forbids to use it.
        """
        if not given:
            return float("nan")
        if self.source in given:
            return convert(given[self.source], self.source, self.unit, SPECIES[self.species])
        return given.get(self.unit, next(iter(given.values())))

    def told(self, given: Mapping[str, float] | None) -> str:
        """A limit as the measurand gives it: ``25 %LEL``; "" where it is not converted."""
        return f"{given[self.source]:.12g} {self.source}" if given and self.source in given else ""


@dataclass(slots=True)
class Profiles:
    """Each measurand, unit and species that occur together, numbered as they turn up."""

    measurands: Measurands
    _index: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _profiles: list[Profile] = field(default_factory=list)
    _columns: ProfileColumns | None = None
    """Of all profiles, until there is another one."""

    def index(self, measurand: str, engineering_unit: str, species: str) -> int:
        """Number of a profile, whose measurand must be known. ``species``: as the tag says, or ""."""
        key = measurand, engineering_unit, species
        found = self._index.get(key)
        if found is None:
            unit = self.measurands.canonical_unit(engineering_unit)
            found = self._index[key] = len(self._profiles)
            self._profiles.append(_profile(self.measurands.by_key[measurand], unit, species))
            self._columns = None
        return found

    def __getitem__(self, index: int) -> Profile:
        return self._profiles[index]

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._profiles)

    def named(self) -> list[tuple[int, DefaultRule, float]]:
        """Named rules that profiles bring: the profile's number, the rule, its setpoint."""
        return [
            (index, rule, profile.figure(rule.setpoint))
            for index, profile in enumerate(self._profiles)
            for rule in profile.measurand.rules
        ]

    def columns(self) -> ProfileColumns:
        """All profiles so far in columns."""
        if self._columns is None:
            self._columns = self._in_columns()
        return self._columns

    def _in_columns(self) -> ProfileColumns:
        held = self._profiles
        return ProfileColumns(
            setpoint=np.array(
                [[p.figure(p.measurand.limits.get(level)) for level in LEVEL_KEYS] for p in held], dtype=np.float64
            ).reshape(-1, len(LEVEL_KEYS)),
            deadband=np.array(
                [[p.figure(p.measurand.deadbands.get(level)) for level in LEVEL_KEYS] for p in held], dtype=np.float64
            ).reshape(-1, len(LEVEL_KEYS)),
            share=np.array([p.measurand.deadband for p in held], dtype=np.float64),
            on_delay=np.array(
                [[p.measurand.on_delay if level in ("H", "L") else 0 for level in LEVEL_KEYS] for p in held],
                dtype=np.int64,
            ).reshape(-1, len(LEVEL_KEYS)),
            fits=np.array([p.fits for p in held], dtype=np.bool_),
            converted=np.array([p.source != "" for p in held], dtype=np.bool_),
        )


def _profile(measurand: Measurand, unit: str, species: str) -> Profile:
    species = species or measurand.species or ""
    units = measurand.units
    source = ""
    if units and unit not in units and species in SPECIES:
        try:
            convert(1.0, units[0], unit, SPECIES[species])
            source = units[0]
        except NotConvertible:
            pass
    return Profile(measurand, unit, species, source, fits=unit in units or source != "")
