"""The decoder: messages of all gateways in, one block out, with everything that was refused beside it."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from domain.samples import SampleBlock
from domain.scales import Quality, QualityReason
from domain.site import Site
from ingest.decoder import LARGEST_PAYLOAD, Decoded, Decoder, GatewayStatus, Receipt, live_clock
from ingest.intake import Reason
from service.config import load_site
from tests import hostile
from tests.running import site_of, write_yaml
from tests.sent import Sent

NOW = 1_750_032_000_000
FUTURE = 600_000
HOSTILE = hostile.corpus(NOW)
REPLAY_SITE = site_of(
    [
        {
            "id": "reactor",
            "name": "反应釜",
            "tags": [
                {"tag": "TI-1", "measurand": "temperature", "range": [0, 200], "gateway": "live"},
                {"tag": "XI-1", "measurand": "flow", "gateway": "live"},
                {"tag": "TI-2", "measurand": "temperature", "gateway": "replay"},
            ],
        }
    ],
    gateways=[
        {"id": "live", "name": "在线"},
        {"id": "replay", "name": "回放", "clock": "source"},
    ],
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load_site([write_yaml(tmp_path_factory.mktemp("site") / "site.yaml", hostile.site())])


@pytest.fixture(scope="module")
def replay_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load_site([write_yaml(tmp_path_factory.mktemp("site") / "site.yaml", REPLAY_SITE)])


def data(values: dict[str, Any], at: Any = NOW, gateway: str = "gw1", **more: Any) -> Sent:
    """A message of readings."""
    return Sent(f"anshao/v1/works/{gateway}/data", json.dumps({"ts": at, "values": values, **more}).encode())


def rows(site: Site, block: SampleBlock) -> list[tuple[str, int, float | None, int]]:
    """A block's samples as the corpus writes them."""
    return [
        (site.tags[tag].name, time, None if math.isnan(value) else value, quality)
        for tag, time, value, quality in zip(
            block.tag.tolist(), block.source_time.tolist(), block.value.tolist(), block.quality.tolist(), strict=True
        )
    ]


def quality_of(site: Site, tag: str, value: object) -> tuple[Quality, QualityReason]:
    """What the decoder makes of one value of a tag of ``REPLAY_SITE``."""
    block = Decoder(site, FUTURE).decode([data({tag: value}, gateway="live")], NOW).block
    return Quality(int(block.quality[0])), QualityReason(int(block.reason[0]))


def test_readings_of_several_messages_make_one_block_in_order(site: Site) -> None:
    messages = [data({"TI-101": 1, "PI-101": 2}), data({"TI-201": 3}, gateway="gw2"), data({"TI-101": 4}, NOW + 1000)]
    decoded = Decoder(site, FUTURE).decode(messages, NOW + 5)
    assert rows(site, decoded.block) == [
        ("TI-101", NOW, 1, 192), ("PI-101", NOW, 2, 192), ("TI-201", NOW, 3, 192), ("TI-101", NOW + 1000, 4, 192),
    ]  # fmt: skip
    assert decoded.block.received_time.tolist() == [NOW + 5] * 4
    assert decoded.block.tag.dtype == np.int32
    assert not decoded.refusals
    assert not decoded.receipts
    assert not decoded.statuses


def test_no_messages_make_an_empty_block(site: Site) -> None:
    decoded = Decoder(site, FUTURE).decode([], NOW)
    assert len(decoded.block) == 0


@pytest.mark.parametrize(
    ("tag", "value", "quality", "reason"),
    [
        ("TI-1", 200, Quality.GOOD, QualityReason.NONE),
        ("TI-1", 200.1, Quality.UNCERTAIN, QualityReason.OUT_OF_RANGE),
        ("TI-1", -0.1, Quality.UNCERTAIN, QualityReason.OUT_OF_RANGE),
        ("TI-1", {"v": 300, "q": 64}, Quality.UNCERTAIN, QualityReason.GATEWAY_FLAG),
        ("TI-1", {"v": 300, "q": 0}, Quality.BAD, QualityReason.GATEWAY_FLAG),
        ("TI-1", 9999.9999, Quality.BAD, QualityReason.SENTINEL),
        ("TI-1", -9999, Quality.BAD, QualityReason.SENTINEL),
        ("TI-1", None, Quality.BAD, QualityReason.NOT_A_NUMBER),
        ("TI-1", {"v": None, "q": 0}, Quality.BAD, QualityReason.NOT_A_NUMBER),
        ("TI-1", 1e308 * 10, Quality.BAD, QualityReason.NOT_A_NUMBER),
        ("XI-1", 1e9, Quality.GOOD, QualityReason.NONE),
        ("XI-1", 9999.9999, Quality.BAD, QualityReason.SENTINEL),
        ("XI-1", {"v": -9999, "q": 192}, Quality.BAD, QualityReason.SENTINEL),
        ("XI-1", 9999.9998, Quality.GOOD, QualityReason.NONE),
    ],
)
def test_quality_by_range_and_sentinel(
    replay_site: Site, tag: str, value: object, quality: Quality, reason: QualityReason
) -> None:
    assert quality_of(replay_site, tag, value) == (quality, reason)


