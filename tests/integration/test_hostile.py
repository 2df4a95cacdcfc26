"""Everything that no gateway should send, through a real broker to the real service, between readings that are well.

The service stays up, every reading that counts is in the historian, every refusal is in quarantine with its reason,
and the alarms of neighbours are raised.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest

from domain.clock import iso
from ingest.decoder import Decoder
from service.config import load_site
from service.work import PAYLOAD_SHOWN
from tests import generated, hostile, servers
from tests.hostile import DATA, Hostile
from tests.running import Api, Service, api_of, main_file, until

GENERATED = 2_500
STEP = 100
"""ms between the readings of the neighbour."""
ALARM_EVERY = 200
"""Readings of the neighbour from one alarm to the next."""
Refused = Counter[tuple[str, str, str]]
"""(topic, reason, payload as it is shown), with how often."""


def site() -> dict[str, Any]:
    """The corpus's site, and a neighbour that alarms above 10."""
    content = hostile.site()
    content["enterprises"][0]["units"].append(
        {
            "id": "pumps",
            "name": "泵房",
            "tags": [
                {
                    "tag": "VI-1",
                    "measurand": "flow",
                    "gateway": "gw1",
                    "stale": "off",
                    "limits": {"H": {"setpoint": 10, "deadband": 0, "on_delay": 0, "off_delay": 0}},
                }
            ],
        }
    )
    return content


def neighbour(number: int) -> float:
    """Value of the neighbour's reading: one in so many is too high."""
    return 20.0 if number % ALARM_EVERY == 10 else number % 10


def shown(payload: bytes) -> str:
    """A refused payload as the quarantine has it."""
    text = payload[:PAYLOAD_SHOWN].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    return text[:PAYLOAD_SHOWN]


ARRIVES = (hostile.SPAN + 60_000, hostile.SPAN + 360_000)
"""ms from the ``now`` of what is made by dice until the service has it: between these."""


def made_by_dice(folder: Path, now: int) -> Iterator[Hostile]:
    """Payloads made by dice; what is refused of them the decoder says, which has its own tests."""
    decoder = Decoder(load_site([folder / "site.yaml"]), 600_000)
    dice = random.Random(20)
    for number in range(GENERATED):
        made = generated.make(dice, now)
        alone = Hostile(f"made {number}", made.payload)
        decoded = decoder.decode([alone], now)
        if (decoded.block.source_time > now).any():
            continue  # a mutilated time among the corpus's own
        reasons = tuple(refusal.reason.value for refusal in decoded.refusals)
        if reasons and any(len(decoder.decode([alone], now + later).refusals) < len(reasons) for later in ARRIVES):
            continue  # a mutilated time too far ahead of ``now``, and not of the moment at which it arrives
        yield Hostile(alone.name, made.payload, reasons, tuple(made.readings or ()))


def times_of(folder: Path, dice: Sequence[Hostile], now: int) -> set[int]:
    """All times of readings made by dice: a mutilated one may be any."""
    block = Decoder(load_site([folder / "site.yaml"]), 1 << 40).decode(dice, now).block
    return set(block.source_time.tolist())


