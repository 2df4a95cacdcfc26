"""Stories of single alarms, as the register keeps them."""

from dataclasses import replace

import numpy as np
import orjson
import pytest

from alerting.alarms.register import Register
from alerting.journal.journal import Journal, Verifier
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from domain.samples import SampleBlock
from domain.scales import AlarmState, Grade, Level, RuleKind
from domain.site import Rule, RuleTable
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from tests.watched_unit import WatchedUnit, make_site, ms


def test_a_condition_that_enters_raises_an_alarm_and_opens_an_incident() -> None:
    unit = WatchedUnit()
    assert unit.enters("GT-1/H", at=5, value=12.5, seen=6) == ["incident.opened tankfarm", "alarm.entered GT-1/H"]
    alarm = unit.alarm("GT-1/H")
    assert (alarm.state, alarm.condition, alarm.grade) == (AlarmState.UNACKNOWLEDGED, True, Grade.BLUE)
    assert (alarm.value, alarm.setpoint, alarm.rule_version, alarm.kind) == (12.5, 10.0, 3, RuleKind.HIGH)
    assert (alarm.entered_at, alarm.received_at, alarm.transition_at) == (ms(5), ms(6), ms(5))
    assert (alarm.enterprise, alarm.unit, alarm.region, alarm.gas) == ("works", "tankfarm", "370783", "toxic")
    assert (alarm.id, alarm.incident, alarm.sequence, alarm.activations) == (2, 1, 2, 1)


def test_the_number_of_an_alarm_is_that_of_the_entry_that_raised_it() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", "GT-2/H", "other/LI-1/H", at=1)
    unit.leaves("GT-1/H", at=2)
    unit.enters("TI-9/H", at=3)
    for alarm in unit.register.active.values():
        (entry,) = [entry for entry in unit.books.told() if entry["sequence"] == alarm.id]
        assert (entry["kind"], entry["tag"], entry["alarm"]) == ("alarm.entered", alarm.tag, alarm.id)
    for incident in unit.register.incidents.values():
        (entry,) = [entry for entry in unit.books.told() if entry["sequence"] == incident.id]
        assert (entry["kind"], entry["unit"], entry["incident"]) == ("incident.opened", incident.unit, incident.id)


def test_the_plain_life_of_an_alarm() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    assert unit.acknowledges("GT-1/H", at=2, name="王芳", comment="已派员") == ["alarm.acknowledged GT-1/H"]
    alarm = unit.alarm("GT-1/H")
    assert (alarm.state, alarm.acknowledged_at, alarm.acknowledged_by, alarm.comment) == (
        AlarmState.ACKNOWLEDGED, ms(2), "王芳", "已派员",
    )  # fmt: skip
    assert unit.leaves("GT-1/H", at=3) == ["alarm.returned GT-1/H"]
    assert unit.state("GT-1/H") is AlarmState.NORMAL
    assert unit.books.alarms[alarm.id].returned_at == ms(3)
    assert not unit.register.active


def test_a_return_without_acknowledgement_waits_for_one() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    unit.leaves("GT-1/H", at=2)
    assert unit.state("GT-1/H") is AlarmState.RETURNED_UNACKNOWLEDGED
    assert not unit.alarm("GT-1/H").condition
    unit.acknowledges("GT-1/H", at=3)
    assert unit.state("GT-1/H") is AlarmState.NORMAL


def test_an_alarm_that_comes_again_before_it_was_acknowledged_is_the_same_alarm() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    first = unit.alarm("GT-1/H").id
    unit.leaves("GT-1/H", at=2)
    unit.enters("GT-1/H", at=3, value=14.0, seen=4)
    alarm = unit.alarm("GT-1/H")
    assert (alarm.id, alarm.activations, alarm.state) == (first, 2, AlarmState.UNACKNOWLEDGED)
    assert (alarm.entered_at, alarm.received_at, alarm.returned_at, alarm.value) == (ms(3), ms(4), None, 14.0)
    assert unit.incident().alarms_total == 1


