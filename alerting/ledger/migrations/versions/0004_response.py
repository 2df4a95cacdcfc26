"""Contacts, rosters, plans and messages."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to the ledger."""
    op.create_table(
        "acknowledge_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_acknowledge_code")),
    )
    op.create_index(op.f("ix_acknowledge_code_expires_at"), "acknowledge_code", ["expires_at"], unique=False)
    op.create_table(
        "call_back",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("drill", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_back")),
    )
    op.create_index(op.f("ix_call_back_done_at"), "call_back", ["done_at"], unique=False)
    op.create_index(op.f("ix_call_back_incident"), "call_back", ["incident"], unique=False)
    op.create_table(
        "escalation",
        sa.Column("incident", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("plan", sa.String(length=200), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.JSON(), nullable=False),
        sa.Column("acknowledge_by", sa.BigInteger(), nullable=True),
        sa.Column("feedback_by", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_escalation")),
    )
    op.create_index(op.f("ix_escalation_done_at"), "escalation", ["done_at"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=True),
        sa.Column("drill", sa.BigInteger(), nullable=True),
        sa.Column("contact", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("side", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("routes", sa.JSON(), nullable=False),
        sa.Column("route", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("undelivered_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_channel_next_attempt_at"), "message", ["channel", "next_attempt_at"], unique=False)
    op.create_index(op.f("ix_message_incident_id"), "message", ["incident", "id"], unique=False)
    op.create_index(op.f("ix_message_state"), "message", ["state"], unique=False)
    op.create_table(
        "message_attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_attempt")),
    )
    op.create_index(op.f("ix_message_attempt_message"), "message_attempt", ["message"], unique=False)


def downgrade() -> None:
    """Not offered: the journal is append-only."""
    raise NotImplementedError("restore the ledger from a backup to go back")
