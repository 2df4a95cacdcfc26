"""Desks, floods, handovers and drills."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to the ledger."""
    op.create_table(
        "desk_state",
        sa.Column("desk", sa.String(length=200), nullable=False),
        sa.Column("flood_began_at", sa.BigInteger(), nullable=True),
        sa.Column("input_at", sa.BigInteger(), nullable=True),
        sa.Column("unattended_since", sa.BigInteger(), nullable=True),
        sa.Column("escalated", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("desk", name=op.f("pk_desk_state")),
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("desk", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("outgoing", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("captured", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=True),
        sa.Column("incoming", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_desk_id"), "handover", ["desk", "id"])
    op.create_index(op.f("ix_handover_signed_at"), "handover", ["signed_at"])
    op.create_table(
        "drill",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scenario", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("circle", sa.JSON(), nullable=False),
        sa.Column("leader", sa.Text(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill")),
    )
    op.create_index(op.f("ix_drill_ended_at"), "drill", ["ended_at"])


def downgrade() -> None:
    """Not offered: the journal is append-only."""
    raise NotImplementedError("restore the ledger from a backup to go back")
