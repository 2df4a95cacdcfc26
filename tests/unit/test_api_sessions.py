"""Signing in over HTTP: the cookie, what an act of a page must show, roles, and who may do what at every address."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pyotp
import pytest
from aiohttp import WSServerHandshakeError
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from service.accounts import ApiToken, Role
from service.accounts.account import LASTS
from service.accounts.book import digest_of
from service.api.access import BEFORE_THE_PASSWORD, OPEN, ROLES, SIGNED
from service.api.live import LiveHub
from service.api.openapi import document
from service.api.routes import address_of
from tests.api_service import NOW, Client, FakeService, api, sqlite_ledger
from tests.hostile_requests import KNOWN

GOOD, OTHER = "three calm herons", "four calm herons"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    async with sqlite_ledger(tmp_path, 30) as (ledger, _):
        yield FakeService(ledger.engine)


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        yield client


async def signed_in(service: FakeService, client: Client, role: Role, name: str = "wangfang") -> dict[str, str]:
    """Sign a new account in; returns the header for its acts."""
    account, first = await service.account_control.add(name, "王芳", role, "desk")
    await service.account_control.change_password(account, None, first, GOOD)
    answer = await client.post("/api/v1/session", json={"name": name, "password": GOOD})
    assert answer.status == 200, await answer.text()
    return {"AnShao-CSRF": (await answer.json())["csrf"]}


async def test_signing_in_sets_a_cookie_that_only_the_browser_reads(service: FakeService, client: Client) -> None:
    header = await signed_in(service, client, Role.DUTY_OFFICER)
    answer = await client.post("/api/v1/session", json={"name": "wangfang", "password": GOOD})
    cookie = answer.cookies["anshao_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Strict", "/", "")
    assert int(cookie["max-age"]) == LASTS[Role.DUTY_OFFICER] // 1000
    assert cookie.value not in await answer.text()
    told = await (await client.get("/api/v1/session")).json()
    assert (told["name"], told["role"], told["account"]["display_name"]) == ("wangfang", "duty_officer", "王芳")
    assert "password" not in told["account"]
    assert {operation: Role.DUTY_OFFICER in roles for operation, roles in ROLES.items()} == {
        operation: operation in told["may"] for operation in ROLES
    }
    secure = await client.post(
        "/api/v1/session", json={"name": "wangfang", "password": GOOD}, headers={"X-Forwarded-Proto": "https"}
    )
    assert secure.cookies["anshao_session"]["secure"]
    assert header["AnShao-CSRF"] != cookie.value


async def test_an_act_of_a_session_shows_what_only_its_page_can_read(service: FakeService, client: Client) -> None:
    header = await signed_in(service, client, Role.DUTY_OFFICER)
    act: dict[str, Any] = {"json": {"name": "王芳", "comment": ""}}
    for wrong in ({}, {"AnShao-CSRF": ""}, {"AnShao-CSRF": "x"}, {"AnShao-CSRF": "é"}):
        answer = await client.post("/api/v1/alarms/1/acknowledge", headers=wrong, **act)
        assert answer.status == 403
        assert "reload" in (await answer.json())["detail"]
    assert (await client.delete("/api/v1/session")).status == 403
    assert not service.acts
    assert (await client.post("/api/v1/alarms/1/acknowledge", headers=header, **act)).status == 200
    assert service.acts == [("acknowledge", 1, "wangfang", "王芳", "")], "the journal names the account"


async def test_a_signed_act_asks_for_the_password_again(service: FakeService, client: Client) -> None:
    header = await signed_in(service, client, Role.SUPERVISOR)
    told = await (await client.get("/api/v1/session")).json()
    assert set(told["signed"]) == {name for name in SIGNED if Role.SUPERVISOR in ROLES[name]}
    act: dict[str, Any] = {"json": {"name": "王芳", "accepted": True}}
    place = "/api/v1/incidents/1/review"
    for given in ({}, {"AnShao-Signature": ""}, {"AnShao-Signature": "é"}):
        answer = await client.post(place, headers=header | given, **act)
        assert answer.status == 403
        assert (await answer.json())["code"] == "signature_needed"
    for body, status in (({}, 400), ({"password": "wrong"}, 401), ({"code": "123456"}, 401), ({"password": GOOD}, 200)):
        answer = await client.post("/api/v1/session/signature", json=body, headers=header)
        assert answer.status == status, body
    signature = {"AnShao-Signature": (await answer.json())["signature"]}
    first = await client.post(place, headers=header | signature, **act)
    assert first.status != 403, await first.text()
    assert (await client.post(place, headers=header | signature, **act)).status == 403, "it counts once"
    by_token = await client.post(place, headers={"Authorization": "Bearer another"}, **act)
    assert by_token.status != 403, "a program signs by its token"


async def test_who_is_signed_in_signs_with_no_other_name(service: FakeService, client: Client) -> None:
    header = await signed_in(service, client, Role.DUTY_OFFICER)
    await client.post("/api/v1/alarms/1/acknowledge", headers=header, json={"name": "李强"})
    assert service.acts == [("acknowledge", 1, "wangfang", "王芳", "")]


async def test_signing_out_ends_the_session_and_not_only_the_cookie(service: FakeService, client: Client) -> None:
    header = await signed_in(service, client, Role.VIEWER)
    token = client.session.cookie_jar.filter_cookies(client.make_url("/"))["anshao_session"].value
    assert (await client.delete("/api/v1/session", headers=header)).status == 200
    assert not client.session.cookie_jar.filter_cookies(client.make_url("/"))
    stolen = await client.get("/api/v1/alarms", headers={"Cookie": f"anshao_session={token}"})
    assert stolen.status == 401
    assert "sign in" in (await stolen.json())["detail"]


async def test_refusals_of_signing_in(service: FakeService, client: Client) -> None:
    await signed_in(service, client, Role.DUTY_OFFICER)
    for _ in range(5):
        answer = await client.post("/api/v1/session", json={"name": "wangfang", "password": "wrong"})
        assert answer.status == 401
    answer = await client.post("/api/v1/session", json={"name": "wangfang", "password": GOOD})
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1


async def test_behind_a_proxy_whoever_guesses_holds_off_himself(service: FakeService) -> None:
    async with api(service, proxies=("127.0.0.1",)) as client:
        await signed_in(service, client, Role.DUTY_OFFICER)
        for attempt in range(60):
            forged = {"X-Forwarded-For": f"10.0.0.{attempt}, 10.0.0.66"}  # the last is the proxy's own
            answer = await client.post("/api/v1/session", json={"name": f"n{attempt}", "password": "x"}, headers=forged)
        assert answer.status == 429
        own = {"X-Forwarded-For": "10.0.0.7"}
        answer = await client.post("/api/v1/session", json={"name": "wangfang", "password": GOOD}, headers=own)
        assert answer.status == 200


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        ((), ["10.0.0.1"], "127.0.0.1"),
        (("10.0.0.9",), ["10.0.0.1"], "127.0.0.1"),
        (("127.0.0.1",), [], "127.0.0.1"),
        (("127.0.0.1",), ["6.6.6.6, 10.0.0.1"], "10.0.0.1"),
        (("127.0.0.1",), ["6.6.6.6", "10.0.0.1"], "10.0.0.1"),
        (("127.0.0.1", "10.0.0.9"), ["6.6.6.6, FD00:0::1, 10.0.0.9"], "fd00::1"),
        (("127.0.0.1", "10.0.0.9"), ["10.0.0.9"], "10.0.0.9"),
        (("127.0.0.1",), ["10.0.0.1, <b>"], "127.0.0.1"),
    ],
)
def test_the_address_before_known_proxies(proxies: tuple[str, ...], told: list[str], address: str) -> None:
    headers = CIMultiDict([("X-Forwarded-For", one) for one in told])
    request = make_mocked_request("POST", "/", headers).clone(remote="127.0.0.1")
    assert address_of(request, proxies) == address


async def test_a_password_that_was_given_out_is_changed_first(service: FakeService, client: Client) -> None:
    _, first = await service.account_control.add("wangfang", "王芳", Role.ENGINEER, "desk")
    answer = await client.post("/api/v1/session", json={"name": "wangfang", "password": first})
    told = await answer.json()
    assert told["account"]["must_change"] is True
    header = {"AnShao-CSRF": told["csrf"]}
    refused = await client.get("/api/v1/alarms")
    assert refused.status == 403
    assert "change it first" in (await refused.json())["detail"]
    with pytest.raises(WSServerHandshakeError) as closed:
        await client.ws_connect("/api/v1/live")
    assert closed.value.status == 403
    weak = await client.post("/api/v1/session/password", json={"password": first, "new_password": "x"}, headers=header)
    assert weak.status == 400
    assert (await weak.json())["errors"][0]["field"] == "new_password"
    body = {"password": first, "new_password": OTHER}
    assert (await client.post("/api/v1/session/password", json=body, headers=header)).status == 200
    assert (await client.get("/api/v1/alarms")).status == 200, "this session goes on"


async def test_one_time_codes(service: FakeService, client: Client) -> None:
    header = await signed_in(service, client, Role.SUPERVISOR)
    offered = await client.post("/api/v1/session/codes", json={"password": GOOD}, headers=header)
    code = pyotp.TOTP((await offered.json())["secret"]).at(NOW // 1000)
    confirmed = await client.post("/api/v1/session/codes/confirm", json={"code": code}, headers=header)
    assert (await confirmed.json())["codes"] is True
    answer = await client.post("/api/v1/session", json={"name": "wangfang", "password": GOOD})
    assert answer.status == 401
    assert (await answer.json())["errors"][0]["field"] == "code"


async def test_the_live_feed_takes_the_cookie_and_no_page_of_another_site(service: FakeService, client: Client) -> None:
    await signed_in(service, client, Role.VIEWER)
    origin = str(client.make_url("/")).rstrip("/")
    async with client.ws_connect("/api/v1/live", headers={"Origin": origin}) as socket:
        assert (await socket.receive_json())["type"] == "hello"
    with pytest.raises(WSServerHandshakeError) as closed:
        await client.ws_connect("/api/v1/live", headers={"Origin": "http://evil.example"})
    assert closed.value.status == 403


async def test_a_disabled_account_is_out_at_once(service: FakeService) -> None:
    hub = LiveHub(service)
    async with api(service, hub) as client:
        await signed_in(service, client, Role.DUTY_OFFICER)
        socket = await client.ws_connect("/api/v1/live")
        assert (await socket.receive_json())["type"] == "hello"
        assert (await socket.receive_json())["type"] == "health"
        header = {"Authorization": "Bearer another"}
        answer = await client.post("/api/v1/accounts/wangfang/disable", json={"reason": "left"}, headers=header)
        assert (await answer.json())["disabled_at"] is not None
        assert (await client.get("/api/v1/alarms")).status == 401
        hub.publish_health(service.health())
        await socket.receive(timeout=10)
        assert socket.close_code == 4001


async def test_administrators_and_accounts(service: FakeService, client: Client) -> None:
    service.tokens.append(ApiToken("old", digest_of("old"), expires_at=NOW))
    service.tokens.append(ApiToken("display", digest_of("display"), Role.VIEWER, expires_at=NOW + 1))
    expired = await client.get("/api/v1/alarms", headers={"Authorization": "Bearer old"})
    assert expired.status == 401
    assert "expired" in (await expired.json())["detail"]
    display = {"Authorization": "Bearer display"}
    assert (await client.get("/api/v1/alarms", headers=display)).status == 200
    assert (await client.get("/api/v1/accounts", headers=display)).status == 403

    administrator = {"Authorization": "Bearer another"}
    body = {"name": "LiQiang", "display_name": "李强", "role": "supervisor"}
    made = await (await client.post("/api/v1/accounts", json=body, headers=administrator)).json()
    assert made["account"]["name"] == "liqiang"
    assert (await client.post("/api/v1/accounts", json=body, headers=administrator)).status == 409
    bad = await client.post("/api/v1/accounts", json=body | {"name": "李 强"}, headers=administrator)
    assert bad.status == 400
    listed = await (await client.get("/api/v1/accounts", headers=administrator)).json()
    assert [each["name"] for each in listed["items"]] == ["liqiang"]
    answer = await client.post("/api/v1/session", json={"name": "liqiang", "password": made["first_password"]})
    assert answer.status == 200
    own = await client.post("/api/v1/session/codes", json={"password": "x"}, headers=administrator)
    assert own.status == 409, "a token has no account"


# ---- who may do what

OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}


def test_every_operation_says_who_may() -> None:
    assert set(ROLES) | OPEN >= set(OPERATIONS), "say in service/api/access.py who may"
    assert set(ROLES) | OPEN <= set(OPERATIONS), "there is no such operation any more"
    assert ROLES.keys().isdisjoint(OPEN)
    assert {name for name, (_, _, operation) in OPERATIONS.items() if operation.get("security") == []} == OPEN
    for name, roles in ROLES.items():
        assert Role.ADMINISTRATOR in roles, name


def test_a_wall_screen_only_looks() -> None:
    acts = {name for name, (method, _, _) in OPERATIONS.items() if method != "GET"} - BEFORE_THE_PASSWORD - OPEN
    assert not {name for name in acts if Role.VIEWER in ROLES[name]}


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_at_every_address(service: FakeService, client: Client, role: Role) -> None:
    """What a role may not do is refused before anything is read of the request; what it may, is not refused as such."""
    service.tokens.append(ApiToken("tried", digest_of("tried"), role))
    header = {"Authorization": "Bearer tried"}
    for name, (method, path, _) in OPERATIONS.items():
        if name in OPEN or name == "live":
            continue
        address = path.format(**KNOWN)
        answer = await client.request(method, address, headers=header, json=None if method == "GET" else {"x": 1})
        if role in ROLES[name]:
            assert answer.status != HTTPStatus.FORBIDDEN, name
            assert answer.status != HTTPStatus.UNAUTHORIZED, name
        else:
            assert answer.status == HTTPStatus.FORBIDDEN, name
            assert role.value in (await answer.json())["detail"]
