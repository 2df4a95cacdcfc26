"""What the ledger holds: alarms, incidents, journal entries. Times are ms UTC."""

from dataclasses import dataclass, field
from typing import Any, TypedDict

from domain.scales import AlarmState, Grade, IncidentState, Level, RuleKind

SERVICE = "anshao"
"""Actor of everything that no person does."""


@dataclass(slots=True)
class Alarm:
    """报警: the record of a condition that entered. Its id is the number of the journal entry that raised it."""

    id: int
    region: str
    enterprise: str
    unit: str
    tag: str
    rule: str
    """Key of the rule within its tag."""
    kind: RuleKind
    level: Level
    grade: Grade
    state: AlarmState
    condition: bool
    latching: bool
    value: float | None
    """The reading that decided the last transition; for a rate of change the rate, per second."""
    setpoint: float | None
    engineering_unit: str
    description: str
    gas: str | None
    rule_version: int
    entered_at: int
    """Source time at which the condition last entered."""
    received_at: int
    """When the service knew of it."""
    transition_at: int
    """Source time of the last transition; an earlier one is a redelivery and changes nothing."""
    activations: int = 1
    returned_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    comment: str | None = None
    incident: int | None = None
    sequence: int = 0
    """Number of the last journal entry about it."""

    @property
    def path(self) -> str:
        """``enterprise/tag/rule``, the identity of its condition."""
        return f"{self.enterprise}/{self.tag}/{self.rule}"

    @property
    def unit_key(self) -> tuple[str, str]:
        """Enterprise and unit."""
        return self.enterprise, self.unit

    @property
    def is_unacknowledged(self) -> bool:
        """Somebody has yet to acknowledge it."""
        return self.state in {
            AlarmState.UNACKNOWLEDGED,
            AlarmState.RETURNED_UNACKNOWLEDGED,
            AlarmState.LATCHED_UNACKNOWLEDGED,
        }


class Signed(TypedDict):
    """Who said something, when (ms) and what."""

    name: str
    at: int
    comment: str


class Verification(Signed):
    """核实: whether the incident is ``real``, ``false``, ``maintenance`` or a ``test``."""

    result: str
    confirmed_by: str | None
    """The second person, where one was asked for."""
    confirmed_at: int | None


class DisposalStep(TypedDict):
    """处置措施, one thing that was done."""

    step: str
    name: str
    at: int


class Feedback(TypedDict):
    """反馈: what the enterprise says was done; ``attachments`` are ids."""

    text: str
    attachments: list[int]
    name: str
    at: int


class Review(Signed):
    """复核."""

    accepted: bool


class Decision(TypedDict):
    """A grade that a person gave."""

    grade: str
    reason: str
    name: str
    at: int
    sequence: int
    """Its journal entry: a lowering one covers the alarms that were raised before."""
    against: str | None
    """Lowered: the grade that was lowered. None: raised."""
    ended_at: int | None
    """When what the alarms make came to count again."""


class IncidentLink(Signed):
    """关联: another incident that a person says belongs to this one."""

    incident: int


class AccidentReport(TypedDict):
    """One step of the legal clock: ``alerting.accident`` names them."""

    step: str
    due: int
    done_at: int | None
    name: str | None
    overdue: bool
    """It was not marked done when it was due."""


class Accident(TypedDict):
    """事故, entered by a person. ``accident_class``: I (gravest) to IV; ``loss``: direct, in yuan."""

    accident_class: str
    dead: int
    injured: int
    """Seriously injured."""
    loss: float
    confirmed_at: int
    name: str
    at: int
    comment: str
    warning: str | None
    """Where the class contradicts the figures."""
    corrections: int
    reports: list[AccidentReport]


