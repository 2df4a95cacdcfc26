"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger to this revision."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Not offered: the journal is append-only."""
    raise NotImplementedError("restore the ledger from a backup to go back")
