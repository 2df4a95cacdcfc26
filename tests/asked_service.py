"""A served site with something of each kind in it, its three callers, and what a request has to name to find it."""

import asyncio
import copy
import hashlib
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import requests
import yaml
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests import servers
from tests.running import HEADERS, Service, main_file, write_yaml

ROOT = Path(__file__).parent.parent
REGION, ENTERPRISE, ELSEWHERE = "370783", "huarui", "ruian"
PASSWORD = "three calm herons"
ENTERPRISE_TOKEN = "token-of-the-enterprise"
PATIENCE = 60.0
"""Seconds that an answer may take."""
SIGNED = {"name": "王芳"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645"
    "400000000049454e44ae426082"
)
SCENARIO = {
    "name": "罐区泄漏",
    "units": [f"{ENTERPRISE}/tankfarm"],
    "duration": "10min",
    "steps": [{"at": "0s", "tag": f"{ENTERPRISE}/GT-103", "value": 33}],
    "expected": [{"act": "alarm.acknowledged", "tag": f"{ENTERPRISE}/GT-103", "within": "2min"}],
}


@dataclass
class Caller:
    """Somebody who calls the API."""

    name: str
    session: requests.Session
    headers: Mapping[str, str]
    spare: dict[str, tuple[requests.Session, Mapping[str, str]]] = field(default_factory=dict)
    """By operation, for what begins or ends a session: the other operations need theirs."""

    def by(self, operation: str) -> tuple[requests.Session, dict[str, str]]:
        """Connection and headers for an operation."""
        session, headers = self.spare.get(operation, (self.session, self.headers))
        return session, dict(headers)

    def call(self, method: str, url: str, headers: Mapping[str, str] | None = None, **body: Any) -> Any:
        """What is answered; asserts that it is done."""
        sent = {**self.headers, **(headers or {})}
        with self.session.request(method, url, headers=sent, timeout=PATIENCE, **body) as answer:
            assert answer.ok, answer.text
            return answer.json()


@dataclass
class Asked:
    """The service, who calls it, and what is there."""

    service: Service
    callers: list[Caller]
    known: Mapping[str, list[Any]]
    """What fits a parameter or a field: by its name, or that of one chapter (``drills/id``) or one act
    (``changes/apply/id``) alone: first and last part of the path."""

    @property
    def url(self) -> str:
        """Where the paths of the document begin."""
        return f"http://127.0.0.1:{self.service.port}"

    def name_known(self, case: Any, chance: random.Random, *, within_body: bool) -> None:
        """Put what is there into a request that was made at random, or leave it here and there as it is."""
        parts = case.path.split("/")[3:] or [""]
        places = [f"{parts[0]}/{parts[-1]}/", f"{parts[0]}/", ""]

        def put(into: Any, name: str) -> None:
            fitting = next((self.known[place + name] for place in places if place + name in self.known), [])
            if fitting and chance.random() < 0.9:
                into[name] = copy.deepcopy(chance.choice(fitting))
            elif isinstance(into[name], str):
                into[name] = "".join(letter if letter.isprintable() else "·" for letter in into[name])
            else:
                within(into[name])

        def within(value: Any) -> None:
            if isinstance(value, dict):
                for name in value:
                    put(value, name)
            elif isinstance(value, list):
                for each in value:
                    within(each)

        within(case.path_parameters)
        if within_body:
            within(case.query)
            within(case.body)


