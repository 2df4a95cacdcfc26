"""A shift at the command centre: the whole road from a message to the journal, on virtual time.

Everything is real but the wires and the clock: configuration, decoder, rules, register, pipeline, ledger and spool.
Second 0 of a shift is 08:00 in Shanghai.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson

from alerting.journal.journal import verify
from alerting.ledger.ledger import Ledger
from alerting.records import Alarm, Incident
from domain.scales import AlarmState
from domain.transitions import Transition
from historian.spool import Spool
from ingest.decoder import Decoder
from ingest.links.protocol import LinkStatus
from service import parts
from service.canary import RULE as CANARY_RULE
from service.conditions import SystemConditions
from service.config import Settings, load
from service.gateways import Gateways
from service.pipeline import Pipeline
from service.receipts import Answers
from service.recovery import recover
from service.work import Told, Work
from tests.missing_steps import do_missing_steps
from tests.running import main_file, site_of, write_yaml
from tests.sent import Sent

EIGHT = 1_750_032_000_000
"""2025-06-16 08:00 in Shanghai, ms UTC."""
TICK = 1.0
"""Seconds between looks at the clock."""
NO_DELAY = {"deadband": 0.5, "on_delay": 0, "off_delay": 0}
SITE = site_of(
    [
        {
            "id": "tankfarm",
            "name": "原料罐区",
            "hazard_level": 3,
            "tags": [
                *(
                    {
                        "tag": tag,
                        "measurand": "h2s",
                        "engineering_unit": "mg/m3",
                        "range": [0, 100],
                        "gateway": "gw1",
                        "limits": {"H": {"setpoint": 10, **NO_DELAY}, "HH": {"setpoint": 20, **NO_DELAY}},
                        "bad": {"on_delay": 0},
                    }
                    for tag in ("GT-101", "GT-103")
                ),
                {
                    "tag": "PI-101",
                    "measurand": "pressure",
                    "engineering_unit": "kPa",
                    "range": [0, 400],
                    "gateway": "gw1",
                    "stale": "off",
                    "limits": {"H": {"setpoint": 200, "deadband": 5, "on_delay": "15s", "off_delay": "5s"}},
                },
            ],
        },
        {
            "id": "recorded",
            "name": "回放装置",
            "tags": [
                {
                    "tag": "RP-1",
                    "measurand": "pressure",
                    "engineering_unit": "kPa",
                    "gateway": "replay",
                    "stale": "off",
                    "limits": {"H": {"setpoint": 200, **NO_DELAY}},
                }
            ],
        },
    ],
    gateways=[
        {"id": "gw1", "name": "罐区网关"},
        {"id": "replay", "name": "回放", "clock": "source"},
    ],
)


@dataclass
class Wire:
    """Where a link would be: always there, and nobody behind it."""

    status: LinkStatus = field(default_factory=lambda: LinkStatus(connected=True, since=EIGHT, detail=""))


class Shift:
    """Says what was journaled, like ``["08:00:05 alarm.entered GT-101/H"]``; see ``on_duty``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.time = EIGHT
        self.journal: list[str] = []
        self.transitions: list[tuple[str, str, int]] = []
        """(kind, condition, source time) of every alarm entry."""
        self._told = 0

    # ---- life

    async def begins(self) -> None:
        """The service starts, with whatever is on disk."""
        settings = self.settings
        site = settings.site
        self.ledger = Ledger(settings.ledger.url.get_secret_value())
        await self.ledger.start()
        memory = parts.memory_of(site)
        self.spool: Spool = parts.open_spool(settings, memory)
        self.engine = parts.make_engine(settings)
        known = await self.ledger.count_entries()
        self.register = await recover(settings, self.ledger, self.spool, self.engine, memory, self.time, "test")
        async for entry in self.ledger.entries():
            if entry.sequence > known:
                self._note(orjson.loads(entry.body))
        inside = [alarm.path for alarm in self.register.active.values() if alarm.condition]
        self.conditions = SystemConditions(site, inside)
        heard = self.engine.latest.received_time
        self.gateways = Gateways(site, self.conditions, settings.clock_tolerance, self.time, heard)
        wire: Any = Wire()
        self.pipeline = Pipeline(
            link=wire,
            decoder=Decoder(site, settings.future),
            engine=self.engine,
            make_retrospective=lambda: parts.make_engine(settings),
            register=self.register,
            ledger=self.ledger,
            spool=self.spool,
            conditions=self.conditions,
            gateways=self.gateways,
            clock=self,
            answers=Answers(wire, self),
            listener=self,
            canary_rule=site.rule_row(CANARY_RULE),
            deliveries_for=lambda _entries, _now: [],
        )
        self.engine.await_readings(self.time)

    async def ends(self) -> None:
        """The process is gone; what was committed is on disk."""
        self.spool.close()
        await self.ledger.close()

    async def restarts(self) -> list[str]:
        """Gone and back in the same second."""
        await self.ends()
        await self.begins()
        return self._since()

    def now(self) -> int:
        """As ``Clock``."""
        return self.time

    # ---- what happens

    async def reads(self, at: float, *, late: float = 0.0, gateway: str = "gw1", **values: Any) -> list[str]:
        """A gateway's readings of second ``at`` arrive so many seconds late. ``GT_101=5`` is tag GT-101."""
        return await self.gets(message(at, gateway, **values), at=at + late)

    async def gets(self, *messages: Sent, at: float | None = None) -> list[str]:
        """Messages arrive together."""
        if at is not None:
            self.time = max(self.time, ms(at))
        await self.pipeline._commit([self._evaluate(messages)])
        return self._since()

    async def waits_until(self, at: float) -> list[str]:
        """Nothing arrives; the clock goes on."""
        while self.time < ms(at):
            self.time = min(self.time + round(TICK * 1000), ms(at))
            await self.pipeline.advance()
            await self.pipeline._commit([self.pipeline._queue.get_nowait()])
        return self._since()

    async def dies_with(self, *messages: Sent, at: float, kept: str) -> None:
        """The process dies while it commits these: ``kept`` is ``spool``, ``ledger``, ``both`` or ``nothing``."""
        self.time = max(self.time, ms(at))
        work = self._evaluate(messages)
        if kept in {"spool", "both"}:
            self.spool.append(work.blocks)
        if kept in {"ledger", "both"}:
            work.blocks = []
            await self.pipeline._commit([work])
        await self.restarts()

    async def lives_through(self, story: Callable[[int], Sent], seconds: int, *, dies_at: int, kept: str) -> None:
        """A message a second; the broker delivers again what it has no answer for, and a little more."""
        for second in range(seconds):
            if second == dies_at:
                await self.dies_with(story(second), at=second, kept=kept)
                again = [story(earlier) for earlier in range(max(0, second - 3), second + 1)]
                await self.gets(*again, at=second)
            else:
                await self.gets(story(second), at=second)

    async def acknowledges(self, tag: str, rule: str, name: str = "王芳") -> list[str]:
        """An officer acknowledges an alarm."""
        alarm = self.alarm(tag, rule)
        assert alarm is not None
        await self._act(lambda register, now, change: register.acknowledge(alarm.id, "county", name, "", now, change))
        return self._since()

    async def handles(self, unit: str = "tankfarm") -> list[str]:
        """Desk and enterprise do what the incident's grade requires before it is closed."""
        identity = self.incident(unit).id
        await self._act(lambda register, now, change: do_missing_steps(register.casebook, identity, now, change))
        return self._since()

    async def closes(self, unit: str = "tankfarm") -> list[str]:
        """An officer closes a unit's incident."""
        identity = self.incident(unit).id
        await self._act(
            lambda register, now, change: register.casebook.close(identity, "county", "王芳", "", now, change)
        )
        return self._since()

    # ---- what there is to see

    def alarm(self, tag: str, rule: str) -> Alarm | None:
        """An alarm that is not normal."""
        return self.register.find(f"works/{tag}/{rule}")

    def state(self, tag: str, rule: str) -> str:
        """State of an alarm."""
        alarm = self.alarm(tag, rule)
        return (alarm.state if alarm else AlarmState.NORMAL).value

    def incident(self, unit: str = "tankfarm") -> Incident:
        """A unit's open incident."""
        (found,) = [incident for incident in self.register.incidents.values() if incident.unit == unit]
        return found

    def rules_and_register_agree(self) -> bool:
        """What the rules hold for in is what the register holds for in."""
        site = self.settings.site
        inside = {site.rule_path(row) for row in self.engine.inside().tolist()}
        held = {
            alarm.path for alarm in self.register.active.values() if alarm.rule_is_in and alarm.kind.name != "SYSTEM"
        }
        return inside == held

    def committed(self, told: Sequence[Told], canaries: Sequence[Transition]) -> None:
        """See ``pipeline.Listener``."""
        assert not canaries
        for entry, _, _ in told:
            self._note(orjson.loads(entry.body))

    async def journal_holds(self) -> bool:
        """The chain is whole."""
        return (await verify(self.ledger.entries())).fault is None

    def _note(self, body: dict[str, Any]) -> None:
        about = f"{body['tag']}/{body['rule']}" if body["tag"] else body["unit"]
        if about is None:
            return
        clock = datetime.fromtimestamp(body["at"] / 1000).astimezone().utctimetuple()
        self.journal.append(f"{(clock.tm_hour + 8) % 24:02}:{clock.tm_min:02}:{clock.tm_sec:02} {body['kind']} {about}")
        if body["kind"] in {"alarm.entered", "alarm.returned", "alarm.damped"} and not body["data"].get("damped"):
            self.transitions.append((body["kind"], about, body["data"]["source_time"]))

    def _since(self) -> list[str]:
        told, self._told = self.journal[self._told :], len(self.journal)
        return told

    def _evaluate(self, messages: Sequence[Sent]) -> Work:
        return self.pipeline._evaluate(1, messages)

    async def _act(self, act: Any) -> None:
        work = Work(act=act, done=_Answer())  # type: ignore[arg-type]
        await self.pipeline._commit([work])


