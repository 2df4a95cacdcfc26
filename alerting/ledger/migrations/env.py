"""Alembic's environment: runs on the connection that ``Ledger.start`` hands over."""

from alembic import context

from alerting.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
