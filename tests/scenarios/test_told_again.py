"""Who was told last is told again, at orange and red, until somebody has acknowledged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.response.plans import Plan, Step, Who
from domain.scales import Grade
from tests.scenarios.pager import CONTACTS, Pager, book_of, pager

ALL = {contact.id for contact in CONTACTS}
STEPS = (Step(Who(post="operator"), by=("sms",), within=60_000, then=(Step(Who(contact="safety"), by=("mail",)),)),)
PLAN = Plan("own", tiers=(3,), acknowledge=600_000, feedback=3_600_000, steps=STEPS, repeat=180_000)


@pytest.fixture(params=[False, True], ids=["through", "restarting"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pager]:
    with pager(tmp_path, restarting=request.param) as told:
        yield told


def told(story: Pager, at: str) -> set[str]:
    """Contacts told at a time."""
    return {line.split()[2] for line in story.told if line.startswith(f"{at} ")}


def escalated(story: Pager) -> list[str]:
    return [line.split(maxsplit=2)[2] for line in story.lines if line.split()[1] == "incident.escalated"]


@pytest.mark.parametrize("grade", ["orange", "red"])
def test_when_the_last_tier_does_not_answer_it_is_told_again_and_again(story: Pager, grade: str) -> None:
    story.raises(grade)
    begins = {"orange": 7, "red": 2}[grade]  # the city takes command
    story.passes(begins + 16)
    for again in (5, 10, 15):
        minute = begins + again
        assert told(story, f"0:{minute:02}:00") == ALL
        assert {line.split()[3] for line in story.told if line.startswith(f"0:{minute:02}:00 ")} == {"repeated"}
    tier_times = {"orange": ["0:00:00", "0:05:00", "0:07:00"], "red": ["0:00:00", "0:02:00"]}[grade]
    times = [*tier_times, *(f"0:{begins + again:02}:00" for again in (5, 10, 15))]
    assert list(dict.fromkeys(line.split()[0] for line in story.told)) == times
    assert "再次通知" in story.texts[-1]
    assert len(escalated(story)) == len(tier_times) - 1


def test_both_acknowledgements_and_no_less_end_it(story: Pager) -> None:
    story.raises("red")
    story.acknowledges("desk", at=8)
    story.passes(13)
    assert told(story, "0:12:00") == ALL
    story.acknowledges("enterprise", at=14)
    story.feeds_back(at=15)
    before = len(story.told)
    story.passes(60)
    assert len(story.told) == before


def test_what_is_yellow_by_then_is_told_no_more(story: Pager) -> None:
    story.raises("orange")
    story.passes(13)
    assert told(story, "0:12:00") == ALL
    story.acts(
        14,
        lambda change: story.register.casebook.decide(
            story.incident, Grade.YELLOW, "api", "王芳", "已切断", story.now, change
        ),
    )
    before = len(story.told)
    story.passes(40)
    assert len(story.told) == before


def test_it_is_told_again_within_a_tier_that_has_time_but_not_as_the_next_one_begins(tmp_path: Path) -> None:
    """The last step of a ladder, at 1 min; again at 4 and 7 and not at 10, when the next tier is told."""
    with pager(tmp_path, book_of(plans=(PLAN, *book_of().plans)), restarting=True) as story:
        story.raises("orange")
        story.passes(9.9)
        assert story.told == [
            "0:00:00 sms op opened",
            "0:01:00 mail safety unanswered",
            "0:04:00 mail safety repeated",
            "0:07:00 mail safety repeated",
        ]
        story.passes(10)
        assert told(story, "0:10:00") == ALL


def test_it_is_told_again_in_time_where_a_step_out_of_reach_was_followed_at_once(tmp_path: Path) -> None:
    steps = (Step(Who(post="operator"), by=("sms",), within=600_000, then=STEPS[0].then),)
    plan = replace(PLAN, acknowledge=3_600_000, steps=steps)
    with pager(tmp_path, book_of(plans=(plan, *book_of().plans))) as story:
        story.channels["sms"] = lambda _address, _text: "dead"
        story.raises("orange")
        story.passes(9)
        mails = [line.split() for line in story.told if line.split()[1] == "mail"]
        assert [said[3] for said in mails] == ["unanswered", "repeated", "repeated"]
        assert mails[1][0] < "0:04:00"


def test_a_plan_without_repetition_tells_once(tmp_path: Path) -> None:
    plans = tuple(replace(plan, repeat=0) for plan in book_of().plans)
    with pager(tmp_path, book_of(plans=plans)) as story:
        story.raises("red")
        story.passes(30)
        assert not [line for line in story.told if line.endswith("repeated")]


def test_a_side_out_of_reach_escalates_though_others_would_be_told_again(story: Pager) -> None:
    dead = {"1", "2", "op@works.cn", "safety@works.cn"}
    story.channels["sms"] = story.channels["mail"] = lambda address, _: "dead" if address in dead else None
    story.raises("orange")
    story.passes(1)
    assert escalated(story) == ["3>4 not_delivered"]


def test_nobody_is_said_to_have_a_post_once_and_not_at_each_repetition(tmp_path: Path) -> None:
    contacts = {contact.id: contact for contact in CONTACTS if contact.id != "op"}
    with pager(tmp_path, book_of(contacts=contacts), restarting=True) as story:
        story.raises("red")
        story.passes(30)
        assert len([line for line in story.lines if "delivery.nobody" in line]) == 2
        assert len([line for line in story.told if line.endswith("op repeated")]) == 0
        assert told(story, "0:12:00") == ALL - {"op"}


def test_a_clock_set_back_does_not_put_it_off(tmp_path: Path) -> None:
    with pager(tmp_path) as story:
        story.raises("red")
        story.passes(3)
        story.now -= 2 * 60_000
        (clock,) = story.response.escalation.clocks.values()
        story.acts(1.1, lambda _: None)
        assert clock.due <= story.now + 5 * 60_000
