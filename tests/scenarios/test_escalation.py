"""Escalation: each step of each grade, on virtual time, and the same again with a restart at every step."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.notify.message import MessageState
from alerting.response.book import Channel, Limits
from alerting.response.contacts import Contact
from alerting.response.plans import Plan, Step, Who
from tests.scenarios.pager import CHANNELS, CONTACTS, COUNTY, Pager, book_of, pager


@pytest.fixture(params=[False, True], ids=["through", "restarting"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pager]:
    with pager(tmp_path, restarting=request.param) as told:
        yield told


def who(told: list[str], at: str) -> list[str]:
    """Contacts told at a time."""
    return [line.split()[2] for line in told if line.startswith(f"{at} ")]


def lines(story: Pager, kind: str) -> list[str]:
    return [line for line in story.lines if line.split()[1] == kind]


OPERATOR, YELLOW = ["op"], ["op", "safety", "county"]
ORANGE = [*YELLOW, "city"]
RED = ["op", "safety", "head", "county", "city", "mayor"]
COMMAND = ["op", "safety", "head", "county", "city", "mayor"]


@pytest.mark.parametrize(("grade", "told"), [("blue", OPERATOR), ("yellow", YELLOW), ("orange", ORANGE), ("red", RED)])
def test_each_grade_tells_whom_its_plan_names_at_once(story: Pager, grade: str, told: list[str]) -> None:
    story.raises(grade)
    assert who(story.told, "0:00:00") == told
    assert story.register.incidents[story.incident].grade.label == grade
    assert lines(story, "incident.pushed") == ["0:00:00 incident.pushed"]
    story.passes(1)
    assert len(story.told) == len(told)


def test_nobody_acknowledges_and_tier_after_tier_is_told_until_the_city_takes_command(story: Pager) -> None:
    story.raises("blue")
    story.passes(60)
    assert lines(story, "incident.escalated") == [
        "0:15:00 incident.escalated 1>2 not_acknowledged",
        "0:25:00 incident.escalated 2>3 not_acknowledged",
        "0:30:00 incident.escalated 3>4 not_acknowledged",
        "0:32:00 incident.escalated 4>5 not_acknowledged",
    ]
    assert who(story.told, "0:15:00") == YELLOW
    assert who(story.told, "0:25:00") == ORANGE
    assert who(story.told, "0:30:00") == RED
    assert sorted(who(story.told, "0:32:00")) == sorted(COMMAND)
    incident = story.register.incidents[story.incident]
    assert (incident.tier, incident.grade.label) == (5, "blue")
    assert "市级接管指挥" in story.texts[-1]
    story.passes(180)
    assert len(lines(story, "incident.escalated")) == 4


@pytest.mark.parametrize(
    ("grade", "late", "escalated"),
    [
        ("blue", 15, "1>2"),
        ("yellow", 10, "2>3"),
        ("orange", 5, "3>4"),
        ("red", 2, "4>5"),
    ],
)
def test_the_time_to_acknowledge_of_each_grade(story: Pager, grade: str, late: float, escalated: str) -> None:
    story.raises(grade)
    story.passes(late - 1 / 60)
    assert not lines(story, "incident.escalated")
    story.passes(late)
    assert lines(story, "incident.escalated") == [f"0:{late:02.0f}:00 incident.escalated {escalated} not_acknowledged"]


@pytest.mark.parametrize(
    ("grade", "late", "escalated"),
    [
        ("blue", 24 * 60, "1>2"),
        ("yellow", 4 * 60, "2>3"),
        ("orange", 60, "3>4"),
        ("red", 30, "4>5"),
    ],
)
def test_acknowledged_but_not_fed_back(story: Pager, grade: str, late: int, escalated: str) -> None:
    story.raises(grade)
    story.acknowledges("desk", at=1)
    story.acknowledges("enterprise", at=1.5)
    story.passes(late - 1)
    assert not lines(story, "incident.escalated")
    story.passes(late)
    assert lines(story, "incident.escalated") == [
        f"{late // 60}:{late % 60:02}:00 incident.escalated {escalated} no_feedback"
    ]
    # What is acknowledged is not asked for again; the feedback is, within the time of the next tier.
    story.passes(late + 1.5)
    assert len(lines(story, "incident.escalated")) == 1


@pytest.mark.parametrize("grade", ["blue", "yellow", "orange", "red"])
def test_acknowledged_and_fed_back_in_time_goes_no_further(story: Pager, grade: str) -> None:
    story.raises(grade)
    story.acknowledges("enterprise", at=0.5)
    story.acknowledges("desk", at=1)
    story.feeds_back(at=20)
    story.passes(26 * 60)
    assert not lines(story, "incident.escalated")
    incident = story.register.incidents[story.incident]
    assert incident.acknowledge_by is not None  # kept, for the report of times against the plan


@pytest.mark.parametrize(
    ("grade", "side", "goes_on"),
    [
        ("blue", "enterprise", False),
        ("yellow", "desk", False),
        ("orange", "desk", True),
        ("orange", "enterprise", True),
        ("red", "desk", True),
    ],
)
def test_one_side_is_enough_below_orange_only(story: Pager, grade: str, side: str, goes_on: bool) -> None:  # noqa: FBT001
    story.raises(grade)
    story.acknowledges(side, at=1)
    story.passes(16)
    assert bool(lines(story, "incident.escalated")) == goes_on


def test_a_grade_that_rises_tells_anew_and_asks_for_acknowledgement_anew(story: Pager) -> None:
    story.raises("blue")
    story.acknowledges("enterprise", at=1)
    story.enters("PI-1/HH", "PI-2/HH", at=3)
    assert who(story.told, "0:03:00") == ORANGE
    assert lines(story, "incident.graded")[-1] == "0:03:00 incident.graded orange"
    story.passes(8)
    assert lines(story, "incident.escalated") == ["0:08:00 incident.escalated 3>4 not_acknowledged"]


def test_red_asks_for_a_call_back_that_is_due_and_said_to_be_overdue(story: Pager) -> None:
    story.raises("red")
    assert lines(story, "call_back.due") == ["0:00:00 call_back.due"]
    story.acknowledges("desk", at=1)
    story.acknowledges("enterprise", at=1)
    story.passes(3)
    assert lines(story, "call_back.overdue") == ["0:02:00 call_back.overdue"]
    (call,) = story.response.escalation.calls.open
    story.acts(4, lambda change: story.response.finish_call(call, "api", "王芳", "人员已撤离", story.now, change))
    assert lines(story, "call_back.done") == ["0:04:00 call_back.done"]
    assert not story.response.escalation.calls.open
    assert len(lines(story, "call_back.due")) == 1


def test_a_channel_that_is_dead_is_given_up_for_the_next_one(story: Pager) -> None:
    story.channels["sms"] = lambda _, __: "HTTP 500"
    story.raises("blue")
    story.passes(1)
    assert story.tries == ["0:00:00 sms op", "0:00:02 sms op", "0:00:06 sms op", "0:00:06 mail op"]
    assert story.told == ["0:00:06 mail op opened"]
    assert not lines(story, "incident.escalated")


def test_what_is_not_delivered_escalates_as_what_is_not_acknowledged(story: Pager) -> None:
    """The operator is out of reach: the next tier is told long before the quarter of an hour is over, and no more."""
    story.channels["sms"] = story.channels["mail"] = lambda address, _: (
        "dead" if address in {"1", "op@works.cn"} else None
    )
    story.raises("blue")
    story.passes(9)
    # three by SMS at 0, 2, 6 s; two by mail at 6, 8 s
    assert lines(story, "message.undelivered")[0] == "0:00:08 message.undelivered op"
    assert lines(story, "delivery.escalated") == ["0:00:08 delivery.escalated"]
    assert lines(story, "incident.escalated") == ["0:00:08 incident.escalated 1>2 not_delivered"]
    assert who(story.told, "0:00:08") == ["safety", "county"]


@pytest.mark.parametrize(("grade", "escalated"), [("yellow", []), ("orange", ["3>4"]), ("red", ["4>5"])])
def test_a_side_that_is_out_of_reach_escalates_where_both_have_to_acknowledge(
    story: Pager, grade: str, escalated: list[str]
) -> None:
    """The enterprise's operator and safety head are; its head, whom red tells, is not, unless at red."""
    dead = {"1", "2", "op@works.cn", "safety@works.cn"} | ({"3", "head@works.cn"} if grade == "red" else set())
    story.channels["sms"] = story.channels["mail"] = lambda address, _: "dead" if address in dead else None
    story.raises(grade)
    story.passes(1.5)
    assert [line.split()[2] for line in lines(story, "incident.escalated")] == escalated


