"""States, marks and suppressions of alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("state <> 'normal'")
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Add to the ledger."""
    for column in (
        sa.Column("suppression", sa.String(length=20), nullable=True),
        sa.Column("suppressed_until", sa.BigInteger(), nullable=True),
        sa.Column("suppression_reason", sa.Text(), nullable=True),
        sa.Column("suppressed_by", sa.Text(), nullable=True),
        sa.Column("first_out", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("chattering", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("calm_at", sa.BigInteger(), nullable=True),
        sa.Column("returning_at", sa.BigInteger(), nullable=True),
        sa.Column("stale", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("drill", sa.BigInteger(), nullable=True),
    ):
        op.add_column("alarm", column)
    op.create_index("ix_alarm_active", "alarm", ["id"], sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)
    op.create_table(
        "shelf",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("enterprise", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=200), nullable=False),
        sa.Column("tag", sa.String(length=200), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("alarm", sa.BigInteger(), nullable=False),
        sa.Column("drill", sa.BigInteger(), nullable=True),
        sa.Column("shelved_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_shelf")),
    )
    op.create_table(
        "maintenance",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("enterprise", sa.String(length=200), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("announced_at", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.create_index("ix_maintenance_open", "maintenance", ["id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "silence",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("silenced_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index("ix_silence_open", "silence", ["id"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def downgrade() -> None:
    """Not offered: the journal is append-only."""
    raise NotImplementedError("restore the ledger from a backup to go back")
