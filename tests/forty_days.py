"""A plant of 40 days on virtual time, seeded: its journal is written by the real register into a real ledger.

Alarms that come and go, floods, chatterers, alarms that nobody looks after, shelves, re-alarms by suppressions that
end, gateways that are lost, late samples, drills, incidents that are acknowledged in time, late, or never.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from alerting.alarms.register import Register
from alerting.incidents.closed_loop import Result, Side
from alerting.incidents.grading import load_grading
from alerting.journal.journal import Journal
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from domain.scales import RuleKind
from domain.transitions import Transition
from tests.missing_steps import do_missing_steps
from tests.watched_unit import make_site

START = 1_790_000_000_000
DAYS = 40
DAY, HOUR, MINUTE, SECOND = 86_400_000, 3_600_000, 60_000, 1_000
DRILL = 900_001


@dataclass(order=True)
class _Act:
    at: int
    number: int
    do: Callable[[int, Change], None] = field(compare=False)


class Plant:
    """What happens, in the order of time."""

    def __init__(self, seed: int) -> None:
        self.site = make_site(2)
        self.register = Register(self.site, load_grading(), Journal())
        self.chance = random.Random(seed)
        self._acts: list[_Act] = []
        self._count = 0
        rules = self.site.rules
        self._rows = [row for row in range(len(rules)) if rules.kind[row] in (RuleKind.HIGH, RuleKind.BAD)]
        self._stale = [row for row in range(len(rules)) if rules.kind[row] == RuleKind.STALE]
        self._link = self.site.rule_row("works/@gw1/LINK")
        self._busy: dict[int, list[tuple[int, int]]] = {}

    async def run(self, ledger: Ledger) -> None:
        """Write the journal of 40 days, and a day before and after."""
        self._plan()
        change, done = Change(), 0
        while self._acts and self._acts[0].at < START + (DAYS + 1) * DAY:
            act = heapq.heappop(self._acts)
            self.register.advance(act.at, change)
            act.do(act.at, change)
            done += 1
            if done % 200 == 0:
                await ledger.commit(change)
                change = Change()
        self.register.advance(START + (DAYS + 1) * DAY, change)
        await ledger.commit(change)

    # ---- what is planned

    def _plan(self) -> None:
        chance = self.chance
        at = START - DAY
        while at < START + (DAYS + 1) * DAY:
            at += int(chance.expovariate(1 / (22 * MINUTE)))
            self._stay(chance.choice(self._rows), at, self._length())
        for _ in range(14):
            self._flood(START + chance.randrange(DAYS * DAY), chance.randrange(9, 30))
        for _ in range(30):
            self._chatter(chance.choice(self._rows), START + chance.randrange(DAYS * DAY))
        for _ in range(9):
            self._lose_link(START + chance.randrange(DAYS * DAY), chance.randrange(MINUTE, 9 * HOUR))
        for _ in range(25):
            self._late(START + chance.randrange(DAYS * DAY))
        for _ in range(3):
            self._drill(START + chance.randrange(DAYS * DAY))
        for _ in range(120):
            self._at(START + chance.randrange(DAYS * DAY), self._shelve)
        for shift in range(3 * (DAYS + 2)):
            self._at(START - DAY + shift * 8 * HOUR, self._tidy)
        self._at(START + 5 * DAY, self._unsigned)

    def _length(self) -> int:
        chance = self.chance
        kind = chance.random()
        if kind < 0.25:
            return chance.randrange(SECOND, 90 * SECOND)
        if kind < 0.94:
            return chance.randrange(MINUTE, 40 * MINUTE)
        return chance.randrange(20 * HOUR, 4 * DAY)

    def _stay(self, row: int, at: int, length: int) -> None:
        taken = self._busy.setdefault(row, [])
        if any(at <= end and begin <= at + length for begin, end in taken):
            return
        taken.append((at, at + length))
        self._at(at, lambda now, change: self._move(row, now, change, entered=True))
        self._at(at + length, lambda now, change: self._move(row, now, change, entered=False))

    def _flood(self, at: int, count: int) -> None:
        for row in self.chance.sample(self._rows, count):
            self._stay(row, at + self.chance.randrange(6 * MINUTE), self.chance.randrange(2 * MINUTE, HOUR))

    def _chatter(self, row: int, at: int) -> None:
        for step in range(self.chance.randrange(3, 9)):
            self._stay(row, at + step * 14 * SECOND, 6 * SECOND)

    def _lose_link(self, at: int, length: int) -> None:
        """Some tags are found silent before the gateway is found lost, some after, and one goes on being silent."""
        self._stay(self._link, at, length)
        for number, row in enumerate(self.chance.sample(self._stale, 6)):
            self._stay(row, at + (number - 2) * 5 * SECOND, length + 20 * SECOND * (1 + 20 * (number == 5)))

    def _late(self, at: int) -> None:
        row = self.chance.choice(self._rows)

        def note(now: int, change: Change) -> None:
            found = Transition(
                row, entered=True, source_time=now - HOUR, received_time=now, value=5.0, retrospective=True
            )
            self.register.apply([found], now, change)

        self._at(at, note)

    def _drill(self, at: int) -> None:
        for number, row in enumerate(self.chance.sample(self._rows, 6)):
            for entered, after in ((True, 0), (False, 20 * MINUTE)):

                def play(now: int, change: Change, row: int = row, *, entered: bool = entered) -> None:
                    self.register.apply([Transition(row, entered, now, now, 30.0, drill=DRILL)], now, change)

                self._at(at + number * SECOND + after, play)

    # ---- what people do

    def _tidy(self, now: int, change: Change) -> None:
        """At the end of a shift: what can be acknowledged, reset and closed is."""
        for alarm in list(self.register.active.values()):
            if alarm.is_unacknowledged and self.chance.random() < 0.9:
                self._try(self.register.acknowledge, alarm.id, "county", "王芳", "", now, change)
            self._try(self.register.reset, alarm.id, "county", "王芳", "", now, change)
        for identity in list(self.register.incidents):
            self._close(identity, now, change)

    def _close(self, identity: int, now: int, change: Change) -> None:
        self._try(do_missing_steps, self.register.casebook, identity, now, change)
        self._try(self.register.casebook.close, identity, "county", "王芳", "", now, change)

    def _unsigned(self, now: int, change: Change) -> None:
        """What the API lets nobody do: no name, no reason."""
        journal = self.register.journal
        for kind, data in (
            ("sound.silenced", {"name": "王芳"}),
            ("config.revised", {"revision": 2, "source": "files"}),
        ):
            change.entries.append(journal.append(now, kind, "county", data))

    def _shelve(self, now: int, change: Change) -> None:
        active = [alarm for alarm in self.register.active.values() if alarm.suppression is None]
        if not active:
            return
        alarm = self.chance.choice(active)
        until = now + self.chance.randrange(MINUTE, 8 * HOUR)
        self._try(self.register.shelving.shelve, alarm.id, until, "检修", "county", "王芳", now, change)

    def _move(self, row: int, now: int, change: Change, *, entered: bool) -> None:
        skew = self.chance.randrange(0, 900)
        self.register.apply([Transition(row, entered, now - skew, now, 25.0)], now, change)
        if entered:
            self._people(row, now)

    def _people(self, row: int, now: int) -> None:
        """Whoever is on duty looks after what has just come, some time later."""
        path = self.site.rule_path(row)
        chance = self.chance
        if chance.random() < 0.85:
            self._at(
                now + int(chance.expovariate(1 / (5 * MINUTE))), lambda at, change: self._acknowledge(path, at, change)
            )
        if chance.random() < 0.7:
            self._at(now + int(chance.expovariate(1 / (6 * MINUTE))), lambda at, change: self._handle(path, at, change))

    def _acknowledge(self, path: str, now: int, change: Change) -> None:
        alarm = self.register.find(path)
        if alarm is not None:
            self._try(self.register.acknowledge, alarm.id, "county", "王芳", "已派员", now, change)

    def _handle(self, path: str, now: int, change: Change) -> None:
        alarm = self.register.find(path)
        if alarm is None or alarm.incident is None:
            return
        identity, book, chance = alarm.incident, self.register.casebook, self.chance
        for side in Side:
            if chance.random() < 0.6:
                self._try(book.acknowledge, identity, side, "county", "王芳", "", now, change)
        if chance.random() < 0.4:
            self._try(book.verify, identity, Result.REAL, "county", "王芳", "", now, change)
            self._try(book.handle, identity, "切断进料", "county", "李工", "", now, change)
            self._try(book.feed_back, identity, "已处置", [], "county", "李工", now, change)
            self._try(book.review, identity, "county", "王芳", "", now, change, accepted=True)
        if chance.random() < 0.5:
            self._close(identity, now, change)

    @staticmethod
    def _try(do: Callable[..., Any], *given: object, **named: object) -> None:
        try:
            do(*given, **named)
        except (Conflict, NotFound):
            return

    def _at(self, at: int, do: Callable[[int, Change], None]) -> None:
        self._count += 1
        heapq.heappush(self._acts, _Act(at, self._count, do))