def test_with_all_channels_dead_everything_is_tried_up_to_the_city(story: Pager) -> None:
    story.channels["sms"] = story.channels["mail"] = lambda _, __: "dead"
    story.raises("yellow")
    story.passes(2)
    escalated = [line.split()[2:] for line in lines(story, "incident.escalated")]
    assert escalated == [["2>3", "not_delivered"], ["3>4", "not_delivered"], ["4>5", "not_delivered"]]
    assert not story.told
    assert story.register.incidents[story.incident].tier == 5


def test_a_receiver_that_comes_back_after_an_hour_gets_the_newest_message_once(story: Pager) -> None:
    back = 3_600_000
    begin = story.now
    story.channels["sms"] = story.channels["mail"] = lambda _, now: "away" if now - begin < back else None
    story.raises("blue")
    story.passes(59)
    assert not story.told
    story.passes(70)
    assert sorted(line.split()[2] for line in story.told) == sorted(COMMAND)
    states = [message.state for message in story.rows()]
    assert states.count(MessageState.SENT) == len(COMMAND)
    assert states.count(MessageState.SUPERSEDED) == len(states) - len(COMMAND)


def test_one_recipient_of_a_step_is_enough(tmp_path: Path) -> None:
    contacts = {contact.id: contact for contact in CONTACTS}
    contacts["op2"] = Contact("op2", "副操", "operator", COUNTY, "works", phone="9")
    with pager(tmp_path, book_of(contacts=contacts)) as story:
        story.channels["sms"] = story.channels["mail"] = lambda address, _: "dead" if address == "9" else None
        story.raises("blue")
        story.passes(5)
        assert lines(story, "message.undelivered")
        assert not lines(story, "incident.escalated")


