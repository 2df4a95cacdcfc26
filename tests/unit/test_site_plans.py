"""Site plans: what acts do, what the journal and the ledger have of it, and the API's part."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from alerting.journal.journal import Journal
from alerting.records import Change
from alerting.refusals import Conflict, NotFound
from alerting.siteplans.images import LARGEST, PlanImages
from alerting.siteplans.plans import MOST_PLANS, MOST_TAGS, Image, Place, Signed, SitePlan, SitePlans, load
from tests.api_service import HEADERS, Client, FakeService, api, sqlite_ledger
from tests.unit.test_site_plan_pictures import png

IMAGE = Image("image/png", 70, "ab" * 32, 300, 200)
SIGNED = Signed("engineer", "李工", "按竣工图", "370783")
PLANS = "/api/v1/site-plans"
GIVEN = {"enterprise": "huarui", "unit": "tankfarm", "title": "罐区平面图", "name": "李工"}


def added(plans: SitePlans, change: Change, *, title: str = "罐区平面图") -> SitePlan:
    return plans.add("huarui", "tankfarm", title, IMAGE, SIGNED, 1_000, change)


async def test_the_ledger_has_what_acts_did_and_the_journal_says_it(tmp_path: Path) -> None:
    async with sqlite_ledger(tmp_path) as (ledger, journal):
        await ledger.start()
        plans = SitePlans(journal)
        change = Change()
        first, second = added(plans, change), added(plans, change, title="总图")
        await ledger.commit(change)
        change = Change()
        placed = {"GT-101": Place(0.25, 0.5), "GT-102": Place(1, 0)}
        plan = plans.arrange(first.id, first.version, placed, [], SIGNED, 2_000, change)
        plan = plans.rename(first.id, "新图", SIGNED, 2_000, change)
        await ledger.commit(change)
        change = Change()
        plan = plans.arrange(first.id, plan.version, {"GT-101": Place(0, 1)}, ["GT-102"], SIGNED, 3_000, change)
        plans.remove(second.id, SIGNED, 3_000, change)
        await ledger.commit(change)
        bodies = [json.loads(entry.body) for entry in change.entries]
        assert [(body["kind"], body["data"].get("tags")) for body in bodies] == [
            ("site_plan.tags_placed", {"GT-101": [0, 1]}),
            ("site_plan.tags_removed", ["GT-102"]),
            ("site_plan.removed", None),
        ]
        assert {(body["region"], body["enterprise"], body["unit"]) for body in bodies} == {
            ("370783", "huarui", "tankfarm")
        }
        again = await load(ledger.engine, Journal())
    assert again.of("huarui") == plans.of("huarui") == [plan]
    assert plan.tags == {"GT-101": Place(0, 1)}
    assert plan.title == "新图"


def test_what_cannot_be_done_is_refused_and_changes_nothing() -> None:
    plans, change = SitePlans(Journal()), Change()
    plan = added(plans, change)
    entries = len(change.entries)
    too_many = {f"T-{number}": Place(0, 0) for number in range(MOST_TAGS + 1)}
    with pytest.raises(Conflict, match="at most 300"):
        plans.arrange(plan.id, plan.version, too_many, [], SIGNED, 2, change)
    with pytest.raises(Conflict, match="somebody else"):
        plans.arrange(plan.id, plan.version - 1, {"T-1": Place(0, 0)}, [], SIGNED, 2, change)
    with pytest.raises(NotFound, match="no site plan 77"):
        plans.remove(77, SIGNED, 2, change)
    assert plans.arrange(plan.id, plan.version, {}, ["T-9"], SIGNED, 2, change) == plan
    assert (len(change.entries), plans.of("huarui"), plans.of("heishan")) == (entries, [plan], [])
    for _ in range(MOST_PLANS - 1):
        added(plans, change)
    with pytest.raises(Conflict, match="50 site plans"):
        added(plans, change)


def test_the_folder_forgets_what_was_never_written_in_full(tmp_path: Path) -> None:
    images = PlanImages(tmp_path / "plans")
    images.open()
    (tmp_path / "plans" / "x.part").write_bytes(b"half")
    images.open()
    kept = images.keep(png())
    assert images.keep(png()) == kept
    assert [path.name for path in (tmp_path / "plans").iterdir()] == [kept.sha256]
    assert images.path(kept.sha256).read_bytes() == png()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeService]:
    async with sqlite_ledger(tmp_path, 4) as (ledger, _):
        service = FakeService(ledger.engine)
        service.site_plan_images = PlanImages(tmp_path / "plans")
        service.site_plan_images.open()
        yield service


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def add(client: Client, data: bytes = png(300, 200), kind: str = "image/png", **given: str) -> tuple[int, Any]:
    answer = await client.post(PLANS, params=GIVEN | given, data=io.BytesIO(data), headers={"Content-Type": kind})
    return answer.status, await answer.json()


async def test_an_image_comes_in_and_out_and_can_be_asked_for_again(client: Client) -> None:
    status, plan = await add(client, kind="application/octet-stream")
    assert (status, plan["type"], plan["width"], plan["height"], plan["tags"]) == (200, "image/png", 300, 200, [])
    listed = await (await client.get(PLANS, params={"enterprise": "huarui"})).json()
    assert listed == {"items": [plan]}
    image = await client.get(f"{PLANS}/{plan['id']}/image")
    assert await image.read() == png(300, 200)
    assert image.headers["Content-Type"] == "image/png"
    assert image.headers["X-Content-Type-Options"] == "nosniff"
    assert image.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    again = await client.get(f"{PLANS}/{plan['id']}/image", headers={"If-None-Match": image.headers["ETag"]})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", image.headers["ETag"])
    part = await client.get(f"{PLANS}/{plan['id']}/image", headers={"Range": "bytes=9999-"})
    assert (part.status, await part.read()) == (200, png(300, 200)), "images are sent whole"


async def test_tags_are_placed_renamed_and_removed_over_the_api(client: Client) -> None:
    _, plan = await add(client)
    body = {"version": plan["version"], "place": [{"tag": "GT-101", "x": 0.25, "y": 1}], "name": "李工"}
    placed = await client.post(f"{PLANS}/{plan['id']}/tags", json=body)
    assert (await placed.json())["tags"] == [{"tag": "GT-101", "x": 0.25, "y": 1.0}]
    late = await client.post(f"{PLANS}/{plan['id']}/tags", json=body)
    assert late.status == 409
    renamed = await client.post(f"{PLANS}/{plan['id']}/rename", json={"title": " 总图 ", "name": "李工"})
    assert (await renamed.json())["title"] == "总图"
    gone = await client.post(f"{PLANS}/{plan['id']}/remove", json={"name": "李工", "comment": "旧图"})
    assert await gone.json() == {"id": plan["id"]}
    for answer in (
        await client.get(f"{PLANS}/{plan['id']}/image"),
        await client.post(f"{PLANS}/{plan['id']}/remove", json={"name": "李工"}),
    ):
        assert answer.status == 404


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ([{"tag": "GT-999", "x": 0, "y": 0}], 409),
        ([{"tag": "@gw1", "x": 0, "y": 0}], 409),
        ([{"tag": "GT-101", "x": 1.01, "y": 0}], 400),
        ([{"tag": "GT-101", "x": -0.01, "y": 0}], 400),
        ([{"tag": "GT-101", "x": None, "y": 0}], 400),
        ([{"tag": "GT-101", "x": 0, "y": 0}, {"tag": "GT-101", "x": 1, "y": 1}], 400),
    ],
)
async def test_places_that_cannot_be_are_refused(client: Client, place: list[dict[str, Any]], status: int) -> None:
    _, plan = await add(client)
    body = {"version": plan["version"], "place": place, "name": "李工"}
    assert (await client.post(f"{PLANS}/{plan['id']}/tags", json=body)).status == status


@pytest.mark.parametrize(
    ("data", "kind", "given", "status", "words"),
    [
        (b"<svg><script>alert(1)</script></svg>", "image/png", {}, 415, "no PNG, JPEG or WebP"),
        (png(), "image/svg+xml", {}, 415, "image/webp"),
        (png(9_000, 9_000), "image/png", {}, 415, "make it smaller"),
        (png()[:-20], "image/png", {}, 415, "damaged"),
        (bytes(LARGEST + 1), "image/png", {}, 413, "10,000,000"),
        (png(), "image/png", {"enterprise": "anshao"}, 404, "enterprise"),
        (png(), "image/png", {"unit": "gateways"}, 404, "unit"),
        (png(), "image/png", {"title": "  "}, 400, "title"),
        (png(), "image/png", {"title": "a\x07"}, 400, "title"),
    ],
)
async def test_what_cannot_be_taken_is_refused_and_nothing_is_left(
    service: FakeService, client: Client, data: bytes, kind: str, given: dict[str, str], status: int, words: str
) -> None:
    got, problem = await add(client, data, kind, **given)
    assert (got, words in problem["detail"]) == (status, True), problem
    assert service.site_plans.of("huarui") == []
    assert list(service.site_plan_images.path("").iterdir()) == []


async def test_a_file_that_is_gone_from_the_disk_is_named(service: FakeService, client: Client) -> None:
    _, plan = await add(client)
    service.site_plan_images.path(plan["sha256"]).unlink()
    answer = await client.get(f"{PLANS}/{plan['id']}/image")
    assert (answer.status, plan["sha256"] in (await answer.json())["detail"]) == (404, True)
