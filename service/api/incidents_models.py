"""Incidents as the API answers them, and what callers send to act on them.

Instants in answers are ISO 8601 in UTC with milliseconds.
"""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from alerting.accident import AccidentClass, ReportStep
from alerting.closed_loop import Act, Result, Side, Step
from domain.scales import IncidentState
from service.api import examples
from service.api.models import Alarm, Document, Entry, GradeName, Instant, Reason
from service.api.requests import GRADES, LARGEST, Number, PageQuery, Request, Signature, Text, printable
from service.api.requests import Instant as GivenInstant
from service.config.quantities import refusal

LARGEST_COUNT = 1_000_000
LARGEST_LOSS = 1e13
"""Yuan."""
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000), AfterValidator(printable)
]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), AfterValidator(printable)
]

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)]
StateName = Literal[
    "open",
    "triggered",
    "pushed",
    "acknowledged",
    "verified",
    "handled",
    "feedback",
    "reviewed",
    "closed",
    "archived",
]


def _drill(value: object) -> bool | int:
    """``true``, ``false`` or a drill's number."""
    if value in {"true", "false"}:
        return value == "true"
    if isinstance(value, str) and value.isascii() and value.isdigit() and 0 < int(value[:20]) <= LARGEST:
        return int(value)
    raise refusal("no drill", "Use true, false or the number of a drill.")


Drill = Annotated[
    bool | int,
    BeforeValidator(_drill),
    WithJsonSchema({"type": "string", "pattern": "^(true|false|[1-9][0-9]{0,18})$", "examples": ["false", "7"]}),
]


# ---- what callers send


class IncidentPath(Request):
    """Path of one incident."""

    id: Number


class AttachmentPath(Request):
    """Path of one attachment."""

    id: Number


class IncidentsQuery(PageQuery):
    """Which incidents."""

    state: StateName | None = Field(
        None, description="A state of the closed loop; `open`: not closed yet; `closed`: the archived ones too."
    )
    grade: GRADES | None = None
    region: Text | None = Field(None, description="GB/T 2260 code; the regions below it count.")
    enterprise: Text | None = None
    unit: Text | None = None
    drill: Drill | None = Field(
        None, description="false: only real ones; true: only those of drills; a number: those of one drill."
    )


class Acknowledgement(Signature):
    """Who acknowledges, and for which side."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"side": "enterprise", "name": "王芳", "person": "李工", "comment": "电话"}]}
    )

    side: Side = Side.DESK
    person: Name | None = Field(
        None, description="Of the enterprise, who said so by telephone to `name` of the desk; only with `enterprise`."
    )

    @model_validator(mode="after")
    def _person_is_of_the_enterprise(self) -> "Acknowledgement":
        if self.person is not None and self.side is Side.DESK:
            raise ValueError(
                "person is for what the enterprise said by telephone: use side enterprise, or leave it out"
            )
        return self


class VerificationBody(Signature):
    """What verification has found."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"result": "real", "name": "李工", "comment": "2#泵机封泄漏"}]}
    )

    result: Result


class DisposalBody(Signature):
    """A disposal step."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"step": "切断进料，启动喷淋", "name": "李工"}]})

    step: Words


class FeedbackBody(Request):
    """What was done and found."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "机封已更换，气体浓度恢复正常", "attachments": [1050], "name": "李工"}]
        }
    )

    name: Name
    text: LongText
    attachments: list[Number] = Field(default_factory=list, max_length=100, description="Ids of files uploaded before.")


class ReviewBody(Signature):
    """Accept the feedback, or return it with what is missing in the comment."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"accepted": False, "name": "王芳", "comment": "缺少现场照片"}]}
    )

    accepted: bool

    @model_validator(mode="after")
    def _says_what_is_missing(self) -> "ReviewBody":
        if not self.accepted and not self.comment:
            raise ValueError("a review that returns the feedback needs a comment: say what is missing")
        return self


class DecisionBody(Request):
    """A grade by signed decision."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"grade": "red", "name": "王芳", "reason": "现场目视大量泄漏"}]}
    )

    name: Name
    grade: GRADES
    reason: Words


class RemarkBody(Request):
    """A remark."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "王芳", "comment": "消防已到场"}]})

    name: Name
    comment: LongText


class LinkBody(Signature):
    """The other incident."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"incident": 1051, "name": "王芳", "comment": "同一次泄漏"}]}
    )

    incident: Number


class AccidentBody(Signature):
    """An accident, as a person enters it; sent again it corrects what was entered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"accident_class": "IV", "dead": 0, "injured": 2, "loss": 300000, "name": "王芳", "comment": "人员中毒"}
            ]
        }
    )

    accident_class: AccidentClass
    dead: Annotated[int, Field(ge=0, le=LARGEST_COUNT)] = 0
    injured: Annotated[int, Field(ge=0, le=LARGEST_COUNT, description="Seriously injured.")] = 0
    loss: Annotated[float, Field(ge=0, le=LARGEST_LOSS, allow_inf_nan=False, description="Direct loss, yuan.")] = 0.0
    confirmed_at: GivenInstant | None = Field(None, description="When the accident was confirmed. Default: now.")


class AccidentWithdrawalBody(Request):
    """That it was no accident, by two persons."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "王芳", "second": "张强", "reason": "误录，实为演练"}]}
    )

    name: Name
    second: Name = Field(description="A different person, who agrees.")
    reason: Words


