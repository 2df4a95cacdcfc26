"""Acts on alarms, what lies over them, and the sound: as callers send them, and as they are answered."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from service.api.models import Alarm, Document, GradeName, Instant
from service.api.requests import SECOND, Duration, Number, PageQuery, Request, Text, printable
from service.api.requests import Instant as GivenInstant
from service.config.quantities import refusal

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), AfterValidator(printable)
]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(printable)]
MaintenanceState = Literal["announced", "running", "ended", "cancelled"]
_MOST = 1_000
"""Alarms of one bulk acknowledgement."""


# ---- what callers send


class Selection(Request):
    """Which alarms to acknowledge, by whom."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": [1042, 1043], "name": "王芳", "comment": ""}]})

    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]], Field(min_length=1, max_length=_MOST)]
    name: Name = Field(description="The person, as it shall stand in the journal.")
    comment: Comment = ""


class CommentBody(Request):
    """Something to be said of an alarm."""

    name: Name
    comment: Words


class ShelveBody(Request):
    """搁置: who, why, for how long."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "王芳", "reason": "Detector being calibrated", "duration": "2h"}]}
    )

    name: Name
    reason: Words = Field(description="To extend a shelf, a new one.")
    duration: Duration = Field(description="At most 8 h.")


class MaintenancePath(Request):
    """Path of one maintenance window."""

    id: Number


class MaintenanceQuery(PageQuery):
    """Which maintenance windows."""

    state: MaintenanceState | None = None
    enterprise: Text | None = None


class MaintenanceBody(Request):
    """停用: what goes out of service, from when to when, who says so, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scope": "tag",
                    "enterprise": "huarui",
                    "target": "GT-101",
                    "ends_at": "2026-06-08T06:00:00Z",
                    "name": "李强",
                    "reason": "Calibration with test gas",
                }
            ]
        }
    )

    scope: Literal["tag", "unit", "gateway"]
    enterprise: Text
    target: Text = Field(description="Name of the tag, or id of the unit or gateway, within the enterprise.")
    begins_at: GivenInstant | None = Field(None, description="Without it: at once.")
    ends_at: GivenInstant
    name: Name
    reason: Words


class SilenceBody(Request):
    """消音: whose sound, for how long, who says so, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scope": "unit", "target": "huarui/tankfarm", "duration": "5min", "name": "王芳", "reason": "On it"}
            ]
        }
    )

    scope: Literal["alarm", "unit", "desk"]
    target: Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(printable)] = Field(
        description="Id of the alarm, `enterprise/unit`, or id of the desk."
    )
    duration: Duration = Field(description="At most 10 min, unless the service is configured otherwise.")
    name: Name
    second: Name | None = Field(None, description=f"Needed where something is red. {SECOND}")
    reason: Words

    @model_validator(mode="after")
    def _target_fits(self) -> Self:
        digits = self.target.isascii() and self.target.isdigit() and 0 < int(self.target) < 2**63
        if self.scope == "alarm" and not digits:
            raise refusal("no number of an alarm", "Give the alarm's id as target.")
        if self.scope == "unit" and self.target.count("/") != 1:
            raise refusal("no unit", "Give enterprise/unit as target.")
        return self


class ResumeBody(Request):
    """The sound is to be on again."""

    silence: Annotated[int, Field(ge=1, le=2**63 - 1)] = Field(description="Id of the silence.")
    name: Name
    comment: Comment = ""


# ---- what is answered


class AcknowledgeResult(Document):
    """What came of one alarm of a selection."""

    id: int
    alarm: Alarm | None = Field(description="As it is now; null: it was not acknowledged.")
    refusal: str | None = Field(description="Why not.")


class AcknowledgeResults(Document):
    """What came of a selection, in its order, each id once."""

    results: list[AcknowledgeResult]


class Shelf(Document):
    """搁置: a condition that a person has shelved."""

    enterprise: str
    unit: str
    tag: str
    rule: str
    alarm: int = Field(description="The alarm that was shelved last; it may be over while its condition is shelved.")
    drill: int | None
    shelved_at: Instant
    until: Instant
    reason: str
    name: str
    ended_at: Instant | None


_SUPPRESSED: dict[str, Any] = {
    "suppression": "shelved",
    "enterprise": "huarui",
    "unit": "tankfarm",
    "tag": "TI-201",
    "rule": "H",
    "alarm": 1042,
    "drill": None,
    "state": "acknowledged",
    "grade": "blue",
    "until": "2026-06-08T04:30:00.000Z",
    "reason": "Pump under repair, work order 88",
    "by": "王芳",
}


class Suppressed(Document):
    """One condition that is not annunciated, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUPPRESSED]})

    suppression: Literal["shelved", "by_design", "out_of_service"]
    enterprise: str
    unit: str
    tag: str
    rule: str
    alarm: int
    drill: int | None
    state: str = Field(description="State of its alarm; `normal`: it is shelved and out.")
    grade: GradeName | None = Field(description="Grade of its alarm, unless it is normal.")
    until: Instant | None = Field(description="null: as long as the condition that suppresses it is in.")
    reason: str
    by: str = Field(description="The person, or the path of the condition that suppresses it by design.")


class SuppressedList(Document):
    """Everything that is not annunciated, in the order of its alarms, newest first."""

    items: list[Suppressed]
    truncated: bool = Field(description="There are more than 5,000.")


class Maintenance(Document):
    """停用: a maintenance window."""

    id: int
    scope: Literal["tag", "unit", "gateway"]
    enterprise: str
    target: str
    region: str
    begins_at: Instant
    ends_at: Instant
    reason: str
    name: str
    state: MaintenanceState
    announced_at: Instant
    began_at: Instant | None
    ended_at: Instant | None
    ended_by: str | None = Field(description="null: it ended by itself.")


class MaintenancePage(Document):
    """A page of maintenance windows."""

    items: list[Maintenance]
    next: str | None


class Silence(Document):
    """消音: the sound is off."""

    id: int
    scope: Literal["alarm", "unit", "desk"]
    target: str
    silenced_at: Instant
    until: Instant
    reason: str
    name: str
    second: str | None
    ended_at: Instant | None
    ended_by: str | None


class SilenceList(Document):
    """All silences that have not ended."""

    items: list[Silence]
