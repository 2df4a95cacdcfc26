"""Incidents as the documents of ``incidents_models``. Plain dictionaries: a page has a thousand of them."""

from collections.abc import Mapping
from typing import Any

from alerting.incidents.closed_loop import missing_steps, next_steps
from alerting.incidents.incident_queries import Attachment
from alerting.records import Incident, Loop
from domain.clock import iso

_INSTANTS = frozenset({"at", "confirmed_at", "done_at", "due", "ended_at"})
"""Fields of what the loop keeps that are times."""
_INSIDE = frozenset({"sequence", "asked_at"})
"""Fields that nobody outside needs."""


def incident_view(incident: Incident, enterprise_name: str, unit_name: str) -> dict[str, Any]:
    """``incidents_models.Incident``."""
    loop = incident.loop
    return {
        "id": incident.id,
        "enterprise": incident.enterprise,
        "enterprise_name": enterprise_name,
        "region": incident.region,
        "unit": incident.unit,
        "unit_name": unit_name,
        "hazard_level": incident.hazard_level,
        "grade": incident.grade.label,
        "peak_grade": incident.peak_grade.label,
        "reasons": incident.reasons,
        "table_version": loop.get("table_version"),
        "state": incident.state.value,
        "open": incident.is_open,
        "tier": incident.tier,
        "drill": incident.drill,
        "opened_at": iso(incident.opened_at),
        "updated_at": iso(incident.updated_at),
        "cleared_at": _iso(incident.cleared_at),
        "pushed_at": _iso(loop.get("pushed_at")),
        "acknowledge_by": _iso(incident.acknowledge_by),
        "feedback_by": _iso(incident.feedback_by),
        "desk_acknowledgement": _acknowledgement(
            incident.desk_acknowledged_at, incident.desk_acknowledged_by, loop.get("desk_comment"), None
        ),
        "enterprise_acknowledgement": _acknowledgement(
            incident.enterprise_acknowledged_at,
            incident.enterprise_acknowledged_by,
            loop.get("enterprise_comment"),
            loop.get("enterprise_recorded_by"),
        ),
        **_loop_view(loop),
        "required_steps": loop.get("required", []),
        "missing_steps": missing_steps(incident) if incident.is_open else [],
        "next_steps": next_steps(incident),
        "reopened": incident.reopened,
        "closed_at": _iso(incident.closed_at),
        "closed_by": incident.closed_by,
        "close_comment": incident.close_comment,
        "archived_at": _iso(incident.archived_at),
        "alarms_active": incident.alarms_active,
        "alarms_unacknowledged": incident.alarms_unacknowledged,
        "alarms_open": incident.alarms_open,
        "alarms_total": incident.alarms_total,
        "sequence": incident.sequence,
    }


def attachment_view(attachment: Attachment) -> dict[str, Any]:
    """``incidents_models.Attachment``."""
    return {
        "id": attachment.id,
        "incident": attachment.incident,
        "name": attachment.name,
        "type": attachment.type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "by": attachment.by,
        "at": iso(attachment.at),
    }


def _loop_view(loop: Loop) -> dict[str, Any]:
    accident = loop.get("accident")
    return {
        "proposal": _shown(loop.get("proposal")),
        "verification": _shown(loop.get("verification")),
        "disposal": [_shown(step) for step in loop.get("steps", ())],
        "feedback": [_shown(feedback) for feedback in loop.get("feedback", ())],
        "fed_back_at": _iso(loop.get("fed_back_at")),
        "review": _shown(loop.get("review")),
        "decision": _shown(loop.get("decision")),
        "links": [_shown(link) for link in loop.get("links", ())],
        "attachments": loop.get("attachments", []),
        "accident": accident
        and {**(_shown(accident) or {}), "reports": [_shown(report) for report in accident["reports"]]},
        "comments": loop.get("comments", 0),
        "reopened_at": _iso(loop.get("reopened_at")),
    }


def _shown(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    return {key: _iso(value) if key in _INSTANTS else value for key, value in kept.items() if key not in _INSIDE}


def _acknowledgement(
    at: int | None, name: str | None, comment: str | None, recorded_by: str | None
) -> dict[str, Any] | None:
    if at is None:
        return None
    return {"at": iso(at), "name": name, "comment": comment or "", "recorded_by": recorded_by}


def _iso(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso(milliseconds)
