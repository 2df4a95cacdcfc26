"""The table of the closed loop: every state with every event, and what an incident may do next."""

import itertools
from pathlib import Path

import pytest

from alerting.incidents import closed_loop
from alerting.incidents.closed_loop import ClosedLoopRules, LoopEvent, Result, missing_steps, next_steps, step
from alerting.incidents.persons import same_person
from alerting.records import Incident, Verification
from domain.scales import Grade, IncidentState

PATHS = {
    # DOMAIN's way, forward
    ("triggered", "push"): "pushed",
    ("pushed", "acknowledge"): "acknowledged",
    ("acknowledged", "verify"): "verified",
    ("verified", "handle"): "handled",
    ("handled", "feed_back"): "feedback",
    ("feedback", "accept"): "reviewed",
    ("reviewed", "close"): "closed",
    ("closed", "archive"): "archived",
    # shorter ways: nobody waits for a message to be sent, or for the enterprise, to say what is seen
    ("triggered", "acknowledge"): "acknowledged",
    ("triggered", "verify"): "verified",
    ("pushed", "verify"): "verified",
    ("verified", "feed_back"): "feedback",
    # back
    ("feedback", "return"): "handled",
    ("feedback", "handle"): "handled",
    ("reviewed", "return"): "handled",
    ("reviewed", "trigger"): "handled",
    ("reviewed", "rise"): "handled",
    ("acknowledged", "rise"): "pushed",
    ("closed", "trigger"): "triggered",
}
STAYS = {
    "acknowledge": ["verified", "handled", "feedback", "reviewed"],
    "verify": ["verified", "handled", "feedback"],
    "handle": ["handled"],
    "feed_back": ["feedback"],
    "trigger": ["triggered", "pushed", "acknowledged", "verified", "handled", "feedback"],
    "rise": ["triggered", "pushed", "verified", "handled", "feedback"],
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(IncidentState, LoopEvent)), ids=str)
def test_every_state_with_every_event(state: IncidentState, event: LoopEvent) -> None:
    expected = PATHS.get((state.value, event.value))
    if state.value in STAYS.get(event.value, []):
        assert expected is None
        expected = state.value
    if event is LoopEvent.CLOSE and state.is_open:
        expected = "closed"
    assert step(state, event) == expected


def test_the_docstring_draws_the_table() -> None:
    lines = [line for line in (closed_loop.__doc__ or "").splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert header[1:] == [event.value for event in LoopEvent]
    assert [row[0] for row in rows] == [state.value for state in IncidentState]
    for row in rows:
        for event, cell in zip(LoopEvent, row[1:], strict=True):
            assert (step(IncidentState(row[0]), event) or "") == cell, (row[0], event)


def test_what_is_archived_stays_so() -> None:
    assert not [event for event in LoopEvent if step(IncidentState.ARCHIVED, event)]


def test_an_open_incident_is_left_by_closing_alone() -> None:
    for state, event in itertools.product(IncidentState, LoopEvent):
        after = step(state, event)
        if state.is_open and after is not None and not after.is_open:
            assert event is LoopEvent.CLOSE


def incident(state: str = "triggered", grade: Grade = Grade.ORANGE, **more: object) -> Incident:
    found = Incident(1, "370783", "works", "tankfarm", None, grade, grade, [], 0, 0, state=IncidentState(state))
    found.loop = {"required": ClosedLoopRules().required_of(found)}
    for name, value in more.items():
        setattr(found, name, value)
    return found


def test_what_each_grade_requires() -> None:
    rules = ClosedLoopRules()
    required = {grade.label: rules.required_of(incident(grade=grade)) for grade in Grade}
    everything = ["desk_acknowledged", "enterprise_acknowledged", "verified", "handled", "feedback", "reviewed"]
    assert required == {
        "blue": [],
        "yellow": ["verified", "feedback"],
        "orange": everything,
        "red": everything,
    }


@pytest.mark.parametrize("result", ["false", "maintenance", "test"])
def test_what_was_not_real_needs_no_disposal(result: str) -> None:
    found = incident()
    found.loop["verification"] = Verification(
        result=result, name="王芳", at=0, comment="", confirmed_by="李工", confirmed_at=1
    )
    assert "handled" not in ClosedLoopRules().required_of(found)
    found.loop["verification"]["result"] = "real"
    assert "handled" in ClosedLoopRules().required_of(found)


def test_only_what_is_possible_is_offered() -> None:
    always = ["decide", "comment", "attach", "link", "declare_accident"]
    assert next_steps(incident()) == ["acknowledge_desk", "acknowledge_enterprise", "verify", *always]
    handled = incident("handled", desk_acknowledged_at=1, enterprise_acknowledged_at=1)
    assert next_steps(handled) == ["verify", "handle", "feed_back", *always]
    assert next_steps(incident("feedback"))[2:6] == ["verify", "handle", "feed_back", "review"]
    blue = incident(grade=Grade.BLUE)
    assert "close" in next_steps(blue)
    assert "close" not in next_steps(incident(grade=Grade.BLUE, alarms_open=1))
    assert next_steps(incident("closed")) == ["archive", "comment", "attach", "link", "declare_accident"]
    assert next_steps(incident("archived")) == []


def test_missing_steps_are_those_not_done() -> None:
    found = incident("reviewed", desk_acknowledged_at=1)
    assert missing_steps(found) == ["enterprise_acknowledged", "verified", "handled"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("王芳", "王芳", True),
        (" Wang  Fang", "wang fang ", True),
        ("ＷＡＮＧ", "wang", True),
        ("王 芳", "王芳", True),
        ("王芳", "王\u200b芳\ufe0f", True),
        ("王芳", "王芳。", True),
        ("王芳", "王方", False),
        ("Wang Fang", "Wang Fan", False),
    ],
)
def test_a_name_is_the_same_however_it_is_written(one: str, other: str, *, same: bool) -> None:
    assert same_person(one, other) is same


@pytest.mark.parametrize("result", list(Result))
def test_a_second_person_is_asked_for_what_is_called_false_at_orange_and_red(result: Result) -> None:
    asked = [grade.label for grade in Grade if ClosedLoopRules().needs_second_person(result, grade)]
    assert asked == (["orange", "red"] if result is Result.FALSE else [])


def documented(name: str) -> list[list[str]]:
    """Rows of a table in docs/incidents.md."""
    text = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text("utf-8")
    lines = text.partition(f"<!-- table:{name} -->\n")[2].splitlines()
    table = list(itertools.takewhile(lambda line: line.startswith("|"), lines))
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in table if not line.startswith("|--")]


def test_the_guide_draws_the_table() -> None:
    header, *rows = documented("closed_loop")
    assert header[1:] == [event.value for event in LoopEvent]
    assert {row[0]: row[1:] for row in rows} == {
        state.value: [step(state, event) or "" for event in LoopEvent] for state in IncidentState
    }


def test_the_guide_says_what_each_grade_requires() -> None:
    rules = ClosedLoopRules()
    assert documented("required_steps")[1:] == [
        [grade.label, ", ".join(rules.required_of(incident(grade=grade)))] for grade in Grade
    ]
