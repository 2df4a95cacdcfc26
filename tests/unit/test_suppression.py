"""Stories of alarms that something lies over: shelved, suppressed by design, out of service."""

from dataclasses import replace

import pytest

from alerting.alarms.register import Register
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from domain.scales import AlarmState, Grade
from domain.site import RuleExtra, RuleTable
from tests.watched_unit import WatchedUnit, make_site, ms, related

MINUTE, HOUR = 60, 3_600
SUPPRESSED = related(
    {
        "PI-1/H": RuleExtra(suppressed_by=("works/PI-2/H", "works/TI-9/H")),
        "PI-4/H": RuleExtra(suppressed_by=("other/LI-1/H",)),
    }
)


# ---- shelved


def test_a_shelved_alarm_is_off_the_list_and_makes_no_grade_and_its_state_goes_on_beneath() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "PI-1/H", at=1)
    assert unit.grade() == "yellow"
    assert unit.shelves("PI-1/HH", at=2, until=HOUR) == ["alarm.shelved PI-1/HH"]
    alarm = unit.alarm("PI-1/HH")
    assert (alarm.suppression, alarm.suppressed_until, alarm.suppression_reason, alarm.suppressed_by) == (
        "shelved", ms(HOUR), "校验", "李强",
    )  # fmt: skip
    assert (alarm.state, alarm.condition, alarm.is_annunciated) == (AlarmState.UNACKNOWLEDGED, True, False)
    assert (unit.incident().alarms_active, unit.incident().alarms_unacknowledged) == (1, 1)
    assert unit.acknowledges("PI-1/HH", at=3) == ["alarm.acknowledged PI-1/HH"]


def test_what_leaves_while_it_is_shelved_is_normal_and_what_enters_says_so() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", "XL-1/H", at=1)
    unit.shelves("PI-1/H", at=2, until=HOUR)
    unit.shelves("XL-1/H", at=2, until=HOUR)
    unit.leaves("PI-1/H", "XL-1/H", at=100)
    assert unit.state("PI-1/H") is AlarmState.NORMAL
    assert unit.state("XL-1/H") is AlarmState.LATCHED_UNACKNOWLEDGED
    assert unit.enters("PI-1/H", at=200) == ["alarm.entered PI-1/H"]
    entry = unit.books.told()[-1]["data"]
    assert (entry["suppression"], entry["until"], entry["by"]) == ("shelved", ms(HOUR), "李强")
    assert unit.alarm("PI-1/H").incident is None


def test_a_shelf_ends_by_itself_and_what_is_in_then_is_annunciated() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", "XL-1/H", at=1)
    unit.acknowledges("PI-1/HH", at=2)
    unit.shelves("PI-1/HH", at=3, until=HOUR)
    unit.shelves("XL-1/H", at=3, until=HOUR + 1)
    unit.leaves("XL-1/H", at=100)
    assert unit.waits_until(HOUR - 0.001) == []  # one is in all the while: shelved is not cleared
    told = ["alarm.unshelved PI-1/HH", "alarm.annunciated PI-1/HH"]
    assert unit.waits_until(HOUR) == told
    alarm = unit.alarm("PI-1/HH")
    assert (alarm.state, alarm.acknowledged_by, alarm.suppression) == (AlarmState.UNACKNOWLEDGED, None, None)
    assert unit.waits_until(HOUR + 1) == ["alarm.unshelved XL-1/H", "alarm.unsuppressed XL-1/H"]
    assert unit.state("XL-1/H") is AlarmState.LATCHED_UNACKNOWLEDGED


def test_the_shelf_of_a_condition_that_is_out_ends_with_one_entry() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    identity = unit.alarm("PI-1/H").id
    unit.shelves("PI-1/H", at=2, until=HOUR)
    unit.leaves("PI-1/H", at=100)
    told = unit.does(
        lambda register, change: register.shelving.unshelve(identity, "county", "王芳", "done", ms(200), change)
    )
    assert told == ["alarm.unshelved PI-1/H"]
    entry = unit.books.told()[-1]
    assert (entry["alarm"], entry["data"]["why"], entry["data"]["name"]) == (identity, "person", "王芳")
    assert unit.enters("PI-1/H", at=300)[-1] == "alarm.entered PI-1/H"
    assert unit.alarm("PI-1/H").suppression is None