class AccidentReportBody(Signature):
    """A report upward that was made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"step": "to_county", "name": "赵厂长"}]})

    step: ReportStep
    at: GivenInstant | None = Field(None, description="When it was made. Default: now.")


# ---- what the API answers


class AcknowledgementDone(Document):
    """One side's acknowledgement."""

    at: Instant
    name: str
    comment: str
    recorded_by: str | None = Field(description="Of the desk, who recorded what the enterprise said by telephone.")


class Verification(Document):
    """核实: given, or proposed."""

    result: Result
    name: str
    at: Instant
    comment: str
    confirmed_by: str | None = Field(description="The second person, where one was asked for.")
    confirmed_at: Instant | None


class DisposalStep(Document):
    """处置措施."""

    step: str
    name: str
    at: Instant


class Feedback(Document):
    """反馈."""

    text: str
    attachments: list[int]
    name: str
    at: Instant


class Review(Document):
    """复核."""

    accepted: bool
    name: str
    at: Instant
    comment: str


class Decision(Document):
    """A grade that a person gave."""

    grade: GradeName
    reason: str
    name: str
    at: Instant
    against: GradeName | None = Field(description="The grade that it lowered; null: it raised the grade.")
    ended_at: Instant | None = Field(description="When what the alarms make came to count again.")


class IncidentLink(Document):
    """关联警情."""

    incident: int
    name: str
    at: Instant
    comment: str


class AccidentReport(Document):
    """One report upward by State Council Order 493."""

    step: ReportStep
    due: Instant
    done_at: Instant | None
    name: str | None
    overdue: bool = Field(description="It was not made when it was due.")


class Accident(Document):
    """事故 with its legal clock. The class is as a person entered it."""

    accident_class: AccidentClass
    dead: int
    injured: int
    loss: float
    confirmed_at: Instant
    name: str
    at: Instant
    comment: str
    warning: str | None = Field(description="Where the class contradicts the figures.")
    corrections: int
    reports: list[AccidentReport]


class Incident(Document):
    """警情: the alarms of one unit that belong together."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.INCIDENT]})

    id: int
    enterprise: str
    enterprise_name: str
    region: str
    unit: str
    unit_name: str
    hazard_level: int | None
    grade: GradeName
    peak_grade: GradeName
    reasons: list[Reason]
    table_version: int | None = Field(description="Of the grading table that gave the grade.")
    state: IncidentState = Field(description="Where it stands in the closed loop.")
    open: bool = Field(description="Neither closed nor archived.")
    tier: int = Field(description="Who is told: 1 to 4 as the grades, 5: the city takes command.")
    drill: int | None
    opened_at: Instant
    updated_at: Instant
    cleared_at: Instant | None = Field(description="When the last alarm's condition left.")
    pushed_at: Instant | None
    acknowledge_by: Instant | None
    feedback_by: Instant | None
    desk_acknowledgement: AcknowledgementDone | None
    enterprise_acknowledgement: AcknowledgementDone | None
    proposal: Verification | None = Field(description="A verification that waits for a second person.")
    verification: Verification | None
    disposal: list[DisposalStep]
    feedback: list[Feedback]
    fed_back_at: Instant | None = Field(description="When the feedback that holds was given; null after a return.")
    review: Review | None
    decision: Decision | None
    links: list[IncidentLink]
    attachments: list[int]
    accident: Accident | None
    comments: int
    required_steps: list[Step] = Field(description="What must be done before it is closed.")
    missing_steps: list[Step]
    next_steps: list[Act] = Field(description="Acts that are possible now.")
    reopened: int = Field(description="How often a new alarm reopened it.")
    reopened_at: Instant | None
    closed_at: Instant | None
    closed_by: str | None
    close_comment: str | None
    archived_at: Instant | None
    alarms_active: int
    alarms_unacknowledged: int
    alarms_open: int = Field(description="In, latched or not acknowledged.")
    alarms_total: int
    sequence: int = Field(description="Number of the last journal entry about it or one of its alarms.")


class Attachment(Document):
    """附件; its bytes are at `/attachments/{id}`."""

    id: int
    incident: int
    name: str
    type: str
    size: int
    sha256: str
    by: str
    at: Instant


class SuggestedLink(Document):
    """An open incident of a neighbouring unit that began near in time."""

    incident: int
    enterprise: str
    enterprise_name: str
    unit: str
    unit_name: str
    grade: GradeName
    opened_at: Instant


class IncidentDetail(Incident):
    """An incident with its alarms, newest first, and its history, oldest first; the newest 1,000 of each."""

    alarms: list[Alarm]
    history: list[Entry]
    files: list[Attachment]
    suggested_links: list[SuggestedLink]


class IncidentPage(Document):
    """A page of incidents."""

    items: list[Incident]
    next: str | None


class UploadForm(Request):
    """A photo (JPEG, PNG, WebP, HEIC) or a PDF document, as multipart/form-data."""

    file: Annotated[str, Field(json_schema_extra={"format": "binary"})]
    name: Name
    comment: str = ""
