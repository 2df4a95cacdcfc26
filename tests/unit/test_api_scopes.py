"""Who is bound to a region or an enterprise sees exactly that: at every operation, in every list, on the live feed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert
from yarl import URL

from alerting.desks.drills import Drill
from alerting.ledger.alarms_schema import maintenance, shelf, silence
from alerting.ledger.changes_schema import rule_change
from alerting.ledger.desks_schema import drill, handover
from alerting.ledger.ledger import Refused
from alerting.ledger.response_schema import call_back, message
from alerting.ledger.schema import attachment
from alerting.ledger.siteplans_schema import site_plan
from alerting.records import Change, Suppression
from alerting.response.contacts import Contact
from domain.scales import AlarmState, RuleKind
from domain.site import Enterprise
from service.accounts import ApiToken, Role, Scope
from service.accounts.book import digest_of
from service.api.access import KEEPS, OPEN, ROLES, Keeps
from service.api.live import LiveHub
from service.api.reach import reach_of
from service.api.scopes import seen_page
from service.api.searching import MOST_PLACES
from service.changes.change import ChangedRule, RuleChange
from service.changes.states import ChangeState
from service.config.tuned import Figures
from tests.api_service import (
    HEADERS,
    NOW,
    Client,
    FakeService,
    api,
    append,
    make_alarm,
    make_incident,
    make_site,
    sqlite_ledger,
)
from tests.unit.test_api_sessions import OPERATIONS

COUNTY, ENTERPRISE = Scope(region="370783"), Scope(enterprise="huarui")
SCOPES = pytest.mark.parametrize("scope", [COUNTY, ENTERPRISE], ids=["county", "enterprise"])
OTHER = ("heishan", "黑山", "1201", "CH4-1", "T-00", "140000")
"""What tells of the other enterprise."""
INSIDE, OUTSIDE = 101, 102
"""Ids of a row of each kind that is made here: the one is huarui's, the other heishan's."""
DESKS = {INSIDE: "370783", OUTSIDE: "140000"}
PEOPLE = ("huarui", "heishan")
TAGS = {INSIDE: "GT-101", OUTSIDE: "CH4-1"}


def both(enterprise: int) -> tuple[str, str]:
    """Id of an enterprise and of a unit of it."""
    return ("huarui", "tankfarm") if enterprise == INSIDE else ("heishan", "face")


def rows(identity: int) -> list[tuple[Table, dict[str, Any]]]:
    """One row of everything that is some enterprise's."""
    enterprise, unit = both(identity)
    figures = Figures(1.0)
    rule = ChangedRule(f"{enterprise}/X/H", RuleKind.HIGH, unit, "", "", figures, figures, ())
    change = RuleChange(identity, ChangeState.PROPOSED, enterprise, "a", "r", NOW, NOW, 1, (rule,))
    said = {"subject": enterprise, "text": enterprise, "contact": "c", "name": "n", "side": "desk", "reason": "new"}
    own = {"enterprise": enterprise, "region": DESKS[identity]}
    return [
        (attachment, {"id": identity, "incident": identity, "name": f"{enterprise}.pdf", "type": "application/pdf",
                      "size": 1, "sha256": "0" * 64, "by": "x", "at": NOW}),
        (message, {"id": identity, "incident": identity, "grade": 3, "tier": 1, "step": 0, "language": "zh-CN",
                   "routes": [], "route": 0, "state": "queued", "tries": 0, "attempts": 0, "created_at": NOW,
                   "expires_at": NOW, **said}),
        (call_back, {"id": identity, "incident": identity, "made_at": NOW, "due_at": NOW, "overdue": False,
                     "comment": enterprise}),
        (maintenance, {"id": identity, "scope": "unit", "target": unit, "begins_at": NOW, "ends_at": NOW + 1,
                       "reason": "r", "name": "n", "state": "announced", "announced_at": NOW, **own}),
        (shelf, {"path": f"{enterprise}/X/H", "unit": unit, "tag": "X", "rule": "H", "alarm": identity,
                 "shelved_at": NOW, "until": NOW + 1, "reason": "r", "name": "n", **own}),
        (silence, {"id": identity, "scope": "unit", "target": f"{enterprise}/{unit}", "regions": [],
                   "silenced_at": NOW, "until": NOW + 1, "reason": "r", "name": "n"}),
        (silence, {"id": identity + 10, "scope": "alarm", "target": str(identity), "regions": [],
                   "silenced_at": NOW, "until": NOW + 1, "reason": enterprise, "name": "n"}),
        (silence, {"id": identity + 20, "scope": "desk", "target": DESKS[identity], "regions": [],
                   "silenced_at": NOW, "until": NOW + 1, "reason": "r", "name": "n"}),
        (rule_change, change.row()),
        (handover, {"id": identity, "desk": DESKS[identity], "made_at": NOW, "outgoing": enterprise, "notes": "",
                    "captured": "{}", "digest": "d"}),
        (drill, {"id": identity, "scenario": "s", "name": enterprise, "units": [f"{enterprise}/{unit}"],
                 "circle": [], "leader": "l", "plan": {}, "began_at": NOW, "due_at": NOW, "ended_at": NOW}),
        (site_plan, {"id": identity, "enterprise": enterprise, "unit": unit, "title": enterprise, "type": "image/png",
                     "size": 1, "sha256": "0" * 64, "width": 1, "height": 1, "by": "x", "at": NOW, "version": 1}),
    ]  # fmt: skip


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    """Each list has something of both enterprises, and rows 101 and 102 of everything are the one's and the other's."""
    async with sqlite_ledger(tmp_path, 30) as (ledger, kept):
        service = FakeService(ledger.engine)
        change = Change()
        for identity in (INSIDE, OUTSIDE):
            enterprise, unit = both(identity)
            own = {"enterprise": enterprise, "unit": unit, "region": DESKS[identity]}
            known = make_alarm(identity, service.site, **own, tag="X", rule="H", state=AlarmState.ACKNOWLEDGED,
                               suppression=Suppression.SHELVED, incident=identity)  # fmt: skip
            change.alarms[identity] = known
            change.incidents[identity] = make_incident(identity, service.site, **own, closed_at=None)
            change.entries.append(append(kept, known))
            for desk_entry in (
                kept.append(NOW, "flood.began", "anshao", {"desk": DESKS[identity]}),
                kept.append(NOW, "config.revised", "anshao", {"why": enterprise}),
            ):
                change.entries.append(desk_entry)
        refused = [Refused(NOW, name, "gw", f"anshao/v1/{name}/gw/data", "unreadable", "", "{}", 2) for name in PEOPLE]
        await ledger.commit(change, refused)
        async with ledger.engine.begin() as connection:
            for table, row in [*rows(INSIDE), *rows(OUTSIDE)]:
                await connection.execute(insert(table).values(row))
        service.committed = kept.sequence
        people = [Contact(name, name, "duty", enterprise=name) for name in PEOPLE]
        people.append(Contact("shandong", "省值班员", "duty", "370000"))
        people.append(Contact("shanxi", "黑山值班员", "duty", "140000"))
        service.response.book = replace(service.response.book, contacts={one.id: one for one in people})
        yield service


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        yield client


