"""Stories of incidents: how a unit's alarms become one case, how its grade rises and falls, and how it ends."""

import pytest

from alerting.refusals import Conflict, NotFound
from domain.scales import AlarmState, Grade
from domain.site import RuleExtra
from tests.watched_unit import WatchedUnit, ms, related


def test_all_alarms_of_a_unit_belong_to_one_incident() -> None:
    unit = WatchedUnit()
    assert unit.enters("GT-1/H", at=1) == ["incident.opened tankfarm", "alarm.entered GT-1/H"]
    assert unit.enters("PI-1/H", at=2) == ["alarm.entered PI-1/H"]
    assert unit.enters("TI-9/H", at=3) == ["incident.opened boiler", "alarm.entered TI-9/H"]
    assert unit.enters("other/LI-1/H", at=4) == ["incident.opened tank", "alarm.entered LI-1/H"]
    assert unit.alarm("GT-1/H").incident == unit.alarm("PI-1/H").incident == unit.incident().id
    assert unit.alarm("TI-9/H").incident == unit.incident("boiler").id
    assert unit.incident("tank").region == "370000"


def test_an_incident_counts_its_alarms() -> None:
    unit = WatchedUnit()

    def counts() -> tuple[int, int, int]:
        found = unit.incident()
        return found.alarms_active, found.alarms_unacknowledged, found.alarms_total

    unit.enters("GT-1/H", "PI-1/H", at=1)
    assert counts() == (2, 2, 2)
    unit.acknowledges("PI-1/H", at=2)
    assert counts() == (2, 1, 2)
    unit.leaves("GT-1/H", at=3)
    assert counts() == (1, 1, 2)
    unit.leaves("PI-1/H", at=4)
    assert counts() == (0, 1, 2)
    unit.acknowledges("GT-1/H", at=5)
    assert counts() == (0, 0, 2)
    unit.enters("GT-1/H", at=6)
    assert counts() == (1, 1, 3)
    assert unit.books.incidents[unit.incident().id].alarms_total == 3


# ---- DOMAIN's table, row by row


def test_one_first_level_alarm_is_blue() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    assert (unit.grade(), unit.why()) == ("blue", ["own_grade"])


@pytest.mark.parametrize("path", ["GT-1/STALE", "GT-1/BAD"])
def test_a_fault_of_an_instrument_is_blue(path: str) -> None:
    unit = WatchedUnit()
    unit.enters(path, at=1)
    assert unit.grade() == "blue"


def test_one_second_level_alarm_is_yellow() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    assert (unit.grade(), unit.why()) == ("yellow", ["own_grade"])


def test_four_blue_are_yellow_and_three_are_not() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", "GT-2/H", "PI-1/H", at=1)
    assert unit.grade() == "blue"
    assert unit.enters("PI-2/STALE", at=2) == ["alarm.entered PI-2/STALE", "incident.graded tankfarm"]
    assert (unit.grade(), unit.why()) == ("yellow", ["four_blue"])
    assert unit.incident().reasons[0]["params"] == {
        "grade": "yellow",
        "count": 4,
        "tags": ["GT-1", "GT-2", "PI-1", "PI-2"],
    }


def test_second_level_on_two_tags_is_orange_and_on_one_tag_twice_is_not() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "PI-1/H", at=1)
    assert unit.grade() == "yellow"
    unit.enters("PI-2/HH", at=2)
    assert (unit.grade(), unit.why()) == ("orange", ["second_level_two_tags"])


def test_second_level_of_one_tag_under_two_rules_is_no_second_tag() -> None:
    unit = WatchedUnit()
    unit.enters("MT-1/HH", at=1)
    unit.enters("MT-1/CH4-2", at=2)
    assert unit.why() == ["own_grade"]


def test_a_toxic_second_level_that_persists_is_orange() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", at=0)
    assert unit.waits_until(59.9) == []
    assert unit.grade() == "yellow"
    assert unit.waits_until(60) == ["incident.graded tankfarm"]
    assert (unit.grade(), unit.why()) == ("orange", ["toxic_second_level_persists"])


def test_a_flammable_second_level_may_persist_and_stay_yellow() -> None:
    unit = WatchedUnit()
    unit.enters("AT-1/HH", at=0)
    unit.waits_until(6000)
    assert unit.grade() == "yellow"


