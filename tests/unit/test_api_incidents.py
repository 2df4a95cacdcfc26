"""Incidents over HTTP: each act of the loop on a real register and ledger, and files that are not what they say."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, MultipartWriter

from alerting.alarms.register import Register
from alerting.incidents.attachments import AttachmentStore
from alerting.journal.journal import Journal
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.site import Site
from domain.transitions import Transition
from service.api import models
from service.api.incidents_models import Attachment, Incident, IncidentDetail
from tests.api_service import HEADERS, NOW, Client, FakeService, api, sqlite_ledger
from tests.watched_unit import make_site

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(200)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(60)
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(60)
HEIC_BY_COMPATIBILITY = b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1heixmiaf" + bytes(60)
AVIF = b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avifmiaf" + bytes(60)
PDF = b"%PDF-1.7\n" + bytes(100)
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'


class Desk(FakeService):
    """A service whose acts go to a register and are committed."""

    def __init__(self, ledger: Ledger, site: Site, folder: Path) -> None:
        super().__init__(ledger.engine, site)
        self._ledger = ledger
        self.register = Register(site, self.casebook._grading, Journal())
        self.casebook = self.register.casebook
        self.attachments = AttachmentStore(folder)
        self.attachments.open()
        self.time = NOW

    def now(self) -> int:
        return self.time

    async def act(self, act: Callable[[Any, int, Change], Any]) -> Any:
        change = Change()
        result = act(self.register, self.time, change)
        await self._ledger.commit(change)
        return result

    async def happens(self, path: str, *, enters: bool = True) -> None:
        """A condition enters or leaves."""
        transition = Transition(self.site.rule_row(f"works/{path}"), enters, self.time, self.time, 25.0)
        await self.act(lambda register, now, change: register.apply([transition], now, change))

    def number(self, unit: str = "tankfarm") -> int:
        """The unit's open incident."""
        return next(found.id for found in self.casebook.open.values() if found.unit == unit)


def neighbours(site: Site) -> Site:
    """The boiler stands beside the tank farm, as the boiler's entry says."""
    boiler = replace(site.units["works", "boiler"], neighbours=("works/tankfarm",))
    return replace(site, units={**site.units, ("works", "boiler"): boiler})


@asynccontextmanager
async def desk_at(folder: Path) -> AsyncIterator[tuple[Desk, Client]]:
    async with sqlite_ledger(folder) as (ledger, _):
        desk = Desk(ledger, neighbours(make_site()), folder / "attachments")
        async with api(desk) as client:
            client.session.headers.update(HEADERS)
            yield desk, client


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[tuple[Desk, Client]]:
    async with desk_at(tmp_path) as found:
        yield found