@contextmanager
def asked_service(folder: Path) -> Iterator[Asked]:
    """The service with its own broker, DuckDB and SQLite, ready."""
    port = servers.free_port()
    broker = {"url": f"mqtt://127.0.0.1:{port}", "embedded": True}
    main = main_file(broker=broker, historian={"kind": "duckdb"}, response="response.yaml")
    digest = hashlib.sha256(ENTERPRISE_TOKEN.encode()).hexdigest()
    main["tokens"].append({"name": "plant", "sha256": digest, "role": "enterprise", "enterprise": ENTERPRISE})
    write_yaml(folder / "response.yaml", _response())
    write_yaml(folder / "drills" / "leak.yaml", SCENARIO)
    (folder / "contacts.csv").write_bytes((ROOT / "config/contacts.csv").read_bytes())
    site = _site()
    tags = [tag["tag"] for unit in site["enterprises"][0]["units"] for tag in unit["tags"]]
    service = Service.configured(folder, main, site)
    service.start()
    try:
        asyncio.run(service.ready())
        with ExitStack() as stack:
            administrator = Caller("administrator", stack.enter_context(requests.Session()), HEADERS)
            plant = {"Authorization": f"Bearer {ENTERPRISE_TOKEN}"}
            enterprise = Caller("enterprise", stack.enter_context(requests.Session()), plant)
            supervisor, given_out = _supervisor(service, administrator, stack)
            known = _named(tags) | _material(service, administrator, port)
            known["session/password/password"] = [given_out]
            yield Asked(service, [administrator, supervisor, enterprise], known)
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


def _named(tags: list[str]) -> dict[str, list[Any]]:
    contacts = (ROOT / "config/contacts.csv").read_text(encoding="utf-8-sig")
    further = contacts.splitlines()[1].removeprefix("wang-fang")
    return {
        "number": [1, 2],
        "based_on": [1, 2],
        "attachments": [[]],
        "enterprise": [ENTERPRISE, ENTERPRISE, ENTERPRISE, ELSEWHERE],
        "region": [REGION, "370000"],
        "unit": ["tankfarm"],
        "desk": [REGION],
        "tag": tags,
        "target": ["tankfarm", f"{ENTERPRISE}/tankfarm", ENTERPRISE, *tags],
        "rule": ["H", "HH"],
        "key": ["H", "HH"],
        "gateway": ["gw1"],
        "scenario": ["leak"],
        "units": [[f"{ENTERPRISE}/tankfarm"]],
        "circle": [["wang-fang"], []],
        "name": ["王芳", "李强"],
        "password": [PASSWORD],
        "second": ["supervisor", "李强"],
        "duration": ["10min", "1h"],
        "measurand": ["h2s"],
        "channel": ["sms"],
        "since": [_hence(hours=-1)],
        "from": [_hence(hours=-1)],
        "to": [_hence()],
        "until": [_hence()],
        "start": [_hence(minutes=-10)],
        "end": [_hence()],
        "at": [_hence(hours=1)],
        "begins_at": [_hence(hours=1)],
        "ends_at": [_hence(hours=2), _hence(hours=20)],
        "bucket": ["10s", "1min"],
        "accepted": [True],
        "accounts/accounts/name": [f"somebody-{number}" for number in range(1_000)],
        "accounts/enterprise": [None],
        "accounts/name": ["somebody"],
        "accounts/role": ["viewer"],
        "cards/id": ["h2s"],
        "channels/id": ["sms"],
        "changes/approve/name": ["李强"],
        "changes/withdraw/name": ["王芳"],
        "config/author": ["王芳"],
        "config/based_on": [1, 2, 3, 4, 5, 6],
        "config/documents": [{"contacts.csv": f"{contacts}c{number}{further}\n"} for number in range(5)],
        "config/files": [[]],
        "config/name": ["site.yaml"],
        "config/revision": [1],
        "config/roots": [None],
        "desks/id": [REGION],
        "incidents/attachments/file": [PNG],
        "kpi/id": [ENTERPRISE],
        "kpi/scope": ["enterprise"],
        "maintenance/enterprise": [ENTERPRISE],
        "maintenance/scope": ["tag"],
        "maintenance/target": ["FI-101"],
        "session/name": ["supervisor"],
        "session/password/new_password": ["three calmer herons"],
        "sound/duration": ["5min"],
        "sound/scope": ["unit"],
        "sound/target": [f"{ENTERPRISE}/loading"],
        "tags/enterprise": [ENTERPRISE],
    }


