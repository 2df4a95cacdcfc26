"""The register and its incidents against a reference, ``register_reference``, whatever happens to both.

Conditions enter and leave, some of them through the rules, with readings that are repeated or late; people acknowledge,
shelve, take out of service; the configuration changes; the clock jumps; the process dies, with or without what it was
about to commit, and what it had taken is delivered again. After every step the two agree, and so does a register
rebuilt from nothing but the journal. The ledger is real in a few of the sequences, rows in memory in the rest. Over 500
lines, because there is so much that can happen.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event

from alerting.alarms.overlaid import Overlaid
from alerting.alarms.register import Register
from alerting.alarms.suppression import Shelf, Window
from alerting.incidents.grading import load_grading
from alerting.journal.journal import Journal, Verifier
from alerting.ledger import ledger as rows
from alerting.ledger.ledger import Ledger, Loaded
from alerting.records import Alarm, Change, Entry, drill_prefix
from alerting.refusals import Conflict, NotFound
from domain.samples import SampleBlock
from domain.scales import Grade, Level, RuleKind
from domain.site import Rule, RuleExtra, RuleTable, Site
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from tests.property.rebuilt_register import Rebuilt, condition_of, essence
from tests.property.register_reference import HOUR, MINUTE, ORANGE, RED, Plan, Reference
from tests.property.register_reference import Window as PlainWindow
from tests.watched_unit import MIDNIGHT, make_site, register_of

EXAMPLES = int(os.environ.get("ANSHAO_REGISTER_SEQUENCES", "2000"))
MEASURED = ("GT-1", "PI-1")
"""Tags whose conditions come from the rules."""
PATHS = (
    "works/GT-2/HH", "works/AT-1/HH", "works/MT-1/CH4-2", "works/MT-2/CH4-2", "works/GT-2/STALE", "works/PI-2/STALE",
    "works/PI-2/H", "works/PI-3/BAD", "works/PI-3/H", "works/XL-1/H", "works/XL-1/HH", "works/TI-9/HH", "works/TI-9/H",
    "works/@gw1/LINK", "other/LI-1/H", "drill:7:works/GT-2/HH", "drill:7:works/PI-2/H", "drill:7:works/XL-1/H",
)  # fmt: skip
RULED = tuple(f"works/{tag}/{key}" for tag in MEASURED for key in ("H", "HH", "BAD"))
FOCUS = (
    ("works/XL-1/H", "works/XL-1/HH"),
    ("works/@gw1/LINK", "works/GT-2/STALE", "works/PI-2/STALE"),
    ("works/PI-3/BAD", "works/PI-2/H"),
    ("works/MT-1/CH4-2", "works/MT-2/CH4-2", "works/AT-1/HH"),
    ("drill:7:works/XL-1/H", "drill:7:works/PI-2/H"),
    (),
)
NUMBERS = st.integers(0, 255)
REASONS = ("calibration", "work order 88", "known, being repaired")
EVERY_RULE = frozenset(
    f"{tag.path}/{key}" for tag in make_site().tags for key in ("H", "HH", "STALE", "BAD", "CH4-2", "CH4-3", "LINK")
)
_METHANE = {"works/MT-1/CH4-2": ORANGE, "works/MT-2/CH4-2": ORANGE}
PLANS = (
    Plan(
        rules=EVERY_RULE,
        latching=frozenset({"works/XL-1/H", "works/XL-1/HH"}),
        grades=_METHANE,
        suppressors={
            "works/PI-2/H": ("works/XL-1/H",),
            "works/GT-1/H": ("works/PI-3/BAD", "works/TI-9/HH"),
            "works/XL-1/HH": ("works/PI-1/HH",),
        },
        parents={"works/PI-3/H": "works/PI-1/HH", "works/TI-9/H": "works/TI-9/HH"},
        re_alarm={"works/PI-1/HH": 5 * MINUTE, "works/XL-1/HH": 2 * MINUTE},
    ),
    Plan(
        rules=EVERY_RULE - {"works/PI-3/BAD", "works/GT-2/HH", "works/PI-2/STALE"},
        grades=_METHANE | {"works/MT-2/CH4-2": RED},
        suppressors={"works/GT-1/H": ("works/TI-9/HH",), "works/AT-1/HH": ("works/XL-1/H",)},
        parents={"works/PI-2/H": "works/PI-1/HH"},
        re_alarm={"works/XL-1/HH": 30 * MINUTE},
    ),
)


def site_of(plan: Plan, hazard_level: int | None) -> Site:
    """The watched unit's site with the rules of a plan."""
    site = make_site(hazard_level)
    made = []
    for row in range(len(site.rules)):
        rule, path = site.rules.row(row), site.rule_path(row)
        if path not in plan.rules:
            continue
        extra = RuleExtra(
            suppressed_by=plan.suppressors.get(path, ()),
            parent=plan.parents.get(path),
            re_alarm=plan.re_alarm.get(path, 0),
        )
        grade = Grade(plan.grades[path]) if path in plan.grades else rule.grade
        latching = path in plan.latching
        made.append(replace(rule, extra=extra if extra != RuleExtra() else None, grade=grade, latching=latching))
    return replace(site, rules=RuleTable.build(made, len(site.tags)), tag_index={})


