"""What the tuning workbench asks of a running service: rules as they are, and what other figures would have done."""

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from domain.scales import Level
from service.api.models import Document, Instant, RuleKindName
from service.api.requests import PAGE_LIMIT, PageLimit, Request, Text, printable
from service.api.requests import Instant as InstantGiven
from service.config.quantities import LONGEST_DELAY, LONGEST_WINDOW, refusal

MOST_DAYS = 31
MOST_RULES = 50

Figure = Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15)]
Band = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e15)]
Delay = Annotated[int, Field(ge=0, le=LONGEST_DELAY)]
Window = Annotated[int, Field(ge=0, le=LONGEST_WINDOW)]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]


class GivenFigures(Request):
    """Figures of a rule that shall be others than they are; those that are left out stay.

    Which figures a rule has, its kind says: `GET /tuning/rules` lists them.
    """

    setpoint: Figure | None = Field(None, description="In the engineering unit; of RISE and FALL per second.")
    deadband: Band | None = None
    on_delay_ms: Delay | None = None
    off_delay_ms: Delay | None = None
    window_ms: Window | None = Field(None, description="Of RISE, FALL, STUCK and STALE.")


class TuningRulesQuery(Request):
    """Which unit."""

    enterprise: Text
    unit: Text
    limit: PageLimit = PAGE_LIMIT
    after: Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(printable)] | None = Field(
        None, description="`next` of the page before."
    )


class PreviewRule(GivenFigures):
    """A rule of the tag, and figures to try."""

    key: Text


class PreviewBody(Request):
    """What to try, on which stretch of history: `from` and `to`, or the last `days`."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {"enterprise": "huarui", "tag": "GT-101", "days": 7, "rules": [{"key": "H", "setpoint": 12}]},
            ]
        },
    )

    enterprise: Text
    tag: Text
    begin: InstantGiven | None = Field(None, alias="from")
    end: InstantGiven | None = Field(None, alias="to")
    days: Days | None = Field(None, description="Up to now; 7 where neither this nor `from` is given.")
    rules: Annotated[list[PreviewRule], Field(min_length=1, max_length=MOST_RULES)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.days is not None and (self.begin is not None or self.end is not None):
            raise refusal("both days and from or to", "Give one of them.", at=("days",))
        if self.end is not None and self.begin is None:
            raise refusal("to without from", "Give both.", at=("from",))
        if self.begin is not None and self.end is not None and self.begin >= self.end:
            raise refusal("not after from", "Give an end after the beginning.", at=("to",))
        keys = [rule.key for rule in self.rules]
        if len(set(keys)) < len(keys):
            raise refusal("a rule is given twice", "Give each rule once.", at=("rules",))
        return self


class TuningRule(Document):
    """A rule with its figures. A figure that its kind does not have is null."""

    key: str
    kind: RuleKindName
    level: Level
    setpoint: float | None
    deadband: float | None
    on_delay_ms: int | None
    off_delay_ms: int | None
    window_ms: int | None
    engineering_unit: str = Field(description="Of setpoint and deadband; per second for RISE and FALL.")
    default: bool = Field(description="The setpoint is the measurand's default and not the site's own.")
    change: int | None = Field(description="The change that put its figures in place of the site file's.")


class TuningTag(Document):
    """A tag with its rules that can be tuned."""

    enterprise: str
    tag: str
    unit: str
    description: str
    measurand: str
    engineering_unit: str
    range: tuple[float | None, float | None]
    period_ms: int
    rules: list[TuningRule]


class TuningRuleList(Document):
    """A page of a unit's tags; rules over several of them on its point `@unit.`, last."""

    items: list[TuningTag]
    next: str | None


class Episode(Document):
    """An alarm from in to out, by source time."""

    entered_at: Instant
    left_at: Instant | None = Field(description="Null: still in at the end.")
    value: float | None = Field(description="The reading that decided; for a rate of change the rate, per second.")


class RuleOutcome(Document):
    """What one rule did over a stretch of history."""

    count: int
    per_day: float
    time_in_ms: int
    episodes: list[Episode] = Field(description="The first 1,000.")


class Outcome(Document):
    """What a set of figures did, by rule: its key, or where several tags are concerned its path."""

    rules: dict[str, RuleOutcome]


class EpisodeOfRule(Episode):
    """An alarm that only one of two sets of figures has."""

    rule: str


class MovedEpisode(Episode):
    """An alarm that both have, at different times."""

    rule: str
    was: Instant = Field(description="When it entered before.")
    by_ms: int = Field(description="How much earlier, later, longer or shorter.")


class Comparison(Document):
    """What figures did before and after over the same readings. Each list has the first 1,000 of its kind."""

    model_config = ConfigDict(populate_by_name=True)

    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    readings: int
    late: int = Field(description="Readings that came too late to raise anything.")
    before: Outcome
    after: Outcome
    added: list[EpisodeOfRule]
    removed: list[EpisodeOfRule]
    earlier: list[MovedEpisode]
    later: list[MovedEpisode]
    longer: list[MovedEpisode] = Field(description="Entered at the same time and left later.")
    shorter: list[MovedEpisode]
    merged: list[EpisodeOfRule] = Field(description="Alarms of before that have become one with the one ahead of them.")
    split: list[EpisodeOfRule] = Field(description="Alarms of after that were one with the one ahead of them.")
    counts: dict[str, int] = Field(description="Of all: before, after, and of each list.")


class Preview(Comparison):
    """What other figures of a tag's rules would have done. Rules by their keys."""

    loosened: list[str] = Field(description="Keys of the rules that are loosened: see docs/changes.md.")
