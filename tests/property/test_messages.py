"""Whatever channels, people and time do: no message is stuck, and a restart knows all that was known."""

import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.notify.message import Message, MessageState
from alerting.response.book import Limits
from alerting.response.incident_clock import IncidentClock
from alerting.response.response import Response
from tests.scenarios.pager import CHANNELS, CONTACTS, Pager, book_of, pager

LIMITS = Limits(digest_after=1, digest_window=600_000, digest_wait=60_000, keep_trying=3_600_000)
PEOPLE = {contact.id: contact for contact in CONTACTS}
PEOPLE["county"] = replace(PEOPLE["county"], quiet=(8 * 3_600_000, 9 * 3_600_000))
BOOK = book_of(
    limits=LIMITS, contacts=PEOPLE, channels={"sms": replace(CHANNELS[0], receipt_within=20_000), "mail": CHANNELS[1]}
)
steps = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from(["PI-1/H", "PI-1/HH", "PI-2/HH", "AT-1/HH", "TI-9/H"])),
    st.tuples(st.just("leave"), st.sampled_from(["PI-1/H", "PI-1/HH", "PI-2/HH", "AT-1/HH", "TI-9/H"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 7, 61, 301, 1_000, 4_000])),
    st.tuples(st.just("acknowledge"), st.sampled_from(["desk", "enterprise"])),
    st.tuples(st.just("receive"), st.sampled_from([MessageState.DELIVERED, MessageState.READ])),
    st.tuples(st.just("channel"), st.sampled_from(["sms", "mail"])),
    st.tuples(st.just("close"), st.none()),
)


def known(response: Response) -> dict[str, Any]:
    """What a response keeps in mind."""
    messages, escalation = response.messages, response.escalation

    def clock(each: IncidentClock) -> dict[str, Any]:
        return each.row()

    def alive(message: Message) -> bool:
        return message.is_waiting or message.next_attempt_at is not None

    return {
        "messages": {each.id: each.row() for each in messages._by_id.values() if alive(each)},
        "told": {
            incident: [messages._by_id[number].row() for number in numbers]
            for incident, numbers in messages._of_incident.items()
            if incident in escalation._register.incidents and numbers
        },
        "last": messages._last,
        "held": {name: sorted(recent.held) for name, recent in messages._holding._recent.items() if recent.held},
        "clocks": {number: clock(each) for number, each in escalation.clocks.items()},
        "calls": dict(escalation.calls.open),
    }


def check(story: Pager) -> None:
    """Nothing is stuck, and the ledger holds what memory does."""
    messages = story.response.messages
    held = {number for recent in messages._holding._recent.values() for number in recent.held}
    for message in messages._by_id.values():
        if message.is_waiting:
            moves = message.next_attempt_at is not None and message.channel in BOOK.channels
            assert moves or message.id in held or message.digest is not None, message
            assert message.expires_at > story.now or message.digest is not None
    assert set(story.response.escalation.clocks) == set(story.register.incidents)
    before = known(story.response)
    story.restarts()
    assert known(story.response) == before


def act(story: Pager, kind: str, what: Any, chance: random.Random) -> None:
    at = (story.now - 1_750_032_000_000) / 60_000 + 1 / 60
    incidents = list(story.register.incidents)
    match kind:
        case "enter":
            story.enters(what, at=at)
        case "leave":
            story.leaves(what, at=at)
        case "wait":
            story.passes(at + what / 60)
        case "channel":
            share = chance.choice([0.0, 0.5, 1.0])
            story.channels[what] = lambda _, __: "dead" if chance.random() < share else None
        case "acknowledge" if incidents:
            incident = story.register.incidents[chance.choice(incidents)]
            taken = incident.desk_acknowledged_at if what == "desk" else incident.enterprise_acknowledged_at
            if incident.id == story.incident and taken is None:
                story.acknowledges(what, at=at)
        case "receive":
            sent = [row for row in story.response.messages._by_id.values() if row.state is MessageState.SENT]
            if sent:
                chosen = chance.choice(sent).id
                story.acts(at, lambda change: receive(story, chosen, what, change))
        case "close" if incidents:
            incident = story.register.incidents[story.incident]
            if not incident.alarms_open and not incident.loop.get("required"):
                story.closes(at=at)


def receive(story: Pager, message: int, state: MessageState, change: Any) -> None:
    found = story.response.messages.find(message)
    if found is not None and found.state is MessageState.SENT:
        story.response.receive(message, state, story.now, change)


@given(st.lists(steps, min_size=1, max_size=14), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_no_message_is_stuck_and_a_restart_knows_all(story_steps: list[tuple[str, Any]], chance: random.Random) -> None:
    with TemporaryDirectory() as folder, pager(Path(folder), BOOK) as story:
        for kind, what in story_steps:
            act(story, kind, what, chance)
            check(story)
        story.channels.clear()
        story.passes((story.now - 1_750_032_000_000) / 60_000 + 130)
        waiting = [message for message in story.rows() if message.state is MessageState.QUEUED]
        assert not waiting
