"""The handling of an incident against a machine of its own, in plain words from DOMAIN's closed loop.

Alarms come and go, people act in any order, the process dies. After every step the two agree: what was done, what was
refused, where the incident stands, what is still missing, and what the journal alone says of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from alerting.incidents.closed_loop import Result, Side, missing_steps, next_steps
from alerting.incidents.incidents import Incidents
from alerting.records import Change, Incident
from alerting.refusals import Conflict, NotFound
from domain.scales import Grade
from tests.watched_unit import MIDNIGHT, WatchedUnit

PATHS = ("works/PI-1/H", "works/PI-1/HH", "works/PI-2/HH")
"""Blue, yellow, and together orange."""
PEOPLE = ("王芳", "张强", " 王 芳")
GRADES = ("blue", "yellow", "orange", "red")
DAY = 86_400_000
APART = 61_000
"""ms between changes of conditions: nothing chatters."""
NAMES = st.sampled_from(PEOPLE)


@dataclass
class Case:
    """An incident in plain words. ``done`` is where it stands: so many of the loop's steps forward."""

    grade: str
    peak: str
    tier: int
    done: str = "triggered"
    desk: bool = False
    enterprise: bool = False
    proposed: tuple[str, str] | None = None
    verified: tuple[str, str, bool] | None = None
    """Result, who, and whether a second person stands behind it."""
    steps: int = 0
    reopened: int = 0
    closed_at: int | None = None
    archived: bool = False
    reviewed_at: int = 0
    """How many alarms had been raised when the feedback was reviewed."""
    lowered: tuple[str, int] | None = None
    """From what grade, and how many alarms had been raised by then."""
    is_accident: bool = False

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_grave(self) -> bool:
        return self.peak in {"orange", "red"}


@dataclass
class Naive:
    """The unit, and what should be."""

    inside: dict[str, tuple[bool, bool, int]] = field(default_factory=dict)
    """Alarm -> is in, is acknowledged, number of its raising."""
    raised: int = 0
    case: Case | None = None

    def made(self) -> str | None:
        """The grade that what is in makes."""
        present = [path for path, (is_in, _, _) in self.inside.items() if is_in]
        graver = [path for path in present if path.endswith("HH")]
        return "orange" if len(graver) == 2 else "yellow" if graver else "blue" if present else None

    def enters(self, path: str, now: int) -> None:
        known = self.inside.get(path)
        if known is not None and known[0]:
            return
        if known is None:
            self.raised += 1
        number = self.raised if known is None else known[2]
        self.inside[path] = (True, False, number)
        case, made = self.case, self.made()
        assert made is not None
        if case is None or case.archived or (case.closed_at is not None and now - case.closed_at >= DAY):
            self.case = Case(made, made, GRADES.index(made) + 1)
            return
        if case.closed_at is not None:
            peak = max(case.peak, made, key=GRADES.index)
            self.case = Case(
                made, peak, GRADES.index(made) + 1, reopened=case.reopened + 1, is_accident=case.is_accident
            )
            return
        self.look()
        if case.done == "reviewed" and max(number for _, _, number in self.inside.values()) > case.reviewed_at:
            case.done = "handled"

    def leaves(self, path: str) -> None:
        known = self.inside.get(path)
        if known is None or not known[0]:
            return
        if known[1]:
            del self.inside[path]
        else:
            self.inside[path] = (False, False, known[2])
        self.look()

    def acknowledges(self, path: str) -> None:
        known = self.inside[path]
        if known[0]:
            self.inside[path] = (True, True, known[2])
        else:
            del self.inside[path]
        self.look()

    def look(self) -> None:
        """What is in may make a graver grade."""
        case, made = self.case, self.made()
        if case is None or not case.is_open or made is None or GRADES.index(made) <= GRADES.index(case.grade):
            return
        if case.lowered is not None:
            newest = max(number for is_in, _, number in self.inside.values() if is_in)
            if GRADES.index(made) <= GRADES.index(case.lowered[0]) and newest <= case.lowered[1]:
                return
            case.lowered = None
        self.graded(made)

    def graded(self, grade: str) -> None:
        case = self.case
        assert case is not None
        rises = GRADES.index(grade) > GRADES.index(case.grade)
        case.grade = grade
        case.peak = max(case.peak, grade, key=GRADES.index)
        case.tier = max(case.tier, GRADES.index(grade) + 1)
        if rises and grade in {"orange", "red"}:
            case.desk = case.enterprise = False
            case.done = {"acknowledged": "pushed", "reviewed": "handled"}.get(case.done, case.done)
        if case.verified is not None and case.verified[0] == "false" and case.is_grave and not case.verified[2]:
            case.proposed, case.verified = case.verified[:2], None

    @property
    def missing(self) -> set[str]:
        case = self.case
        assert case is not None
        done = {
            "desk_acknowledged": case.desk,
            "enterprise_acknowledged": case.enterprise,
            "verified": case.verified is not None,
            "handled": case.steps > 0,
            "feedback": case.done in {"feedback", "reviewed", "closed", "archived"},
            "reviewed": case.done == "reviewed",
        }
        wanted = {"blue": set(), "yellow": {"verified", "feedback"}}.get(case.peak, set(done))
        if case.is_accident:
            wanted = set(done)
        elif case.verified is not None and case.verified[0] != "real":
            wanted = wanted - {"handled"}
        return {step for step in wanted if not done[step]}


