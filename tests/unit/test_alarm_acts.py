"""Acts on alarms over the API: a real register and a real ledger behind it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from alerting.alarms.register import Register
from alerting.incidents.grading import load_grading
from alerting.journal.journal import Journal
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.clock import iso
from domain.transitions import Transition
from service.api import alarms_models, models
from tests.api_service import HEADERS, NOW, Client, FakeService, api, sqlite_ledger

HOUR = 3_600_000


class RealActs(FakeService):
    """A service whose acts are done and committed."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.engine)
        self.real = Register(self.site, load_grading(), Journal())
        self.books = ledger

    async def act(self, act: Callable[[Any, int, Change], Any]) -> Any:
        change = Change()
        result = act(self.real, NOW, change)
        if not change.is_empty:
            await self.books.commit(change)
        return result

    async def enters(self, *paths: str) -> list[int]:
        """Conditions enter."""
        rows = [self.site.rule_row(path) for path in paths]
        transitions = [Transition(row, True, NOW - 1_000, NOW, 21.5) for row in rows]  # noqa: FBT003 - it enters
        await self.act(lambda register, now, change: register.apply(transitions, now, change))
        return [found.id for path in paths if (found := self.real.find(path))]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[RealActs]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        yield RealActs(ledger)


@pytest.fixture
async def client(service: RealActs) -> AsyncIterator[Client]:
    async with api(service) as found:
        found.session.headers.update(HEADERS)
        yield found


async def post(client: Client, path: str, status: int = 200, **body: Any) -> Any:
    async with client.post(f"/api/v1{path}", json={"name": "王芳"} | body) as answer:
        document = await answer.json()
        assert answer.status == status, document
        if status >= 400:
            models.Problem.model_validate(document)
        return document


