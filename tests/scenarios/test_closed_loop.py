"""Incidents as desk and enterprise handle them: each way through the closed loop, with a restart at every step."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.incidents.closed_loop import Result, next_steps
from alerting.incidents.grading import load_grading
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from domain.scales import Grade
from tests.scenarios.handled import HandledIncident, handled
from tests.watched_unit import ms

ORANGE = ("PI-1/HH", "PI-2/HH")


@pytest.fixture
def story(tmp_path: Path) -> Iterator[HandledIncident]:
    with handled(tmp_path) as found:
        yield found


# ---- the whole way, and its shorter forms


def test_an_orange_incident_is_handled_from_push_to_archive(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    assert (story.grade(), story.incident().tier, story.incident().state) == ("orange", 3, "triggered")
    assert story.is_pushed(at=0.1) == ["incident.pushed"]
    assert story.is_pushed(at=0.2) == []
    assert story.desk_acknowledges(at=1) == ["incident.acknowledged"]
    assert story.stands == "pushed"
    assert story.enterprise_acknowledges(at=2) == ["incident.acknowledged"]
    assert story.stands == "acknowledged"
    assert story.verifies("real", at=6, comment="2#泵机封泄漏") == ["incident.verified"]
    assert story.handles("停泵，切断进料", at=8) == ["incident.handled"]
    assert story.handles("启动喷淋", at=9) == ["incident.handled"]
    assert [step["step"] for step in story.case.loop["steps"]] == ["停泵，切断进料", "启动喷淋"]
    story.ends(*ORANGE, at=20)
    with pytest.raises(Conflict, match="not ready to close: the enterprise's feedback is missing; the feedback has"):
        story.finishes(at=21)
    photo = story.attaches(at=25)
    assert story.feeds_back("机封已更换", at=30, attachments=(photo,)) == ["incident.fed_back"]
    assert (story.stands, story.case.is_fed_back) == ("feedback", True)
    assert story.reviews(at=40) == ["incident.reviewed"]
    assert "close" in next_steps(story.case)
    assert story.finishes(at=41) == ["incident.closed"]
    assert (story.stands, story.case.closed_by) == ("closed", "王芳")
    assert story.archives(at=42) == ["incident.archived"]
    with pytest.raises(NotFound, match="archived"):
        story.comments("nothing is added any more", at=43)


def test_a_blue_incident_is_closed_as_soon_as_all_is_normal(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    with pytest.raises(Conflict, match="has 1 alarms that are in"):
        story.finishes(at=1)
    story.ends("PI-1/H", at=2)
    assert story.finishes(at=3) == ["incident.closed"]


def test_a_yellow_incident_is_verified_and_fed_back_before_it_is_closed(story: HandledIncident) -> None:
    story.alarms("PI-1/HH", at=0)
    story.ends("PI-1/HH", at=1)
    with pytest.raises(Conflict, match=r"yet to be verified.*feedback is missing"):
        story.finishes(at=2)
    story.verifies("real", at=3)
    story.feeds_back("液位计已校准", at=4)
    assert story.finishes(at=5) == ["incident.closed"]


def test_the_desk_records_what_the_enterprise_says_by_telephone(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.enterprise_acknowledges(at=1, by="王芳", person="李工")
    assert (story.case.enterprise_acknowledged_by, story.case.loop["enterprise_recorded_by"]) == ("李工", "王芳")
    told = story.books.told()[-1]["data"]
    assert (told["name"], told["person"], told["side"]) == ("王芳", "李工", "enterprise")


def test_each_side_acknowledges_once(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.desk_acknowledges(at=1)
    story.enterprise_acknowledges(at=1)
    with pytest.raises(Conflict, match=r"desk has acknowledged incident .* already, by 王芳"):
        story.desk_acknowledges(at=2, by="张强")
    with pytest.raises(Conflict, match=r"enterprise has acknowledged incident .* already, by 李工"):
        story.enterprise_acknowledges(at=2)


def test_an_enterprise_that_acknowledges_late_does_not_set_the_loop_back(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.verifies("real", at=1, by="王芳")
    story.handles("派消防", at=2)
    story.enterprise_acknowledges(at=3)
    assert story.stands == "handled"


@pytest.mark.parametrize(
    ("do", "remedy"),
    [
        (lambda story: story.handles("x", at=1), "verify it first"),
        (lambda story: story.feeds_back("x", at=1), "verify it first"),
        (lambda story: story.reviews(at=1), "feed back first"),
        (lambda story: story.reviews(at=1, accepted=False), "feed back first"),
        (lambda story: story.archives(at=1), "close it first"),
        (lambda story: story.confirms(at=1, by="张强"), "nothing is proposed"),
        (lambda story: story.rejects(at=1, by="张强"), "nothing is proposed"),
        (lambda story: story.reports("to_county", at=1), "declare it first"),
        (lambda story: story.decides("orange", at=1), "is orange already"),
    ],
)
def test_what_comes_too_early_is_refused_with_what_to_do_first(story: HandledIncident, do: object, remedy: str) -> None:
    story.alarms(*ORANGE, at=0)
    with pytest.raises(Conflict, match=remedy):
        do(story)  # type: ignore[operator]
    assert story.incident().state == "triggered"


# ---- verification


def test_false_at_orange_waits_for_a_second_person(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    assert story.verifies("false", at=1, by="Wang Fang") == ["incident.verification_proposed"]
    assert (story.stands, "verification" in story.case.loop) == ("triggered", False)
    with pytest.raises(Conflict, match="second, different person"):
        story.confirms(at=2, by=" wang  FANG ")
    with pytest.raises(Conflict, match="Wang Fang has proposed false"):
        story.verifies("false", at=2, by="张强")
    assert story.confirms(at=3, by="张强") == ["incident.verified"]
    verification = story.case.loop["verification"]
    assert (verification["name"], verification["confirmed_by"], verification["result"]) == (
        "Wang Fang",
        "张强",
        "false",
    )
    assert "proposal" not in story.case.loop
    assert story.stands == "verified"


def test_a_proposal_is_rejected_or_overtaken_by_what_is_seen(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.verifies("false", at=1, by="王芳")
    assert story.rejects(at=2, by="张强") == ["incident.verification_rejected"]
    assert "proposal" not in story.case.loop
    story.verifies("false", at=3, by="王芳")
    assert story.verifies("real", at=4, by="张强") == ["incident.verified"]
    assert ("proposal" in story.case.loop, story.case.loop["verification"]["result"]) == (False, "real")


def test_one_person_may_call_a_yellow_incident_false(story: HandledIncident) -> None:
    story.alarms("PI-1/HH", at=0)
    assert story.verifies("false", at=1) == ["incident.verified"]


def test_what_was_red_is_not_called_false_by_one_person_after_its_grade_fell(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.decides("blue", at=1)
    assert story.verifies("false", at=2) == ["incident.verification_proposed"]


def test_one_persons_false_is_a_proposal_again_when_the_grade_rises(story: HandledIncident) -> None:
    story.alarms("PI-1/HH", at=0)
    story.verifies("false", at=1, by="王芳")
    story.alarms("PI-2/HH", at=2)
    assert story.grade() == "orange"
    assert ("verification" in story.case.loop, story.case.loop["proposal"]["name"]) == (False, "王芳")
    assert story.books.told()[-1]["data"]["confirm_verification"] == "false"
    story.ends(*ORANGE, at=3)
    with pytest.raises(Conflict, match="yet to be verified"):
        story.finishes(at=4)
    story.confirms(at=5, by="张强")
    assert "verified" not in story.case.loop["required"] or story.case.loop["verification"]["confirmed_by"] == "张强"


@pytest.mark.parametrize("result", ["maintenance", "test"])
def test_maintenance_and_tests_need_no_disposal_but_all_else(story: HandledIncident, result: str) -> None:
    story.alarms(*ORANGE, at=0)
    story.ends(*ORANGE, at=1)
    story.desk_acknowledges(at=1)
    story.enterprise_acknowledges(at=1)
    story.verifies(result, at=2)
    story.feeds_back("探测器标定", at=3)
    story.reviews(at=4)
    assert story.finishes(at=5) == ["incident.closed"]


def test_a_verification_may_be_corrected_until_the_review_is_accepted(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.verifies("maintenance", at=1)
    story.verifies("real", at=2)
    story.handles("停泵", at=3)
    story.feeds_back("已停泵", at=4)
    story.verifies("test", at=5)
    assert (story.stands, story.case.loop["verification"]["result"]) == ("feedback", "test")
    story.reviews(at=6)
    with pytest.raises(Conflict, match="return the review first"):
        story.verifies("real", at=7)


# ---- feedback and review


def test_a_review_that_is_returned_asks_for_feedback_again(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.verifies("real", at=1)
    story.handles("停泵", at=2)
    story.feeds_back("已停泵", at=3)
    assert story.reviews(at=4, accepted=False, comment="缺少现场照片") == ["incident.returned"]
    assert (story.stands, story.case.is_fed_back) == ("handled", False)
    assert story.case.loop["review"]["comment"] == "缺少现场照片"
    assert "fed_back_at" not in story.case.loop
    photo = story.attaches(at=5)
    story.feeds_back("补充照片", at=6, attachments=(photo,))
    assert ("review" in story.case.loop, len(story.case.loop["feedback"])) == (False, 2)
    story.reviews(at=7)
    assert story.stands == "reviewed"
    story.reviews(at=8, accepted=False, comment="还需复测")
    assert story.stands == "handled"


def test_feedback_names_only_files_of_its_own_incident(story: HandledIncident) -> None:
    story.alarms(*ORANGE, "other/LI-1/HH", at=0)
    photo = story.attaches(at=1)
    story.verifies("real", at=2)
    with pytest.raises(Conflict, match=f"attachment {photo + 1} does not belong"):
        story.feeds_back("x", at=3, attachments=(photo, photo + 1))


def test_an_alarm_after_an_accepted_review_is_not_covered_by_it(story: HandledIncident) -> None:
    story.alarms("PI-1/HH", at=0)
    story.ends("PI-1/HH", at=1)
    story.verifies("real", at=2)
    story.feeds_back("已处置", at=3)
    story.reviews(at=4)
    assert story.alarms("PI-3/H", at=5) == ["alarm.entered PI-3/H", "incident.returned tankfarm"]
    assert story.stands == "handled"
    assert story.books.told()[-1]["data"] == {"reason": "triggered_again", "state": "handled"}
    story.ends("PI-3/H", at=6)
    with pytest.raises(Conflict, match="feedback is missing"):
        story.finishes(at=7)


def test_at_most_so_many_attachments(tmp_path: Path) -> None:
    table = load_grading()
    few = table.closed_loop.model_copy(
        update={"attachments": table.closed_loop.attachments.model_copy(update={"count": 2})}
    )
    with handled(tmp_path, table=table.model_copy(update={"closed_loop": few})) as story:
        story.alarms("PI-1/H", at=0)
        story.attaches(at=1)
        story.attaches(at=1)
        with pytest.raises(Conflict, match="has 2 attachments"):
            story.attaches(at=1)


# ---- the grade


def test_rising_to_orange_has_to_be_acknowledged_anew(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    story.is_pushed(at=0)
    story.desk_acknowledges(at=1)
    story.enterprise_acknowledges(at=1)
    story.alarms("PI-1/HH", at=2)
    assert (story.grade(), story.stands, story.case.desk_acknowledged_by) == ("yellow", "acknowledged", "王芳")
    story.alarms("PI-2/HH", at=3)
    assert (story.grade(), story.stands) == ("orange", "pushed")
    assert (story.case.desk_acknowledged_at, story.case.enterprise_acknowledged_at) == (None, None)
    assert story.books.told()[-1]["data"]["acknowledge_anew"] is True
    assert story.case.tier == 3


def test_a_person_declares_red_and_waiting_does_not_undo_it(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    assert story.decides("red", at=1, reason="现场目视大量泄漏") == ["incident.decided", "incident.graded"]
    assert (story.grade(), story.case.tier, story.case.peak_grade) == ("red", 4, Grade.RED)
    assert story.why() == ["decided"]
    assert story.case.reasons[0]["params"] == {"grade": "red", "name": "王芳", "reason": "现场目视大量泄漏"}
    story.ends("PI-1/H", at=2)
    assert story.passes(at=300) == []
    assert story.grade() == "red"
    assert story.decides("blue", at=301, reason="已确认消除") == ["incident.decided", "incident.graded"]
    assert story.case.tier == 4


def test_a_grade_raised_by_the_alarms_above_a_decision_falls_back_to_the_decision(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    story.decides("yellow", at=1)
    story.alarms(*ORANGE, at=2)
    assert story.grade() == "orange"
    story.ends("PI-1/H", *ORANGE, at=3)
    assert story.passes(at=13) == ["incident.graded tankfarm"]
    assert (story.grade(), story.why()) == ("yellow", ["cleared_and_held"])


def test_a_lowering_decision_covers_what_was_there_and_not_what_is_new(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.decides("yellow", at=1, reason="一台探测器标定中")
    assert story.passes(at=60) == []
    assert story.leaves("PI-2/HH", at=61 * 60) == ["alarm.returned PI-2/HH"]
    assert story.enters("PI-2/HH", at=62 * 60) == ["alarm.entered PI-2/HH"]
    assert story.grade() == "yellow"
    assert story.alarms("PI-3/H", at=63) == ["alarm.entered PI-3/H", "incident.graded tankfarm"]
    assert (story.grade(), story.why()) == ("orange", ["second_level_two_tags"])
    assert story.case.loop["decision"]["ended_at"] == ms(63 * 60)


def test_alarms_that_grow_graver_than_they_were_end_a_lowering_decision(story: HandledIncident) -> None:
    story.enters("GT-1/HH", at=0)
    assert story.grade() == "yellow"
    story.decides("blue", at=0.5)
    assert story.passes(at=1) == ["incident.graded tankfarm"]
    assert (story.grade(), story.why()) == ("orange", ["toxic_second_level_persists"])


def test_a_lowered_grade_rises_no_more_after_all_has_cleared_and_come_again_new(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    story.decides("blue", at=1)
    story.ends(*ORANGE, at=2)
    assert story.passes(at=30) == []
    story.alarms("PI-1/H", at=31)
    assert story.grade() == "blue"
    story.alarms("PI-1/HH", at=32)
    assert story.grade() == "yellow"


def test_escalation_raises_the_tier_and_not_the_grade(story: HandledIncident) -> None:
    story.alarms("PI-1/HH", at=0)
    for tier in (3, 4, 5):
        assert story.escalates("not_acknowledged", at=tier * 10) == ["incident.escalated"]
        assert (story.case.tier, story.grade()) == (tier, "yellow")
    assert story.books.told()[-1]["data"] == {"from": 4, "to": 5, "reason": "not_acknowledged", "state": "triggered"}
    assert story.escalates("not_acknowledged", at=60) == []


# ---- reopening and archiving


def close_in_full(story: HandledIncident, at: float) -> None:
    story.alarms(*ORANGE, at=at)
    story.ends(*ORANGE, at=at)
    story.handles_fully(at=at * 60)
    story.finishes(at=at)


def test_a_new_alarm_within_a_day_reopens_the_same_incident(story: HandledIncident) -> None:
    close_in_full(story, at=0)
    number = story.case.id
    story.comments("交接时注意", at=10)
    told = story.alarms("PI-3/H", at=24 * 60 - 1)
    assert told == ["incident.reopened tankfarm", "alarm.entered PI-3/H"]
    again = story.incident()
    assert (again.id, again.state, again.reopened, again.closed_at) == (number, "triggered", 1, None)
    assert (again.grade.label, again.peak_grade.label, again.tier) == ("blue", "orange", 1)
    assert (again.desk_acknowledged_at, "verification" in again.loop, again.loop["comments"]) == (None, False, 1)
    assert story.alarm("PI-3/H").incident == number
    assert story.books.told()[-2]["data"]["closed_by"] == "王芳"
    story.ends("PI-3/H", at=24 * 60)
    with pytest.raises(Conflict, match="was orange and is not ready to close"):
        story.finishes(at=24 * 60)
    story.handles_fully(at=24 * 3600)
    assert story.finishes(at=24 * 60 + 1) == ["incident.closed"]


def test_after_a_day_a_new_alarm_opens_a_new_incident(story: HandledIncident) -> None:
    close_in_full(story, at=0)
    assert story.alarms("PI-3/H", at=24 * 60) == ["incident.opened tankfarm", "alarm.entered PI-3/H"]
    assert story.incident().id != story.case.id


def test_what_is_archived_is_not_reopened(story: HandledIncident) -> None:
    close_in_full(story, at=0)
    story.archives(at=1)
    assert story.alarms("PI-3/H", at=2)[0] == "incident.opened tankfarm"


def test_another_units_alarm_reopens_nothing(story: HandledIncident) -> None:
    close_in_full(story, at=0)
    assert story.alarms("TI-9/H", at=2) == ["incident.opened boiler", "alarm.entered TI-9/H"]
    assert story.stands == "closed"


def test_the_service_archives_after_a_month(story: HandledIncident) -> None:
    close_in_full(story, at=0)
    month = 30 * 24 * 60
    assert story.passes(at=month - 1) == []
    assert story.passes(at=month) == ["incident.archived tankfarm"]
    assert not story.register.casebook.closed


def test_comments_and_files_are_added_after_closing_too(story: HandledIncident) -> None:
    close_in_full(story, at=0)
    assert story.comments("家属已安抚", at=5) == ["incident.commented"]
    story.attaches(at=6)
    assert (story.case.loop["comments"], len(story.case.loop["attachments"])) == (1, 1)


# ---- links


def test_incidents_of_neighbouring_units_are_linked_and_unlinked(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    story.alarms("TI-9/H", at=5)
    one, two = story.incident("tankfarm").id, story.incident("boiler").id
    told = story.act(6, lambda book, i, now, c: book.link(i, two, "county", "王芳", "同一次泄漏", now, c))
    assert told == ["incident.linked", "incident.linked"]
    links = {unit: [link["incident"] for link in story.incident(unit).loop["links"]] for unit in ("tankfarm", "boiler")}
    assert links == {"tankfarm": [two], "boiler": [one]}
    with pytest.raises(Conflict, match="linked already"):
        story.act(7, lambda book, i, now, c: book.link(i, two, "county", "王芳", "", now, c))
    told = story.act(8, lambda book, i, now, c: book.unlink(i, two, "county", "王芳", "误关联", now, c))
    assert told == ["incident.unlinked", "incident.unlinked"]
    assert "links" not in story.incident("boiler").loop
    with pytest.raises(Conflict, match="not linked"):
        story.act(9, lambda book, i, now, c: book.unlink(i, two, "county", "王芳", "", now, c))


@pytest.mark.parametrize(("other", "why"), [(0, "cannot be linked to itself"), (99, "no incident 99")])
def test_what_cannot_be_linked(story: HandledIncident, other: int, why: str) -> None:
    story.alarms("PI-1/H", at=0)
    with pytest.raises((Conflict, NotFound), match=why):
        story.act(1, lambda book, i, now, c: book.link(i, other or i, "county", "王芳", "", now, c))


# ---- the accident


def test_the_accident_clock_runs_until_every_report_is_made(story: HandledIncident) -> None:
    story.alarms(*ORANGE, at=0)
    assert story.declares("IV", at=10, injured=2) == ["incident.accident_declared"]
    assert story.passes(at=70) == []
    assert story.passes(at=70.1) == ["incident.report_overdue tankfarm"]
    assert story.passes(at=100) == []
    assert story.reports("to_county", at=110) == ["incident.accident_reported"]
    assert story.books.told()[-1]["data"]["late"] is True
    story.ends(*ORANGE, at=120)
    story.handles_fully(at=120 * 60)
    with pytest.raises(Conflict, match="not reported yet: to_city"):
        story.finishes(at=121)
    assert story.passes(at=110 + 120) == ["incident.graded tankfarm"]  # clear for long, and nothing overdue
    story.reports("to_city", at=230)
    assert story.books.told()[-1]["data"]["late"] is False
    assert story.finishes(at=231) == ["incident.closed"]


def test_an_accident_asks_for_all_steps_whatever_the_grade(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    story.declares("IV", at=1)
    assert len(story.case.loop["required"]) == 6


def test_a_class_may_be_corrected_after_closing_and_its_clock_goes_on(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    story.declares("IV", at=1, dead=2)
    story.reports("to_county", at=20)
    story.reports("to_city", at=60)
    story.ends("PI-1/H", at=61)
    story.handles_fully(at=61 * 60)
    story.finishes(at=62)
    assert story.declares("III", at=700, dead=3) == ["incident.accident_declared"]
    told = story.books.told()[-1]["data"]
    assert (told["before"]["accident_class"], told["accident_class"], told["before"]["dead"]) == ("IV", "III", 2)
    assert story.passes(at=700 + 120) == []
    assert story.passes(at=700 + 121) == ["incident.report_overdue tankfarm"]
    assert story.passes(at=60 * 24 * 40) == []  # not archived before it is reported
    story.reports("to_province", at=60 * 24 * 40)
    assert story.passes(at=60 * 24 * 40 + 1) == ["incident.archived tankfarm"]


def test_a_class_that_contradicts_the_figures_is_said_and_kept(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    story.declares("IV", at=1, dead=10)
    accident = story.case.loop["accident"]
    assert accident["accident_class"] == "IV"
    assert "class II by Order 493" in (accident["warning"] or "")


def test_what_is_not_reported_is_not_archived(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    story.ends("PI-1/H", at=1)
    story.finishes(at=2)
    story.declares("IV", at=3, injured=1)
    with pytest.raises(Conflict, match="not reported yet: to_county, to_city"):
        story.archives(at=4)
    assert "archive" not in next_steps(story.case)
    story.reports("to_county", at=5)
    story.reports("to_city", at=6)
    assert "archive" in next_steps(story.case)
    story.archives(at=7)
    assert story.passes(at=1_000) == []


def test_a_drills_accident_ends_with_the_drill(story: HandledIncident) -> None:
    story.apply([replace(story.transition("PI-1/H", 0, entered=True), drill=7)], 0)
    story.declares("IV", at=1, injured=1)
    change = Change()
    story.register.withdraw_drill(7, ms(120), change)
    story.register.casebook.end_drill(7, "演练结束", ms(120), change)
    assert story._commit(change)[-1] == "incident.archived tankfarm"
    assert story.passes(at=1_000) == []


def test_an_accident_declared_by_mistake_is_withdrawn_by_two(story: HandledIncident) -> None:
    def withdraw(at: float, second: str) -> list[str]:
        return story.act(
            at, lambda book, i, now, c: book.withdraw_accident(i, second, "county", "王芳", "误录", now, c)
        )

    story.alarms("PI-1/H", at=0)
    with pytest.raises(Conflict, match="nothing to withdraw"):
        withdraw(1, "张强")
    story.declares("IV", at=1, dead=1)
    assert "withdraw_accident" in next_steps(story.case)
    with pytest.raises(Conflict, match="second, different person"):
        withdraw(2, "王 芳")
    assert withdraw(3, "张强") == ["incident.accident_withdrawn"]
    assert ("accident" in story.case.loop, story.case.loop["required"]) == (False, [])
    assert story.books.told()[-1]["data"]["accident"]["dead"] == 1
    assert story.passes(at=1_000) == []
    story.ends("PI-1/H", at=1_001)
    assert story.finishes(at=1_002) == ["incident.closed"]


# ---- a table that is changed while the service runs


def test_a_new_table_grades_open_incidents_anew(story: HandledIncident) -> None:
    story.alarms("PI-1/HH", "PI-2/H", at=0)
    story.alarms("TI-9/H", at=0)
    assert (story.grade(), story.grade("boiler")) == ("yellow", "blue")
    rows = [row.model_copy(update={"grade": Grade.RED}) if row.name == "four_blue" else row for row in story.table.unit]
    counts = rows[0].counts[0].model_copy(update={"at_least": 1})
    rows[0] = rows[0].model_copy(update={"counts": [counts]})
    newer = story.table.model_copy(update={"version": 2, "unit": rows})

    def reconfigure(table: object) -> list[str]:
        story.table = table  # type: ignore[assignment]
        return story.act(5, lambda book, _i, now, c: book.reconfigure(story.site, story.table, now, c))

    older = story.table
    assert reconfigure(newer) == ["incident.graded", "incident.graded"]
    assert (story.grade(), story.grade("boiler"), story.why()) == ("red", "red", ["four_blue"])
    assert story.books.told()[-1]["data"]["table_version"] == 2
    assert reconfigure(older) == ["incident.graded", "incident.graded"]
    assert (story.grade(), story.grade("boiler")) == ("yellow", "blue")
    assert story.case.loop["table_version"] == 1


def test_a_new_table_lowers_no_grade_that_is_held_from_before(story: HandledIncident) -> None:
    story.alarms(*ORANGE, "PI-3/H", at=0)
    story.ends(*ORANGE, at=1)
    assert story.grade() == "orange"
    story.table = story.table.model_copy(update={"version": 2})
    assert story.act(5, lambda book, _i, now, c: book.reconfigure(story.site, story.table, now, c)) == []
    assert story.grade() == "orange"


def test_a_new_table_may_ask_for_other_steps(story: HandledIncident) -> None:
    story.alarms("PI-1/HH", at=0)
    story.ends("PI-1/HH", at=1)
    with pytest.raises(Conflict, match="not ready to close"):
        story.finishes(at=2)
    loop = story.table.closed_loop
    required = loop.required.model_copy(update={"yellow": ()})
    story.table = story.table.model_copy(
        update={"version": 2, "closed_loop": loop.model_copy(update={"required": required})}
    )
    story.act(3, lambda book, _i, now, c: book.reconfigure(story.site, story.table, now, c))
    assert story.case.loop["required"] == []
    assert story.finishes(at=4) == ["incident.closed"]


def test_a_site_may_ask_a_second_person_for_maintenance_too(tmp_path: Path) -> None:
    table = load_grading()
    second = table.closed_loop.second_person.model_copy(update={"results": (Result.FALSE, Result.MAINTENANCE)})
    stricter = table.model_copy(update={"closed_loop": table.closed_loop.model_copy(update={"second_person": second})})
    with handled(tmp_path, table=stricter) as story:
        story.alarms(*ORANGE, at=0)
        assert story.verifies("maintenance", at=1, by="王芳") == ["incident.verification_proposed"]
        assert story.confirms(at=2, by="张强") == ["incident.verified"]


# ---- drills, and what is suppressed


def test_a_drill_has_incidents_of_its_own(story: HandledIncident) -> None:
    story.alarms("PI-1/H", at=0)
    drilled = [replace(story.transition(path, 60, entered=True), drill=7) for path in ORANGE]
    assert story.apply(drilled, 60)[0] == "incident.opened tankfarm"
    real, drill = sorted(story.register.incidents.values(), key=lambda found: found.id)
    assert [(found.drill, found.grade.label) for found in (real, drill)] == [(None, "blue"), (7, "orange")]
    story.handles_now(real.id)
    with pytest.raises(Conflict, match="never linked"):
        story.act(2, lambda book, i, now, c: book.link(i, drill.id, "county", "王芳", "", now, c))
    assert story.verifies("real", at=3) == ["incident.verified"]
    assert story.register.casebook.find(drill.id).state == "triggered"


def test_a_drill_reopens_no_real_incident(story: HandledIncident) -> None:
    close_in_full(story, at=0)
    drilled = replace(story.transition("PI-3/H", 600, entered=True), drill=7)
    assert story.apply([drilled], 600)[0] == "incident.opened tankfarm"
    assert story.stands == "closed"


def test_an_alarm_whose_shelf_ends_after_closing_reopens_the_incident(story: HandledIncident) -> None:
    story.alarms("PI-1/H", "PI-2/H", at=0)
    story.ends("PI-1/H", at=1)
    shelved = story.alarm("PI-2/H").id
    change = Change()
    story.register.shelving.shelve(shelved, ms(3_600), "标定", "county", "王芳", ms(120), change)
    story.register.advance(ms(120), change)
    story._commit(change)
    assert story.incident().alarms_open == 0
    story.finishes(at=3)
    told = story.passes(at=61)
    assert "incident.reopened tankfarm" in told
    assert "alarm.annunciated PI-2/H" in told
    assert story.alarm("PI-2/H").incident == story.incident().id == story.case.id
    assert (story.case.alarms_open, story.case.reopened) == (1, 1)