def caller(service: FakeService, role: Role, scope: Scope) -> dict[str, str]:
    """Header of a token of that role and scope."""
    service.tokens.append(ApiToken("tried", digest_of("tried"), role, scope=scope))
    return {"Authorization": "Bearer tried"}


def address(path: str, identity: int) -> str:
    """Where an operation finds a row."""
    enterprise, _ = both(identity)
    named = DESKS[identity] if "desks" in path else identity
    return path.format(id=named, enterprise=enterprise, tag=TAGS[identity], number=1, name="site.yaml")


QUERIES = {
    "get_watch": "desk={desk}",
    "list_watch_alarms": "desk={desk}&group=standing",
    "list_tuning_rules": "enterprise={enterprise}&unit={unit}",
    "list_site_plans": "enterprise={enterprise}",
    "add_site_plan": "enterprise={enterprise}&title=x&name=x",
}
"""What an operation is asked where the path does not say whose it is."""


def query(name: str, identity: int) -> str:
    enterprise, unit = both(identity)
    return QUERIES.get(name, "").format(desk=DESKS[identity], enterprise=enterprise, unit=unit)


def test_every_operation_says_how_it_keeps_to_what_is_seen() -> None:
    assert set(KEEPS) >= set(ROLES), "say in service/api/access.py how it keeps to its caller's enterprises"
    assert set(KEEPS) <= set(ROLES), "there is no such operation any more"
    for name, (_, path, _) in OPERATIONS.items():
        if name not in OPEN and "{id}" in path:
            assert KEEPS[name] not in {Keeps.NOTHING, Keeps.ITSELF} or name in NOBODYS, name


