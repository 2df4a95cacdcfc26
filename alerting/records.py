"""What the ledger holds: alarms, incidents, journal entries. Times are ms UTC."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict

from domain.scales import AlarmState, Grade, IncidentState, Level, RuleKind
from domain.site import GATEWAY_UNIT

SERVICE = "anshao"
"""Actor of everything that no person does."""
_UNACKNOWLEDGED = frozenset(
    {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.LATCHED_UNACKNOWLEDGED}
)


class Suppression(StrEnum):
    """抑制: what keeps an alarm from being annunciated. Where several lie over it, the first of this order shows."""

    OUT_OF_SERVICE = "out_of_service"
    """停用: by a maintenance window."""
    BY_DESIGN = "by_design"
    """设计抑制: by a condition that its rule names."""
    SHELVED = "shelved"
    """搁置: by a person, with reason and expiry."""


def drill_prefix(drill: int | None) -> str:
    """What the path of a condition begins with in a drill; empty for the real ones."""
    return "" if drill is None else f"drill:{drill}:"


def unit_key(enterprise: str, unit: str, drill: int | None = None) -> tuple[str, str]:
    """What the alarms of a unit are kept together by: a drill's never come together with real ones."""
    return (enterprise, unit) if drill is None else (enterprise, f"{unit}\0drill:{drill}")


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
    suppression: Suppression | None = None
    """What lies over it: it is not annunciated then."""
    suppressed_until: int | None = None
    suppression_reason: str | None = None
    suppressed_by: str | None = None
    """The person, or of a suppression by design the path of the condition."""
    first_out: bool = False
    """首出: the first process alarm of its unit after a calm."""
    chattering: bool = False
    """抖动: three or more transitions a minute, and not calm since."""
    calm_at: int | None = None
    """When it will have been calm for long enough, unless it toggles again."""
    returning_at: int | None = None
    """The condition left, and the return is damped until then; meanwhile ``condition`` stays as it is."""
    stale: bool = False
    """长期报警: in for more than 24 h."""
    cause: str | None = None
    """Path of the condition that it follows from."""
    drill: int | None = None
    """演练: the drill that it belongs to."""

    @property
    def rule_path(self) -> str:
        """``enterprise/tag/rule``: its rule in the site."""
        return f"{self.enterprise}/{self.tag}/{self.rule}"

    @property
    def path(self) -> str:
        """The identity of its condition: ``rule_path``, in a drill after ``drill:<id>:``."""
        return f"{drill_prefix(self.drill)}{self.enterprise}/{self.tag}/{self.rule}"

    @property
    def unit_key(self) -> tuple[str, str]:
        """Whose incident it belongs to: that of its unit, or of the gateway whose loss it follows from."""
        return unit_key(self.enterprise, GATEWAY_UNIT if self.follows_lost_link else self.unit, self.drill)

    @property
    def follows_lost_link(self) -> bool:
        """Its tag is silent because the gateway is lost: part of the link's incident, no reason for a grade."""
        return self.kind is RuleKind.STALE and self.cause is not None and self.cause.endswith("/LINK")

    @property
    def is_unacknowledged(self) -> bool:
        """Somebody has yet to acknowledge it."""
        return self.state in _UNACKNOWLEDGED

    @property
    def is_annunciated(self) -> bool:
        """It stands in the list of the duty officer: not normal, and nothing lies over it."""
        return self.suppression is None and self.state is not AlarmState.NORMAL

    @property
    def counts(self) -> bool:
        """Whether it makes the grade of its unit."""
        return (
            self.condition
            and self.suppression is None
            and self.state is not AlarmState.NORMAL
            and not self.follows_lost_link
        )

    @property
    def rule_is_in(self) -> bool:
        """What its rule says: a condition whose return is only damped is out."""
        return self.condition and self.returning_at is None


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
    sequence: int
    """Its journal entry: alarms that are raised later it does not cover."""


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
    """One step of the legal clock: ``alerting.incidents.accident`` names them."""

    step: str
    asked_at: int | None
    """Since when it is asked for, where a correction of the class brought it."""
    due: int
    done_at: int | None
    name: str | None
    overdue: bool
    """It was not made when it was due."""


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
    """When the last of its conditions left; None while any is in, suppressed or not."""
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
        """Whose incident it is: see the function."""
        return unit_key(self.enterprise, self.unit, self.drill)

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
    ``removals``: primary keys by table name, of rows that go after that.
    """

    entries: list[Entry] = field(default_factory=list)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    inserts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    upserts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    removals: dict[str, list[Any]] = field(default_factory=dict)

    def insert(self, table: str, row: dict[str, Any]) -> None:
        """Add a row to a table of the ledger."""
        self.inserts.setdefault(table, []).append(row)

    def upsert(self, table: str, row: dict[str, Any]) -> None:
        """Add a row to a table of the ledger, or replace the one of the same primary key."""
        self.upserts.setdefault(table, []).append(row)

    def remove(self, table: str, key: Any) -> None:
        """Take the row of this primary key, if it is there, out of a table of the ledger for good."""
        self.removals.setdefault(table, []).append(key)

    @property
    def is_empty(self) -> bool:
        """Nothing to write."""
        return len(self) == 0

    def __len__(self) -> int:
        further = [*self.inserts.values(), *self.upserts.values(), *self.removals.values()]
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
