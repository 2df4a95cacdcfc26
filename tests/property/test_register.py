"""The register against a machine of its own, written naively from ISA-18.2 and DOMAIN's table of grades.

Conditions enter and leave, people act, time passes, the process dies and what it had taken is delivered again. After
every step the two agree, and so do the ledger and a register rebuilt from nothing but the journal. Over 500
lines, because the naive machine stands beside what it is compared with.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event

from alerting.grading import load_grading
from alerting.journal import Journal, verify
from alerting.ledger import Ledger
from alerting.records import Alarm, Change, Entry
from alerting.refusals import Conflict, NotFound
from alerting.register import Register
from domain.site import Site
from domain.transitions import Transition
from tests.watched_unit import MIDNIGHT, make_site

PATHS = (
    "works/GT-1/H", "works/GT-1/HH", "works/GT-2/HH", "works/AT-1/HH", "works/MT-1/CH4-2", "works/MT-2/CH4-2",
    "works/PI-1/H", "works/PI-1/HH", "works/PI-2/H", "works/PI-3/BAD", "works/PI-1/STALE", "works/XL-1/H",
    "works/XL-1/HH", "works/TI-9/HH", "works/@gw1/LINK", "other/LI-1/H",
)  # fmt: skip
UNITS = {"TI-9": "boiler", "LI-1": "tank", "@gw1": "gateways"}
"""Units of the tags that are not in the tank farm."""
GASES = {"GT": "toxic", "AT": "flammable", "MT": "methane"}
BLUE, YELLOW, ORANGE, RED = 1, 2, 3, 4
HOLD, PERSISTS = 600_000, 60_000
NUMBERS = st.integers(0, 127)


# ---- the naive machine


@dataclass
class NaiveAlarm:
    """One alarm, in plain words."""

    path: str
    since: int
    seen: int
    is_in: bool = True
    acknowledged: bool = False
    latched: bool = False
    times: int = 1

    @property
    def rule(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def tag(self) -> str:
        return self.path.split("/")[1]

    @property
    def latches(self) -> bool:
        return self.tag.startswith("XL")

    @property
    def gas(self) -> str | None:
        return GASES.get(self.tag[:2])

    @property
    def second_level(self) -> bool:
        return self.rule in {"HH", "CH4-2"}

    @property
    def grade(self) -> int:
        return ORANGE if self.rule == "CH4-2" else YELLOW if self.rule == "HH" else BLUE

    @property
    def state(self) -> str:
        if self.is_in:
            return "acknowledged" if self.acknowledged else "unacknowledged"
        if self.latched:
            return "latched_acknowledged" if self.acknowledged else "latched_unacknowledged"
        return "normal" if self.acknowledged else "returned_unacknowledged"


@dataclass
class NaiveIncident:
    """The case of one unit."""

    grade: int
    peak: int
    total: int = 0
    clear_since: int | None = None


@dataclass
class Naive:
    """What should be, decided anew from everything that is in."""

    hazard_level: int | None
    alarms: dict[str, NaiveAlarm] = field(default_factory=dict)
    incidents: dict[str, NaiveIncident] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def happens(self, path: str, at: int, now: int, *, enters: bool) -> None:
        """A condition enters or leaves."""
        known, unit = self.alarms.get(path), unit_of(path)
        if enters and known is None:
            self.alarms[path] = NaiveAlarm(path, at, now)
            if unit not in self.incidents:
                grade = self.grade_now(unit, now)
                assert grade is not None
                self.incidents[unit] = NaiveIncident(grade, grade)
                self.told.append(f"incident.opened {unit}")
            self.incidents[unit].total += 1
        elif enters and known is not None and not known.is_in:
            known.is_in, known.acknowledged, known.latched = True, False, False
            known.since, known.seen, known.times = at, now, known.times + 1
        elif not enters and known is not None and known.is_in:
            known.is_in, known.latched = False, known.latches
            self.forget_if_normal(path)
        else:
            return
        self.told.append(f"alarm.{'entered' if enters else 'returned'} {path}")
        self.look(unit, now)

    def acknowledge(self, path: str, now: int) -> bool:
        """A person does; False: there is nothing to acknowledge."""
        alarm = self.alarms.get(path)
        if alarm is None or alarm.acknowledged:
            return False
        alarm.acknowledged = True
        return self.acted(path, "alarm.acknowledged", now)

    def reset(self, path: str, now: int) -> bool:
        """A person does; False: it is not latched."""
        alarm = self.alarms.get(path)
        if alarm is None or not alarm.latched:
            return False
        alarm.latched = False
        return self.acted(path, "alarm.reset", now)

    def close(self, unit: str) -> bool:
        """A person does; False: it is not open, or an alarm of it is not normal."""
        if unit not in self.incidents or any(unit_of(path) == unit for path in self.alarms):
            return False
        del self.incidents[unit]
        self.told.append(f"incident.closed {unit}")
        return True

    def wait(self, now: int) -> None:
        """Time passes."""
        for unit, incident in self.incidents.items():
            self.look(unit, now)
            is_held = incident.clear_since is not None and now - incident.clear_since >= HOLD
            if is_held and incident.grade > BLUE:
                incident.grade = BLUE
                self.told.append(f"incident.graded {unit}")

    def acted(self, path: str, kind: str, now: int) -> bool:
        self.told.append(f"{kind} {path}")
        self.forget_if_normal(path)
        self.look(unit_of(path), now)
        return True

    def forget_if_normal(self, path: str) -> None:
        if self.alarms[path].state == "normal":
            del self.alarms[path]

    def look(self, unit: str, now: int) -> None:
        """Raise the unit's grade if it is higher than it was."""
        incident, grade = self.incidents[unit], self.grade_now(unit, now)
        if grade is None:
            incident.clear_since = now if incident.clear_since is None else incident.clear_since
            return
        incident.clear_since = None
        if grade > incident.grade:
            incident.grade = grade
            incident.peak = max(incident.peak, grade)
            self.told.append(f"incident.graded {unit}")

    def grade_now(self, unit: str, now: int) -> int | None:
        """DOMAIN's table, row by row."""
        present = [alarm for path, alarm in self.alarms.items() if unit_of(path) == unit and alarm.is_in]
        if not present:
            return None
        second = [alarm for alarm in present if alarm.second_level]
        grades = [alarm.grade for alarm in present]
        found = max(grades)
        if grades.count(BLUE) >= 4:
            found = max(found, YELLOW)
        if len({alarm.tag for alarm in second}) >= 2:
            found = max(found, ORANGE)
        if any(alarm.gas == "toxic" and now - alarm.seen >= PERSISTS for alarm in second):
            found = max(found, ORANGE)
        if grades.count(YELLOW) >= 3:
            found = max(found, ORANGE)
        if grades.count(ORANGE) >= 2:
            found = max(found, RED)
        if any(alarm.rule == "HH" and not alarm.gas for alarm in present) and any(alarm.gas for alarm in second):
            found = max(found, RED)
        if unit == "tankfarm" and self.hazard_level in {1, 2}:
            found = min(found + 1, RED)
        return found