async def get(client: Client, path: str, **query: Any) -> Any:
    async with client.get(f"/api/v1{path}", params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_a_selection_is_acknowledged(service: RealActs, client: Client) -> None:
    first, second = await service.enters("huarui/GT-101/H", "huarui/GT-101/STALE")
    answer = await post(client, "/alarms/acknowledge", ids=[second, 77, second], comment="seen")
    alarms_models.AcknowledgeResults.model_validate(answer)
    assert [(each["id"], each["refusal"]) for each in answer["results"]] == [
        (second, None), (77, "alarm 77 is not active"),
    ]  # fmt: skip
    assert answer["results"][0]["alarm"]["state"] == "acknowledged"
    assert (await get(client, f"/alarms/{first}"))["state"] == "unacknowledged"
    await post(client, "/alarms/acknowledge", 400, ids=[])
    await post(client, "/alarms/acknowledge", 400, ids=list(range(1, 1_002)))


async def test_a_shelf_from_its_beginning_to_its_end(service: RealActs, client: Client) -> None:
    (identity,) = await service.enters("huarui/GT-101/H")
    shelved = await post(client, f"/alarms/{identity}/shelve", reason="calibration", duration="2h")
    assert (shelved["suppression"], shelved["suppressed_until"]) == ("shelved", iso(NOW + 2 * HOUR))
    assert (await get(client, "/alarms", active="true"))["items"] == []
    assert [each["id"] for each in (await get(client, "/alarms", suppressed="true"))["items"]] == [identity]
    listed = await get(client, "/suppressed")
    alarms_models.SuppressedList.model_validate(listed)
    assert [(each["alarm"], each["reason"], each["by"]) for each in listed["items"]] == [
        (identity, "calibration", "王芳")
    ]
    problem = await post(client, f"/alarms/{identity}/shelve", 409, reason="calibration", duration="3h")
    assert "new reason" in problem["detail"]
    await post(client, f"/alarms/{identity}/shelve", 409, reason="other", duration="9h")
    alarms_models.Shelf.model_validate(await post(client, f"/alarms/{identity}/unshelve", comment="done"))
    assert (await get(client, "/suppressed"))["items"] == []
    history = (await get(client, f"/alarms/{identity}"))["history"]
    assert [entry["kind"] for entry in history][-3:] == ["alarm.shelved", "alarm.unshelved", "alarm.annunciated"]
    await post(client, f"/alarms/{identity}/unshelve", 409)
    await post(client, "/alarms/999/shelve", 404, reason="x", duration="1h")
    await post(client, f"/alarms/{identity}/shelve", 400, reason=" ", duration="1h")


async def test_a_comment(service: RealActs, client: Client) -> None:
    (identity,) = await service.enters("huarui/GT-101/H")
    assert (await post(client, f"/alarms/{identity}/comment", comment="patrol sent"))["comment"] == "patrol sent"
    assert (await get(client, f"/alarms/{identity}"))["history"][-1]["kind"] == "alarm.commented"
    await post(client, f"/alarms/{identity}/comment", 400, comment="")
    await post(client, "/alarms/999/comment", 404, comment="x")


async def test_maintenance(service: RealActs, client: Client) -> None:
    (identity,) = await service.enters("huarui/GT-101/H")
    place: dict[str, Any] = {"scope": "tag", "enterprise": "huarui", "target": "GT-101", "reason": "calibration"}
    running = await post(client, "/maintenance", **place, ends_at=iso(NOW + HOUR))
    alarms_models.Maintenance.model_validate(running)
    assert (running["state"], running["began_at"]) == ("running", iso(NOW))
    assert (await get(client, f"/alarms/{identity}"))["suppression"] == "out_of_service"
    later = await post(client, "/maintenance", **place, begins_at=iso(NOW + HOUR), ends_at=iso(NOW + 2 * HOUR))
    page = await get(client, "/maintenance", state="announced")
    alarms_models.MaintenancePage.model_validate(page)
    assert [each["id"] for each in page["items"]] == [later["id"]]
    await post(client, f"/maintenance/{later['id']}/end", 409)
    assert (await post(client, f"/maintenance/{later['id']}/cancel"))["state"] == "cancelled"
    assert (await post(client, f"/maintenance/{running['id']}/end"))["ended_by"] == "王芳"
    await post(client, f"/maintenance/{running['id']}/end", 404)
    await post(client, "/maintenance", 404, **place | {"target": "XX"}, ends_at=iso(NOW + HOUR))
    await post(client, "/maintenance", 409, **place, ends_at=iso(NOW))


async def test_the_sound(service: RealActs, client: Client) -> None:
    (identity,) = await service.enters("huarui/GT-101/H")
    target: dict[str, Any] = {"scope": "unit", "target": "huarui/tankfarm", "reason": "on it"}
    silence = await post(client, "/sound/silence", **target, duration="5min")
    alarms_models.Silence.model_validate(silence)
    desk = await post(client, "/sound/silence", scope="desk", target="370000", reason="on it", duration="1min")
    listed = await get(client, "/sound")
    alarms_models.SilenceList.model_validate(listed)
    assert [each["id"] for each in listed["items"]] == [desk["id"], silence["id"]]
    assert (await post(client, "/sound/resume", silence=silence["id"]))["ended_by"] == "王芳"
    assert (await post(client, "/sound/silence", scope="alarm", target=str(identity), reason="x", duration="1min"))[
        "id"
    ]
    await post(client, "/sound/resume", 404, silence=silence["id"])
    await post(client, "/sound/silence", 409, **target, duration="11min")
    await post(client, "/sound/silence", 404, **target | {"target": "huarui/nowhere"}, duration="1min")
    await post(client, "/sound/silence", 404, scope="desk", target="nowhere", reason="x", duration="1min")
    await post(client, "/sound/silence", 400, scope="alarm", target="GT-101", reason="x", duration="1min")
    await post(client, "/sound/silence", 400, **target | {"target": "tankfarm"}, duration="1min")
    assert (await get(client, f"/alarms/{identity}"))["history"][-1]["kind"] == "sound.silenced"
