"""A service behind the API: a small site, a real ledger with rows in it, and acts that do as the register does."""

import copy
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.alarms.register import Register
from alerting.desks.duty_room import DutyRoom
from alerting.incidents.attachments import AttachmentStore
from alerting.incidents.closed_loop import ClosedLoopRules
from alerting.incidents.grading import load_grading
from alerting.incidents.incidents import Incidents
from alerting.journal.journal import Journal
from alerting.journal.keys import SigningKey
from alerting.kpi.targets import load_targets
from alerting.ledger.ledger import Ledger, Refused
from alerting.notify.outbox import Outbox
from alerting.records import Alarm, Change, Entry, Incident
from alerting.refusals import Conflict, NotFound
from alerting.response.response import Response
from alerting.siteplans.images import PlanImages
from alerting.siteplans.plans import SitePlans
from domain.clock import iso
from domain.samples import SampleBlock
from domain.scales import AlarmState, Grade, IncidentState, Level, RuleKind
from domain.site import Enterprise, Gateway, Region, Rule, RuleTable, Site, Tag, Unit
from historian.protocol import Buckets, HistorianUnavailable, Samples
from ingest.decoder import live_clock
from rules.arrivals import Latest
from rules.engine import RuleEngine, TagColumns
from service.accounts import ApiToken
from service.accounts.book import AccountBook
from service.accounts.control import AccountControl
from service.accounts.passwords import Passwords
from service.api import create_app
from service.api.live import LiveHub
from service.changes.book import ChangeBook
from service.changes.control import ChangeControl
from service.changes.shadow import Shadows
from service.config import Settings
from service.config.response_file import shipped_book
from service.drills.runner import DrillRunner
from service.evidence.making import EvidenceMaker
from service.kpi import KeyFigures, Scopes
from tests.api_revisions import make_reviser, make_settings

TOKEN = "a-token-of-the-county"
NOW = 1_780_000_000_000
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

STATES = list(AlarmState)
CONDITION_STATES = {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}
KINDS = ("alarm.entered", "alarm.returned", "alarm.acknowledged")


def make_site() -> Site:
    """Two enterprises with a few tags, one of them without limits, and a system point."""
    tags = [
        Tag("huarui", "GT-101", "tankfarm", "gw1", "h2s", "mg/m3", 0, 100, 1000, "1# 罐泵区硫化氢", "toxic"),
        Tag("huarui", "GT-102", "tankfarm", "gw1", "h2s", "mg/m3", 0, 100, 1000),
        Tag("huarui", "TI-201", "tankfarm", "gw1", "temperature", "℃"),
        Tag("huarui", "@gw1", "gateways", "gw1", "status", system=True),
        Tag("heishan", "CH4-1", "face", "gw2", "ch4", "%", 0, 4, 1000),
        *(Tag("heishan", f"T-{number:03}", "fan", "gw2", "temperature", "℃", -20, 150) for number in range(40)),
    ]
    rules = [
        Rule(0, "H", RuleKind.HIGH, Level.H, 10.0, default=True),
        Rule(0, "HH", RuleKind.HIGH, Level.HH, 20.0, deadband=0.5, off_delay=10_000),
        Rule(0, "RISE", RuleKind.RISE, Level.H, 5.0, window=60_000),
        Rule(0, "STALE", RuleKind.STALE, Level.FAULT, window=3_000),
        Rule(1, "H", RuleKind.HIGH, Level.H, 10.0),
        Rule(2, "BAD", RuleKind.BAD, Level.FAULT),
        Rule(3, "LINK", RuleKind.SYSTEM, Level.FAULT),
        Rule(4, "H", RuleKind.HIGH, Level.H, 1.0, latching=True),
        *(Rule(tag, "H", RuleKind.HIGH, Level.H, 90.0) for tag in range(5, len(tags), 2)),
    ]
    return Site(
        regions={
            region.code: region
            for region in (
                Region("370000", "山东省"),
                Region("370700", "潍坊市", "370000"),
                Region("370783", "寿光市", "370700"),
                Region("140000", "山西省"),
            )
        },
        enterprises={
            "huarui": Enterprise("huarui", "华瑞化工储运", "370783"),
            "heishan": Enterprise("heishan", "黑山煤矿", "140000"),
        },
        units={
            (unit.enterprise, unit.id): unit
            for unit in (
                Unit("huarui", "tankfarm", "原料罐区", 2),
                Unit("huarui", "gateways", "网关"),
                Unit("heishan", "face", "1201 工作面"),
                Unit("heishan", "fan", "主扇"),
            )
        },
        gateways={
            ("huarui", "gw1"): Gateway("huarui", "gw1", "罐区网关"),
            ("heishan", "gw2"): Gateway("heishan", "gw2", "井下网关"),
        },
        tags=tags,
        rules=RuleTable.build(rules, len(tags)),
        revision="test",
    )


