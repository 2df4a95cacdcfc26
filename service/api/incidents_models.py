"""Incidents as the API answers them: instants are ISO 8601 in UTC with milliseconds."""

from pydantic import ConfigDict, Field

from alerting.incidents.accident import AccidentClass, ReportStep
from alerting.incidents.closed_loop import Act, Result, Step
from domain.scales import IncidentState
from service.api import examples
from service.api.models import Alarm, Document, Entry, GradeName, Instant, Reason


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
