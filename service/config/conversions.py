"""Gas limits that a site gives in a unit of their own, brought to the unit of their tag."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from domain.gases import SPECIES, UNITS, NotConvertible, convert
from domain.site import ModeLimit
from service.config.attributes import NONE
from service.config.drafts import Drafts, GivenUnit
from service.config.measurands import LEVEL_KEYS, Measurands
from service.config.validation import suggestion


def check_species(drafts: Drafts, measurands: Measurands) -> None:
    """Report species that nobody knows, and those that contradict the measurand."""
    known: Mapping[str, object] = SPECIES
    for row, species in enumerate(drafts.species):
        if not species:
            continue
        measurand = measurands.by_key.get(drafts.measurand[row])
        implied = None if measurand is None else measurand.species
        if species not in known:
            drafts.fault(row, "species", f"unknown species {species[:40]!r}", suggestion(species[:40], SPECIES))
        elif implied is not None and implied != species:
            message = f"species {species}, but the measurand {drafts.measurand[row]} is {implied}"
            drafts.fault(row, "species", message, "Delete the species, or choose another measurand.")


def convert_limits(drafts: Drafts, measurands: Measurands) -> None:
    """Bring limits with a unit of their own to the unit of their tag; faults where that cannot be done."""
    for given in drafts.units:
        if drafts.broken[given.row]:
            continue
        unit = measurands.canonical_unit(given.unit)
        own = measurands.canonical_unit(drafts.engineering_unit[given.row])
        if unit == own:
            continue
        measurand = measurands.by_key.get(drafts.measurand[given.row])
        species = SPECIES.get(drafts.species[given.row] or (measurand.species if measurand else None) or "")
        if species is None:
            message = f"a limit in {given.unit!r} on a tag in {drafts.engineering_unit[given.row]!r}"
            remedy = "Give the limit in the tag's own unit."
            if unit in UNITS and own in UNITS:
                remedy = "Add `species: CH4` (or which gas it is) to the tag, or give the limit in the tag's own unit."
            drafts.fault(given.row, f"{given.field}.unit", message, remedy)
            continue
        try:
            _apply(drafts, given, lambda value: convert(value, unit, own, species))  # noqa: B023 - called at once
        except NotConvertible as refusal:
            message = f"{given.unit!r} cannot be converted to {drafts.engineering_unit[given.row]!r}: {refusal}"
            drafts.fault(given.row, f"{given.field}.unit", message, refusal.remedy)


def _apply(drafts: Drafts, given: GivenUnit, converted: Callable[[float], float]) -> None:
    """Convert one limit: setpoint, its own deadband, those of its modes."""
    row = given.row
    if given.field in LEVEL_KEYS:
        column = LEVEL_KEYS.index(given.field)
        setpoint = float(drafts.setpoint[row, column])
        drafts.setpoint[row, column] = converted(setpoint)
        if given.own_deadband:
            drafts.deadband[row, column] = converted(float(drafts.deadband[row, column]))
        attributes = drafts.attributes.get((row, given.field), NONE)
        drafts.attributes[row, given.field] = replace(
            attributes, given=f"{setpoint:.12g} {given.unit}", modes=_modes(attributes.modes, converted)
        )
        return
    for rule in drafts.named:
        if rule.row == row and rule.field == given.field and rule.setpoint is not None:
            told = f"{rule.setpoint:.12g} {given.unit}"
            rule.setpoint = converted(rule.setpoint)
            if given.own_deadband:
                rule.deadband = converted(rule.deadband)
            rule.attributes = replace(rule.attributes, given=told, modes=_modes(rule.attributes.modes, converted))


def _modes(modes: tuple[ModeLimit, ...], converted: Callable[[float], float]) -> tuple[ModeLimit, ...]:
    return tuple(
        ModeLimit(
            limit.mode,
            None if limit.setpoint is None else converted(limit.setpoint),
            None if limit.deadband is None else converted(limit.deadband),
        )
        for limit in modes
    )
