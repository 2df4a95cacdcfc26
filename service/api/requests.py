"""What callers send: paths, queries and bodies. Unknown fields are refused."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from alerting.ledger.journal_queries import GROUPS
from domain.scales import AlarmState
from service.config.quantities import parse_positive_duration, refusal

LARGEST = 2**63 - 1
PAGE_LIMIT = 1_000
PAGE_DEFAULT = 100
RAW_LIMIT = 50_000
RAW_DEFAULT = 5_000
GRADES = Literal["blue", "yellow", "orange", "red"]


def _instant(value: object) -> int:
    """Milliseconds UTC of an ISO 8601 text with offset."""
    remedy = "Write ISO 8601 with offset, for example 2026-06-08T02:30:00Z; in an address write + as %2B."
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004 -- no instant is longer
        raise refusal("not an instant", remedy)
    try:
        stamp = datetime.fromisoformat(value)
    except ValueError:
        raise refusal("not an instant", remedy) from None
    if stamp.tzinfo is None:
        raise refusal("an instant without offset", remedy)
    try:
        seconds = stamp.astimezone(UTC).timestamp()
    except OverflowError:
        raise refusal("an instant beyond the calendar", remedy) from None
    if seconds < 0:
        raise refusal("an instant before 1970", remedy)
    return round(seconds * 1000)


def printable(text: str) -> str:
    """A text without control characters. Raises ``refusal``."""
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in text) or "\x7f" in text:  # noqa: PLR2004 -- ASCII
        raise refusal("control characters", "Remove the control characters.")
    return text


def _whole(value: object) -> object:
    """Digits only, where pydantic would also read 1_000 or 5.0."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise refusal("not a whole number", "Give a whole number.")
    return value


def _groups(value: object) -> frozenset[str]:
    """Groups of the journal's kinds, of a text with commas."""
    given = frozenset(value.split(",")) if isinstance(value, str) else frozenset()
    if not given or not given <= GROUPS.keys():
        raise refusal("not groups of the journal", f"Give some of {', '.join(GROUPS)}, with commas between them.")
    return given


_GROUP = "|".join(GROUPS)
Instant = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-06-08T02:30:00.000Z"]}),
]
Duration = Annotated[
    int,
    BeforeValidator(parse_positive_duration),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|min|h|d)?$", "examples": ["10s"]}),
]
Groups = Annotated[
    frozenset[str],
    BeforeValidator(_groups),
    WithJsonSchema({"type": "string", "pattern": f"^({_GROUP})(,({_GROUP}))*$", "examples": ["alarms,acts"]}),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)]
Number = Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(_whole)]
PageLimit = Annotated[int, Field(ge=1, le=PAGE_LIMIT, description="Most items in the answer."), BeforeValidator(_whole)]


class Request(BaseModel):
    """Anything that a caller sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Request):
    """No parameters, or no body."""


class AlarmPath(Request):
    """Path of one alarm."""

    id: Number


class TagPath(Request):
    """Path of one tag."""

    enterprise: Text
    tag: Text


class PageQuery(Request):
    """Query of a list in pages."""

    limit: PageLimit = PAGE_DEFAULT
    after: Number | None = Field(None, description="`next` of the page before.")


class AlarmsQuery(PageQuery):
    """Which alarms."""

    state: AlarmState | None = None
    grade: GRADES | None = None
    region: Text | None = Field(None, description="GB/T 2260 code; the regions below it count.")
    enterprise: Text | None = None
    unit: Text | None = None
    tag: Text | None = Field(None, description="Name of the tag within its enterprise.")
    incident: Number | None = None
    since: Instant | None = Field(None, description="Received then or later.")
    active: bool | None = Field(
        None, description="true: those that are annunciated: not normal, and nothing lies over them; false: past ones."
    )
    suppressed: bool | None = Field(None, description="true: those not normal that something lies over; false: others.")
    stale: bool | None = Field(None, description="true: those in for more than 24 h; false: others.")
    chattering: bool | None = None
    drill: bool | None = Field(None, description="true: those of drills; false: real ones.")


class TagsQuery(Request):
    """Which tags."""

    enterprise: Text | None = None
    unit: Text | None = None
    measurand: Text | None = None
    without_limits: bool | None = Field(None, description="true: only those without limits; false: only the others.")
    limit: PageLimit = PAGE_DEFAULT
    after: Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(printable)] | None = Field(
        None, description="`next` of the page before."
    )


class SamplesQuery(Request):
    """Which samples of a tag, by source time."""

    start: Instant | None = Field(None, description="Default: 15 minutes before `end`.")
    end: Instant | None = Field(None, description="Not included. Default: now.")
    bucket: Duration | None = Field(None, description="Width of a bucket; without it the answer has raw samples.")
    limit: Annotated[
        int, Field(ge=1, le=RAW_LIMIT, description="Most raw samples in the answer."), BeforeValidator(_whole)
    ] = RAW_DEFAULT


class QuarantineQuery(PageQuery):
    """Which refused messages."""

    enterprise: Text | None = None
    gateway: Text | None = None
    reason: Text | None = Field(None, examples=["unknown_tag"])


class JournalQuery(PageQuery):
    """Which entries of the journal."""

    since: Instant | None = Field(None, description="Entered then or later.")
    until: Instant | None = Field(None, description="Entered before then.")
    kind: Text | None = Field(None, examples=["alarm.acknowledged"])
    groups: Groups | None = Field(
        None, description="Groups of kinds, with commas between them; `acts`: what people did, of whatever kind."
    )
    region: Text | None = Field(None, description="GB/T 2260 code; enterprises in the regions below it count.")
    enterprise: Text | None = None
    unit: Text | None = Field(None, description="Id of the unit within its enterprise.")
    alarm: Number | None = None
    incident: Number | None = None
    actor: Text | None = Field(None, description="Part of the name of the person who signed, or of the account.")
    text: Text | None = Field(
        None,
        description="Looked for, without regard to case, in every text of the entry (tag, rule, names, comments) and "
        "in the names of its enterprise and unit; digits also as the number of an entry, an alarm or an incident.",
    )


class LiveQuery(Request):
    """Where to resume."""

    since: Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(_whole)] | None = Field(
        None, description="Number of the last entry seen; the entries after it are sent first."
    )


class Signature(Request):
    """Who does it, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "王芳", "comment": "Patrol sent to pump 1"}]})

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)
    ] = Field(description="The person, as it shall stand in the journal.")
    comment: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(printable)] = ""


SECOND = "A different person, who agrees; in a session it is who has proved that by `POST /session/second`."
"""Of the second person of an act."""


class Subscription(Request):
    """Client's message on the WebSocket: the tags whose readings it wants from now on, as `enterprise/tag`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"subscribe": ["huarui/GT-101"]}]})

    subscribe: Annotated[list[Annotated[str, StringConstraints(max_length=400)]], Field(max_length=2_000)]
