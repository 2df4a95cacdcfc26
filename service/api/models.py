"""What the API answers: the shapes that the OpenAPI document, and the console's types, are generated from.

Instants are ISO 8601 in UTC with milliseconds.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.scales import AlarmState, Level
from service.api import examples

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
GradeName = Literal["blue", "yellow", "orange", "red"]
RuleKindName = Literal[
    "high", "low", "rise", "fall", "stale", "bad", "system", "deviation", "stuck", "vote", "expression", "t2", "spe"
]
ComponentStatus = Literal["ok", "degraded", "down"]


def _without_default(schema: dict[str, Any]) -> None:
    """A field that is left out, and not one that is given by default."""
    schema.pop("default")


class Document(BaseModel):
    """Anything that the API answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(Document):
    """台账记录, one entry of the journal."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ENTRY]})

    sequence: int
    at: Instant
    kind: str = Field(
        examples=["alarm.entered", "alarm.returned", "alarm.acknowledged", "incident.opened", "incident.graded"]
    )
    actor: str | None = Field(description="Name of the caller's token; `anshao` for what no person does.")
    enterprise: str | None
    region: str | None
    unit: str | None
    tag: str | None
    rule: str | None
    alarm: int | None
    incident: int | None
    data: dict[str, Any] = Field(description="What the kind of entry needs; times in it are ms UTC.")
    hash: str = Field(description="SHA-256 over the hash before it and the entry's text, in hex.")


class Alarm(Document):
    """报警: the record of a condition that entered."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ALARM]})

    id: int
    enterprise: str
    enterprise_name: str
    region: str
    unit: str
    unit_name: str
    tag: str
    gas: Literal["flammable", "toxic", "oxygen", "methane"] | None = Field(
        description="What kind of gas detector the tag is; of a rule over several tags, what all of them are."
    )
    measurand: str | None = Field(
        description="What the tag measures; of a rule over several tags, what all of them do. Null: no one thing."
    )
    hazard_level: int | None = Field(description="重大危险源等级 of the unit, 1 the gravest.")
    description: str
    rule: str = Field(description="Key of the rule within its tag.")
    kind: RuleKindName
    level: Level
    grade: GradeName
    state: AlarmState
    condition: bool
    latching: bool
    value: float | None = Field(description="The reading that decided; for a rate of change the rate, per second.")
    setpoint: float | None
    engineering_unit: str
    entered_at: Instant = Field(description="Source time at which the condition last entered.")
    received_at: Instant
    returned_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    comment: str | None
    activations: int
    incident: int | None
    sequence: int = Field(description="Number of the last journal entry about it.")
    rule_version: int
    suppression: Literal["shelved", "by_design", "out_of_service"] | None = Field(
        description="What lies over it: it is not annunciated."
    )
    suppressed_until: Instant | None
    suppression_reason: str | None
    suppressed_by: str | None = Field(description="The person, or the path of the condition.")
    first_out: bool = Field(description="首出: the first process alarm of its unit after a calm.")
    chattering: bool = Field(description="抖动: three or more transitions a minute.")
    returning_at: Instant | None = Field(description="It has left; its return is damped until then.")
    stale: bool = Field(description="长期报警: in for more than 24 h.")
    cause: str | None = Field(description="Path of the condition that it follows from.")
    drill: int | None = Field(description="演练: the drill that it belongs to.")


class AlarmDetail(Alarm):
    """An alarm with what the journal says of it, oldest first; the newest 1,000 entries."""

    history: list[Entry]


class Reason(Document):
    """Why a grade: the name of a row of the grading table, and what it matched."""

    rule: str
    params: dict[str, Any]


class Sample(Document):
    """One reading of a tag."""

    t: Instant = Field(description="Source time.")
    received: Instant
    v: float | None
    q: int


class Bucket(Document):
    """Readings of a stretch of time, summed up. Stretches without any are left out."""

    t: Instant = Field(description="Beginning.")
    min: float | None = Field(description="null: none of the readings has a value.")
    max: float | None
    mean: float | None
    count: int = Field(description="Readings that have a value.")
    q: int = Field(description="Worst quality of all readings: 192 good, 64 uncertain, 0 bad.")


