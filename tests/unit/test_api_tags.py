"""Tags, their status, and their samples."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.ledger.ledger import Ledger
from alerting.records import Change
from domain.clock import iso
from domain.scales import AlarmState, QualityReason, RuleKind
from service.api import models, watched_models
from service.api.catalogue import Catalogue, TagFilter
from service.api.watched import MOST_BUCKETS
from tests.api_service import HEADERS, NOW, Client, FakeService, api, make_alarm, make_site, sqlite_ledger

SITE = make_site()
MEASURED = sorted((tag.enterprise, tag.name) for tag in SITE.tags if not tag.system)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    async with sqlite_ledger(tmp_path) as (ledger, _):
        yield ledger


@pytest.fixture
async def service(ledger: Ledger) -> FakeService:
    return FakeService(ledger.engine)


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[Client]:
    async with api(service) as client:
        client.session.headers.update(HEADERS)
        yield client


async def tag(client: Client, name: str) -> dict[str, Any]:
    items = (await (await client.get("/api/v1/tags", params={"enterprise": "huarui"})).json())["items"]
    found: dict[str, Any] = next(item for item in items if item["tag"] == name)
    return found


async def raise_alarm(ledger: Ledger, rule: int, identity: int, state: AlarmState) -> None:
    change = Change()
    row, changes = SITE.rules.row(rule), {"state": state, "condition": state is AlarmState.UNACKNOWLEDGED}
    alarm = make_alarm(rule, SITE, id=identity, **changes)
    assert alarm.rule == row.key
    change.alarms[identity] = alarm
    await ledger.commit(change)


async def test_a_tag_tells_its_limits_and_not_its_other_rules(client: Client, service: FakeService) -> None:
    service.read(0, NOW, 7.5)
    document = await tag(client, "GT-101")
    watched_models.Tag.model_validate(document)
    assert [(limit["key"], limit["kind"], limit["default"]) for limit in document["limits"]] == [
        ("H", "high", True),
        ("HH", "high", False),
        ("RISE", "rise", False),
    ]
    assert document["range"] == [0, 100]
    assert document["latest"] == {
        "value": 7.5,
        "quality": 192,
        "reason": 0,
        "source_time": iso(NOW),
        "received_time": iso(NOW + 100),
    }
    assert (await tag(client, "TI-201"))["range"] == [None, None]


async def test_status_is_the_worst_that_is_known(client: Client, service: FakeService, ledger: Ledger) -> None:
    assert (await tag(client, "GT-101"))["status"] == "unknown"
    assert (await tag(client, "TI-201"))["status"] == "unknown"
    service.read(0, NOW, 7.5)
    service.read(2, NOW, 7.5)
    assert (await tag(client, "GT-101"))["status"] == "normal"
    assert (await tag(client, "TI-201"))["status"] == "no_limits"
    service.read(0, NOW + 1, float("nan"), quality=0)
    assert (await tag(client, "GT-101"))["status"] == "bad"
    assert (await tag(client, "GT-101"))["latest"]["value"] is None
    service.latest.reason[0] = QualityReason.STALE
    assert (await tag(client, "GT-101"))["status"] == "stale"
    await raise_alarm(ledger, 5, 7, AlarmState.UNACKNOWLEDGED)
    assert SITE.rules.kind[5] == RuleKind.BAD
    assert (await tag(client, "TI-201"))["status"] == "bad"
    service.read(0, NOW + 2, 7.5)
    service.latest.reason[0] = 0
    await raise_alarm(ledger, 3, 8, AlarmState.UNACKNOWLEDGED)
    assert (await tag(client, "GT-101"))["status"] == "stale"
    await raise_alarm(ledger, 1, 9, AlarmState.RETURNED_UNACKNOWLEDGED)
    assert (await tag(client, "GT-101"))["status"] == "stale"
    await raise_alarm(ledger, 0, 10, AlarmState.UNACKNOWLEDGED)
    assert (await tag(client, "GT-101"))["status"] == "alarm"
    assert (await tag(client, "GT-102"))["status"] == "unknown"


optional = st.none() | st.sampled_from(["huarui", "heishan", "tankfarm", "fan", "temperature", "h2s", "nothing"])


filters = st.builds(
    TagFilter,
    enterprise=optional,
    unit=optional,
    measurand=optional,
    without_limits=st.none() | st.booleans(),
)


@given(which=filters, limit=st.integers(1, 50))
def test_pages_of_tags_are_all_tags_once(which: TagFilter, limit: int) -> None:
    catalogue, found, after = Catalogue(SITE), list[int](), None
    while True:
        page, after = catalogue.page(which, limit, after)
        assert len(page) <= limit
        found += page
        if after is None:
            break
    assert [(SITE.tags[index].enterprise, SITE.tags[index].name) for index in found] == [
        (key[0], key[1])
        for key in MEASURED
        for index in [SITE.tag_index["/".join(key)]]
        if which.enterprise in (None, key[0])
        and which.unit in (None, SITE.tags[index].unit)
        and which.measurand in (None, SITE.tags[index].measurand)
        and which.without_limits in (None, not SITE.has_limits(index))
    ]


# ---- samples

SAMPLES = "/api/v1/tags/huarui/GT-101/samples"


async def test_raw_samples_of_the_last_quarter_of_an_hour(client: Client, service: FakeService) -> None:
    document = await (await client.get(SAMPLES)).json()
    models.Samples.model_validate(document)
    assert service.historian.asked == [("huarui/GT-101", NOW - 900_000, NOW, 5001)]
    assert len(document["samples"]) == 900
    assert document["samples"][0] == {"t": iso(NOW - 900_000), "received": iso(NOW - 899_800), "v": None, "q": 0}
    assert (document["tag"], document["engineering_unit"], document["truncated"]) == ("GT-101", "mg/m3", False)
    assert "buckets" not in document


async def test_raw_samples_beyond_the_limit_are_cut_and_said_to_be(client: Client) -> None:
    document = await (await client.get(SAMPLES, params={"limit": 10})).json()
    assert len(document["samples"]) == 10
    assert document["truncated"] is True


async def test_samples_in_buckets(client: Client, service: FakeService) -> None:
    query = {"start": iso(NOW - 86_400_000 * 7), "end": iso(NOW), "bucket": "10min"}
    document = await (await client.get(SAMPLES, params=query)).json()
    models.Samples.model_validate(document)
    assert service.historian.asked == [("huarui/GT-101", NOW - 86_400_000 * 7, NOW, 600_000)]
    assert document["buckets"][0]["count"] == 10
    assert "samples" not in document


@pytest.mark.parametrize(
    ("query", "field", "remedy"),
    [
        ({"start": iso(NOW), "end": iso(NOW)}, "end", "after the start"),
        ({"start": iso(NOW + 1)}, "end", "after the start"),
        ({"start": iso(NOW - 1000 * MOST_BUCKETS - 1), "bucket": "1s"}, "bucket", "at least 2s"),
        ({"bucket": "0s"}, "bucket", "longer than zero"),
        ({"bucket": "1 fortnight"}, "bucket", "15s"),
        ({"bucket": "-5"}, "bucket", "15s"),
        ({"limit": "50001"}, "limit", "at most 50000"),
    ],
)
async def test_a_stretch_that_does_not_fit_is_told_what_would(
    client: Client, service: FakeService, query: dict[str, str], field: str, remedy: str
) -> None:
    answer = await client.get(SAMPLES, params=query)
    assert answer.status == 400
    error = (await answer.json())["errors"][0]
    assert error["field"] == field
    assert remedy in error["remedy"]
    assert not service.historian.asked


async def test_what_is_told_fits(client: Client) -> None:
    day = 86_400_000
    assert (await client.get(SAMPLES, params={"start": iso(NOW - day), "bucket": "9s"})).status == 200
    assert (await client.get(SAMPLES, params={"start": iso(NOW - 500 * day)})).status == 200


@pytest.mark.parametrize("path", ["huarui/XX-1", "nobody/GT-101", "huarui/@gw1", "huarui/%E7%BD%90", "huarui/a b"])
async def test_samples_of_a_tag_that_is_not_measured(client: Client, path: str) -> None:
    assert (await client.get(f"/api/v1/tags/{path}/samples")).status == 404
