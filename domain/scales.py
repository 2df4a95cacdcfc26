"""The scales that must stay apart: quality of a sample, level of a rule, grade of an incident."""

from enum import IntEnum, StrEnum


class Quality(IntEnum):
    """Quality of a sample, numbered as the classic OPC quality byte (0, 64, 192)."""

    BAD = 0
    UNCERTAIN = 64
    GOOD = 192


class QualityReason(IntEnum):
    """Why a sample is not GOOD, or what else there is to know of it."""

    NONE = 0
    SENSOR_FAULT = 1
    OUT_OF_RANGE = 2
    STALE = 3
    CLOCK = 4
    NOT_A_NUMBER = 5
    SENTINEL = 6
    GATEWAY_FLAG = 7
    LOCAL_TIME = 8
    """The quality is as it is, but the source time named no zone and was read as Asia/Shanghai."""


class Grade(IntEnum):
    """预警等级, the grade of an incident and of a single alarm; ordered, RED gravest."""

    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def label(self) -> str:
        """Lower-case name, as it is written in files and in the API."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> "Grade":
        """Grade from its lower-case name. Raises ValueError."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise ValueError(f"unknown grade {text!r}: use blue, yellow, orange or red") from None


class RuleKind(IntEnum):
    """What a rule watches."""

    HIGH = 0
    """value >= setpoint; leaves below setpoint - deadband."""
    LOW = 1
    """value <= setpoint; leaves above setpoint + deadband."""
    RISE = 2
    """Rise of the value over the window, per second, >= setpoint."""
    FALL = 3
    """Fall of the value over the window, per second, >= setpoint (a positive number)."""
    STALE = 4
    """No reading for a time, in received time."""
    BAD = 5
    """Quality BAD."""
    SYSTEM = 6
    """A condition of the service or of a gateway, set by the service and not by a sample."""
    DEVIATION = 7
    """Distance of the value from a reference (a constant, another tag, the tag's own moving median) >= setpoint."""
    STUCK = 8
    """All readings of the window lie within a band, the setpoint: the value does not move."""
    VOTE = 9
    """At least M of N tags are at or beyond the setpoint."""
    EXPRESSION = 10
    """A formula over tags of one enterprise holds."""
    T2 = 11
    """Hotelling's T2 of a unit's principal components >= setpoint: an unusual state."""
    SPE = 12
    """Squared prediction error of a unit's principal components >= setpoint: readings that do not go together."""

    @property
    def is_early_warning(self) -> bool:
        """Of statistics and not of a limit: may raise blue or yellow, never more by itself."""
        return self in (RuleKind.T2, RuleKind.SPE)


class Level(StrEnum):
    """报警级别, the level of a rule."""

    LL = "LL"
    L = "L"
    H = "H"
    HH = "HH"
    FAULT = "FAULT"

    @property
    def is_second(self) -> bool:
        """Second level: HH and LL, the second level of a gas detector included."""
        return self in (Level.HH, Level.LL)

    @property
    def is_first(self) -> bool:
        """First level: H and L, the first level of a gas detector and a rate of change included."""
        return self in (Level.H, Level.L)


class AlarmState(StrEnum):
    """States of ISA-18.2-2016 / IEC 62682, without the suppressions that are laid over them."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched_acknowledged"


class IncidentState(StrEnum):
    """States of an incident's closed loop; ``alerting.incidents.closed_loop`` has the table."""

    TRIGGERED = "triggered"
    """触发: open, nobody has been told yet."""
    PUSHED = "pushed"
    """已推送: somebody has been told."""
    ACKNOWLEDGED = "acknowledged"
    """企业已确认: the enterprise has acknowledged."""
    VERIFIED = "verified"
    """已核实."""
    HANDLED = "handled"
    """处置中: disposal steps are under way or done."""
    FEEDBACK = "feedback"
    """已反馈: the enterprise has said what was done."""
    REVIEWED = "reviewed"
    """已复核: the feedback is accepted."""
    CLOSED = "closed"
    """已关闭."""
    ARCHIVED = "archived"
    """已归档: nothing is changed any more."""

    @property
    def is_open(self) -> bool:
        """Neither closed nor archived."""
        return self not in (IncidentState.CLOSED, IncidentState.ARCHIVED)
