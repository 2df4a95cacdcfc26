"""Checks that every rule of a block of tags can sound, can clear again, and compares like with like."""

import numpy as np

from domain.gases import UNITS
from domain.samples import Int64
from domain.scales import RuleKind
from service.config.drafts import Drafts
from service.config.measurands import LEVEL_KEYS
from service.config.mode_checks import check_modes
from service.config.profiles import Profiles
from service.config.rule_columns import STALE_PERIODS, RuleColumns
from service.config.rule_entries import MEDIAN

_ASCENDING = tuple(LEVEL_KEYS.index(level) for level in ("LL", "L", "H", "HH"))
MEDIAN_READINGS = 3
"""A moving median needs so many readings; see ``rules``."""
_DEFAULT = " (the default of its measurand)"


def check_rules(drafts: Drafts, rules: RuleColumns, profile: Int64, profiles: Profiles) -> None:
    """Report every fault that the rules of these drafts have; a draft at fault is not checked further."""
    _check_inherited(drafts, profile, profiles)
    _check_units(drafts, rules, profile, profiles)
    _check_order(drafts, rules)
    _check_limits(drafts, rules)
    _check_rates(drafts, rules)
    _check_silence(drafts, rules)
    _check_deviations(drafts, rules)
    _check_stuck(drafts, rules)
    if any(attributes.modes for attributes in rules.attributes.values()):
        check_modes(drafts, rules)


def _check_inherited(drafts: Drafts, profile: Int64, profiles: Profiles) -> None:
    """A limit without a setpoint needs a default."""
    for row, column in drafts.inheriting:
        if np.isnan(profiles.columns().setpoint[profile[row], column]) and not drafts.broken[row]:
            level = LEVEL_KEYS[column]
            message = f"limit {level} has no setpoint, and the measurand {drafts.measurand[row]} gives none"
            drafts.fault(row, level, message, f"Add `setpoint: …` to `{level}`.")


def _check_units(drafts: Drafts, rules: RuleColumns, profile: Int64, profiles: Profiles) -> None:
    """A default limit is given in certain units: in any other one it would compare ppm with mg/m3."""
    fits = profiles.columns().fits
    wrong = (
        (rules.default == 1) & (rules.kind != RuleKind.STUCK) & ~fits[profile[rules.tag]] & ~drafts.broken[rules.tag]
    )
    for row in np.unique(rules.tag[wrong]).tolist():
        measurand = drafts.measurand[row]
        held = profiles[int(profile[row])]
        units = " or ".join(held.measurand.units)
        unit = drafts.engineering_unit[row]
        told = f"engineering unit {unit!r}" if unit else "no engineering unit"
        message = f"{told}, but the default limits of {measurand} are in {units}"
        remedy = f"Write engineering_unit: {units}, or give limits of your own (`off` removes an inherited one)."
        if held.unit in UNITS and not held.species and held.measurand.units[0] in UNITS:
            remedy += " With `species: CH4`, or which gas it is, they are converted."
        drafts.fault(row, "engineering_unit", message, remedy)


def _check_order(drafts: Drafts, rules: RuleColumns) -> None:
    """LL < L < H < HH. Two may be equal where one is a default: some standards alarm and trip at one figure."""
    setpoint = np.full((len(drafts), len(LEVEL_KEYS)), np.nan)
    default = np.zeros(setpoint.shape, dtype=np.bool_)
    limits = rules.slot < len(LEVEL_KEYS)
    setpoint[rules.tag[limits], rules.slot[limits]] = rules.setpoint[limits]
    default[rules.tag[limits], rules.slot[limits]] = rules.default[limits] == 1
    for position, lower in enumerate(_ASCENDING):
        between = np.zeros(len(drafts), dtype=np.bool_)
        for upper in _ASCENDING[position + 1 :]:
            below, above = setpoint[:, lower], setpoint[:, upper]
            wrong = (below > above) | ((below == above) & ~default[:, lower] & ~default[:, upper])
            for row in np.flatnonzero(wrong & ~between & ~drafts.broken).tolist():
                low, high = LEVEL_KEYS[lower], LEVEL_KEYS[upper]
                message = (
                    f"limit {low} {_limit(below[row], default[row, lower])} is not below "
                    f"limit {high} {_limit(above[row], default[row, upper])}"
                )
                blamed, other = (high, low) if default[row, lower] else (low, high)
                remedy = f"Limits must rise from LL over L and H to HH: correct {blamed} or {other}."
                if default[row, lower] or default[row, upper]:
                    inherited = low if default[row, lower] else high
                    remedy += f" Give {inherited} a value of your own, or `off`, where the default does not suit."
                drafts.fault(row, blamed, message, remedy)
            between |= ~np.isnan(above)


def _check_limits(drafts: Drafts, rules: RuleColumns) -> None:
    """Setpoint within the range, deadband less than the span, and room to leave the alarm again."""
    picked = np.flatnonzero((rules.kind == RuleKind.HIGH) | (rules.kind == RuleKind.LOW))
    tag = rules.tag[picked]
    setpoint, deadband = rules.setpoint[picked], rules.deadband[picked]
    low, high = drafts.low[tag], drafts.high[tag]  # NaN where there is no range: every comparison is false
    is_high = rules.kind[picked] == RuleKind.HIGH
    outside = (setpoint < low) | (setpoint > high)
    wide = deadband >= high - low
    stuck = np.where(is_high, setpoint - deadband <= low, setpoint + deadband >= high)
    wrong = (outside | wide | stuck) & ~drafts.broken[tag]
    for index in np.flatnonzero(wrong).tolist():
        row = int(tag[index])
        inherited = bool(rules.default[picked[index]])
        place = rules.field[picked[index]]
        key = rules.key[picked[index]]
        told = f"limit {key} {_limit(setpoint[index], inherited)}"
        span = f"range [{low[index]:.12g}, {high[index]:.12g}]"
        if outside[index]:
            message = f"{told} lies outside the {span}: it could never sound, or never clear"
            remedy = f"Correct the limit or the range.{_replace(key, place, inherited=inherited)}"
            drafts.fault(row, place, message, remedy)
            continue
        message = f"{told} with deadband {deadband[index]:.12g} can never clear within the {span}"
        if wide[index]:
            message = f"deadband {deadband[index]:.12g} of limit {key} is not smaller than the span of the {span}"
        remedy = (
            "Give a smaller `deadband` (without one the measurand's share of the span is taken), or correct the limit."
        )
        drafts.fault(row, f"{place}.deadband", message, remedy)