@pytest.mark.parametrize(("ledger", "link"), [("sqlite", "mqtt5"), ("postgresql", "paho")])
async def test_hostile_messages_harm_nobody(
    request: pytest.FixtureRequest, tmp_path: Path, broker: servers.Broker, ledger: str, link: str
) -> None:
    sections: dict[str, Any] = {
        "broker": {"url": broker.url, "link": link},
        "historian": {"kind": "duckdb"},
        "webhooks": [],
    }
    if ledger == "postgresql":
        sections["ledger"] = {"url": request.getfixturevalue("postgres_url")}
    service = Service.configured(tmp_path, main_file(**sections), site())
    begin = time.time_ns() // 1_000_000
    corpus = [case for case in hostile.corpus(begin) if hostile.reaches_the_service(case)]
    # Made by dice they are older than the corpus, so that no reading of theirs takes the place of one of its own.
    dice = list(made_by_dice(tmp_path, (begin - hostile.SPAN - 60_000) // 1000 * 1000))
    cases = corpus + dice
    random.Random(1).shuffle(cases)
    service.start()
    try:
        await service.ready()
        await publish(broker.port, cases, begin)
        async with api_of(service.url) as api:
            await all_is_taken(api, cases)
            await assert_neighbours(api, begin, len(cases))
            await assert_readings(api, corpus, dice, begin, times_of(tmp_path, dice, begin))
            await assert_refusals(api, cases)
            health = await api.get("/health")
            assert health["status"] == "ok", health["components"]
    finally:
        assert service.stop() == 0, service.log.read_text()[-4000:]
    assert '"level": "error"' not in service.log.read_text()


async def publish(port: int, cases: Sequence[Hostile], begin: int) -> None:
    """Each case, and a reading of the neighbour after each."""
    async with aiomqtt.Client("127.0.0.1", port, max_queued_outgoing_messages=0) as client:
        for number, case in enumerate(cases):
            await client.publish(case.topic, case.payload, qos=1)
            at = begin - (len(cases) - number) * STEP
            body = {"ts": at, "values": {"VI-1": neighbour(number)}}
            await client.publish(DATA, orjson.dumps(body), qos=1)


async def all_is_taken(api: Api, cases: Sequence[Hostile]) -> None:
    """The last reading of the neighbour has arrived, and all that was taken is in the historian."""

    async def taken() -> bool:
        health = await api.get("/health")
        latest = next(tag for tag in (await api.get("/tags", enterprise="works"))["items"] if tag["tag"] == "VI-1")
        is_last = latest["latest"] is not None and latest["latest"]["value"] == neighbour(len(cases) - 1)
        return is_last and health["components"]["historian"]["backlog"] == 0 and await refused(api) >= total(cases)

    await until(taken, 60, 0.2)


def total(cases: Sequence[Hostile]) -> int:
    """Refusals in all."""
    return sum(len(case.refused) for case in cases)


async def refused(api: Api) -> int:
    """Refusals that the service has counted."""
    return int((await api.get("/health"))["readings"]["refused"])


async def assert_neighbours(api: Api, begin: int, count: int) -> None:
    """Every reading of the neighbour is stored, and its alarms came and went at the right readings."""
    at = {begin - (count - number) * STEP: neighbour(number) for number in range(count)}
    stored = {time_: value for time_, value, _ in await samples(api, "VI-1", begin)}
    assert stored == at
    entries = [entry for entry in await api.every("/journal", enterprise="works") if entry["tag"] == "VI-1"]
    found = sorted(
        (entry["data"]["source_time"], entry["kind"] == "alarm.entered" or bool(entry["data"].get("condition")))
        for entry in entries
        if entry["kind"] in {"alarm.entered", "alarm.damped", "alarm.returned"} and not entry["data"].get("damped")
    )
    too_high = [time_ for time_, value in at.items() if value > 10]
    expected = [(time_, True) for time_ in too_high]
    expected += [(time_ + STEP, False) for time_ in too_high]
    assert found == sorted(expected)
    assert len(too_high) > 10


async def assert_readings(
    api: Api, corpus: Sequence[Hostile], dice: Sequence[Hostile], begin: int, diced: set[int]
) -> None:
    """What counts of the corpus is stored as it should be, and nothing of it that should not."""
    for tag in hostile.TAGS:
        stored = {time_: (value, quality) for time_, value, quality in await samples(api, tag, begin)}
        expected = {
            reading.time: (reading.value, int(reading.quality))
            for case in corpus
            for reading in case.readings
            if reading.tag == tag
        }
        assert {at: stored.get(at) for at in expected} == expected
        first = begin - hostile.SPAN
        assert [at for at in stored if at >= first and at not in expected and at not in diced] == []
        made = {reading.time for case in dice for reading in case.readings if reading.tag == tag}
        oldest = begin - 3_600_000  # one of the forms of time names a day of last year
        assert {at for at in made if at > oldest} <= stored.keys()
        assert len(made) > 300


async def samples(api: Api, tag: str, begin: int) -> list[tuple[int, float | None, int]]:
    """What the historian has of a tag."""
    answer = await api.get(
        f"/tags/works/{tag}/samples", start=iso(begin - 3_600_000), end=iso(begin + 600_000), limit=50_000
    )
    assert not answer["truncated"]
    return [
        (round(datetime.fromisoformat(sample["t"]).timestamp() * 1000), sample["v"], sample["q"])
        for sample in answer["samples"]
    ]


async def assert_refusals(api: Api, cases: Sequence[Hostile]) -> None:
    """Every refusal is in quarantine with its reason, its detail, its remedy and its payload; and counted."""
    expected: Refused = Counter((case.topic, reason, shown(case.payload)) for case in cases for reason in case.refused)
    rows = await api.every("/quarantine")
    found: Refused = Counter((row["topic"], row["reason"], row["payload"]) for row in rows)
    assert found - expected == Counter()
    assert expected - found == Counter()
    assert all(row["detail"] and row["remedy"] for row in rows)
    sizes = Counter(len(case.payload) for case in cases for _ in case.refused)
    assert Counter(row["payload_bytes"] for row in rows) == sizes
    mine = sum(len(case.refused) for case in cases if case.topic in {DATA, hostile.STATUS})
    counted = {gateway["gateway"]: gateway["refused"] for gateway in (await api.get("/gateways"))["items"]}
    assert counted == {"gw1": mine, "gw2": 0}
    own = await api.every("/quarantine", enterprise="works", gateway="gw1")
    assert len(own) == mine


async def test_what_kills_nobody_once_kills_nobody_again(tmp_path: Path, broker: servers.Broker) -> None:
    """What came while the service was away is delivered at its start: no message may keep it from starting."""
    main = main_file(broker={"url": broker.url}, historian={"kind": "duckdb"})
    service = Service.configured(tmp_path, main, site())
    service.start()
    await service.ready()
    assert service.stop() == 0
    begin = time.time_ns() // 1_000_000
    cases = [case for case in hostile.corpus(begin) if hostile.reaches_the_service(case)]
    await publish(broker.port, cases, begin)
    for _ in range(2):
        service.start()
        await service.ready()
        async with api_of(service.url) as api:

            async def all_there(api: Api = api) -> bool:
                return len(await api.every("/quarantine")) == total(cases)

            await until(all_there)
            await assert_neighbours_stored(api, begin, len(cases))
        assert service.stop() == 0, service.log.read_text()[-4000:]


async def assert_neighbours_stored(api: Api, begin: int, count: int) -> None:
    """Every reading of the neighbour is in the historian."""

    async def stored() -> bool:
        return len(await samples(api, "VI-1", begin)) == count

    await until(stored)
