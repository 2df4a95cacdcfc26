"""Desks, the main screen and handovers, as callers send and get them."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from service.api.models import Alarm, Document, GradeName, Instant
from service.api.requests import Number, PageLimit, PageQuery, Request, Text, printable

_DESK: dict[str, Any] = {
    "id": "370783",
    "name": "寿光市值班席",
    "regions": ["370783"],
    "flood_began_at": "2026-06-08T02:30:04.250Z",
    "rate": 3012,
    "input_at": "2026-06-08T02:29:58.000Z",
    "unattended_since": None,
    "handovers_unsigned": 0,
}
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)]
Notes = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000), AfterValidator(printable)]


# ---- what callers send


class DeskPath(Request):
    """Path of one desk."""

    id: Text


class HandoverPath(Request):
    """Path of one handover."""

    id: Number


class WatchQuery(Request):
    """Whose screen."""

    desk: Text = Field(description="Id of the desk.")
    limit: PageLimit = Field(200, description="Most items in each list.")


class MembersQuery(PageQuery):
    """Which alarms of a desk's screen."""

    desk: Text = Field(description="Id of the desk.")
    group: Annotated[str, StringConstraints(min_length=1, max_length=900), AfterValidator(printable)] = Field(
        description="`key` of a group; `standing`: the alarms that stand alone."
    )


class PresenceBody(Request):
    """Somebody is at the desk."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "王芳"}]})

    name: Name | None = Field(None, description="Who, where it is known. It is not journaled.")


class HandoverBody(Request):
    """The outgoing officer's words."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "王芳", "notes": "GT-101 校验中，14:00 恢复；华瑞值班电话已换。"}]}
    )

    name: Name = Field(description="The outgoing officer.")
    notes: Notes = ""


# ---- what they get


class DeskStatus(Document):
    """值班席, and how it is there."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DESK]})

    id: str
    name: str
    regions: list[str] = Field(description="GB/T 2260 codes; each with all below it.")
    flood_began_at: Instant | None = Field(description="Null: no flood lasts.")
    rate: int = Field(description="Alarms annunciated within the last ten minutes.")
    input_at: Instant | None = Field(description="Of the last input, or the service's start.")
    unattended_since: Instant | None
    handovers_unsigned: int


class DeskList(Document):
    """All desks."""

    items: list[DeskStatus]


class Counts(Document):
    """Alarms of the desk that are annunciated, by the grade that they are shown with; drills are not counted."""

    red: int
    orange: int
    yellow: int
    blue: int
    active: int
    unacknowledged: int
    suppressed: int = Field(description="Shelved, suppressed by design, out of service: not among the others.")


class WatchGroup(Document):
    """Alarms that are shown as one line."""

    key: str
    enterprise: str
    unit: str = Field(description="Of the first member.")
    units: list[str] = Field(description="Of all members.")
    cause: str | None = Field(description="Path of the condition that its members follow from.")
    instrument: bool = Field(description="Faults of instruments and lines, no values of the process.")
    grade: GradeName
    members: int
    unacknowledged: int
    first_out: Alarm = Field(description="The member that was first.")
    newest: Alarm = Field(description="The member that entered last.")


class WatchDrill(Document):
    """A drill's alarms, to be marked 演练 DRILL."""

    drill: int
    name: str
    leader: str
    due_at: Instant
    alarms: list[Alarm]
    alarms_total: int


class HandoverLine(Document):
    """A handover that waits for a signature."""

    id: int
    made_at: Instant
    outgoing: str
    notes: str


class Watch(Document):
    """What a desk's main screen shows."""

    desk: DeskStatus
    now: Instant
    sequence: int = Field(description="Number of the last journal entry that it knows of.")
    counts: Counts
    standing: list[Alarm] = Field(description="Orange and red, each alone, gravest first: always on top.")
    standing_total: int
    grouped: bool = Field(description="A flood lasts, or there are more alarms than fit: show `groups`, not `alarms`.")
    groups: list[WatchGroup] = Field(description="All that does not stand, gravest first.")
    groups_total: int
    alarms: list[Alarm] = Field(description="All that does not stand, one by one; empty where `grouped`.")
    alarms_total: int
    silences: list[dict[str, Any]] = Field(description="Of the sound, as they last.")
    handovers: list[HandoverLine] = Field(description="Those that nobody has signed yet.")
    drills: list[WatchDrill]


class WatchMembers(Document):
    """A page of alarms, newest first."""

    items: list[Alarm]
    next: str | None
    total: int


class Handover(HandoverLine):
    """交接班: what one shift leaves to the next."""

    desk: str
    alarms: list[dict[str, Any]] = Field(description="Outstanding at that moment, gravest first.")
    suppressed: list[dict[str, Any]]
    silences: list[dict[str, Any]]
    incidents: list[dict[str, Any]]
    digest: str = Field(description="SHA-256 of what was captured, as it stands in the journal.")
    signed_at: Instant | None
    incoming: str | None
    comment: str | None


class HandoverSummary(HandoverLine):
    """A handover in a list."""

    desk: str
    signed_at: Instant | None
    incoming: str | None


class HandoverPage(Document):
    """A page of handovers, newest first."""

    items: list[HandoverSummary]
    next: str | None
