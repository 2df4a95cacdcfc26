"""Messages, codes, channels, contacts, rosters, plans and cards over the API, on the real parts behind it."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from alerting.notify.message import MessageState
from alerting.response.book import Channel
from alerting.response.rosters import Roster, Shift
from domain.clock import iso
from service.api import messages_models, models, response_models
from service.api.app import CONTEXT
from service.api.contact_files import CSV, XLSX
from service.api.throttle import Throttle
from tests.api_service import HEADERS, Client, FakeService, api
from tests.office import DUTY, OPERATOR, Office, office, receiver
from tests.watched_unit import make_site

HOUR = 3_600_000
ROSTER = Roster(
    "county-duty",
    "duty",
    date(2025, 1, 1),
    (Shift("day", "白班", 8 * HOUR, 20 * HOUR), Shift("night", "夜班", 20 * HOUR, 8 * HOUR)),
    (("wang",), ("op",)),
    region="370783",
)


@asynccontextmanager
async def serving(folder: Path, url: str) -> AsyncIterator[tuple[Office, Client]]:
    """An office behind the API, with one channel."""
    channel = Channel("county", "webhook", f"{url}/{{phone}}", name="短信", secret="whsec_12345678")
    old = replace(OPERATOR, updated=None)
    fresh = replace(DUTY, updated=date(2025, 6, 10))
    async with office(folder, channel, contacts=(old, fresh), rosters={"county-duty": ROSTER}) as at:
        service = FakeService(at.ledger.engine, make_site())
        service.response, service.outbox, service.clock = at.response, at.outbox, at.clock  # type: ignore[assignment]
        service.act = at.act  # type: ignore[method-assign]
        async with api(service) as client:
            client.session.headers.update(HEADERS)
            yield at, client


async def get(client: Client, path: str, **query: Any) -> Any:
    answer = await client.get(f"/api/v1{path}", params=query)
    body = await answer.json()
    assert answer.status == 200, body
    return body


async def post(client: Client, path: str, body: Any, status: int = 200) -> Any:
    answer = await client.post(f"/api/v1{path}", json=body)
    found = await answer.json()
    assert answer.status == status, found
    return found


async def test_messages_their_tries_and_their_receipts(tmp_path: Path) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (at, client):
        incident = await at.raises("PI-1/HH")
        for number in range(2):
            await at.comes_to(MessageState.DELIVERED, number=number)
        page = await get(client, "/messages", incident=incident)
        found = messages_models.MessagePage.model_validate(page)
        assert [(message.contact, message.state) for message in found.items] == [
            ("wang", MessageState.DELIVERED),
            ("op", MessageState.DELIVERED),
        ]
        assert (await get(client, "/messages", contact="op", limit=1))["items"][0]["contact"] == "op"
        assert (await get(client, "/messages", undelivered="true"))["items"] == []
        detail = messages_models.MessageDetail.model_validate(await get(client, "/messages/1"))
        assert [row.ok for row in detail.tries] == [True]
        code = county.bodies[0]["data"]["code"]
        assert "确认码：••••" in detail.text
        assert code not in detail.text
        assert (await post(client, "/messages/1/receipt", {"state": "read"}))["state"] == "read"
        again = await post(client, "/messages/1/receipt", {"state": "delivered"}, 409)
        assert "read already" in again["detail"]
        await post(client, "/messages/99/receipt", {"state": "read"}, 404)
        answer = await client.get("/api/v1/messages/99")
        assert answer.status == 404


async def test_a_code_acknowledges_without_a_token_once(tmp_path: Path) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (at, client):
        incident = await at.raises("PI-1/HH")
        for number in range(2):
            await at.comes_to(MessageState.DELIVERED, number=number)
        codes = {body["data"]["contact"]: body["data"]["code"] for body in county.bodies}
        del client.session.headers["Authorization"]
        body = {"code": codes["wang"].lower().replace("-", ""), "name": "王芳"}
        used = await post(client, "/acknowledge-code", body)
        assert used == {"incident": incident, "side": "desk", "acknowledged": True}
        assert at.register.incidents[incident].desk_acknowledged_by == "王芳"
        assert "used already" in (await post(client, "/acknowledge-code", body, 409))["detail"]
        at.clock.time += 86_400_000
        expired = await post(client, "/acknowledge-code", {"code": codes["op"], "name": "李工"}, 409)
        assert "expired" in expired["detail"]
        assert at.register.incidents[incident].enterprise_acknowledged_at is None


async def test_wrong_codes_are_refused_ever_more_firmly(tmp_path: Path) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (at, client):
        await at.raises("PI-1/H")
        await at.comes_to(MessageState.DELIVERED)
        right = {"code": county.bodies[0]["data"]["code"], "name": "李工"}
        for number in range(10):
            wrong = (
                {"code": f"0000-0000-000{number:02}", "name": "某人"} if number % 2 else {"code": "?", "name": "某人"}
            )
            await post(client, "/acknowledge-code", wrong, 404)
        answer = await client.post("/api/v1/acknowledge-code", json=right)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
        at.clock.time += 60_000
        await post(client, "/acknowledge-code", right)


async def test_a_right_code_works_however_many_wrong_ones_others_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("service.api.messages.sleep", sleep)
    async with receiver() as county, serving(tmp_path, county.url) as (at, client):
        await at.raises("PI-1/H")
        await at.comes_to(MessageState.DELIVERED)
        right = {"code": county.bodies[0]["data"]["code"], "name": "李工"}
        throttle = client.app[CONTEXT].wrong_codes
        for number in range(1_000):
            throttle.count(f"203.0.113.{number % 250}", at.clock.time)
        await post(client, "/acknowledge-code", right)
    assert slept == [1.0]


def test_a_throttle_refuses_an_address_and_slows_all_together() -> None:
    throttle = Throttle(2, 3, 1_000, 70)
    for address in ("a", "a", "b"):
        assert (throttle.wait(address, 0), throttle.delay(0)) == (0, 0)
        throttle.count(address, 0)
    assert throttle.wait("a", 400) == 600
    assert throttle.wait("b", 400) == throttle.wait("c", 400) == 0
    assert throttle.delay(999) == 70
    assert throttle.wait("a", 1_000) == throttle.delay(1_000) == 0


def test_a_throttle_refuses_for_no_longer_than_its_time() -> None:
    throttle = Throttle(2, 3, 1_000, 70)
    for at in (0, 400, 900):
        throttle.count("a", at)
    assert throttle.wait("a", 950) == 450
    assert throttle.wait("a", 1_400) == 0


def test_a_throttle_forgets_an_address_whose_time_is_over_before_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.throttle.MOST_ADDRESSES", 2)
    throttle = Throttle(1, 10, 1_000, 70)
    throttle.count("a", 0)
    assert throttle.wait("a", 1_000) == 0
    throttle.count("b", 1_000)
    throttle.count("c", 1_000)
    assert throttle.wait("b", 1_500) == throttle.wait("c", 1_500) == 500


async def test_channels_and_their_test(tmp_path: Path) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (at, client):
        await at.raises("PI-1/H")
        await at.comes_to(MessageState.DELIVERED)
        tested = await post(client, "/channels/county/test", {"name": "王芳", "to": "13800001111"})
        assert (tested["ok"], tested["error"]) == (True, None)
        (channel,) = (await get(client, "/channels"))["items"]
        assert messages_models.Channel.model_validate(channel).sent == 2
        assert channel["tested_at"] == iso(at.clock.now())
        assert county.url not in str(channel)
        await post(client, "/channels/pigeon/test", {"name": "王芳"}, 404)


async def test_contacts_rosters_plans_and_cards(tmp_path: Path) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (_, client):
        contacts = response_models.ContactPage.model_validate(await get(client, "/contacts"))
        assert [(contact.id, contact.stale, contact.side) for contact in contacts.items] == [
            ("op", True, "enterprise"),
            ("wang", False, "desk"),
        ]
        first = await get(client, "/contacts", limit=1)
        assert (await get(client, "/contacts", limit=1, after=first["next"]))["items"][0]["id"] == "wang"
        assert [each["id"] for each in (await get(client, "/contacts", stale="true"))["items"]] == ["op"]
        assert [each["id"] for each in (await get(client, "/contacts", region="370000"))["items"]] == ["op", "wang"]
        assert [each["id"] for each in (await get(client, "/contacts", post="duty"))["items"]] == ["wang"]
        rosters = response_models.RosterList.model_validate(
            await get(client, "/rosters", at="2025-06-16T21:00:00+08:00")
        )
        (roster,) = rosters.items
        assert roster.turns[0].shift == "night"
        assert len(roster.turns) == 15
        assert [contact.id for contact in roster.on_duty] == roster.turns[0].contacts
        plans = response_models.PlanList.model_validate(await get(client, "/plans"))
        assert [plan.grades for plan in plans.items][-1] == ["command"]
        cards = response_models.CardList.model_validate(await get(client, "/cards"))
        assert len(cards.items) == 10
        card = response_models.Card.model_validate(await get(client, "/cards/h2s"))
        assert card.text.startswith("# 硫化氢泄漏")
        assert (await client.get("/api/v1/cards/nothing")).status == 404


async def test_the_response_to_an_incident(tmp_path: Path) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (at, client):
        incident = await at.raises("PI-1/HH", "AT-1/HH")
        body = await get(client, f"/incidents/{incident}/response")
        found = response_models.IncidentResponse.model_validate(body)
        assert (found.tier, found.tier_name, found.plan, found.acknowledged_by) == (4, "red", "default-red", "both")
        assert found.acknowledge_by == iso(at.clock.now() + 120_000)
        assert set(found.cards) == {"overpressure", "h2s"}
        alarm = min(at.register.active)
        assert [card["id"] for card in (await get(client, f"/alarms/{alarm}/cards"))["items"]]
        (call,) = (await get(client, "/call-backs", open="true"))["items"]
        assert response_models.CallBack.model_validate(call).incident == incident
        done = await post(client, f"/call-backs/{call['id']}/done", {"name": "王芳", "comment": "已撤离"})
        assert (done["done_by"], done["comment"]) == ("王芳", "已撤离")
        again = await post(client, f"/call-backs/{call['id']}/done", {"name": "李强"}, 409)
        assert "by 王芳" in again["detail"]
        await post(client, "/call-backs/9999/done", {"name": "李强"}, 404)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_the_directory_goes_out_as_a_file_and_its_changes_are_looked_at(tmp_path: Path, form: str) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (_, client):
        answer = await client.get("/api/v1/contacts/export", params={"format": form})
        assert answer.status == 200
        content = await answer.read()
        assert f"contacts.{form}" in answer.headers["Content-Disposition"]
        kind = {"Content-Type": CSV if form == "csv" else XLSX}
        answer = await client.post("/api/v1/contacts/check", data=content, headers=kind)
        looked = response_models.ContactCheck.model_validate(await answer.json())
        assert (looked.contacts, looked.added, looked.changed, looked.removed, looked.faults) == (2, [], [], [], [])
        if form == "csv":
            edited = content.decode("utf-8-sig").replace("13900000000", "13911111111").replace("op,", "op2,")
            content = edited.encode()
        else:
            book = openpyxl.load_workbook(io.BytesIO(content))
            sheet = book.worksheets[0]
            sheet["A2"], sheet["H3"] = "op2", "13911111111"
            packed = io.BytesIO()
            book.save(packed)
            content = packed.getvalue()
        answer = await client.post("/api/v1/contacts/check", data=content, headers=kind)
        looked = response_models.ContactCheck.model_validate(await answer.json())
        assert (looked.added, looked.changed, looked.removed) == (["op2"], ["wang"], ["op"])


async def test_a_table_that_cannot_be_looked_at_is_a_problem(tmp_path: Path) -> None:
    async with receiver() as county, serving(tmp_path, county.url) as (_, client):
        for kind, content, status in (
            ("application/json", b"{}", 415),
            (CSV, io.BytesIO(b"x" * 5_000_001), 413),
        ):
            answer = await client.post("/api/v1/contacts/check", data=content, headers={"Content-Type": kind})
            assert answer.status == status
            models.Problem.model_validate(await answer.json())
        answer = await client.post("/api/v1/contacts/check", data=b"", headers={"Content-Type": XLSX})
        (fault,) = response_models.ContactCheck.model_validate(await answer.json()).faults
        assert "not a workbook" in fault.message
        assert (await client.get("/api/v1/contacts/export", params={"format": "pdf"})).status == 400