def _check_rates(drafts: Drafts, rules: RuleColumns) -> None:
    """A window that holds two readings, a change that the range allows, a deadband below the setpoint."""
    picked = np.flatnonzero((rules.kind == RuleKind.RISE) | (rules.kind == RuleKind.FALL))
    tag = rules.tag[picked]
    window = rules.window[picked]
    rise = rules.setpoint[picked] * window / 1000
    narrow = window < drafts.period[tag]
    beyond = rise > drafts.high[tag] - drafts.low[tag]
    stuck = rules.deadband[picked] >= rules.setpoint[picked]  # a steady value must clear it
    for index in np.flatnonzero((narrow | beyond | stuck) & ~drafts.broken[tag]).tolist():
        row = int(tag[index])
        place, key = rules.field[picked[index]], rules.key[picked[index]]
        if narrow[index]:
            message = (
                f"the window of {key} ({window[index]} ms) is shorter than the tag's period ({drafts.period[row]} ms)"
            )
            drafts.fault(row, f"{place}.window", message, "Give a window of several periods: two readings must fit.")
        elif beyond[index]:
            message = f"{key} could never sound: {rise[index]:.6g} within its window is more than the tag's range"
            drafts.fault(row, place, message, "Give a smaller rate or a shorter window, or correct the range.")
        else:
            message = f"the deadband of {key} is so large that a steady value never clears it"
            drafts.fault(row, f"{place}.deadband", message, "Give a deadband smaller than the limit.")


def _check_silence(drafts: Drafts, rules: RuleColumns) -> None:
    picked = np.flatnonzero(rules.kind == RuleKind.STALE)
    tag = rules.tag[picked]
    early = (rules.window[picked] <= drafts.period[tag]) & ~drafts.broken[tag]
    for row in tag[early].tolist():
        message = "the stale time is not longer than the tag's period: it would pass between two readings"
        drafts.fault(row, "stale", message, "Give several periods, or delete the line to use three.")


def _check_deviations(drafts: Drafts, rules: RuleColumns) -> None:
    """A distance that the range allows, a deadband that lets it clear, a window that holds three readings."""
    for index in np.flatnonzero(rules.kind == RuleKind.DEVIATION).tolist():
        row = int(rules.tag[index])
        if drafts.broken[row]:
            continue
        low, high = float(drafts.low[row]), float(drafts.high[row])
        reference = rules.attributes[index].reference
        furthest = high - low  # NaN where there is no range: every comparison is false
        if isinstance(reference, float):
            furthest = max(abs(high - reference), abs(low - reference))
        if rules.setpoint[index] > furthest:
            message = f"a deviation of {rules.setpoint[index]:.12g} could never sound within the range"
            drafts.fault(row, "deviation.setpoint", message, "Give a smaller setpoint, or correct the range.")
        elif rules.deadband[index] >= rules.setpoint[index]:
            message = "the deadband of the deviation is so large that nothing clears it"
            drafts.fault(row, "deviation.deadband", message, "Give a deadband smaller than the setpoint.")
        elif reference == MEDIAN and rules.window[index] < MEDIAN_READINGS * drafts.period[row]:
            message = f"a median over {rules.window[index]} ms at a period of {drafts.period[row]} ms"
            remedy = f"Give a window of more periods: a median needs {MEDIAN_READINGS} readings."
            drafts.fault(row, "deviation.window", message, remedy)


def _check_stuck(drafts: Drafts, rules: RuleColumns) -> None:
    """A band smaller than the span, and a time that holds several readings."""
    picked = np.flatnonzero(rules.kind == RuleKind.STUCK)
    tag = rules.tag[picked]
    wide = rules.setpoint[picked] >= drafts.high[tag] - drafts.low[tag]
    early = rules.window[picked] < STALE_PERIODS * drafts.period[tag]
    for index in picked[(wide | early) & ~drafts.broken[tag]].tolist():
        row = int(rules.tag[index])
        if rules.setpoint[index] >= drafts.high[row] - drafts.low[row]:
            message = f"the band {rules.setpoint[index]:.12g} is as wide as the range: every value would be stuck"
            drafts.fault(row, "stuck.band", message, "Give a smaller band, or correct the range.")
        else:
            message = f"a time of {rules.window[index]} ms at a period of {drafts.period[row]} ms"
            drafts.fault(row, "stuck.for", message, f"Give {STALE_PERIODS} periods at least.")


def _limit(setpoint: float, inherited: bool | np.bool_) -> str:  # noqa: FBT001 - one place, named at both calls
    return f"{setpoint:.12g}{_DEFAULT if inherited else ''}"


def _replace(key: str, place: str, *, inherited: bool) -> str:
    """How to be rid of an inherited rule."""
    if not inherited:
        return ""
    if place == key:
        return f" `{key}: off` removes the default."
    return f" `rules: [{{key: {key}, setpoint: off}}]` removes the default (in a site file)."
