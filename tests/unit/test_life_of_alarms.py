"""Stories of alarms that chatter, are stale, sound again, come first, or follow from another."""

from dataclasses import replace

import pytest

from alerting.records import Change
from domain.scales import AlarmState, Grade
from domain.site import RuleExtra
from tests.watched_unit import WatchedUnit, make_site, ms, related

DAY = 86_400


def data_of(unit: WatchedUnit, back: int = 1) -> dict[str, object]:
    """What the newest entry says, or one before it."""
    found: dict[str, object] = unit.books.told()[-back]["data"]
    return found


# ---- chattering


def test_three_transitions_within_a_minute_are_chattering_and_the_return_is_damped() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=0)
    unit.leaves("PI-1/H", at=30)
    assert unit.enters("PI-1/H", at=60) == ["alarm.entered PI-1/H", "alarm.chattering PI-1/H"]
    assert unit.alarm("PI-1/H").chattering
    unit.acknowledges("PI-1/H", at=61)
    assert unit.leaves("PI-1/H", at=70, value=9.0) == ["alarm.damped PI-1/H"]
    alarm = unit.alarm("PI-1/H")
    assert (alarm.condition, alarm.rule_is_in, alarm.returning_at) == (True, False, ms(130))
    assert (data_of(unit)["condition"], data_of(unit)["value"], data_of(unit)["source_time"]) == (False, 9.0, ms(70))
    assert unit.enters("PI-1/H", at=100, value=27.0) == ["alarm.damped PI-1/H"]
    alarm = unit.alarm("PI-1/H")
    assert (alarm.state, alarm.activations, alarm.value, alarm.returning_at) == (AlarmState.ACKNOWLEDGED, 2, 27.0, None)


def test_damping_ends_by_itself_when_it_has_been_calm_for_a_minute() -> None:
    unit = WatchedUnit()
    for second in range(5):
        (unit.leaves if second % 2 else unit.enters)("PI-1/H", at=second)
    assert unit.waits_until(63.9) == []
    assert unit.waits_until(64) == ["alarm.calm PI-1/H"]  # in, and calm
    assert unit.alarm("PI-1/H").condition
    unit.leaves("PI-1/H", at=65)
    assert unit.state("PI-1/H") is AlarmState.RETURNED_UNACKNOWLEDGED


def test_a_damped_return_comes_when_it_is_due_with_the_time_at_which_the_value_left() -> None:
    unit = WatchedUnit()
    for second in range(4):
        (unit.leaves if second % 2 else unit.enters)("PI-1/H", at=second)
    unit.restarts()
    assert unit.waits_until(62.9) == []
    assert unit.waits_until(63) == ["alarm.calm PI-1/H", "alarm.returned PI-1/H"]
    alarm = unit.alarm("PI-1/H")
    assert (alarm.state, alarm.returned_at, alarm.chattering) == (AlarmState.RETURNED_UNACKNOWLEDGED, ms(3), False)
    assert data_of(unit)["damped"] is True


def test_slower_than_that_is_not_chattering() -> None:
    unit = WatchedUnit()
    for second in range(0, 310, 31):
        (unit.leaves if second // 31 % 2 else unit.enters)("PI-1/H", at=second)
    assert not unit.alarm("PI-1/H").chattering
    assert not {entry["kind"] for entry in unit.books.told()} & {"alarm.chattering", "alarm.damped"}


@pytest.mark.parametrize("path", ["MT-1/CH4-2", "MT-1/CH4-3"])
def test_orange_and_red_are_found_to_chatter_and_never_damped(path: str) -> None:
    unit = WatchedUnit()
    unit.enters(path, at=0)
    unit.leaves(path, at=1)
    assert "alarm.chattering" in {what.split()[0] for what in unit.enters(path, at=2)}
    assert data_of(unit)["damped"] is False
    assert unit.leaves(path, at=3)[-1] == f"alarm.returned {path}"
    assert not unit.alarm(path).condition
    assert unit.waits_until(63)[0] == f"alarm.calm {path}"


def test_a_new_alarm_of_a_condition_that_chatters_does_too() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=0)
    unit.acknowledges("PI-1/H", at=1)
    unit.leaves("PI-1/H", at=2)
    assert unit.enters("PI-1/H", at=3) == ["alarm.entered PI-1/H", "alarm.chattering PI-1/H"]


