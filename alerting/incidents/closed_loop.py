"""The closed loop of an incident (闭环处置), as one table.

| state        | push   | acknowledge  | verify   | handle  | feed_back | accept   | return  | close  | archive  | trigger   | rise      |
|--------------|--------|--------------|----------|---------|-----------|----------|---------|--------|----------|-----------|-----------|
| triggered    | pushed | acknowledged | verified |         |           |          |         | closed |          | triggered | triggered |
| pushed       |        | acknowledged | verified |         |           |          |         | closed |          | pushed    | pushed    |
| acknowledged |        |              | verified |         |           |          |         | closed |          | acknowledged | pushed |
| verified     |        | verified     | verified | handled | feedback  |          |         | closed |          | verified  | verified  |
| handled      |        | handled      | handled  | handled | feedback  |          |         | closed |          | handled   | handled   |
| feedback     |        | feedback     | feedback | handled | feedback  | reviewed | handled | closed |          | feedback  | feedback  |
| reviewed     |        | reviewed     |          |         |           |          | handled | closed |          | handled   | handled   |
| closed       |        |              |          |         |           |          |         |        | archived | triggered |           |
| archived     |        |              |          |         |           |          |         |        |          |           |           |

An empty cell: the event is not possible, or, where a machine sends it (push, trigger, rise), changes nothing. The same
state: it is possible and recorded, the incident stands where it stood. ``acknowledge`` is the enterprise's; the desk's
acknowledgement is kept beside the state. ``trigger``: a further alarm is raised; ``rise``: the grade has come to one
that has to be acknowledged anew. What else must be true before an incident is closed is data: ``ClosedLoopRules``.
"""  # noqa: E501 - a table

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alerting.incidents.accident import pending
from alerting.records import Incident, Verification
from domain.scales import Grade, IncidentState

GradeName = Annotated[Grade, BeforeValidator(lambda raw: Grade.parse(raw) if isinstance(raw, str) else raw)]


class LoopEvent(StrEnum):
    """What can happen to an incident."""

    PUSH = "push"
    ACKNOWLEDGE = "acknowledge"
    VERIFY = "verify"
    HANDLE = "handle"
    FEED_BACK = "feed_back"
    ACCEPT = "accept"
    RETURN = "return"
    CLOSE = "close"
    ARCHIVE = "archive"
    TRIGGER = "trigger"
    RISE = "rise"


_S, _E = IncidentState, LoopEvent

TABLE: dict[tuple[IncidentState, LoopEvent], IncidentState] = {
    (_S.TRIGGERED, _E.PUSH): _S.PUSHED,
    (_S.TRIGGERED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.TRIGGERED, _E.VERIFY): _S.VERIFIED,
    (_S.TRIGGERED, _E.CLOSE): _S.CLOSED,
    (_S.TRIGGERED, _E.TRIGGER): _S.TRIGGERED,
    (_S.TRIGGERED, _E.RISE): _S.TRIGGERED,
    (_S.PUSHED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.PUSHED, _E.VERIFY): _S.VERIFIED,
    (_S.PUSHED, _E.CLOSE): _S.CLOSED,
    (_S.PUSHED, _E.TRIGGER): _S.PUSHED,
    (_S.PUSHED, _E.RISE): _S.PUSHED,
    (_S.ACKNOWLEDGED, _E.VERIFY): _S.VERIFIED,
    (_S.ACKNOWLEDGED, _E.CLOSE): _S.CLOSED,
    (_S.ACKNOWLEDGED, _E.TRIGGER): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.RISE): _S.PUSHED,
    (_S.VERIFIED, _E.ACKNOWLEDGE): _S.VERIFIED,
    (_S.VERIFIED, _E.VERIFY): _S.VERIFIED,
    (_S.VERIFIED, _E.HANDLE): _S.HANDLED,
    (_S.VERIFIED, _E.FEED_BACK): _S.FEEDBACK,
    (_S.VERIFIED, _E.CLOSE): _S.CLOSED,
    (_S.VERIFIED, _E.TRIGGER): _S.VERIFIED,
    (_S.VERIFIED, _E.RISE): _S.VERIFIED,
    (_S.HANDLED, _E.ACKNOWLEDGE): _S.HANDLED,
    (_S.HANDLED, _E.VERIFY): _S.HANDLED,
    (_S.HANDLED, _E.HANDLE): _S.HANDLED,
    (_S.HANDLED, _E.FEED_BACK): _S.FEEDBACK,
    (_S.HANDLED, _E.CLOSE): _S.CLOSED,
    (_S.HANDLED, _E.TRIGGER): _S.HANDLED,
    (_S.HANDLED, _E.RISE): _S.HANDLED,
    (_S.FEEDBACK, _E.ACKNOWLEDGE): _S.FEEDBACK,
    (_S.FEEDBACK, _E.VERIFY): _S.FEEDBACK,
    (_S.FEEDBACK, _E.HANDLE): _S.HANDLED,
    (_S.FEEDBACK, _E.FEED_BACK): _S.FEEDBACK,
    (_S.FEEDBACK, _E.ACCEPT): _S.REVIEWED,
    (_S.FEEDBACK, _E.RETURN): _S.HANDLED,
    (_S.FEEDBACK, _E.CLOSE): _S.CLOSED,
    (_S.FEEDBACK, _E.TRIGGER): _S.FEEDBACK,
    (_S.FEEDBACK, _E.RISE): _S.FEEDBACK,
    (_S.REVIEWED, _E.ACKNOWLEDGE): _S.REVIEWED,
    (_S.REVIEWED, _E.RETURN): _S.HANDLED,
    (_S.REVIEWED, _E.CLOSE): _S.CLOSED,
    (_S.REVIEWED, _E.TRIGGER): _S.HANDLED,
    (_S.REVIEWED, _E.RISE): _S.HANDLED,
    (_S.CLOSED, _E.ARCHIVE): _S.ARCHIVED,
    (_S.CLOSED, _E.TRIGGER): _S.TRIGGERED,
}