def _hence(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def _site() -> dict[str, Any]:
    """The site that is shipped, and an enterprise of another region."""
    made: dict[str, Any] = yaml.safe_load((ROOT / "config/site.yaml").read_text(encoding="utf-8"))
    made["regions"].append({"code": "370784", "name": "安丘市", "parent": "370000"})
    unit = {"id": "cold", "name": "冷库", "tags": [{"tag": "AT-1", "measurand": "nh3", "engineering_unit": "ppm"}]}
    other = {"id": ELSEWHERE, "name": "瑞安食品", "region": "370784", "gateways": [{"id": "gw1", "name": "网关"}]}
    made["enterprises"].append(other | {"units": [unit]})
    return made


def _response() -> dict[str, Any]:
    """Who is told, as it is shipped; but no message leaves this machine."""
    made: dict[str, Any] = yaml.safe_load((ROOT / "config/response.yaml").read_text(encoding="utf-8"))
    for channel in made["channels"]:
        channel |= {"kind": "webhook", "url": "http://127.0.0.1:9/{phone}", "secret": "change-me-please"}
        channel.pop("format", None)
    return made


def _supervisor(service: Service, administrator: Caller, stack: ExitStack) -> tuple[Caller, str]:
    """A supervisor of the region; and the first password of who ends sessions in his place.

    There is one more account, that others may do with as they like.
    """

    def signed_in(name: str, password: str) -> Caller:
        caller = Caller(name, stack.enter_context(requests.Session()), {})
        begun = caller.call("POST", f"{service.url}/session", json={"name": name, "password": password})
        caller.headers = {"AnShao-CSRF": begun["csrf"]}
        return caller

    def added(name: str, role: str) -> str:
        account = {"name": name, "display_name": name, "role": role, "region": REGION}
        return str(administrator.call("POST", f"{service.url}/accounts", json=account)["first_password"])

    added("somebody", "viewer")
    first, given_out = added("supervisor", "supervisor"), added("leaver", "viewer")
    change = {"password": first, "new_password": PASSWORD}
    signed_in("supervisor", first).call("POST", f"{service.url}/session/password", json=change)
    caller = signed_in("supervisor", PASSWORD)
    caller.spare["begin_session"] = (stack.enter_context(requests.Session()), {})
    for operation in ("end_session", "change_password"):
        leaver = signed_in("leaver", given_out)
        caller.spare[operation] = (leaver.session, leaver.headers)
    return caller, given_out


def _publish(topic: str, payload: bytes, port: int) -> None:
    """Send a message that the broker has to answer for."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        sent = client.publish(topic, payload, qos=1)
        sent.wait_for_publish(PATIENCE)
        assert sent.is_published(), "the broker did not answer for the readings"
    finally:
        client.disconnect()
        client.loop_stop()


def _material(service: Service, administrator: Caller, port: int) -> dict[str, list[Any]]:
    """Alarms with their incidents, and what later acts are about: what ``Asked.known`` has of them."""

    def call(method: str, path: str, **body: Any) -> Any:
        return administrator.call(method, service.url + path, **body)

    def act(path: str, **body: Any) -> int:
        return int(call("POST", path, json=SIGNED | body).get("id", 0))

    def ids(path: str) -> list[int]:
        return [item["id"] for item in call("GET", path)["items"]]

    values = {"GT-101": 30, "GT-102": 30, "LI-101": 95, "NOT-KNOWN": 1}
    payload = orjson.dumps({"ts": time.time_ns() // 1_000_000, "values": values})
    _publish(f"anshao/v1/{ENTERPRISE}/gw1/data", payload, port)
    raised: dict[tuple[str, str], Any] = {}
    deadline = time.monotonic() + PATIENCE
    wanted = [("GT-101", "H"), ("LI-101", "HH"), ("TI-101", "STALE"), ("FI-101", "STALE")]
    while not raised.keys() >= set(wanted):
        assert time.monotonic() < deadline, f"no alarm came of some readings: {list(raised)}"
        time.sleep(0.1)
        alarms = call("GET", f"/alarms?enterprise={ENTERPRISE}")["items"]
        raised = {(alarm["tag"], alarm["rule"]): alarm for alarm in alarms}
    gas, level, temperature, flow = (raised[which]["id"] for which in wanted)
    incident_of = {alarm["unit"]: alarm["incident"] for alarm in alarms}
    leaking, loading = incident_of["tankfarm"], incident_of["loading"]
    picture = {"file": ("a.png", PNG, "image/png")}
    attachment = call("POST", f"/incidents/{leaking}/attachments", files=picture, data=SIGNED)["id"]
    for incident in (leaking, loading):
        act(f"/incidents/{incident}/verify", result="real")
    act(f"/incidents/{loading}/feedback", text="已处理")
    elsewhere = next(identity for identity in ids("/incidents") if identity not in incident_of.values())
    act(f"/incidents/{loading}/link", incident=elsewhere)
    act(f"/alarms/{flow}/shelve", reason="校验", duration="2h")
    image = {"data": PNG, "headers": {"Content-Type": "image/png"}}
    plans = [
        call("POST", f"/site-plans?enterprise={ENTERPRISE}&title=p{number}&name=Wang", **image) for number in range(3)
    ]
    edit = {"enterprise": ENTERPRISE, "rule": "H"}
    changes = [
        act("/changes", reason="试", edits=[edit | {"tag": tag, "setpoint": setpoint}])
        for setpoint in (9.1, 9.2, 9.3)
        for tag in ("GT-101", "GT-102", "GT-103")
    ]
    for change in changes[:5]:
        act(f"/changes/{change}/approve", name="李强")
    act(f"/changes/{changes[0]}/apply")
    window = {
        "scope": "tag",
        "enterprise": ENTERPRISE,
        "target": "FI-101",
        "reason": "校验",
        "ends_at": _hence(hours=3),
    }
    later = {"begins_at": _hence(hours=2), "enterprise": ELSEWHERE, "target": "AT-1"}
    silence = {"scope": "unit", "target": f"{ENTERPRISE}/loading", "duration": "10min", "reason": "在处理"}
    return {
        "alarm": ids("/alarms"),
        "ids": [[temperature, flow]],
        "incident": [loading, leaking],
        "silence": [act("/sound/silence", **silence)],
        "alarms/id": [gas, level],
        "alarms/shelve/id": [flow],
        "alarms/unshelve/id": [flow],
        "attachments/id": [attachment],
        "incidents/attachments": [[attachment], []],
        "incidents/id": [leaking, loading],
        "incidents/acknowledge/id": [elsewhere],
        "incidents/handle/id": [leaking],
        "incidents/review/id": [loading],
        "incidents/unlink/id": [loading],
        "incidents/unlink/incident": [elsewhere],
        "site-plans/id": [plans[0]["id"]],
        "site-plans/remove/id": [plans[1]["id"]],
        "site-plans/tags/id": [plans[2]["id"]],
        "site-plans/tags/version": [plans[2]["version"]],
        "changes/id": changes,
        "changes/rollback/id": changes[:1],
        "changes/apply/id": changes[1:3],
        "changes/shadow/id": changes[3:5],
        "changes/approve/id": changes[5:6],
        "changes/backtest/id": changes[6:7],
        "changes/reject/id": changes[7:8],
        "changes/withdraw/id": changes[8:],
        "handovers/id": [act(f"/desks/{REGION}/handovers", notes="无")],
        "maintenance/cancel/id": [act("/maintenance", **window | later)],
        "maintenance/id": [act("/maintenance", **window)],
        "drills/id": [act("/drills", scenario="leak", circle=[], leader="赵磊")],
        "watch/group": [group["key"] for group in call("GET", f"/watch?desk={REGION}")["groups"]],
        "messages/id": ids("/messages") or [1],
        "call-backs/id": ids("/call-backs") or [1],
    }
