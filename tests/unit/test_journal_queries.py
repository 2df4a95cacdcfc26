"""The journal looked through: by time, group, person, place and word, in windows, as on one pass over all of it."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alerting.journal.journal import Journal
from alerting.ledger import journal_queries
from alerting.ledger.journal_queries import Entries, JournalFilter, Words, entries
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from tests.api_service import HEADERS, NOW, FakeService, api, make_site

SAID: tuple[tuple[str, str, str | None, str | None, str | None, Mapping[str, Any]], ...] = (
    ("service.started", "anshao", None, None, None, {}),
    ("alarm.entered", "anshao", "huarui", "tankfarm", "LT-3021", {"value": 3021.5}),
    ("alarm.acknowledged", "county", "huarui", "tankfarm", "LT-3021", {"name": "王芳", "comment": '说 "已派人", 100%'}),
    ("alarm.entered", "anshao", "heishan", "fan", "T-001", {"value": 9.0}),
    ("message.sent", "anshao", "heishan", "fan", None, {"channel": "sms", "contacts": ["李强"]}),
    ("session.begun", "li", None, None, None, {"name": "李强"}),
    ("incident.commented", "county", "heishan", "face", None, {"comment": "a_b"}),
    ("journal.broken", "anshao", None, None, None, {}),
)
TELLING = [
    (JournalFilter(groups={"alarms"}), [4, 3, 2]),
    (JournalFilter(groups={"messages", "service"}), [8, 5, 1]),
    (JournalFilter(groups={"acts"}), [7, 6, 3]),
    (JournalFilter(groups={"accounts"}), [6]),
    (JournalFilter(unit="tankfarm"), [3, 2]),
    (JournalFilter(unit="TANKFARM"), []),
    (JournalFilter(enterprises={"heishan"}), [7, 5, 4]),
    (JournalFilter(enterprises=set()), []),
    (JournalFilter(actor="王"), [3]),
    (JournalFilter(actor="COUNTY"), [7, 3]),
    (JournalFilter(actor="tag"), []),
    (JournalFilter(words=Words("lt-3021")), [3, 2]),
    (JournalFilter(words=Words('"已派人"')), [3]),
    (JournalFilter(words=Words("李强")), [6, 5]),
    (JournalFilter(words=Words("%")), [3]),
    (JournalFilter(words=Words("_")), [7]),
    (JournalFilter(words=Words("\\")), []),
    (JournalFilter(words=Words("comment")), [7]),
    (JournalFilter(words=Words("3021.5")), []),
    (JournalFilter(words=Words("5")), [5]),
    (JournalFilter(words=Words("罐区", units=frozenset({("huarui", "tankfarm")}))), [3, 2]),
    (JournalFilter(words=Words("黑山", enterprises=frozenset({"heishan"}))), [7, 5, 4]),
    (JournalFilter(since=NOW + 3, until=NOW + 6), [5, 4, 3]),
    (JournalFilter(since=NOW + 3, groups={"acts"}, words=Words("王芳")), [3]),
    (JournalFilter(since=NOW + 100), []),
    (JournalFilter(until=NOW), []),
]


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite'}")
    await ledger.start()
    journal = Journal()
    change = Change()
    for number, (kind, actor, enterprise, unit, tag, data) in enumerate(SAID, 1):
        at = NOW + number
        change.entries.append(journal.append(at, kind, actor, data, enterprise=enterprise, unit=unit, tag=tag))
    await ledger.commit(change, [])
    yield ledger
    await ledger.close()


@pytest.mark.parametrize("window", [1, 3, 10_000])
@pytest.mark.parametrize(("which", "expected"), TELLING)
async def test_what_is_looked_for_is_found_in_any_window(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, which: JournalFilter, expected: list[int], window: int
) -> None:
    monkeypatch.setattr(journal_queries, "WINDOW", window)
    page = await entries(ledger.engine, which, 100)
    assert ([entry.sequence for entry in page.items], page.next) == (expected, None)
    one_by_one: list[int] = []
    after: int | None = None
    while True:
        page = await entries(ledger.engine, which, 1, after)
        one_by_one += [entry.sequence for entry in page.items]
        after = page.next
        if after is None:
            break
    assert one_by_one == expected


async def test_an_answer_looks_only_so_far_and_says_how_far(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_queries, "WINDOW", 2)
    monkeypatch.setattr(journal_queries, "MOST_LOOKED", 4)
    which = JournalFilter(words=Words("nowhere"))
    assert await entries(ledger.engine, which, 10) == Entries([], 5, 4, NOW + 5)
    assert await entries(ledger.engine, which, 10, 5) == Entries([], None, 4, NOW + 1)
    monkeypatch.setattr(journal_queries, "ENOUGH_SECONDS", -1.0)
    assert (await entries(ledger.engine, which, 10)).looked == 2
    assert await entries(ledger.engine, JournalFilter(), 3) == Entries(
        (await entries(ledger.engine, JournalFilter(), 100)).items[:3], 6, 3, NOW + 6
    )
    assert await entries(ledger.engine, JournalFilter(), 3, 1) == Entries([], None, 0, None)


async def test_the_route_finds_places_by_their_names(ledger: Ledger) -> None:
    service = FakeService(ledger.engine)
    assert make_site().units[("huarui", "tankfarm")].name == "原料罐区"
    async with api(service) as client:
        client.session.headers.update(HEADERS)

        async def found(**query: str) -> list[int]:
            async with client.get("/api/v1/journal", params=query) as answer:
                assert answer.status == 200, await answer.text()
                return [item["sequence"] for item in (await answer.json())["items"]]

        assert await found(text="罐区") == [3, 2]
        assert await found(text="黑山", groups="alarms,messages") == [5, 4]
        assert await found(region="370000") == [3, 2]
        assert await found(actor="王芳", until="2100-01-01T00:00:00Z") == [3]
        for wrong in ("", "alarms,", "nothing"):
            async with client.get("/api/v1/journal", params={"groups": wrong}) as answer:
                assert answer.status == 400
