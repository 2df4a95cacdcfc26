"""Tables of accounts and their sessions. Times are ms UTC."""

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text, false

from alerting.ledger.schema import metadata

account = Table(
    "account",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("region", String(20), nullable=True),
    Column("enterprise", String(200), nullable=True),
    Column("sample", Boolean, nullable=False, server_default=false()),
    Column("password", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("totp", Text, nullable=True),
    Column("made_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger, nullable=True),
)
"""``region``, ``enterprise``: what it is bound to; ``password``: an argon2id hash as PHC string; ``must_change``: it
was given out; ``totp``: the secret, base32; ``sample``: a demonstration has printed its password."""

account_session = Table(
    "account_session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Index(None, "account"),
    Index(None, "ends_at"),
)
"""``digest``: SHA-256 of the cookie's token, hex; ``ends_at``: it counts until then. One that has ended is removed; the
journal keeps what happened."""
