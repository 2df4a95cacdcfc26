"""A ledger with a signed journal of a few days, to be tampered with."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from alerting.journal.audit import Findings, audit
from alerting.journal.heads import FILE
from alerting.journal.journal import Journal
from alerting.journal.keys import known_keys
from alerting.journal.sealing import Found, Sealer
from alerting.ledger.ledger import Ledger
from alerting.records import Change

DAY = 86_400_000
MORNING = 1_795_305_600_000
"""2026-11-22 08:00 in Asia/Shanghai, ms."""


@dataclass
class Signed:
    """A ledger, its folder and its journal, as the service has them."""

    url: str
    folder: Path
    ledger: Ledger
    journal: Journal
    found: Sequence[Found]

    async def enter(self, at: int, count: int = 1) -> None:
        """One commit with entries."""
        change = Change()
        for number in range(count):
            entry = self.journal.append(
                at, "alarm.entered", "王芳", {"value": 1.5 * number, "comment": "已派员 ☎"}, region="370783",
                enterprise="works" if number % 2 else None, unit="tankfarm", tag="GT-1", rule="HH",
                alarm=0 if number % 2 else None, incident=1,
            )  # fmt: skip
            change.entries.append(entry)
        await self.ledger.commit(change)

    async def audit(self) -> Findings:
        """What ``anshao journal verify`` finds."""
        return await audit(self.ledger.engine, self.folder / FILE, known_keys(self.folder / "keys"))

    async def faults(self) -> list[str]:
        """What is wrong."""
        return (await self.audit()).faults

    async def execute(self, statement: str, **values: object) -> None:
        """What somebody does to the database."""
        async with self.ledger.engine.begin() as connection:
            await connection.execute(text(statement), values)


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Signed]:
    """As a start of the service does it."""
    ledger = Ledger(url, sealer=Sealer.open(folder))
    try:
        await ledger.start()
        loaded = await ledger.load(settled_since=2**62)
        yield Signed(url, folder, ledger, Journal(loaded.sequence, loaded.last_hash), loaded.found)
    finally:
        await ledger.close()


def sqlite_url(folder: Path) -> str:
    """A file there."""
    return f"sqlite+aiosqlite:///{folder / 'ledger.sqlite'}"


@asynccontextmanager
async def days(url: str, folder: Path) -> AsyncIterator[Signed]:
    """Three days: 3 commits of 2 entries on each, so that two days are closed; 18 entries."""
    async with opened(url, folder) as signed:
        for day in range(3):
            for hour in range(3):
                await signed.enter(MORNING + day * DAY + hour * 3_600_000, 2)
        yield signed
