"""Tables of desks, handovers and drills. Times are ms UTC."""

from sqlalchemy import JSON, BigInteger, Column, Index, String, Table, Text

from alerting.ledger.schema import metadata

desk_state = Table(
    "desk_state",
    metadata,
    Column("desk", String(200), primary_key=True),
    Column("flood_began_at", BigInteger),
    Column("input_at", BigInteger),
    Column("unattended_since", BigInteger),
    Column("escalated", JSON, nullable=False),
)
"""What a desk's flood and attendance go on from after a start."""

handover = Table(
    "handover",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("desk", String(200), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("outgoing", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("captured", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("signed_at", BigInteger),
    Column("incoming", Text),
    Column("comment", Text),
    Index(None, "desk", "id"),
    Index(None, "signed_at"),
)
"""``captured``: JSON text of what was outstanding; ``digest``: its SHA-256, which the journal has too."""

drill = Table(
    "drill",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("scenario", String(200), nullable=False),
    Column("name", Text, nullable=False),
    Column("units", JSON, nullable=False),
    Column("circle", JSON, nullable=False),
    Column("leader", Text, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Column("reason", Text),
    Index(None, "ended_at"),
)
"""``plan``: the scenario as it was when the drill began."""
