"""Change control of a running service: what of it takes time, reads the historian, or makes a revision.

The acts themselves are the book's; they go down the pipeline's road like any act of a person.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from alerting.alarms.register import Register
from alerting.ledger.ledger import LedgerUnavailable
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from service.changes import queries
from service.changes.backtests import Backtests, Host, trial_of
from service.changes.book import FAULT, ChangeBook, harmless
from service.changes.change import InForce, RuleChange
from service.changes.edits import changed_rules
from service.changes.history import TooMuch
from service.changes.putting import entries_with, entries_without, proposal_of
from service.changes.shadow import Shadows
from service.changes.workshop import TrialFailed, Workshop
from service.config import ConfigurationError, Settings, format_faults
from service.config.tuned import Figures, TunedLimit
from service.revisions.reviser import Signed
from service.revisions.store import Revision

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
MOST_PREVIEWED = 3_000_000
"""Readings that a preview reads: a month of one tag at 1 Hz [ours]."""
PREVIEW_PATIENCE = 60.0
"""Seconds that one may take [ours]."""
LOOK = 0.5
"""Seconds between looks at what is due."""
TRIES = 3
"""So often a change is put on top of the newest revision, if another one comes meanwhile."""
SOURCE = "change"


class PreviewRefused(Exception):
    """It would be too much, or took too long; the message says what to do."""


class ChangeControl:
    """See the module. Run ``run`` as a task; ``close`` ends what is under way."""

    def __init__(
        self,
        book: ChangeBook,
        shadows: Shadows,
        service: Host,
        settings: Callable[[], Settings],
    ) -> None:
        self.book = book
        self.shadows = shadows
        self._service = service
        self._settings = settings
        self._workshop = Workshop(lambda: service.historian, lambda: settings().data_dir / "trials")
        self.backtests = Backtests(book, self._workshop, service, settings)
        self._applying = asyncio.Lock()

    async def run(self) -> None:
        """Put in force what is due; for ever."""
        while True:
            for known in self.book.due(self._service.clock.now()):
                await self._apply_due(known)
            await self.backtests.end_lost()
            await asyncio.sleep(LOOK)

    async def close(self) -> None:
        """Give up the backtest that is under way: the next start says so."""
        await self.backtests.close()
        await self._workshop.close()

    # ---- looking

    async def find(self, identity: int) -> RuleChange:
        """One change, also one that is over. Raises NotFound, LedgerUnavailable."""
        known = self.book.get(identity) or await queries.find(self._service.ledger, identity)
        if known is None:
            raise NotFound(f"there is no change {identity}; GET /api/v1/changes lists them")
        return known

    def tuned_by(self) -> dict[str, int | None]:
        """Paths of the rules that the tuned limits name, with the change that put each there."""
        return {limit.path: limit.change for limit in self._settings().tuned}

    # ---- acts

    async def propose(self, edits: Sequence[tuple[str, Figures]], name: str, reason: str, actor: str) -> RuleChange:
        """Propose figures by the rules' paths. Raises EditRefused, Conflict, LedgerUnavailable."""
        revision = self._service.revisions.current.number
        rules = await asyncio.to_thread(changed_rules, self._settings().site, edits)
        return await self._do(
            lambda register, now, change: self.book.propose(
                rules,
                name=name,
                actor=actor,
                reason=reason,
                revision=revision,
                site=register.site,
                now=now,
                change=change,
            )
        )

    async def backtest(self, identity: int, days: int, name: str, actor: str) -> RuleChange:
        """Begin a backtest over the last days; it goes on by itself. Raises NotFound, Conflict, LedgerUnavailable."""
        return await self.backtests.begin(await self._open(identity), days, name, actor)

    async def approve(self, identity: int, name: str, actor: str, comment: str) -> RuleChange:
        """See ``ChangeBook``; as those that follow. Raises NotFound, Conflict, LedgerUnavailable."""
        await self._open(identity)
        return await self._do(
            lambda register, now, change: self.book.approve(identity, name, actor, comment, register.site, now, change)
        )

    async def reject(self, identity: int, name: str, actor: str, comment: str) -> RuleChange:
        """Somebody is against it."""
        return await self._give_up(identity, self.book.reject, name, actor, comment)

    async def withdraw(self, identity: int, name: str, actor: str, comment: str) -> RuleChange:
        """Who proposed it takes it back."""
        return await self._give_up(identity, self.book.withdraw, name, actor, comment)

    async def shadow(self, identity: int, length: int, name: str, actor: str, comment: str) -> RuleChange:
        """Watch it in shadow for a time (ms), from now on."""
        known = await self._open(identity)
        site = self._settings().site
        try:
            road = await asyncio.to_thread(self.shadows.prepare, site, known)
        except KeyError as gone:
            raise Conflict(f"{gone.args[0]} is not there any more: withdraw or reject change {identity}") from None

        def begin(register: Register, now: int, change: Change) -> RuleChange:
            if register.site is not site:
                raise Conflict("the configuration was changed at this moment; try again")
            if not self.shadows.begin(road, now):
                raise Conflict(f"change {identity} cannot be watched: {FAULT}")
            begun = self.book.begin_shadow(identity, now + length, name, actor, comment, site, now, change)
            self.shadows.open(road)
            return begun

        return await self._do(begin)

    async def apply(self, identity: int, name: str, actor: str, comment: str, at: int | None) -> RuleChange:
        """Put it in force at once, or at a time (ms)."""
        await self._open(identity)
        if at is not None and at > self._service.clock.now():
            return await self._do(
                lambda register, now, change: self.book.schedule(
                    identity, at, name, actor, comment, register.site, now, change
                )
            )
        return await self._apply(identity, name, actor, comment)

    async def rollback(self, identity: int, name: str, actor: str, reason: str) -> RuleChange:
        """Put the figures back that held before it, of exactly its rules."""
        await self._open(identity)

        def entries(settings: Settings) -> tuple[tuple[TunedLimit, ...], dict[str, Any]]:
            return entries_without(settings, self.book.check_rollback(identity), name, reason)

        def note(in_force: InForce, register: Register, now: int, change: Change) -> None:
            del register
            self.book.rolled_back(identity, in_force, now, change)

        told = f"变更 {identity} 回退: {reason}"
        await self._revise(entries, note, Signed(actor, name, told, 0), reason)
        return await self.find(identity)

    # ---- preview

    async def preview(
        self, tag: str, figures: Mapping[str, Figures], begin: int, end: int
    ) -> tuple[bytes, dict[str, tuple[str, ...]]]:
        """What other figures of a tag's rules, by their keys, would have done: the result, and what is loosened.

        Raises EditRefused, PreviewRefused, HistorianUnavailable.
        """
        settings = self._settings()
        edits = [(f"{tag}/{key}", given) for key, given in figures.items()]
        rules = await asyncio.to_thread(changed_rules, settings.site, edits, proposed=False)
        labels = {rule.path: rule.key for rule in rules}
        trial = await asyncio.to_thread(trial_of, settings, rules, labels, (begin, end))
        try:
            async with asyncio.timeout(PREVIEW_PATIENCE):
                tried = await self._workshop.try_out("preview", trial, MOST_PREVIEWED, keep=True)
        except TooMuch as fault:
            raise PreviewRefused(str(fault)) from None
        except TimeoutError:
            raise PreviewRefused(f"it took longer than {PREVIEW_PATIENCE:.0f} s: ask for fewer days") from None
        except (TrialFailed, OSError) as fault:
            raise PreviewRefused(f"it could not be evaluated: {fault}") from None
        return tried.result, {rule.key: rule.loosened for rule in rules if rule.loosened}

    # ---- parts of acts

    async def _do(self, act: Callable[[Register, int, Change], RuleChange]) -> RuleChange:
        done: RuleChange = await self._service.act(harmless(act))
        return done

    async def _open(self, identity: int) -> RuleChange:
        """A change that something may be done to. Raises NotFound, or Conflict where it is over."""
        known = await self.find(identity)
        if self.book.get(identity) is None:
            state = known.state.value.replace("_", " ")
            raise Conflict(f"change {identity} is {state}: nothing is done to it any more; propose a new one")
        return known

    async def _give_up(
        self,
        identity: int,
        act: Callable[[int, str, str, str, int, Change], RuleChange],
        name: str,
        actor: str,
        comment: str,
    ) -> RuleChange:
        await self._open(identity)

        def end(register: Register, now: int, change: Change) -> RuleChange:
            del register
            ended = act(identity, name, actor, comment, now, change)
            self.backtests.cancel(identity)
            return ended

        return await self._do(end)

    async def _apply(self, identity: int, name: str, actor: str, comment: str) -> RuleChange:
        def entries(settings: Settings) -> tuple[tuple[TunedLimit, ...], dict[str, Any]]:
            return entries_with(settings, self.book.check_apply(identity, settings.site), name)

        def note(in_force: InForce, register: Register, now: int, change: Change) -> None:
            self.book.check_apply(identity, register.site)
            self.shadows.settle(identity, now, change)
            self.book.applied(identity, in_force, now, change)

        known = self.book.find(identity)
        told = f"变更 {identity}: {known.reason}"
        await self._revise(entries, note, Signed(actor, name, told, 0), comment)
        return await self.find(identity)

    async def _apply_due(self, known: RuleChange) -> None:
        """Whatever goes wrong here, alarms go on: it is said, and not tried again."""
        schedule = known.course["schedule"]
        try:
            await self._apply(known.id, schedule["name"], schedule["actor"], schedule["comment"])
        except LedgerUnavailable as fault:
            log.info("a change waits for the ledger", change=known.id, reason=str(fault))
        except (Conflict, NotFound) as fault:
            log.warning("a change could not be put in force at its time", change=known.id, reason=str(fault))
            await self._not_applied(known.id, str(fault))
        except Exception:
            log.exception("a change could not be put in force at its time", change=known.id)
            await self._not_applied(known.id, f"{FAULT}. Put it in force again")

    async def _not_applied(self, identity: int, why: str) -> None:
        try:
            await self._do(lambda _register, now, change: self.book.not_applied(identity, why, now, change))
        except LedgerUnavailable as fault:
            log.info("a change waits for the ledger", change=identity, reason=str(fault))
        except (Conflict, NotFound) as fault:  # somebody was quicker
            log.info("a change is not waited for any more", change=identity, reason=str(fault))

    async def _revise(
        self,
        entries: Callable[[Settings], tuple[tuple[TunedLimit, ...], dict[str, Any]]],
        note: Callable[[InForce, Register, int, Change], None],
        signed: Signed,
        comment: str,
    ) -> None:
        """Make a revision of the tuned limits, and put the act into its commit."""
        async with self._applying:
            for left in reversed(range(TRIES)):
                based_on = self._service.revisions.current.number
                settings = self._settings()
                limits, previous = entries(settings)

                def also(
                    made: Revision,
                    register: Register,
                    now: int,
                    change: Change,
                    previous: dict[str, Any] = previous,
                ) -> None:
                    in_force = InForce(
                        name=signed.author,
                        actor=signed.actor,
                        at=now,
                        comment=comment,
                        revision=made.number,
                        previous=previous,
                    )
                    note(in_force, register, now, change)

                try:
                    await self._service.revisions.revise(
                        proposal_of(settings, limits),
                        Signed(signed.actor, signed.author, signed.reason, based_on),
                        SOURCE,
                        harmless(also),
                    )
                except ConfigurationError as error:
                    raise Conflict(f"the limits do not fit together now: {format_faults(error.faults, 3)}") from None
                except Conflict:
                    if not left or self._service.revisions.current.number == based_on:
                        raise
                else:
                    return