NOBODYS = {"get_card", "test_channel", "link_incident"}
"""Operations with an id that is no enterprise's; and one whose two incidents its handler looks at."""


@SCOPES
@pytest.mark.parametrize("role", list(Role))
async def test_every_operation_inside_and_outside(
    service: FakeService, client: Client, role: Role, scope: Scope
) -> None:
    header = caller(service, role, scope)
    seen: dict[Keeps, int] = dict.fromkeys(Keeps, 0)
    for name, (method, path, _) in OPERATIONS.items():
        if name in OPEN or name == "live" or role not in ROLES[name]:
            continue
        keeps = KEEPS[name]
        seen[keeps] += 1
        for identity in (INSIDE, OUTSIDE):
            answer = await client.request(
                method, address(path, identity), headers=header, params=query(name, identity),
                json=None if method == "GET" else {"x": 1},
            )  # fmt: skip
            text = (await answer.read()).decode(errors="replace")
            place = f"{name} {identity}: {answer.status} {text[:300]}"
            if keeps is Keeps.WHOLE_SITE:
                assert answer.status == 403, place
            elif keeps in {Keeps.NOTHING, Keeps.ITSELF}:
                assert answer.status not in {401, 403}, place
            elif identity == OUTSIDE or (keeps in {Keeps.DESK, Keeps.HANDOVER} and scope is ENTERPRISE):
                assert answer.status == 404, place
                assert "beyond what you see" in text, place
                assert not [word for word in OTHER if word in text], place
            else:
                assert answer.status not in {401, 403, 500}, place
                assert "beyond what you see" not in text, place
    assert role is not Role.ADMINISTRATOR or min(seen.values()) > 0, "each way of keeping is tried"


LISTS = {name for name, (method, _, _) in OPERATIONS.items() if method == "GET" and KEEPS.get(name) is Keeps.ITSELF} - {
    "live", "get_kpi_report", "get_kpi_table", "get_key_figures", "get_bad_actors", "list_drill_scenarios",
    "export_contacts", "list_rosters",
}  # fmt: skip
"""Those that have something of both enterprises here; the others have tests of their own."""
ASKED = {"search": "text=1"}


@pytest.mark.parametrize("name", sorted(LISTS))
async def test_every_list_ends_with_what_is_seen(service: FakeService, client: Client, name: str) -> None:
    path = OPERATIONS[name][1]
    texts = []
    for scope in (Scope(), COUNTY, ENTERPRISE):
        service.tokens.clear()
        header = caller(service, Role.SUPERVISOR, scope)
        answer = await client.get(path, headers=header, params=ASKED.get(name, ""))
        texts.append(await answer.text())
        assert answer.status == 200, texts[-1]
    whole, county, own = texts
    assert [word for word in OTHER if word in whole], "the test has nothing to find"
    for text in (county, own):
        assert not [word for word in OTHER if word in text], text
    if name != "list_desks":
        assert "huarui" in own or str(INSIDE) in own, own
    assert "huarui" in county or str(INSIDE) in county or "370783" in county, county


async def test_key_figures_and_their_files_end_there_too(
    service: FakeService, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "now", lambda: NOW + 86_400_000)
    for scope in (COUNTY, ENTERPRISE):
        service.tokens.clear()
        header = caller(service, Role.SUPERVISOR, scope)
        span = {"start": "2026-05-01T00:00:00Z", "end": "2026-06-20T00:00:00Z"}
        own = await client.get("/api/v1/kpi", headers=header, params={"scope": "all"} | span)
        assert own.status == 200, await own.text()
        assert (await own.json())["id"] == (scope.region or scope.enterprise), "all is all that is seen"
        for beyond in ({"scope": "enterprise", "id": "heishan"}, {"scope": "region", "id": "140000"},
                       {"scope": "region", "id": "370000"}, {"scope": "desk", "id": "140000"}):  # fmt: skip
            answer = await client.get("/api/v1/kpi", headers=header, params=beyond | span)
            assert answer.status == 404, await answer.text()
        table = await (await client.get("/api/v1/kpi/table", headers=header, params={"scope": "all"} | span)).text()
        page = await (await client.get("/api/v1/kpi/report", headers=header, params={"scope": "all"} | span)).text()
        for text in (table, page):
            assert "华瑞" in text
            assert not [word for word in OTHER if word in text]