async def post(client: Client, path: str, expected: int = 200, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/{path}", json=body)
    document: dict[str, Any] = await answer.json(content_type=None)
    assert answer.status == expected, document
    (Incident if expected == 200 else models.Problem).model_validate(document)
    return document


async def get(client: Client, path: str, **query: Any) -> Any:
    answer = await client.get(f"/api/v1/{path}", params=query)
    assert answer.status == 200, await answer.text()
    return await answer.json()


def form(content: bytes, filename: str = "x.jpg", **fields: str) -> FormData:
    data = FormData(quote_fields=False)
    data.add_field("file", content, filename=filename, content_type="application/octet-stream")
    for name, value in ({"name": "李工"} | fields).items():
        data.add_field(name, value)
    return data


async def test_what_has_risen_since_it_was_seen_is_not_acknowledged(office: tuple[Desk, Client]) -> None:
    desk, client = office
    await desk.happens("PI-1/HH")
    at = f"incidents/{desk.number()}"
    await desk.happens("PI-2/HH")
    refused = await post(client, f"{at}/acknowledge", 409, name="王芳", grade="yellow")
    assert refused["detail"] == (
        f"incident {desk.number()} rose from yellow to orange meanwhile: look again, then acknowledge it as orange"
    )
    assert (await get(client, at))["desk_acknowledgement"] is None
    await post(client, f"{at}/acknowledge", 409, side="enterprise", name="李工", grade="blue")
    assert (await post(client, f"{at}/acknowledge", name="王芳", grade="orange"))["desk_acknowledgement"]
    # What fell meanwhile has been seen graver than it is.
    assert (await post(client, f"{at}/acknowledge", side="enterprise", name="李工", grade="red"))["state"]


async def test_an_incident_from_its_first_alarm_to_the_archive(office: tuple[Desk, Client]) -> None:
    desk, client = office
    await desk.happens("PI-1/HH")
    await desk.happens("PI-2/HH")
    at = f"incidents/{desk.number()}"
    opened = IncidentDetail.model_validate(await get(client, at)).model_dump(mode="json")
    assert (opened["state"], opened["open"], opened["grade"], opened["tier"]) == ("triggered", True, "orange", 3)
    assert opened["missing_steps"] == opened["required_steps"]
    assert opened["next_steps"][:3] == ["acknowledge_desk", "acknowledge_enterprise", "verify"]

    found = await post(client, f"{at}/acknowledge", name="王芳", comment="收到")
    assert found["desk_acknowledgement"]["comment"] == "收到"
    found = await post(client, f"{at}/acknowledge", side="enterprise", name="王芳", person="李工")
    assert found["enterprise_acknowledgement"]["name"] == "李工"
    assert found["enterprise_acknowledgement"]["recorded_by"] == "王芳"
    found = await post(client, f"{at}/verify", result="false", name="王芳")
    assert (found["state"], found["proposal"]["name"]) == ("acknowledged", "王芳")
    assert {"confirm_verification", "reject_verification"} <= set(found["next_steps"])
    refused = await post(client, f"{at}/verify/confirm", 409, name="王芳 ")
    assert "second, different person" in refused["detail"]
    assert (await post(client, f"{at}/verify/reject", name="张强"))["proposal"] is None
    found = await post(client, f"{at}/verify", result="real", name="李工")
    assert (found["state"], found["verification"]["result"]) == ("verified", "real")
    found = await post(client, f"{at}/handle", step="切断进料", name="李工")
    assert [step["step"] for step in found["disposal"]] == ["切断进料"]
    found = await post(client, f"{at}/comment", comment="消防已到场", name="王芳")
    assert found["comments"] == 1

    for path in ("PI-1/HH", "PI-2/HH"):
        alarm = desk.register.find(f"works/{path}")
        assert alarm is not None
        identity = alarm.id
        await desk.act(lambda register, now, change, i=identity: register.acknowledge(i, "t", "王芳", "", now, change))  # type: ignore[misc]
        await desk.happens(path, enters=False)
    refused = await post(client, f"{at}/close", 409, name="王芳")
    assert "feedback is missing" in refused["detail"]

    answer = await client.post(f"/api/v1/{at}/attachments", data=form(JPEG, "现场.jpg", comment="2#泵"))
    photo = Attachment.model_validate(await answer.json())
    assert (photo.name, photo.type, photo.size, photo.by) == ("现场.jpg", "image/jpeg", len(JPEG), "李工")
    found = await post(client, f"{at}/feedback", text="已更换机封", attachments=[photo.id], name="李工")
    assert (found["state"], found["attachments"]) == ("feedback", [photo.id])
    refused = await post(client, f"{at}/review", 400, accepted=False, name="王芳")
    assert "say what is missing" in refused["detail"]
    assert (await post(client, f"{at}/review", accepted=False, comment="缺照片", name="王芳"))["state"] == "handled"
    await post(client, f"{at}/feedback", text="补照片", name="李工")
    found = await post(client, f"{at}/review", accepted=True, name="王芳")
    assert (found["state"], found["missing_steps"]) == ("reviewed", [])
    assert "close" in found["next_steps"]
    found = await post(client, f"{at}/close", name="王芳", comment="已处置")
    assert (found["state"], found["open"], found["closed_by"]) == ("closed", False, "王芳")
    assert "closed already" in (await post(client, f"{at}/close", 409, name="王芳"))["detail"]
    found = await post(client, f"{at}/archive", name="王芳")
    assert (found["state"], found["next_steps"]) == ("archived", [])
    assert "archived" in (await post(client, f"{at}/comment", 409, name="王芳", comment="x"))["detail"]
    detail = IncidentDetail.model_validate(await get(client, at))
    assert [file.id for file in detail.files] == [photo.id]
    assert [entry.kind for entry in detail.history if entry.kind.startswith("incident.re")] == [
        "incident.returned",
        "incident.reviewed",
    ]


async def test_the_grade_by_decision_and_the_accident_with_its_clock(office: tuple[Desk, Client]) -> None:
    desk, client = office
    await desk.happens("PI-1/H")
    at = f"incidents/{desk.number()}"
    found = await post(client, f"{at}/decide", grade="red", reason="现场目视", name="王芳")
    assert (found["grade"], found["decision"]["against"], found["reasons"][0]["rule"]) == ("red", None, "decided")
    found = await post(client, f"{at}/accident", accident_class="IV", dead=3, name="王芳")
    assert "class III by Order 493" in found["accident"]["warning"]
    assert [report["step"] for report in found["accident"]["reports"]] == ["to_county", "to_city"]
    assert "report_accident" in found["next_steps"]
    found = await post(client, f"{at}/accident", accident_class="III", dead=3, name="王芳", comment="更正")
    assert (found["accident"]["warning"], found["accident"]["corrections"]) == (None, 1)
    assert len(found["accident"]["reports"]) == 3
    found = await post(client, f"{at}/accident/report", step="to_county", name="赵厂长")
    assert found["accident"]["reports"][0]["name"] == "赵厂长"
    refused = await post(client, f"{at}/accident/report", 409, step="to_state_council", name="赵厂长")
    assert "due: to_city, to_province" in refused["detail"]
    refused = await post(
        client, f"{at}/accident", 409, accident_class="IV", confirmed_at="2099-01-01T00:00:00Z", name="x"
    )
    assert "in the future" in refused["detail"]
    refused = await post(client, f"{at}/accident/withdraw", 409, name="王芳", second="王芳", reason="误录")
    assert "different person" in refused["detail"]
    found = await post(client, f"{at}/accident/withdraw", name="王芳", second="张强", reason="误录")
    assert found["accident"] is None


@pytest.mark.parametrize(
    ("act", "body", "field"),
    [
        ("verify", {"result": "maybe"}, "result"),
        ("handle", {"step": "  "}, "step"),
        ("feedback", {"text": ""}, "text"),
        ("decide", {"grade": "purple", "reason": "x"}, "grade"),
        ("decide", {"grade": "red"}, "reason"),
        ("link", {"incident": 0}, "incident"),
        ("accident", {"accident_class": "V"}, "accident_class"),
        ("accident", {"accident_class": "IV", "dead": -1}, "dead"),
        ("accident", {"accident_class": "IV", "loss": "NaN"}, "loss"),
        ("accident/report", {"step": "to_moon"}, "step"),
        ("acknowledge", {"side": "press"}, "side"),
        ("acknowledge", {"grade": "purple"}, "grade"),
        ("acknowledge", {"side": "enterprise", "person": "  "}, "person"),
        ("decide", {"grade": "red", "reason": "x", "name": "  "}, "name"),
        ("comment", {"comment": "x", "name": "  "}, "name"),
        ("feedback", {"text": "x", "name": "  "}, "name"),
        ("acknowledge", {"side": "desk", "person": "李工"}, "body"),
    ],
)
async def test_a_body_at_fault_is_named(
    office: tuple[Desk, Client], act: str, body: dict[str, Any], field: str
) -> None:
    desk, client = office
    await desk.happens("PI-1/H")
    refused = await post(client, f"incidents/{desk.number()}/{act}", 400, **{"name": "王芳"} | body)
    assert refused["errors"][0]["field"] == field
    assert refused["errors"][0]["remedy"]


async def test_incidents_of_neighbours_are_suggested_linked_and_no_more_suggested(office: tuple[Desk, Client]) -> None:
    desk, client = office
    await desk.happens("PI-1/H")
    desk.time += 29 * 60_000
    await desk.happens("TI-9/H")
    one, two = desk.number(), desk.number("boiler")
    for here, there in ((one, two), (two, one)):
        detail = IncidentDetail.model_validate(await get(client, f"incidents/{here}"))
        assert [suggested.incident for suggested in detail.suggested_links] == [there]
    found = await post(client, f"incidents/{one}/link", incident=two, name="王芳", comment="同一次泄漏")
    assert [link["incident"] for link in found["links"]] == [two]
    assert (await get(client, f"incidents/{two}"))["suggested_links"] == []
    assert (await post(client, f"incidents/{one}/unlink", incident=two, name="王芳"))["links"] == []
    assert (
        "there is no incident 999"
        in (await post(client, f"incidents/{one}/link", 404, incident=999, name="x"))["detail"]
    )


async def test_what_began_long_after_is_not_suggested(office: tuple[Desk, Client]) -> None:
    desk, client = office
    await desk.happens("PI-1/H")
    desk.time += 31 * 60_000
    await desk.happens("TI-9/H")
    assert (await get(client, f"incidents/{desk.number()}"))["suggested_links"] == []


async def test_incidents_by_state_and_drill(office: tuple[Desk, Client]) -> None:
    desk, client = office
    await desk.happens("PI-1/H")
    await desk.happens("TI-9/H")
    await post(client, f"incidents/{desk.number()}/verify", result="real", name="王芳")

    async def listed(**query: Any) -> set[str]:
        return {item["unit"] for item in (await get(client, "incidents", **query))["items"]}

    assert await listed(state="open") == {"tankfarm", "boiler"}
    assert await listed(state="verified") == {"tankfarm"}
    assert await listed(state="triggered") == {"boiler"}
    assert await listed(state="closed") == set()
    assert await listed(drill="false") == {"tankfarm", "boiler"}
    assert await listed(drill="true") == set()
    assert await listed(drill="7") == set()
    answer = await client.get("/api/v1/incidents", params={"drill": "maybe"})
    assert (await answer.json())["errors"][0]["remedy"] == "Use true, false or the number of a drill."


async def test_an_incident_that_never_was(office: tuple[Desk, Client]) -> None:
    _, client = office
    assert (
        "there is no incident 5" in (await post(client, "incidents/5/verify", 404, name="x", result="real"))["detail"]
    )
    answer = await client.post("/api/v1/incidents/5/attachments", data=form(JPEG))
    assert answer.status == 404


# ---- files


@pytest.fixture
async def files(office: tuple[Desk, Client]) -> tuple[Desk, Client, str]:
    desk, client = office
    await desk.happens("PI-1/H")
    return desk, client, f"/api/v1/incidents/{desk.number()}/attachments"


def left_behind(desk: Desk) -> list[str]:
    return [path.name for path in desk.attachments.path("x").parent.iterdir()]


@pytest.mark.parametrize(
    ("content", "filename", "kind", "name"),
    [
        (JPEG, "现场 1.JPG", "image/jpeg", "现场 1.JPG"),
        (PNG, "screen.png", "image/png", "screen.png"),
        (WEBP, "a.webp", "image/webp", "a.webp"),
        (HEIC, "IMG_1.HEIC", "image/heic", "IMG_1.HEIC"),
        (HEIC_BY_COMPATIBILITY, "IMG_2.heif", "image/heic", "IMG_2.heif"),
        (PDF, "报告.pdf", "application/pdf", "报告.pdf"),
        (PNG, "evil.exe", "image/png", "evil.exe.png"),
        (PDF, "../../etc/passwd", "application/pdf", "passwd.pdf"),
        (PDF, "C:\\temp\\a.pdf", "application/pdf", "a.pdf"),
        (JPEG, "", "image/jpeg", "attachment.jpg"),
        (JPEG, "a\u202egpj.exe", "image/jpeg", "agpj.exe.jpg"),
        (JPEG, "%0d%0aX: 1.jpg", "image/jpeg", "X: 1.jpg"),
        (JPEG, "x" * 500 + ".jpg", "image/jpeg", "x" * 146 + ".jpg"),
    ],
)
async def test_a_file_is_what_its_content_says(
    files: tuple[Desk, Client, str], content: bytes, filename: str, kind: str, name: str
) -> None:
    desk, client, address = files
    answer = await client.post(address, data=form(content, filename))
    document = await answer.json()
    assert answer.status == 200, document
    made = Attachment.model_validate(document)
    assert (made.type, made.name, made.sha256) == (kind, name, hashlib.sha256(content).hexdigest())
    answer = await client.get(f"/api/v1/attachments/{made.id}")
    assert await answer.read() == content
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert left_behind(desk) == [made.sha256]


@pytest.mark.parametrize(
    ("content", "status", "remedy"),
    [
        (b"", 415, "choose the photo or document again"),
        (b"<html><script>alert(1)</script>", 415, "print the document to PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "send a photo"),
        (b"MZ\x90\x00" + bytes(300), 415, "send a photo"),
        (b"PK\x03\x04" + bytes(300), 415, "send a photo"),
        (b"GIF89a" + bytes(300), 415, "send a photo"),
        (AVIF, 415, "send a photo"),
        (b"\xff\xd8", 415, "send a photo"),
        (b"\x00\x00\x00\x00ftypheic", 415, "send a photo"),
        (b" %PDF-1.7", 415, "send a photo"),
    ],
)
async def test_what_is_no_photo_and_no_document_is_refused(
    files: tuple[Desk, Client, str], content: bytes, status: int, remedy: str
) -> None:
    desk, client, address = files
    answer = await client.post(address, data=form(content, "photo.jpg"))
    problem = models.Problem.model_validate(await answer.json())
    assert (answer.status, remedy in problem.detail) == (status, True)
    assert left_behind(desk) == []
    assert "attachments" not in desk.casebook.find(desk.number()).loop


async def test_a_file_may_be_larger_than_any_other_body_and_not_larger_than_the_limit(
    files: tuple[Desk, Client, str],
) -> None:
    desk, client, address = files
    limit = desk.closed_loop.attachments.bytes
    head = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n' + HEAD + JPEG

    async def sent(rest: int) -> AsyncIterator[bytes]:
        yield head
        for begin in range(0, rest, 1_000_000):
            yield bytes(min(1_000_000, rest - begin))
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await client.post(address, data=sent(limit - len(JPEG)), headers=headers)
    assert (answer.status, (await answer.json())["size"]) == (200, limit)
    answer = await client.post(address, data=sent(limit - len(JPEG) + 1), headers=headers)
    assert answer.status == 413
    assert "smaller picture" in (await answer.json())["detail"]
    assert len(left_behind(desk)) == 1
    answer = await client.post(address, data=b"x", headers=headers | {"Content-Length": "99999999"})
    assert answer.status == 413


@pytest.mark.parametrize(
    ("fields", "remedy"),
    [
        ({"name": ""}, "Give a value"),
        ({"name": "a\x00b"}, "control characters"),
        ({"grade": "red"}, "Remove it"),
        ({"comment": "x" * 3_000}, "at most 2000"),
        ({"comment": "x" * 20_000}, "longer than"),
        ({str(number): "x" for number in range(20)}, "too many fields"),
    ],
)
async def test_fields_beside_the_file_are_checked_and_nothing_is_left(
    files: tuple[Desk, Client, str], fields: dict[str, str], remedy: str
) -> None:
    desk, client, address = files
    answer = await client.post(address, data=form(JPEG, **fields))
    assert answer.status == 400
    assert remedy in (await answer.text())
    assert left_behind(desk) == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data", 400),
        (b"", "multipart/form-data; boundary=x", 400),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400),
        (b"no multipart at all", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\nno name\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
        (HEAD + JPEG, "multipart/form-data; boundary=x", 400),
        (HEAD + JPEG + b"\r\n" + HEAD + JPEG + b"\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n" + b"A: b\r\n" * 5_000, "multipart/form-data; boundary=x", 400),
        (b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--\r\n',
         "multipart/form-data; boundary=x", 400),
        (b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nz\r\n--y--\r\n--x--\r\n",
         "multipart/form-data; boundary=x", 400),
        (HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 999999\r\n\r\n") + JPEG + b"\r\n--x--\r\n",
         "multipart/form-data; boundary=x", 400),
    ],
    ids=range(12),
)  # fmt: skip
async def test_bodies_that_are_no_form(files: tuple[Desk, Client, str], body: bytes, kind: str, status: int) -> None:
    desk, client, address = files
    answer = await client.post(address, data=body, headers={"Content-Type": kind})
    assert answer.status == status, await answer.text()
    models.Problem.model_validate(await answer.json())
    assert left_behind(desk) == []