def test_an_alarm_that_comes_again_after_its_end_is_a_new_alarm() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    first = unit.alarm("GT-1/H").id
    unit.acknowledges("GT-1/H", at=2)
    unit.leaves("GT-1/H", at=3)
    unit.enters("GT-1/H", at=4)
    assert unit.alarm("GT-1/H").id != first
    assert unit.alarm("GT-1/H").acknowledged_by is None
    assert unit.incident().alarms_total == 2


def test_coming_again_takes_the_acknowledgement_back() -> None:
    unit = WatchedUnit()
    unit.enters("XL-1/H", at=1)
    unit.acknowledges("XL-1/H", at=2)
    unit.leaves("XL-1/H", at=3)
    assert unit.state("XL-1/H") is AlarmState.LATCHED_ACKNOWLEDGED
    unit.enters("XL-1/H", at=4)
    alarm = unit.alarm("XL-1/H")
    assert alarm.state is AlarmState.UNACKNOWLEDGED
    assert (alarm.acknowledged_at, alarm.acknowledged_by, alarm.comment) == (None, None, None)


def test_acknowledging_one_alarm_leaves_all_others_alone() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", "GT-1/HH", "GT-1/STALE", "GT-2/H", at=1)
    unit.acknowledges("GT-1/STALE", at=2)
    assert [unit.state(path) for path in ("GT-1/H", "GT-1/HH", "GT-2/H")] == [AlarmState.UNACKNOWLEDGED] * 3


def test_a_latched_alarm_stays_until_it_is_reset() -> None:
    unit = WatchedUnit()
    unit.enters("XL-1/H", at=1)
    unit.leaves("XL-1/H", at=2)
    assert unit.state("XL-1/H") is AlarmState.LATCHED_UNACKNOWLEDGED
    unit.acknowledges("XL-1/H", at=3)
    assert unit.state("XL-1/H") is AlarmState.LATCHED_ACKNOWLEDGED
    assert unit.resets("XL-1/H", at=4) == ["alarm.reset XL-1/H"]
    assert unit.state("XL-1/H") is AlarmState.NORMAL


def test_a_latched_alarm_that_is_reset_first_still_wants_its_acknowledgement() -> None:
    unit = WatchedUnit()
    unit.enters("XL-1/H", at=1)
    unit.leaves("XL-1/H", at=2)
    unit.resets("XL-1/H", at=3)
    assert unit.state("XL-1/H") is AlarmState.RETURNED_UNACKNOWLEDGED
    unit.acknowledges("XL-1/H", at=4)
    assert unit.state("XL-1/H") is AlarmState.NORMAL


@pytest.mark.parametrize("path", ["XL-1/H", "GT-1/H"])
def test_only_a_latched_alarm_whose_condition_has_left_can_be_reset(path: str) -> None:
    unit = WatchedUnit()
    unit.enters(path, at=1)
    with pytest.raises(Conflict, match="not latched"):
        unit.resets(path, at=2)
    assert unit.state(path) is AlarmState.UNACKNOWLEDGED


def test_nothing_can_be_acknowledged_twice() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    unit.acknowledges("GT-1/H", at=2, name="王芳")
    with pytest.raises(Conflict, match="acknowledged already, by 王芳"):
        unit.acknowledges("GT-1/H", at=3, name="李强")
    assert unit.alarm("GT-1/H").acknowledged_by == "王芳"


def test_acts_on_what_is_not_there_are_refused_and_leave_no_trace() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    before, change = unit.register.journal.sequence, Change()
    for act in (unit.register.acknowledge, unit.register.reset, unit.register.casebook.close):
        with pytest.raises(NotFound):
            act(999, "county", "王芳", "", ms(2), change)
    assert change.is_empty
    assert unit.register.journal.sequence == before


# ---- what is repeated, late or out of order


def test_a_condition_says_each_thing_once() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    assert unit.enters("GT-1/H", at=2) == []
    unit.leaves("GT-1/H", at=3)
    assert unit.leaves("GT-1/H", at=4) == []
    assert unit.leaves("GT-2/H", at=4) == []
    assert unit.alarm("GT-1/H").activations == 1