def unit_of(path: str) -> str:
    """The unit of a condition."""
    return UNITS.get(path.split("/")[1], "tankfarm")


# ---- both of them


class RegisterMachine(RuleBasedStateMachine):
    """Steps that both take."""

    template: Path
    """An empty ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="anshao-register-"))
        shutil.copy(self.template, self.folder / "ledger.sqlite")
        self.runner = asyncio.Runner()
        self.ledger = Ledger(f"sqlite+aiosqlite:///{self.folder}/ledger.sqlite")
        for engine in (self.ledger.engine, self.ledger._writer):
            event.listen(engine.sync_engine, "connect", never_sync)
        self.table = load_grading()
        self.now = MIDNIGHT
        self.taken: list[Transition] = []
        """What the broker may deliver again."""
        self.entries: list[Entry] = []
        self.naive = Naive(None)
        self.paths: Sequence[str] = PATHS
        self.site: Site = make_site()
        self.register = Register(self.site, self.table, Journal())

    def teardown(self) -> None:
        try:
            verification = self.runner.run(verify(self.ledger.entries()))
            assert (verification.fault, verification.entries) == (None, len(self.entries))
        finally:
            self.runner.run(self.ledger.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    @initialize(
        hazard_level=st.sampled_from([None, None, 1, 2, 3]),
        focus=st.sampled_from([("works/GT-1/HH",), ("works/XL-1/H", "works/XL-1/HH"), ()]),
        others=st.lists(st.sampled_from(PATHS), min_size=1, max_size=6, unique=True),
    )
    def begin(self, hazard_level: int | None, focus: tuple[str, ...], others: list[str]) -> None:
        """A few conditions only, so that much happens to each."""
        self.paths = list(dict.fromkeys((*focus, *others)))
        self.site = make_site(hazard_level)
        self.register = Register(self.site, self.table, Journal())
        self.naive = Naive(hazard_level)

    def commit(self, act: Callable[[Change], object]) -> list[str]:
        """Do it, write it to the ledger, and say what was journaled."""
        change = Change()
        act(change)
        if change != Change():
            self.runner.run(self.ledger.commit(change))
        self.entries += change.entries
        return [told(entry) for entry in change.entries]

    def agrees(self, done: list[str]) -> None:
        """What was journaled is what the naive machine tells."""
        expected, self.naive.told = self.naive.told, []
        assert merged(done) == merged(expected)

    @rule(
        changes=st.lists(st.tuples(NUMBERS, st.sampled_from([True, True, True, True, False])), min_size=1, max_size=6),
        apart=st.integers(1, 40_000),
    )
    def conditions_change(self, changes: Sequence[tuple[int, bool]], apart: int) -> None:
        """Several at once, as a block of readings makes them; a few say only what is so already."""
        inside = {path for path, alarm in self.naive.alarms.items() if alarm.is_in}
        toggles, begun = [], self.now
        for number, is_new in changes:
            path = self.paths[number % len(self.paths)]
            enters = (path in inside) is not is_new
            (inside.add if enters else inside.discard)(path)
            toggles.append((path, enters))
        self.now += apart * len(toggles)
        transitions = [
            Transition(self.site.rule_row(path), enters, begun + apart * (index + 1), self.now, 1.0)
            for index, (path, enters) in enumerate(toggles)
        ]
        for transition, (path, enters) in zip(transitions, toggles, strict=True):
            self.naive.happens(path, transition.source_time, self.now, enters=enters)
        self.agrees(self.commit(lambda change: self.register.apply(transitions, self.now, change)))
        self.taken += [
            t for t, (path, _) in zip(transitions, toggles, strict=True) if not path.endswith(("/STALE", "/LINK"))
        ]

    @rule(number=NUMBERS)
    def one_condition_changes(self, number: int) -> None:
        self.conditions_change([(number, True)], 1_000)

    @rule(number=NUMBERS)
    def is_acknowledged(self, number: int) -> None:
        path = self.one_of(number, [alarm.path for alarm in self.naive.alarms.values() if not alarm.acknowledged])
        self.person("acknowledge", path, self.naive.acknowledge(path, self.now))

    @rule(number=NUMBERS)
    def is_reset(self, number: int) -> None:
        path = self.one_of(number, [alarm.path for alarm in self.naive.alarms.values() if alarm.latched])
        self.person("reset", path, self.naive.reset(path, self.now))

    def one_of(self, number: int, likely: Sequence[str]) -> str:
        """Mostly one of the likely ones."""
        pool = sorted(likely) if number % 8 and likely else self.paths
        return pool[number // 8 % len(pool)]

    def person(self, act: str, path: str, expected: bool) -> None:  # noqa: FBT001 - what the naive machine says
        alarm = self.register.find(path)
        identity = alarm.id if alarm else 10**9

        def do(change: Change) -> None:
            getattr(self.register, act)(identity, "county", "王芳", "", self.now, change)

        self.may(do, expected=expected)

    @rule(unit=st.sampled_from(["tankfarm", "boiler", "tank", "gateways"]))
    def is_closed(self, unit: str) -> None:
        expected = self.naive.close(unit)
        identity = next((found.id for found in self.register.incidents.values() if found.unit == unit), 10**9)
        self.may(
            lambda change: self.register.casebook.close(identity, "county", "王芳", "", self.now, change),
            expected=expected,
        )

    def may(self, do: Callable[[Change], object], *, expected: bool) -> None:
        """An act that is done or refused, as the naive machine says; a refused one leaves nothing."""
        if expected:
            self.agrees(self.commit(do))
            return
        change = Change()
        with pytest.raises((Conflict, NotFound)):
            do(change)
        assert change == Change()

    @rule(seconds=st.sampled_from([0, 1, 20, 59, 60, 60, 61, 599, 600, 601]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.naive.wait(self.now)
        self.agrees(self.commit(lambda change: self.register.advance(self.now, change)))

    @rule(again=st.integers(0, 12))
    def dies_and_comes_back(self, again: int) -> None:
        """From the ledger; then the broker delivers the last that it has no answer for, which changes nothing."""
        loaded = self.runner.run(self.ledger.load(settled_since=0))
        before = self.register
        self.register = Register(
            self.site,
            self.table,
            Journal(loaded.sequence, loaded.last_hash),
            loaded.alarms,
            loaded.incidents,
            loaded.settled,
        )
        assert self.register.active == before.active
        assert self.register.incidents == before.incidents
        delivered = self.taken[len(self.taken) - again :] if again else []
        assert self.commit(lambda change: self.register.apply(delivered, self.now, change)) == []
        self.naive.wait(self.now)
        self.agrees(self.commit(lambda change: self.register.advance(self.now, change)))

    @invariant()
    def alarms_agree(self) -> None:
        found = {
            alarm.path: (alarm.state.value, alarm.condition, alarm.entered_at, alarm.activations, int(alarm.grade))
            for alarm in self.register.active.values()
        }
        assert found == {
            path: (alarm.state, alarm.is_in, alarm.since, alarm.times, alarm.grade)
            for path, alarm in self.naive.alarms.items()
        }

    @invariant()
    def incidents_agree(self) -> None:
        found = {
            incident.unit: (
                int(incident.grade),
                int(incident.peak_grade),
                incident.cleared_at,
                incident.alarms_total,
                incident.alarms_active,
                incident.alarms_unacknowledged,
            )
            for incident in self.register.incidents.values()
        }
        assert found == {
            unit: (
                incident.grade,
                incident.peak,
                incident.clear_since,
                incident.total,
                sum(alarm.is_in for alarm in self.members(unit)),
                sum(not alarm.acknowledged for alarm in self.members(unit)),
            )
            for unit, incident in self.naive.incidents.items()
        }

    @invariant()
    def the_journal_alone_rebuilds_it(self) -> None:
        alarms, incidents = rebuilt(self.entries)
        assert alarms == {alarm.id: essence(alarm) for alarm in self.register.active.values()}
        assert incidents == {
            incident.id: (
                incident.unit,
                incident.grade.label,
                incident.peak_grade.label,
                incident.reasons,
                incident.sequence,
            )
            for incident in self.register.incidents.values()
        }

    def members(self, unit: str) -> Iterable[NaiveAlarm]:
        return [alarm for path, alarm in self.naive.alarms.items() if unit_of(path) == unit]


def never_sync(connection: Any, _record: object) -> None:
    """The disk may take its time: no power fails here."""
    connection.cursor().execute("PRAGMA synchronous=OFF")


def told(entry: Entry) -> str:
    """An entry in the naive machine's words."""
    body = orjson.loads(entry.body)
    about = f"{body['enterprise']}/{body['tag']}/{body['rule']}" if body["tag"] else body["unit"]
    return f"{entry.kind} {about}"