async def test_contacts_are_those_of_the_enterprises_and_of_the_authorities_here_and_above(
    service: FakeService, client: Client
) -> None:
    for scope, expected in ((Scope(), {"huarui", "heishan", "shandong", "shanxi"}),
                            (COUNTY, {"huarui", "shandong"}), (ENTERPRISE, {"huarui"})):  # fmt: skip
        service.tokens.clear()
        header = caller(service, Role.SUPERVISOR, scope)
        listed = await (await client.get("/api/v1/contacts", headers=header)).json()
        assert {each["id"] for each in listed["items"]} == expected
        table = await (await client.get("/api/v1/contacts/export?format=csv", headers=header)).text()
        assert {name for name in ("huarui", "heishan", "shandong", "shanxi") if name in table} == expected


BODIES: dict[str, Any] = {
    "announce_maintenance": lambda one: {
        "scope": "unit", "enterprise": both(one)[0], "target": both(one)[1], "reason": "r", "name": "n",
        "ends_at": "2026-06-10T00:00:00Z",
    },
    "propose_change": lambda one: {
        "name": "n", "reason": "r",
        "edits": [{"enterprise": both(one)[0], "tag": TAGS[one], "rule": "H", "setpoint": 2}],
    },
    "preview_rules": lambda one: {
        "enterprise": both(one)[0], "tag": TAGS[one], "days": 1,
        "rules": [{"key": "NONE", "setpoint": 2}],
    },
    "silence_sound": lambda one: {
        "scope": "unit", "target": "/".join(both(one)), "duration": "5min", "reason": "r", "name": "n",
    },
    "resume_sound": lambda one: {"silence": one, "name": "n"},
    "link_incident": lambda one: {"incident": one, "name": "n"},
}  # fmt: skip
"""What acts name in their bodies."""


@SCOPES
@pytest.mark.parametrize("name", sorted(BODIES))
async def test_acts_that_name_what_is_beyond(service: FakeService, client: Client, name: str, scope: Scope) -> None:
    method, path, _ = OPERATIONS[name]
    header = caller(service, Role.SUPERVISOR, scope)
    beyond = await client.request(method, address(path, INSIDE), headers=header, json=BODIES[name](OUTSIDE))
    assert beyond.status == 404, await beyond.text()
    assert "beyond what you see" in await beyond.text()
    within = await client.request(method, address(path, INSIDE), headers=header, json=BODIES[name](INSIDE))
    assert "beyond what you see" not in await within.text()
    assert within.status != 403, await within.text()


def test_every_act_that_keeps_itself_is_tried() -> None:
    acts = {name for name, (method, _, _) in OPERATIONS.items() if method != "GET" and KEEPS.get(name) is Keeps.ITSELF}
    assert acts == set(BODIES) | {"acknowledge_selection", "start_drill"}


@SCOPES
async def test_a_selection_with_alarms_beyond(service: FakeService, client: Client, scope: Scope) -> None:
    header = caller(service, Role.DUTY_OFFICER, scope)
    body = {"ids": [OUTSIDE, INSIDE, 9_999], "name": "n"}
    answer = await client.post("/api/v1/alarms/acknowledge", headers=header, json=body)
    results = {each["id"]: each["refusal"] for each in (await answer.json())["results"]}
    assert "beyond what you see" in results[OUTSIDE]
    assert results[OUTSIDE].replace(str(OUTSIDE), "N") == results[9_999].replace("9999", "N"), "nothing is given away"
    assert "beyond" not in str(results[INSIDE])


