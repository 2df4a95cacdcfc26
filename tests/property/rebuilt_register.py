"""The register from nothing but the journal, read back by hand."""

from collections.abc import Mapping
from typing import Any

import orjson

from alerting.records import Alarm, Entry, drill_prefix

_GRADES = ["blue", "yellow", "orange", "red"]
_SAID = ("level", "grade", "value", "setpoint", "rule_version", "first_out", "cause", "suppression")
"""What an entry says of an alarm that enters, as it says it."""


class Rebuilt:
    """Alarms that are not normal, what lies over them, incidents that are open."""

    def __init__(self) -> None:
        self.alarms: dict[int, dict[str, Any]] = {}
        self.incidents: dict[int, tuple[str, str, str]] = {}
        self.shelved: dict[str, tuple[int, str, str]] = {}
        self.windows: dict[int, str] = {}
        self._drills: dict[int, int | None] = {}

    def take(self, entry: Entry) -> str:
        """The next entry; returns its kind and what it is about."""
        body = orjson.loads(entry.body)
        data, kind = body["data"], body["kind"]
        if kind.startswith("maintenance."):
            identity = data["maintenance"]
            self.windows[identity] = "running" if kind == "maintenance.began" else "announced"
            if kind in {"maintenance.ended", "maintenance.cancelled"}:
                del self.windows[identity]
            return f"{kind} {data['target']}"
        if kind.startswith("incident."):
            self._incident(kind, body, data)
            return f"{kind} {drill_prefix(self._drills.get(body['incident']))}{body['unit']}"
        if kind != "alarm.retrospective":
            self._alarm(kind, body, data)
        return f"{kind} {condition_of(body)}"

    def _incident(self, kind: str, body: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        identity = body["incident"]
        if kind == "incident.opened":
            self._drills[identity] = data.get("drill")
            self.incidents[identity] = (body["unit"], data["grade"], data["grade"])
        elif kind == "incident.graded":
            unit, _, peak = self.incidents[identity]
            self.incidents[identity] = (unit, data["to"], max(peak, data["to"], key=_GRADES.index))

    def _alarm(self, kind: str, body: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        identity, path = body["alarm"], condition_of(body)
        if kind == "alarm.shelved":
            self.shelved[path] = (data["until"], data["reason"], data["name"])
        elif kind == "alarm.unshelved":
            del self.shelved[path]
        if kind == "alarm.entered":
            known = self.alarms.get(identity, {"activations": 0, "chattering": False})
            self.alarms[identity] = {
                **{key: body[key] for key in ("enterprise", "unit", "tag", "rule", "region")},
                **{key: data[key] for key in _SAID},
                "suppressed_by": data.get("by"),
                "stale": False,
                "condition": True,
                "rule_is_in": True,
                "entered_at": data["source_time"],
                "received_at": data["received_time"],
                "returned_at": None,
                "acknowledged_by": None,
                "activations": known["activations"] + 1,
                "chattering": known["chattering"],
            }
        alarm = self.alarms.get(identity)
        if alarm is None:
            return  # a shelf of an alarm that is over
        alarm |= {"state": data["state"], "sequence": body["sequence"], "incident": body["incident"]}
        alarm |= _changes(kind, data)
        if alarm["state"] == "normal":
            del self.alarms[identity]


def _changes(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry changes of an alarm, its state apart."""
    announced = {"suppression": None, "suppressed_by": None}
    changes: dict[str, dict[str, Any]] = {
        "alarm.returned": {
            "condition": False,
            "rule_is_in": False,
            "returned_at": data.get("source_time"),
            "stale": False,
        },
        "alarm.damped": {"rule_is_in": data.get("condition")}
        | ({"value": data.get("value")} if data.get("condition") else {}),
        "alarm.acknowledged": {"acknowledged_by": data.get("name")},
        "alarm.unsuppressed": announced,
        "alarm.annunciated": announced | {"acknowledged_by": None, "first_out": data.get("first_out")},
        "alarm.suppressed": {"suppression": data.get("suppression"), "suppressed_by": data.get("by")},
        "alarm.shelved": {"suppression": "shelved", "suppressed_by": data.get("name")}
        if data.get("suppression") == "shelved"
        else {},
        "alarm.realarmed": {"acknowledged_by": None},
        "alarm.grouped": {"cause": data.get("cause")},
        "alarm.chattering": {"chattering": True},
        "alarm.calm": {"chattering": False},
        "alarm.stale": {"stale": True},
        "alarm.first_out": {"first_out": data.get("first_out")},
    }
    return changes.get(kind, {})


def condition_of(body: Mapping[str, Any]) -> str:
    """The condition that an entry is about."""
    return f"{drill_prefix(body['data'].get('drill'))}{body['enterprise']}/{body['tag']}/{body['rule']}"


def essence(alarm: Alarm) -> dict[str, Any]:
    """What the journal says of an alarm."""
    names = (
        "enterprise", "unit", "tag", "rule", "incident", "region", "value", "setpoint", "rule_version", "condition",
        "rule_is_in", "entered_at", "received_at", "returned_at", "acknowledged_by", "activations", "sequence",
        "suppressed_by", "first_out", "chattering", "stale", "cause",
    )  # fmt: skip
    return {name: getattr(alarm, name) for name in names} | {
        "level": alarm.level.value,
        "grade": alarm.grade.label,
        "state": alarm.state.value,
        "suppression": alarm.suppression and alarm.suppression.value,
    }
