"""Migrations run once in a process; other empty SQLite ledgers are given the tables that came of them."""

from collections.abc import Callable
from importlib import import_module

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine


class Migrated:
    """In place of ``alerting.ledger.database.migrate``, which it calls wherever there is more to do."""

    def __init__(self, migrate: Callable[[Connection], None]) -> None:
        self._migrate = migrate
        self._tables: list[str] = []
        """Statements that make the tables, and their indexes, of the newest revision."""
        self._revision = ""

    def __call__(self, connection: Connection) -> None:
        """Bring the tables to the newest revision."""
        if connection.dialect.name != "sqlite":
            self._migrate(connection)
        elif _statements(connection):
            if not self._revision or _revision(connection) != self._revision:
                self._migrate(connection)
        elif self._tables:
            for statement in self._tables:
                connection.exec_driver_sql(statement)
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": self._revision})
        else:
            self._migrate(connection)
            self._tables, self._revision = _statements(connection), _revision(connection)


async def migrate_empty(url: str) -> None:
    """Run all migrations on a database."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(import_module("alerting.ledger.ledger").migrate)
    await engine.dispose()


def _statements(connection: Connection) -> list[str]:
    """What makes all that is in the database; SQLite makes its own tables and indexes itself."""
    made = connection.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    )
    return list(made.scalars())


def _revision(connection: Connection) -> str:
    known = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    return ",".join(known)