def test_a_shelf_is_extended_with_a_new_reason_only_and_for_eight_hours_at_the_most() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    for until in (1, 8 * HOUR + 3):
        with pytest.raises(Conflict, match="within 8 h"):
            unit.shelves("PI-1/H", at=2, until=until)
    unit.shelves("PI-1/H", at=2, until=8 * HOUR + 2)
    with pytest.raises(Conflict, match="new reason"):
        unit.shelves("PI-1/H", at=HOUR, until=9 * HOUR, reason=" 校验 ")
    assert unit.shelves("PI-1/H", at=HOUR, until=9 * HOUR, reason="备件未到") == ["alarm.shelved PI-1/H"]
    assert unit.books.told()[-1]["data"]["extended"] is True
    assert unit.waits_until(8 * HOUR + 2) == []
    assert unit.waits_until(9 * HOUR)[0] == "alarm.unshelved PI-1/H"


def test_what_is_red_is_never_shelved() -> None:
    unit = WatchedUnit()
    unit.enters("MT-1/CH4-3", "PI-1/H", at=1)
    assert unit.grade() == "red"
    for path in ("MT-1/CH4-3", "PI-1/H"):
        with pytest.raises(Conflict, match="red"):
            unit.shelves(path, at=2, until=HOUR)
    assert unit.alarm("PI-1/H").suppression is None


def test_shelves_end_when_their_unit_turns_red() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", "PI-2/H", "TI-9/H", at=1)
    unit.leaves("PI-2/H", at=2)
    unit.acknowledges("PI-2/H", at=3)
    unit.enters("PI-2/H", at=100)
    for path in ("PI-1/H", "PI-2/H", "TI-9/H"):
        unit.shelves(path, at=101, until=HOUR)
    unit.leaves("PI-2/H", at=200)
    told = unit.enters("MT-1/CH4-3", at=300)
    assert told[2:] == ["alarm.unshelved PI-1/H", "alarm.annunciated PI-1/H", "alarm.unshelved PI-2/H"]
    assert [entry["data"]["why"] for entry in unit.books.told()[-3:] if entry["kind"] == "alarm.unshelved"] == [
        "red"
    ] * 2
    assert unit.alarm("TI-9/H").suppression == "shelved"


def test_shelves_end_when_a_person_decides_for_red_of_the_incident_that_the_alarm_belongs_to() -> None:
    unit = WatchedUnit()
    unit.enters("@gw1/LINK", "PI-1/STALE", at=1)
    unit.shelves("PI-1/STALE", at=2, until=HOUR)
    identity = unit.incident("gateways").id
    decided = (identity, Grade.RED, "county", "王芳", "整厂失联", ms(3))

    def commit(register: Register, change: Change) -> None:
        register.casebook.decide(*decided, change)
        register.advance(ms(3), change)

    unit.does(commit)
    assert unit.alarm("PI-1/STALE").is_annunciated


def test_shelves_hold_over_a_restart() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", "PI-2/H", at=1)
    unit.shelves("PI-1/H", at=2, until=HOUR)
    unit.shelves("PI-2/H", at=2, until=2 * HOUR)
    unit.leaves("PI-2/H", at=100)
    unit.restarts()
    assert unit.alarm("PI-1/H").suppression == "shelved"
    unit.enters("PI-2/H", at=200)
    assert unit.alarm("PI-2/H").suppression == "shelved"
    assert unit.waits_until(HOUR) == ["alarm.unshelved PI-1/H", "alarm.annunciated PI-1/H"]
    unit.restarts()
    assert unit.waits_until(HOUR + 1) == []


def test_only_an_active_alarm_is_shelved_and_only_a_shelf_is_ended() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    identity = unit.alarm("PI-1/H").id
    with pytest.raises(NotFound):
        unit.does(lambda register, change: register.shelving.shelve(99, ms(9), "x", "c", "n", ms(2), change))
    with pytest.raises(Conflict, match="not shelved"):
        unit.does(lambda register, change: register.shelving.unshelve(identity, "c", "n", "", ms(2), change))
    with pytest.raises(NotFound):
        unit.does(lambda register, change: register.shelving.unshelve(99, "c", "n", "", ms(2), change))


def test_an_annunciated_alarm_joins_an_incident_when_its_own_was_closed_meanwhile() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    first = unit.incident().id
    unit.shelves("PI-1/H", at=2, until=HOUR)
    assert unit.closes(at=3) == ["incident.closed tankfarm"]
    told = unit.waits_until(HOUR)
    assert told[0] == "alarm.unshelved PI-1/H"
    assert told[-1] == "alarm.annunciated PI-1/H"
    assert told[1].startswith("incident.")
    assert unit.alarm("PI-1/H").incident == unit.incident().id
    assert unit.incident().closed_at is None
    assert unit.incident().id >= first