class _Answer:
    """Where a future would be."""

    def done(self) -> bool:
        return False

    def set_result(self, _: object) -> None:
        """It was done."""

    def set_exception(self, refusal: Exception) -> None:
        raise refusal


AnyShift = TypeVar("AnyShift", bound=Shift)


@asynccontextmanager
async def begun(
    kind: Callable[[Settings], AnyShift], folder: Path, site: Mapping[str, Any], **sections: Any
) -> AsyncIterator[AnyShift]:
    """A shift of that kind from its beginning; its journal holds in the end. ``sections`` of the main file."""
    write_yaml(folder / "site.yaml", site)
    main = write_yaml(folder / "anshao.yaml", main_file(historian={"kind": "duckdb"}, **sections))
    settings = load(main, {})
    settings.data_dir.mkdir()
    shift = kind(settings)
    await shift.begins()
    try:
        yield shift
        assert await shift.journal_holds()
    finally:
        await shift.ends()


def on_duty(folder: Path, site: Mapping[str, Any] = SITE) -> AbstractAsyncContextManager[Shift]:
    """A shift from its beginning."""
    return begun(Shift, folder, site)


def message(at: float, gateway: str = "gw1", **values: Any) -> Sent:
    """A gateway's message of second ``at``."""
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return Sent(f"anshao/v1/works/{gateway}/data", orjson.dumps({"ts": ms(at), "values": named}))


def status(online: bool) -> Sent:  # noqa: FBT001 - it is what the message says
    """A gateway's status, or its last will."""
    return Sent("anshao/v1/works/gw1/status", orjson.dumps({"online": online}))


def leak(seconds: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """H2S at a detector, one value a second: calm, rising over both limits, and calm again."""
    time = np.arange(seconds)
    values: np.ndarray[Any, np.dtype[np.float64]] = 2 + 26 * np.exp(-(((time - seconds / 2) / (seconds / 6)) ** 2))
    return values.round(2)


def ms(second: float) -> int:
    """Ms UTC of a second of the shift."""
    return EIGHT + round(second * 1000)
