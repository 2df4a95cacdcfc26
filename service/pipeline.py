"""The road of every reading: taken from the broker, evaluated, committed, and only then acknowledged and told.

Two stages run side by side. The first takes what has arrived, decodes and evaluates it. The second commits whatever
the first has made ready meanwhile, all in one go: samples to the spool on disk, transitions to the ledger. Time and
people's acts travel the same road. The order of commits is the order of evaluation.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from alerting.alarms.register import Register
from alerting.ledger.ledger import Ledger, LedgerUnavailable
from alerting.participation import Participant
from alerting.records import Change, Entry, Incident
from alerting.refusals import Conflict, NotFound
from domain.clock import Clock
from domain.samples import SampleBlock
from domain.transitions import Transition
from historian.spool import Spool, SpoolFull
from ingest.decoder import Decoded, Decoder
from ingest.intake import Refusal
from ingest.links.protocol import Link, LinkDown, Message
from rules.engine import RuleEngine
from service.changes.shadow import Shadows
from service.conditions import LEDGER, SPOOL, SystemConditions
from service.drills.runner import DrillRunner
from service.gateways import Gateways
from service.receipts import Answers
from service.work import Counters, LedgerStatus, Listener, Work, quarantined

log = structlog.get_logger(__name__)

SLICE = 4_096
"""Messages decoded and evaluated before the event loop gets its turn."""
BEHIND = 20_000
"""So many messages in one batch mean that we are behind: silence of a tag proves nothing then [ours]."""
LEDGER_SLOW = 5.0
"""Seconds after which a commit under way is said not to go through: nothing sounds meanwhile [ours]."""
LEDGER_WATCH = 2.0
"""Seconds between signs of life that the ledger is asked for."""
STALL = 2_000
"""ms between two looks at the clock after which readings may wait unread: silence proves nothing then either [ours]."""
ACT_TIMEOUT = 10.0
"""Seconds that a person waits for a commit."""
QUEUE = 8
"""Evaluated slices that may wait for their commit."""
RETRY_FIRST, RETRY_LONGEST = 0.1, 5.0
"""Seconds between tries to commit while the ledger is away."""

Result = TypeVar("Result")
Acted = tuple[Work, Any]


class Pipeline:
    """Owns the order of everything. ``run`` until cancelled or ``stop``."""

    def __init__(
        self,
        *,
        link: Link,
        decoder: Decoder,
        engine: RuleEngine,
        make_retrospective: Callable[[], RuleEngine],
        register: Register,
        ledger: Ledger,
        spool: Spool,
        conditions: SystemConditions,
        gateways: Gateways,
        clock: Clock,
        answers: Answers,
        listener: Listener,
        canary_rule: int,
        deliveries_for: Callable[[Sequence[Entry], int], Sequence[Mapping[str, Any]]],
        participants: Sequence[Participant] = (),
        drilling: DrillRunner | None = None,
        shadows: Shadows | None = None,
    ) -> None:
        self._link = link
        self._decoder = decoder
        self._engine = engine
        self._make_retrospective = make_retrospective
        self._retrospective: RuleEngine | None = None
        self._register = register
        self._ledger = ledger
        self._spool = spool
        self._conditions = conditions
        self._gateways = gateways
        self._clock = clock
        self._answers = answers
        self._listener = listener
        self._canary_rule = canary_rule
        self._deliveries_for = deliveries_for
        self._participants = participants
        self._drilling = drilling
        self._shadows = shadows
        self._commit_fails = False
        self._writing_since: float | None = None
        self._queue: asyncio.Queue[Work] = asyncio.Queue(QUEUE)
        self._in_order = asyncio.Lock()
        """Held from evaluation until the work is queued: work waits in the order in which it was evaluated."""
        self._advanced_at = clock.now()
        self.counters = Counters()
        self.ledger_status = LedgerStatus(ok=True, since=clock.now())
        self.committed_sequence = register.journal.sequence
        self.is_busy = False
        """More has arrived than one slice holds."""
        self.is_storing = True
        """The last readings were taken by the spool."""
        self.swap_seconds = 0.0
        """How long the last change of configuration held up the evaluation of readings."""

    # ---- first stage

    async def intake(self) -> None:
        """Take, decode and evaluate what arrives, until the link is stopped."""
        while True:
            try:
                batch = await self._link.messages()
            except LinkDown:
                return
            messages = batch.messages
            self.is_busy = len(messages) > SLICE
            if len(messages) >= BEHIND:
                self._engine.await_readings(self._clock.now())
            for start in range(0, len(messages), SLICE):
                part = messages[start : start + SLICE]
                async with self._in_order:
                    await self._hand_on(self._evaluate(batch.generation, part))
                await asyncio.sleep(0)

    async def advance(self) -> None:
        """Let time pass: to be called a few times a second."""
        async with self._in_order:
            now = self._clock.now()
            if now - self._advanced_at > STALL:
                self._engine.await_readings(now)
            self._advanced_at = now
            connected = self._link.status.connected
            self._gateways.advance(now, awaited_since=self._engine.awaited_since, connected=connected)
            # A gateway's loss comes before the silence of its tags, which follows from it.
            work = Work(transitions=self._conditions.take())
            found = self._engine.advance(now, connected=connected)
            work.transitions.extend(found)
            if self._shadows is not None:
                awaited = self._engine.awaited_since
                self._shadows.advance(now, connected=connected, awaited_since=awaited, transitions=found)
            if self._drilling is not None:
                work.of_drill = self._drilling.advance(now, connected=connected)
            await self._hand_on(work)

    async def _hand_on(self, work: Work) -> None:
        """To the second stage; what watches in shadow sees the same only then."""
        await self._queue.put(work)
        if self._shadows is not None:
            await self._shadows.catch_up()

    async def act(self, act: Callable[[Register, int, Change], Result]) -> Result:
        """Do what a person asks and commit it.

        Raises what ``act`` raises, and LedgerUnavailable while commits don't go through; it may be done later then.
        """
        if not self.ledger_status.ok:
            raise LedgerUnavailable(self.ledger_status.detail)
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ACT_TIMEOUT):
                await self._queue.put(Work(act=act, done=done))
                return await done
        except TimeoutError:
            raise LedgerUnavailable("the ledger did not answer in time; look whether the act was done") from None

    async def swap(self, begin: Callable[[Register, int, Change], Result], finish: Callable[[], None]) -> Result:
        """Change what readings are evaluated by, between two of them.

        What was evaluated before is committed by the old order; ``begin`` then carries the register over, and is
        committed; ``finish`` replaces the rest (``replace``); only then is anything evaluated again. ``begin`` may
        raise NotFound or Conflict as long as it has changed nothing. Raises LedgerUnavailable at once while commits
        don't go through; waits, and the road with it, if they cease to meanwhile.
        """
        if not self.ledger_status.ok:
            raise LedgerUnavailable(self.ledger_status.detail)
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        async with self._in_order:
            begun = asyncio.get_running_loop().time()
            await self._queue.put(Work(transitions=self._conditions.take(), act=begin, done=done, finish=finish))
            result = await done
            self.swap_seconds = asyncio.get_running_loop().time() - begun
            return result

    @property
    def engine(self) -> RuleEngine:
        """The rules in use."""
        return self._engine

    @property
    def gateways(self) -> Gateways:
        """What is known of the gateways."""
        return self._gateways

    def replace(
        self,
        *,
        decoder: Decoder,
        engine: RuleEngine,
        make_retrospective: Callable[[], RuleEngine],
        gateways: Gateways,
        canary_rule: int,
    ) -> None:
        """Evaluate what comes next by these; only in the ``finish`` of a swap."""
        self._decoder = decoder
        self._gateways = gateways
        self._engine = engine
        self._make_retrospective = make_retrospective
        self._retrospective = None
        self._canary_rule = canary_rule

    def _evaluate(self, generation: int, messages: Sequence[Message]) -> Work:
        now = self._clock.now()
        decoded: Decoded = self._decoder.decode(messages, now)
        begun: list[int] = []
        if decoded.statuses:
            tags = self._gateways.begun(decoded.statuses)
            self._engine.begin_anew(tags)
            if self._shadows is not None:
                self._shadows.begin_anew(tags)
            begun = tags.tolist()
        block = decoded.block
        live, late = self._engine.split_late(block)
        transitions = self._engine.evaluate(live)
        if self._shadows is not None:
            self._shadows.evaluate(live, transitions)
        canaries = [transition for transition in transitions if transition.rule == self._canary_rule]
        if canaries:
            transitions = [transition for transition in transitions if transition.rule != self._canary_rule]
        if len(late):
            transitions.extend(self._evaluate_late(late))
        self._gateways.take(decoded, now)
        transitions.extend(self._conditions.take())
        of_drill: list[Transition] = []
        if decoded.of_drills and self._drilling is not None:
            of_drill = self._drilling.evaluate(decoded.of_drills, now)
        counters = self.counters
        counters.messages += len(messages)
        counters.readings += len(block)
        counters.refused += len(decoded.refusals)
        counters.late += len(late)
        return Work(
            generation=generation,
            messages=messages,
            blocks=[block] if len(block) else [],
            transitions=transitions,
            of_drill=of_drill,
            refusals=decoded.refusals,
            receipts=decoded.receipts,
            canaries=canaries,
            begun=begun,
        )

    def _evaluate_late(self, late: SampleBlock) -> Iterator[Transition]:
        """Transitions of samples that come too late to raise anything, by rules of their own that begin all out."""
        if self._retrospective is None:
            self._retrospective = self._make_retrospective()
        for found in self._retrospective.evaluate(late):
            if found.rule != self._canary_rule:
                yield replace(found, retrospective=True)

    # ---- second stage

    async def commit(self) -> None:
        """Commit what is ready, for ever."""
        while True:
            works = [await self._queue.get()]
            while not self._queue.empty():
                works.append(self._queue.get_nowait())
            await self._commit(works)
            for _ in works:
                self._queue.task_done()

    async def watch_ledger(self) -> None:
        """Notice that the ledger is away also while there is nothing to commit; for ever."""
        while True:
            await asyncio.sleep(LEDGER_WATCH)
            try:
                await self._ledger.ping()
            except LedgerUnavailable as fault:
                self._ledger_down(str(fault))
            else:
                if self._is_stuck():
                    self._ledger_down("a commit has been under way for long")
                elif not self._commit_fails:
                    self._ledger_up()

    def _is_stuck(self) -> bool:
        """One connection may answer while the one that the commit has does not."""
        since = self._writing_since
        return since is not None and asyncio.get_running_loop().time() - since > LEDGER_SLOW

    async def drain(self) -> None:
        """Wait until everything evaluated so far is committed and answered."""
        await self._queue.join()
        await self._answers.drain()

    async def _commit(self, works: Sequence[Work]) -> None:
        now = self._clock.now()
        change = Change()
        acted = self._apply(works, now, change)
        self._register.advance(now, change)
        for participant in self._participants:
            participant.take_part(change, now)
        blocks = [block for work in works for block in work.blocks]
        refusals = [refusal for work in works for refusal in work.refusals]
        canaries = [canary for work in works for canary in work.canaries]
        pending = []
        if not change.is_empty or refusals or canaries:
            pending.append(self._write_ledger(change, refusals, canaries, now))
        if blocks:
            pending.append(self._write_spool(blocks, now))
        await asyncio.gather(*pending)
        self.counters.commits += 1
        self.committed_sequence = self._register.journal.sequence
        for work in works:
            if work.messages:
                # What could not be stored is not receipted: a gateway that keeps readings keeps it.
                self._answers.put(work.generation, work.messages, work.receipts if self.is_storing else ())
        for work, result in acted:
            if work.finish is not None:
                work.finish()
            if work.done is not None and not work.done.done():
                work.done.set_result(result)
        told = [
            (entry, change.alarms.get(entry.alarm or 0), self._incident_of(entry, change)) for entry in change.entries
        ]
        if told or canaries:
            self._listener.committed(told, canaries)

    def _apply(self, works: Sequence[Work], now: int, change: Change) -> list[Acted]:
        """Carry transitions and acts into the register; what people asked is answered after the commit."""
        acted: list[Acted] = []
        for work in works:
            self._register.begin_anew(work.begun)
            if work.transitions:
                self.counters.transitions += len(work.transitions)
                self._register.apply(work.transitions, now, change)
            if work.of_drill and self._drilling is not None:
                self._register.apply(self._drilling.still(work.of_drill), now, change)
            if work.act is not None and work.done is not None:
                try:
                    acted.append((work, work.act(self._register, now, change)))
                except (NotFound, Conflict) as refusal:
                    if not work.done.done():
                        work.done.set_exception(refusal)
        return acted

    async def _write_spool(self, blocks: Sequence[SampleBlock], now: int) -> None:
        try:
            await asyncio.to_thread(self._spool.append, blocks)
        except (SpoolFull, OSError):
            count = sum(map(len, blocks))
            self.counters.unstored += count
            log.exception("readings are evaluated but not stored", samples=count)
            self.is_storing = False
            self._conditions.set(SPOOL, now, inside=True)
        else:
            self.is_storing = True

    async def _write_ledger(
        self, change: Change, refusals: Sequence[Refusal], canaries: Sequence[Transition], now: int
    ) -> None:
        refused = [quarantined(refusal) for refusal in refusals]
        deliveries = self._deliveries_for(change.entries, now)
        delay = RETRY_FIRST
        self._writing_since = asyncio.get_running_loop().time()
        while True:
            try:
                await self._ledger.commit(change, refused, deliveries, canary=now if canaries else None)
            except LedgerUnavailable as fault:
                self._commit_fails = True
                self._ledger_down(str(fault))
                await asyncio.sleep(delay)
                delay = min(delay * 2, RETRY_LONGEST)
            else:
                self._commit_fails = False
                self._writing_since = None
                self._ledger_up()
                return

    def _ledger_down(self, detail: str) -> None:
        if self.ledger_status.ok:
            log.error("the ledger is away; nothing is acknowledged until it is back", reason=detail)
            self.ledger_status = LedgerStatus(ok=False, since=self._clock.now(), detail=detail)
            self._conditions.set(LEDGER, self._clock.now(), inside=True)

    def _ledger_up(self) -> None:
        if not self.ledger_status.ok:
            log.info("the ledger is back")
            self.ledger_status = LedgerStatus(ok=True, since=self._clock.now())
            self._conditions.set(LEDGER, self._clock.now(), inside=False)

    def _incident_of(self, entry: Entry, change: Change) -> Incident | None:
        if entry.incident is None:
            return None
        return change.incidents.get(entry.incident) or self._register.incidents.get(entry.incident)
