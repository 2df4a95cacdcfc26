"""What several unit tests of the ledger share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerting.ledger.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind for a ledger that starts with nothing in it."""
    return _url_of(request, tmp_path, "postgres_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same without any tables, for what makes older ones."""
    return _url_of(request, tmp_path, "empty_postgres_url")


def _url_of(request: pytest.FixtureRequest, folder: Path, postgres: str) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{folder}/ledger.sqlite"
    found: str = request.getfixturevalue(postgres)
    return found


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Ledger]:
    """A ledger with its tables."""
    async with opened(url) as found:
        yield found


@asynccontextmanager
async def opened(url: str, *, quarantine_limit: int = 250_000) -> AsyncIterator[Ledger]:
    """One process's ledger."""
    found = Ledger(url, quarantine_limit=quarantine_limit)
    try:
        await found.start()
        yield found
    finally:
        await found.close()