async def test_a_drill_of_others_is_not_begun(service: FakeService, client: Client) -> None:
    header = caller(service, Role.SUPERVISOR, Scope(region="140000"))
    scenarios = (await (await client.get("/api/v1/drill-scenarios", headers=header)).json())["items"]
    assert not scenarios, "those of the tests take place at huarui, or have faults"
    body = {"scenario": "leak", "name": "n", "leader": "l", "circle": []}
    answer = await client.post("/api/v1/drills", headers=header, json=body)
    assert answer.status in {400, 404}, await answer.text()


async def test_an_enterprise_acknowledges_for_itself_alone(service: FakeService, client: Client) -> None:
    header = caller(service, Role.ENTERPRISE, ENTERPRISE)
    place = f"/api/v1/incidents/{INSIDE}/acknowledge"
    refused = await client.post(place, headers=header, json={"name": "赵敏"})
    assert refused.status == 403
    assert "side enterprise" in await refused.text()
    taken = await client.post(place, headers=header, json={"name": "赵敏", "side": "enterprise"})
    assert taken.status != 403, await taken.text()


async def test_the_live_feed_ends_there_too(service: FakeService) -> None:
    hub = LiveHub(service)
    async with api(service, hub) as client:
        for scope in (Scope(), COUNTY, ENTERPRISE):
            service.tokens.clear()
            header = caller(service, Role.DUTY_OFFICER, scope)
            async with client.ws_connect(f"/api/v1/live?since={service.committed - 6}", headers=header) as socket:
                assert (await socket.receive_json())["resumed"] is True
                assert (await socket.receive_json())["type"] == "health"
                messages, at = [], service.committed - 6
                while at < service.committed:
                    messages.append(await socket.receive_json(timeout=10))
                    at = messages[-1]["sequence"]
                await socket.send_json({"subscribe": ["huarui/GT-101", "heishan/CH4-1"]})
                service.read(service.site.tag_index["huarui/GT-101"], NOW, 1.0)
                service.read(service.site.tag_index["heishan/CH4-1"], NOW, 1.0)
                await hub_second(hub)
                readings = await socket.receive_json(timeout=10)
            text = "".join(map(str, [*messages, readings]))
            entries = [each["entry"] for each in messages if each["type"] == "entry"]
            kinds = [entry["kind"] for entry in entries]
            if scope.is_whole:
                assert len(entries) == 6
                assert "heishan" in text
                continue
            assert not [word for word in OTHER if word in text], text
            assert {entry["enterprise"] for entry in entries} <= {"huarui", None}
            assert ("flood.began" in kinds) is (scope is COUNTY), "a desk's own"
            assert "config.revised" not in kinds
            assert messages[-1] == {"type": "beyond", "sequence": service.committed, "kinds": ["config.revised"]}
            assert [each["tag"] for each in readings["items"]] == ["GT-101"]


async def test_the_live_feed_is_no_way_round_the_journal(service: FakeService) -> None:
    hub = LiveHub(service)
    async with api(service, hub) as client:
        header = caller(service, Role.VIEWER, Scope())
        assert (await client.get("/api/v1/journal", headers=header)).status == 403
        async with client.ws_connect(f"/api/v1/live?since={service.committed - 6}", headers=header) as socket:
            assert [(await socket.receive_json())["type"] for _ in range(2)] == ["hello", "health"]
            messages = [await socket.receive_json(timeout=10)]
            while messages[-1]["sequence"] < service.committed:
                messages.append(await socket.receive_json(timeout=10))
    entries = [each["entry"] for each in messages if each["type"] == "entry"]
    assert {"huarui", "heishan"} <= {entry["enterprise"] for entry in entries}, "a wall screen of the whole site"
    assert "flood.began" in {entry["kind"] for entry in entries}
    assert not [entry for entry in entries if entry["kind"].partition(".")[0] in {"account", "session", "config"}]
    assert messages[-1] == {"type": "beyond", "sequence": service.committed, "kinds": ["config.revised"]}


async def hub_second(hub: LiveHub) -> None:
    """A second has passed."""
    for client in hub._clients:
        client.offer_readings()


