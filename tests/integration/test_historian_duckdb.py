"""The DuckDB file survives a kill, keeps each sample once, and says what is the matter when it can't."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from domain.samples import SampleBlock
from historian.embedded import DuckDBHistorian
from historian.protocol import HistorianUnavailable

ROOT = Path(__file__).parent.parent.parent
BATCH = 50
WRITER = """
import asyncio, sys
from pathlib import Path
from domain.samples import SampleBlock
from historian.embedded import DuckDBHistorian

async def main():
    historian = DuckDBHistorian(Path(sys.argv[1]))
    first = int(sys.argv[2])
    while True:
        number = list(range(first, first + {batch}))
        columns = [n % 3 for n in number], number, number, [n / 7 for n in number], [192] * {batch}, [0] * {batch}
        await historian.write(SampleBlock.of(*columns), ["a/0", "a/1", "a/2"])
        first += {batch}
        print(first, flush=True)

asyncio.run(main())
"""


def run(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    """A Python program in a process of its own, spoken to over its standard input and output."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def count(path: Path) -> list[tuple[str, int, int]]:
    """Per tag: samples, and different source times."""
    with duckdb.connect(path) as connection:
        rows = connection.execute(
            "SELECT path, count(*), count(DISTINCT source_time) FROM reading GROUP BY path ORDER BY path"
        ).fetchall()
    return [(str(name), int(all_of_them), int(different)) for name, all_of_them, different in rows]


async def test_kill_9_loses_nothing_written(tmp_path: Path) -> None:
    path, written = tmp_path / "history.duckdb", 0
    moments = random.Random(7)
    for _ in range(5):
        # what the last round may have written without saying so is written again, as the forwarder would
        writer = run(WRITER.format(batch=BATCH), path, written)
        assert writer.stdin is not None
        assert writer.stdout is not None
        with writer.stdin, writer.stdout as said:
            for _ in range(moments.randint(1, 40)):
                written = int(said.readline())
            writer.kill()
            for line in said:
                written = int(line)
            writer.wait()
        historian = DuckDBHistorian(path)
        found = [await historian.read(f"a/{tag}", 0, written, written) for tag in range(3)]
        await historian.close()
        for tag, samples in enumerate(found):
            assert samples.source_time.tolist() == list(range(tag, written, 3))
            assert samples.value.tolist() == [n / 7 for n in range(tag, written, 3)]
    for _, samples_of, different in await count(path):
        assert samples_of == different


async def test_each_sample_once_whatever_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    historian = DuckDBHistorian(path)
    number = np.arange(200_000)
    block = SampleBlock(
        (number % 2).astype(np.int32),
        (number // 2).astype(np.int64),
        number.astype(np.int64),
        number.astype(np.float64),
        np.full(len(number), 192, dtype=np.uint8),
        np.zeros(len(number), dtype=np.uint8),
    )
    for first, after in [
        *((n, n + 10_000) for n in range(0, 200_000, 10_000)),
        (0, 5_000),
        (199_000, 200_000),
        (70_000, 130_000),
    ]:
        await historian.write(block.take(slice(first, after)), ["a/0", "a/1"])
    await historian.close()
    assert await count(path) == [("a/0", 100_000, 100_000), ("a/1", 100_000, 100_000)]


async def test_reads_go_on_beside_writes(tmp_path: Path) -> None:
    historian = DuckDBHistorian(tmp_path / "history.duckdb")

    async def write() -> None:
        for n in range(50):
            await historian.write(SampleBlock.of([0], [n], [n], [n], [192], [0]), ["a/0"])

    async def read() -> None:
        last = 0
        while last < 50:
            samples = await historian.read("a/0", 0, 1_000, 1_000)
            assert samples.source_time.tolist() == list(range(len(samples)))
            assert len(samples) >= last
            last = len(samples)

    await asyncio.gather(write(), read(), read())
    await historian.close()


async def test_a_file_in_use_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    other = run("import duckdb, sys; kept = duckdb.connect(sys.argv[1]); print('open', flush=True); input()", path)
    assert other.stdout is not None
    other.stdout.readline()
    historian = DuckDBHistorian(path)
    with pytest.raises(HistorianUnavailable) as raised:
        await historian.start()
    assert "no other process" in raised.value.remedy
    other.communicate(b"\n")
    await historian.start()
    await historian.close()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    path.write_bytes(b"no database" * 1000)
    historian = DuckDBHistorian(path)
    for _ in range(2):
        with pytest.raises(HistorianUnavailable, match="valid DuckDB database file"):
            await historian.write(SampleBlock.of([0], [1], [1], [1], [192], [0]), ["a/0"])
    path.unlink()
    await historian.write(SampleBlock.of([0], [1], [1], [1], [192], [0]), ["a/0"])
    assert len(await historian.read("a/0", 0, 10, 10)) == 1
    await historian.close()


async def test_an_error_amid_a_write_leaves_nothing_half_done(tmp_path: Path) -> None:
    path = tmp_path / "history.duckdb"
    historian = DuckDBHistorian(path)
    await historian.write(SampleBlock.of([0], [1], [1], [1], [192], [0]), ["a/0"])
    await historian.close()
    with duckdb.connect(path) as connection:
        connection.execute(
            "DROP VIEW reading; ALTER TABLE sample RENAME TO kept; CREATE VIEW sample AS SELECT * FROM kept"
        )
    with pytest.raises(HistorianUnavailable):
        await historian.write(SampleBlock.of([0, 1], [1, 2], [5, 5], [5, 5], [192, 192], [0, 0]), ["a/0", "a/1"])
    await historian.close()
    with duckdb.connect(path) as connection:
        connection.execute("DROP VIEW IF EXISTS reading; DROP VIEW sample; ALTER TABLE kept RENAME TO sample")
        assert connection.execute("SELECT path FROM tag").fetchall() == [("a/0",)]
    assert (await historian.read("a/0", 0, 10, 10)).value.tolist() == [1.0]
    await historian.write(SampleBlock.of([1], [2], [5], [5], [192], [0]), ["a/0", "a/1"])
    assert len(await historian.read("a/1", 0, 10, 10)) == 1
    await historian.close()
