"""Tables of site plans and the places of tags on them. Times are ms UTC."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table, Text

from alerting.ledger.schema import metadata

site_plan = Table(
    "site_plan",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("enterprise", String(200), nullable=False),
    Column("unit", String(200), nullable=True),
    Column("title", Text, nullable=False),
    Column("type", String(40), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("removed_at", BigInteger, nullable=True),
    Index(None, "enterprise"),
)
"""``unit`` null: of the whole enterprise; ``version``: number of the last journal entry about it."""

site_plan_tag = Table(
    "site_plan_tag",
    metadata,
    Column("plan", BigInteger, primary_key=True, autoincrement=False),
    Column("tag", String(200), primary_key=True),
    Column("x", Float, nullable=True),
    Column("y", Float, nullable=True),
)
"""``x`` and ``y``: fractions of width and height from the upper left corner; null: it was taken off."""
