"""``anshao record`` with real servers: the live stream, a range of the historian; and what a backtest makes of them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import orjson
import pytest

from domain.samples import SampleBlock
from domain.scales import Quality, QualityReason
from historian.influx import InfluxHistorian
from ingest.links.protocol import Link
from service.cli.recording import Counts, Recorder, _until_told, make_link
from service.clock import SystemClock
from service.config import Settings, load
from tests import servers
from tests.load import entered
from tests.running import Service, api_of, main_file, site_of, until, write_yaml
from tuning.backtest.run import backtest
from tuning.readings.recording import About, RecordedTag, Recording, RecordingWriter

ANSHAO = Path(sys.executable).with_name("anshao")
TOPIC = "anshao/v1/works/gw1/data"
TAG = {
    "measurand": "temperature",
    "engineering_unit": "°C",
    "range": [0, 200],
    "stale": "1h",
    "limits": {"H": {"setpoint": 80, "deadband": 2, "on_delay": 0, "off_delay": 0}},
}
SITE = site_of([{"id": "u", "name": "装置", "tags": [{"tag": "TI-1", **TAG}, {"tag": "TI-2", **TAG}]}])


def settings_of(folder: Path, **sections: Any) -> Settings:
    write_yaml(folder / "site.yaml", SITE)
    return load(write_yaml(folder / "anshao.yaml", main_file(data_dir=str(folder / "data"), **sections)), {})


def anshao(*arguments: str | Path) -> str:
    run = subprocess.run([ANSHAO, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


async def publish(broker: servers.Broker, messages: list[dict[str, Any]]) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for message in messages:
            await client.publish(TOPIC, orjson.dumps(message), qos=1)


@pytest.mark.parametrize("link", ["mqtt5", "paho"])
async def test_a_live_stream_is_recorded_until_ctrl_c(tmp_path: Path, broker: servers.Broker, link: str) -> None:
    settings = settings_of(tmp_path, broker={"url": broker.url, "link": link}, historian={"kind": "duckdb"})
    out = tmp_path / "live.parquet"
    counts, clock = Counts(), SystemClock()
    now = clock.now()
    recorded_by: Link = make_link(settings, clock)
    with RecordingWriter(out, About((RecordedTag("works/TI-2"), RecordedTag("works/TI-1")), live_clock=True)) as writer:
        recorder = Recorder(settings.site, ["works/TI-2", "works/TI-1"], settings.future, writer, clock, counts)
        running = asyncio.create_task(_until_told(recorded_by, recorder, None, lambda: None))

        async def is_connected() -> bool:
            return recorded_by.status.connected

        await until(is_connected, 10)
        sent: list[dict[str, Any]] = [
            {"ts": now - 2_000, "values": {"TI-1": 70.0, "TI-2": 50.0}},
            {"ts": now - 1_000, "values": {"TI-1": 85.0, "TI-2": None}},
            {"ts": now, "values": {"TI-1": 300.0, "unknown": 1.0}},
        ]

        async def has_come() -> bool:
            if counts.readings < 5:
                await publish(broker, sent)  # again, if the subscription was not there yet
            return counts.readings >= 5

        await until(has_come, 10)
        os.kill(os.getpid(), signal.SIGINT)
        await running
    assert counts.refused >= 1
    recording = Recording(out)
    (tag,) = [index for index, each in enumerate(recording.tags) if each.path == "works/TI-1"]
    (block,) = recording.read_tag(tag)
    assert block.value[:3].tolist() == [70.0, 85.0, 300.0]
    assert block.quality[:3].tolist() == [Quality.GOOD, Quality.GOOD, Quality.UNCERTAIN]
    assert (np.abs(block.received_time - now) < 60_000).all()
    (other,) = recording.read_tag(1 - tag)
    assert other.reason[:2].tolist() == [QualityReason.NONE, QualityReason.NOT_A_NUMBER]
    found = backtest(settings.site, recording).episodes
    assert [settings.site.rule_path(rule) for rule in found.rule.tolist()] == ["works/TI-1/H"]
    assert found.entered_at.tolist() == [now - 1_000]


async def test_the_command_records_beside_a_running_service_what_it_evaluates(
    tmp_path: Path, broker: servers.Broker, influx: servers.InfluxDatabase
) -> None:
    main = main_file(
        broker={"url": broker.url},
        historian={"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": influx.name},
    )
    service = Service.configured(tmp_path, main, SITE)
    service.start()
    await service.ready()
    out = tmp_path / "live.parquet"
    recording = subprocess.Popen(
        [ANSHAO, "record", "--out", out, "--config", tmp_path / "anshao.yaml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert recording.stderr is not None
        assert "recording" in await asyncio.to_thread(recording.stderr.readline)
        begin = time.time_ns() // 1_000_000 - 60_000
        values = [70.0, 81.0, 79.0, 77.0, 90.0, 60.0]
        await publish(
            broker, [{"ts": begin + 1_000 * step, "values": {"TI-1": value}} for step, value in enumerate(values)]
        )
        async with api_of(service.url) as api:

            async def has_left() -> bool:
                return len([entry for entry in await api.every("/journal") if entry["tag"] == "TI-1"]) >= 4

            await until(has_left, 20)

            async def is_forwarded() -> bool:
                return bool((await api.get("/health"))["components"]["historian"]["backlog"] == 0)

            await until(is_forwarded, 20)
        recording.send_signal(signal.SIGINT)
        stdout, stderr = await asyncio.to_thread(recording.communicate)
        assert recording.returncode == 0, stderr
        assert "6 读数" in stdout
    finally:
        if recording.poll() is None:
            recording.kill()
            recording.communicate()
        service.stop()
    past = tmp_path / "past.parquet"
    span = ["--from", _iso(begin), "--to", _iso(begin + 60_000)]
    said = await asyncio.to_thread(anshao, "record", "--out", past, "--config", tmp_path / "anshao.yaml", *span)
    assert "6 读数" in said
    config, report = tmp_path / "anshao.yaml", tmp_path / "report.json"
    await asyncio.to_thread(anshao, "backtest", config, "--config", config, *span, "--json", report)
    assert orjson.loads(report.read_bytes())["recording"]["path"] == "historian of anshao.yaml"
    site = load(tmp_path / "anshao.yaml", {}).site
    for file in (out, past):
        read = Recording(file)
        assert [each.revision for each in read.about.in_force] == [1]
        found = backtest(site, read).episodes
        assert found.entered_at.tolist() == [begin + 1_000, begin + 4_000]
        assert found.left_at.tolist() == [begin + 3_000, begin + 5_000]


def _iso(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03}+00:00"


async def test_a_range_of_the_historian_in_the_order_of_its_arrival(
    tmp_path: Path, influx: servers.InfluxDatabase
) -> None:
    historian = InfluxHistorian(influx.url, write_api="v1", database=influx.name)
    await historian.start()
    source, received = [1_000, 2_000, 3_000, 4_000], [1_010, 9_000, 3_010, 4_010]
    block = SampleBlock.of([0] * 4, source, received, [1.0, 2.0, float("nan"), 4.0], [192, 192, 0, 64], [0, 0, 5, 2])
    await historian.write(block, ["works/TI-1"])
    await historian.close()
    settings_of(tmp_path, historian={"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": influx.name})
    out = tmp_path / "past.parquet"
    said = await asyncio.to_thread(
        anshao, "record", "--out", out, "--config", tmp_path / "anshao.yaml",
        "--from", _iso(1_000), "--to", _iso(5_000), "--tags", "TI-1",
    )  # fmt: skip
    assert "4 读数" in said
    recording = Recording(out)
    assert [tag.path for tag in recording.tags] == ["works/TI-1"]
    assert recording.about.in_force == ()
    (read,) = recording.read_tag(0)
    assert read.source_time.tolist() == [1_000, 3_000, 4_000, 2_000]
    assert read.quality.tolist() == [192, 0, 64, 192]
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").glob("*.sqlite*")), (
        "looking makes no ledger"
    )


async def test_a_recording_is_replayed_as_it_came_and_the_service_finds_what_the_backtest_finds(
    tmp_path: Path, broker: servers.Broker, influx: servers.InfluxDatabase
) -> None:
    site = site_of(SITE["enterprises"][0]["units"], gateways=[{"id": "gw1", "name": "网关", "clock": "source"}])
    main = main_file(
        broker={"url": broker.url},
        historian={"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": influx.name},
    )
    service = Service.configured(tmp_path, main, site)
    out = tmp_path / "made.parquet"
    begin, random = 1_750_000_000_000, np.random.default_rng(3)
    tags = (RecordedTag("works/TI-2"), RecordedTag("works/TI-1"), RecordedTag("e/X"))
    with RecordingWriter(out, About(tags)) as writer:
        time_ = begin + 1_000 * np.arange(600)
        for tag in range(3):
            value = np.round(75 + 10 * np.sin(np.arange(600) / 40 + tag) + random.normal(0, 1, 600), 1)
            quality = random.choice([192, 192, 192, 192, 64, 0], 600).astype(np.uint8)
            source = np.where(random.random(600) < 0.05, time_ - 5_000, time_)
            quality[-10:] = 192
            value[quality == 0] = np.nan
            number, none = np.full(600, tag, dtype=np.int32), np.zeros(600, dtype=np.uint8)
            writer.write_tag(SampleBlock(number, source, time_, value, quality, none))
    found = backtest(load(tmp_path / "anshao.yaml", {}).site, Recording(out))
    assert found.unknown_tags == ("e/X",)
    service.start()
    try:
        await service.ready()
        said = await asyncio.to_thread(
            anshao, "replay", out, "--site", tmp_path / "site.yaml", "--clock", "source", "--speed", "max",
            "--broker", broker.url,
        )  # fmt: skip
        assert "left out 1 tags" in said, said
        expected = sorted(
            (found.site.rule_path(rule), entered, at)
            for rule, entered, at in zip(
                found.transitions.rule.tolist(),
                found.transitions.entered.tolist(),
                found.transitions.source_time.tolist(),
                strict=True,
            )
            if not found.site.rule_path(rule).endswith("STALE")
        )
        assert len(expected) > 10
        async with api_of(service.url) as api:

            async def has_all() -> bool:
                return len(_transitions_in(await api.every("/journal"))) >= len(expected)

            await until(has_all, 30)
            assert _transitions_in(await api.every("/journal")) == expected
    finally:
        service.stop()


def _transitions_in(entries: list[dict[str, Any]]) -> list[tuple[str, bool, int]]:
    return sorted(
        (f"works/{entry['tag']}/{entry['rule']}", entered(entry), entry["data"]["source_time"])
        for entry in entries
        if entry["kind"] in {"alarm.entered", "alarm.returned", "alarm.damped"}
        and entry["tag"].startswith("TI-")
        and entry["rule"] != "STALE"
        and not (entry["kind"] == "alarm.returned" and entry["data"].get("damped"))
    )
