"""Runs a drill: publishes its readings through the broker, as a gateway would, until it is over."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import orjson
import structlog

from alerting.alarms.register import Register
from alerting.desks.drills import Drill, Drills
from alerting.records import Change
from alerting.refusals import Conflict
from domain.clock import Clock
from domain.site import Site
from domain.transitions import Transition
from ingest.decoder import DRILL_TOPIC, Received
from ingest.links.protocol import Link, LinkDown, PublishRefused
from rules.engine import RuleEngine
from service.drills.road import DrillRoad
from service.drills.scenario import Scenario, Step, reading

log = structlog.get_logger(__name__)

STEP = 0.25
"""Seconds between publications; a tag is read each period of its own, but no more often [ours]."""
QUALITIES = {"good": 192, "uncertain": 64, "bad": 0}

Act = Callable[[Callable[[Register, int, Change], Drill]], Awaitable[Drill]]


class DrillRunner:
    """Prepares a drill, plays its readings and takes them back from the pipeline. Run ``run`` as a task.

    ``book`` knows which drill runs; ``folder`` holds the scenarios.
    """

    def __init__(
        self, book: Drills, site: Callable[[], Site], make_engine: Callable[[], RuleEngine], folder: Path
    ) -> None:
        self.book = book
        self.folder = folder
        self._site = site
        self._make_engine = make_engine
        self._road: DrillRoad | None = None
        self._tracks: Mapping[str, Sequence[Step]] = {}
        self._periods: Mapping[str, int] = {}
        self._due: dict[str, int] = {}
        self._key = ""

    async def start(
        self,
        scenario: Scenario,
        units: Sequence[str],
        *,
        circle: Sequence[str],
        leader: str,
        actor: str,
        by: str,
        comment: str,
        act: Act,
    ) -> Drill:
        """Begin a drill in some of a scenario's units. Raises what ``act`` raises, Conflict."""
        site, key = self._site(), secrets.token_hex(16)
        played = scenario.of_units(site, units)
        road = await asyncio.to_thread(DrillRoad, site, self._make_engine, units, key)

        def begin(register: Register, now: int, change: Change) -> Drill:
            if register.site is not site:  # its rules are others by now: what this road finds would name wrong ones
                raise Conflict("the configuration was changed while the drill was prepared; begin it again")
            drill = self.book.begin(
                scenario=scenario.id,
                name=scenario.file.name,
                units=units,
                circle=circle,
                leader=leader,
                plan=played.plan(units),
                duration=scenario.file.duration,
                actor=actor,
                by=by,
                comment=comment,
                now=now,
                change=change,
            )
            road.open(drill.id, now)
            self._road, self._key = road, key
            self._tracks = played.tracks
            self._periods = {
                path: max(site.tags[site.tag_index[path]].period, round(STEP * 1000)) for path in played.tracks
            }
            self._due = dict.fromkeys(played.tracks, 0)
            return drill

        return await act(begin)

    # ---- publishing

    async def run(self, link: Link, clock: Clock) -> None:
        """Publish what is due, for ever."""
        while True:
            payload = self.payload(clock.now())
            if payload is not None:
                try:
                    await link.publish(DRILL_TOPIC, payload)
                except (LinkDown, PublishRefused) as fault:
                    log.warning("readings of a drill were not sent", reason=str(fault))
            await asyncio.sleep(STEP)

    def payload(self, now: int) -> bytes | None:
        """The message that is due now (ms UTC), if there is one."""
        drill = self.book.running
        if drill is None or self._road is None or self._road.drill != drill.id:
            return None
        elapsed = now - drill.began_at
        values: dict[str, object] = {}
        for path, due in self._due.items():
            if elapsed < due:
                continue
            found = reading(self._tracks[path], elapsed)
            if found is not None:
                value, quality = found
                values[path] = {"v": value, "q": QUALITIES[quality]}
                self._due[path] = elapsed + self._periods[path]
        if not values:
            return None
        return orjson.dumps({"ts": now, "drill": drill.id, "key": self._key, "values": values})

    # ---- what the pipeline asks

    def evaluate(self, messages: Sequence[Received], now: int) -> list[Transition]:
        """Transitions of a drill's messages; none of those that come when it is over."""
        road = self._open_road()
        return [] if road is None else road.evaluate(messages, now)

    def advance(self, now: int, *, connected: bool) -> list[Transition]:
        """Let time pass in the drill."""
        road = self._open_road()
        return [] if road is None else road.advance(now, connected=connected)

    def still(self, transitions: Sequence[Transition]) -> list[Transition]:
        """Of a drill's transitions those that count still when they are committed."""
        return [each for each in transitions if each.drill is not None and self.book.is_running(each.drill)]

    def _open_road(self) -> DrillRoad | None:
        if self._road is not None and not self.book.is_running(self._road.drill):
            self._road = None
        return self._road
