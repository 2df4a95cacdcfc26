"""Tables of the ledger. Times are ms UTC; grades are numbers (1 blue to 4 red) so that they sort."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

ALARM_IS_ACTIVE = "state <> 'normal'"
"""Of the table ``alarm``."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives automatic numbers only to INTEGER.
_AutoNumber = BigInteger().with_variant(Integer, "sqlite")

journal = Table(
    "journal",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("enterprise", String(200)),
    Column("alarm", BigInteger),
    Column("incident", BigInteger),
    Column("body", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "alarm"),
    Index(None, "incident"),
    Index(None, "kind", "sequence"),
    Index(None, "at"),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("region", String(20), nullable=False),
    Column("enterprise", String(200), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("tag", String(200), nullable=False),
    Column("rule", String(200), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("level", String(10), nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("state", String(30), nullable=False),
    Column("condition", Boolean, nullable=False),
    Column("latching", Boolean, nullable=False),
    Column("value", Float),
    Column("setpoint", Float),
    Column("engineering_unit", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("gas", String(20)),
    Column("rule_version", Integer, nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("transition_at", BigInteger, nullable=False),
    Column("activations", Integer, nullable=False),
    Column("returned_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("comment", Text),
    Column("incident", BigInteger),
    Column("sequence", BigInteger, nullable=False),
    Column("suppression", String(20)),
    Column("suppressed_until", BigInteger),
    Column("suppression_reason", Text),
    Column("suppressed_by", Text),
    Column("first_out", Boolean, nullable=False),
    Column("chattering", Boolean, nullable=False),
    Column("calm_at", BigInteger),
    Column("returning_at", BigInteger),
    Column("stale", Boolean, nullable=False),
    Column("cause", Text),
    Column("drill", BigInteger),
    Index(None, "state"),
    Index(None, "incident"),
    Index(None, "received_at"),
    # The condition stands in the queries as it stands here, as a literal: or else no planner takes the index.
    Index("ix_alarm_active", "id", sqlite_where=text(ALARM_IS_ACTIVE), postgresql_where=text(ALARM_IS_ACTIVE)),
)

incident = Table(
    "incident",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("region", String(20), nullable=False),
    Column("enterprise", String(200), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("hazard_level", SmallInteger),
    Column("grade", SmallInteger, nullable=False),
    Column("peak_grade", SmallInteger, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("closed_by", Text),
    Column("close_comment", Text),
    Column("alarms_active", Integer, nullable=False),
    Column("alarms_unacknowledged", Integer, nullable=False),
    Column("alarms_total", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("state", String(30), nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("drill", BigInteger),
    Column("acknowledge_by", BigInteger),
    Column("feedback_by", BigInteger),
    Column("desk_acknowledged_at", BigInteger),
    Column("desk_acknowledged_by", Text),
    Column("enterprise_acknowledged_at", BigInteger),
    Column("enterprise_acknowledged_by", Text),
    Column("reopened", Integer, nullable=False),
    Column("archived_at", BigInteger),
    Column("alarms_open", Integer, nullable=False),
    Column("loop", JSON, nullable=False),
    Index(None, "closed_at"),
    Index(None, "archived_at"),
    Index(None, "state"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("incident", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(40), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "incident"),
)
"""Photos and documents that belong to incidents; the bytes are in files named by their SHA-256."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _AutoNumber, primary_key=True, autoincrement=True),
    Column("received_at", BigInteger, nullable=False),
    Column("enterprise", String(200)),
    Column("gateway", String(200)),
    Column("topic", Text, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("payload_bytes", BigInteger, nullable=False),
    Index(None, "enterprise", "gateway", "id"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", _AutoNumber, primary_key=True, autoincrement=True),
    Column("channel", String(200), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    Column("last_error", Text),
    Index(None, "state", "next_attempt_at"),
    Index(None, "sequence"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)
"""How far a follower of the journal has come (the MQTT alarm topic)."""

# Each chapter's tables stand in a module of their own, on the same metadata.
from alerting.ledger import accounts_schema as _accounts  # noqa: E402, F401
from alerting.ledger import alarms_schema as _alarms  # noqa: E402, F401
from alerting.ledger import changes_schema as _changes  # noqa: E402, F401
from alerting.ledger import desks_schema as _desks  # noqa: E402, F401
from alerting.ledger import response_schema as _response  # noqa: E402, F401
from alerting.ledger import revisions_schema as _revisions  # noqa: E402, F401
from alerting.ledger import siteplans_schema as _siteplans  # noqa: E402, F401