async def test_another_scope_ends_what_is_on_the_line(service: FakeService) -> None:
    hub = LiveHub(service)
    async with api(service, hub) as client:
        account, first = await service.account_control.add("wangfang", "王芳", Role.DUTY_OFFICER, "desk", Scope())
        await service.account_control.change_password(account, None, first, "three calm herons")
        await client.post("/api/v1/session", json={"name": "wangfang", "password": "three calm herons"})
        assert "heishan" in await (await client.get("/api/v1/alarms")).text()
        socket = await client.ws_connect("/api/v1/live")
        assert (await socket.receive_json())["type"] == "hello"
        assert (await socket.receive_json())["type"] == "health"
        header = {"Authorization": "Bearer another"}
        body = {"role": "duty_officer", "region": "370783", "reason": "county"}
        answer = await client.post("/api/v1/accounts/wangfang/role", json=body, headers=header)
        assert (await answer.json())["region"] == "370783"
        assert "heishan" not in await (await client.get("/api/v1/alarms")).text(), "at once"
        hub.publish_health(service.health())
        await socket.receive(timeout=10)
        assert socket.close_code == 4001
        told = await (await client.get("/api/v1/session")).json()
        assert (told["region"], told["enterprise"]) == ("370783", None)
        for wrong in (
            body | {"region": "999999"},
            body | {"enterprise": "huarui"},
            body | {"role": "administrator"},
            {"role": "enterprise"},
        ):
            answer = await client.post("/api/v1/accounts/wangfang/role", json=wrong, headers=header)
            assert answer.status == 400, await answer.text()
            assert (await answer.json())["errors"][0]["field"] in {"region", "enterprise"}


BEYOND_BY_ID = {
    name: (method, path)
    for name, (method, path, _) in OPERATIONS.items()
    if "{id}" in path and name not in OPEN and KEEPS[name] not in {Keeps.NOTHING, Keeps.ITSELF, Keeps.DESK}
}


@pytest.mark.parametrize("shown", ["{:020}", "{:0200}", "%30{}", "{}%20", "+{}", "%EF%BC%91%EF%BC%90%EF%BC%92"])
async def test_however_a_number_is_written_it_is_beyond(service: FakeService, client: Client, shown: str) -> None:
    header = caller(service, Role.SUPERVISOR, COUNTY)
    for name, (method, path) in BEYOND_BY_ID.items():
        if Role.SUPERVISOR not in ROLES[name] or KEEPS[name] is Keeps.WHOLE_SITE:
            continue
        place = path.format(id=shown.format(OUTSIDE), number=1)
        body: dict[str, Any] | None = None if method == "GET" else {}
        answer = await client.request(method, URL(place, encoded=True), headers=header, json=body)
        assert answer.status in {400, 404}, f"{name} {place}: {answer.status}"
        text = await answer.text()
        assert answer.status == 404 or '"in":"path"' in text, f"{name} {place}: {text}"
        assert not [word for word in OTHER if word in text], f"{name} {place}: {text}"


async def test_an_act_is_presence_at_ones_own_desk_alone(service: FakeService, client: Client) -> None:
    room = service.duty_room
    desks = [desk.id for desk in room.desks]
    assert "140000" in desks
    header = caller(service, Role.DUTY_OFFICER, COUNTY)
    answers = []
    for desk in ("140000", "nowhere"):
        answer = await client.post(
            f"/api/v1/incidents/{INSIDE}/comment", json={"name": "n", "comment": "c"},
            headers=header | {"AnShao-Desk": desk},
        )  # fmt: skip
        answers.append((answer.status, await answer.text()))
    assert answers[0] == answers[1], "whether there is such a desk is not told"
    assert room.attendance._inputs == {}, "nobody was there"
    # Whoever has not said who he is is at no desk.
    bodies = []
    for desk in ("370783", "nowhere"):
        answer = await client.post(
            "/api/v1/acknowledge-code", json={"code": "A" * 13, "name": "n"}, headers={"AnShao-Desk": desk}
        )
        bodies.append((answer.status, await answer.text()))
    assert bodies[0] == bodies[1]
    service.tokens.clear()
    header = caller(service, Role.ENTERPRISE, ENTERPRISE) | {"AnShao-Desk": "370783"}
    await client.post(f"/api/v1/alarms/{INSIDE}/comment", json={"name": "n", "comment": "c"}, headers=header)
    assert room.attendance._inputs == {}, "an enterprise's people are at no desk"


