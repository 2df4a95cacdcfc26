"""Signed heads of the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of the heads; the journal that is there is signed with the next commit."""
    op.create_table(
        "journal_head",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        *_statement(),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_journal_head")),
    )
    op.create_table(
        "journal_newest",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        *_statement(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_newest")),
    )


def _statement() -> list[sa.Column[object]]:
    return [
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
    ]


def downgrade() -> None:
    """Not offered: the journal is append-only."""
    raise NotImplementedError("restore the ledger from a backup to go back")