def test_a_recipient_without_an_address_is_undelivered_at_once(tmp_path: Path) -> None:
    contacts = {contact.id: contact for contact in CONTACTS}
    contacts["op"] = replace(contacts["op"], phone="", mail="")
    with pager(tmp_path, book_of(contacts=contacts)) as story:
        story.raises("blue")
        assert lines(story, "message.failed")[0] == "0:00:00 message.failed op"
        assert lines(story, "incident.escalated") == ["0:00:00 incident.escalated 1>2 not_delivered"]


def test_a_post_that_nobody_has_is_said_and_waits_for_its_time(tmp_path: Path) -> None:
    contacts = {contact.id: contact for contact in CONTACTS if contact.id != "op"}
    with pager(tmp_path, book_of(contacts=contacts)) as story:
        story.raises("blue")
        assert lines(story, "delivery.nobody") == ["0:00:00 delivery.nobody operator@enterprise"]
        assert not lines(story, "incident.escalated")
        story.passes(15)
        assert who(story.told, "0:15:00") == ["safety", "county"]


def test_a_county_without_a_duty_desk_is_stood_in_for_by_the_region_above(tmp_path: Path) -> None:
    contacts = {contact.id: contact for contact in CONTACTS if contact.id != "county"}
    with pager(tmp_path, book_of(contacts=contacts)) as story:
        story.raises("yellow")
        assert who(story.told, "0:00:00") == ["op", "safety", "city"]


def test_without_channels_the_clocks_run_and_nobody_is_written_to(tmp_path: Path) -> None:
    with pager(tmp_path, book_of(channels={})) as story:
        story.raises("orange")
        story.passes(5)
        assert not story.rows()
        assert lines(story, "incident.escalated") == ["0:05:00 incident.escalated 3>4 not_acknowledged"]


STEPS = (Step(Who(post="operator"), by=("sms",), within=60_000, then=(Step(Who(contact="safety"), by=("mail",)),)),)
PLAN = Plan("own", tiers=(1,), acknowledge=600_000, feedback=3_600_000, steps=STEPS, hazards=("pressure",))


def test_a_plan_says_by_which_channel_within_what_time_and_then_whom(tmp_path: Path) -> None:
    with pager(tmp_path, book_of(plans=(PLAN, *book_of().plans)), restarting=True) as story:
        story.raises("blue")
        story.passes(2)
        assert story.told == ["0:00:00 sms op opened", "0:01:00 mail safety unanswered"]