def test_persisting_is_measured_from_the_last_entering() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", at=0)
    unit.leaves("GT-1/HH", at=50)
    unit.enters("GT-1/HH", at=65)
    assert unit.waits_until(124) == []
    assert unit.waits_until(125) == ["incident.graded tankfarm"]


def test_what_persists_over_a_restart_is_found_again() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", at=0)
    unit.restarts()
    assert unit.waits_until(30) == []
    assert unit.waits_until(61) == ["incident.graded tankfarm"]
    assert unit.grade() == "orange"


def test_what_came_to_persist_while_the_service_was_away_is_found_at_once() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", at=0)
    unit.restarts()
    assert unit.waits_until(4000) == ["incident.graded tankfarm"]


def test_three_yellow_are_orange() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", "AT-1/HH", at=1)
    assert unit.why() == ["second_level_two_tags"]
    unit.enters("MT-1/HH", at=2)
    assert unit.grade() == "orange"
    unit.leaves("GT-1/HH", "AT-1/HH", "MT-1/HH", at=3)
    unit.waits_until(700)
    unit.enters("GT-1/HH", "AT-1/HH", "MT-1/HH", at=701)
    assert unit.why() == ["second_level_two_tags", "three_yellow"]


def test_methane_has_grades_of_its_own() -> None:
    unit = WatchedUnit()
    unit.enters("MT-1/H", at=1)
    assert unit.grade() == "blue"
    unit.enters("MT-1/CH4-2", at=2)
    assert (unit.grade(), unit.alarm("MT-1/CH4-2").grade) == ("orange", Grade.ORANGE)
    unit.enters("MT-1/CH4-3", at=3)
    assert (unit.grade(), unit.why()) == ("red", ["own_grade"])


def test_two_orange_are_red() -> None:
    unit = WatchedUnit()
    unit.enters("MT-1/CH4-2", at=1)
    assert unit.grade() == "orange"
    unit.enters("MT-2/CH4-2", at=2)
    assert (unit.grade(), unit.why()) == ("red", ["two_orange"])


def test_high_high_together_with_second_level_gas_is_red() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    assert unit.grade() == "yellow"
    unit.enters("AT-1/HH", at=2)
    assert (unit.grade(), unit.why()) == ("red", ["high_high_with_second_level_gas"])


def test_two_second_level_gases_are_not_high_high_with_gas() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", "AT-1/HH", at=1)
    assert unit.grade() == "orange"


@pytest.mark.parametrize(
    ("level", "grades"),
    [(1, ["yellow", "orange", "red"]), (2, ["yellow", "orange", "red"]), (3, ["blue", "yellow", "orange"])],
)
def test_major_hazard_sources_of_level_1_and_2_count_one_step_higher(level: int, grades: list[str]) -> None:
    unit = WatchedUnit(hazard_level=level)
    unit.enters("PI-1/H", at=1)
    found = [unit.grade()]
    unit.enters("PI-1/HH", at=2)
    found.append(unit.grade())
    unit.enters("PI-2/HH", at=3)
    found.append(unit.grade())
    assert found == grades
    assert ("hazard_source" in unit.why()) is (level < 3)


def test_nothing_is_higher_than_red() -> None:
    unit = WatchedUnit(hazard_level=1)
    unit.enters("MT-1/CH4-3", at=1)
    assert (unit.grade(), unit.why()) == ("red", ["own_grade"])


def test_the_alarms_of_another_unit_never_count() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "TI-9/HH", "other/LI-1/HH", at=1)
    assert [unit.grade(name) for name in ("tankfarm", "boiler", "tank")] == ["yellow"] * 3


# ---- rising, falling, ending


def test_the_grade_does_not_fall_while_any_alarm_is_in() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "PI-2/HH", "PI-3/H", at=1)
    unit.leaves("PI-1/HH", "PI-2/HH", at=2)
    unit.waits_until(10_000)
    assert unit.grade() == "orange"
    assert unit.incident().cleared_at is None


def test_the_grade_falls_after_all_has_been_clear_for_the_hold_time() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "PI-2/HH", at=1)
    unit.leaves("PI-1/HH", at=2)
    unit.leaves("PI-2/HH", at=5)
    assert unit.incident().cleared_at == ms(5)
    assert unit.waits_until(604.9) == []
    assert unit.grade() == "orange"
    assert unit.waits_until(605) == ["incident.graded tankfarm"]
    assert (unit.grade(), unit.why()) == ("blue", ["cleared_and_held"])
    assert unit.incident().peak_grade is Grade.ORANGE
    assert unit.waits_until(10_000) == []