# ---- suppressed by design


def test_a_condition_suppresses_another_while_it_is_in() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("PI-1/H", at=1)
    assert unit.enters("PI-2/H", at=2) == ["alarm.entered PI-2/H", "alarm.suppressed PI-1/H"]
    alarm = unit.alarm("PI-1/H")
    assert (alarm.suppression, alarm.suppressed_by, alarm.suppressed_until) == ("by_design", "works/PI-2/H", None)
    unit.acknowledges("PI-2/H", at=3)
    assert unit.leaves("PI-2/H", at=100) == ["alarm.returned PI-2/H", "alarm.annunciated PI-1/H"]
    assert unit.state("PI-1/H") is AlarmState.UNACKNOWLEDGED


@pytest.mark.parametrize("fault", ["STALE", "BAD"])
def test_the_last_word_of_a_tag_that_falls_silent_or_bad_suppresses_nothing(fault: str) -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("PI-2/H", "PI-1/H", at=1)
    assert unit.alarm("PI-1/H").suppression == "by_design"
    assert "alarm.annunciated PI-1/H" in unit.enters(f"PI-2/{fault}", at=10)
    assert unit.state("PI-1/H") is AlarmState.UNACKNOWLEDGED
    assert "alarm.suppressed PI-1/H" in unit.leaves(f"PI-2/{fault}", at=20)


def test_a_condition_that_chatters_suppresses_nothing_until_it_is_calm() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("PI-1/H", at=1)
    unit.enters("PI-2/H", at=2)
    assert "alarm.annunciated PI-1/H" in unit.leaves("PI-2/H", at=3)
    told = unit.enters("PI-2/H", at=4)
    assert "alarm.chattering PI-2/H" in told
    assert unit.alarm("PI-1/H").is_annunciated
    assert not [line for line in unit.leaves("PI-2/H", at=5) if line.endswith("PI-1/H")]
    assert not [line for line in unit.enters("PI-2/H", at=6) if line.endswith("PI-1/H")]
    assert "alarm.suppressed PI-1/H" in unit.waits_until(70)


def test_the_first_that_its_rule_names_and_is_in_counts_in_other_units_too() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("TI-9/H", at=1)
    unit.enters("PI-1/H", at=2)
    assert unit.alarm("PI-1/H").suppressed_by == "works/TI-9/H"
    assert unit.enters("PI-2/H", at=3)[-1] == "alarm.suppressed PI-1/H"
    assert unit.alarm("PI-1/H").suppressed_by == "works/PI-2/H"
    unit.leaves("PI-2/H", at=100)
    assert unit.alarm("PI-1/H").suppressed_by == "works/TI-9/H"
    unit.leaves("PI-1/H", at=101)
    assert unit.state("PI-1/H") is AlarmState.NORMAL


def test_nothing_is_suppressed_across_enterprises() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("other/LI-1/H", "PI-4/H", at=1)
    assert unit.alarm("PI-4/H").suppression is None


def test_a_grade_is_given_however_soon_its_alarm_was_suppressed() -> None:
    site = related({"PI-1/HH": RuleExtra(suppressed_by=("works/PI-2/H",))})
    unit = WatchedUnit(site=site)
    unit.enters("PI-3/H", at=1)
    unit.enters("PI-1/HH", "PI-2/H", at=2)
    assert (unit.grade(), unit.alarm("PI-1/HH").suppression) == ("yellow", "by_design")


# ---- out of service


def test_maintenance_of_a_tag_at_once() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", "GT-2/H", at=1)
    told = unit.announces("tag", "GT-1", at=2, begins=None, ends=HOUR)
    assert told == ["maintenance.announced GT-1", "maintenance.began GT-1", "alarm.suppressed GT-1/HH"]
    alarm = unit.alarm("GT-1/HH")
    assert (alarm.suppression, alarm.suppressed_until, alarm.suppressed_by) == ("out_of_service", ms(HOUR), "张伟")
    unit.enters("GT-1/STALE", at=3)
    assert unit.alarm("GT-1/STALE").suppression == "out_of_service"
    unit.leaves("GT-1/STALE", at=100)
    assert unit.waits_until(HOUR)[:2] == ["maintenance.ended GT-1", "alarm.annunciated GT-1/HH"]