async def test_a_caller_that_goes_away_in_the_middle_leaves_nothing(files: tuple[Desk, Client, str]) -> None:
    desk, client, address = files
    url = client.make_url(address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        f"POST {address} HTTP/1.1\r\nHost: x\r\nAuthorization: {HEADERS['Authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000000\r\n\r\n".encode()
        + HEAD + JPEG + bytes(1_000_000)
    )  # fmt: skip
    await writer.drain()
    deadline = asyncio.get_running_loop().time() + 5
    while not left_behind(desk):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    writer.close()
    while left_behind(desk):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    del reader


async def test_a_disk_without_room_is_said(files: tuple[Desk, Client, str]) -> None:
    desk, client, address = files
    desk.attachments = AttachmentStore(Path("/proc/nowhere"))
    answer = await client.post(address, data=form(JPEG))
    assert answer.status == 507
    assert "cannot be stored" in (await answer.json())["detail"]


async def test_a_file_is_sent_whole_whatever_part_is_asked_for(files: tuple[Desk, Client, str]) -> None:
    """The OpenAPI document names no other answer."""
    _, client, address = files
    made = await (await client.post(address, data=form(JPEG))).json()
    for asked in ({"Range": "bytes=0-1"}, {"Range": "bytes=99999-"}, {"Range": "x"}, {"If-Match": '"x"'}):
        answer = await client.get(f"/api/v1/attachments/{made['id']}", headers=asked)
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", JPEG)