async def test_neighbours_beyond_are_not_named(tmp_path: Path) -> None:
    site = make_site()
    near = replace(site.units["huarui", "tankfarm"], neighbours=("heishan/face", "huarui/gateways"))
    site = replace(site, units=dict(site.units) | {("huarui", "tankfarm"): near})
    async with sqlite_ledger(tmp_path, 3) as (ledger, _):
        service = FakeService(ledger.engine, site)
        async with api(service) as client:
            for scope, expected in ((Scope(), ["heishan/face", "huarui/gateways"]), (COUNTY, ["huarui/gateways"])):
                service.tokens.clear()
                header = caller(service, Role.DUTY_OFFICER, scope)
                listed = (await (await client.get("/api/v1/enterprises", headers=header)).json())["items"]
                units = {unit["id"]: unit for each in listed if each["id"] == "huarui" for unit in each["units"]}
                assert units["tankfarm"]["neighbours"] == expected


@SCOPES
async def test_going_on_after_a_tag_beyond_tells_nothing(service: FakeService, client: Client, scope: Scope) -> None:
    header = caller(service, Role.ENGINEER, scope)
    for path in ("tags?", "tuning/rules?enterprise=huarui&unit=tankfarm&"):
        known = await client.get(f"/api/v1/{path}after=heishan/CH4-1", headers=header)
        unknown = await client.get(f"/api/v1/{path}after=heishan/NO-1", headers=header)
        assert (known.status, await known.text()) == (unknown.status, await unknown.text())
        assert (await client.get(f"/api/v1/{path}after=huarui/GT-101", headers=header)).status == 200


@pytest.fixture
def scenarios(service: FakeService, tmp_path: Path) -> None:
    """One that takes place at huarui, and one with faults."""
    service.drills.folder = tmp_path / "drills"
    service.drills.folder.mkdir()
    (service.drills.folder / "leak.yaml").write_text(LEAK)
    (service.drills.folder / "faulty.yaml").write_text(LEAK.replace("GT-101", "NO-1"))


LEAK = """
name: 泄漏
description: GT-101
units: [huarui/tankfarm]
duration: 10min
steps:
  - {at: 0s, tag: huarui/GT-101, value: 25}
"""


@pytest.mark.usefixtures("scenarios")
async def test_drills_of_others_are_not_told_at_their_start(service: FakeService, client: Client) -> None:
    shown = (await (await client.get("/api/v1/drill-scenarios", headers=HEADERS)).json())["items"]
    assert {each["id"]: bool(each["faults"]) for each in shown} == {"leak": False, "faulty": True}
    header = caller(service, Role.SUPERVISOR, Scope(region="140000"))
    told = []
    for scenario in ("leak", "faulty", "nothing"):
        body: dict[str, Any] = {"scenario": scenario, "name": "n", "leader": "l", "circle": []}
        answer = await client.post("/api/v1/drills", headers=header, json=body)
        told.append((answer.status, (await answer.text()).replace(scenario, "X")))
    assert len(set(told)) == 1, told
    assert "beyond what you see" in told[0][1]
    service.duty_room.drills.running = Drill(7, "s", "瓦斯超限", ("heishan/face",), (), "队长", {}, NOW, NOW + 1)
    service.tokens.clear()
    header = caller(service, Role.SUPERVISOR, COUNTY)
    body = {"scenario": "leak", "name": "n", "leader": "l", "circle": []}
    answer = await client.post("/api/v1/drills", headers=header, json=body)
    assert answer.status == 409
    assert "瓦斯超限" not in await answer.text()


@pytest.mark.usefixtures("scenarios")
async def test_a_drill_asks_nobody_beyond(service: FakeService, client: Client) -> None:
    header = caller(service, Role.SUPERVISOR, COUNTY)
    told = []
    for contact in ("heishan", "shanxi", "nobody"):
        body = {"scenario": "leak", "name": "n", "leader": "l", "circle": [contact]}
        answer = await client.post("/api/v1/drills", headers=header, json=body)
        told.append((answer.status, (await answer.text()).replace(contact, "X")))
    assert told[0] == told[1] == told[2], told
    assert told[0][0] == 400


