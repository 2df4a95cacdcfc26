"""Rules as the documents of ``watched_models``."""

from typing import Any

import numpy as np

from domain.components import ComponentModel
from domain.scales import RuleKind
from domain.site import Reference, RuleExtra, Site
from service.api.views import KIND_NAMES

LIMIT_KINDS = frozenset({RuleKind.HIGH, RuleKind.LOW, RuleKind.RISE, RuleKind.FALL, RuleKind.DEVIATION})
"""Kinds that say of a value when it is dangerous."""
VALUE_KINDS = LIMIT_KINDS | {RuleKind.STUCK}
"""Kinds that are shown with a tag."""
_UNIT_KINDS = (RuleKind.VOTE, RuleKind.EXPRESSION, RuleKind.T2, RuleKind.SPE)
_NOTHING = RuleExtra()


def limit_view(site: Site, row: int) -> dict[str, Any]:
    """``watched_models.Limit`` of a row of the rule table."""
    rule = site.rules.row(row)
    extra = rule.extra or _NOTHING
    return {
        "key": rule.key,
        "kind": KIND_NAMES[rule.kind],
        "level": rule.level.value,
        "setpoint": rule.setpoint,
        "deadband": rule.deadband,
        "on_delay_ms": rule.on_delay,
        "off_delay_ms": rule.off_delay,
        "window_ms": rule.window,
        "latching": rule.latching,
        "default": rule.default,
        "given": extra.given or None,
        "version": rule.version,
        "reference": None if extra.reference is None else _reference(site, extra.reference),
        "side": extra.side if rule.kind is RuleKind.DEVIATION else None,
        "modes": [
            {"mode": limit.mode, "setpoint": limit.setpoint, "deadband": limit.deadband} for limit in extra.modes
        ],
        **_attributes(extra),
    }


def unit_rule_view(site: Site, row: int) -> dict[str, Any]:
    """``watched_models.UnitRule`` of a row of the rule table."""
    rule = site.rules.row(row)
    extra = rule.extra or _NOTHING
    vote = rule.kind is RuleKind.VOTE
    return {
        "key": rule.key,
        "path": site.rule_path(row),
        "kind": KIND_NAMES[rule.kind],
        "level": rule.level.value,
        "grade": None if rule.grade is None else rule.grade.label,
        "inputs": [site.tags[index].name for index in extra.inputs],
        "needed": extra.needed if vote else None,
        "side": ("low" if extra.low else "high") if vote else None,
        "setpoint": None if rule.kind is RuleKind.EXPRESSION else rule.setpoint,
        "deadband": rule.deadband,
        "engineering_unit": site.tags[extra.inputs[0]].engineering_unit if vote else None,
        "expression": extra.expression or None,
        "model": None if extra.model is None else _model(extra.model),
        "on_delay_ms": rule.on_delay,
        "off_delay_ms": rule.off_delay,
        "latching": rule.latching,
        "version": rule.version,
        **_attributes(extra),
    }


def unit_rules(site: Site) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Views of the rules of all units that have any, by enterprise and unit."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in np.flatnonzero(np.isin(site.rules.kind, _UNIT_KINDS)).tolist():
        tag = site.tags[int(site.rules.tag[row])]
        found.setdefault((tag.enterprise, tag.unit), []).append(unit_rule_view(site, row))
    return found


def modes_of(site: Site) -> dict[str, list[str]]:
    """Modes of operation of the units that have any, by the unit's path."""
    return {
        selector.unit: list(
            dict.fromkeys([*(mode for mode, _, _ in selector.values), *(span.mode for span in selector.schedule)])
        )
        for selector in site.selectors
    }


def _model(model: ComponentModel) -> dict[str, Any]:
    return {
        "digest": model.digest,
        "components": model.retained,
        "period_ms": model.period,
        "smoothing": model.smoothing,
    }


def _attributes(extra: RuleExtra) -> dict[str, Any]:
    return {
        "suppressed_by": list(extra.suppressed_by),
        "parent": extra.parent,
        "re_alarm_ms": extra.re_alarm,
        "cards": list(extra.cards),
    }


def _reference(site: Site, reference: Reference) -> dict[str, Any]:
    constant, tag = reference.kind == "constant", reference.kind == "tag"
    return {
        "kind": reference.kind,
        "value": reference.constant if constant else None,
        "tag": site.tags[reference.tag].name if tag else None,
        "window_ms": reference.window if reference.kind == "median" else None,
    }