def test_maintenance_of_a_unit_announced_beforehand_holds_over_restarts() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", "TI-9/H", at=1)
    assert unit.announces("unit", "tankfarm", at=2, begins=HOUR, ends=2 * HOUR) == ["maintenance.announced tankfarm"]
    unit.restarts()
    assert unit.waits_until(HOUR - 1) == []
    assert unit.waits_until(HOUR) == ["maintenance.began tankfarm", "alarm.suppressed PI-1/H"]
    unit.restarts()
    unit.enters("PI-2/HH", at=HOUR + 5)
    assert unit.alarm("PI-2/HH").suppression == "out_of_service"
    assert unit.alarm("TI-9/H").suppression is None
    assert unit.waits_until(2 * HOUR)[0] == "maintenance.ended tankfarm"
    assert unit.alarm("PI-2/HH").is_annunciated


def test_maintenance_of_a_gateway_covers_faults_and_leaves_process_alarms_alone() -> None:
    unit = WatchedUnit()
    unit.announces("gateway", "gw1", at=1, begins=None, ends=HOUR)
    unit.enters("@gw1/LINK", "PI-1/STALE", "GT-1/HH", at=2)
    assert [unit.alarm(path).suppression for path in ("@gw1/LINK", "PI-1/STALE", "GT-1/HH")] == [
        "out_of_service", "out_of_service", None,
    ]  # fmt: skip
    assert unit.grade() == "yellow"


def test_the_one_that_lasts_longest_shows_and_a_shelf_shows_when_all_is_over() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    unit.shelves("PI-1/H", at=2, until=3 * HOUR)
    unit.announces("tag", "PI-1", at=3, begins=None, ends=HOUR)
    unit.announces("unit", "tankfarm", at=4, begins=None, ends=2 * HOUR)
    assert unit.alarm("PI-1/H").suppressed_until == ms(2 * HOUR)
    assert unit.waits_until(HOUR) == ["maintenance.ended PI-1"]
    assert unit.waits_until(2 * HOUR) == ["maintenance.ended tankfarm", "alarm.suppressed PI-1/H"]
    assert unit.alarm("PI-1/H").suppression == "shelved"


def test_what_is_red_does_not_go_out_of_service_until_it_is_red_no_more() -> None:
    unit = WatchedUnit()
    unit.enters("MT-1/CH4-3", at=1)
    with pytest.raises(Conflict, match="red"):
        unit.announces("tag", "MT-1", at=2, begins=None, ends=HOUR)
    unit.announces("unit", "tankfarm", at=2, begins=60, ends=HOUR)
    unit.announces("unit", "tankfarm", at=2, begins=61, ends=70)
    unit.leaves("MT-1/CH4-3", at=3)
    assert unit.waits_until(100) == ["maintenance.cancelled tankfarm"]
    assert unit.waits_until(603) == ["incident.graded tankfarm"]
    assert unit.waits_until(604)[0] == "maintenance.began tankfarm"


def test_windows_are_cancelled_before_and_ended_after_they_begin() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)

    def act(name: str, identity: int, at: float) -> list[str]:
        return unit.does(
            lambda register, change: getattr(register.maintenance, name)(identity, "works", "张伟", "", ms(at), change)
        )

    unit.announces("tag", "PI-1", at=2, begins=100, ends=HOUR)
    identity = len(unit.books.entries)
    with pytest.raises(Conflict, match="cancel it"):
        act("end", identity, 3)
    assert act("cancel", identity, 4) == ["maintenance.cancelled PI-1"]
    with pytest.raises(NotFound):
        act("cancel", identity, 5)
    assert unit.waits_until(101) == []
    unit.announces("tag", "PI-1", at=200, begins=None, ends=HOUR)
    identity = len(unit.books.entries) - 2
    with pytest.raises(Conflict, match="end it"):
        act("cancel", identity, 201)
    assert act("end", identity, 202) == ["maintenance.ended PI-1", "alarm.annunciated PI-1/H"]
    assert unit.waits_until(HOUR) == []


@pytest.mark.parametrize(("begins", "ends"), [(None, 2), (10, 10), (None, 31 * 24 * HOUR)])
def test_windows_end_after_they_begin_and_within_thirty_days(begins: float | None, ends: float) -> None:
    with pytest.raises(Conflict, match="a window ends after it begins"):
        WatchedUnit().announces("tag", "PI-1", at=2, begins=begins, ends=ends)


@pytest.mark.parametrize("place", [("tag", "XX-1"), ("unit", "nowhere"), ("gateway", "gw9")])
def test_what_the_site_does_not_have_does_not_go_out_of_service(place: tuple[str, str]) -> None:
    with pytest.raises(NotFound, match="there is no"):
        WatchedUnit().announces(*place, at=2, begins=None, ends=HOUR)


