"""Measurands, shipped as data: their gas class, and the limits, deadbands and delays that a tag inherits."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from domain.gases import SPECIES
from service.config.document import read_document
from service.config.faults import ConfigurationError, FaultList
from service.config.quantities import Delay, Name, NonNegative, Number, PointName, Window, refusal
from service.config.validation import Section, suggestion, validate

FILE = Path(__file__).with_name("measurands.yaml")
CANARY = "canary"
"""Measurand of the service's own synthetic reading."""
STATUS = "status"
"""Measurand of the conditions of the service and of gateways."""

LevelKey = Literal["HH", "H", "L", "LL"]
LEVEL_KEYS: tuple[LevelKey, ...] = ("HH", "H", "L", "LL")
"""Levels of limits, in the order of columns wherever limits stand in columns."""

_Setpoints = Annotated[dict[str, Number], Field(min_length=1)]


def _known_species(formula: str) -> str:
    if formula not in SPECIES:
        raise refusal(f"unknown species {formula!r}", suggestion(formula, SPECIES))
    return formula


class DefaultRule(Section):
    """A named limit that tags of a measurand inherit."""

    key: PointName
    kind: Literal["high", "low"]
    level: LevelKey
    setpoint: _Setpoints
    """By engineering unit, as ``Measurands.canonical_unit`` spells it."""
    grade: Literal["blue", "yellow", "orange", "red"] | None = None


class StuckDefault(Section):
    """When a value of a measurand counts as stuck, for tags that ask for it."""

    share: NonNegative
    """Band, as a share of the span."""
    duration: Window = Field(alias="for")


class Measurand(Section):
    """What is measured, and what its tags inherit."""

    zh: Name
    en: Name
    gas: Literal["flammable", "toxic", "oxygen", "methane"] | None = None
    species: Annotated[str, AfterValidator(_known_species)] | None = None
    """The one gas that it can be, by which limits are converted; None: the tag says it, or there is none."""
    limits: dict[LevelKey, _Setpoints] = Field(default_factory=dict)
    """Setpoint by level and engineering unit, as ``Measurands.canonical_unit`` spells it."""
    rules: tuple[DefaultRule, ...] = ()
    deadband: NonNegative = 0.0
    """Share of the span."""
    deadbands: dict[LevelKey, dict[str, NonNegative]] = Field(default_factory=dict)
    """Deadband by level and engineering unit, as limits are given."""
    on_delay: Delay = 0
    """Of the levels H and L, ms."""
    stuck: StuckDefault | None = None
    """None: no default; the tag gives band and time, where it asks for the rule."""
    confidence: Literal["P", "S", "K", "O"] | None = None
    source: str = ""

    @property
    def units(self) -> tuple[str, ...]:
        """Engineering units in which limits may be inherited; empty: there is nothing to inherit."""
        given = [*self.limits.values(), *(rule.setpoint for rule in self.rules)]
        return tuple(unit for unit in (given[0] if given else {}) if all(unit in setpoints for setpoints in given))


class _MeasurandFile(Section):
    spellings: dict[str, list[str]]
    measurands: dict[str, Measurand]


@dataclass(frozen=True, slots=True)
class Measurands:
    """All measurands, and the spellings of units."""

    by_key: dict[str, Measurand]
    spellings: dict[str, str]
    """Normalised spelling -> the one spelling used here."""

    def canonical_unit(self, text: str) -> str:
        """One spelling for all: ``mg/m³``, ``MG/M3`` and ``毫克/立方米`` are ``mg/m3``.

        For comparison only: a unit that is not known is returned in lower case.
        """
        plain = _plain(text)
        return self.spellings.get(plain, plain)


@cache
def shipped() -> Measurands:
    """The measurands of ``measurands.yaml``. Raises ``ConfigurationError`` where the package is damaged."""
    faults = FaultList()
    document = read_document(FILE, faults)
    file = validate(_MeasurandFile, document.data, document.fault, ()) if document is not None else None
    if file is None:
        raise ConfigurationError(faults.sorted())
    spellings = {_plain(other): unit for unit, others in file.spellings.items() for other in (unit, *others)}
    return Measurands(file.measurands, spellings)


def _plain(text: str) -> str:
    """Without full-width forms, superscripts, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
