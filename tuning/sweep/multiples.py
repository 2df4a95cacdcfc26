"""Multiples of setpoints that no rule set may have: beyond the tag's range, or out of the order of its limits.

What the rules make of a multiple depends on each rule, so it cannot be told from the grid alone.
"""

from collections.abc import Sequence

from domain.scales import RuleKind
from domain.site import Site
from tuning.sweep.grid import Grid, GridError, Setting
from tuning.sweep.result import LeftOut

_RANGED = frozenset({RuleKind.HIGH, RuleKind.LOW, RuleKind.VOTE})
"""Kinds whose setpoint is a value of the tag."""
_ORDER = ("LL", "L", "H", "HH")
"""Keys of a tag's limits, which rise in this order."""


def without_impossible(site: Site, rows: Sequence[int], grid: Grid) -> tuple[Grid, tuple[LeftOut, ...]]:
    """The grid without the multiples that these rules, swept together, cannot have, and those.

    Raises GridError where no setpoint is left.
    """
    asked = grid.axes.get("setpoint", ())
    left_out = tuple(fault for fault in (fault_of(site, rows, setting) for setting in asked) if fault is not None)
    if not left_out:
        return grid, ()
    gone = {each.setting for each in left_out}
    kept = tuple(setting for setting in asked if setting not in gone)
    if not kept:
        raise GridError(f"{left_out[0]}: narrow --setpoint")
    return Grid({**grid.axes, "setpoint": kept}), left_out


def fault_of(site: Site, rows: Sequence[int], setting: Setting) -> LeftOut | None:
    """Why these rules cannot all have this multiple of their setpoints at a time; None: they can."""
    if not setting.times:
        return None
    rules = site.rules
    present = {row: float(rules.setpoint[row]) for row in rows}
    made = {row: setting.of(setpoint) for row, setpoint in present.items()}
    for row, setpoint in made.items():
        if setpoint == present[row]:
            continue
        rule = rules.row(row)
        told = {"condition": site.rule_path(row), "setpoint": f"{setpoint:.12g}"}
        inputs = () if rule.extra is None else rule.extra.inputs
        tag = site.tags[inputs[0] if inputs else rule.tag]
        if rule.kind in _RANGED and not tag.low <= setpoint <= tag.high:
            told |= {"low": f"{tag.low:.12g}", "high": f"{tag.high:.12g}"}
            return LeftOut(setting, "beyond_range", told)
        for other in rules.of_tag(rule.tag):
            if rule.key not in _ORDER or rules.key[other] not in _ORDER or other == row:
                continue
            its = made.get(other, float(rules.setpoint[other]))
            above = _ORDER.index(rules.key[other]) > _ORDER.index(rule.key)
            equal = setpoint == its and (other in made or not rules.default[other])
            if (setpoint > its if above else setpoint < its) or equal:
                return LeftOut(setting, "past_limit", told | {"other": rules.key[other], "is": f"{its:.12g}"})
    return None