# ---- another configuration


def test_relations_follow_the_configuration() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("PI-1/H", "PI-2/H", "PI-3/H", at=1)
    assert unit.alarm("PI-1/H").suppression == "by_design"
    other = related({"PI-3/H": RuleExtra(suppressed_by=("works/PI-2/H",))})
    told = unit.reconfigures(other, at=2)
    assert [what for what in told if what.startswith("alarm")] == [
        "alarm.annunciated PI-1/H",
        "alarm.suppressed PI-3/H",
    ]


def test_what_is_removed_while_in_alarm_ends_with_that_reason_and_the_rest_loses_nothing() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("PI-1/H", "PI-2/H", "PI-3/H", "PI-5/H", at=1)
    unit.acknowledges("PI-3/H", at=2)
    unit.shelves("PI-3/H", at=3, until=HOUR)
    unit.shelves("PI-5/H", at=3, until=HOUR)
    kept = unit.alarm("PI-3/H").id
    told = unit.reconfigures(related({}, without=["PI-2/H", "PI-5/H"]), at=10)
    assert [what for what in told if not what.startswith("incident")] == [
        "alarm.withdrawn PI-2/H", "alarm.withdrawn PI-5/H", "alarm.unshelved PI-5/H", "alarm.annunciated PI-1/H",
    ]  # fmt: skip
    (entry,) = [entry for entry in unit.books.told() if entry["kind"] == "alarm.withdrawn" and entry["tag"] == "PI-2"]
    assert entry["data"]["reason"] == "tag or rule removed from the site file"
    alarm = unit.alarm("PI-3/H")
    assert (alarm.id, alarm.acknowledged_by, alarm.suppression) == (kept, "王芳", "shelved")
    assert unit.waits_until(HOUR) == ["alarm.unshelved PI-3/H", "alarm.annunciated PI-3/H"]


def test_windows_over_what_is_gone_end() -> None:
    unit = WatchedUnit()
    unit.announces("tag", "PI-5", at=1, begins=None, ends=HOUR)
    unit.announces("tag", "PI-4", at=1, begins=100, ends=HOUR)
    unit.announces("tag", "PI-3", at=1, begins=100, ends=HOUR)
    told = unit.reconfigures(make_site(without=["PI-4", "PI-5"]), at=2)
    assert told == ["maintenance.ended PI-5", "maintenance.cancelled PI-4"]
    assert [entry["data"]["why"] for entry in unit.books.told()[-2:]] == ["removed"] * 2
    assert unit.waits_until(100) == ["maintenance.began PI-3"]


def test_a_shelf_of_a_drill_ends_with_it() -> None:
    unit = WatchedUnit()
    unit.apply([replace(unit.transition("PI-1/H", 1, entered=True), drill=9)], 1)
    alarm = unit.register.find("drill:9:works/PI-1/H")
    assert alarm is not None
    identity = alarm.id
    unit.does(lambda register, change: register.shelving.shelve(identity, ms(HOUR), "x", "c", "王芳", ms(2), change))
    unit.enters("PI-1/H", at=3)
    assert unit.alarm("PI-1/H").suppression is None
    told = unit.does(lambda register, change: register.withdraw_drill(9, ms(4), change))
    assert told[0] == "alarm.unshelved PI-1/H"
    assert list(unit.register.overlay.shelves) == []
    assert unit.waits_until(HOUR) == []


def test_a_condition_whose_rule_has_become_red_leaves_its_shelf_when_it_enters() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    unit.shelves("PI-1/H", at=2, until=HOUR)
    unit.leaves("PI-1/H", at=3)
    rules = [unit.site.rules.row(row) for row in range(len(unit.site.rules))]
    row = unit.site.rule_row("works/PI-1/H")
    rules[row] = replace(rules[row], grade=Grade.RED)
    unit.reconfigures(replace(unit.site, rules=RuleTable.build(rules, len(unit.site.tags)), tag_index={}), at=4)
    assert unit.enters("PI-1/H", at=100)[0] == "alarm.unshelved PI-1/H"
    assert unit.alarm("PI-1/H").is_annunciated


def test_a_unit_that_is_red_is_not_shelved_though_the_alarm_belongs_to_another_incident() -> None:
    unit = WatchedUnit()
    unit.enters("@gw1/LINK", "PI-1/STALE", "MT-1/CH4-3", at=1)
    with pytest.raises(Conflict, match="unit tankfarm is red"):
        unit.shelves("PI-1/STALE", at=2, until=HOUR)
