"""Changes as the documents of ``changes_models``."""

from collections.abc import Mapping
from typing import Any

from domain.clock import iso
from domain.site import Site
from service.api.views import KIND_NAMES, iso_or_none
from service.changes.change import ChangedRule, RuleChange, moved_since, overtaken
from service.changes.control import ChangeControl
from service.changes.states import OPEN, ChangeState, next_acts
from service.config.tuned import FIGURES, Figures

READING_SHARE = 0.6
"""Part of a backtest's progress that reading the historian is [ours]."""


def change_view(control: ChangeControl, site: Site, known: RuleChange) -> dict[str, Any]:
    """``changes_models.RuleChange``."""
    course = known.course
    schedule, live, rollback = course.get("schedule"), course.get("live"), course.get("rollback")
    return {
        "id": known.id,
        "state": known.state.value,
        "name": known.name,
        "actor": known.actor,
        "reason": known.reason,
        "proposed_at": iso(known.proposed_at),
        "updated_at": iso(known.updated_at),
        "base_revision": known.base_revision,
        "rules": [_rule(rule) for rule in known.rules],
        "loosens": known.loosens,
        "moved": _moved(site, known) or None,
        "next_acts": [act.value for act in next_acts(known.state)],
        "missing": _missing(known),
        "backtest": _backtest(control, known),
        "approval": _signed(course.get("approval")),
        "rejection": _signed(course.get("rejection")),
        "withdrawal": _signed(course.get("withdrawal")),
        "schedule": None if schedule is None else {**_signature(schedule), "due": iso(schedule["due"])},
        "not_applied": _signed(course.get("not_applied")),
        "shadow": _shadow(control, known),
        "live": None if live is None else {**_signature(live), "revision": live["revision"]},
        "rollback": None if rollback is None else {**_signature(rollback), "revision": rollback["revision"]},
    }


def _moved(site: Site, known: RuleChange) -> str:
    if known.state in OPEN:
        return moved_since(site, known.rules)
    return overtaken(site, known.rules) if known.state is ChangeState.LIVE else ""


def figures_view(figures: Figures) -> dict[str, Any]:
    """``changes_models.RuleFigures``."""
    return {
        "setpoint": figures.setpoint,
        "deadband": figures.deadband,
        "on_delay_ms": figures.on_delay,
        "off_delay_ms": figures.off_delay,
        "window_ms": figures.window,
    }


def _rule(rule: ChangedRule) -> dict[str, Any]:
    enterprise, _, tag = rule.tag_path.partition("/")
    changed = rule.edit.given()
    return {
        "enterprise": enterprise,
        "tag": tag,
        "rule": rule.key,
        "path": rule.path,
        "unit": rule.unit,
        "kind": KIND_NAMES[rule.kind],
        "engineering_unit": rule.engineering_unit,
        "description": rule.description,
        "before": figures_view(rule.before),
        "after": figures_view(rule.after),
        "changed": [name for name in FIGURES if name in changed],
        "loosened": list(rule.loosened),
    }


def _missing(known: RuleChange) -> list[str]:
    missing = []
    if known.state in (ChangeState.PROPOSED, ChangeState.BACKTESTED):
        if known.loosens and not known.is_backtested:
            missing.append("backtest")
        missing.append("approval")
    return missing


def _backtest(control: ChangeControl, known: RuleChange) -> dict[str, Any] | None:
    backtest = known.course.get("backtest")
    if backtest is None:
        return None
    stage, part = control.backtests.progress_of(known.id) if backtest["state"] == "running" else (None, 1.0)
    if stage == "reading":
        part *= READING_SHARE
    elif stage == "evaluating":
        part = READING_SHARE + part * (1 - READING_SHARE)
    return {
        "state": backtest["state"],
        "days": backtest["days"],
        "name": backtest["name"],
        "begun_at": iso(backtest["begun_at"]),
        "begin": iso(backtest["begin"]),
        "end": iso(backtest["end"]),
        "ended_at": iso_or_none(backtest["ended_at"]),
        "progress": round(part, 3) if backtest["state"] in ("running", "finished") else 0.0,
        "stage": stage,
        "detail": backtest["detail"],
        "digest": backtest["digest"],
        "readings": backtest["readings"],
        "counts": dict(backtest["counts"]),
    }


def _shadow(control: ChangeControl, known: RuleChange) -> dict[str, Any] | None:
    shadow = known.course.get("shadow")
    if shadow is None:
        return None
    figures, readings = control.shadows.figures_of(known)
    return {
        "name": shadow["name"],
        "began_at": iso(shadow["began_at"]),
        "until": iso(shadow["until"]),
        "since": iso(shadow["since"]),
        "restarts": shadow["restarts"],
        "ended_at": iso_or_none(shadow["ended_at"]),
        "detail": shadow["detail"],
        "readings": readings,
        "rules": [{"path": path, **watched} for path, watched in figures.items()],
    }


def _signed(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else _signature(given)


def _signature(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("name", "actor", "comment")} | {"at": iso(given["at"])}
