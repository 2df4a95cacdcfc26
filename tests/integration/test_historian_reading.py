"""Both historians give back what was written: raw and in buckets, as a naive reader of the same samples would."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from domain.samples import SampleBlock
from historian.embedded import DuckDBHistorian
from historian.influx import InfluxHistorian
from historian.protocol import Historian

PATHS = [
    "huarui/GT-101",
    "huarui/GT-102",
    "lianhe/储罐 LI-7",
    "x/a,b=c d",
    "x/it's",
    'x/"q"',
    "x/back\\slash\\",
    "x/%5C\n",
]


@pytest.fixture(params=["influxdb", "duckdb"])
async def historian(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Historian]:
    opened: Historian
    if request.param == "duckdb":
        opened = DuckDBHistorian(tmp_path / "new folder" / "history.duckdb")
    else:
        database = request.getfixturevalue("influx")
        opened = InfluxHistorian(database.url, write_api="v1", database=database.name)
    await opened.start()
    yield opened
    await opened.close()


def random_block(seed: int, count: int) -> SampleBlock:
    """Samples of few tags and times, so that many replace others; one in ten has no value."""
    random = np.random.default_rng(seed)
    value = random.normal(size=count) * 10.0 ** random.integers(-20, 20, count)
    # InfluxDB merges a point without a value into an earlier one with it: so tag and time decide whether there is one
    tag, time = random.integers(0, len(PATHS), count), random.integers(-50, 50, count) * 700
    value[(tag + time // 700) % 10 == 0] = math.nan
    return SampleBlock(
        tag=tag.astype(np.int32),
        source_time=time.astype(np.int64),
        received_time=random.integers(0, 1 << 45, count),
        value=value,
        quality=random.choice(np.array([0, 64, 192], dtype=np.uint8), count),
        reason=random.integers(0, 8, count).astype(np.uint8),
    )


Expected = dict[tuple[str, int], tuple[int, float, int, int]]


def expected(blocks: list[SampleBlock]) -> Expected:
    found: Expected = {}
    for block in blocks:
        columns = (block.received_time, block.value, block.quality, block.reason)
        for tag, time, *rest in zip(block.tag, block.source_time, *columns, strict=True):
            found[PATHS[tag], int(time)] = (int(rest[0]), float(rest[1]), int(rest[2]), int(rest[3]))
    return found


async def test_raw_samples(historian: Historian) -> None:
    blocks = [random_block(seed, 400) for seed in range(4)]
    for block in blocks:
        await historian.write(block, PATHS)
    all_of_them = expected(blocks)
    for path in PATHS:
        for start, end, limit in [
            (-100_000, 100_000, 10_000),
            (-7_000, 7_000, 10_000),
            (-7_000, 100_000, 5),
            (0, 0, 9),
        ]:
            times = sorted(time for of, time in all_of_them if of == path and start <= time < end)[:limit]
            found = await historian.read(path, start, end, limit)
            assert found.source_time.tolist() == times
            assert found.received_time.tolist() == [all_of_them[path, time][0] for time in times]
            np.testing.assert_array_equal(found.value, [all_of_them[path, time][1] for time in times])
            assert found.quality.tolist() == [all_of_them[path, time][2] for time in times]
            assert found.reason.tolist() == [all_of_them[path, time][3] for time in times]
            assert [getattr(found, name).dtype for name in ("source_time", "received_time")] == [np.int64, np.int64]
            assert [getattr(found, name).dtype for name in ("value", "quality", "reason")] == ["f8", "u1", "u1"]


async def test_buckets(historian: Historian) -> None:
    blocks = [random_block(seed, 400) for seed in range(4, 6)]
    for block in blocks:
        await historian.write(block, PATHS)
    all_of_them = expected(blocks)
    for path in PATHS[:4]:
        for start, end, width in [(-100_000, 100_000, 10_000), (-7_100, 9_900, 3_000)]:
            inside: dict[int, list[float]] = {}
            worst: dict[int, int] = {}
            for (of, time), (_, value, quality, _) in sorted(all_of_them.items()):
                if of == path and start <= time < end:
                    beginning = time // width * width
                    inside.setdefault(beginning, []).extend([] if math.isnan(value) else [value])
                    worst[beginning] = min(quality, worst.get(beginning, quality))
            found = await historian.read_buckets(path, start, end, width)
            assert found.time.tolist() == list(inside)
            assert found.quality.tolist() == list(worst.values())
            assert found.count.tolist() == [len(values) for values in inside.values()]
            least, most, means = found.minimum.tolist(), found.maximum.tolist(), found.mean.tolist()
            for low, high, mean, values in zip(least, most, means, inside.values(), strict=True):
                if not values:
                    assert np.isnan([low, high, mean]).all()
                    continue
                assert (low, high) == (min(values), max(values))
                largest = max(map(abs, values))
                assert mean == pytest.approx(math.fsum(values) / len(values), abs=1e-14 * largest)
            types = [getattr(found, name).dtype for name in ("time", "count", "quality")]
            assert types == [np.int64, np.int64, np.uint8]


async def test_a_tag_without_samples(historian: Historian) -> None:
    assert len(await historian.read("no/tag", 0, 1 << 40, 10)) == 0
    assert len(await historian.read_buckets("no/tag", 0, 1 << 40, 1000)) == 0


async def test_an_empty_block_writes_nothing(historian: Historian) -> None:
    await historian.write(SampleBlock.empty(), PATHS)


async def test_another_list_of_paths(historian: Historian) -> None:
    await historian.write(SampleBlock.of([0], [1], [2], [0.5], [192], [0]), ["a/1"])
    await historian.write(SampleBlock.of([1], [1], [2], [1.5], [192], [0]), ["a/2", "a/1"])
    await historian.write(SampleBlock.of([0], [2], [2], [2.5], [192], [0]), ["a/2", "a/1"])
    assert (await historian.read("a/1", 0, 10, 10)).value.tolist() == [1.5]
    assert (await historian.read("a/2", 0, 10, 10)).value.tolist() == [2.5]


async def test_extreme_numbers(historian: Historian) -> None:
    values = [5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 1e22, 0.1, 1 / 3, 123456789.123456789, -0.0]
    count = len(values)
    block = SampleBlock.of([0] * count, list(range(count)), [1] * count, values, [192] * count, [0] * count)
    await historian.write(block, PATHS)
    assert (await historian.read(PATHS[0], 0, count, count)).value.tolist() == values


async def test_a_value_that_is_not_finite_is_none(historian: Historian) -> None:
    block = SampleBlock.of([0, 0], [1, 2], [1, 1], [math.inf, -math.inf], [0, 0], [2, 2])
    await historian.write(block, PATHS)
    assert np.isnan((await historian.read(PATHS[0], 0, 10, 10)).value).tolist() == [True, True]
    found = await historian.read_buckets(PATHS[0], 0, 10, 10)
    assert np.isnan([found.minimum, found.maximum, found.mean]).all()
    assert (found.count.tolist(), found.quality.tolist()) == ([0], [0])


async def test_closing_twice_and_without_a_start(historian: Historian) -> None:
    await historian.close()
    await historian.close()
    await historian.start()
