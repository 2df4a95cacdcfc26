"""The database beneath the ledger: its tables brought up to date, SQLite settings, which errors pass by themselves."""

from importlib import resources
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

_PASSING = frozenset({"08", "25", "40", "53", "55", "57", "58", "XX"})
"""Classes of SQLSTATE that say how the server is and not what we sent: connection, read-only standby, rollback,
resources, locks, shutdown, input and output, damage."""


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("alerting.ledger") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def tune_sqlite(connection: Any, _record: object) -> None:
    """WAL, and synced at every commit so that a power cut loses none."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def passes(fault: DBAPIError) -> bool:
    """Whether the same statement may be taken later."""
    if isinstance(fault, OperationalError):
        # SQLite's: locked, full, read-only; SQLITE_ERROR alone is a statement that it does not understand.
        return getattr(fault.orig, "sqlite_errorname", None) != "SQLITE_ERROR"
    return fault.connection_invalidated or str(getattr(fault.orig, "sqlstate", None))[:2] in _PASSING


def why(fault: BaseException) -> str:
    """What happened, in a line."""
    origin = getattr(fault, "orig", None) or fault
    text = str(origin) or "the database did not answer in time"
    return f"{type(origin).__name__}: {text}"[:300]
