"""Drills, as callers send and get them."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from service.api.desks_models import Name
from service.api.models import Document, GradeName, Instant
from service.api.requests import Number, Request, Signature, Text

_START: dict[str, Any] = {
    "scenario": "h2s-leak",
    "units": ["huarui/tankfarm"],
    "circle": ["huarui-safety", "county-duty"],
    "leader": "赵磊",
    "name": "王芳",
    "comment": "季度演练",
}


class DrillPath(Request):
    """Path of one drill."""

    id: Number


class DrillStart(Signature):
    """Begin a drill."""

    model_config = ConfigDict(json_schema_extra={"examples": [_START]})

    scenario: Text = Field(description="Id of a scenario.")
    units: Annotated[list[Text], Field(min_length=1, max_length=100)] | None = Field(
        None, description="`enterprise/unit`, of those that the scenario names; left out: all of them."
    )
    circle: Annotated[list[Text], Field(max_length=200)] = Field(
        description="Ids of the contacts that its messages go to, and nobody else; empty: no messages."
    )
    leader: Name = Field(description="Who leads the drill.")


class DrillFault(Document):
    """What is wrong in a scenario's file."""

    line: int
    field: str
    message: str
    remedy: str


class DrillScenario(Document):
    """A scenario that a drill can be begun with."""

    id: str
    name: str
    description: str
    units: list[str]
    duration_ms: int
    tags: list[str]
    expected: int = Field(description="Number of acts that are measured.")
    faults: list[DrillFault] = Field(description="Where there are any, it cannot be begun.")


class DrillScenarios(Document):
    """The scenarios in the folder."""

    items: list[DrillScenario]


class Drill(Document):
    """演练."""

    id: int
    scenario: str
    name: str
    units: list[str]
    circle: list[str]
    leader: str
    began_at: Instant
    due_at: Instant = Field(description="When it ends by itself.")
    ended_at: Instant | None
    ended_by: str | None
    reason: str | None = Field(description="Why it ended.")


class DrillPage(Document):
    """A page of drills, newest first."""

    items: list[Drill]
    next: str | None


class DrillExpected(Document):
    """An act that the scenario expects, and what became of it."""

    act: str
    tag: str | None
    unit: str | None
    side: str | None
    text: str
    within_s: float
    took_s: float | None
    by: str | None
    result: Literal["met", "late", "missing", "no_alarm"]


class DrillAlarm(Document):
    """An alarm of the drill."""

    alarm: int
    enterprise: str
    tag: str
    rule: str
    grade: GradeName
    value: float | None
    entered_at: Instant
    acknowledged_s: float | None
    acknowledged_by: str | None


class DrillIncident(Document):
    """An incident of the drill; seconds since it was opened."""

    incident: int
    enterprise: str
    unit: str
    opened_at: Instant
    grades: list[GradeName]
    escalations: int
    pushed_s: float | None
    acknowledged_s: float | None
    verified_s: float | None
    handled_s: float | None
    fed_back_s: float | None
    closed_s: float | None


class DrillReport(Document):
    """Response times against the plan."""

    drill: Drill
    seconds: float | None = Field(description="How long it lasted; null: it still does.")
    expected: list[DrillExpected]
    met: int
    alarms: list[DrillAlarm]
    incidents: list[DrillIncident]
