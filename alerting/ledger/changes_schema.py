"""Tables of change control. Times are ms UTC."""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table, Text

from alerting.ledger.schema import metadata

rule_change = Table(
    "rule_change",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("base_revision", Integer, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("course", JSON, nullable=False),
    Index(None, "state", "id"),
)
"""``id``: number of the journal entry that proposed it; ``rules``: what it changes; ``course``: what became of it."""

rule_change_act = Table(
    "rule_change_act",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False),
    Index(None, "change", "sequence"),
)
"""Which entries of the journal are the acts of a change."""

rule_change_backtest = Table(
    "rule_change_backtest",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("change", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Index(None, "change", "sequence"),
)
"""Finished backtests: ``sequence`` is the journal entry that has the digest, the SHA-256 of ``result``, a JSON text."""
