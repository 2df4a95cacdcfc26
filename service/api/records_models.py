"""What the API takes and answers about key figures and evidence."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from service.api.models import Document, GradeName, Instant
from service.api.requests import Instant as GivenInstant
from service.api.requests import Number, Request, Text, printable
from service.config.quantities import refusal

ScopeName = Literal["all", "desk", "enterprise", "region"]
MEASURES = Literal[
    "average",
    "busy",
    "flood",
    "top_ten",
    "chattering",
    "fleeting",
    "stale",
    "priorities",
    "unsigned_suppressions",
    "unsigned_changes",
    "online",
]
LONGEST = 400 * 86_400_000
"""ms of the longest period that is computed for a caller; `anshao kpi` takes any [ours]."""


class EvidencePath(Request):
    """Path of the evidence of one incident."""

    id: Number


class EvidenceQuery(Request):
    """How the evidence is made."""

    name: Annotated[str, StringConstraints(max_length=100), AfterValidator(printable)] = Field(
        "", description="Who makes it, as its manifest and the journal shall say."
    )
    samples: bool = Field(default=True, description="false: without samples and trends, where the historian is away.")


class KpiQuery(Request):
    """Whose key figures, and of which period."""

    scope: ScopeName = "all"
    id: Text | None = Field(None, description="Id of the desk or enterprise, code of the region; not with scope `all`.")
    start: GivenInstant | None = Field(None, description="Default: 30 days before `end`.")
    end: GivenInstant | None = Field(None, description="Not included. Default: now.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.id is None) != (self.scope == "all"):
            remedy = "Give `id` with scope desk, enterprise or region, and leave it out with all."
            raise refusal("scope and id do not go together", remedy, at=("id",))
        if self.start is not None and self.end is not None:
            if self.start >= self.end:
                raise refusal("the period ends before it starts", "Give a start before the end.", at=("start",))
            if self.end - self.start > LONGEST:
                raise refusal("the period is longer than 400 days", "Give a shorter one.", at=("start",))
        return self


class ConditionCount(Document):
    """A condition that alarms more than it should."""

    path: str = Field(description="`enterprise/tag/rule`.")
    enterprise: str
    region: str
    unit: str = Field(description="Of the tag; empty where it is watched no more, as `description`.")
    description: str


class Frequent(ConditionCount):
    """One of the most frequent."""

    alarms: int
    share: float


class Chattering(ConditionCount):
    """抖动: three transitions a minute."""

    transitions: int = Field(description="Transitions that belong to such a row.")


class Fleeting(ConditionCount):
    """瞬时: in and out again in no time."""

    times: int


class StandingAlarm(ConditionCount):
    """In the list at the period's end."""

    grade: GradeName
    since: Instant


class Standing(Document):
    """Alarms in the list."""

    count: int = Field(description="At the period's end.")
    mean: float = Field(description="Over the period.")
    longest: list[StandingAlarm]


class FloodSpan(Document):
    """报警泛滥."""

    began_at: Instant
    ended_at: Instant
    alarms: int


class StalePerDay(Document):
    """Alarms that had been in the list for more than 24 h, by day."""

    mean: float
    most: int


class GradeShare(Document):
    """Alarms of one grade."""

    alarms: int
    share: float


class Answers(Document):
    """How long incidents, or alarms, waited for an answer. Times in ms."""

    within: int = Field(description="The time that the plan gives.")
    answered: int
    in_time: int
    late: int
    missing: int = Field(description="Not answered although the time is over.")
    open: int = Field(description="Not answered, and the time is not over at the period's end.")
    share: float | None = Field(description="In time, of those that are decided.")
    median: float | None
    nine_in_ten: float | None


class LeftOut(Document):
    """What is counted nowhere else."""

    drill: int
    suppressed: int
    followed: int
    retrospective: int


class DayCount(Document):
    """Alarms within 24 h, by grade."""

    start: Instant
    blue: int
    yellow: int
    orange: int
    red: int


class KpiTargets(Document):
    """What the figures are measured by, as the site has it. Shares from 0 to 1."""

    average: float = Field(description="Alarms per ten minutes, at most.")
    manageable: float = Field(description="Alarms per ten minutes that a person can still manage.")
    busy_above: int = Field(description="Alarms from which on, not included, ten minutes are busy.")
    busy: float = Field(description="Share, less than that; as `flood`.")
    flood: float
    top_ten: float = Field(description="Share, at most.")
    fleeting_within: int = Field(description="Seconds.")
    stale: int = Field(description="On any day fewer than that.")
    priorities: dict[GradeName, float]
    online: float = Field(description="Share, at least.")


class KeyFigures(Document):
    """关键指标, as docs/kpi.md defines them. Shares from 0 to 1."""

    scope: ScopeName
    id: str
    name: str
    start: Instant
    end: Instant
    days: float
    graded: bool = Field(description="false: the period is shorter than `graded_from_days`.")
    graded_from_days: int
    targets_version: int
    alarms: int
    average_per_ten_minutes: float
    peak_per_ten_minutes: int
    busy_share: float = Field(description="Ten-minute periods with more than 10 alarms.")
    floods: list[FloodSpan]
    flood_share: float
    top_ten: list[Frequent]
    top_ten_share: float
    chattering: list[Chattering]
    fleeting: list[Fleeting]
    stale_per_day: StalePerDay
    standing: Standing
    priorities: dict[GradeName, GradeShare]
    acknowledge: dict[GradeName, Answers]
    feedback: dict[GradeName, Answers]
    alarm_acknowledge: dict[GradeName, Answers]
    gateways: int
    online_rate: float | None
    unsigned_suppressions: int
    unsigned_changes: int
    left_out: LeftOut
    met: dict[MEASURES, bool | None] = Field(description="By measure; null: not graded.")
    per_day: list[DayCount]
    histogram: dict[str, int] = Field(description="Ten-minute periods by their number of alarms: 0 to 10, more.")
    targets: KpiTargets


class BadActors(Document):
    """不良报警: the conditions to begin with."""

    scope: ScopeName
    id: str
    name: str
    start: Instant
    end: Instant
    top_ten: list[Frequent]
    top_ten_share: float
    chattering: list[Chattering]
    fleeting: list[Fleeting]
    stale_per_day: StalePerDay
    standing: Standing
