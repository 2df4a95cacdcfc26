"""Tables of the configuration's revisions. Times are ms UTC."""

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, String, Table, Text

from alerting.ledger.schema import metadata

document = Table(
    "document",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Texts of all revisions, each once: ``digest`` is the SHA-256 of ``content`` in hex."""

revision = Table(
    "revision",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("roots", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("rules", LargeBinary, nullable=False),
)
"""``digest``: of the whole set of documents; ``rules``: which rules it changed, see ``service.revisions.versions``."""

revision_document = Table(
    "revision_document",
    metadata,
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("name", String(500), primary_key=True),
    Column("digest", String(64), nullable=False),
)