def test_a_step_that_reaches_nobody_is_followed_at_once(tmp_path: Path) -> None:
    with pager(tmp_path, book_of(plans=(PLAN, *book_of().plans)), restarting=True) as story:
        story.channels["sms"] = lambda _, __: "dead"
        story.raises("blue")
        story.passes(2)
        assert story.told == ["0:00:06 mail safety unanswered"]
        assert not lines(story, "incident.escalated")


def test_a_step_that_is_acknowledged_tells_nobody_after_it(tmp_path: Path) -> None:
    with pager(tmp_path, book_of(plans=(PLAN, *book_of().plans)), restarting=True) as story:
        story.raises("blue")
        story.acknowledges("desk", at=0.5)
        story.passes(2)
        assert story.told == ["0:00:00 sms op opened"]


def test_the_end_of_an_incident_ends_its_clock_and_what_waits(story: Pager) -> None:
    story.channels["sms"] = story.channels["mail"] = lambda _, __: "away"
    story.raises("blue")
    story.acknowledges("desk", at=0.05)
    story.leaves("PI-1/H", at=1)
    story.closes(at=2)
    del story.channels["sms"], story.channels["mail"]
    story.passes(40)
    assert not story.told
    assert not lines(story, "incident.escalated")
    assert {message.state for message in story.rows()} == {MessageState.SUPERSEDED}
    story.raises("blue", at=50)
    assert lines(story, "incident.reopened") == ["0:50:00 incident.reopened blue"]
    assert who(story.told, "0:50:00") == ["op"]


def test_of_a_drill_only_its_circle_hears_and_every_text_says_so(story: Pager) -> None:
    story.circle[7] = ("county",)
    story.raises("yellow", drill=7)
    assert who(story.told, "0:00:00") == ["county"]
    assert story.texts[0].startswith("【演练 DRILL】")
    assert "\n【演练 DRILL】" in story.texts[0]
    story.passes(10)
    assert {line.split()[2] for line in story.told} == {"county"}


def test_a_drill_without_a_circle_writes_to_nobody(story: Pager) -> None:
    story.raises("red", drill=7)
    story.passes(3)
    assert not story.told
    assert not lines(story, "delivery.nobody")


# ---- held back


def quiet(contact: str, begin: int, end: int) -> dict[str, Contact]:
    """The story's people, one of them with quiet hours (local hours)."""
    held = {each.id: each for each in CONTACTS}
    return held | {contact: replace(held[contact], quiet=(begin * 3_600_000, end * 3_600_000))}


@pytest.mark.parametrize(("grade", "told"), [("yellow", False), ("orange", False), ("red", True)])
def test_quiet_hours_hold_below_red_only(tmp_path: Path, grade: str, told: bool) -> None:  # noqa: FBT001
    """The story begins at 08:00."""
    with pager(tmp_path, book_of(contacts=quiet("county", 7, 9))) as story:
        story.raises(grade)
        assert ("county" in who(story.told, "0:00:00")) == told


def test_what_quiet_hours_held_goes_out_at_their_end(tmp_path: Path) -> None:
    with pager(tmp_path, book_of(contacts=quiet("op", 7, 9)), restarting=True) as story:
        story.raises("blue")
        story.acknowledges("desk", at=1)
        story.passes(61)
        assert story.told == ["1:00:00 sms op opened"]


@pytest.mark.parametrize("restarting", [False, True])
def test_blue_beyond_so_many_becomes_one_digest_and_none_is_dropped(tmp_path: Path, restarting: bool) -> None:  # noqa: FBT001
    limits = Limits(digest_after=3, digest_window=600_000, digest_wait=120_000)
    with pager(tmp_path, book_of(limits=limits), restarting=restarting) as story:
        for number in range(3):
            alarm = f"PI-{number + 2}/H"
            story.enters(alarm, at=number * 0.1)
            story.leaves(alarm, at=number * 0.1 + 0.05)
            story.closes(at=number * 0.1 + 0.06)
        assert len(story.told) == 3
        story.raises("blue", at=0.5)
        story.enters("TI-9/H", at=0.6)
        assert len(story.told) == 3
        held = story.rows()[-2:]
        assert [(message.state, message.channel) for message in held] == [(MessageState.QUEUED, None)] * 2
        story.passes(3)
        assert len(story.told) == 4
        assert story.told[-1].endswith("sms op digest")
        assert "2 条消息汇总" in story.texts[-1]
        digest = story.rows()[-1]
        states = {message.id: (message.state, message.digest) for message in story.rows()}
        assert all(states[message.id] == (MessageState.SENT, digest.id) for message in held)