def test_a_recording_that_is_played_again_does_not_chatter() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=5)
    unit.leaves("PI-1/H", at=100)
    unit.register.begin_anew([unit.site.tag_index["works/PI-1"]])
    unit.enters("PI-1/H", at=5)
    assert not unit.alarm("PI-1/H").chattering


# ---- stale, sounding again


def test_an_alarm_that_is_in_for_more_than_a_day_is_stale_until_it_leaves() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=0)
    unit.acknowledges("PI-1/H", at=1)
    assert unit.waits_until(DAY) == []
    assert unit.waits_until(DAY + 0.001) == ["alarm.stale PI-1/H"]
    assert unit.alarm("PI-1/H").stale
    unit.restarts()
    assert unit.waits_until(3 * DAY) == []
    unit.leaves("PI-1/H", at=3 * DAY)
    unit.enters("PI-1/H", at=3 * DAY + 100)
    assert not unit.alarm("PI-1/H").stale
    assert unit.waits_until(4 * DAY + 99) == []


def test_a_day_is_measured_from_when_the_service_knew_over_a_restart_too() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=0, seen=500)
    unit.restarts()
    assert unit.waits_until(DAY + 500) == []
    assert unit.waits_until(DAY + 500.001) == ["alarm.stale PI-1/H"]


def test_an_acknowledged_alarm_that_is_still_in_sounds_again() -> None:
    site = related({"PI-1/H": RuleExtra(re_alarm=600_000)})
    unit = WatchedUnit(site=site)
    unit.enters("PI-1/H", "PI-2/H", at=0)
    unit.acknowledges("PI-1/H", at=10)
    unit.acknowledges("PI-2/H", at=10)
    unit.restarts()
    assert unit.waits_until(609.9) == []
    assert unit.waits_until(610) == ["alarm.realarmed PI-1/H"]
    alarm = unit.alarm("PI-1/H")
    assert (alarm.state, alarm.acknowledged_by) == (AlarmState.UNACKNOWLEDGED, None)
    assert unit.waits_until(5_000) == []
    unit.acknowledges("PI-1/H", at=5_000)
    unit.leaves("PI-1/H", at=5_001)
    assert "alarm.realarmed PI-1/H" not in unit.waits_until(9_000)


def test_a_shelved_alarm_does_not_sound_again() -> None:
    unit = WatchedUnit(site=related({"PI-1/H": RuleExtra(re_alarm=600_000)}))
    unit.enters("PI-1/H", at=0)
    unit.acknowledges("PI-1/H", at=10)
    unit.shelves("PI-1/H", at=11, until=3_600)
    assert unit.waits_until(3_599) == []
    assert unit.waits_until(3_600) == ["alarm.unshelved PI-1/H", "alarm.annunciated PI-1/H"]


# ---- first-out


def test_the_first_process_alarm_of_a_unit_is_marked() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/STALE", at=0)
    unit.enters("PI-2/H", "TI-9/H", at=1)
    unit.enters("PI-3/H", at=2)
    marked = {alarm.tag for alarm in unit.register.active.values() if alarm.first_out}
    assert marked == {"PI-2", "TI-9"}
    assert data_of(unit)["first_out"] is False


def test_of_one_block_the_earliest_source_time_counts() -> None:
    unit = WatchedUnit()
    unit.apply(
        [unit.transition(path, at, entered=True) for path, at in (("PI-1/H", 5), ("PI-2/H", 3), ("PI-3/H", 3))], 6
    )
    assert [alarm.tag for alarm in unit.register.active.values() if alarm.first_out] == ["PI-2"]


def test_what_was_awaited_and_does_not_come_leaves_the_mark_to_the_next() -> None:
    unit = WatchedUnit(site=related({"PI-1/H": RuleExtra(suppressed_by=("works/TI-9/H",))}))
    unit.enters("TI-9/H", at=0)
    block = [unit.transition(path, at, entered=True) for path, at in (("PI-1/H", 1), ("PI-2/H", 3), ("PI-3/H", 2))]
    assert unit.apply(block, 6)[-1] == "alarm.first_out PI-3/H"
    assert unit.alarm("PI-3/H").first_out


def test_after_a_calm_another_is_first_and_standing_alarms_do_not_count() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=0)
    unit.acknowledges("PI-1/H", at=1)
    unit.enters("PI-2/H", at=2)
    assert not unit.alarm("PI-2/H").first_out
    unit.acknowledges("PI-2/H", at=3)
    unit.leaves("PI-2/H", at=4)
    unit.waits_until(DAY + 1)
    unit.enters("PI-3/H", at=DAY + 2)
    assert unit.alarm("PI-3/H").first_out