def make_alarm(identity: int, site: Site, **changes: Any) -> Alarm:
    """An alarm of one of the site's rules, chosen by its id."""
    rule = site.rules.row(identity % len(site.rules))
    tag = site.tags[rule.tag]
    state = STATES[identity % len(STATES)]
    at = NOW + identity * 1000
    alarm = Alarm(
        id=identity,
        region=site.region_of(tag.enterprise),
        enterprise=tag.enterprise,
        unit=tag.unit,
        tag=tag.name,
        rule=rule.key,
        kind=rule.kind,
        level=rule.level,
        grade=Grade(identity % 4 + 1),
        state=state,
        condition=state in CONDITION_STATES,
        latching=rule.latching,
        value=21.5,
        setpoint=rule.setpoint,
        engineering_unit=tag.engineering_unit,
        description=tag.description,
        gas=tag.gas,
        rule_version=1,
        entered_at=at,
        received_at=at + 200,
        transition_at=at,
        incident=identity % 7 + 1,
        sequence=identity,
    )
    return replace(alarm, **changes)


def make_incident(identity: int, site: Site, **changes: Any) -> Incident:
    """An incident of one of the site's units, chosen by its id; every third is closed."""
    unit = list(site.units.values())[identity % len(site.units)]
    closed = identity % 3 == 0
    incident = Incident(
        id=identity,
        region=site.region_of(unit.enterprise),
        enterprise=unit.enterprise,
        unit=unit.id,
        hazard_level=unit.hazard_level,
        grade=Grade(identity % 4 + 1),
        peak_grade=Grade.RED,
        reasons=[{"rule": "second_level_two_tags", "params": {"tags": ["GT-101", "GT-102"]}}],
        opened_at=NOW + identity * 1000,
        updated_at=NOW + identity * 1000,
        closed_at=NOW + identity * 2000 if closed else None,
        closed_by="王芳" if closed else None,
        close_comment="" if closed else None,
        state=IncidentState.CLOSED if closed else IncidentState.TRIGGERED,
        sequence=identity,
    )
    return replace(incident, **changes)


async def fill(ledger: Ledger, site: Site, alarms: int, incidents: int = 10, refused: int = 30) -> Journal:
    """Put rows into a ledger: one journal entry per alarm."""
    journal = Journal()
    change = Change()
    for identity in range(1, alarms + 1):
        alarm = make_alarm(identity, site)
        change.alarms[identity] = alarm
        change.entries.append(append(journal, alarm))
    change.incidents = {identity: make_incident(identity, site) for identity in range(1, incidents + 1)}
    reasons = ("unknown_tag", "unreadable", "of_an_older_version")
    rows = [
        Refused(
            NOW + number,
            "huarui" if number % 2 else None,
            f"gw{number % 3}" if number % 2 else None,
            "anshao/v1/huarui/gw1/data",
            reasons[number % 3],
            "no tag XX-1",
            "x" * 5000 if number % 5 == 0 else "{}",
            5000,
        )
        for number in range(refused)
    ]
    await ledger.commit(change, rows)
    return journal


def append(journal: Journal, alarm: Alarm, kind: str | None = None) -> Entry:
    """The next entry of a journal, about an alarm."""
    return journal.append(
        NOW + (journal.sequence + 1) * 500,
        kind or KINDS[journal.sequence % 3],
        "anshao",
        {"value": alarm.value},
        region=alarm.region,
        enterprise=alarm.enterprise,
        unit=alarm.unit,
        tag=alarm.tag,
        rule=alarm.rule,
        alarm=alarm.id,
        incident=alarm.incident,
    )