def measured_rules() -> RuleTable:
    """The rules of the measured tags alone."""
    made = []
    for tag in range(len(MEASURED)):
        made += [
            Rule(tag, "H", RuleKind.HIGH, Level.H, 10.0),
            Rule(tag, "HH", RuleKind.HIGH, Level.HH, 20.0),
            Rule(tag, "BAD", RuleKind.BAD, Level.FAULT),
        ]
    return RuleTable.build(made, len(MEASURED))


class Tables:
    """The ledger's tables as rows in memory, and what a start reads of them."""

    def __init__(self) -> None:
        self.alarms: dict[int, dict[str, Any]] = {}
        self.incidents: dict[int, dict[str, Any]] = {}
        self.others: dict[str, dict[Any, dict[str, Any]]] = {"shelf": {}, "maintenance": {}}
        self.toggles: dict[str, list[int]] = {}
        self.last: Entry | None = None

    def commit(self, change: Change) -> None:
        """As ``Ledger.commit``."""
        for alarm in change.alarms.values():
            self.alarms[alarm.id] = rows._alarm_row(alarm)
        for incident in change.incidents.values():
            self.incidents[incident.id] = rows._incident_row(incident)
        for table, upserted in change.upserts.items():
            for row in upserted:
                self.others[table][row["path"] if table == "shelf" else row["id"]] = row
        for entry in change.entries:
            self.last = entry
            if entry.kind in {"alarm.entered", "alarm.returned", "alarm.damped"}:
                body = orjson.loads(entry.body)
                if not body["data"].get("damped"):
                    self.toggles.setdefault(condition_of(body), []).append(body["data"]["source_time"])

    def load(self) -> Loaded:
        """As ``Ledger.load``."""
        alarms = [rows.alarm_of(row) for row in self.alarms.values()]  # type: ignore[arg-type]
        settled: dict[str, tuple[int, bool]] = {}
        for alarm in alarms:
            if settled.get(alarm.path, (0, False))[0] <= alarm.transition_at:
                settled[alarm.path] = (alarm.transition_at, alarm.rule_is_in)
        return Loaded(
            sequence=self.last.sequence if self.last else 0,
            last_hash=self.last.hash if self.last else bytes(32),
            alarms=[alarm for alarm in alarms if alarm.state.value != "normal"],
            incidents=[rows.incident_of(row) for row in self.incidents.values()],  # type: ignore[arg-type]
            settled=settled,
            overlaid=Overlaid(
                [Shelf(**row) for row in self.others["shelf"].values() if row["ended_at"] is None],
                [Window(**row) for row in self.others["maintenance"].values() if row["ended_at"] is None],
                toggles=self.toggles,
            ),
        )


