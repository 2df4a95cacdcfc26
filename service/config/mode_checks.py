"""Checks of limits that hold in one mode of operation only: each mode's limits must stand as well as the base ones."""

import numpy as np

from domain.scales import RuleKind
from service.config.drafts import Drafts
from service.config.measurands import LEVEL_KEYS
from service.config.rule_columns import RuleColumns

_ASCENDING = ("LL", "L", "H", "HH")


def check_modes(drafts: Drafts, rules: RuleColumns) -> None:
    """Report limits of modes that could never sound or clear, and levels out of their order."""
    tags = sorted({int(rules.tag[row]) for row, attributes in rules.attributes.items() if attributes.modes})
    for tag in tags:
        begin, end = np.searchsorted(rules.tag, (tag, tag + 1)).tolist()
        rows = range(begin, end)
        for row in rows:
            _check_reach(drafts, rules, row)
        if not drafts.broken[tag]:
            _check_order(drafts, rules, rows)


def _check_reach(drafts: Drafts, rules: RuleColumns, row: int) -> None:
    """Within the range, and able to clear."""
    attributes = rules.attributes.get(row)
    tag = int(rules.tag[row])
    low, high = float(drafts.low[tag]), float(drafts.high[tag])
    for limit in attributes.modes if attributes else ():
        if limit.setpoint is None or drafts.broken[tag]:
            continue
        deadband = float(rules.deadband[row]) if limit.deadband is None else limit.deadband
        clears = limit.setpoint - deadband if rules.kind[row] == RuleKind.HIGH else limit.setpoint + deadband
        told = f"limit {rules.key[row]} {limit.setpoint:.12g} of mode {limit.mode!r}"
        span = f"range [{low:.12g}, {high:.12g}]"
        place = f"{rules.field[row]}.modes"
        if limit.setpoint < low or limit.setpoint > high:
            message = f"{told} lies outside the {span}: it could never sound, or never clear"
            drafts.fault(tag, place, message, "Correct the limit or the range; `off` is no limit in this mode.")
        elif (rules.kind[row] == RuleKind.HIGH and clears <= low) or (
            rules.kind[row] == RuleKind.LOW and clears >= high
        ):
            message = f"{told} with deadband {deadband:.12g} can never clear within the {span}"
            drafts.fault(tag, place, message, "Give the mode a smaller `deadband`, or correct the limit.")


def _check_order(drafts: Drafts, rules: RuleColumns, rows: range) -> None:
    """LL < L < H < HH in every mode, a limit without a word on the mode standing as it is."""
    tag = int(rules.tag[rows[0]])
    limits = {rules.key[row]: row for row in rows if rules.slot[row] < len(LEVEL_KEYS)}
    own = {
        key: {limit.mode: limit.setpoint for limit in rules.attributes[row].modes}
        for key, row in limits.items()
        if row in rules.attributes
    }
    for mode in dict.fromkeys(mode for modes in own.values() for mode in modes):
        below: tuple[str, float] | None = None
        for key in _ASCENDING:
            if key not in limits:
                continue
            setpoint = own.get(key, {}).get(mode, float(rules.setpoint[limits[key]]))
            if setpoint is None:
                continue
            if (
                below is not None
                and below[1] >= setpoint
                and {key, below[0]} & {k for k, m in own.items() if mode in m}
            ):
                blamed = key if mode in own.get(key, {}) else below[0]
                message = f"in mode {mode!r} limit {below[0]} {below[1]:.12g} is not below limit {key} {setpoint:.12g}"
                remedy = f"Limits must rise from LL over L and H to HH in every mode: correct {below[0]} or {key}."
                drafts.fault(tag, f"{blamed}.modes", message, remedy)
                return
            below = key, setpoint
