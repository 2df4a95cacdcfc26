"""A stream of readings whose every alarm is known beforehand, published through a real broker as a gateway does."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.samples import SampleBlock
from domain.site import Site
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from service.config import load_site
from simulators.link import Link
from simulators.publisher import GatewayPublisher, WallClock
from tests.running import site_of

TAGS = 1_000
STEP = 200
"""ms between the readings of a tag: 1,000 tags make 5,000 readings/s."""
TAGS_A_MESSAGE = 20
SILENCE = 10_000
"""ms after the last reading: on-delays under way have ended, nothing is stale yet."""

Transitions = Counter[tuple[str, str, bool, int]]
"""(tag, rule, entered, source time in ms), with how often."""


def site() -> dict[str, Any]:
    """Tags with two high limits, a delayed low one and a rate of rise each."""
    return site_of(
        [
            {
                "id": "load",
                "name": "压力测试",
                "tags": [
                    {
                        "tag": f"T-{number:04}",
                        "measurand": "temperature",
                        "engineering_unit": "°C",
                        "range": [0, 100],
                        "period": "2s",
                        "stale": "10min",
                        "limits": {
                            "H": {"setpoint": 70, "deadband": 2, "on_delay": 0, "off_delay": 0},
                            "HH": {"setpoint": 78, "deadband": 2, "on_delay": 0, "off_delay": 0},
                            "L": {"setpoint": 25, "deadband": 2, "on_delay": "1s", "off_delay": "1s"},
                        },
                        "rate": {"rise": {"limit": 4, "per": "1s", "window": "2s"}},
                    }
                    for number in range(TAGS)
                ],
            }
        ]
    )


class Load:
    """Sine waves of 20 to 60 s, each tag with a period and a phase of its own."""

    def __init__(self, begin: int, seed: int = 20) -> None:
        random = np.random.default_rng(seed)
        self.begin = begin
        self.steps = 0
        self._period = random.uniform(20_000, 60_000, TAGS)
        self._phase = random.uniform(0, 2 * np.pi, TAGS)

    def time(self, step: int) -> int:
        """Source time of a step, ms UTC."""
        return self.begin + step * STEP

    def values(self, step: int) -> NDArray[np.float64]:
        """One value a tag."""
        return np.round(50 + 30 * np.sin(2 * np.pi * step * STEP / self._period + self._phase), 3)

    async def publish(self, port: int, stop: asyncio.Event) -> None:
        """Publish a step every 200 ms until ``stop``; return when the service has answered for all of them."""
        publisher = GatewayPublisher(Link("works", "gw1", "127.0.0.1", port), WallClock(), limit=1_000_000)
        done = asyncio.Event()
        running = asyncio.create_task(publisher.run(done))
        loop = asyncio.get_running_loop()
        first = loop.time()
        try:
            while not stop.is_set():
                await asyncio.sleep(max(0.0, first + self.steps * STEP / 1000 - loop.time()))
                values = self.values(self.steps).tolist()
                for start in range(0, TAGS, TAGS_A_MESSAGE):
                    part = range(start, start + TAGS_A_MESSAGE)
                    publisher.put(self.time(self.steps), {f"T-{tag:04}": values[tag] for tag in part})
                self.steps += 1
            while len(publisher.store):
                await asyncio.sleep(0.05)
        finally:
            done.set()
            await running

    def expected(self, folder: Path) -> Transitions:
        """What an uninterrupted evaluation of the same readings, and of the silence after them, finds."""
        known = load_site([folder / "site.yaml"])
        rows = [known.tag_index[f"works/T-{number:04}"] for number in range(TAGS)]
        engine = RuleEngine(known.rules, _columns(known), 600_000, 5_000)
        found: Transitions = Counter()
        for step in range(self.steps):
            at = np.full(TAGS, self.time(step))
            block = SampleBlock(
                np.array(rows, dtype=np.int32),
                at,
                at,
                self.values(step),
                np.full(TAGS, 192, dtype=np.uint8),
                np.zeros(TAGS, dtype=np.uint8),
            )
            found.update(_keys(known, engine.evaluate(block)))
        found.update(_keys(known, engine.advance(self.time(self.steps) + SILENCE)))
        return found


def journaled(entries: list[dict[str, Any]]) -> Transitions:
    """The transitions of the load's tags in a journal, those that damping keeps from being annunciated included."""
    return Counter(
        (entry["tag"], entry["rule"], entered(entry), entry["data"]["source_time"])
        for entry in entries
        if entry["kind"] in {"alarm.entered", "alarm.returned", "alarm.damped"}
        and entry["tag"].startswith("T-")
        and not (entry["kind"] == "alarm.returned" and entry["data"].get("damped"))  # told when it left
    )


def entered(entry: dict[str, Any]) -> bool:
    """Whether a transition is one that enters."""
    if entry["kind"] == "alarm.damped":
        return bool(entry["data"]["condition"])
    return bool(entry["kind"] == "alarm.entered")


def _keys(known: Site, transitions: list[Transition]) -> Iterator[tuple[str, str, bool, int]]:
    for transition in transitions:
        tag = known.tags[int(known.rules.tag[transition.rule])]
        if not tag.system:
            yield tag.name, known.rules.key[transition.rule], transition.entered, transition.source_time


def _columns(known: Site) -> TagColumns:
    return TagColumns(np.array([tag.period for tag in known.tags]), np.ones(len(known.tags), dtype=np.bool_))
