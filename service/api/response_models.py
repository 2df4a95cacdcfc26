"""Contacts, rosters, plans, cards and the response to an incident, as callers send and get them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from service.api.models import Document, GradeName, Instant
from service.api.requests import Instant as GivenInstant
from service.api.requests import Number, PageLimit, Request, Text, printable

_CONTACT: dict[str, Any] = {
    "id": "wang-fang",
    "name": "王芳",
    "post": "duty",
    "title": "值班员",
    "organisation": "寿光市应急管理局",
    "enterprise": None,
    "region": "370783",
    "side": "desk",
    "phone": "13800000000",
    "mail": "wang.fang@example.cn",
    "addresses": {},
    "language": "zh",
    "quiet": None,
    "updated": "2026-06-01",
    "stale": False,
}
TierName = Literal["blue", "yellow", "orange", "red", "command"]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(printable)]


# ---- what callers send


class ContactsQuery(Request):
    """Which contacts."""

    region: Text | None = Field(None, description="GB/T 2260 code; the regions below it count.")
    enterprise: Text | None = None
    post: Text | None = None
    stale: bool | None = Field(None, description="true: only rows that nobody has checked for a month.")
    limit: PageLimit = 100
    after: Key | None = Field(None, description="`next` of the page before.")


class RostersQuery(Request):
    """At what time."""

    at: GivenInstant | None = Field(None, description="Default: now.")


class CardPath(Request):
    """Path of one card."""

    id: Text


class CallBackPath(Request):
    """Path of one call back."""

    id: Number


class CallBacksQuery(Request):
    """Which calls back."""

    incident: Number | None = None
    open: bool | None = Field(None, description="true: those that are still to be made.")
    limit: PageLimit = 100
    after: Number | None = Field(None, description="`next` of the page before.")


# ---- what they get


class Contact(Document):
    """联系人."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CONTACT]})

    id: str
    name: str
    post: str = Field(description="Key of the post that plans and rosters name.")
    title: str
    organisation: str
    enterprise: str | None = Field(description="null: of the region's authorities.")
    region: str
    side: Literal["enterprise", "desk"]
    phone: str
    mail: str
    addresses: dict[str, str] = Field(description="By channel.")
    language: Literal["zh", "en"]
    quiet: str | None = Field(description="Quiet hours in local time, e.g. 22:00-07:00; they do not hold at red.")
    updated: str | None = Field(description="Day on which the row was last checked.")
    stale: bool = Field(description="Nobody has checked the row for a month, or ever.")


class ContactPage(Document):
    """A page of contacts."""

    items: list[Contact]
    next: str | None


class Turn(Document):
    """One shift of one team."""

    shift: str
    name: str
    begin: Instant
    end: Instant
    contacts: list[str]


class Roster(Document):
    """值班表."""

    id: str
    name: str
    post: str
    desk: str | None
    region: str | None
    enterprise: str | None
    on_duty: list[Contact] = Field(description="At the time asked for.")
    turns: list[Turn] = Field(description="Of the next seven days, the present one first.")


class RosterList(Document):
    """All rosters."""

    at: Instant
    items: list[Roster]


class PlanStep(Document):
    """One step of a plan, in the order of the times."""

    who: str = Field(description="A contact's id, or post@place.")
    by: list[str] = Field(description="Channels in order; empty: all.")
    after_ms: int
    follows: int | None = Field(description="Index of the step that it follows, if that is not acknowledged.")


class Plan(Document):
    """应急预案."""

    id: str
    name: str
    grades: list[TierName]
    regions: list[str]
    hazards: list[str]
    acknowledge_ms: int
    feedback_ms: int
    acknowledged_by: Literal["either", "both"]
    call_back_ms: int | None
    repeat_ms: int | None = Field(
        description="At orange and red, as long as nobody has acknowledged, those told last are told again as often."
    )
    steps: list[PlanStep]
    default: bool = Field(description="AnShao's own default, and not the site's.")


class PlanList(Document):
    """All plans; the most specific one holds, of two alike the first."""

    items: list[Plan]


class CardSummary(Document):
    """处置卡, without its text."""

    id: str
    title: str
    title_en: str
    medium: str
    post: str
    source: str
    confidence: Literal["P", "S", "K", "O"] = Field(
        description="P primary text, S secondary source, K general knowledge, O draft to be reviewed by the site."
    )
    measurands: list[str]
    rules: list[str]
    units: list[str]
    default: bool = Field(description="Shipped with the service.")


class Card(CardSummary):
    """处置卡 with its text."""

    text: str = Field(description="Markdown, Chinese first.")


class CardList(Document):
    """Cards."""

    items: list[CardSummary]


class CallBack(Document):
    """回呼: somebody has to call the site."""

    id: int
    incident: int
    drill: int | None
    made_at: Instant
    due_at: Instant
    overdue: bool
    done_at: Instant | None
    done_by: str | None
    comment: str | None


class CallBackPage(Document):
    """A page of calls back."""

    items: list[CallBack]
    next: str | None


class PendingStep(Document):
    """A step of the plan that is still to come."""

    who: str
    at: Instant


class IncidentResponse(Document):
    """How the response to an open incident stands."""

    incident: int
    tier: int = Field(description="1 to 4 as the grades, 5: the city takes command.")
    tier_name: TierName
    grade: GradeName
    began_at: Instant | None = Field(description="Of this tier; null: it has no clock yet.")
    plan: str | None
    acknowledged_by: Literal["either", "both"]
    acknowledge_by: Instant | None = Field(description="null: acknowledged, or past.")
    feedback_by: Instant | None
    pending: list[PendingStep]
    cards: list[str] = Field(description="Ids of the response cards of its alarms.")


class TableFault(Document):
    """One thing that is wrong in a table."""

    file: str = Field(description="With the sheet in brackets.")
    row: int
    column: int
    field: str
    message: str
    remedy: str


class ContactCheck(Document):
    """What a table of contacts would change."""

    contacts: int
    added: list[str]
    changed: list[str]
    removed: list[str]
    faults: list[TableFault]
