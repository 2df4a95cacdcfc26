"""Recorded data through the real broker: the recordings' own alarms at their own rows, every value stored once."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests import servers
from tests.running import Api, Service, api_of, main_file, until

TEP = Path(__file__).parents[2] / "config/examples/tep.yaml"
MAPPING = yaml.safe_load(TEP.read_text("utf-8"))["replay"]
PRESSURE = MAPPING["columns"][7]
ROWS, COLUMNS = 960, 52
PERIOD = 180_000


def row_of(milliseconds: int) -> int:
    """Row of the recording, from 1, that has this source time."""
    begin = datetime.fromisoformat(str(MAPPING["time"]["start"])).timestamp() * 1000
    row, rest = divmod(milliseconds - round(begin), PERIOD)
    assert rest == 0
    return row + 1


def replay(file: Path, broker: servers.Broker, clock: str = "source") -> str:
    """``anshao replay`` at full speed."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("anshao"), "replay", file, "--site", TEP, "--speed", "max", "--clock", clock,
        "--broker", broker.url,
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return str(run.stdout)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("d06_te", [("H", 259), ("HH", 279)])]
    + [(name, []) for name in ("d00_te", "d01_te", "d02_te", "d04_te", "d08_te", "d11_te")],
)
async def test_reactor_pressure_alarms_at_the_recorded_rows(
    name: str,
    expected: list[tuple[str, int]],
    tmp_path: Path,
    broker: servers.Broker,
    influx: servers.InfluxDatabase,
    shared_data: Callable[[str], Path],
) -> None:
    file = shared_data(f"tep/{name}.dat")
    main = main_file(
        broker={"url": broker.url},
        historian={"kind": "influxdb", "url": influx.url, "write_api": "v1", "database": influx.name},
    )
    main["sites"] = [str(TEP)]
    service = Service.configured(tmp_path, main, {})
    service.start()
    try:
        await service.ready()
        printed = await asyncio.to_thread(replay, file, broker)
        assert "960 rows published" in printed
        async with api_of(service.url) as api:
            await until(lambda: is_stored(api, ROWS * COLUMNS), 60)
            entries = [entry for entry in await api.every("/journal") if entry["tag"] == PRESSURE]
            raised = sorted(
                (entry["rule"], row_of(entry["data"]["source_time"]))
                for entry in entries
                if entry["kind"] == "alarm.entered"
            )
            assert raised == expected
    finally:
        assert service.stop() == 0
    await assert_all_stored_once(np.loadtxt(file), influx)


async def test_a_recording_played_again_raises_its_alarms_again(
    tmp_path: Path, broker: servers.Broker, shared_data: Callable[[str], Path]
) -> None:
    main = main_file(broker={"url": broker.url}, historian={"kind": "duckdb"})
    main["sites"] = [str(TEP)]
    service = Service.configured(tmp_path, main, {})
    service.start()
    try:
        await service.ready()
        for played, name in enumerate(("d00_te", "d06_te", "d06_te"), start=1):
            await asyncio.to_thread(replay, shared_data(f"tep/{name}.dat"), broker)
            async with api_of(service.url) as api:
                await until(lambda api=api, played=played: is_stored(api, played * ROWS * COLUMNS), 60)
        async with api_of(service.url) as api:
            entries = [entry for entry in await api.every("/journal") if entry["tag"] == PRESSURE]
            raised = sorted(
                (entry["rule"], row_of(entry["data"]["source_time"]))
                for entry in entries
                if entry["kind"] == "alarm.entered"
            )
            assert raised == [("H", 259), ("H", 259), ("HH", 279), ("HH", 279)]
    finally:
        assert service.stop() == 0


async def is_stored(api: Api, readings: int) -> bool:
    """So many readings, and the canary's, have passed the spool."""
    health = await api.get("/health")
    return bool(health["readings"]["total"] >= readings) and health["components"]["historian"]["backlog"] == 0


async def assert_all_stored_once(recorded: Any, influx: servers.InfluxDatabase) -> None:
    """Every value of the file is in InfluxDB, once."""
    assert recorded.shape == (ROWS, COLUMNS)
    count = await asyncio.to_thread(influx.query, "SELECT count(value) FROM sample WHERE enterprise != 'anshao'")
    assert count[0]["values"][0][1] == ROWS * COLUMNS
    for column in random.Random(1).sample(range(1, COLUMNS + 1), 5):
        statement = f"SELECT value FROM sample WHERE \"tag\" = '{MAPPING['columns'][column]}'"
        rows = (await asyncio.to_thread(influx.query, statement))[0]["values"]
        assert [row[1] for row in rows] == recorded[:, column - 1].tolist()
