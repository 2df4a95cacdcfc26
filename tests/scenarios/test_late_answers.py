"""Answers that come too late: receipts of what was not sent, codes of what has grown graver meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from alerting.notify.message import Message, MessageState
from alerting.records import Change
from alerting.refusals import Conflict
from alerting.response.book import Limits
from domain.scales import Grade
from tests.scenarios.pager import Pager, book_of, pager

HELD = Limits(digest_after=0, digest_wait=600_000)
HELD_FOR_TOO_LONG = Limits(digest_after=0, digest_wait=600_000, keep_trying=60_000)


def use_code(story: Pager, message: Message, change: Change) -> object:
    row: dict[str, Any] = {"digest": "d", "message": message.id, "expires_at": story.now + 60_000, "used_at": None}
    return story.response.use_code("d", row, "code", "李工", story.now, change)


def test_a_receipt_of_a_message_that_waits_for_its_digest_stops_nothing(tmp_path: Path) -> None:
    with pager(tmp_path, book_of(limits=HELD)) as story:
        story.raises("blue")
        (held,) = story.rows()
        assert (held.state, held.channel) == (MessageState.QUEUED, None)
        messages = story.response.messages
        story.acts(1, lambda change: messages.receive(held.id, MessageState.DELIVERED, story.now, change))
        story.leaves("PI-1/H", at=2)
        story.closes(at=3)
        story.passes(20)
        assert story.told == []
        assert [message.state for message in story.rows()] == [MessageState.DELIVERED]


def test_a_message_that_is_given_up_before_its_digest_is_in_none(tmp_path: Path) -> None:
    with pager(tmp_path, book_of(limits=HELD_FOR_TOO_LONG)) as story:
        story.raises("blue")
        story.acknowledges("desk", at=0.5)
        story.passes(2)
        assert [message.state for message in story.rows()] == [MessageState.FAILED]
        story.leaves("PI-1/H", at=3)
        story.closes(at=4)
        story.passes(20)
        assert story.told == []


def test_the_code_of_a_message_acknowledges_nothing_graver_than_that_says(tmp_path: Path) -> None:
    with pager(tmp_path) as story:
        story.raises("yellow")
        (of_yellow,) = [message for message in story.rows() if message.contact == "op"]
        story.enters("AT-1/HH", at=1)
        (of_red,) = [message for message in story.rows() if message.contact == "op" and message.grade is Grade.RED]
        incident = story.register.incidents[story.incident]
        with pytest.raises(Conflict, match="came to be red"):
            story.acts(1, lambda change: use_code(story, of_yellow, change))
        assert incident.enterprise_acknowledged_at is None
        story.acts(1, lambda change: use_code(story, of_red, change))
        assert incident.enterprise_acknowledged_at == story.now


def test_the_code_of_an_incident_does_not_acknowledge_it_once_it_is_reopened(tmp_path: Path) -> None:
    with pager(tmp_path) as story:
        story.raises("blue")
        (before,) = story.rows()
        story.leaves("PI-1/H", at=1)
        story.closes(at=2)
        story.raises("blue", at=3)
        story.restarts()
        with pytest.raises(Conflict, match="newest message"):
            story.acts(3, lambda change: use_code(story, before, change))
        story.acts(3, lambda change: use_code(story, story.rows()[-1], change))
        assert story.register.incidents[story.incident].enterprise_acknowledged_at == story.now
