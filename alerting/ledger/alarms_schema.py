"""Tables of what lies over alarms: shelves, maintenance windows, silences of the sound. Times are ms UTC.

A row is kept after its end (``ended_at``); of a shelf only the last one of a condition: the journal has the others.
"""

from sqlalchemy import JSON, BigInteger, Column, Index, String, Table, Text, text

from alerting.ledger.schema import metadata

_OPEN = text("ended_at IS NULL")

shelf = Table(
    "shelf",
    metadata,
    Column("path", Text, primary_key=True),
    Column("region", String(20), nullable=False),
    Column("enterprise", String(200), nullable=False),
    Column("unit", String(200), nullable=False),
    Column("tag", String(200), nullable=False),
    Column("rule", String(200), nullable=False),
    Column("alarm", BigInteger, nullable=False),
    Column("drill", BigInteger),
    Column("shelved_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("ended_at", BigInteger),
)

maintenance = Table(
    "maintenance",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", String(10), nullable=False),
    Column("enterprise", String(200), nullable=False),
    Column("target", String(200), nullable=False),
    Column("region", String(20), nullable=False),
    Column("begins_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("announced_at", BigInteger, nullable=False),
    Column("began_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Index("ix_maintenance_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

silence = Table(
    "silence",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", String(10), nullable=False),
    Column("target", String(400), nullable=False),
    Column("regions", JSON, nullable=False),
    Column("silenced_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("second", Text),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Index("ix_silence_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
)
