"""The whole service in one object: start, wait, stop. Tests run it in their own process on port 0."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from importlib import metadata
from typing import Any, TypeVar

import numpy as np
import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.alarms.register import Register
from alerting.announcer import Announcer
from alerting.desks import duty_room
from alerting.desks.duty_room import DutyRoom
from alerting.incidents.attachments import AttachmentStore
from alerting.incidents.closed_loop import ClosedLoopRules
from alerting.journal.keys import known_keys
from alerting.journal.sealing import Sealer
from alerting.ledger.ledger import Ledger
from alerting.notify.entries import Webhook
from alerting.notify.outbox import Outbox
from alerting.records import Change
from alerting.response.response import Response
from alerting.siteplans import plans as site_plans
from alerting.siteplans.images import PlanImages
from domain.clock import Clock
from domain.site import Site
from domain.transitions import Transition
from historian.forwarder import Forwarder, ForwarderCounters, ForwarderStatus
from historian.protocol import Historian
from ingest.decoder import Decoder
from ingest.embedded_broker import EmbeddedBroker
from ingest.links.protocol import LinkStatus, parse_broker_url
from rules.arrivals import Latest
from service import parts
from service.accounts import ApiToken
from service.accounts.book import AccountBook
from service.accounts.book import load as load_accounts
from service.accounts.control import AccountControl
from service.api.app import CONTEXT, create_app, serve
from service.api.live import LiveHub
from service.canary import RULE as CANARY_RULE
from service.canary import Canary
from service.changes.book import ChangeBook
from service.changes.control import ChangeControl
from service.changes.queries import kept_changes
from service.changes.shadow import Shadows
from service.clock import SystemClock
from service.conditions import BROKER, HISTORIAN, LEDGER, SPOOL, SystemConditions, channel_condition
from service.config import Settings
from service.drills.runner import DrillRunner
from service.evidence.making import EvidenceMaker
from service.gateways import Gateways
from service.health import Health
from service.kpi import KeyFigures, Scopes
from service.memory import settle_memory
from service.metrics import ServiceCollector
from service.pipeline import Pipeline
from service.receipts import Answers
from service.recovery import recover
from service.revisions.adoption import adopt
from service.revisions.matching import Matching
from service.revisions.replacement import Replacement, replacement_of
from service.revisions.reviser import Note, Reviser
from service.revisions.store import RevisionStore
from service.tasks import Tasks
from service.work import Told

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

TICK = 0.25
"""Seconds between looks at the clock."""
HEALTH_PERIOD = 2_000
"""ms between health messages on the WebSocket, but for a change, which is told at once."""
BROKER_GRACE = 1_000
"""ms without a connection before that is an alarm [ours]."""
DRAIN_PATIENCE = 5.0
"""Seconds that a stop waits for what was taken to be committed; what is not is not acknowledged, and comes again."""
VERSION = metadata.version("anshao")


class Application:
    """A running service. ``start``, then ``wait`` (returns when a part has failed), then ``stop``."""

    def __init__(self, settings: Settings, clock: Clock | None = None, *, complaint: str = "") -> None:
        """``complaint``: why the files cannot be used, where ``settings`` are of the newest revision instead."""
        self.settings = settings
        self._complaint = complaint
        self.clock: Clock = clock or SystemClock()
        self.started_at = self.clock.now()
        self.broker_port: int | None = None
        """Port of the broker in our own process, if there is one."""
        self.port = 0
        """The console's port."""
        self.version = VERSION
        self._tasks: Tasks | None = None
        self._stack = AsyncExitStack()

    # ---- life

    async def start(self) -> None:
        """Open everything, rebuild the state as it was, and begin.

        Raises LedgerUnavailable, LedgerConflict, SpoolBusy, KeyUnusable, OSError: without its ledger and its spool the
        service does not begin. A broker or historian that is away is waited for.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        settings, now, opened = self.settings, self.clock.now(), self._stack
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self.attachments = AttachmentStore(settings.data_dir / "attachments")
        await asyncio.to_thread(self.attachments.open)
        if settings.broker.embedded:
            broker = EmbeddedBroker(parse_broker_url(settings.broker.url)[1])
            self.broker_port = await broker.start()
            opened.push_async_callback(broker.stop)
        self._sealer = await asyncio.to_thread(Sealer.open, settings.data_dir)
        self._ledger = Ledger(settings.ledger.url.get_secret_value(), sealer=self._sealer)
        opened.push_async_callback(self._ledger.close)
        await self._ledger.start()
        store = RevisionStore(self._ledger.engine)
        adopted = await adopt(settings, store, now, self._complaint)
        settings = self.settings = adopted.settings
        memory = parts.memory_of(self.site)
        self.spool = await asyncio.to_thread(parts.open_spool, settings, memory)
        opened.callback(self.spool.close)
        self.engine = parts.make_engine(settings)
        self.register = await recover(
            settings, self._ledger, self.spool, self.engine, memory, now, VERSION, adopted.note
        )
        inside = [alarm.path for alarm in self.register.active.values() if alarm.rule_is_in and alarm.drill is None]
        await self._open_desks(now)
        self.conditions = SystemConditions(self.site, inside)
        self.conditions.set(LEDGER, now, inside=False)  # it has just taken the start
        self._historian = parts.make_historian(settings)
        opened.push_async_callback(self._historian.close)
        address = parts.broker_address(settings, self.broker_port)
        self._link = parts.make_link(settings, address, self.clock)
        opened.push_async_callback(self._link.stop)
        self._assemble(now)
        self.revisions = Reviser(store, adopted, self.clock, lambda: self.settings, self._take_configuration)
        self._announcer = Announcer(self._ledger, address)
        self._health = Health(self, VERSION)
        self.hub = LiveHub(self)
        self.response.escalation.is_watched = lambda: self.hub.clients > 0
        opened.push_async_callback(self.hub.close)
        registry = CollectorRegistry()
        registry.register(ServiceCollector(self))
        app = create_app(self, self.hub, registry, proxies=settings.console.proxies)
        self._context = app[CONTEXT]
        server = await serve(app, settings.console.host, settings.console.port)
        opened.push_async_callback(server.stop)
        opened.push_async_callback(self.revisions.close)
        self.port = server.port
        await self._link.start()
        self._begin()
        settle_memory()
        opened.callback(gc.unfreeze)
        log.info("service started", version=VERSION, port=self.port, tags=len(self.site.tags))

    async def _open_desks(self, now: int) -> None:
        """Desks, and who is told of what they have to do."""
        settings = self.settings
        self.duty_room = DutyRoom(
            self.site,
            self.register,
            now,
            settings.response.desks,
            unattended_after=settings.duty.unattended_after,
            state=await duty_room.load(self._ledger.engine, now),
        )
        self.response = Response(settings.response, self.site, self.register, self.duty_room.drills.circle_of)
        await self.response.load(self._ledger.engine, now)
        self.account_control = AccountControl(await self._load_accounts(), self)
        self.site_plans = await site_plans.load(self._ledger.engine, self.register.journal)
        self.site_plan_images = PlanImages(settings.data_dir / "site-plans")
        await asyncio.to_thread(self.site_plan_images.open)
        book = ChangeBook(self.register.journal, await kept_changes(self._ledger.engine))
        self._shadows = Shadows(book, lambda part: parts.make_engine(self.settings, part), lambda: self.engine)
        self.changes = ChangeControl(book, self._shadows, self, lambda: self.settings)

    def _assemble(self, now: int) -> None:
        settings = self.settings
        self._gateways = Gateways(
            self.site, self.conditions, settings.clock_tolerance, now, self.engine.latest.received_time
        )
        self._forwarder = Forwarder(
            self.spool,
            self._historian,
            self.clock,
            settings.data_dir / "refused",
            batch=settings.historian.batch,
            busy=lambda: self.pipeline.is_busy,
            on_change=self._historian_changed,
        )
        canary_rule = self.site.rule_row(CANARY_RULE)
        self.canary = Canary(
            self._link,
            self.conditions,
            self.clock,
            period=settings.canary.period,
            timeout=settings.canary.timeout,
            inside=bool(np.isin(canary_rule, self.engine.inside())),
        )
        webhooks = [Webhook(hook.name, hook.url, hook.secret.get_secret_value()) for hook in settings.webhooks]
        self.outbox = Outbox(
            self._ledger,
            webhooks,
            self.clock,
            settings.response,
            tuple(self.duty_room.desks),
            self.response.messages,
            self.act,
            self._channel_changed,
        )
        self._answers = Answers(self._link, self.clock)
        self.drills = DrillRunner(
            self.duty_room.drills, lambda: self.site, lambda: parts.make_engine(self.settings), settings.drills
        )
        self._shadows.resume(self.site, now)
        self.pipeline = Pipeline(
            link=self._link,
            decoder=Decoder(self.site, settings.future),
            engine=self.engine,
            make_retrospective=lambda: parts.make_engine(self.settings),
            register=self.register,
            ledger=self._ledger,
            spool=self.spool,
            conditions=self.conditions,
            gateways=self._gateways,
            clock=self.clock,
            answers=self._answers,
            listener=self,
            canary_rule=canary_rule,
            deliveries_for=self.outbox.deliveries_for,
            participants=(self.duty_room, self.response, self.changes.book, self._shadows),
            drilling=self.drills,
            shadows=self._shadows,
        )

    def _begin(self) -> None:
        self.engine.await_readings(self.clock.now())
        self._stack.push_async_callback(self.changes.close)
        tasks = self._tasks = Tasks()
        for work, name in (
            (self.pipeline.commit(), "commit"),
            (self.pipeline.watch_ledger(), "ledger watch"),
            (self._tick(), "tick"),
            (self._tell_health(), "health"),
            (self._forwarder.run(), "forwarder"),
            (self._announcer.run(), "announcer"),
            (self.outbox.run(), "outbox"),
            (self._answers.run(), "answers"),
            (self.canary.run(), "canary"),
            (self.drills.run(self._link, self.clock), "drills"),
            (self.changes.run(), "changes"),
            (self.hub.run(), "live"),
        ):
            tasks.spawn(work, name)
        self._stack.push_async_callback(tasks.end, "forwarder")
        self._stack.callback(self._forwarder.stop)
        self._stack.push_async_callback(self._finish_taking, tasks, tasks.spawn(self.pipeline.intake(), "intake"))

    async def wait(self) -> None:
        """Return only when a part of the service has failed: raises what it raised."""
        if self._tasks is not None:
            await asyncio.shield(self._tasks.failed)

    async def stop(self) -> None:
        """End in an order that loses nothing: take no more, commit and acknowledge what was taken, let go."""
        if self._tasks is not None:
            self._tasks.is_stopping = True
        await self._stack.aclose()
        log.info("service stopped")

    async def _finish_taking(self, tasks: Tasks, taking: asyncio.Task[None]) -> None:
        taking.cancel()
        await asyncio.wait([taking])
        if not tasks.failed.done():
            drained = asyncio.create_task(self.pipeline.drain())
            await asyncio.wait([drained, tasks.failed], timeout=DRAIN_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if not drained.done():
                log.warning("stopping with work that is not committed; the broker delivers it again")
            drained.cancel()

    # ---- what runs

    async def _tick(self) -> None:
        connected = False
        while True:
            now = self.clock.now()
            status = self._link.status
            if status.connected and not connected:
                self.engine.await_readings(now)
            connected = status.connected
            if connected or now - status.since >= BROKER_GRACE:
                self.conditions.set(BROKER, now, inside=not connected)
            filling = self.spool.fill >= self.settings.spool.warn_at
            self.conditions.set(SPOOL, now, inside=filling or not self.pipeline.is_storing)
            if self._forwarder.counters.batches:
                self.conditions.set(HISTORIAN, now, inside=not self._forwarder.status.ok)
            self.canary.advance(now)
            await self.pipeline.advance()
            await asyncio.sleep(TICK)

    async def _tell_health(self) -> None:
        told: tuple[str, ...] = ()
        told_at = 0
        while True:
            health = self.health()
            statuses = tuple(component["status"] for component in health["components"].values())
            now = self.clock.now()
            if statuses != told or abs(now - told_at) >= HEALTH_PERIOD:
                self.hub.publish_health(health)
                told, told_at = statuses, now
            await asyncio.sleep(TICK)

    def _historian_changed(self, status: ForwarderStatus) -> None:
        self.conditions.set(HISTORIAN, self.clock.now(), inside=not status.ok)

    def _channel_changed(self, channel: str, failing: bool) -> None:  # noqa: FBT001 - see ``Sending``
        path = channel_condition(channel)
        if self.conditions.has(path):
            self.conditions.set(path, self.clock.now(), inside=failing)

    def committed(self, told: Sequence[Told], canaries: Sequence[Transition]) -> None:
        """See ``pipeline.Listener``."""
        for canary in canaries:
            self.canary.arrived(canary.source_time, inside=canary.entered)
        if told:
            self.hub.publish(told)
            self._announcer.wake()
            self.outbox.wake()

    # ---- another configuration

    async def _take_configuration(self, settings: Settings, matching: Matching, note: Note) -> None:
        """Put new settings in place while everything runs: see ``revisions.Reviser``."""
        now = self.clock.now()
        made = await asyncio.to_thread(replacement_of, settings, matching, self.conditions, self.spool, now)

        def begin(register: Register, now: int, change: Change) -> None:
            note(register, now, change)
            register.reconfigure(settings.site, settings.grading_table, now, change)
            self.response.reconfigure(settings.response, settings.site)
            self.duty_room.reconfigure(settings.site, settings.response.desks, now, change)

        await self.pipeline.swap(begin, lambda: self._replace(made))
        log.info("configuration in place", held_up_ms=round(self.pipeline.swap_seconds * 1000))

    def _replace(self, made: Replacement) -> None:
        """Put in, at once, what was made anew; the register has been carried over already, and that is committed."""
        made.put_in(self.pipeline, self.register, self.conditions, self.spool)
        self.settings, self.engine, self._gateways = made.settings, made.engine, made.gateways
        self._shadows.reconfigure(made.matching, made.settings.site)
        self._context.views, self._context.catalogue = made.views, made.catalogue
        self.hub.reconfigure()
        self.outbox.reconfigure(made.settings.response, tuple(self.duty_room.desks))
        gc.freeze()  # as after the start: what was loaded stays

    # ---- what the API asks: see ``api.ports.ServicePort``

    @property
    def site(self) -> Site:
        """What is watched."""
        return self.settings.site

    @property
    def latest(self) -> Latest:
        """The newest sample of each tag."""
        return self.engine.latest

    async def _load_accounts(self) -> AccountBook:
        """A demonstration's accounts are let in on loopback only: their passwords were printed."""
        samples = self.settings.console.is_loopback
        return await load_accounts(self._ledger.engine, self.register.journal, samples=samples)

    @property
    def ledger(self) -> AsyncEngine:
        """For reading."""
        return self._ledger.engine

    @property
    def historian(self) -> Historian:
        """For reading."""
        return self._historian

    @property
    def tokens(self) -> Sequence[ApiToken]:
        """Bearer tokens of the main file."""
        tokens = self.settings.tokens
        return [ApiToken(each.name, each.sha256, each.role, each.expires_at, each.scope) for each in tokens]

    @property
    def accounts(self) -> AccountBook:
        """Accounts and sessions."""
        return self.account_control.book

    def sequence(self) -> int:
        """Number of the last committed journal entry."""
        return self.pipeline.committed_sequence

    @cached_property
    def key_figures(self) -> KeyFigures:
        """Key figures from the journal."""
        return KeyFigures(self.ledger, self.settings.kpi)

    def scopes(self) -> Scopes:
        """Whose key figures there are."""
        return Scopes(self.site, self.settings.response.desks)

    def evidence(self) -> EvidenceMaker:
        """What makes evidence, by the configuration as it is now."""
        keys = known_keys(self.settings.data_dir / "keys")
        return EvidenceMaker(
            self.ledger, self._historian, self.settings, self._sealer.key, keys, VERSION, self.attachments.path
        )

    @property
    def closed_loop(self) -> ClosedLoopRules:
        """What of the closed loop is data."""
        return self.register.casebook.rules

    def health(self) -> dict[str, Any]:
        """State of the chain."""
        return self._health.document()

    def gateways(self) -> list[dict[str, Any]]:
        """All gateways."""
        return [state.describe() for state in self._gateways.visible()]

    def gateway_counts(self) -> dict[str, int]:
        """Number of gateways by status."""
        return self._gateways.counts()

    def link_status(self) -> LinkStatus:
        """Whether the broker is there."""
        return self._link.status

    def historian_status(self) -> ForwarderStatus:
        """Whether samples reach the historian."""
        return self._forwarder.status

    def forwarder_counters(self) -> ForwarderCounters:
        """What the forwarder has done."""
        return self._forwarder.counters

    async def act(self, act: Callable[[Register, int, Change], Result]) -> Result:
        """Do what a person asks; returns after the commit."""
        return await self.pipeline.act(act)
