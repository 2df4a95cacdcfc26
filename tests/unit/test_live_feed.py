"""What the live part writes without reading it is what reading it would write."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from alerting.journal.journal import Journal, describe
from service.api.live_feed import Feed, entry_text
from service.api.views import Views
from tests.watched_unit import WatchedUnit, story

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(',"at":0\\}{'), max_size=20)


class Behind:
    """As much of a service as a feed needs."""

    def __init__(self) -> None:
        self.site = WatchedUnit().site

    def sequence(self) -> int:
        return 0


@given(
    actor=texts | st.just('a","at":5,"b'),
    name=texts,
    at=st.integers(0, 2**45),
    alarm=st.none() | st.integers(0, 2**60),
    data=st.dictionaries(texts | st.just("at"), st.integers(-5, 5) | texts | st.just({"at": 1})),
)
def test_an_entry_is_written_as_it_is_described(
    actor: str, name: str, at: int, alarm: int | None, data: dict[str, Any]
) -> None:
    entry = Journal().append(at, "alarm.entered", actor, data, region=name, tag=name, alarm=alarm)
    assert orjson.loads(entry_text(entry)) == describe(entry)


def test_messages_hold_entry_alarm_and_incident() -> None:
    service: Any = Behind()
    feed, views = Feed(service, ring=100, replay=100), Views(service.site)
    for change in story():
        told = [
            (entry, change.alarms.get(entry.alarm or 0), change.incidents.get(entry.incident or 0))
            for entry in change.entries
        ]
        before = feed.last
        feed.put(told)
        for encoded, (entry, alarm, incident) in zip(feed.held(before, 100), told, strict=True):
            assert orjson.loads(encoded.message) == {
                "type": "entry",
                "sequence": entry.sequence,
                "entry": describe(entry),
                "alarm": None if alarm is None else orjson.loads(orjson.dumps(views.alarm(alarm))),
                "incident": None if incident is None else orjson.loads(orjson.dumps(views.incident(incident))),
            }
