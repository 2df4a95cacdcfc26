"""What callers send to look at incidents and to act on them."""

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

from alerting.incidents.accident import AccidentClass, ReportStep
from alerting.incidents.closed_loop import Result, Side
from service.api.requests import (
    GRADES,
    LARGEST,
    SECOND,
    Instant,
    Number,
    PageQuery,
    Request,
    Signature,
    Text,
    printable,
)
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
        json_schema_extra={
            "examples": [
                {"side": "enterprise", "name": "王芳", "person": "李工", "comment": "电话", "grade": "orange"},
            ],
        }
    )

    side: Side = Side.DESK
    person: Name | None = Field(
        None, description="Of the enterprise, who said so by telephone to `name` of the desk; only with `enterprise`."
    )
    grade: GRADES | None = Field(
        None, description="The grade that `name` saw: if the incident has risen above it meanwhile, the answer is 409."
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
    confirmed_at: Instant | None = Field(None, description="When the accident was confirmed. Default: now.")


class AccidentWithdrawalBody(Request):
    """That it was no accident, by two persons."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "王芳", "second": "张强", "reason": "误录，实为演练"}]}
    )

    name: Name
    second: Name | None = Field(None, description=SECOND)
    reason: Words


class AccidentReportBody(Signature):
    """A report upward that was made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"step": "to_county", "name": "赵厂长"}]})

    step: ReportStep
    at: Instant | None = Field(None, description="When it was made. Default: now.")


class UploadForm(Request):
    """A photo (JPEG, PNG, WebP, HEIC) or a PDF document, as multipart/form-data."""

    file: Annotated[str, Field(json_schema_extra={"format": "binary"})]
    name: Name
    comment: str = ""
