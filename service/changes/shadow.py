"""试运行: changed rules evaluated beside those in force, by an engine of their own that is fed the same readings.

What they would have done is counted and journaled in batches as ``change.shadow``. No alarm is raised, nobody is told.
A fault in here ends the watch of that change, and nothing else.
"""

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
from service.changes.book import ChangeBook
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
OVER = "its time is over"
FAULT = "a fault of the service; its log has the details. The rules in force are not touched by it"

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
    ended: str = ""
    """Why it cannot go on."""

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
    except Exception:
        log.exception("the watch of a change in shadow has failed", change=road.change)
        road.ended = FAULT


class Shadows:
    """All changes in shadow; a ``Participant``. The engine in force is asked for each time: it may be replaced."""

    def __init__(self, book: ChangeBook, make_engine: MakeEngine, engine: Callable[[], RuleEngine]) -> None:
        self._book = book
        self._make_engine = make_engine
        self._engine = engine
        self._roads: dict[int, Road] = {}
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
            if not self._book.is_watched(known):
                continue
            moved = moved_since(site, known.rules)
            self._restarted.append((known, moved or self._resumed(site, known, now)))

    def _resumed(self, site: Site, known: RuleChange, now: int) -> str:
        """Watch it again; returns why that cannot be."""
        try:
            road = self.prepare(site, known)
        except Exception:
            log.exception("a change cannot be watched in shadow", change=known.id)
            return FAULT
        if not self.begin(road, now):
            return FAULT
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
        """Readings that the rules in force have just seen, and what these made of them."""
        if self._any is None:
            return
        is_watched = bool((self._any[block.tag] >= 0).any())
        for road in self._open_roads():
            with _harmless(road):
                road.take_live(transitions)
                picked = road.number[block.tag] >= 0 if is_watched else None
                if picked is not None and picked.any():
                    part = block.take(picked)
                    part = replace(part, tag=road.number[part.tag])
                    road.readings += len(part)
                    road.take(road.engine.evaluate(part))

    def advance(self, now: int, *, connected: bool, awaited_since: int, transitions: Sequence[Transition]) -> None:
        """Time passes, as it does for the rules in force."""
        for road in self._open_roads():
            with _harmless(road):
                road.take_live(transitions)
                if road.engine.awaited_since < awaited_since:
                    road.engine.await_readings(awaited_since)
                road.take(road.engine.advance(now, connected=connected))

    def begin_anew(self, tags: Int64) -> None:
        """Recordings of these tags are played again."""
        for road in self._open_roads():
            with _harmless(road):
                own = road.number[tags]
                if (own >= 0).any():
                    road.engine.begin_anew(own[own >= 0].astype(np.int64))

    # ---- what goes into commits

    def take_part(self, change: Change, now: int) -> None:
        """See ``Participant``: what was counted is journaled from time to time, and the watch ends with its time."""
        restarted, self._restarted = self._restarted, []
        for known, moved in restarted:
            at_hand = self._book.get(known.id)
            if (
                at_hand is None
                or at_hand.state is not known.state
                or at_hand.course["shadow"] is not known.course["shadow"]
            ):
                continue  # somebody was quicker
            begun = self._book.restart_shadow(at_hand, now, change)
            if moved:
                self._book.end_shadow(begun, moved, now, change)
        for road in list(self._roads.values()):
            known_now = self._book.get(road.change)
            if known_now is None or not self._book.is_watched(known_now):
                self._close(road.change)
                continue
            over = OVER if now >= known_now.course["shadow"]["until"] else road.ended
            if over or (road.is_new and now - road.noted_at >= BATCH):
                known_now = self._note(road, known_now, now, change)
            if over:
                self._book.end_shadow(known_now, over, now, change)
                self._close(road.change)

    def settle(self, identity: int, now: int, change: Change) -> None:
        """Journal what was counted of a change: something else is about to become of it."""
        road, known = self._roads.get(identity), self._book.get(identity)
        if road is not None and known is not None and self._book.is_watched(known):
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
        del self._roads[identity]
        self._draw()

    def _draw(self) -> None:
        roads = self._open_roads()
        self._any = np.maximum.reduce([road.number for road in roads]) if roads else None