async def test_a_silence_beyond_is_as_none(service: FakeService, client: Client) -> None:
    header = caller(service, Role.SUPERVISOR, COUNTY)
    told = []
    for number in (OUTSIDE, 9_999):
        answer = await client.post("/api/v1/sound/resume", headers=header, json={"silence": number, "name": "n"})
        told.append((answer.status, (await answer.text()).replace(str(number), "N")))
    assert told[0] == told[1]
    body = {"scope": "alarm", "target": "0" * 19 + "1" + "9" * 30, "duration": "5min", "reason": "r", "name": "n"}
    assert (await client.post("/api/v1/sound/silence", headers=header, json=body)).status in {400, 404}


async def test_a_link_with_what_is_beyond_is_not_taken_back(service: FakeService, client: Client) -> None:
    header = caller(service, Role.SUPERVISOR, COUNTY)
    place = f"/api/v1/incidents/{INSIDE}/unlink"
    answer = await client.post(place, headers=header, json={"incident": OUTSIDE, "name": "n"})
    assert answer.status == 404
    assert "beyond what you see" in await answer.text()


async def test_the_main_screen_shows_no_drill_of_others(service: FakeService, client: Client) -> None:
    header = caller(service, Role.SUPERVISOR, COUNTY)
    room = service.duty_room
    for unit, shown in (("heishan/face", []), ("huarui/tankfarm", ["瓦斯超限"])):
        room.drills.running = Drill(7, "s", "瓦斯超限", (unit,), (), "队长", {}, NOW, NOW + 1)
        answer = await (await client.get("/api/v1/watch?desk=370783", headers=header)).json()
        assert [each["name"] for each in answer["drills"]] == shown


def test_what_is_seen_is_worked_out_once_for_a_site() -> None:
    site = make_site()
    assert reach_of(site, COUNTY) is reach_of(site, COUNTY)
    assert reach_of(site, COUNTY).enterprises == frozenset({"huarui"})
    moved = replace(site, enterprises={
        key: replace(each, region="140000") for key, each in site.enterprises.items()
    })  # fmt: skip
    assert reach_of(moved, COUNTY).enterprises == frozenset()
    assert reach_of(moved, ENTERPRISE).enterprises == frozenset({"huarui"}), "an enterprise is itself wherever it lies"
    assert reach_of(site, Scope(region="999999")).enterprises == frozenset(), "the site has no such region"
    assert reach_of(site, Scope(enterprise="gone")).enterprises == frozenset()
    assert not reach_of(site, Scope(enterprise="gone")).shows_region("370783")


async def test_what_is_seen_of_much_that_is_not_is_read_in_large_parts() -> None:
    reads = []

    async def read(limit: int, after: int | None) -> list[int]:
        reads.append(limit)
        return list(range(5_000 if after is None else after - 1, 0, -1))[:limit]

    assert await seen_page(read, lambda one: one in {4, 2}, int, 1, None) == ([4], True)
    assert len(reads) <= 10
    assert await seen_page(read, lambda one: one in {4, 2}, int, 1, 4) == ([2], False)
    assert await seen_page(read, lambda one: one in {4, 2}, int, 2, None) == ([4, 2], False)
    assert await seen_page(read, lambda one: one % 2 == 0, int, 3, 9) == ([8, 6, 4], True)


async def test_places_beyond_take_no_place_in_a_search_of_the_journal(tmp_path: Path) -> None:
    site = make_site()
    others = {f"e{number}": Enterprise(f"e{number}", "同名", "140000") for number in range(MOST_PLACES)}
    own = replace(site.enterprises["huarui"], name="同名")
    site = replace(site, enterprises=others | site.enterprises | {"huarui": own})
    async with sqlite_ledger(tmp_path, 30) as (ledger, _):
        service = FakeService(ledger.engine, site)
        async with api(service) as client:
            header = caller(service, Role.DUTY_OFFICER, COUNTY)
            found = await (await client.get("/api/v1/journal?text=同名", headers=header)).json()
            assert {each["enterprise"] for each in found["items"]} == {"huarui"}


async def test_online_rates_of_many_enterprises_look_at_each_gateway_once(
    service: FakeService, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateways, asked = service.gateways, []

    def counted() -> list[dict[str, Any]]:
        asked.append(1)
        return gateways()

    monkeypatch.setattr(service, "gateways", counted)
    listed = (await (await client.get("/api/v1/online", headers=HEADERS)).json())["items"]
    assert [each["enterprise"] for each in listed] == ["huarui", "heishan"]
    assert len(asked) == 1
