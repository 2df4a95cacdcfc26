"""The closed loop of incidents."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add state, acknowledgements and what else the loop keeps; and attachments."""
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("state", sa.String(length=30), nullable=False, server_default="triggered"),
        sa.Column("tier", sa.SmallInteger(), nullable=False, server_default="1"),
        sa.Column("drill", sa.BigInteger(), nullable=True),
        sa.Column("acknowledge_by", sa.BigInteger(), nullable=True),
        sa.Column("feedback_by", sa.BigInteger(), nullable=True),
        sa.Column("desk_acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("desk_acknowledged_by", sa.Text(), nullable=True),
        sa.Column("enterprise_acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("enterprise_acknowledged_by", sa.Text(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("alarms_open", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("loop", sa.JSON(), nullable=False, server_default="{}"),
    )
    for column in columns:
        op.add_column("incident", column)
    # What is there already: what was closed was closed for good, and who is told is told by the grade.
    op.execute("UPDATE incident SET state = 'archived', archived_at = closed_at WHERE closed_at IS NOT NULL")
    op.execute("UPDATE incident SET tier = grade")
    op.create_index(op.f("ix_incident_archived_at"), "incident", ["archived_at"], unique=False)
    op.create_index(op.f("ix_incident_state"), "incident", ["state"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_incident"), "attachment", ["incident"], unique=False)


def downgrade() -> None:
    """Not offered: the journal is append-only."""
    raise NotImplementedError("restore the ledger from a backup to go back")