def test_the_hold_time_begins_anew_when_an_alarm_comes_again() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    unit.leaves("PI-1/HH", at=2)
    unit.enters("PI-1/H", at=300)
    assert unit.incident().cleared_at is None
    unit.leaves("PI-1/H", at=301)
    assert unit.waits_until(900) == []
    assert unit.waits_until(901) == ["incident.graded tankfarm"]


def test_the_hold_time_runs_on_over_a_restart() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    unit.leaves("PI-1/HH", at=2)
    unit.restarts()
    assert unit.waits_until(601) == []
    assert unit.waits_until(602) == ["incident.graded tankfarm"]


def test_after_falling_the_grade_rises_again() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    unit.leaves("PI-1/HH", at=2)
    unit.waits_until(700)
    assert unit.grade() == "blue"
    unit.enters("PI-1/HH", at=701)
    assert unit.grade() == "yellow"


def test_a_grade_given_says_from_what_to_what_why_and_by_which_table() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    unit.enters("PI-1/HH", at=2)
    entry = unit.books.told()[-1]
    assert entry["kind"] == "incident.graded"
    assert entry["data"] == {
        "from": "blue",
        "to": "yellow",
        "reasons": [{"rule": "own_grade", "params": {"grade": "yellow", "tags": ["PI-1"]}}],
        "table_version": unit.table.version,
        "state": "triggered",
    }


def test_a_whole_burst_in_one_commit_is_graded_once() -> None:
    unit = WatchedUnit()
    told = unit.enters("PI-1/H", "PI-1/HH", "PI-2/H", "PI-2/HH", "AT-1/HH", at=1)
    assert told.count("incident.graded tankfarm") == 1
    assert unit.grade() == "red"


def test_an_incident_is_closed_only_when_every_alarm_is_normal() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", "XL-1/H", at=1)

    def cannot_close() -> None:
        with pytest.raises(Conflict, match="alarms that are in, latched or not acknowledged"):
            unit.closes(at=2)

    cannot_close()
    unit.acknowledges("PI-1/H", at=2)
    cannot_close()
    unit.leaves("PI-1/H", "XL-1/H", at=3)
    cannot_close()
    unit.acknowledges("XL-1/H", at=4)
    assert unit.state("XL-1/H") is AlarmState.LATCHED_ACKNOWLEDGED
    with pytest.raises(Conflict, match=r"has 1 alarms .* XL-1 H"):
        unit.closes(at=5)
    unit.resets("XL-1/H", at=6)
    identity = unit.incident().id
    assert unit.closes(at=7) == ["incident.closed tankfarm"]
    closed = unit.books.incidents[identity]
    assert (closed.closed_at, closed.closed_by, closed.close_comment) == (ms(7), "王芳", "已处置")
    assert not unit.register.incidents


def test_a_closed_incident_is_not_closed_again_and_after_a_day_the_next_alarm_opens_another() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    unit.acknowledges("PI-1/HH", at=2)
    unit.leaves("PI-1/HH", at=3)
    unit.handles_fully(at=3)
    first = unit.incident().id
    unit.closes(at=4)
    with pytest.raises(Conflict, match="closed already, by 王芳"):
        unit.register.casebook.close(first, "county", "王芳", "", ms(5), unit.last)
    with pytest.raises(NotFound, match="no incident 999"):
        unit.register.casebook.close(999, "county", "王芳", "", ms(5), unit.last)
    unit.enters("PI-1/H", at=4 + 86_400)
    assert unit.incident().id != first
    assert (unit.grade(), unit.incident().alarms_total) == ("blue", 1)


def test_return_to_normal_alone_closes_nothing() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    unit.acknowledges("PI-1/H", at=2)
    unit.leaves("PI-1/H", at=3)
    unit.waits_until(1_000_000)
    assert unit.incident().closed_at is None


def test_an_incident_is_the_same_after_a_restart() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "PI-2/H", at=1)
    unit.leaves("PI-1/HH", at=2)
    before = unit.incident()
    unit.restarts()
    assert unit.incident() == before
    assert unit.enters("PI-3/HH", at=3) == ["alarm.entered PI-3/HH"]
    assert unit.incident().alarms_total == 3
    assert unit.incident().alarms_active == 2