async def test_a_file_that_is_gone_from_the_disk_is_said(files: tuple[Desk, Client, str]) -> None:
    desk, client, address = files
    made = await (await client.post(address, data=form(JPEG))).json()
    desk.attachments.path(made["sha256"]).unlink()
    answer = await client.get(f"/api/v1/attachments/{made['id']}")
    assert (answer.status, "restore" in (await answer.json())["detail"]) == (404, True)
    assert (await client.get("/api/v1/attachments/99")).status == 404


async def test_without_a_token_no_file_comes_in_or_goes_out(files: tuple[Desk, Client, str]) -> None:
    desk, client, address = files
    wrong = {"Authorization": "Bearer wrong"}
    assert (await client.post(address, data=form(JPEG), headers=wrong)).status == 401
    assert (await client.get("/api/v1/attachments/1", headers=wrong)).status == 401
    assert left_behind(desk) == []


async def test_parts_may_come_in_any_order(files: tuple[Desk, Client, str]) -> None:
    _, client, address = files
    with MultipartWriter("form-data") as writer:
        writer.append("李工").set_content_disposition("form-data", name="name")
        writer.append(PNG).set_content_disposition("form-data", name="file", filename="a.png")
    assert (await client.post(address, data=writer)).status == 200


def test_what_was_never_received_in_full_is_removed_at_the_next_start(tmp_path: Path) -> None:
    store = AttachmentStore(tmp_path / "attachments")
    store.open()
    (tmp_path / "attachments" / "abc.part").write_bytes(JPEG)
    (tmp_path / "attachments" / "ab").write_bytes(JPEG)
    store.open()
    assert [path.name for path in (tmp_path / "attachments").iterdir()] == ["ab"]