def step(state: IncidentState, event: LoopEvent) -> IncidentState | None:
    """State after the event; None where it is not possible."""
    return TABLE.get((state, event))


class Side(StrEnum):
    """Who acknowledges."""

    DESK = "desk"
    ENTERPRISE = "enterprise"


class Result(StrEnum):
    """核实结果, what verification has found."""

    REAL = "real"
    FALSE = "false"
    MAINTENANCE = "maintenance"
    TEST = "test"


ResultName = Annotated[Result, BeforeValidator(lambda raw: "false" if raw is False else raw)]
"""As YAML has it, where an unquoted false is no text."""


class Step(StrEnum):
    """What may be required before an incident is closed."""

    DESK_ACKNOWLEDGED = "desk_acknowledged"
    ENTERPRISE_ACKNOWLEDGED = "enterprise_acknowledged"
    VERIFIED = "verified"
    HANDLED = "handled"
    FEEDBACK = "feedback"
    REVIEWED = "reviewed"


REMEDIES: dict[Step, str] = {
    Step.DESK_ACKNOWLEDGED: "the desk has yet to acknowledge it",
    Step.ENTERPRISE_ACKNOWLEDGED: "the enterprise has yet to acknowledge it (or the desk to record that it did)",
    Step.VERIFIED: "it has yet to be verified; false at orange or red needs a second person",
    Step.HANDLED: "no disposal step is recorded",
    Step.FEEDBACK: "the enterprise's feedback is missing",
    Step.REVIEWED: "the feedback has yet to be reviewed and accepted",
}
"""What to say of a step that is missing."""

_ALL = tuple(Step)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RequiredSteps(_Model):
    """Steps that must be done before an incident is closed, by the highest grade that it had [O]."""

    blue: tuple[Step, ...] = ()
    yellow: tuple[Step, ...] = (Step.VERIFIED, Step.FEEDBACK)
    orange: tuple[Step, ...] = _ALL
    red: tuple[Step, ...] = _ALL

    def of(self, grade: Grade) -> tuple[Step, ...]:
        """Those of one grade."""
        return {Grade.BLUE: self.blue, Grade.YELLOW: self.yellow, Grade.ORANGE: self.orange, Grade.RED: self.red}[grade]


class SecondPerson(_Model):
    """Results that one person alone cannot give to a grave incident. ``false`` is always among them."""

    results: tuple[ResultName, ...] = (Result.FALSE,)
    grade: GradeName = Grade.ORANGE
    """From this grade on; orange at the highest."""

    @model_validator(mode="after")
    def _is_no_laxer(self) -> "SecondPerson":
        if Result.FALSE not in self.results or self.grade > Grade.ORANGE:
            raise ValueError("calling an orange or red incident false always needs a second person: keep false, orange")
        return self


class AttachmentLimits(_Model):
    """How much may be attached [O]."""

    bytes: int = Field(20_000_000, ge=1, le=200_000_000)
    """Of one file."""
    count: int = Field(50, ge=1, le=1_000)
    """Files of one incident."""


