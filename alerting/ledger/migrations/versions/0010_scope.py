"""What an account is bound to: a region or an enterprise, neither: the whole site; and which accounts are samples."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to the ledger."""
    op.add_column("account", sa.Column("region", sa.String(length=20), nullable=True))
    op.add_column("account", sa.Column("enterprise", sa.String(length=200), nullable=True))
    op.add_column("account", sa.Column("sample", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Not offered: the journal is append-only."""
    raise NotImplementedError("restore the ledger from a backup to go back")
