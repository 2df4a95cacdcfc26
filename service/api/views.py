"""Records as the documents of ``models``. Plain dictionaries: a page has a thousand of them."""

from typing import Any

from alerting.ledger.queries import Quarantined
from alerting.records import Alarm, Incident
from domain.clock import iso
from domain.scales import RuleKind
from domain.site import UNIT_TAG, Site
from ingest.intake import REMEDIES, Reason
from service.api.incident_views import incident_view

PAYLOAD_CHARACTERS = 4_096

KIND_NAMES = {kind: kind.name.lower() for kind in RuleKind}
_REMEDIES = {reason.value: remedy for reason, remedy in REMEDIES.items()}
_NO_REMEDY = f"see the detail; known reasons are {', '.join(Reason)}"


def iso_or_none(milliseconds: int | None) -> str | None:
    """As ``iso``; None stays None."""
    return None if milliseconds is None else iso(milliseconds)


def quarantined_view(refused: Quarantined) -> dict[str, Any]:
    """``models.Refused``."""
    return {
        "id": refused.id,
        "received_at": iso(refused.received_at),
        "enterprise": refused.enterprise,
        "gateway": refused.gateway,
        "topic": refused.topic,
        "reason": refused.reason,
        "detail": refused.detail,
        "remedy": _REMEDIES.get(refused.reason, _NO_REMEDY),
        "payload": refused.payload[:PAYLOAD_CHARACTERS],
        "payload_bytes": refused.payload_bytes,
    }


class Views:
    """Documents that name enterprises and units. What the site file no longer has is named by its id."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._enterprises = {key: enterprise.name for key, enterprise in site.enterprises.items()}
        self._units = {key: unit.name for key, unit in site.units.items()}

    def alarm(self, alarm: Alarm) -> dict[str, Any]:
        """``models.Alarm``."""
        unit = self._site.units.get((alarm.enterprise, alarm.unit))
        return {
            "id": alarm.id,
            "enterprise": alarm.enterprise,
            "enterprise_name": self._enterprises.get(alarm.enterprise, alarm.enterprise),
            "region": alarm.region,
            "unit": alarm.unit,
            "unit_name": self._units.get((alarm.enterprise, alarm.unit), alarm.unit),
            "tag": alarm.tag,
            **self._measured(alarm),
            "hazard_level": unit and unit.hazard_level,
            "description": alarm.description,
            "rule": alarm.rule,
            "kind": KIND_NAMES[alarm.kind],
            "level": alarm.level.value,
            "grade": alarm.grade.label,
            "state": alarm.state.value,
            "condition": alarm.condition,
            "latching": alarm.latching,
            "value": alarm.value,
            "setpoint": alarm.setpoint,
            "engineering_unit": alarm.engineering_unit,
            "entered_at": iso(alarm.entered_at),
            "received_at": iso(alarm.received_at),
            "returned_at": iso_or_none(alarm.returned_at),
            "acknowledged_at": iso_or_none(alarm.acknowledged_at),
            "acknowledged_by": alarm.acknowledged_by,
            "comment": alarm.comment,
            "activations": alarm.activations,
            "incident": alarm.incident,
            "sequence": alarm.sequence,
            "rule_version": alarm.rule_version,
            "suppression": alarm.suppression and alarm.suppression.value,
            "suppressed_until": iso_or_none(alarm.suppressed_until),
            "suppression_reason": alarm.suppression_reason,
            "suppressed_by": alarm.suppressed_by,
            "first_out": alarm.first_out,
            "chattering": alarm.chattering,
            "returning_at": iso_or_none(alarm.returning_at),
            "stale": alarm.stale,
            "cause": alarm.cause,
            "drill": alarm.drill,
        }

    def _measured(self, alarm: Alarm) -> dict[str, str | None]:
        """What the tag measures, and what kind of gas detector it is; of a unit's own rule, what all its inputs are."""
        site = self._site
        index = site.tag_index.get(f"{alarm.enterprise}/{alarm.tag}")
        if index is None:
            return {"measurand": None, "gas": None}
        inputs: tuple[int, ...] = (index,)
        if alarm.tag.startswith(UNIT_TAG):
            rows = (row for row in site.rules.of_tag(index) if site.rules.key[row] == alarm.rule)
            inputs = tuple(given for row in rows if row in site.rules.extras for given in site.rules.extras[row].inputs)
        measurands = {site.tags[given].measurand for given in inputs}
        gases = {site.tags[given].gas for given in inputs}
        return {
            "measurand": measurands.pop() if len(measurands) == 1 else None,
            "gas": gases.pop() if len(gases) == 1 else None,
        }

    def incident(self, incident: Incident) -> dict[str, Any]:
        """``incidents_models.Incident``."""
        return incident_view(
            incident,
            self._enterprises.get(incident.enterprise, incident.enterprise),
            self._units.get((incident.enterprise, incident.unit), incident.unit),
        )