def test_a_grade_is_given_even_if_its_alarm_leaves_again_in_the_same_commit() -> None:
    unit = WatchedUnit()
    story = [
        unit.transition("PI-1/H", 1, entered=True),
        unit.transition("PI-1/HH", 2, entered=True),
        unit.transition("PI-2/HH", 3, entered=True),
        unit.transition("PI-1/HH", 4, entered=False),
        unit.transition("PI-2/HH", 5, entered=False),
    ]
    told = unit.apply(story, 6)
    assert unit.grade() == "orange"
    assert told.count("incident.graded tankfarm") == 1
    assert told.index("incident.graded tankfarm") < told.index("alarm.returned PI-1/HH")


def test_the_hold_time_begins_anew_even_if_the_alarm_came_and_left_in_one_commit() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    unit.leaves("PI-1/HH", at=2)
    unit.apply([unit.transition("PI-1/HH", at, entered=at == 300) for at in (300, 301)], 302)
    assert unit.incident().cleared_at == ms(302)


# ---- suppressed is not cleared


def test_the_grade_does_not_fall_while_a_shelved_alarm_is_in() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "PI-2/HH", at=1)
    unit.shelves("PI-1/HH", at=2, until=5_000)
    unit.leaves("PI-2/HH", at=3)
    assert unit.incident().cleared_at is None
    assert unit.waits_until(4_000) == []
    assert unit.grade() == "orange"
    unit.leaves("PI-1/HH", at=4_100)
    assert unit.incident().cleared_at == ms(4_100)
    assert unit.waits_until(4_699.9) == []
    assert unit.waits_until(4_700) == ["incident.graded tankfarm"]


@pytest.mark.parametrize("restarting", [False, True])
def test_nor_while_one_in_maintenance_or_suppressed_by_design_is(restarting: bool) -> None:  # noqa: FBT001
    unit = WatchedUnit(site=related({"PI-1/HH": RuleExtra(suppressed_by=("works/TI-9/H",))}))
    unit.enters("PI-1/HH", "PI-2/HH", at=1)
    unit.enters("TI-9/H", at=2)
    unit.announces("tag", "PI-2", at=3, begins=None, ends=90_000)
    if restarting:
        unit.restarts()
    unit.reconfigures(unit.site, at=4)
    assert (unit.incident().alarms_open, unit.incident().cleared_at) == (0, None)
    unit.waits_until(5_000)
    unit.leaves("PI-2/HH", at=5_001)
    unit.waits_until(9_000)
    assert unit.grade() == "orange"


def test_a_suppressed_alarm_that_enters_again_takes_the_hold_time_back() -> None:
    unit = WatchedUnit()
    unit.enters("XL-1/HH", at=1)
    unit.shelves("XL-1/HH", at=2, until=5_000)
    unit.leaves("XL-1/HH", at=3)
    assert unit.incident().cleared_at == ms(3)
    unit.enters("XL-1/HH", at=100)
    assert unit.incident().cleared_at is None
    unit.waits_until(2_000)
    assert unit.grade() == "yellow"


def test_what_entered_suppressed_has_come_to_no_incident_and_holds_no_grade() -> None:
    unit = WatchedUnit()
    unit.announces("tag", "PI-1", at=0, begins=None, ends=90_000)
    unit.enters("PI-2/HH", "PI-1/HH", at=1)
    unit.leaves("PI-2/HH", at=2)
    assert unit.incident().cleared_at == ms(2)
    assert unit.waits_until(602) == ["incident.graded tankfarm"]


def test_an_incident_is_closed_over_a_shelved_alarm_and_comes_back_with_it() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    unit.shelves("PI-1/HH", at=2, until=4_000)
    unit.handles_fully(at=3)
    identity = unit.incident().id
    assert unit.closes(at=4) == ["incident.closed tankfarm"]
    told = unit.waits_until(4_000)
    assert "incident.reopened tankfarm" in told
    assert (unit.incident().id, unit.grade(), unit.incident().cleared_at) == (identity, "yellow", None)
    unit.leaves("PI-1/HH", at=4_100)
    assert unit.waits_until(4_700) == ["incident.graded tankfarm"]


def test_a_closed_incidents_shelved_alarm_holds_nothing_of_the_next_one() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    unit.announces("tag", "PI-1", at=2, begins=None, ends=2_000_000)
    unit.handles_fully(at=3)
    before = unit.incident().id
    unit.closes(at=4)
    unit.enters("PI-2/HH", at=90_000)
    assert unit.incident().id != before
    unit.leaves("PI-2/HH", at=90_001)
    assert unit.incident().cleared_at == ms(90_001)