class FakeHistorian:
    """One sample a second, for ever; every tenth has no value."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.asked: list[tuple[Any, ...]] = []

    async def start(self) -> None: ...

    async def write(self, block: SampleBlock, paths: Sequence[str]) -> None: ...

    async def close(self) -> None: ...

    async def read(self, path: str, start: int, end: int, limit: int) -> Samples:
        self.asked.append((path, start, end, limit))
        if self.fault is not None:
            raise self.fault
        time = np.arange(-(-start // 1000) * 1000, end, 1000, dtype=np.int64)[:limit]
        value = np.where(time // 1000 % 10 == 0, np.nan, 1.5)
        quality = np.where(np.isnan(value), 0, 192).astype(np.uint8)
        return Samples(time, time + 200, value, quality, np.zeros(len(time), dtype=np.uint8))

    async def read_buckets(self, path: str, start: int, end: int, bucket: int) -> Buckets:
        self.asked.append((path, start, end, bucket))
        if self.fault is not None:
            raise self.fault
        time = np.arange(start // bucket * bucket, end, bucket, dtype=np.int64)
        ones = np.ones(len(time))
        quality = np.full(len(time), 192, dtype=np.uint8)
        return Buckets(time, ones, ones * 3, ones * 2, np.full(len(time), 10, dtype=np.int64), quality)


class FakeRegister:
    """Where acts end up."""

    def __init__(self, act: Callable[..., Alarm], casebook: Incidents, register: Register) -> None:
        self._act = act
        self.casebook = casebook
        self.journal, self.site = register.journal, register.site
        self.shelving, self.maintenance, self.sound = register.shelving, register.maintenance, register.sound
        self.acknowledge_all, self.comment = register.acknowledge_all, register.comment

    def acknowledge(self, alarm: int, actor: str, name: str, comment: str, _now: int, _change: Change) -> Alarm:
        return self._act("acknowledge", alarm, actor, name, comment)

    def reset(self, alarm: int, actor: str, name: str, comment: str, _now: int, _change: Change) -> Alarm:
        return self._act("reset", alarm, actor, name, comment)


def make_engine(site: Site) -> RuleEngine:
    """The rules of a site, all out."""
    tags = TagColumns(np.array([tag.period for tag in site.tags], dtype=np.int64), live_clock(site))
    return RuleEngine(site.rules, tags, 600_000, 5_000)


def _ignore(_channel: str, _failing: bool) -> None: ...  # noqa: FBT001 - see ``Sending``


class FakeService:
    """Satisfies ``ServicePort``."""

    def __init__(self, ledger: AsyncEngine, site: Site | None = None) -> None:
        self.site = site or make_site()
        count = len(self.site.tags)
        self.latest = Latest(
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.full(count, np.nan),
            np.zeros(count, dtype=np.uint8),
            np.zeros(count, dtype=np.uint8),
        )
        self.ledger = ledger
        self.revisions = make_reviser(ledger, self, NOW, self.site)
        self.historian = FakeHistorian()
        self.clock = self
        self.tokens = [
            ApiToken("another", hashlib.sha256(b"another").hexdigest()),
            ApiToken("county duty desk", hashlib.sha256(TOKEN.encode()).hexdigest()),
        ]
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.account_control = AccountControl(AccountBook(Journal(5_000)), self, Passwords(cheap))
        self.accounts = self.account_control.book
        self.committed = 0
        self.acts: list[tuple[Any, ...]] = []
        self.fault: Exception | None = None
        incidents = [make_incident(number, self.site) for number in range(1, 11)]
        self.casebook = Incidents(self.site, load_grading(), Journal(1_000), incidents)
        self.response = Response(shipped_book(), self.site, Register(self.site, load_grading(), Journal()))
        self.outbox = Outbox(
            Ledger("sqlite+aiosqlite://"), [], self, self.response.book, (), self.response.messages, self.act, _ignore
        )
        self.attachments = AttachmentStore(Path("/nonexistent"))
        self.site_plan_images = PlanImages(Path("/nonexistent"))
        self.site_plans = SitePlans(Journal())
        self.key_figures = KeyFigures(ledger, load_targets())
        self.version = "0.1.0"
        self.register = Register(self.site, load_grading(), Journal())
        self.duty_room = DutyRoom(self.site, self.register, NOW)
        self.changes = make_changes(self, Path("/nonexistent"))
        self.drills = DrillRunner(
            self.duty_room.drills, lambda: self.site, lambda: make_engine(self.site), Path(__file__).parent / "drills"
        )

    def scopes(self) -> Scopes:
        return Scopes(self.site)

    def evidence(self) -> EvidenceMaker:
        key = SigningKey.make()
        settings = cast("Settings", SimpleNamespace(site=self.site, response=shipped_book()))
        keys = {key.fingerprint: key.public}
        return EvidenceMaker(self.ledger, self.historian, settings, key, keys, "0.1.0", self.attachments.path)

    @property
    def closed_loop(self) -> ClosedLoopRules:
        return self.casebook.rules

    def now(self) -> int:
        return NOW

    def sequence(self) -> int:
        return self.committed

    def health(self) -> dict[str, Any]:
        at = iso(NOW)
        part = {"status": "ok", "since": at, "detail": None}
        return {
            "status": "ok",
            "version": "0.1.0",
            "started_at": at,
            "now": at,
            "sequence": self.committed,
            "components": {
                "broker": part,
                "historian": part | {"backlog": 0},
                "ledger": part,
                "spool": part | {"bytes": 0, "limit": 1, "samples": 0},
                "canary": {"status": "ok", "latency_ms": None, "last": None, "since": at},
                "configuration": part | {"revision": 1},
            },
            "readings": {"total": 0, "per_second": 0.0, "refused": 0},
            "gateways": {"online": 1, "offline": 0, "unknown": 1},
        }

    def gateways(self) -> list[dict[str, Any]]:
        return [
            {
                "enterprise": gateway.enterprise,
                "gateway": gateway.id,
                "name": gateway.name,
                "status": "unknown",
                "since": None,
                "last_received": None,
                "last_heard": None,
                "messages": 0,
                "readings": 0,
                "refused": 0,
                "clock_skew_ms": None,
                "clock": "live",
                "session": None,
            }
            for gateway in self.site.gateways.values()
        ]

    async def act(self, act: Callable[[Any, int, Change], Any]) -> Any:
        return act(FakeRegister(self._act, self.casebook, self.register), NOW, Change())

    def _act(self, act: str, identity: int, actor: str, name: str, comment: str) -> Alarm:
        if self.fault is not None:
            raise self.fault
        if identity % 6 == 0:
            raise NotFound(f"{act}: {identity} is not active")
        if identity % 6 == 2:
            raise Conflict(f"{act}: {identity} is acknowledged already")
        self.acts.append((act, identity, actor, name, comment))
        return make_alarm(identity, self.site, acknowledged_at=NOW, acknowledged_by=name, comment=comment)

    def read(self, tag: int, at: int, value: float, quality: int = 192) -> None:
        """A sample arrives."""
        self.latest.source_time[tag] = at
        self.latest.received_time[tag] = at + 100
        self.latest.value[tag] = value
        self.latest.quality[tag] = quality


def make_changes(service: FakeService, folder: Path) -> ChangeControl:
    """Changes that are kept in memory alone, over the fake site and its history; previews write to the folder."""
    book = ChangeBook(service.register.journal)
    shadows = Shadows(book, make_engine, lambda: make_engine(service.site))
    settings = replace(make_settings(service.site), site=service.site, data_dir=folder)
    return ChangeControl(book, shadows, service, lambda: settings)


def away() -> HistorianUnavailable:
    return HistorianUnavailable("connection refused", "start InfluxDB")


Client = TestClient[Request, Application]


@asynccontextmanager
async def api(
    service: FakeService, hub: LiveHub | None = None, console: Path | None = None, proxies: tuple[str, ...] = ()
) -> AsyncIterator[Client]:
    """The application on a port of its own, and a client that has no token yet."""
    hub = hub or LiveHub(service)
    app = create_app(service, hub, CollectorRegistry(), console or Path("/nonexistent"), proxies)
    async with TestClient(TestServer(app)) as client:
        yield client


_FILLED: dict[int, tuple[bytes, Journal]] = {}
"""Files of ledgers made before, by their number of alarms: making one anew takes longer than most tests."""


@asynccontextmanager
async def sqlite_ledger(folder: Path, alarms: int = 0) -> AsyncIterator[tuple[Ledger, Journal]]:
    """A ledger in a file, with that many alarms in it."""
    file = folder / "ledger.sqlite"
    url = f"sqlite+aiosqlite:///{file}"
    if alarms not in _FILLED:
        made = Ledger(url)
        try:
            await made.start()
            journal = await fill(made, make_site(), alarms) if alarms else Journal()
        finally:
            await made.close()
        _FILLED[alarms] = (file.read_bytes(), journal)
    content, journal = _FILLED[alarms]
    file.write_bytes(content)
    ledger = Ledger(url)
    try:
        yield ledger, copy.copy(journal)
    finally:
        await ledger.close()