def test_what_is_delivered_again_after_a_crash_changes_nothing() -> None:
    unit = WatchedUnit()
    story = [
        unit.transition(path, at, entered=entered)
        for at, path, entered in (
            (1, "GT-1/H", True), (2, "GT-1/HH", True), (3, "GT-1/HH", False), (4, "GT-1/H", False),
            (5, "GT-1/H", True), (6, "XL-1/H", True), (7, "XL-1/H", False), (8, "GT-1/HH", True),
        )
    ]  # fmt: skip
    unit.apply(story, 10)
    unit.acknowledges("GT-1/H", at=11)
    expected = {identity: replace(alarm) for identity, alarm in unit.books.alarms.items()}
    for taken in range(len(story) + 1):
        unit.restarts()
        assert unit.apply(story[taken:], 12) == []
        assert unit.register.active == expected


def test_what_was_not_committed_before_the_crash_is_committed_after_it() -> None:
    unit = WatchedUnit()
    story = [unit.transition("GT-1/H", 100 * at, entered=bool(at % 2)) for at in range(1, 8)]
    unit.apply(story[:4], 400)
    unit.restarts()
    assert unit.apply(story, 1000) == ["alarm.entered GT-1/H", "alarm.returned GT-1/H", "alarm.entered GT-1/H"]
    assert unit.alarm("GT-1/H").activations == 4


def test_an_alarm_that_ended_before_the_crash_is_not_raised_again() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1)
    unit.acknowledges("GT-1/H", at=2)
    unit.leaves("GT-1/H", at=3)
    unit.restarts()
    assert unit.enters("GT-1/H", at=1) == []
    # The rules begin anew inside the old run and may put its beginning later than it was.
    assert unit.enters("GT-1/H", at=2.5) == []
    assert unit.leaves("GT-1/H", at=3) == []
    assert unit.enters("GT-1/H", at=4) == ["alarm.entered GT-1/H"]


def test_a_reading_that_comes_late_may_show_that_the_condition_left_before_it_was_said_to_enter() -> None:
    """The on-delay ran out while nothing came; then the gateway's stored readings arrive, and deny it."""
    site = make_site()
    rules = RuleTable.build([Rule(0, "H", RuleKind.HIGH, Level.H, 10.0, on_delay=5_000)], 1)
    site = replace(site, tags=site.tags[:1], rules=rules, tag_index={})
    engine = RuleEngine(rules, TagColumns(np.array([1000]), np.array([True])), 600_000, 5_000)
    engine.await_readings(ms(0))
    register, now = Register(site, WatchedUnit().table, Journal()), ms(8)
    told: list[str] = []

    def carry(transitions: list[Transition]) -> None:
        change = Change()
        register.apply(transitions, now, change)
        told.extend(entry.kind for entry in change.entries)

    def reading(source: float, value: float, received: float) -> SampleBlock:
        return SampleBlock.of([0], [ms(source)], [ms(received)], [value], [192], [0])

    carry(engine.evaluate(reading(0, 12.0, 0)))
    carry(engine.advance(ms(8)))
    assert told == ["incident.opened", "alarm.entered"]
    carry(engine.evaluate(reading(3, 1.0, 9)))
    assert told[2:] == ["alarm.returned"]
    assert not engine.inside().size
    (alarm,) = register.active.values()
    assert not alarm.condition


def test_a_recording_that_is_played_again_is_new_however_old_its_times() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", "GT-2/H", at=10)
    unit.leaves("GT-1/H", "GT-2/H", at=20)
    unit.restarts()
    unit.register.begin_anew([unit.site.tag_index["works/GT-1"]])
    assert unit.enters("GT-1/H", "GT-2/H", at=10) == ["alarm.entered GT-1/H"]


def test_conditions_of_the_service_and_of_silence_count_whatever_their_time() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/STALE", "@gw1/LINK", at=9)
    unit.leaves("GT-1/STALE", "@gw1/LINK", at=10)
    unit.restarts()
    told = ["alarm.entered GT-1/STALE", "alarm.entered @gw1/LINK", "alarm.grouped GT-1/STALE"]
    assert unit.enters("GT-1/STALE", "@gw1/LINK", at=9.5) == told


# ---- what the site file no longer says, or says otherwise


