"""What the ledger holds: alarms, incidents, journal entries. Times are ms UTC."""

from dataclasses import dataclass, field
from typing import Any

from domain.scales import AlarmState, Grade, Level, RuleKind

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

    @property
    def unit_key(self) -> tuple[str, str]:
        """Enterprise and unit."""
        return self.enterprise, self.unit


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
