"""Backtests of changes: begun by a person, run beside the service, and their results put into the ledger."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Protocol, TypeVar

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.alarms.register import Register
from alerting.ledger.ledger import LedgerUnavailable
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from domain.clock import Clock
from historian.protocol import Historian, HistorianUnavailable
from service.changes.book import LOST, ChangeBook, harmless
from service.changes.change import ChangedRule, RuleChange
from service.changes.history import Span, TooMuch
from service.changes.trial import DAY, Trial, part_with
from service.changes.workshop import TrialFailed, Tried, Workshop
from service.config import Settings
from service.revisions.reviser import Reviser

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

MOST_READINGS = 20_000_000
"""That a backtest reads [ours]."""
PATIENCE = 1_800.0
"""Seconds that one may take [ours]."""
RETRY = 5.0
"""Seconds between tries to put a result into a ledger that is away."""


class Host(Protocol):
    """What change control needs of the service around it."""

    @property
    def ledger(self) -> AsyncEngine:
        """Where alarms, incidents, changes, the journal and the quarantine are read from."""
        ...

    @property
    def historian(self) -> Historian:
        """Where samples are read from."""
        ...

    @property
    def clock(self) -> Clock:
        """The service's time."""
        ...

    @property
    def revisions(self) -> Reviser:
        """The configuration as it holds, and its changes."""
        ...

    async def act(self, act: Callable[[Register, int, Change], Result]) -> Result:
        """Do what a person asks; returns once it is committed.

        Raises what ``act`` raises (NotFound, Conflict), and LedgerUnavailable.
        """
        ...


