"""Tables of the journal's signed heads: see ``alerting.journal.heads``."""

from sqlalchemy import BigInteger, Column, LargeBinary, SmallInteger, String, Table

from alerting.ledger.schema import metadata

journal_head = Table(
    "journal_head",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
"""One row for each day that had entries and is over."""

journal_newest = Table(
    "journal_newest",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
"""One row, of id 1, replaced with every commit that has entries."""
