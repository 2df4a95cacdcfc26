"""The daily online rate: what of the journal counts, at which instant, and what the API answers."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from alerting.alarms.register import Register
from alerting.incidents.grading import load_grading
from alerting.journal.journal import Journal
from alerting.kpi.online import Links, read_links, window
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from alerting.response.local_time import DAY
from domain.clock import iso
from domain.site import RuleTable, Site
from domain.transitions import Transition
from service.api.online_models import EnterpriseDaysList, EnterpriseOnline
from tests.api_service import HEADERS, NOW, Client, FakeService, api, make_site
from tests.watched_unit import make_site as watched_site

SITE = watched_site()
LINK = "works/@gw1/LINK"
MIDNIGHT = window(1_750_000_000_000, 1)[0]
HOUR = 3_600_000


class Book:
    """A journal that is written as the service writes it."""

    def __init__(self, ledger: Ledger, site: Site = SITE) -> None:
        self.ledger, self.site = ledger, site
        self.register = Register(site, load_grading(), Journal())

    async def starts(self, at: int, until: int | None = None) -> None:
        """The service starts."""
        change = Change()
        self.register.note(at, "service.started", {} if until is None else {"until": until}, change)
        await self.ledger.commit(change)

    async def moves(self, at: int, *, lost: bool, path: str = LINK) -> None:
        """A gateway is lost, or there again."""
        change = Change()
        self.register.advance(at, change)
        transition = Transition(self.site.rule_row(path), lost, at, at, float("nan"))
        self.register.apply([transition], at + 250, change)
        await self.ledger.commit(change)

    async def days(self, now: int, days: int = 2, heard: int | None = None) -> list[tuple[int, int]]:
        """Known and online ms of each day."""
        return [(day.known, day.online) for day in (await self.links(now, days)).days(LINK, heard)]

    async def links(self, now: int, days: int = 2) -> Links:
        """What is read."""
        return await read_links(self.ledger.engine, {"works"}, window(now, days)[0], now)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = Ledger(f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite'}")
    await ledger.start()
    yield ledger
    await ledger.close()


@pytest.fixture
def book(ledger: Ledger) -> Book:
    return Book(ledger)


def test_days_begin_at_midnight_in_china() -> None:
    start, now = window(MIDNIGHT + 5, 3)
    assert iso(start) == "2025-06-12T16:00:00.000Z"
    assert (MIDNIGHT - start, now) == (2 * DAY, MIDNIGHT + 5)
    assert window(MIDNIGHT - 1, 1)[0] == MIDNIGHT - DAY


async def test_nothing_is_known_without_a_journal_nor_before_it_begins(book: Book) -> None:
    assert await book.days(MIDNIGHT + HOUR) == [(0, 0), (0, 0)]
    await book.starts(MIDNIGHT - HOUR)
    days = (await book.links(MIDNIGHT + HOUR, 3)).days(LINK, None)
    assert [(day.date, day.known, day.rate) for day in days] == [
        (date(2025, 6, 13), 0, None),
        (date(2025, 6, 14), HOUR, 1.0),
        (date(2025, 6, 15), HOUR, 1.0),
    ]


async def test_a_loss_counts_to_the_millisecond_on_both_sides_of_midnight(book: Book) -> None:
    await book.starts(MIDNIGHT - DAY)
    await book.moves(MIDNIGHT - 1_234, lost=True)
    assert await book.days(MIDNIGHT + HOUR) == [(DAY, DAY - 1_234), (HOUR, 0)]
    await book.moves(MIDNIGHT + 777, lost=False)
    assert await book.days(MIDNIGHT + HOUR) == [(DAY, DAY - 1_234), (HOUR, HOUR - 777)]


async def test_a_loss_that_began_before_the_first_day_lasts_into_it(book: Book) -> None:
    await book.starts(MIDNIGHT - 5 * DAY)
    await book.moves(MIDNIGHT - 3 * DAY, lost=True)
    assert await book.days(MIDNIGHT + HOUR) == [(DAY, 0), (HOUR, 0)]
    await book.moves(MIDNIGHT - DAY + 10, lost=False)
    assert await book.days(MIDNIGHT + HOUR) == [(DAY, DAY - 10), (HOUR, HOUR)]
    assert await book.days(MIDNIGHT + DAY, 1) == [(0, 0)]
    assert await book.days(MIDNIGHT + 9 * DAY, 1) == [(0, 0)]


async def test_a_link_that_flaps_is_counted_as_it_was_and_not_as_its_alarm_was_damped(book: Book) -> None:
    await book.starts(MIDNIGHT)
    for step in range(6):
        await book.moves(MIDNIGHT + HOUR + step * 10_000, lost=step % 2 == 0)
    kinds = [entry.kind async for entry in book.ledger.entries()]
    assert "alarm.damped" in kinds
    assert await book.days(MIDNIGHT + 2 * HOUR, 1) == [(2 * HOUR, 2 * HOUR - 30_000)]
    await book.moves(MIDNIGHT + 2 * HOUR, lost=True)
    assert await book.days(MIDNIGHT + 3 * HOUR, 1) == [(3 * HOUR, 2 * HOUR - 30_000)]


async def test_of_the_time_in_which_the_service_did_not_run_nothing_is_known(book: Book) -> None:
    await book.starts(MIDNIGHT)
    await book.moves(MIDNIGHT + HOUR, lost=True)
    await book.moves(MIDNIGHT + 2 * HOUR, lost=False)
    await book.starts(MIDNIGHT + 5 * HOUR, until=MIDNIGHT + 4 * HOUR)
    assert await book.days(MIDNIGHT + 6 * HOUR, 1) == [(5 * HOUR, 4 * HOUR)]
    # Of a start that does not say it, the last entry before is the last that is known of the run.
    await book.moves(MIDNIGHT + 7 * HOUR, lost=True)
    await book.starts(MIDNIGHT + 9 * HOUR)
    assert await book.days(MIDNIGHT + 10 * HOUR, 1) == [(7 * HOUR + 250, 5 * HOUR)]


async def test_a_start_that_says_more_than_it_can_know_makes_no_time_known_twice(book: Book) -> None:
    await book.starts(MIDNIGHT)
    await book.starts(MIDNIGHT + HOUR, until=MIDNIGHT + 2 * HOUR)
    await book.starts(MIDNIGHT + 3 * HOUR, until=MIDNIGHT - 5)
    assert await book.days(MIDNIGHT + 4 * HOUR, 1) == [(HOUR, HOUR)]


async def test_without_its_broker_the_service_knows_of_no_gateway(ledger: Ledger) -> None:
    site = watched_site()
    tags, rows = list(site.tags), [site.rules.row(row) for row in range(len(site.rules))]
    row = rows[site.rule_row(LINK)]
    tag = tags[site.tag_index["works/@gw1"]]
    tags.append(type(tag)("anshao", "broker", "service", "", "status", system=True))
    rows.append(type(row)(len(tags) - 1, "DOWN", row.kind, row.level))
    enterprises = site.enterprises | {"anshao": type(site.enterprises["works"])("anshao", "安哨", "370000")}
    units = site.units | {("anshao", "service"): type(next(iter(site.units.values())))("anshao", "service", "安哨")}
    own = Site(
        regions=site.regions, enterprises=enterprises, units=units, gateways=site.gateways, tags=tags,
        rules=RuleTable.build(rows, len(tags)), revision="story",
    )  # fmt: skip
    book = Book(ledger, own)
    await book.starts(MIDNIGHT)
    await book.moves(MIDNIGHT + HOUR, lost=True, path="anshao/broker/DOWN")
    assert await book.days(MIDNIGHT + 3 * HOUR, 1) == [(HOUR, HOUR)]
    await book.moves(MIDNIGHT + 2 * HOUR, lost=False, path="anshao/broker/DOWN")
    assert await book.days(MIDNIGHT + 3 * HOUR, 1) == [(2 * HOUR, 2 * HOUR)]


async def test_a_gateway_that_was_not_heard_since_the_start_is_known_until_it_was(book: Book) -> None:
    await book.starts(MIDNIGHT)
    now = MIDNIGHT + 3 * HOUR
    assert await book.days(now, 1, heard=0) == [(0, 0)]
    assert await book.days(now, 1, heard=MIDNIGHT + HOUR) == [(HOUR, HOUR)]
    await book.moves(MIDNIGHT + HOUR, lost=True)
    assert await book.days(now, 1, heard=0) == [(3 * HOUR, HOUR)]  # it is lost, whenever it was heard
    await book.moves(MIDNIGHT + 2 * HOUR, lost=False)
    assert await book.days(now, 1, heard=0) == [(2 * HOUR, HOUR)]


# ---- over HTTP


@pytest.fixture
async def service(ledger: Ledger) -> FakeService:
    return FakeService(ledger.engine, make_site())


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def asked(client: Client, path: str) -> Any:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status == 200, await answer.text()
    return await answer.json()


async def test_it_is_told_by_day_for_the_gateways_and_for_all_together(
    client: Client, service: FakeService, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, now = window(NOW, 2)
    book = Book(ledger, watched_site())
    await book.starts(start)
    heard = [{**shown, "status": "online"} for shown in service.gateways()]
    monkeypatch.setattr(service, "gateways", lambda: heard)
    told = EnterpriseOnline.model_validate(await asked(client, "enterprises/huarui/online?days=2"))
    assert (told.enterprise, told.rate, [day.rate for day in told.days]) == ("huarui", 1, [1, 1])
    assert [(day.known_ms, day.online_ms) for day in told.days] == [(DAY, DAY), (now - start - DAY,) * 2]
    assert [(one.gateway, one.name, len(one.days)) for one in told.gateways] == [("gw1", "罐区网关", 2)]
    monkeypatch.setattr(service, "gateways", lambda: [{**shown, "status": "unknown"} for shown in heard])
    told = EnterpriseOnline.model_validate(await asked(client, "enterprises/huarui/online"))
    assert (told.rate, len(told.days), {day.rate for day in told.days}) == (None, 30, {None})
    every = EnterpriseDaysList.model_validate(await asked(client, "online"))
    assert [(one.enterprise, len(one.days)) for one in every.items] == [("huarui", 1), ("heishan", 1)]
    for query in ("region=140000", "enterprise=heishan"):
        one = EnterpriseDaysList.model_validate(await asked(client, f"online?{query}&days=90"))
        assert [(each.enterprise, len(each.days)) for each in one.items] == [("heishan", 90)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("enterprises/nobody/online", 404),
        ("enterprises/anshao/online", 404),
        ("enterprises/huarui/online?days=91", 400),
        ("enterprises/huarui/online?days=0", 400),
        ("enterprises/huarui/online?days=1_0", 400),
        ("online?days=91", 400),
    ],
)
async def test_what_cannot_be_answered_is_refused(client: Client, path: str, status: int) -> None:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status == status