class Backtests:
    """One runs at a time. ``close`` gives up the one that is under way: the next start says so."""

    def __init__(self, book: ChangeBook, workshop: Workshop, service: Host, settings: Callable[[], Settings]) -> None:
        self._book = book
        self._workshop = workshop
        self._service = service
        self._settings = settings
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._progress: dict[int, tuple[str, float]] = {}
        self._beginning = 0
        """Backtests that are being begun at this moment."""

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def progress_of(self, identity: int) -> tuple[str | None, float]:
        """Stage of a backtest that is under way, and the part of the stage that is done."""
        return self._progress.get(identity, (None, 0.0))

    async def begin(self, known: RuleChange, days: int, name: str, actor: str) -> RuleChange:
        """Begin one over the last days; it goes on by itself. Raises NotFound, Conflict, LedgerUnavailable."""
        end = self._service.clock.now()
        stretch = end - days * DAY, end
        trial = await self._trial_of(known, stretch)
        self._beginning += 1
        try:
            begun: RuleChange = await self._service.act(
                harmless(
                    lambda register, now, change: self._book.begin_backtest(
                        known.id, days, stretch, name, actor, register.site, now, change
                    )
                )
            )
        finally:
            self._beginning -= 1
        self._progress[known.id] = ("reading", 0.0)
        task = asyncio.create_task(self._run(known, trial), name=f"backtest of change {known.id}")
        self._tasks[known.id] = task
        task.add_done_callback(lambda _: self._over(known.id))
        return begun

    def cancel(self, identity: int) -> None:
        """It is not wanted any more."""
        task = self._tasks.get(identity)
        if task is not None:
            task.cancel()

    async def end_lost(self) -> None:
        """End one that nobody is at: its beginning was committed after its caller had been told of a fault."""
        lost = self._book.backtesting()
        if lost is None or self._beginning or lost.id in self._tasks:
            return
        try:
            await self._service.act(
                harmless(
                    lambda _register, now, change: self._book.end_backtest(lost.id, "interrupted", LOST, now, change)
                )
            )
        except (LedgerUnavailable, Conflict, NotFound) as fault:
            log.info("a backtest that nobody is at could not be ended", change=lost.id, reason=str(fault))

    async def _trial_of(self, known: RuleChange, stretch: tuple[int, int]) -> Trial:
        settings = self._settings()
        try:
            labels = {rule.path: rule.path for rule in known.rules}
            return await asyncio.to_thread(trial_of, settings, known.rules, labels, stretch)
        except KeyError as gone:
            raise Conflict(f"{gone.args[0]} is not there any more: withdraw or reject change {known.id}") from None

    async def _run(self, known: RuleChange, trial: Trial) -> None:
        """Try the change out and put the result into the ledger, or why there is none."""

        def told(stage: str, part: float) -> None:
            self._progress[known.id] = stage, part

        try:
            async with asyncio.timeout(PATIENCE):
                tried = await self._workshop.try_out("backtest", trial, MOST_READINGS, told)
        except TimeoutError:
            await self._failed(known.id, f"it took longer than {PATIENCE / 60:.0f} min: ask for fewer days")
        except HistorianUnavailable as fault:
            remedy = fault.remedy or "begin it again when /api/v1/health shows the historian as ok"
            await self._failed(known.id, f"the historian is unavailable: {fault}; {remedy}")
        except (TooMuch, TrialFailed, OSError) as fault:
            await self._failed(known.id, str(fault))
        else:
            silent = _unheard(known, trial, tried.spans)
            if silent:
                await self._failed(known.id, f"the historian has no readings of {silent} in this time: take more days")
            else:
                await self._finished(known.id, tried)

    async def _finished(self, identity: int, tried: Tried) -> None:
        document = orjson.loads(tried.result)
        spans = {path: asdict(span) for path, span in tried.spans.items()}
        summary = {"readings": document["readings"], "counts": document["counts"], "tags": spans}
        digest = hashlib.sha256(tried.result).hexdigest()
        text = tried.result.decode()
        await self._persistently(
            lambda _register, now, change: self._book.finish_backtest(identity, text, digest, summary, now, change)
        )

    async def _failed(self, identity: int, detail: str) -> None:
        log.warning("a backtest has failed", change=identity, reason=detail)
        await self._persistently(
            lambda _register, now, change: self._book.end_backtest(identity, "failed", detail, now, change)
        )

    async def _persistently(self, act: Callable[[Register, int, Change], RuleChange]) -> None:
        """Do it once the ledger takes it. Where the change has gone on without it, it is not wanted any more."""
        while True:
            try:
                await self._service.act(harmless(act))
            except LedgerUnavailable:
                await asyncio.sleep(RETRY)
            except (Conflict, NotFound) as fault:
                log.info("a backtest is not wanted any more", reason=str(fault))
                return
            else:
                return

    def _over(self, identity: int) -> None:
        task = self._tasks.pop(identity, None)
        self._progress.pop(identity, None)
        if task is not None and not task.cancelled() and task.exception() is not None:
            log.error("a backtest has failed", change=identity, exc_info=task.exception())


def trial_of(
    settings: Settings, rules: Sequence[ChangedRule], labels: Mapping[str, str], stretch: tuple[int, int]
) -> Trial:
    """The rules as they are and as they shall be. Raises KeyError where one is gone."""
    site = settings.site
    rows = [site.rule_row(rule.path) for rule in rules]
    return Trial(
        before=part_with(site, rows, {}).site,
        after=part_with(site, rows, {rule.path: rule.after for rule in rules}).site,
        labels=labels,
        begin=stretch[0],
        end=stretch[1],
        lateness=settings.lateness,
        clock_tolerance=settings.clock_tolerance,
    )


def _unheard(known: RuleChange, trial: Trial, spans: Mapping[str, Span]) -> str:
    """A loosened rule of whose tags there was no reading: its backtest says nothing; empty if there is none."""
    site = trial.before
    for rule in known.rules:
        if not rule.loosened:
            continue
        extra = site.rules.extras.get(site.rule_row(rule.path))
        inputs = [site.tags[index].path for index in extra.inputs] if extra is not None else []
        heard = [spans[path].readings for path in (rule.tag_path, *inputs) if path in spans]
        if not any(heard):
            return rule.tag_path
    return ""
