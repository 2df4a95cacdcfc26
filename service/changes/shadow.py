"""试运行: changed rules evaluated beside those in force, by an engine of their own that is fed the same readings.

What they would have done is counted and journaled in batches as ``change.shadow``. No alarm is raised, nobody is told.
Live alarms come first: what the rules in force have found is on its way before the shadows see the same readings. A
fault in here ends the watch of that change, and nothing else; so does taking too much time.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import structlog

from alerting.records import Change
from domain.samples import Int32, Int64, SampleBlock
from domain.site import Site
from domain.transitions import Transition
from rules.engine import RuleEngine
from service.changes.book import FAULT, ChangeBook
from service.changes.change import RuleChange, Watched, moved_since
from service.changes.states import ChangeState
from service.changes.trial import part_with
from service.revisions.matching import Matching
from tuning.backtest.parts import Part

log = structlog.get_logger(__name__)

BATCH = 60_000
"""ms between two entries of the journal about one change at the least [ours]."""
MOST_IN_BATCH = 200
"""Transitions that one entry lists; more are counted [ours]."""
SPAN, SHARE = 60_000, 0.1
"""All watches together may take this share of each span of this many ms; who took most of it is ended [ours]."""
OVER = "its time is over"
UNTOUCHED = f"{FAULT}. The rules in force are not touched by it"
TOO_SLOW = (
    f"the changes in shadow took more than {SHARE:.0%} of the time of {SPAN // 1000} s, this one the most: "
    "watch fewer rules at a time"
)

MakeEngine = Callable[[Site], RuleEngine]


@dataclass(slots=True)
class Road:
    """The readings' way of one change in shadow.

    number: int32, index in the part of each tag of the site, -1 for those that it does not watch
    rows, live_rows: path of the changed rules by their rows, in the part and in the site
    site_rules: rules of the site
    """

    change: int
    part: Part
    engine: RuleEngine
    number: Int32
    rows: Mapping[int, str]
    live_rows: Mapping[int, str]
    site_rules: int
    figures: dict[str, Watched]
    readings: int = 0
    noted_at: int = 0
    pending: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0
    is_new: bool = True
    """Something was counted since the last note."""
    spent: float = 0.0
    """Seconds of computing in the span under way."""
    ended: str = ""
    """Why it cannot go on."""

    def evaluate(self, block: SampleBlock, transitions: Sequence[Transition]) -> None:
        """Readings that the rules in force have seen, and what these made of them."""
        self.take_live(transitions)
        picked = self.number[block.tag] >= 0
        if picked.any():
            part = block.take(picked)
            part = replace(part, tag=self.number[part.tag])
            self.readings += len(part)
            self.take(self.engine.evaluate(part))

    def advance(self, now: int, awaited_since: int, transitions: Sequence[Transition], *, connected: bool) -> None:
        """Time passes, as it did for the rules in force."""
        self.take_live(transitions)
        if self.engine.awaited_since < awaited_since:
            self.engine.await_readings(awaited_since)
        self.take(self.engine.advance(now, connected=connected))

    def begin_anew(self, tags: Int64) -> None:
        """Recordings of these tags are played again."""
        own = self.number[tags]
        if (own >= 0).any():
            self.engine.begin_anew(own[own >= 0].astype(np.int64))

    def take(self, found: Sequence[Transition]) -> None:
        """Count what the rules in shadow did."""
        for transition in found:
            path = self.rows.get(transition.rule)
            if path is None:
                continue
            figures = self.figures[path]
            entered = 1 if transition.entered else 0
            self.figures[path] = {**figures, "shadow": figures["shadow"] + entered, "shadow_in": transition.entered}
            self.is_new = True
            if len(self.pending) >= MOST_IN_BATCH:
                self.left_out += 1
                continue
            value = float(transition.value)
            self.pending.append(
                {
                    "path": path,
                    "entered": transition.entered,
                    "at": transition.source_time,
                    "value": value if np.isfinite(value) else None,
                }
            )

    def take_live(self, found: Sequence[Transition]) -> None:
        """Count what the same rules in force did."""
        for transition in found:
            path = self.live_rows.get(transition.rule)
            if path is not None:
                figures = self.figures[path]
                entered = 1 if transition.entered else 0
                self.figures[path] = {**figures, "live": figures["live"] + entered, "live_in": transition.entered}
                self.is_new = True


@contextmanager
def _harmless(road: Road) -> Iterator[None]:
    """A fault ends the watch, and nothing else."""
    try:
        yield
    except Exception as fault:
        log.exception("the watch of a change in shadow has failed", change=road.change)
        road.ended = f"ended by an error: {type(fault).__name__}, {UNTOUCHED}"


class Shadows:
    """All changes in shadow; a ``Participant``. The engine in force is asked for each time: it may be replaced.

    ``spent``: seconds of computing so far, as a clock of the processor has them.
    """

    def __init__(
        self,
        book: ChangeBook,
        make_engine: MakeEngine,
        engine: Callable[[], RuleEngine],
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        self._book = book
        self._make_engine = make_engine
        self._engine = engine
        self._spent = spent
        self._span_began = 0
        self._roads: dict[int, Road] = {}
        self._due: deque[tuple[Road, Callable[[Road], None]]] = deque()
        """What watches have yet to see, in order."""
        self._any: Int32 | None = None
        """Which tags of the site any of them watches, by index: more than -1."""
        self._restarted: list[tuple[RuleChange, str]] = []

    # ---- beginning and ending

    def prepare(self, site: Site, known: RuleChange) -> Road:
        """Make what watches a change. Takes a while where rules are over many tags: not in the event loop."""
        rows = [site.rule_row(rule.path) for rule in known.rules]
        part = part_with(site, rows, {rule.path: rule.after for rule in known.rules})
        number = np.full(len(site.tags), -1, dtype=np.int32)
        number[part.tags] = np.arange(len(part.tags), dtype=np.int32)
        return Road(
            known.id,
            part,
            self._make_engine(part.site),
            number,
            {part.site.rule_row(rule.path): rule.path for rule in known.rules},
            {site.rule_row(rule.path): rule.path for rule in known.rules},
            len(site.rules),
            {},
        )

    def begin(self, road: Road, now: int) -> bool:
        """Take over what the rules in force know of readings and modes, all changed rules out. False: it has failed."""
        try:
            self._take_over(road, now)
        except Exception:
            log.exception("a change cannot be watched in shadow", change=road.change)
            return False
        return True

    def open(self, road: Road) -> None:
        """Watch from now on."""
        self._roads[road.change] = road
        self._draw()

    def _take_over(self, road: Road, now: int) -> None:
        engine = self._engine()
        rows = np.full(road.site_rules, -1, dtype=np.int64)
        for own, row in enumerate(road.part.rows.tolist()):
            if own not in road.rows:
                rows[row] = own
        road.engine.take_over(engine, road.number.astype(np.int64), rows)
        inside = set(engine.inside().tolist())
        road.figures = {
            path: Watched(shadow=0, live=int(row in inside), shadow_in=False, live_in=row in inside)
            for row, path in road.live_rows.items()
        }
        road.noted_at = now

    def resume(self, site: Site, now: int) -> None:
        """At the start: changes that are in shadow begin anew."""
        for known in self._book.in_state(ChangeState.SHADOW):
            if self._book.is_watched(known):
                self._restarted.append((known, self._resumed(site, known, now)))

    def _resumed(self, site: Site, known: RuleChange, now: int) -> str:
        """Watch it again; returns why that cannot be."""
        try:
            moved = moved_since(site, known.rules)
            if moved:
                return moved
            road = self.prepare(site, known)
        except Exception:
            log.exception("a change cannot be watched in shadow", change=known.id)
            return UNTOUCHED
        if not self.begin(road, now):
            return UNTOUCHED
        self.open(road)
        return ""

    def reconfigure(self, matching: Matching, site: Site) -> None:
        """Another configuration holds: go on with the same tags and rules, as far as they are the same."""
        tags, rows = matching.kept_tags, matching.kept_rows
        for road in self._open_roads():
            with _harmless(road):
                gone = [path for row, path in road.live_rows.items() if rows[row] < 0]
                places = tags[road.part.tags]
                if gone or bool((places < 0).any()):
                    road.ended = f"{gone[0] if gone else 'a tag that it looks at'} was changed by another revision"
                    continue
                road.number = np.full(len(site.tags), -1, dtype=np.int32)
                road.number[places] = np.arange(len(places), dtype=np.int32)
                road.part = replace(road.part, tags=places)
                road.live_rows = {int(rows[row]): path for row, path in road.live_rows.items()}
        for road in [road for road in self._roads.values() if road.ended]:
            road.number = np.full(len(site.tags), -1, dtype=np.int32)
            road.live_rows = {}
        self._draw()

    # ---- what the pipeline tells

    def evaluate(self, block: SampleBlock, transitions: Sequence[Transition]) -> None:
        """Readings that the rules in force have just seen, and what these made of them; as all here, see ``catch_up``.

        Who begins to watch before it is caught up with knows of it already.
        """
        if self._any is not None and (transitions or (self._any[block.tag] >= 0).any()):
            found = tuple(transitions)  # the list goes on, to other ends
            self._owe(lambda road: road.evaluate(block, found))

    def advance(self, now: int, *, connected: bool, awaited_since: int, transitions: Sequence[Transition]) -> None:
        """Time passes, as it does for the rules in force."""
        if not 0 <= now - self._span_began < SPAN:
            self._span_began = now
            for road in self._roads.values():
                road.spent = 0.0
        self._owe(lambda road: road.advance(now, awaited_since, transitions, connected=connected))

    def begin_anew(self, tags: Int64) -> None:
        """Recordings of these tags are played again."""
        self._owe(lambda road: road.begin_anew(tags))

    async def catch_up(self) -> None:
        """See what is due, watch by watch; in between others have their turn."""
        while self._due:
            await asyncio.sleep(0)
            road, see = self._due.popleft()
            if road.ended:
                continue
            begun = self._spent()
            with _harmless(road):
                see(road)
            road.spent += self._spent() - begun
            self._bound()

    def _owe(self, see: Callable[[Road], None]) -> None:
        self._due.extend((road, see) for road in self._open_roads())

    def _bound(self) -> None:
        """End the slowest where all together take too much time."""
        roads = self._open_roads()
        if roads and sum(road.spent for road in roads) * 1000 > SPAN * SHARE:
            slowest = max(roads, key=lambda road: road.spent)
            log.warning("a change in shadow takes too much time", change=slowest.change, seconds=slowest.spent)
            slowest.ended = TOO_SLOW

    # ---- what goes into commits

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``: what was counted is journaled from time to time, and the watch ends with its time."""
        restarted, self._restarted = self._restarted, []
        for known, moved in restarted:
            try:
                self._tell_restart(known, moved, now, change)
            except Exception:
                log.exception("a change in shadow could not be told to begin anew", change=known.id)
        for road in list(self._roads.values()):
            with _harmless(road):
                self._follow(road, now, change)
            if road.ended:
                self._close(road.change)
                with _harmless(road):
                    self._end(road, now, change)

    def _tell_restart(self, known: RuleChange, moved: str, now: int, change: Change) -> None:
        at_hand = self._book.get(known.id)
        if (
            at_hand is None
            or at_hand.state is not known.state
            or at_hand.course["shadow"] is not known.course["shadow"]
        ):
            return  # somebody was quicker
        begun = self._book.restart_shadow(at_hand, now, change)
        if moved:
            self._book.end_shadow(begun, moved, now, change)

    def _follow(self, road: Road, now: int, change: Change) -> None:
        known = self._book.get(road.change)
        if known is None or not self._book.is_watched(known):
            self._close(road.change)
            return
        if now >= known.course["shadow"]["until"]:
            road.ended = road.ended or OVER
        if road.ended or (road.is_new and now - road.noted_at >= BATCH):
            self._note(road, known, now, change)

    def _end(self, road: Road, now: int, change: Change) -> None:
        known = self._book.get(road.change)
        if known is not None and self._book.is_watched(known):
            self._book.end_shadow(known, road.ended, now, change)

    def settle(self, identity: int, now: int, change: Change) -> None:
        """Journal what was counted of a change: something else is about to become of it."""
        road, known = self._roads.get(identity), self._book.get(identity)
        if road is not None and known is not None and self._book.is_watched(known):
            with _harmless(road):
                self._note(road, known, now, change)

    def figures_of(self, known: RuleChange) -> tuple[Mapping[str, Watched], int]:
        """The newest figures of a change and the readings that they come from."""
        shadow = known.course["shadow"]
        road = self._roads.get(known.id)
        if road is None or not self._book.is_watched(known):
            return shadow["rules"], shadow["readings"]
        return road.figures, road.readings

    def _note(self, road: Road, known: RuleChange, now: int, change: Change) -> RuleChange:
        pending, left_out = road.pending, road.left_out
        road.pending, road.left_out, road.noted_at, road.is_new = [], 0, now, False
        return self._book.note_shadow(known, pending, road.figures, road.readings, left_out, now, change)

    def _open_roads(self) -> list[Road]:
        return [road for road in self._roads.values() if not road.ended]

    def _close(self, identity: int) -> None:
        self._roads.pop(identity, None)
        self._draw()

    def _draw(self) -> None:
        roads = self._open_roads()
        self._any = np.maximum.reduce([road.number for road in roads]) if roads else None