# ---- causes


def test_the_silence_of_a_lost_gateways_tags_is_one_incident_of_the_link() -> None:
    unit = WatchedUnit()
    silent = [f"{tag}/STALE" for tag in ("GT-1", "GT-2", "PI-1", "PI-2", "PI-3", "TI-9")]
    unit.enters("@gw1/LINK", *silent, at=1)
    assert [incident.unit for incident in unit.register.incidents.values()] == ["gateways"]
    assert {unit.alarm(path).cause for path in silent} == {"works/@gw1/LINK"}
    assert (unit.grade("gateways"), unit.incident("gateways").alarms_total) == ("blue", 7)
    unit.enters("GT-1/HH", at=2)
    assert unit.grade() == "yellow"


def test_faults_of_instruments_stay_with_their_unit_and_so_do_other_enterprises() -> None:
    unit = WatchedUnit()
    unit.enters("@gw1/LINK", "GT-1/BAD", "other/LI-1/STALE", at=1)
    assert unit.alarm("GT-1/BAD").cause is None
    assert unit.alarm("other/LI-1/STALE").cause is None
    assert sorted(incident.unit for incident in unit.register.incidents.values()) == ["gateways", "tank", "tankfarm"]


def test_what_fell_silent_a_little_before_the_loss_was_found_belongs_to_it() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/STALE", at=0)
    unit.enters("PI-2/STALE", at=90)
    assert unit.incident().alarms_active == 2
    assert unit.enters("@gw1/LINK", at=100)[-1] == "alarm.grouped PI-2/STALE"
    assert unit.alarm("PI-1/STALE").cause is None
    assert unit.alarm("PI-2/STALE").incident == unit.incident("gateways").id
    assert (unit.incident().alarms_active, unit.incident("gateways").alarms_active) == (1, 2)


def test_a_tag_that_stays_silent_after_its_gateway_is_back_stands_for_itself_after_a_while() -> None:
    unit = WatchedUnit()
    unit.enters("@gw1/LINK", "PI-1/STALE", "PI-2/STALE", at=1)
    unit.leaves("@gw1/LINK", "PI-1/STALE", at=100)
    assert unit.waits_until(159) == []
    assert unit.waits_until(160) == ["incident.opened tankfarm", "alarm.grouped PI-2/STALE"]
    assert unit.alarm("PI-2/STALE").cause is None
    assert unit.incident().alarms_active == 1
    assert unit.alarm("PI-1/STALE").cause == "works/@gw1/LINK"


def test_a_gateway_that_is_lost_again_meanwhile_keeps_them() -> None:
    unit = WatchedUnit()
    unit.enters("@gw1/LINK", "PI-2/STALE", at=1)
    unit.leaves("@gw1/LINK", at=100)
    unit.enters("@gw1/LINK", at=130)
    unit.waits_until(1_000)
    assert unit.alarm("PI-2/STALE").cause == "works/@gw1/LINK"
    unit.leaves("@gw1/LINK", at=2_000)
    unit.restarts()
    unit.waits_until(2_050)
    assert unit.alarm("PI-2/STALE").cause == "works/@gw1/LINK"
    assert unit.waits_until(2_110) == ["incident.opened tankfarm", "alarm.grouped PI-2/STALE"]


def test_causes_follow_the_configuration_and_those_of_a_lost_gateway_stay() -> None:
    unit = WatchedUnit(site=related({"PI-1/H": RuleExtra(parent="works/TI-9/HH")}))
    unit.enters("TI-9/HH", "PI-1/H", "PI-2/H", "@gw1/LINK", "PI-3/STALE", at=1)
    unit.leaves("@gw1/LINK", at=2)
    told = unit.reconfigures(related({"PI-2/H": RuleExtra(parent="works/TI-9/HH")}), at=3)
    assert [what for what in told if what.startswith("alarm")] == ["alarm.grouped PI-1/H", "alarm.grouped PI-2/H"]
    causes = {alarm.path: alarm.cause for alarm in unit.register.active.values() if alarm.cause}
    assert causes == {"works/PI-2/H": "works/TI-9/HH", "works/PI-3/STALE": "works/@gw1/LINK"}