class ClosedLoopRules(_Model):
    """What of the closed loop is data. Times in seconds; all our own defaults [O]."""

    required: RequiredSteps = RequiredSteps()
    waived_when_not_real: tuple[Step, ...] = (Step.HANDLED,)
    """Steps that a false alarm, maintenance or a test do not need."""
    second_person: SecondPerson = SecondPerson()
    acknowledge_anew_from: GradeName = Grade.ORANGE
    """Rising to this grade or higher sets earlier acknowledgements aside."""
    reopen_within: float = Field(86_400, ge=0, le=30 * 86_400)
    """After closing: a new alarm of the unit reopens the same incident."""
    archive_after: float = Field(30 * 86_400, ge=86_400, le=366 * 86_400)
    """After closing: the service archives it by itself."""
    suggest_links_within: float = Field(1_800, ge=0, le=86_400)
    """Incidents of neighbouring units that opened so near to each other are suggested for linking."""
    attachments: AttachmentLimits = AttachmentLimits()

    @model_validator(mode="after")
    def _archives_later(self) -> "ClosedLoopRules":
        if self.archive_after < self.reopen_within:
            raise ValueError("archive_after must not be shorter than reopen_within: what is archived never reopens")
        return self

    def needs_second_person(self, result: Result, peak: Grade) -> bool:
        """Whether a result must be confirmed. ``peak``: the highest grade that the incident had."""
        return result in self.second_person.results and peak >= self.second_person.grade

    def required_of(self, incident: Incident) -> list[str]:
        """Steps that an incident needs before it is closed, as it is now."""
        accident = "accident" in incident.loop
        steps = self.required.of(Grade.RED if accident else incident.peak_grade)
        verification = incident.loop.get("verification")
        if accident or verification is None or verification["result"] == Result.REAL:
            return [each.value for each in steps]
        return [each.value for each in steps if each not in self.waived_when_not_real]

    def verification_holds(self, verification: Verification, peak: Grade) -> bool:
        """Whether a verification counts; one that was given at a low grade by one person may not count any more."""
        return verification["confirmed_by"] is not None or not self.needs_second_person(
            Result(verification["result"]), peak
        )


def done_steps(incident: Incident) -> list[Step]:
    """Steps of the loop that are done."""
    verification = incident.loop.get("verification")
    done = {
        Step.DESK_ACKNOWLEDGED: incident.desk_acknowledged_at is not None,
        Step.ENTERPRISE_ACKNOWLEDGED: incident.enterprise_acknowledged_at is not None,
        Step.VERIFIED: verification is not None,
        Step.HANDLED: bool(incident.loop.get("steps")),
        Step.FEEDBACK: incident.is_fed_back,
        Step.REVIEWED: incident.state is IncidentState.REVIEWED,
    }
    return [each for each, is_done in done.items() if is_done]


def missing_steps(incident: Incident) -> list[Step]:
    """Required steps that are not done yet."""
    done = done_steps(incident)
    return [Step(each) for each in incident.loop.get("required", ()) if each not in done]


Act = Literal[
    "acknowledge_desk",
    "acknowledge_enterprise",
    "verify",
    "confirm_verification",
    "reject_verification",
    "handle",
    "feed_back",
    "review",
    "close",
    "archive",
    "decide",
    "comment",
    "attach",
    "link",
    "declare_accident",
    "report_accident",
    "withdraw_accident",
]


def next_steps(incident: Incident) -> list[Act]:
    """Acts that are possible now, in the order of the loop."""
    state, loop = incident.state, incident.loop

    def may(event: LoopEvent) -> bool:
        return step(state, event) is not None

    is_open = state.is_open
    unreported = bool(pending(loop.get("accident")))
    possible: Sequence[tuple[Act, bool]] = (
        ("acknowledge_desk", is_open and incident.desk_acknowledged_at is None),
        ("acknowledge_enterprise", may(LoopEvent.ACKNOWLEDGE) and incident.enterprise_acknowledged_at is None),
        ("verify", may(LoopEvent.VERIFY)),
        ("confirm_verification", is_open and "proposal" in loop),
        ("reject_verification", is_open and "proposal" in loop),
        ("handle", may(LoopEvent.HANDLE)),
        ("feed_back", may(LoopEvent.FEED_BACK)),
        ("review", may(LoopEvent.ACCEPT) or may(LoopEvent.RETURN)),
        ("close", may(LoopEvent.CLOSE) and not incident.alarms_open and not missing_steps(incident) and not unreported),
        ("archive", may(LoopEvent.ARCHIVE) and (not unreported or incident.drill is not None)),
        ("decide", is_open),
        ("comment", state is not IncidentState.ARCHIVED),
        ("attach", state is not IncidentState.ARCHIVED),
        ("link", state is not IncidentState.ARCHIVED),
        ("declare_accident", state is not IncidentState.ARCHIVED),
        ("report_accident", state is not IncidentState.ARCHIVED and unreported),
        ("withdraw_accident", state is not IncidentState.ARCHIVED and "accident" in loop),
    )
    return [act for act, is_possible in possible if is_possible]