def test_a_sentinel_keeps_its_number_and_a_missing_value_has_none(replay_site: Site) -> None:
    block = (
        Decoder(replay_site, FUTURE).decode([data({"TI-1": 9999.9999, "XI-1": 1e308 * 10}, gateway="live")], NOW).block
    )
    assert math.isnan(block.value[1])


def test_a_sentinel_inside_the_instruments_range_is_a_reading(tmp_path: Path) -> None:
    tag = {"tag": "FI-1", "measurand": "flow", "range": [-10_000, 10_000]}
    unit = {"id": "mill", "name": "磨机", "tags": [tag]}
    site = load_site([write_yaml(tmp_path / "site.yaml", site_of([unit]))])
    block = Decoder(site, FUTURE).decode([data({"FI-1": -9999})], NOW).block
    assert block.quality.tolist() == [Quality.GOOD]


def test_a_reading_may_be_ahead_by_the_tolerance_and_no_more(site: Site) -> None:
    decoder = Decoder(site, FUTURE)
    assert len(decoder.decode([data({"TI-101": 1}, NOW + FUTURE)], NOW).block) == 1
    decoded = decoder.decode([data({"TI-101": 1}, NOW + FUTURE + 1)], NOW)
    assert len(decoded.block) == 0
    assert decoded.refusals[0].detail == "1 readings, TI-101 first, 600 s ahead of our clock"


def test_readings_from_the_future_are_refused_once_a_message(site: Site) -> None:
    late = NOW + 3_600_000
    messages = [
        data({"TI-101": 1, "PI-101": 2}, late),
        data({"TI-101": 3}),
        Sent(hostile.DATA, b"junk"),
        data({"TI-201": 4}, late, gateway="gw2"),
        data({"TI-101": {"v": 5, "ts": late}, "PI-101": 6}),
    ]
    decoded = Decoder(site, FUTURE).decode(messages, NOW)
    assert rows(site, decoded.block) == [("TI-101", NOW, 3, 192), ("PI-101", NOW, 6, 192)]
    ahead = [refusal for refusal in decoded.refusals if refusal.reason is Reason.FUTURE_TIME]
    assert [(refusal.gateway, refusal.payload) for refusal in ahead] == [
        ("gw1", messages[0].payload), ("gw2", messages[3].payload), ("gw1", messages[4].payload),
    ]  # fmt: skip
    assert ahead[0].detail.startswith("2 readings, TI-101 first, 3600 s ahead")


def test_the_clock_of_a_replay_is_not_checked(replay_site: Site) -> None:
    decoded = Decoder(replay_site, FUTURE).decode([data({"TI-2": 1}, NOW + 10**9, gateway="replay")], NOW)
    assert len(decoded.block) == 1
    of_tag = dict(zip([tag.name for tag in replay_site.tags], live_clock(replay_site).tolist(), strict=True))
    assert (of_tag["TI-1"], of_tag["TI-2"], of_tag["@replay"]) == (True, False, True)


@pytest.mark.parametrize("size", [LARGEST_PAYLOAD - 1, LARGEST_PAYLOAD, LARGEST_PAYLOAD + 1])
def test_a_message_may_be_so_large(site: Site, size: int) -> None:
    plain = data({"TI-101": 1})
    decoded = Decoder(site, FUTURE).decode([Sent(plain.topic, plain.payload.ljust(size))], NOW)
    assert len(decoded.block) == (size <= LARGEST_PAYLOAD)
    assert [refusal.reason for refusal in decoded.refusals] == [Reason.TOO_LARGE] * (size > LARGEST_PAYLOAD)


def test_a_refusal_names_the_first_fault_and_counts_the_rest(site: Site) -> None:
    decoded = Decoder(site, FUTURE).decode([data({"A": 1, "B": 2, "C": 3, "TI-101": 4})], NOW)
    (refusal,) = decoded.refusals
    assert refusal.detail == "values.A: no such tag of enterprise 'works' (and 2 more)"
    assert (refusal.enterprise, refusal.gateway, refusal.topic) == ("works", "gw1", hostile.DATA)
    assert refusal.received_time == NOW


