"""A served site with something of each kind in it, its three callers, and what a request has to name to find it."""

import asyncio
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
ENDS_A_SESSION = frozenset({"end_session", "change_password"})
"""They get a session of their own, and not the one that the other operations need."""
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
    spare: tuple[requests.Session, Mapping[str, str]] | None = None
    """For what ends a session."""

    def by(self, operation: str) -> tuple[requests.Session, dict[str, str]]:
        """Connection and headers for an operation."""
        session, headers = (self.session, self.headers)
        if self.spare is not None and operation in ENDS_A_SESSION:
            session, headers = self.spare
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
    numbers: Mapping[str, list[int]]
    """Ids by the first part of the path that takes them."""
    fields: Mapping[str, list[Any]] = field(default_factory=dict)
    """By the name of the field or parameter."""

    @property
    def url(self) -> str:
        """Where the paths of the document begin."""
        return f"http://127.0.0.1:{self.service.port}"

    def name_known(self, case: Any, chance: random.Random, *, within_body: bool) -> None:
        """Put what is there into a request that was made at random, or leave it here and there as it is."""
        chapter = case.path.split("/")[3] if case.path.count("/") > 2 else ""
        for name in list(case.path_parameters or ()):
            named: dict[str, list[Any]] = {"desks": [REGION], "channels": ["sms"], "cards": ["h2s"]}
            there: list[Any] | None = (self.numbers.get(chapter) if name == "id" else None) or named.get(chapter)
            self._put(case.path_parameters, name, chance, there)
        if within_body:
            for name in list(case.query or ()):
                self._put(case.query, name, chance)
            self._within(case.body, chance)

    def _within(self, value: Any, chance: random.Random) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                self._put(value, name, chance)
                self._within(inner, chance)
        elif isinstance(value, list):
            for inner in value:
                self._within(inner, chance)

    def _put(self, into: dict[str, Any], name: str, chance: random.Random, there: list[Any] | None = None) -> None:
        there = there or self.fields.get(name)
        if there and chance.random() < 0.85:
            into[name] = chance.choice(there)


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
            supervisor = _supervisor(service, administrator, stack)
            numbers = _material(service, administrator, port)
            yield Asked(service, [administrator, supervisor, enterprise], numbers, _fields(tags, numbers))
    finally:
        status = service.stop()
    assert status == 0, service.log.read_text()[-4000:]


def _fields(tags: list[str], numbers: Mapping[str, list[int]]) -> dict[str, list[Any]]:
    return {
        "number": [1, 2],
        "based_on": [1, 2],
        "alarm": numbers["alarms"],
        "incident": numbers["incidents"],
        "ids": [numbers["alarms"]],
        "attachments": [numbers["attachments"], []],
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
        "name": ["somebody", "site.yaml", "李强"],
        "document": ["site.yaml"],
        "password": [PASSWORD],
        "second": ["supervisor", "李强"],
        "duration": ["10min", "1h"],
        "measurand": ["h2s"],
        "channel": ["sms"],
        "at": [_hence(hours=1)],
        "ends_at": [_hence(hours=2), _hence(hours=20)],
        "bucket": ["10s", "1min"],
        "desks": [[REGION]],
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


def _supervisor(service: Service, administrator: Caller, stack: ExitStack) -> Caller:
    """A supervisor of the region, signed in twice; and an account that others may do with as they like."""

    def signed_in(password: str) -> Caller:
        caller = Caller("supervisor", stack.enter_context(requests.Session()), {})
        begun = caller.call("POST", f"{service.url}/session", json={"name": "supervisor", "password": password})
        caller.headers = {"AnShao-CSRF": begun["csrf"]}
        return caller

    def added(name: str, role: str) -> str:
        account = {"name": name, "display_name": name, "role": role, "region": REGION}
        return str(administrator.call("POST", f"{service.url}/accounts", json=account)["first_password"])

    added("somebody", "viewer")
    first = added("supervisor", "supervisor")
    change = {"password": first, "new_password": PASSWORD}
    signed_in(first).call("POST", f"{service.url}/session/password", json=change)
    caller, spare = signed_in(PASSWORD), signed_in(PASSWORD)
    caller.spare = (spare.session, spare.headers)
    return caller


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


def _material(service: Service, administrator: Caller, port: int) -> dict[str, list[int]]:
    """Alarms with their incidents, and what later acts are about; their ids."""

    def call(method: str, path: str, **body: Any) -> Any:
        return administrator.call(method, service.url + path, **body)

    def ids(path: str) -> list[int]:
        return [item["id"] for item in call("GET", path)["items"]]

    values = {"GT-101": 30, "GT-102": 30, "TI-101": 24.6, "LI-101": 95, "NOT-KNOWN": 1}
    payload = orjson.dumps({"ts": time.time_ns() // 1_000_000, "values": values})
    _publish(f"anshao/v1/{ENTERPRISE}/gw1/data", payload, port)
    deadline = time.monotonic() + PATIENCE
    while not ids("/incidents") or len(ids(f"/alarms?enterprise={ENTERPRISE}")) < 3:
        assert time.monotonic() < deadline, "no alarm came of the readings"
        time.sleep(0.1)
    incidents = ids("/incidents")
    picture = {"file": ("a.png", PNG, "image/png")}
    attachment = call("POST", f"/incidents/{incidents[0]}/attachments", files=picture, data=SIGNED)
    plan = f"/site-plans?enterprise={ENTERPRISE}&title=plan&name=Wang"
    edit = {"enterprise": ENTERPRISE, "tag": "GT-101", "rule": "H", "setpoint": 9}
    window = {"scope": "tag", "enterprise": ENTERPRISE, "target": "FI-101", "ends_at": _hence(hours=3)}
    drill = {"scenario": "leak", "circle": [], "leader": "赵磊"}
    return {
        "incidents": incidents,
        "alarms": ids(f"/alarms?enterprise={ENTERPRISE}"),
        "attachments": [attachment["id"]],
        "site-plans": [call("POST", plan, data=PNG, headers={"Content-Type": "image/png"})["id"]],
        "changes": [
            call("POST", "/changes", json={**SIGNED, "reason": "试", "edits": [edit | {"tag": tag}]})["id"]
            for tag in ("GT-101", "GT-102", "GT-103")
        ],
        "handovers": [call("POST", f"/desks/{REGION}/handovers", json={**SIGNED, "notes": "无"})["id"]],
        "maintenance": [call("POST", "/maintenance", json={**SIGNED, **window, "reason": "校验"})["id"]],
        "drills": [call("POST", "/drills", json={**SIGNED, **drill})["id"]],
        "messages": ids("/messages") or [1],
        "call-backs": ids("/call-backs") or [1],
    }