class Samples(Document):
    """History of a tag: `samples` and `truncated`, or, where a bucket was asked for, `buckets`."""

    tag: str
    engineering_unit: str
    samples: list[Sample] = Field(default_factory=list)
    truncated: bool = Field(
        default=False,
        description="More samples follow the last one within the time asked for.",
        json_schema_extra=_without_default,
    )
    buckets: list[Bucket] = Field(default_factory=list)


class Gateway(Document):
    """网关."""

    enterprise: str
    gateway: str
    name: str
    status: Literal["online", "offline", "unknown"]
    since: Instant | None = Field(description="Since when it has this status, as far as the running service knows.")
    last_received: Instant | None = Field(description="When readings came last, since the service started.")
    last_heard: Instant | None = Field(description="When anything came last, readings or a status.")
    messages: int = Field(description="Messages with readings since the service started, refused ones too.")
    readings: int = Field(description="Readings taken since the service started.")
    refused: int = Field(description="Messages, or parts of one, refused since the service started.")
    clock_skew_ms: int | None = Field(
        description="Received time minus the newest source time of its last message; below 0: its clock is ahead."
    )
    clock: Literal["live", "source"] = Field(
        description="source: its times are taken as they are, as of a recording that is played, and not checked."
    )
    session: str | None = Field(description="What its last status names its run.")


class Refused(Document):
    """A message, or a part of one, that was not taken."""

    id: int
    received_at: Instant
    enterprise: str | None
    gateway: str | None
    topic: str
    reason: str
    detail: str
    remedy: str
    payload: str = Field(description="Its beginning, at most 4096 characters.")
    payload_bytes: int


class Component(Document):
    """State of something that the service stands on."""

    status: ComponentStatus
    since: Instant | None
    detail: str | None


class HistorianComponent(Component):
    """State of the historian."""

    backlog: int = Field(description="Samples in the spool that it does not have yet.")


class SpoolComponent(Component):
    """State of the spool."""

    bytes: int
    limit: int
    samples: int


class Canary(Document):
    """State of the synthetic reading that runs through the whole chain."""

    status: Literal["ok", "down", "unknown"] = Field(description="`unknown`: none has arrived since the start yet.")
    latency_ms: float | None
    last: Instant | None
    since: Instant | None


class ConfigurationComponent(Component):
    """Degraded: the files and the revision that holds have both changed."""

    revision: int = Field(description="Number of the revision that holds.")


class Components(Document):
    """State of everything that the service stands on."""

    broker: Component
    historian: HistorianComponent
    ledger: Component
    spool: SpoolComponent
    canary: Canary
    configuration: ConfigurationComponent


class ReadingCounts(Document):
    """Readings since the start of the service."""

    total: int
    per_second: float
    refused: int


class GatewayCounts(Document):
    """Gateways by status."""

    online: int
    offline: int
    unknown: int


class Health(Document):
    """State of the service."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HEALTH]})

    status: ComponentStatus
    version: str
    started_at: Instant
    now: Instant
    sequence: int
    components: Components
    readings: ReadingCounts
    gateways: GatewayCounts


class AlarmPage(Document):
    """A page of alarms."""

    items: list[Alarm]
    next: str | None


class RefusedPage(Document):
    """A page of the quarantine."""

    items: list[Refused]
    next: str | None


class Looked(Document):
    """How far an answer has looked."""

    entries: int = Field(description="Entries of the journal that were looked through.")
    back_to: Instant | None = Field(description="When the oldest of them was entered; null: there was none.")


class EntryPage(Document):
    """A page of the journal. It may have few items, or none, and more follow: `looked` says how far it has come."""

    items: list[Entry]
    next: str | None
    looked: Looked


class GatewayList(Document):
    """All gateways."""

    items: list[Gateway]


class FieldError(Document):
    """What is wrong with one field of a request."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    place: str = Field(alias="in", description="path, query or body")
    field: str
    message: str
    remedy: str


class Problem(Document):
    """Problem details, RFC 9457."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str
    title: str
    status: int
    detail: str
    code: Literal["signature_needed", "second_needed", "second_unfit"] | None = Field(
        None, description="What programs tell this refusal by."
    )
    instance: str | None = None
    errors: list[FieldError] = Field(default_factory=list)
