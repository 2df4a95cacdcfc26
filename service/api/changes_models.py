"""Changes of rules as the API answers them, and what callers send."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from service.api.config_models import Words
from service.api.incidents_requests import Name
from service.api.models import Document, Entry, Instant, RuleKindName
from service.api.requests import Instant as InstantGiven
from service.api.requests import Number, PageQuery, Request, Signature, Text
from service.api.tuning_models import Comparison, Days, GivenFigures
from service.config.quantities import refusal

MOST_EDITS = 200
LONGEST_SHADOW = 31 * 24
StateName = Literal["proposed", "backtested", "approved", "shadow", "live", "rolled_back", "rejected", "withdrawn"]
ActName = Literal["backtest", "approve", "reject", "withdraw", "shadow", "apply", "rollback"]
FigureName = Literal["setpoint", "deadband", "on_delay", "off_delay", "window"]


class ChangePath(Request):
    """Path of one change."""

    id: Number


class ChangesQuery(PageQuery):
    """Which changes."""

    state: StateName | Literal["open"] | None = Field(None, description="`open`: those that may still come into force.")


class ChangeEdit(GivenFigures):
    """New figures of one rule."""

    enterprise: Text
    tag: Text = Field(description="Of a unit's own rule `@unit.` and the unit's id.")
    rule: Text

    @model_validator(mode="after")
    def _check(self) -> Self:
        if all(getattr(self, name) is None for name in GivenFigures.model_fields):
            raise refusal(
                "the edit changes nothing", "Give setpoint, deadband, on_delay_ms, off_delay_ms or window_ms."
            )
        return self


class ChangeProposal(Request):
    """What shall be changed, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "李工",
                    "reason": "GT-101 抖动：三周内 41 次，均在 10.0 附近",
                    "edits": [{"enterprise": "huarui", "tag": "GT-101", "rule": "H", "on_delay_ms": 5000}],
                }
            ]
        }
    )

    name: Name = Field(description="The person, as it shall stand in the journal.")
    reason: Words
    edits: Annotated[list[ChangeEdit], Field(min_length=1, max_length=MOST_EDITS)]


class BacktestBody(Request):
    """Over which time, up to now."""

    days: Days = 7
    name: Name | None = Field(None, description="The person; the token's name where it is left out.")


class ShadowBody(Signature):
    """For how long."""

    hours: Annotated[float, Field(gt=0, le=LONGEST_SHADOW, allow_inf_nan=False)] = 24


class ApplyBody(Signature):
    """When."""

    at: InstantGiven | None = Field(None, description="At once where it is left out.")


class RollbackBody(Request):
    """Who takes it back, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "王芳", "reason": "报警变得太晚"}]})

    name: Name
    reason: Words


class RuleFigures(Document):
    """Figures of a rule; null: its kind has no such figure."""

    setpoint: float | None
    deadband: float | None
    on_delay_ms: int | None
    off_delay_ms: int | None
    window_ms: int | None


class ChangedRule(Document):
    """A rule, as it was when the change was proposed, and as it shall be."""

    enterprise: str
    tag: str
    rule: str
    path: str
    unit: str
    kind: RuleKindName
    engineering_unit: str
    description: str
    before: RuleFigures
    after: RuleFigures
    changed: list[FigureName]
    loosened: list[FigureName] = Field(
        description="By which an alarm could come later, end earlier or not come at all; `deadband` stands for the "
        "level at which it leaves."
    )


class ChangeSignature(Document):
    """Who did it, when and what was said."""

    name: str
    actor: str = Field(description="Name of the caller's token.")
    at: Instant
    comment: str


class ChangeSchedule(ChangeSignature):
    """To be put in force at a time."""

    due: Instant


class ChangeInForce(ChangeSignature):
    """Put in force, or taken back, by a revision of the configuration."""

    revision: int


class ChangeBacktest(Document):
    """回测: the newest backtest."""

    state: Literal["running", "finished", "failed", "interrupted"]
    days: int
    name: str
    begun_at: Instant
    begin: Instant = Field(description="Source time of the first reading that is asked for.")
    end: Instant
    ended_at: Instant | None
    progress: float = Field(description="0 to 1: how much of it is done.")
    stage: Literal["reading", "evaluating"] | None = Field(description="What is under way.")
    detail: str = Field(description="Why it failed or was interrupted, and what to do.")
    digest: str | None = Field(description="SHA-256 of the result, which the journal has too.")
    readings: int
    counts: dict[str, int] = Field(description="before, after, and of each list of the result: added, removed, …")


class ShadowedRule(Document):
    """What a rule did in shadow, and in force, in the same time."""

    path: str
    shadow: int = Field(description="How often it would have entered.")
    live: int = Field(description="How often it entered, or was in when the watch began.")
    shadow_in: bool
    live_in: bool


class ChangeShadow(Document):
    """试运行: evaluated beside the rules in force, paging nobody."""

    name: str
    began_at: Instant
    until: Instant
    since: Instant = Field(description="Since when the figures count: they begin anew with the service.")
    restarts: int
    ended_at: Instant | None
    detail: str
    readings: int
    rules: list[ShadowedRule]


class RuleChange(Document):
    """变更: new figures of some rules, and what became of them."""

    id: int
    state: StateName
    name: str = Field(description="Who proposed it.")
    actor: str
    reason: str
    proposed_at: Instant
    updated_at: Instant
    base_revision: int
    rules: list[ChangedRule]
    loosens: bool = Field(description="Some rule is loosened: a finished backtest is wanted before the approval.")
    moved: str | None = Field(
        description="Why it cannot come into force, or is not in force as it was: a rule was changed meanwhile."
    )
    next_acts: list[ActName] = Field(description="Acts that its state allows.")
    missing: list[Literal["backtest", "approval"]] = Field(description="What is wanted before it comes into force.")
    backtest: ChangeBacktest | None
    approval: ChangeSignature | None
    rejection: ChangeSignature | None
    withdrawal: ChangeSignature | None
    schedule: ChangeSchedule | None
    not_applied: ChangeSignature | None = Field(description="Why it was not put in force at its time.")
    shadow: ChangeShadow | None
    live: ChangeInForce | None
    rollback: ChangeInForce | None


class RuleChangeDetail(RuleChange):
    """A change with its acts, oldest first, and the result of its newest finished backtest. Rules by their paths."""

    history: list[Entry]
    result: Comparison | None


class RuleChangePage(Document):
    """A page of changes, newest first."""

    items: list[RuleChange]
    next: str | None