def test_orange_is_never_held_back(tmp_path: Path) -> None:
    limits = Limits(digest_after=1, digest_window=600_000)
    with pager(tmp_path, book_of(limits=limits)) as story:
        story.raises("blue")
        story.enters("TI-9/H", at=0.1)
        assert len(story.told) == 1
        story.enters("PI-1/HH", "PI-2/HH", at=0.2)
        assert who(story.told, "0:00:12") == ORANGE


# ---- receipts


def test_a_channel_that_misses_its_receipt_is_followed_by_the_next(tmp_path: Path) -> None:
    channels = {"sms": replace(CHANNELS[0], receipt_within=30_000), "mail": CHANNELS[1]}
    with pager(tmp_path, book_of(channels=channels), restarting=True) as story:
        story.raises("blue")
        story.passes(1)
        assert story.told == ["0:00:00 sms op opened", "0:00:30 mail op opened"]


def test_a_receipt_in_time_is_enough(tmp_path: Path) -> None:
    channels = {"sms": replace(CHANNELS[0], receipt_within=30_000), "mail": CHANNELS[1]}
    with pager(tmp_path, book_of(channels=channels), restarting=True) as story:
        story.raises("blue")
        (message,) = story.rows()
        story.acts(
            0.2,
            lambda change: story.response.receive(message.id, MessageState.DELIVERED, story.now, change),
        )
        story.passes(1)
        assert story.told == ["0:00:00 sms op opened"]
        assert story.rows()[0].state is MessageState.DELIVERED


def test_channels_of_the_book_and_no_others(tmp_path: Path) -> None:
    channels = {"mail": CHANNELS[1], "chat": Channel("chat", "apprise", "json://127.0.0.1")}
    with pager(tmp_path, book_of(channels=channels)) as story:
        story.channels["mail"] = lambda _, __: "dead"
        story.raises("blue")
        story.passes(0.5)
        assert story.told == ["0:00:02 chat op opened"]


def test_a_channel_that_is_taken_out_of_the_book_keeps_no_message(tmp_path: Path) -> None:
    with pager(tmp_path) as story:
        story.channels["sms"] = lambda _, __: "dead"
        story.raises("blue")
        other = book_of(channels={"chat": Channel("chat", "apprise", "json://127.0.0.1")})
        story.acts(1 / 60, lambda _: story.response.reconfigure(other, story.site))
        assert story.told == ["0:00:01 chat op opened"]


def test_with_the_last_channel_gone_what_waits_fails_and_escalates(tmp_path: Path) -> None:
    with pager(tmp_path) as story:
        story.channels["sms"] = lambda _, __: "dead"
        story.raises("blue")
        story.acts(1 / 60, lambda _: story.response.reconfigure(book_of(channels={}), story.site))
        assert lines(story, "message.failed") == ["0:00:01 message.failed op"]
        assert lines(story, "incident.escalated") == ["0:00:01 incident.escalated 1>2 not_delivered"]


def test_a_page_that_opens_later_is_told_of_what_is_open(tmp_path: Path) -> None:
    watching: set[str] = set()
    with pager(tmp_path, book=book_of(channels={})) as story:
        story.response.escalation.is_watched = lambda: bool(watching)
        story.raises("orange")
        story.passes(1)
        assert lines(story, "incident.pushed") == []
        watching.add("a page")
        story.passes(1.1)
        watching.clear()
        story.passes(2)
        watching.add("another page")
        story.passes(3)
        assert len(lines(story, "incident.pushed")) == 1
        assert story.register.incidents[story.incident].state == "pushed"


def test_an_alarm_that_belongs_to_the_line_is_told_with_the_line_only(story: Pager) -> None:
    story.enters("PI-1/H", at=0)
    story.enters("PI-3/STALE", at=0.1)
    story.enters("@gw1/LINK", at=0.2)
    unit = min(story.register.incidents)
    story.passes(15.1)
    (of_unit,) = [message.text for message in story.rows() if message.incident == unit and message.contact == "safety"]
    assert "PI-1" in of_unit
    assert "PI-3" not in of_unit