class RegisterMachine(RuleBasedStateMachine):
    """Steps that both take."""

    def __init__(self) -> None:
        super().__init__()
        self.table = load_grading() if not _GRADING else _GRADING[0]
        _GRADING[:] = [self.table]
        self.now = MIDNIGHT
        self.clock = MIDNIGHT
        """Source time of the gateways, which never goes back."""
        self.odd = 0
        self.taken: list[Transition] = []
        """What the broker may deliver again."""
        self.spool: list[SampleBlock] = []
        self.verifier = Verifier()
        self.journaled = Rebuilt()
        self.windows: dict[int, int] = {}
        """Number of a window -> its id."""
        self.tables = Tables()
        self.paths: Sequence[str] = PATHS

    def teardown(self) -> None:
        """Nothing is left open by rows in memory."""

    # ---- beginning

    @initialize(
        hazard_level=st.sampled_from([None, None, 1, 3]),
        focus=st.sampled_from(FOCUS),
        others=st.lists(st.sampled_from(PATHS), min_size=1, max_size=6, unique=True),
    )
    def begin(self, hazard_level: int | None, focus: tuple[str, ...], others: list[str]) -> None:
        """A few conditions only, so that much happens to each."""
        self.paths = list(dict.fromkeys((*focus, *others)))
        if hazard_level not in _SITES:
            _SITES[hazard_level] = [site_of(plan, hazard_level) for plan in PLANS]
        self.sites = _SITES[hazard_level]
        self.plan = 0
        self.register = Register(self.site, self.table, Journal())
        self.reference = Reference(PLANS[0], hazard_level)
        self.engine = make_engine()

    @property
    def site(self) -> Site:
        return self.sites[self.plan]

    def store(self, change: Change) -> None:
        self.tables.commit(change)

    def load(self) -> Loaded:
        return self.tables.load()

    def commit(self, act: Callable[[Change], object], *, but: str = "?") -> None:
        """Do it, write it down; what was journaled is what the reference tells, kinds that begin with ``but`` apart."""
        change = Change()
        act(change)
        if not change.is_empty:
            self.store(change)
        for entry in change.entries:
            assert self.verifier.check(entry) is None
        done = [self.journaled.take(entry) for entry in change.entries]
        told, self.reference.told = self.reference.told, []
        found, expected = sorted(tidy(done, but)), sorted(tidy(told, but))
        assert found == expected, (found, expected)

    # ---- conditions

    @rule(
        changes=st.lists(st.tuples(NUMBERS, st.sampled_from([True, True, True, True, False])), min_size=1, max_size=6),
        apart=st.sampled_from([0, 1, 700, 4_000, 40_000]),
        backwards=st.booleans(),
    )
    def conditions_change(self, changes: Sequence[tuple[int, bool]], apart: int, *, backwards: bool) -> None:
        """Several at once, as a block of readings makes them; a few say only what is so already.

        ``backwards``: what came last at the gateway is reported first.
        """
        alarms = self.reference.alarms
        inside = {path for path, alarm in alarms.items() if alarm.says_in}
        toggles, begun = [], self.clock
        for number, is_new in changes:
            path = self.paths[number % len(self.paths)]
            if path[path.rfind(":") + 1 :] not in PLANS[self.plan].rules:
                continue
            enters = (path in inside) is not is_new
            (inside.add if enters else inside.discard)(path)
            toggles.append((path, enters))
        if len({path for path, _ in toggles}) < len(toggles):
            apart = max(apart, 1)  # a reading brings one transition of a condition at most
        self.pass_time(apart * len(toggles) + 100)
        times = [begun + apart * (index + 1) for index in range(len(toggles))]
        if backwards and len({path for path, _ in toggles}) == len(toggles):
            times.reverse()
        happenings = [(path, at, self.now, enters) for (path, enters), at in zip(toggles, times, strict=True)]
        transitions = [self.transition(path, at, enters=enters) for path, at, _, enters in happenings]
        self.reference.block(happenings, self.now)
        self.commit(lambda change: self.register.apply(transitions, self.now, change))
        self.taken += [t for t, (path, _) in zip(transitions, toggles, strict=True) if not is_timeless(path)]

    @rule(number=NUMBERS)
    def one_condition_changes(self, number: int) -> None:
        self.conditions_change([(number, True)], 1_000, backwards=False)

    @rule(number=NUMBERS, apart=st.sampled_from([1_000, 14_000, 25_000]))
    def one_condition_flutters(self, number: int, apart: int) -> None:
        self.conditions_change([(number, True)] * 5, apart, backwards=False)

    @rule(values=st.lists(st.tuples(st.integers(0, 1), st.sampled_from([1.0, 12.0, 25.0, None])), max_size=6))
    def readings_arrive(self, values: Sequence[tuple[int, float | None]]) -> None:
        """Through the rules."""
        block = self.block_of(values)
        happenings, transitions = self.evaluate(self.engine, block)
        self.spool.append(block)
        self.reference.block(happenings, self.now)
        self.commit(lambda change: self.register.apply(transitions, self.now, change))

    @rule(number=NUMBERS)
    def readings_are_repeated(self, number: int) -> None:
        """The rules take none of them."""
        for block in self.spool[-1 - number % 4 :]:
            assert self.engine.evaluate(block) == []

    @rule(value=st.sampled_from([1.0, 25.0]))
    def readings_come_late(self, value: float) -> None:
        """They raise nothing, nor do they end anything."""
        late = SampleBlock.of([0], [self.now - 11 * MINUTE], [self.now], [value], [192], [0])
        live, found = self.engine.split_late(late)
        assert (len(live), len(found)) == (0, 1)
        transition = self.transition("works/GT-1/HH", self.now - 11 * MINUTE, enters=value > 20)
        self.reference.told.append("alarm.retrospective works/GT-1/HH")
        late_one = [replace(transition, retrospective=True)]
        self.commit(lambda change: self.register.apply(late_one, self.now, change))

    # ---- people

    @rule(number=NUMBERS)
    def is_acknowledged(self, number: int) -> None:
        path = self.one_of(number, lambda alarm: alarm.state.value.endswith("unacknowledged"))
        self.person(self.reference.acknowledge(path, self.now), "acknowledge", path)

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=5))
    def several_are_acknowledged(self, numbers: Sequence[int]) -> None:
        """Each by itself: what cannot be done holds up nothing."""
        paths = list(dict.fromkeys(self.one_of(number, lambda _: True) for number in numbers))
        identities = [self.identity(path, 10**9 + index) for index, path in enumerate(paths)]
        expected = [self.reference.acknowledge(path, self.now) for path in paths]
        self.reference.settle(self.now)

        def act(change: Change) -> None:
            results = self.register.acknowledge_all(identities, "county", "王芳", "", self.now, change)
            assert [(each.id, each.refusal is None) for each in results] == list(zip(identities, expected, strict=True))

        self.commit(act)

    @rule(number=NUMBERS)
    def is_reset(self, number: int) -> None:
        path = self.one_of(number, lambda alarm: alarm.state.value.startswith("latched"))
        self.person(self.reference.reset(path), "reset", path)

    @rule(number=NUMBERS)
    def is_commented(self, number: int) -> None:
        path = self.one_of(number, lambda _: True)
        alarm = self.register.find(path)
        if alarm is not None:
            self.reference.tell("alarm.commented", self.reference.alarms[path])
            self.reference.settle(self.now)
            self.commit(lambda change: self.register.comment(alarm, "county", "王芳", "seen", self.now, change))

    @rule(
        number=NUMBERS,
        duration=st.sampled_from([20_000, 10 * MINUTE, 2 * HOUR, 8 * HOUR - 100, 9 * HOUR, -MINUTE]),
        reason=st.sampled_from(REASONS),
    )
    def is_shelved(self, number: int, duration: int, reason: str) -> None:
        path = self.one_of(number, lambda alarm: alarm.suppression is None)
        until = self.uneven(self.now + duration)
        expected = self.reference.shelve(path, until, reason, "李强", self.now)
        identity = self.identity(path)
        self.may(
            lambda change: self.register.shelving.shelve(identity, until, reason, "county", "李强", self.now, change),
            expected=expected,
        )

    @rule(number=NUMBERS)
    def is_unshelved(self, number: int) -> None:
        shelved = sorted(self.reference.shelves)
        path = shelved[number % len(shelved)] if shelved and number % 8 else self.one_of(number, lambda _: True)
        identity = self.identity(path)
        if path in self.register.overlay.shelves and self.register.find(path) is None:
            identity = self.register.overlay.shelves[path].alarm
        expected = self.reference.unshelve(path, self.now)
        self.reference.settle(self.now)
        self.may(
            lambda change: self.register.shelving.unshelve(identity, "county", "王芳", "", self.now, change),
            expected=expected,
        )

    @rule(
        place=st.sampled_from(
            [("tag", "GT-2"), ("tag", "XL-1"), ("unit", "tankfarm"), ("unit", "boiler"), ("gateway", "gw1")]
        ),
        begins=st.sampled_from([-MINUTE, 0, 0, 30_000, HOUR]),
        lasts=st.sampled_from([0, 40_000, 20 * MINUTE, 3 * HOUR]),
        name=st.sampled_from(["李强", "张伟"]),
    )
    def goes_out_of_service(self, place: tuple[str, str], begins: int, lasts: int, name: str) -> None:
        scope, target = place
        begins_at = self.now + begins if begins <= 0 else self.uneven(self.now + begins)
        ends_at = self.uneven(max(begins_at, self.now) + lasts) if lasts else begins_at
        number = len(self.windows) + 1
        window = PlainWindow(number, scope, "works", target, begins_at, ends_at, name)
        expected = self.reference.announce(window, self.now)
        # A number that is refused is never an id.
        self.windows[number] = self.register.journal.sequence + 1 if expected else 10**9 + number
        maintenance = self.register.maintenance
        self.may(
            lambda change: maintenance.announce(
                scope, "works", target, begins_at, ends_at, "overhaul", "county", name, self.now, change
            ),
            expected=expected,
        )

    @rule(number=NUMBERS, act=st.sampled_from(["cancel", "end"]))
    def maintenance_is_over(self, number: int, act: str) -> None:
        if not self.windows:
            return
        chosen = number % len(self.windows) + 1
        window = self.reference.windows.get(chosen)
        expected = window is not None and window.runs is (act == "end")
        if expected:
            self.reference.close_window(chosen, self.now, "ended" if act == "end" else "cancelled")
            self.reference.settle(self.now)
        identity, maintenance = self.windows[chosen], self.register.maintenance
        self.may(
            lambda change: getattr(maintenance, act)(identity, "county", "王芳", "", self.now, change),
            expected=expected,
        )

    # ---- time, configuration, death

    @rule(seconds=st.sampled_from([0, 1, 20, 59, 60, 60, 61, 300, 599, 600, 601, 7_200, 28_801, 86_500]))
    def time_passes(self, seconds: int) -> None:
        self.pass_time(seconds * 1000)
        self.wait()

    @rule(seconds=st.sampled_from([1, 30, 600, 4_000]))
    def the_clock_is_set_back(self, seconds: int) -> None:
        """The service's: its gateways have clocks of their own."""
        self.now -= seconds * 1000
        self.wait()

    @rule()
    def the_configuration_changes(self) -> None:
        self.plan = 1 - self.plan
        self.reference.reconfigured(PLANS[self.plan], self.now)
        self.taken = []
        self.commit(
            lambda change: self.register.reconfigure(self.site, self.table, self.now, change), but="incident.graded"
        )

    @rule(
        again=st.integers(0, 12),
        lost=st.lists(st.tuples(st.integers(0, 1), st.sampled_from([1.0, 12.0, 25.0, None])), max_size=3),
    )
    def dies_and_comes_back(self, again: int, lost: Sequence[tuple[int, float | None]]) -> None:
        """From the ledger, with the spool's readings; ``lost`` are in the spool only, and are found there.

        Then the broker delivers the last that it has no answer for, which changes nothing.
        """
        block = self.block_of(lost)
        happenings, _ = self.evaluate(self.engine, block)
        self.spool.append(block)
        before = self.register
        loaded = self.load()
        self.register = register_of(self.site, self.table, loaded)
        assert self.register.active == before.active
        assert self.register.incidents == before.incidents
        self.engine = make_engine()
        self.engine.restore(self.rows_inside())
        newest = self.spool[-1].received_time.max() if len(self.spool[-1]) else self.now
        self.spool = [kept for kept in self.spool[-8:] if len(kept) and kept.received_time.max() >= newest - 2 * MINUTE]
        replayed = [transition for kept in self.spool for transition in self.evaluate(self.engine, kept)[1]]
        delivered = self.taken[len(self.taken) - again :] if again else []
        self.reference.block(happenings, self.now)
        self.commit(lambda change: self.register.apply([*replayed, *delivered], self.now, change))
        assert sorted(self.engine.inside().tolist()) == sorted(self.rows_inside().tolist())
        self.reference.restarts(self.now)
        self.wait()

    # ---- what both have come to

    @invariant()
    def alarms_agree(self) -> None:
        found = {
            path: (
                alarm.state.value,
                alarm.condition,
                alarm.rule_is_in,
                alarm.entered_at,
                alarm.activations,
                int(alarm.grade),
                (alarm.suppression and alarm.suppression.value, alarm.suppressed_by, alarm.suppressed_until),
                alarm.calm_at,
                alarm.chattering,
                alarm.stale,
                alarm.cause,
                alarm.first_out,
            )
            for path, alarm in self.register._roll.by_path.items()
        }
        expected = {
            path: (
                alarm.state,
                alarm.is_in,
                alarm.says_in,
                alarm.since,
                alarm.times,
                alarm.grade,
                alarm.hidden or (None, None, None),
                alarm.calm_at,
                alarm.calm_at is not None,
                alarm.stale,
                alarm.cause,
                alarm.first,
            )
            for path, alarm in self.reference.alarms.items()
        }
        assert found == expected, differences(found, expected)
        assert {alarm.path for alarm in self.register.active.values()} == found.keys()

    @invariant()
    def incidents_agree(self) -> None:
        found = {
            drill_prefix(incident.drill) + incident.unit: (
                int(incident.grade),
                int(incident.peak_grade),
                incident.cleared_at,
                incident.alarms_total,
                incident.alarms_active,
                incident.alarms_unacknowledged,
            )
            for incident in self.register.incidents.values()
        }
        expected = {}
        for unit, incident in self.reference.incidents.items():
            members = [a for a in self.reference.alarms.values() if a.unit == unit and a.hidden is None]
            expected[unit] = (
                incident.grade,
                incident.peak,
                incident.clear_since,
                incident.total,
                sum(alarm.is_in for alarm in members),
                sum(not alarm.acknowledged_at for alarm in members),
            )
        assert found == expected, differences(found, expected)

    @invariant()
    def the_journal_alone_rebuilds_it(self) -> None:
        alarms = {alarm.id: essence(alarm) for alarm in self.register.active.values()}
        assert self.journaled.alarms == alarms, differences(self.journaled.alarms, alarms)
        assert self.journaled.shelved == {
            path: (shelf.until, shelf.reason, shelf.name) for path, shelf in self.register.overlay.shelves.items()
        }
        assert self.journaled.windows == {
            identity: window.state for identity, window in self.register.overlay.windows.items()
        }
        assert self.journaled.incidents == {
            incident.id: (incident.unit, incident.grade.label, incident.peak_grade.label)
            for incident in self.register.incidents.values()
        }

    # ---- tools

    def wait(self) -> None:
        self.reference.wait(self.now)
        self.commit(lambda change: self.register.advance(self.now, change))

    def pass_time(self, milliseconds: int) -> None:
        self.now += milliseconds
        self.clock = max(self.clock + milliseconds, self.now)

    def uneven(self, at: int) -> int:
        """An instant at which nothing else comes due."""
        self.odd += 1
        return at // 100 * 100 + 11 + self.odd % 80

    def one_of(self, number: int, likely: Callable[[Alarm], bool]) -> str:
        """Mostly a condition whose alarm is a likely one."""
        found = sorted(alarm.path for alarm in self.register.active.values() if likely(alarm))
        pool = found if number % 8 and found else (*self.paths, *RULED)
        return pool[number // 8 % len(pool)]

    def identity(self, path: str, otherwise: int = 10**9) -> int:
        alarm = self.register.find(path)
        return alarm.id if alarm else otherwise

    def person(self, expected: bool, act: str, path: str) -> None:  # noqa: FBT001 - what the reference says
        identity = self.identity(path)
        self.reference.settle(self.now)
        self.may(
            lambda change: getattr(self.register, act)(identity, "county", "王芳", "", self.now, change),
            expected=expected,
        )

    def may(self, do: Callable[[Change], object], *, expected: bool) -> None:
        """An act that is done or refused, as the reference says; a refused one leaves nothing."""
        if expected:
            self.commit(do)
            return
        change = Change()
        with pytest.raises((Conflict, NotFound)):
            do(change)
        assert change.is_empty

    def transition(self, path: str, at: int, *, enters: bool) -> Transition:
        row = self.site.rule_row(path[path.rfind(":") + 1 :])
        return Transition(row, enters, at, self.now, 1.0, drill=7 if ":" in path else None)

    def block_of(self, values: Sequence[tuple[int, float | None]]) -> SampleBlock:
        """Readings, one a second; None is one of bad quality."""
        begun = self.clock
        self.pass_time(1_000 * len(values) + 100)
        return SampleBlock.of(
            [tag for tag, _ in values],
            [begun + 1_000 * (index + 1) for index in range(len(values))],
            [self.clock] * len(values),
            [float("nan") if value is None else value for _, value in values],
            [0 if value is None else 192 for _, value in values],
            [0] * len(values),
        )

    def evaluate(
        self, engine: RuleEngine, block: SampleBlock
    ) -> tuple[list[tuple[str, int, int, bool]], list[Transition]]:
        happenings, transitions = [], []
        for found in engine.evaluate(block):
            path = f"works/{MEASURED[int(_RULES.tag[found.rule])]}/{_RULES.key[found.rule]}"
            happenings.append((path, found.source_time, found.received_time, found.entered))
            transitions.append(replace(found, rule=self.site.rule_row(path)))
        return happenings, transitions

    def rows_inside(self) -> Any:
        inside = {alarm.path for alarm in self.register.active.values() if alarm.rule_is_in}
        of_row = [f"works/{MEASURED[int(_RULES.tag[row])]}/{_RULES.key[row]}" for row in range(len(_RULES))]
        return np.array([row for row, path in enumerate(of_row) if path in inside], dtype=np.int64)


class LedgerMachine(RegisterMachine):
    """The same on a real ledger."""

    template: Path
    """An empty one."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="anshao-register-"))
        shutil.copy(self.template, self.folder / "ledger.sqlite")
        self.runner = asyncio.Runner()
        self.ledger = Ledger(f"sqlite+aiosqlite:///{self.folder}/ledger.sqlite")
        for engine in (self.ledger.engine, self.ledger._writer):
            event.listen(engine.sync_engine, "connect", never_sync)

    def teardown(self) -> None:
        self.runner.run(self.ledger.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def store(self, change: Change) -> None:
        self.runner.run(self.ledger.commit(change))

    def load(self) -> Loaded:
        return self.runner.run(self.ledger.load(settled_since=0))


_RULES = measured_rules()
_GRADING: list[Any] = []
_SITES: dict[int | None, list[Site]] = {}


def make_engine() -> RuleEngine:
    """The measured tags' rules, all out."""
    tags = TagColumns(np.full(len(MEASURED), 1_000, dtype=np.int64), np.ones(len(MEASURED), dtype=np.bool_))
    return RuleEngine(_RULES, tags, 10 * MINUTE, 5_000)


def never_sync(connection: Any, _record: object) -> None:
    """The disk may take its time: no power fails here."""
    connection.cursor().execute("PRAGMA synchronous=OFF")


def is_timeless(path: str) -> bool:
    """Its transitions bear the service's time, and count whatever it is."""
    return path.endswith(("/STALE", "/LINK"))


def tidy(done: Sequence[str], but: str) -> list[str]:
    """Of several grades in one commit those between are not all told; nor are marks, which the alarms show."""
    grades = {what for what in done if what.startswith("incident.graded")}
    rest = [what for what in done if not what.startswith(("incident.graded", "alarm.first_out"))]
    return [what for what in [*rest, *grades] if not what.startswith(but)]


def differences(found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> list[tuple[Any, Any, Any]]:
    """Key, found, expected of what differs."""
    keys = sorted({*found, *expected})
    return [(key, found.get(key), expected.get(key)) for key in keys if found.get(key) != expected.get(key)]


@pytest.mark.no_cover  # covered by others; it would take three times as long
@pytest.mark.timeout(600)
def test_the_register_agrees_with_a_reference() -> None:
    run_state_machine_as_test(
        RegisterMachine, settings=settings(max_examples=EXAMPLES, stateful_step_count=50, deadline=None)
    )


def test_so_it_does_on_a_real_ledger(tmp_path: Path) -> None:
    async def make() -> None:
        ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite")
        await ledger.start()
        await ledger.close()

    asyncio.run(make())
    LedgerMachine.template = tmp_path / "empty.sqlite"
    run_state_machine_as_test(LedgerMachine, settings=settings(max_examples=40, stateful_step_count=50, deadline=None))