def test_acknowledging_a_lost_link_acknowledges_nothing_under_it() -> None:
    unit = WatchedUnit()
    unit.enters("@gw1/LINK", "PI-1/STALE", "PI-1/HH", at=1)
    unit.acknowledges("@gw1/LINK", at=2)
    assert unit.state("PI-1/STALE") is unit.state("PI-1/HH") is AlarmState.UNACKNOWLEDGED


def test_a_child_is_annunciated_under_its_parent_while_that_is_in() -> None:
    unit = WatchedUnit(site=related({"PI-1/H": RuleExtra(parent="works/TI-9/HH")}))
    unit.enters("PI-1/H", at=1)
    assert unit.enters("TI-9/HH", at=2)[-1] == "alarm.grouped PI-1/H"
    assert (unit.alarm("PI-1/H").cause, unit.alarm("PI-1/H").is_annunciated) == ("works/TI-9/HH", True)
    assert unit.leaves("TI-9/HH", at=3)[-1] == "alarm.grouped PI-1/H"
    assert unit.alarm("PI-1/H").cause is None


# ---- selections and comments


def test_a_selection_is_acknowledged_in_one_act_each_alarm_by_itself() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", "PI-1/HH", "PI-1/STALE", "TI-9/H", at=1)
    unit.acknowledges("TI-9/H", at=2)
    wanted = [unit.alarm(path).id for path in ("PI-1/STALE", "TI-9/H", "PI-1/HH")]
    change = Change()
    results = unit.register.acknowledge_all([*wanted, 999, wanted[0]], "county", "王芳", "all", ms(3), change)
    assert [(each.id, each.alarm is not None) for each in results] == [
        (wanted[0], True), (wanted[1], False), (wanted[2], True), (999, False),
    ]  # fmt: skip
    assert [each.refusal for each in results][1] == f"alarm {wanted[1]} is acknowledged already, by 王芳"
    assert unit.state("PI-1/H") is AlarmState.UNACKNOWLEDGED
    assert [entry.kind for entry in change.entries] == ["alarm.acknowledged"] * 2


def test_a_comment_is_journaled_of_an_alarm_that_is_over_too() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    alarm = replace(unit.alarm("PI-1/H"))
    unit.does(lambda register, change: register.comment(alarm, "county", "王芳", "seen", ms(2), change))
    assert unit.alarm("PI-1/H").comment == "seen"
    unit.acknowledges("PI-1/H", at=3)
    unit.leaves("PI-1/H", at=4)
    past = unit.books.alarms[alarm.id]
    told = unit.does(lambda register, change: register.comment(past, "county", "王芳", "over", ms(5), change))
    assert told == ["alarm.commented PI-1/H"]
    assert unit.books.alarms[alarm.id].comment == "over"
    assert not unit.register.active


# ---- drills


def test_the_alarms_of_a_drill_never_mix_with_real_ones() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/HH", at=1)
    drilled = [replace(unit.transition(path, 2, entered=True), drill=9) for path in ("PI-1/HH", "AT-1/HH")]
    unit.apply(drilled, 2)
    assert unit.register.incidents[unit.alarm("PI-1/HH").incident or 0].grade is Grade.YELLOW
    assert unit.register.find("drill:9:works/PI-1/HH") is not unit.register.find("works/PI-1/HH")
    incident = next(found for found in unit.register.incidents.values() if found.drill == 9)
    assert (incident.unit, incident.grade) == ("tankfarm", Grade.RED)
    assert {entry["data"]["drill"] for entry in unit.books.told()[-3:] if entry["kind"] == "alarm.entered"} == {9}
    told = unit.does(lambda register, change: register.withdraw_drill(9, ms(3), change))
    assert told[:2] == ["alarm.withdrawn PI-1/HH", "alarm.withdrawn AT-1/HH"]
    assert [alarm.path for alarm in unit.register.active.values()] == ["works/PI-1/HH"]


def test_a_rule_of_another_kind_under_the_same_name_ends_the_alarm() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=1)
    site = make_site()
    kinds = site.rules.kind.copy()
    kinds[site.rule_row("works/PI-1/H")] = 1
    told = unit.reconfigures(replace(site, rules=replace(site.rules, kind=kinds), tag_index={}), at=2)
    assert "alarm.withdrawn PI-1/H" in told
    (entry,) = [entry for entry in unit.books.told() if entry["kind"] == "alarm.withdrawn"]
    assert entry["data"]["reason"] == "rule replaced by one of another kind"