def test_alarms_of_a_tag_that_is_gone_are_withdrawn() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", "TI-9/HH", "PI-1/H", at=1)
    unit.restarts(site=make_site(without=["GT-1", "TI-9"]))
    assert sorted(unit.withdraws(at=2)) == ["alarm.withdrawn GT-1/H", "alarm.withdrawn TI-9/HH"]
    assert [alarm.tag for alarm in unit.register.active.values()] == ["PI-1"]
    ended = next(alarm for alarm in unit.books.alarms.values() if alarm.tag == "GT-1")
    assert (ended.state, ended.condition, ended.returned_at) == (AlarmState.NORMAL, False, ms(2))
    assert unit.incident("boiler").alarms_active == 0
    unit.handles_fully(at=3, unit="boiler")
    assert unit.closes(at=3, unit="boiler") == ["incident.closed boiler"]
    assert unit.withdraws(at=4) == []


def test_an_alarm_that_comes_again_is_judged_by_the_rule_of_today() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/H", at=1, value=12)
    unit.leaves("GT-1/H", at=2)
    rules = [unit.site.rules.row(number) for number in range(len(unit.site.rules))]
    rules[0] = replace(rules[0], setpoint=15.0, version=4, latching=True, grade=Grade.ORANGE)
    unit.restarts(site=replace(unit.site, rules=RuleTable.build(rules, len(unit.site.tags)), tag_index={}))
    unit.enters("GT-1/H", at=3, value=16)
    alarm = unit.alarm("GT-1/H")
    assert (alarm.setpoint, alarm.rule_version, alarm.latching, alarm.grade) == (15.0, 4, True, Grade.ORANGE)
    assert alarm.activations == 2
    told = unit.books.told()[-2:]
    assert {entry["kind"] for entry in told} == {"alarm.entered", "incident.graded"}
    assert told[0]["data"]["setpoint"] == 15.0
    unit.leaves("GT-1/H", at=4)
    assert unit.state("GT-1/H") is AlarmState.LATCHED_UNACKNOWLEDGED


# ---- what is only written down


def test_a_retrospective_finding_is_journaled_and_raises_nothing() -> None:
    unit = WatchedUnit()
    late = replace(unit.transition("GT-1/HH", at=1, entered=True, seen=4000), retrospective=True)
    assert unit.apply([late], 4000) == ["alarm.retrospective GT-1/HH"]
    (entry,) = unit.books.told()
    assert (entry["alarm"], entry["incident"], entry["enterprise"], entry["region"]) == (None, None, "works", "370783")
    assert entry["data"] == {
        "condition": True, "value": 25.0, "setpoint": 20.0, "source_time": ms(1), "received_time": ms(4000),
        "rule_version": 1,
    }  # fmt: skip
    assert not unit.register.active
    assert not unit.register.incidents


def test_a_retrospective_return_does_not_end_a_live_alarm() -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/HH", at=100)
    unit.apply([replace(unit.transition("GT-1/HH", at=1, entered=False), retrospective=True)], 200)
    assert unit.alarm("GT-1/HH").condition


def test_the_service_notes_what_it_does() -> None:
    unit = WatchedUnit()
    change = Change()
    unit.register.note(ms(1), "service.started", {"version": "0.1.0"}, change)
    body = orjson.loads(change.entries[0].body)
    assert (body["kind"], body["actor"], body["data"]) == ("service.started", "anshao", {"version": "0.1.0"})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_no_number_is_none_in_every_record(value: float) -> None:
    unit = WatchedUnit()
    unit.enters("GT-1/BAD", at=1, value=value)
    assert unit.alarm("GT-1/BAD").value is None
    assert unit.alarm("GT-1/BAD").setpoint is None
    assert unit.books.told()[-1]["data"]["value"] is None


def test_every_commit_of_a_story_chains_on() -> None:
    unit = WatchedUnit()
    for second in range(1, 40):
        (unit.enters if second % 2 else unit.leaves)("GT-1/H", "XL-1/HH", "other/LI-1/H", at=second * 50)
    verifier = Verifier()
    assert [verifier.check(entry) for entry in unit.books.entries] == [None] * len(unit.books.entries)
