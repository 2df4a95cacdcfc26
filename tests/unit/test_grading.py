"""The table of grades as data: what is shipped, what a site may write, and how alarms are counted by it."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import pytest
import yaml

from alerting.incidents.closed_loop import ClosedLoopRules
from alerting.incidents.grading import TAGS_NAMED, AlarmGrades, GradingTable, UnitGrading, load_grading
from alerting.records import Alarm
from domain.scales import AlarmState, Grade, Level, RuleKind

GRADES = {"first": "blue", "second": "yellow", "fault": "blue"}


def table(*rows: dict[str, Any], **more: Any) -> GradingTable:
    """A table with these rows for units."""
    content = {
        "version": 7,
        "alarm": GRADES,
        "unit": list(rows),
        "hazard_source": {"levels": [], "steps": 0},
        "hold": 0,
    }
    return GradingTable.model_validate(content | more)


def alarm(identity: int, level: Level = Level.H, *, tag: str = "", gas: str | None = None, at: int = 0) -> Alarm:
    """An alarm that is in; graded as the shipped table does."""
    return Alarm(
        id=identity,
        region="370783",
        enterprise="works",
        unit="tankfarm",
        tag=tag or f"T-{identity}",
        rule=level.value,
        kind=RuleKind.HIGH,
        level=level,
        grade=Grade.YELLOW if level.is_second else Grade.BLUE,
        state=AlarmState.UNACKNOWLEDGED,
        condition=True,
        latching=False,
        value=1.0,
        setpoint=1.0,
        engineering_unit="",
        description="",
        gas=gas,
        rule_version=1,
        entered_at=at,
        received_at=at,
        transition_at=at,
    )


def graded(rows: GradingTable, alarms: list[Alarm], hazard_level: int | None = None) -> UnitGrading:
    """A unit with these alarms."""
    unit = UnitGrading(rows, hazard_level)
    for one in alarms:
        unit.add(one)
    return unit


def grade(rows: GradingTable, alarms: list[Alarm]) -> Grade | None:
    """The grade that these alarms make at 0."""
    return graded(rows, alarms).verdict(0).grade


def test_the_shipped_table_is_domains() -> None:
    shipped = load_grading()
    assert [(row.name, row.grade.label) for row in shipped.unit] == [
        ("four_blue", "yellow"),
        ("second_level_two_tags", "orange"),
        ("toxic_second_level_persists", "orange"),
        ("three_yellow", "orange"),
        ("two_orange", "red"),
        ("high_high_with_second_level_gas", "red"),
    ]
    assert (shipped.hazard_source.levels, shipped.hazard_source.steps) == ([1, 2], 1)
    assert shipped.hold == 600


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Level.H, Grade.BLUE), (Level.L, Grade.BLUE), (Level.FAULT, Grade.BLUE),
        (Level.HH, Grade.YELLOW), (Level.LL, Grade.YELLOW),
    ],
)  # fmt: skip
def test_grade_of_an_alarm_by_its_level(level: Level, expected: Grade) -> None:
    assert load_grading().alarm.of(level) is expected


def test_a_site_writes_a_table_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "grading.yaml"
    content = load_grading().model_dump(mode="json") | {"version": 2, "hold": 5}
    content["unit"] = [{"name": "two_blue", "grade": "red", "counts": [{"grade": "blue", "at_least": 2}]}]
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert grade(load_grading(path), [alarm(1), alarm(2)]) is Grade.RED


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": [{"name": "x", "grade": "purple", "counts": [{}]}]},
        {"unit": [{"name": "x", "grade": "red", "counts": []}]},
        {"unit": [{"name": "x", "grade": "red", "counts": [{"at_least": 0}]}]},
        {"unit": [{"name": "x", "grade": "red", "counts": [{"persists": -1}]}]},
        {"unit": [{"name": "x", "grade": "red", "counts": [{"gas": ["helium"]}]}]},
        {"unit": [{"name": "x", "grade": "red", "counts": [{"exact": ["HHH"]}]}]},
        {"unit": [{"name": "x", "grade": "red", "counts": [{"surprise": 1}]}]},
        {"alarm": {"first": "blue", "second": "yellow"}},
        {"hold": -1},
        {"hazard_source": {"levels": [1], "steps": -1}},
        {"surprise": 1},
    ],
)
def test_a_table_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        table(**({"unit": []} | wrong))


def test_no_alarm_makes_no_grade() -> None:
    verdict = UnitGrading(load_grading(), 1).verdict(0)
    assert (verdict.grade, verdict.reasons, verdict.recheck_at) == (None, [], None)


@pytest.mark.parametrize(
    ("count", "those"),
    [
        ({"grade": "yellow"}, {3, 4, 6}),
        ({"level": "first"}, {1, 2}),
        ({"level": "second"}, {3, 4, 6}),
        ({"level": "fault"}, {5}),
        ({"exact": ["HH", "L"]}, {2, 3, 6}),
        ({"gas": ["toxic"]}, {6}),
        ({"gas": ["flammable", "toxic"]}, {1, 6}),
        ({"gas": []}, {2, 3, 4, 5}),
        ({"level": "second", "gas": []}, {3, 4}),
        ({}, {1, 2, 3, 4, 5, 6}),
    ],
)
def test_what_a_count_counts(count: dict[str, Any], those: set[int]) -> None:
    alarms = [
        alarm(1, Level.H, gas="flammable"), alarm(2, Level.L), alarm(3, Level.HH), alarm(4, Level.LL),
        alarm(5, Level.FAULT), alarm(6, Level.HH, gas="toxic"),
    ]  # fmt: skip
    one = table({"name": "x", "grade": "red", "counts": [count]})
    assert {found.id for found in alarms if grade(one, [found]) is Grade.RED} == those
    enough = table({"name": "x", "grade": "red", "counts": [count | {"at_least": len(those)}]})
    more = table({"name": "x", "grade": "red", "counts": [count | {"at_least": len(those) + 1}]})
    assert grade(enough, alarms) is Grade.RED
    assert grade(more, alarms) is not Grade.RED


def test_every_count_of_a_row_must_hold() -> None:
    both = table({"name": "x", "grade": "red", "counts": [{"exact": ["HH"]}, {"exact": ["LL"]}]})
    assert grade(both, [alarm(1, Level.HH), alarm(2, Level.HH)]) is Grade.YELLOW
    assert grade(both, [alarm(1, Level.HH), alarm(2, Level.LL)]) is Grade.RED


def test_tags_are_counted_once_each_and_until_their_last_alarm_is_gone() -> None:
    two = table({"name": "x", "grade": "red", "counts": [{"of": "tags", "at_least": 2}]})
    first, second, other = alarm(1, tag="A"), alarm(2, Level.HH, tag="A"), alarm(3, tag="B")
    unit = graded(two, [first, second])
    assert unit.verdict(0).grade is Grade.YELLOW
    unit.add(other)
    assert unit.verdict(0).grade is Grade.RED
    unit.remove(first)
    assert unit.verdict(0).grade is Grade.RED
    unit.remove(second)
    assert unit.verdict(0).grade is Grade.BLUE


def test_tags_that_persist_are_counted_once_each() -> None:
    two = table({"name": "x", "grade": "red", "counts": [{"of": "tags", "at_least": 2, "persists": 10}]})
    same = graded(two, [alarm(1, tag="A"), alarm(2, Level.L, tag="A")])
    assert same.verdict(10_000).grade is Grade.BLUE
    same.add(alarm(3, tag="B", at=5_000))
    assert same.verdict(14_999).grade is Grade.BLUE
    assert same.verdict(15_000).grade is Grade.RED


def test_what_may_rise_by_time_alone_says_when() -> None:
    rows = table({"name": "x", "grade": "red", "counts": [{"persists": 60, "at_least": 2}]})
    unit = graded(rows, [alarm(1, at=1_000), alarm(2, at=5_000)])
    assert unit.verdict(5_000).recheck_at == 61_000
    assert unit.verdict(61_000).recheck_at == 65_000
    verdict = unit.verdict(65_000)
    assert (verdict.grade, verdict.recheck_at) == (Grade.RED, None)


def test_the_reasons_are_those_that_make_the_grade() -> None:
    rows = table(
        {"name": "yellow_row", "grade": "yellow", "counts": [{"at_least": 2}]},
        {"name": "orange_row", "grade": "orange", "counts": [{"at_least": 3}]},
        {"name": "also_orange", "grade": "orange", "counts": [{"level": "first", "at_least": 3}]},
    )
    names = [
        [reason["rule"] for reason in graded(rows, [alarm(i) for i in range(1, count + 1)]).verdict(0).reasons]
        for count in (1, 2, 3)
    ]
    assert names == [["own_grade"], ["yellow_row"], ["orange_row", "also_orange"]]


def test_a_reason_names_no_more_than_the_first_few_tags_and_counts_all() -> None:
    rows = table({"name": "many", "grade": "red", "counts": [{"at_least": 20}]})
    (reason,) = graded(rows, [alarm(number) for number in range(1, 31)]).verdict(0).reasons
    assert reason["params"]["count"] == 30
    assert reason["params"]["tags"] == [f"T-{number}" for number in range(1, TAGS_NAMED + 1)]


def test_adding_twice_and_removing_what_is_not_there_changes_nothing() -> None:
    unit = graded(load_grading(), [alarm(1)])
    unit.add(alarm(1))
    assert len(unit) == 1
    unit.remove(alarm(2))
    assert len(unit) == 1
    unit.remove(alarm(1))
    assert unit.verdict(0).grade is None


def test_counting_as_alarms_come_and_go_is_counting_them_anew() -> None:
    rows = load_grading()
    pool = [
        replace(alarm(number, level, tag=f"T-{number // 2}", gas=gas, at=number * 1000), rule=f"{level}-{number}")
        for number, (level, gas) in enumerate(itertools.product(Level, (None, "toxic", "flammable")), 1)
    ]
    pool += [replace(pool[at], id=100 + at, rule=f"R-{at}", grade=Grade.ORANGE) for at in (0, 1)]
    unit = UnitGrading(rows, 2)
    present: list[Alarm] = []
    for step in range(400):
        chosen = pool[step * 7919 % len(pool)]
        if chosen in present:
            present.remove(chosen)
            unit.remove(chosen)
        else:
            present.append(chosen)
            unit.add(chosen)
        now = step * 500
        assert unit.verdict(now) == graded(rows, present, hazard_level=2).verdict(now)
        assert len(unit) == len(present)


def test_levels_are_first_second_or_fault() -> None:
    grades = AlarmGrades(first=Grade.BLUE, second=Grade.ORANGE, fault=Grade.YELLOW)
    assert [grades.of(level) for level in (Level.L, Level.HH, Level.FAULT)] == [Grade.BLUE, Grade.ORANGE, Grade.YELLOW]


# ---- consequences of one condition


def test_alarms_of_one_cause_count_once_as_the_gravest_of_them() -> None:
    cause = "works/P-1/TRIP"
    rows = load_grading()
    trip = replace(alarm(1, Level.FAULT, tag="P-1"), rule="TRIP")
    followers = [replace(alarm(number, tag=f"T-{number}"), cause=cause) for number in range(2, 7)]
    unit = graded(rows, [trip, *followers])
    assert len(unit) == 6
    assert unit.verdict(0).grade is Grade.BLUE
    assert unit.verdict(0).reasons == [{"rule": "own_grade", "params": {"grade": "blue", "tags": ["P-1"]}}]
    graver = replace(alarm(7, Level.HH, tag="T-7"), cause=cause)
    unit.add(graver)
    assert unit.verdict(0).reasons == [{"rule": "own_grade", "params": {"grade": "yellow", "tags": ["T-7"]}}]
    unit.remove(graver)
    unit.remove(trip)
    assert unit.verdict(0).reasons == [{"rule": "own_grade", "params": {"grade": "blue", "tags": ["T-2"]}}]


def test_four_causes_are_four() -> None:
    followers = [replace(alarm(number), cause=f"works/P-{number % 4}/TRIP") for number in range(1, 9)]
    assert grade(load_grading(), followers) is Grade.YELLOW
    assert grade(load_grading(), [each for each in followers if each.cause != "works/P-3/TRIP"]) is Grade.BLUE


def test_the_grade_of_an_alarm_may_change_while_it_counts() -> None:
    one = alarm(1)
    unit = graded(load_grading(), [one])
    one.grade = Grade.ORANGE
    unit.remove(one)
    assert len(unit) == 0
    assert unit.verdict(0).grade is None


# ---- the closed loop's part


def test_the_shipped_file_says_what_holds_without_it() -> None:
    content = yaml.safe_load((Path(__file__).parents[2] / "alerting" / "incidents" / "grading.yaml").read_text("utf-8"))
    assert "closed_loop" in content
    assert load_grading().closed_loop == ClosedLoopRules()
    assert table().closed_loop == ClosedLoopRules()


@pytest.mark.parametrize(
    "second_person",
    [{"results": []}, {"results": ["maintenance"]}, {"results": ["false"], "grade": "red"}],
)
def test_calling_a_grave_incident_false_alone_cannot_be_configured(second_person: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError, match="always needs a second person"):
        table(closed_loop={"second_person": second_person})


def test_what_is_archived_never_reopens() -> None:
    with pytest.raises(pydantic.ValidationError, match="archive_after must not be shorter"):
        table(closed_loop={"reopen_within": 10 * 86_400, "archive_after": 86_400})


def test_a_vote_beside_its_own_detector_is_no_second_independent_tag() -> None:
    detector = alarm(1, Level.HH, tag="GT-1")
    vote = replace(alarm(2, Level.HH, tag="@unit.tankfarm"), kind=RuleKind.VOTE)
    unit = graded(load_grading(), [detector, vote])
    assert unit.verdict(0).grade is Grade.YELLOW
    unit.add(alarm(3, Level.HH, tag="GT-2"))
    verdict = unit.verdict(0)
    assert verdict.grade is Grade.ORANGE
    named = {reason["rule"]: reason["params"]["tags"] for reason in verdict.reasons if "tags" in reason["params"]}
    assert named["second_level_two_tags"] == ["GT-1", "GT-2"]
