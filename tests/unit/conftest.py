"""What several unit tests of the ledger share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerting.ledger.ledger import Ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite"
    found: str = request.getfixturevalue("postgres_url")
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
