"""Tables of the response: escalation, messages and their tries, one-time codes, calls back. Times are ms UTC."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, Text

from alerting.ledger.schema import metadata

_AutoNumber = BigInteger().with_variant(Integer, "sqlite")

escalation = Table(
    "escalation",
    metadata,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    Column("tier", SmallInteger, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("plan", String(200)),
    Column("began_at", BigInteger, nullable=False),
    Column("pending", JSON, nullable=False),
    Column("acknowledge_by", BigInteger),
    Column("feedback_by", BigInteger),
    Column("done_at", BigInteger),
    Index(None, "done_at"),
)
"""The clock of an incident. ``pending``: steps of the plan yet to come, as [index in its schedule, due at]."""

message = Table(
    "message",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("incident", BigInteger),
    Column("drill", BigInteger),
    Column("contact", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("side", String(20), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("tier", SmallInteger, nullable=False),
    Column("step", Integer, nullable=False),
    Column("language", String(10), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("routes", JSON, nullable=False),
    Column("route", Integer, nullable=False),
    Column("channel", String(200)),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_attempt_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("read_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("undelivered_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("digest", BigInteger),
    Column("last_error", Text),
    Index(None, "incident", "id"),
    Index(None, "channel", "next_attempt_at"),
    Index(None, "state"),
)
"""``routes``: [channel, address] in the order in which they are tried; ``route``: the one whose turn it is, ``tries``
on it since its turn came; ``channel``: its name, None while the message waits for a digest or goes nowhere."""

message_attempt = Table(
    "message_attempt",
    metadata,
    Column("id", _AutoNumber, primary_key=True, autoincrement=True),
    Column("message", BigInteger, nullable=False),
    Column("channel", String(200), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("error", Text),
    Index(None, "message"),
)

acknowledge_code = Table(
    "acknowledge_code",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("message", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index(None, "expires_at"),
)
"""One-time codes, by their SHA-256 in hex; the codes themselves are stored nowhere."""

call_back = Table(
    "call_back",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("incident", BigInteger, nullable=False),
    Column("drill", BigInteger),
    Column("made_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("overdue", Boolean, nullable=False),
    Column("done_at", BigInteger),
    Column("done_by", Text),
    Column("comment", Text),
    Index(None, "incident"),
    Index(None, "done_at"),
)
"""回呼: somebody has to call the site. Its id is the number of the journal entry that asks for it."""
