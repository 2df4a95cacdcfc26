"""The second person of an act, who proves who he is at the console of the first."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from alerting.records import Change
from domain.scales import Grade
from service.accounts import WHOLE_SITE, Role, Scope
from service.accounts.passwords import new_totp_secret
from tests.api_service import HEADERS, NOW, Client, api, sqlite_ledger
from tests.unit.test_alarm_acts import RealActs
from tests.unit.test_api_sessions import GOOD, signed_in

COUNTY = Scope(region="370783")
SECRET = new_totp_secret()
CODE = pyotp.TOTP(SECRET).at(NOW // 1000)
LIMIN = {"name": "limin", "password": GOOD, "act": "silence_sound"}
UNIT = {"scope": "unit", "target": "huarui/tankfarm", "duration": "5min", "name": "王芳", "reason": "on it"}


class Room(RealActs):
    """With a clock that the test moves; a hydrogen sulphide alarm is red."""

    time = NOW

    def now(self) -> int:
        return self.time

    async def turns_red(self) -> int:
        """The incident of it."""
        await self.enters("huarui/GT-101/HH")
        (incident,) = self.real.casebook.open.values()
        incident.grade = Grade.RED
        return incident.id

    async def knows(self, name: str, role: Role = Role.DUTY_OFFICER, scope: Scope = COUNTY) -> None:
        """An account with a password of its own."""
        account, first = await self.account_control.add(name, "李敏", role, "desk", scope)
        await self.account_control.change_password(account, None, first, GOOD)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        room = Room(ledger)
        await room.knows("limin")
        yield room


@pytest.fixture
async def client(room: Room) -> AsyncIterator[Client]:
    async with api(room) as client:
        client.session.headers.update(await signed_in(room, client, Role.DUTY_OFFICER))
        yield client


async def proof(client: Client, **body: Any) -> dict[str, str]:
    """Header of an act that the second person has agreed to."""
    answer = await client.post("/api/v1/session/second", json=LIMIN | body)
    assert answer.status == 200, await answer.text()
    return {"AnShao-Second": (await answer.json())["second"]}


async def silenced(client: Client, header: dict[str, str], **body: Any) -> tuple[int, Any]:
    answer = await client.post("/api/v1/sound/silence", json=UNIT | body, headers=header)
    told = await answer.json()
    return answer.status, told["second"] if answer.status == 200 else told.get("code")


async def test_red_is_silenced_by_two_accounts(room: Room, client: Client) -> None:
    assert await silenced(client, {}, second="李敏") == (200, None), "nothing is red, and nobody has agreed"
    await room.turns_red()
    for header in ({}, {"AnShao-Second": ""}, {"AnShao-Second": "é"}):
        assert await silenced(client, header, second="李敏") == (403, "second_needed")
    agreed = await proof(client, times=2)
    for _ in range(2):
        assert await silenced(client, agreed, second="孙丽") == (200, "李敏"), "whatever was typed"
    assert await silenced(client, agreed) == (403, "second_needed"), "it is used up"
    journal = await (await client.get("/api/v1/journal", headers=HEADERS)).json()
    seconded = next(each for each in journal["items"] if each["kind"] == "session.seconded")
    assert (seconded["actor"], seconded["data"]["by"], seconded["data"]["act"]) == (
        "limin", "wangfang", "silence_sound",
    )  # fmt: skip


async def test_what_a_second_person_has_agreed_to(room: Room, client: Client) -> None:
    await room.turns_red()
    room.accounts.set_totp("limin", SECRET, NOW, Change())
    other = await proof(client, code=CODE, act="withdraw_accident")
    assert await silenced(client, other) == (403, "second_needed"), "something else"
    assert await silenced(client, await proof(client)) == (200, "李敏"), "the password does as well"
    late = await proof(client)
    room.time += 60_000
    assert await silenced(client, late) == (403, "second_needed"), "a minute ago"
    gone = await proof(client)
    room.accounts.disable("limin", "left", "desk", room.time, Change())
    assert await silenced(client, gone) == (403, "second_needed"), "somebody who is in no more"


async def test_a_second_person_is_allowed_the_act_himself(room: Room, client: Client) -> None:
    incident = await room.turns_red()
    (alarm,) = room.real.active
    await room.knows("chief", Role.SUPERVISOR, WHOLE_SITE)
    await room.knows("stranger", scope=Scope(region="140000"))
    await room.knows("plant", Role.ENTERPRISE, Scope(enterprise="huarui"))
    await room.knows("engineer", Role.ENGINEER)
    targets = {"unit": "huarui/tankfarm", "alarm": str(alarm), "desk": "370783"}
    for name in ("stranger", "plant", "engineer", "chief"):
        for scope, target in targets.items():
            told = await silenced(client, await proof(client, name=name), scope=scope, target=target)
            assert told == ((200, "李敏") if name == "chief" else (403, "second_unfit")), (name, scope)

    place = f"/api/v1/incidents/{incident}/accident"
    declared = {"name": "王芳", "accident_class": "IV", "comment": "x"}
    assert (await client.post(place, json=declared, headers=HEADERS)).status == 200
    body = {"name": "王芳", "second": "张强", "reason": "误录"}
    for name, status, code in (("", 403, "second_needed"), ("stranger", 403, "second_unfit"), ("limin", 200, None)):
        signed = await client.post("/api/v1/session/signature", json={"password": GOOD})
        header = {"AnShao-Signature": (await signed.json())["signature"]}
        if name:
            header |= await proof(client, name=name, act="withdraw_accident")
        answer = await client.post(f"{place}/withdraw", json=body, headers=header)
        assert (answer.status, (await answer.json()).get("code")) == (status, code), name
    withdrawn = room.real.casebook.find(incident)
    assert withdrawn.loop.get("accident") is None


async def test_a_token_names_whom_it_names(room: Room, client: Client) -> None:
    incident = await room.turns_red()
    assert await silenced(client, HEADERS) == (409, None)
    assert await silenced(client, HEADERS, second="张强") == (200, "张强")
    unnamed = await client.post(
        f"/api/v1/incidents/{incident}/accident/withdraw", json={"name": "王芳", "reason": "x"}, headers=HEADERS
    )
    assert unnamed.status == 400
    assert (await unnamed.json())["errors"][0]["field"] == "second"
    assert (await client.post("/api/v1/session/second", json=LIMIN, headers=HEADERS)).status == 409


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"password": "wrong"}, 401, "password"),
        ({"name": "nobody"}, 401, "password"),
        ({"name": "left"}, 401, "password"),
        ({"code": "123456"}, 401, "code"),
        ({"name": "nobody", "code": "123456"}, 401, "code"),
        ({"name": " WangFang "}, 400, "name"),
        ({"password": None}, 400, "password"),
        ({"act": "close_incident"}, 400, "act"),
        ({"times": 21}, 400, "times"),
        ({"name": "new"}, 409, None),
    ],
)
async def test_who_has_not_proved_to_be_another_person(
    room: Room, client: Client, body: dict[str, Any], status: int, field: str | None
) -> None:
    await room.knows("left")
    room.accounts.disable("left", "left", "desk", NOW, Change())
    if body.get("name") == "new":
        _, first = await room.account_control.add("new", "新人", Role.DUTY_OFFICER, "desk")
        body = body | {"password": first}
    answer = await client.post("/api/v1/session/second", json=LIMIN | body)
    told = await answer.json()
    assert answer.status == status, told
    assert [each["field"] for each in told.get("errors", ())] == ([] if field is None else [field])
    if status == 401:
        assert told["detail"] == "the name, the password or the code is wrong", "whether there is such an account"


async def test_guesses_are_held_off_as_at_signing_in(client: Client) -> None:
    for _ in range(5):
        answer = await client.post("/api/v1/session/second", json=LIMIN | {"password": "wrong"})
        assert answer.status == 401
    answer = await client.post("/api/v1/session/second", json=LIMIN)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1
    by = await client.post("/api/v1/session", json={"name": "limin", "password": GOOD})
    assert by.status == 429, "one count for both"