def test_receipts_name_the_ids_and_what_was_refused(site: Site) -> None:
    messages = [
        data({"TI-101": 1}, id="a"),
        data({}, id="b"),
        data({"TI-201": 1}, id="c", gateway="gw2"),
        Sent(
            hostile.DATA, json.dumps([{"id": "d", "ts": NOW}, {"id": 5, "ts": NOW, "values": {"TI-101": 2}}]).encode()
        ),
        data({"unknown": 1}, id="e"),
    ]
    decoded = Decoder(site, FUTURE).decode(messages, NOW)
    assert decoded.receipts == [
        Receipt(("works", "gw1"), "a", None),
        Receipt(("works", "gw1"), "b", Reason.WRONG_SHAPE),
        Receipt(("works", "gw2"), "c", None),
        Receipt(("works", "gw1"), "d", Reason.WRONG_SHAPE),
        Receipt(("works", "gw1"), "5", None),
        Receipt(("works", "gw1"), "e", None),  # the message was taken; its tag is in quarantine
    ]
    orjson.dumps([receipt.message for receipt in decoded.receipts])


@pytest.mark.parametrize(
    ("payload", "online"),
    [
        (b'{"online": true}', True),
        (b'{"online": false, "ts": 5}', False),
        (b"", False),
    ],
)
@pytest.mark.parametrize("retain", [True, False])
def test_status_of_a_gateway(site: Site, payload: bytes, online: bool, retain: bool) -> None:  # noqa: FBT001
    decoded = Decoder(site, FUTURE).decode([Sent(hostile.STATUS, payload, retain)], NOW)
    assert decoded.statuses == [GatewayStatus(("works", "gw1"), online, stored=retain)]
    assert not decoded.refusals


@pytest.mark.parametrize(("session", "read"), [('"a1"', "a1"), ("7", None), ("null", None)])
def test_the_session_that_a_status_names(site: Site, session: str, read: str | None) -> None:
    payload = f'{{"online": true, "session": {session}}}'.encode()
    decoded = Decoder(site, FUTURE).decode([Sent(hostile.STATUS, payload)], NOW)
    assert decoded.statuses == [GatewayStatus(("works", "gw1"), online=True, session=read)]


@pytest.mark.parametrize(
    ("topic", "enterprise", "gateway"),
    [
        ("anshao/v1/works/gw9/data", "works", "gw9"),
        ("anshao/v1/nobody/gw1/data", None, None),
        ("anshao/v2/works/gw1/data", None, None),
    ],
)
def test_whose_an_unknown_topic_is(site: Site, topic: str, enterprise: str | None, gateway: str | None) -> None:
    (refusal,) = Decoder(site, FUTURE).decode([Sent(topic, b"{}")], NOW).refusals
    assert (refusal.enterprise, refusal.gateway) == (enterprise, gateway)


def test_no_payload_writes_a_point_of_the_service(site: Site) -> None:
    for name in (tag.name for tag in site.tags if tag.system):
        decoded = Decoder(site, FUTURE).decode([data({name: 1})], NOW)
        assert len(decoded.block) == 0
        assert [refusal.reason for refusal in decoded.refusals] == [Reason.UNKNOWN_TAG]


def check(case: hostile.Hostile, decoded: Decoded, site: Site) -> None:
    """A case came to what it should, and whatever stayed can be stored and shown."""
    assert sorted(refusal.reason.value for refusal in decoded.refusals) == sorted(case.refused)
    assert rows(site, decoded.block) == hostile.shown(case.readings)
    for refusal in decoded.refusals:
        assert refusal.detail.encode()
        assert (refusal.topic, refusal.payload) == (case.topic, case.payload)
    orjson.dumps([receipt.message for receipt in decoded.receipts])


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_hostile(case: hostile.Hostile, site: Site) -> None:
    decoded = Decoder(site, FUTURE).decode([Sent(case.topic, case.payload, case.retain)], NOW)
    check(case, decoded, site)


def test_hostile_all_at_once_between_good_messages(site: Site) -> None:
    at = NOW + 1000
    messages = [data({"TI-101": -1}, at)]
    for number, case in enumerate(HOSTILE):
        messages += [Sent(case.topic, case.payload, case.retain), data({"TI-101": number}, at + number)]
    decoded = Decoder(site, FUTURE).decode(messages, NOW)
    good = [row for row in rows(site, decoded.block) if row[1] >= at]
    assert good == [("TI-101", at, -1, 192), *(("TI-101", at + number, number, 192) for number in range(len(HOSTILE)))]
    assert len(decoded.block) == len(good) + sum(len(case.readings) for case in HOSTILE)
    assert len(decoded.refusals) == sum(len(case.refused) for case in HOSTILE)


def deep_in_calls(what: Callable[[], None], depth: int = 600) -> None:
    """Call it with as little of Python's stack left as a service deep in its own calls may have."""
    if depth:
        deep_in_calls(what, depth - 1)
    else:
        what()


def test_hostile_deep_in_other_calls(site: Site) -> None:
    decoder = Decoder(site, FUTURE)

    def decode_all() -> None:
        for case in HOSTILE:
            check(case, decoder.decode([Sent(case.topic, case.payload, case.retain)], NOW), site)

    deep_in_calls(decode_all)