class Loop(TypedDict, total=False):
    """What the closed loop keeps of an incident, as JSON. Never changed in place: commits hold on to it."""

    required: list[str]
    """Steps that must be done before it is closed, by the table's version at the time."""
    table_version: int
    """Of the table that gave the last grade."""
    pushed_at: int
    fed_back_at: int
    desk_comment: str
    enterprise_comment: str
    enterprise_recorded_by: str
    """Of the desk, who recorded what the enterprise said by telephone."""
    proposal: Verification
    """A verification that waits for a second person."""
    verification: Verification
    steps: list[DisposalStep]
    feedback: list[Feedback]
    review: Review
    decision: Decision
    links: list[IncidentLink]
    attachments: list[int]
    accident: Accident
    comments: int
    reopened_at: int


@dataclass(slots=True)
class Incident:
    """警情: the alarms of one unit that belong together. Its id is the number of the journal entry that opened it."""

    id: int
    region: str
    enterprise: str
    unit: str
    hazard_level: int | None
    grade: Grade
    peak_grade: Grade
    reasons: list[dict[str, Any]]
    """Why this grade: ``{"rule": name, "params": {…}}``."""
    opened_at: int
    updated_at: int
    cleared_at: int | None = None
    """When the last member's condition left; None while any is in."""
    closed_at: int | None = None
    closed_by: str | None = None
    close_comment: str | None = None
    alarms_active: int = 0
    alarms_unacknowledged: int = 0
    alarms_total: int = 0
    sequence: int = 0
    state: IncidentState = IncidentState.TRIGGERED
    tier: int = 1
    """Who is told: 1 to 4 as the grades, 5: the city takes command. Never falls while the incident is open."""
    drill: int | None = None
    """演练: the drill that it belongs to."""
    acknowledge_by: int | None = None
    """Until when it is to be acknowledged; set by what runs the clocks."""
    feedback_by: int | None = None
    desk_acknowledged_at: int | None = None
    """Both acknowledgements are set aside when the grade rises to orange or red: that has been seen by nobody yet."""
    desk_acknowledged_by: str | None = None
    enterprise_acknowledged_at: int | None = None
    enterprise_acknowledged_by: str | None = None
    reopened: int = 0
    """How often it was reopened by a new alarm."""
    archived_at: int | None = None
    alarms_open: int = 0
    """Members that are not normal: in, latched or not acknowledged."""
    loop: Loop = field(default_factory=Loop)

    @property
    def unit_key(self) -> tuple[str, str]:
        """Enterprise and unit."""
        return self.enterprise, self.unit

    @property
    def is_open(self) -> bool:
        """Neither closed nor archived."""
        return self.closed_at is None

    @property
    def is_fed_back(self) -> bool:
        """The enterprise has said what was done, and that was not returned."""
        return self.state not in _BEFORE_FEEDBACK


@dataclass(frozen=True, slots=True)
class Entry:
    """台账记录, one entry of the journal. ``body`` is the exact text that is hashed."""

    sequence: int
    at: int
    kind: str
    enterprise: str | None
    alarm: int | None
    incident: int | None
    body: str
    hash: bytes


@dataclass(slots=True)
class Change:
    """What one commit writes, in full or not at all.

    ``inserts`` and ``upserts``: further rows by table name; an upsert replaces the row of the same primary key.
    """

    entries: list[Entry] = field(default_factory=list)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    inserts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    upserts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def insert(self, table: str, row: dict[str, Any]) -> None:
        """Add a row to a table of the ledger."""
        self.inserts.setdefault(table, []).append(row)

    def upsert(self, table: str, row: dict[str, Any]) -> None:
        """Add a row to a table of the ledger, or replace the one of the same primary key."""
        self.upserts.setdefault(table, []).append(row)

    @property
    def is_empty(self) -> bool:
        """Nothing to write."""
        return not (self.entries or self.alarms or self.incidents or self.inserts or self.upserts)

    def __len__(self) -> int:
        further = [*self.inserts.values(), *self.upserts.values()]
        return len(self.entries) + len(self.alarms) + len(self.incidents) + sum(map(len, further))


_BEFORE_FEEDBACK = frozenset(
    {
        IncidentState.TRIGGERED,
        IncidentState.PUSHED,
        IncidentState.ACKNOWLEDGED,
        IncidentState.VERIFIED,
        IncidentState.HANDLED,
    }
)