class HandlingMachine(RuleBasedStateMachine):
    """Steps that both take."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = WatchedUnit()
        self.naive = Naive()
        self.now = MIDNIGHT
        self.number = 0

    # ---- alarms

    @rule(path=st.sampled_from(PATHS))
    def enters(self, path: str) -> None:
        self.now += APART
        self.naive.enters(path, self.now)
        self.unit.enters(path, at=self.second)
        self.number = self.unit.incident().id

    @rule(path=st.sampled_from(PATHS))
    def leaves(self, path: str) -> None:
        self.now += APART
        self.naive.leaves(path)
        self.unit.leaves(path, at=self.second)

    @rule()
    def all_are_acknowledged_and_leave(self) -> None:
        for path, (_, acknowledged, _) in list(self.naive.inside.items()):
            if not acknowledged:
                self.naive.acknowledges(path)
                self.unit.acknowledges(path, at=self.second)
            self.leaves(path)

    @rule()
    def dies_and_comes_back(self) -> None:
        """What the ledger holds is JSON."""
        for identity, incident in self.unit.books.incidents.items():
            loop = orjson.loads(orjson.dumps(incident.loop))
            assert loop == incident.loop
            self.unit.books.incidents[identity] = replace(incident, loop=loop)
        before = self.unit.register.casebook
        self.unit.restarts()
        assert self.unit.register.casebook.open == before.open
        assert self.unit.register.casebook.closed == before.closed

    # ---- people

    @rule(name=NAMES)
    def desk_acknowledges(self, name: str) -> None:
        case = self.naive.case
        may = case is not None and case.is_open and not case.desk
        self.act(lambda b, i, n, c: b.acknowledge(i, Side.DESK, "t", name, "", n, c), may=may)
        if may and case is not None:
            case.desk = True

    @rule(name=NAMES)
    def enterprise_acknowledges(self, name: str) -> None:
        case = self.naive.case
        may = case is not None and case.is_open and not case.enterprise and case.done != "acknowledged"
        self.act(lambda b, i, n, c: b.acknowledge(i, Side.ENTERPRISE, "t", name, "", n, c), may=may)
        if may and case is not None:
            case.enterprise = True
            if case.done in {"triggered", "pushed"}:
                case.done = "acknowledged"

    @rule()
    def is_pushed(self) -> None:
        case = self.naive.case
        may = case is not None and case.is_open
        self.act(lambda b, i, n, c: b.push(i, n, c), may=may)
        if may and case is not None and case.done == "triggered":
            case.done = "pushed"

    @rule(result=st.sampled_from(["real", "false", "false", "maintenance"]), name=NAMES)
    def is_verified(self, result: str, name: str) -> None:
        case = self.naive.case
        may = case is not None and case.is_open and case.done != "reviewed"
        proposes = case is not None and result == "false" and case.is_grave
        if proposes and case is not None and case.proposed is not None:
            may = False
        self.act(lambda b, i, n, c: b.verify(i, Result(result), "t", name, "", n, c), may=may)
        if not may or case is None:
            return
        if proposes:
            case.proposed = (result, name)
        else:
            case.verified, case.proposed = (result, name, False), None
            self.stands_verified(case)

    @rule(name=NAMES)
    def is_confirmed(self, name: str) -> None:
        case = self.naive.case
        may = (
            case is not None
            and case.is_open
            and case.proposed is not None
            and case.proposed[1].replace(" ", "") != name.replace(" ", "")
            and case.done != "reviewed"
        )
        self.act(lambda b, i, n, c: b.confirm_verification(i, "t", name, "", n, c), may=may)
        if may and case is not None and case.proposed is not None:
            case.verified, case.proposed = (*case.proposed, True), None
            self.stands_verified(case)

    @rule(name=NAMES)
    def is_rejected(self, name: str) -> None:
        case = self.naive.case
        may = case is not None and case.is_open and case.proposed is not None
        self.act(lambda b, i, n, c: b.reject_verification(i, "t", name, "", n, c), may=may)
        if may and case is not None:
            case.proposed = None

    @rule()
    def is_handled(self) -> None:
        case = self.naive.case
        may = case is not None and case.done in {"verified", "handled", "feedback"}
        self.act(lambda b, i, n, c: b.handle(i, "切断", "t", "李工", "", n, c), may=may)
        if may and case is not None:
            case.done, case.steps = "handled", case.steps + 1

    @rule()
    def is_fed_back(self) -> None:
        case = self.naive.case
        may = case is not None and case.done in {"verified", "handled", "feedback"}
        self.act(lambda b, i, n, c: b.feed_back(i, "好", [], "t", "李工", n, c), may=may)
        if may and case is not None:
            case.done = "feedback"

    @rule(accepted=st.sampled_from([True, True, False]))
    def is_reviewed(self, *, accepted: bool) -> None:
        case = self.naive.case
        may = case is not None and (case.done == "feedback" or (case.done == "reviewed" and not accepted))
        self.act(lambda b, i, n, c: b.review(i, "t", "王芳", "", n, c, accepted=accepted), may=may)
        if may and case is not None:
            case.done = "reviewed" if accepted else "handled"
            case.reviewed_at = self.naive.raised

    @rule()
    def is_closed(self) -> None:
        case = self.naive.case
        may = case is not None and case.is_open and not self.naive.inside and not self.naive.missing
        self.act(lambda b, i, n, c: b.close(i, "t", "王芳", "", n, c), may=may)
        if may and case is not None:
            case.done, case.closed_at, case.proposed = "closed", self.now, None

    @rule(closes=st.booleans())
    def everything_is_done(self, *, closes: bool) -> None:
        """The long way is rarely gone by chance."""
        self.all_are_acknowledged_and_leave()
        self.desk_acknowledges(name="王芳")
        self.is_verified(result="real", name="王芳")
        self.enterprise_acknowledges(name="张强")
        self.is_handled()
        self.is_fed_back()
        self.is_reviewed(accepted=True)
        if closes:
            self.is_closed()

    @rule(first=NAMES, second=NAMES)
    def two_are_asked_whether_a_grave_one_is_false(self, first: str, second: str) -> None:
        self.enters("works/PI-1/HH")
        self.enters("works/PI-2/HH")
        self.is_verified(result="false", name=first)
        self.is_confirmed(name=second)

    @rule(path=st.sampled_from(PATHS), days=st.sampled_from([0.9, 1.1]))
    def it_is_closed_and_an_alarm_comes_later(self, path: str, days: float) -> None:
        self.everything_is_done(closes=True)
        self.now += round(days * DAY)
        self.enters(path)

    @rule()
    def is_archived(self) -> None:
        case = self.naive.case
        may = case is not None and case.done == "closed"
        self.act(lambda b, i, n, c: b.archive(i, "t", "王芳", "", n, c), may=may)
        if may and case is not None:
            case.done, case.archived = "archived", True

    @rule(grade=st.sampled_from(GRADES))
    def is_decided(self, grade: str) -> None:
        case = self.naive.case
        may = case is not None and case.is_open and case.grade != grade
        self.act(lambda b, i, n, c: b.decide(i, Grade.parse(grade), "t", "王芳", "因", n, c), may=may)
        if not may or case is None:
            return
        lowers = GRADES.index(grade) < GRADES.index(case.grade)
        made = self.naive.made() or case.grade
        against = max(case.grade, made, key=GRADES.index)
        case.lowered = (against, self.naive.raised) if lowers else None
        self.naive.graded(grade)

    def stands_verified(self, case: Case) -> None:
        if case.done in {"triggered", "pushed", "acknowledged"}:
            case.done = "verified"

    @property
    def second(self) -> float:
        return (self.now - MIDNIGHT) / 1000

    def act(self, do: Callable[[Incidents, int, int, Change], object], *, may: bool) -> None:
        """Done or refused, as the naive machine says; a refused act leaves nothing."""
        self.now += 1_000
        change = Change()
        before = {key: replace(found) for key, found in self.unit.register.casebook.open.items()}
        if may:
            do(self.unit.register.casebook, self.number, self.now, change)
            self.unit._commit(change)
            return
        with pytest.raises((Conflict, NotFound)):
            do(self.unit.register.casebook, self.number or 10**9, self.now, change)
        assert change.is_empty
        assert self.unit.register.casebook.open == before

    # ---- they agree

    @invariant()
    def the_incident_agrees(self) -> None:
        case = self.naive.case
        if case is None:
            assert not self.unit.books.incidents
            return
        found = self.unit.books.incidents[self.number]
        assert (
            found.state.value,
            found.grade.label,
            found.peak_grade.label,
            found.tier,
            found.desk_acknowledged_at is not None,
            found.enterprise_acknowledged_at is not None,
            found.reopened,
            found.closed_at,
            len(found.loop.get("steps", [])),
        ) == (
            case.done,
            case.grade,
            case.peak,
            case.tier,
            case.desk,
            case.enterprise,
            case.reopened,
            case.closed_at,
            case.steps,
        )
        proposal, verification = found.loop.get("proposal"), found.loop.get("verification")
        assert (proposal and (proposal["result"], proposal["name"])) == case.proposed
        assert (
            verification and (verification["result"], verification["name"], verification["confirmed_by"] is not None)
        ) == case.verified
        if case.is_open:
            assert {step.value for step in missing_steps(found)} == self.naive.missing
            may_close = not self.naive.inside and not self.naive.missing
            assert ("close" in next_steps(found)) is may_close

    @invariant()
    def the_journal_says_where_each_incident_stands(self) -> None:
        stated = {body["incident"]: body["data"]["state"] for body in self.unit.books.told() if body["tag"] is None}
        assert stated == {number: found.state.value for number, found in self.unit.books.incidents.items()}

    @invariant()
    def one_incident_at_most_is_open(self) -> None:
        open_: list[Incident] = [found for found in self.unit.books.incidents.values() if found.is_open]
        assert len(open_) <= 1
        assert self.unit.register.casebook.open == {found.id: found for found in open_}


def test_the_handling_agrees_with_a_naive_machine() -> None:
    run_state_machine_as_test(
        HandlingMachine, settings=settings(max_examples=100, stateful_step_count=40, deadline=None)
    )