def merged(done: Sequence[str]) -> list[str]:
    """In order, but for grades: of several rises in one commit those between are not all told."""
    grades = sorted({what for what in done if what.startswith("incident.graded")})
    return [what for what in done if not what.startswith("incident.graded")] + grades


# ---- the journal, read back by hand


def rebuilt(entries: Sequence[Entry]) -> tuple[dict[int, dict[str, Any]], dict[int, tuple[Any, ...]]]:
    """Alarms that are not normal and incidents that are open, from nothing but the bodies."""
    alarms: dict[int, dict[str, Any]] = {}
    incidents: dict[int, tuple[Any, ...]] = {}
    grades = ["blue", "yellow", "orange", "red"]
    for entry in entries:
        body = orjson.loads(entry.body)
        data, kind, identity = body["data"], body["kind"], body["alarm"]
        if kind == "alarm.entered":
            known = alarms.get(identity, {"activations": 0})
            alarms[identity] = {
                **{key: body[key] for key in ("enterprise", "unit", "tag", "rule", "incident", "region")},
                **{key: data[key] for key in ("level", "grade", "value", "setpoint", "rule_version", "state")},
                "condition": True,
                "entered_at": data["source_time"],
                "received_at": data["received_time"],
                "returned_at": None,
                "acknowledged_by": None,
                "activations": known["activations"] + 1,
                "sequence": body["sequence"],
            }
        elif kind.startswith("alarm."):
            alarm = alarms[identity]
            alarm |= {"state": data["state"], "sequence": body["sequence"]}
            if kind == "alarm.returned":
                alarm |= {"condition": False, "returned_at": data["source_time"]}
            if kind == "alarm.acknowledged":
                alarm["acknowledged_by"] = data["name"]
            if alarm["state"] == "normal":
                del alarms[identity]
        elif kind == "incident.opened":
            incidents[body["incident"]] = (body["unit"], data["grade"], data["grade"], data["reasons"], 0)
        elif kind == "incident.graded":
            unit, _, peak, _, _ = incidents[body["incident"]]
            peak = max(peak, data["to"], key=grades.index)
            incidents[body["incident"]] = (unit, data["to"], peak, data["reasons"], 0)
        elif kind == "incident.closed":
            del incidents[body["incident"]]
        if body["incident"] in incidents:
            incidents[body["incident"]] = (*incidents[body["incident"]][:-1], body["sequence"])
    return alarms, incidents


def essence(alarm: Alarm) -> dict[str, Any]:
    """What the journal says of an alarm."""
    names = (
        "enterprise", "unit", "tag", "rule", "incident", "region", "value", "setpoint", "rule_version", "condition",
        "entered_at", "received_at", "returned_at", "acknowledged_by", "activations", "sequence",
    )  # fmt: skip
    return {name: getattr(alarm, name) for name in names} | {
        "level": alarm.level.value,
        "grade": alarm.grade.label,
        "state": alarm.state.value,
    }


def test_the_register_agrees_with_a_naive_machine(tmp_path: Path) -> None:
    async def make() -> None:
        ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite")
        await ledger.start()
        await ledger.close()

    asyncio.run(make())
    RegisterMachine.template = tmp_path / "empty.sqlite"
    run_state_machine_as_test(
        RegisterMachine, settings=settings(max_examples=100, stateful_step_count=50, deadline=None)
    )
