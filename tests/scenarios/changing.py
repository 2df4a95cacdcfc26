"""A shift with change control: a real historian, a real process that evaluates, and the clock of the shift."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.alarms.register import Register
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.samples import SampleBlock
from historian.embedded import DuckDBHistorian
from ingest.links.protocol import Batch, LinkDown, Message
from service import parts
from service.changes import queries
from service.changes.book import ChangeBook
from service.changes.change import RuleChange
from service.changes.control import ChangeControl
from service.changes.shadow import Shadows
from service.config import Settings, load
from service.config.tuned import Figures
from service.revisions.adoption import adopt
from service.revisions.matching import Matching
from service.revisions.replacement import replacement_of
from service.revisions.reviser import Note, Reviser
from service.revisions.store import RevisionStore
from tests.scenarios.shift import EIGHT, Shift, Wire, begun
from tests.sent import Sent

Result = TypeVar("Result")

DAY = 86_400_000
PATIENCE = 60.0


class ChangingShift(Shift):
    """Everything of change control but the HTTP around it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.main = settings.file
        self.store = DuckDBHistorian(settings.data_dir / "history.duckdb")

    # ---- life

    async def begins(self) -> None:
        """As ``Application._start`` does it."""
        files = load(self.main, {})
        ledger = Ledger(files.ledger.url.get_secret_value())
        await ledger.start()
        adopted = await adopt(files, RevisionStore(ledger.engine), self.time)
        await ledger.close()
        self.settings = adopted.settings
        await super().begins()
        noted = Change()
        adopted.note(self.register, self.time, noted)
        if not noted.is_empty:
            await self.ledger.commit(noted)
        book = ChangeBook(self.register.journal, await queries.kept_changes(self.ledger.engine))
        self.shadows = Shadows(book, lambda part: parts.make_engine(self.settings, part), lambda: self.engine)
        self.shadows.resume(self.settings.site, self.time)
        self.revisions = Reviser(
            RevisionStore(self.ledger.engine), adopted, self, lambda: self.settings, self._take_configuration
        )
        self.control = ChangeControl(book, self.shadows, _Host(self), lambda: self.settings)
        self.pipeline._participants = (book, self.shadows)
        self.pipeline._shadows = self.shadows

    async def ends(self) -> None:
        """The process is gone."""
        await self.control.close()
        await self.store.close()
        await super().ends()

    async def _take_configuration(self, settings: Settings, matching: Matching, note: Note) -> None:
        made = await asyncio.to_thread(replacement_of, settings, matching, self.conditions, self.spool, self.time)

        def begin(register: Register, now: int, change: Change) -> None:
            note(register, now, change)
            register.reconfigure(settings.site, settings.grading_table, now, change)

        def finish() -> None:
            made.put_in(self.pipeline, self.register, self.conditions, self.spool)
            self.settings, self.engine, self.gateways = made.settings, made.engine, made.gateways
            self.shadows.reconfigure(made.matching, made.settings.site)

        await self.pipeline.swap(begin, finish)

    # ---- what happens

    async def gets(self, *messages: Sent, at: float | None = None) -> list[str]:
        """Messages arrive together; the watches in shadow see them after their commit, and tell with the next."""
        told = await super().gets(*messages, at=at)
        await self.shadows.catch_up()
        await self.pipeline._commit([])
        return told + self._since()

    async def does(self, act: Awaitable[Result]) -> Result:
        """Somebody acts, while commits go through as they do in a running service."""
        committing = asyncio.create_task(self.pipeline.commit())
        try:
            return await act
        finally:
            await self.pipeline.act(lambda _register, _now, _change: None)  # behind all that came before
            committing.cancel()
            await asyncio.gather(committing, return_exceptions=True)

    async def proposes(self, reason: str = "抖动", name: str = "李工", **figures: Any) -> RuleChange:
        """``GT_101_H={"setpoint": 12}``: the rule H of GT-101."""
        edits = []
        for rule, given in figures.items():
            tag, _, key = rule.rpartition("_")
            edits.append((f"works/{tag.replace('_', '-')}/{key}", Figures(**given)))
        return await self.does(self.control.propose(edits, name, reason, "tests"))

    async def backtests(self, identity: int, days: int = 2) -> RuleChange:
        """A backtest from its beginning to its end."""

        async def whole() -> RuleChange:
            await self.control.backtest(identity, days, "李工", "tests")
            async with asyncio.timeout(PATIENCE):
                while (known := self.change(identity)).course["backtest"]["state"] == "running":
                    await asyncio.sleep(0.02)
            return known

        return await self.does(whole())

    async def approved(self, days: int = 2, **figures: Any) -> RuleChange:
        """A change on which two persons agree."""
        known = await self.proposes(**figures)
        if known.loosens:
            await self.backtests(known.id, days)
        return await self.does(self.control.approve(known.id, "张强", "tests", ""))

    async def remembers(self, tag: str, seconds: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> None:
        """The historian has had these readings, at seconds before the shift's beginning."""
        at = (EIGHT + np.asarray(seconds) * 1000).astype(np.int64)
        count = len(at)
        good = np.full(count, 192, dtype=np.uint8)
        none = np.zeros(count, dtype=np.uint8)
        block = SampleBlock(np.zeros(count, dtype=np.int32), at, at + 100, values.astype(np.float64), good, none)
        await self.store.start()
        await self.store.write(block, [f"works/{tag}"])

    # ---- what there is to see

    def change(self, identity: int) -> RuleChange:
        """A change that is not over."""
        return self.control.book.find(identity)

    def setpoint(self, tag: str, key: str) -> float:
        """The limit in force."""
        site = self.settings.site
        return float(site.rules.setpoint[site.rule_row(f"works/{tag}/{key}")])

    async def entries(self, prefix: str) -> list[dict[str, Any]]:
        """The journal's entries of some kinds."""
        return [orjson.loads(entry.body) async for entry in self.ledger.entries() if entry.kind.startswith(prefix)]

    async def kinds(self, prefix: str = "change.") -> list[str]:
        """Their kinds, in order."""
        return [entry["kind"] for entry in await self.entries(prefix)]


class Inbox(Wire):
    """A link whose broker delivers these batches, and nothing more."""

    def __init__(self, *batches: Sent) -> None:
        super().__init__()
        self.acknowledged: list[Message] = []
        self._batches = iter(batches)

    async def messages(self) -> Batch:
        """As ``Link``."""
        for message in self._batches:
            return Batch(1, [message])
        raise LinkDown("nothing more")

    def acknowledge(self, generation: int, messages: Sequence[Message]) -> None:
        """As ``Link``."""
        assert generation == 1
        self.acknowledged.extend(messages)


class _Host:
    """The service around change control."""

    def __init__(self, shift: ChangingShift) -> None:
        self._shift = shift
        self.clock = shift

    @property
    def ledger(self) -> AsyncEngine:
        return self._shift.ledger.engine

    @property
    def historian(self) -> DuckDBHistorian:
        return self._shift.store

    @property
    def revisions(self) -> Reviser:
        return self._shift.revisions

    async def act(self, act: Callable[[Register, int, Change], Result]) -> Result:
        return await self._shift.pipeline.act(act)


@asynccontextmanager
async def changing(folder: Path, site: Mapping[str, Any]) -> AsyncIterator[ChangingShift]:
    """A shift from its beginning."""
    async with begun(ChangingShift, folder, site) as shift:
        yield shift
