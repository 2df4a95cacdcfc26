"""Changes and previews over HTTP: what is answered, what is refused and with which words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alerting.ledger.ledger import Ledger
from alerting.records import Change
from historian.protocol import Samples
from service.api import changes_models, models, tuning_models
from service.changes import control
from tests.api_service import HEADERS, NOW, Client, FakeHistorian, FakeService, api, away, make_changes, sqlite_ledger

H = {"enterprise": "huarui", "tag": "GT-101", "rule": "H"}
DAY = 86_400_000


class CommittingService(FakeService):
    """Acts are put into the ledger."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        super().__init__(ledger.engine)
        self._ledger = ledger
        self.changes = make_changes(self, folder)

    async def act(self, act: Callable[[Any, int, Change], Any]) -> Any:
        change = Change()
        done = act(SimpleNamespace(site=self.site), NOW, change)
        await self._ledger.commit(change)
        return done


class Slow(FakeHistorian):
    """Never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.given_up = asyncio.Event(), asyncio.Event()

    async def read(self, path: str, start: int, end: int, limit: int) -> Samples:
        del path, start, end, limit
        self.begun.set()
        try:
            await asyncio.sleep(3_600)
        finally:
            self.given_up.set()
        raise AssertionError


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[CommittingService]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        made = CommittingService(ledger, tmp_path / "trials")
        yield made
        await made.changes.close()


@pytest.fixture
async def client(service: CommittingService) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def post(client: Client, path: str, body: Any, status: int = 200) -> Any:
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert answer.status == status, await answer.text()
    found = await answer.json()
    if status != 200:
        models.Problem.model_validate(found)
    return found


async def get(client: Client, path: str, status: int = 200) -> Any:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status == status, await answer.text()
    return await answer.json()


async def propose(client: Client, **figures: Any) -> int:
    body = {"name": "李工", "reason": "抖动", "edits": [{**H, **figures}]}
    made = changes_models.RuleChange.model_validate(await post(client, "changes", body))
    assert (made.state, made.name, made.actor) == ("proposed", "李工", "county duty desk")
    return made.id


async def test_a_change_from_its_proposal_to_its_approval(client: Client) -> None:
    identity = await propose(client, setpoint=12)
    refused = await post(client, f"changes/{identity}/approve", {"name": "张强"}, 409)
    assert "loosens huarui/GT-101/H" in refused["detail"]
    assert f"POST /api/v1/changes/{identity}/backtest" in refused["detail"]
    begun = await post(client, f"changes/{identity}/backtest", {"days": 1})
    assert (begun["backtest"]["state"], begun["missing"]) == ("running", ["backtest", "approval"])
    async with asyncio.timeout(30):
        while (found := await get(client, f"changes/{identity}"))["backtest"]["state"] == "running":
            await asyncio.sleep(0.05)
    detail = changes_models.RuleChangeDetail.model_validate(found)
    assert detail.state == "backtested"
    assert detail.backtest is not None
    assert (detail.backtest.readings, detail.backtest.progress) == (86_400, 1.0)
    assert detail.result is not None
    assert set(detail.result.before.rules) == {"huarui/GT-101/H"}
    assert [entry.kind for entry in detail.history] == [
        "change.proposed",
        "change.backtest_begun",
        "change.backtested",
    ]
    assert detail.history[-1].data["digest"] == detail.backtest.digest
    approved = await post(client, f"changes/{identity}/approve", {"name": "张强", "comment": "看过"})
    assert approved["approval"] == {
        "name": "张强",
        "actor": "county duty desk",
        "comment": "看过",
        "at": approved["updated_at"],
    }
    assert approved["next_acts"] == ["reject", "withdraw", "shadow", "apply"]
    scheduled = await post(client, f"changes/{identity}/apply", {"name": "张强", "at": "2099-01-01T00:00:00+08:00"})
    assert scheduled["schedule"]["due"] == "2098-12-31T16:00:00.000Z"


async def test_changes_are_listed_by_their_state_in_pages(client: Client) -> None:
    numbers = [await propose(client, setpoint=limit) for limit in (9, 8, 7)]
    await post(client, f"changes/{numbers[0]}/withdraw", {"name": "李工"})
    page = changes_models.RuleChangePage.model_validate(await get(client, "changes?limit=2"))
    assert [item.id for item in page.items] == [numbers[2], numbers[1]]
    rest = changes_models.RuleChangePage.model_validate(await get(client, f"changes?after={page.next}"))
    assert [(item.id, item.state) for item in rest.items] == [(numbers[0], "withdrawn")]
    assert [item["id"] for item in (await get(client, "changes?state=open"))["items"]] == [numbers[2], numbers[1]]
    assert (await get(client, "changes?state=live"))["items"] == []
    over = await post(client, f"changes/{numbers[0]}/approve", {"name": "张强"}, 409)
    assert "is withdrawn" in over["detail"]
    await get(client, "changes/99999", 404)


@pytest.mark.parametrize(
    ("edit", "field", "message"),
    [
        ({"enterprise": "nobody", "setpoint": 1}, "edits.0.enterprise", "no enterprise 'nobody'"),
        ({"enterprise": "anshao", "setpoint": 1}, "edits.0.enterprise", "no enterprise 'anshao'"),
        ({"tag": "GT-999", "setpoint": 1}, "edits.0.tag", "no tag 'huarui/GT-999'"),
        ({"rule": "LL", "setpoint": 1}, "edits.0.rule", "has no rule 'LL'"),
        ({"window_ms": 1_000}, "edits.0.window_ms", "has no window that can be tuned"),
        ({"setpoint": 200}, "edits.0.setpoint", "outside the range"),
        ({"setpoint": 20}, "edits.0.setpoint", "H 20 is not below HH 20"),
        ({"setpoint": 10}, "edits.0.rule", "is so already"),
        ({"deadband": 50}, "edits.0.deadband", "can never clear"),
        ({}, "edits.0", "changes nothing"),
        ({"on_delay_ms": 86_400_001}, "edits.0.on_delay_ms", "less than or equal to 86400000"),
        ({"off_delay_ms": 86_400_001}, "edits.0.off_delay_ms", "less than or equal to 86400000"),
        ({"rule": "STALE", "window_ms": 32 * 86_400_000}, "edits.0.window_ms", "less than or equal to 2678400000"),
        ({"deadband": -1}, "edits.0.deadband", "greater than or equal to 0"),
        ({"setpoint": 1, "limit": 1}, "edits.0.limit", "not permitted"),
    ],
)
async def test_what_cannot_be_proposed_names_field_and_remedy(
    client: Client, edit: dict[str, Any], field: str, message: str
) -> None:
    body = {"name": "李工", "reason": "x", "edits": [{**H, **edit}]}
    refused = await post(client, "changes", body, 400)
    (error,) = refused["errors"]
    assert error["field"] == field
    assert message in error["message"]
    assert error["remedy"]


async def test_rules_of_a_unit_that_can_be_tuned(client: Client) -> None:
    listed = tuning_models.TuningRuleList.model_validate(
        await get(client, "tuning/rules?enterprise=huarui&unit=tankfarm")
    )
    assert [tag.tag for tag in listed.items] == ["GT-101", "GT-102", "TI-201"]
    rules = {rule.key: rule for rule in listed.items[0].rules}
    assert list(rules) == ["H", "HH", "RISE", "STALE"]
    assert (rules["H"].setpoint, rules["H"].default, rules["H"].window_ms) == (10.0, True, None)
    assert (rules["RISE"].window_ms, rules["STALE"].setpoint) == (60_000, None)
    first = await get(client, "tuning/rules?enterprise=huarui&unit=tankfarm&limit=2")
    rest = await get(client, f"tuning/rules?enterprise=huarui&unit=tankfarm&after={first['next']}")
    assert [tag["tag"] for tag in first["items"] + rest["items"]] == ["GT-101", "GT-102", "TI-201"]
    assert rest["next"] is None
    await get(client, "tuning/rules?enterprise=huarui&unit=nowhere", 404)
    await get(client, "tuning/rules?enterprise=anshao&unit=service", 404)


async def test_a_preview_compares_what_was_with_what_would_have_been(client: Client) -> None:
    body = {"enterprise": "huarui", "tag": "GT-101", "days": 1, "rules": [{"key": "H", "setpoint": 1.0}, {"key": "HH"}]}
    found = tuning_models.Preview.model_validate(await post(client, "tuning/preview", body))
    assert (found.readings, found.loosened) == (86_400, [])
    assert found.before.rules["H"].count == 0
    assert found.after.rules["H"].count == 1, "the fake history is 1.5 all the time"
    assert found.after.rules["H"].episodes[0].left_at is None
    assert [episode.rule for episode in found.added] == ["H"]
    assert (found.counts["added"], found.counts["removed"]) == (1, 0)
    narrow = {**body, "rules": [{"key": "H", "setpoint": 12.0}]}
    assert (await post(client, "tuning/preview", narrow))["loosened"] == ["H"]


async def test_previews_of_the_same_time_read_the_historian_once(client: Client, service: CommittingService) -> None:
    body = {"enterprise": "huarui", "tag": "GT-101", "days": 1, "rules": [{"key": "H", "setpoint": 9.0}]}
    await post(client, "tuning/preview", body)
    asked = len(service.historian.asked)
    await post(client, "tuning/preview", {**body, "rules": [{"key": "H", "setpoint": 8.0}]})
    assert len(service.historian.asked) == asked


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"days": 32}, "days"),
        ({"days": 1, "from": "2026-01-01T00:00:00Z"}, "both days and from or to"),
        ({"to": "2026-01-01T00:00:00Z"}, "to without from"),
        ({"from": "2020-01-01T00:00:00Z"}, "at most 31 days"),
        ({"from": "2099-01-01T00:00:00Z"}, "beginning in the past"),
        ({"rules": [{"key": "X"}]}, "rules.0.rule: huarui/GT-101 has no rule 'X'"),
        ({"rules": [{"key": "H"}, {"key": "H"}]}, "a rule is given twice"),
        ({"tag": "GT-9"}, "no tag"),
    ],
)
async def test_a_preview_that_cannot_be_says_what_to_do(client: Client, given: dict[str, Any], detail: str) -> None:
    body = {"enterprise": "huarui", "tag": "GT-101", "rules": [{"key": "H", "setpoint": 9}], **given}
    assert detail in (await post(client, "tuning/preview", body, 400))["detail"]


async def test_a_preview_of_too_much_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MOST_PREVIEWED", 50_000)
    body = {"enterprise": "huarui", "tag": "GT-101", "days": 1, "rules": [{"key": "H", "setpoint": 9}]}
    refused = await post(client, "tuning/preview", body, 400)
    assert "more than 50,000 readings in 1 days of 1 tags: ask for fewer days" in refused["detail"]


async def test_a_preview_without_the_historian_may_be_asked_for_again(
    client: Client, service: CommittingService
) -> None:
    service.historian.fault = away()
    body = {"enterprise": "huarui", "tag": "GT-101", "rules": [{"key": "H", "setpoint": 9}]}
    assert "the historian is unavailable" in (await post(client, "tuning/preview", body, 503))["detail"]


async def test_a_preview_is_given_up_when_its_caller_goes(client: Client, service: CommittingService) -> None:
    service.historian = slow = Slow()
    body = {"enterprise": "huarui", "tag": "GT-101", "rules": [{"key": "H", "setpoint": 9}]}
    asking = asyncio.create_task(client.post("/api/v1/tuning/preview", json=body))
    async with asyncio.timeout(10):
        await slow.begun.wait()
        asking.cancel()
        await slow.given_up.wait()
    await asyncio.gather(asking, return_exceptions=True)


async def test_previews_that_were_given_up_do_not_answer_for_the_next(
    client: Client, service: CommittingService
) -> None:
    body = {"enterprise": "huarui", "tag": "GT-101", "days": 1, "rules": [{"key": "H", "setpoint": 9.0}]}
    await post(client, "tuning/preview", body)
    worker = service.changes._workshop._benches["preview"]._worker
    process = worker._process
    for _ in range(3):
        asking = asyncio.create_task(client.post("/api/v1/tuning/preview", json=body))
        async with asyncio.timeout(10):
            while worker._under_way is None:
                await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    lower = {**body, "rules": [{"key": "H", "setpoint": 1.0}]}
    found = await post(client, "tuning/preview", lower)
    assert found["after"]["rules"]["H"]["count"] == 1
    assert worker._process is process, "no process had to be started for it"
