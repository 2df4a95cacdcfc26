"""What InfluxDB and servers like it answer, and what the historian makes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from aiohttp import web

from domain.samples import SampleBlock
from historian.influx import InfluxHistorian
from historian.line_protocol import LineEncoder
from historian.protocol import HistorianRefused, HistorianUnavailable
from tests import servers

PATHS = ["huarui/GT-101", "华瑞/a b,c=d"]
BLOCK = SampleBlock.of([0, 1], [1_000, 2_000], [1_005, 2_005], [3.25, float("nan")], [192, 0], [0, 5])
Api = Literal["v1", "v2"]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def historian(url: str, **settings: Any) -> AsyncIterator[InfluxHistorian]:
    opened = InfluxHistorian(url, **settings)
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """A server that gives one answer to everything."""
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


class TestRealInfluxDB:
    async def test_the_layout_that_is_documented(self, influx: servers.InfluxDatabase) -> None:
        async with historian(influx.url, write_api="v1", database=influx.name) as opened:
            await opened.start()
            await opened.write(BLOCK, PATHS)
        (series,) = influx.query('SELECT * FROM sample GROUP BY enterprise, "tag" LIMIT 9 SLIMIT 1')
        assert series["tags"] == {"enterprise": "huarui", "tag": "GT-101"}
        assert dict(zip(series["columns"], series["values"][0], strict=True)) == {
            "time": 1_000,
            "value": 3.25,
            "quality": 192,
            "reason": 0,
            "received": 1_005,
        }
        fields = influx.query("SHOW FIELD KEYS")[0]["values"]
        assert sorted(fields) == [
            ["quality", "integer"],
            ["reason", "integer"],
            ["received", "integer"],
            ["value", "float"],
        ]

    async def test_the_database_is_made_when_missing(self, influx_server: servers.Influx) -> None:
        name = "it's new 新"
        async with historian(influx_server.url, write_api="v1", database=name) as opened:
            with pytest.raises(HistorianUnavailable, match="database not found") as raised:
                await opened.write(BLOCK, PATHS)
            assert f"Create database {name}" in raised.value.remedy
            await opened.start()
            await opened.start()
            await opened.write(BLOCK, PATHS)
            assert len(await opened.read(PATHS[0], 0, 10_000, 10)) == 1
        influx_server.query('DROP DATABASE "it\'s new 新"')

    async def test_a_field_of_another_type_is_refused_whole(self, influx: servers.InfluxDatabase) -> None:
        async with historian(influx.url, write_api="v1", database=influx.name) as opened:
            await opened._write(b'sample,enterprise=huarui,tag=GT-101 quality="good" 500\n', 1, only=True)
            with pytest.raises(HistorianRefused, match=r"400.*partial write: field type conflict.*dropped=2") as raised:
                await opened.write(BLOCK, PATHS)
            assert raised.value.whole
            assert raised.value.remedy

    async def test_a_time_that_the_store_cannot_hold_is_refused_in_part(self, influx: servers.InfluxDatabase) -> None:
        late = SampleBlock.of([0, 0], [1 << 60, 1_000], [1, 2], [1.0, 2.0], [192, 192], [0, 0])
        async with historian(influx.url, write_api="v1", database=influx.name) as opened:
            with pytest.raises(HistorianRefused, match="time outside range") as raised:
                await opened.write(late, PATHS)
            assert not raised.value.whole
            await opened.write(late.take(slice(1, 2)), PATHS)
            assert (await opened.read(PATHS[0], 0, 10_000, 10)).value.tolist() == [2.0]

    async def test_a_large_block_goes_in_several_requests(self, influx: servers.InfluxDatabase) -> None:
        count = 20_000
        block = SampleBlock.of(
            [0] * count, list(range(count)), [5] * count, [n / 7 for n in range(count)], [192] * count, [0] * count
        )
        async with historian(influx.url, write_api="v1", database=influx.name) as opened:
            await opened.write(block, PATHS)
            found = await opened.read(PATHS[0], 0, count, count + 1)
            assert found.source_time.tolist() == list(range(count))
            assert found.value.tolist() == block.value.tolist()
            buckets = await opened.read_buckets(PATHS[0], 0, count, 5_000)
            assert buckets.time.tolist() == [0, 5_000, 10_000, 15_000]
            assert buckets.count.tolist() == [5_000] * 4

    async def test_this_one_is_too_old_for_v2(self, influx: servers.InfluxDatabase) -> None:
        async with historian(influx.url, write_api="v2") as opened:
            await opened.start()
            with pytest.raises(HistorianUnavailable, match="404") as raised:
                await opened.write(BLOCK, PATHS)
            assert "historian.write_api" in raised.value.remedy


@pytest.fixture
def deduplicating(victoria: servers.Victoria) -> servers.Victoria:
    """VictoriaMetrics as it must be run: without this flag it keeps every copy of a repeated sample."""
    victoria.stop()
    victoria.command = [*victoria.command, "-dedup.minScrapeInterval=1ms"]
    victoria.start()
    return victoria


class TestRealVictoriaMetrics:
    @pytest.mark.parametrize("api", ["v1", "v2"])
    async def test_written_and_exported(self, deduplicating: servers.Victoria, api: Api) -> None:
        async with historian(deduplicating.url, write_api=api) as opened:
            await opened.start()
            await opened.write(BLOCK, PATHS)
            await opened.write(BLOCK.take(slice(0, 1)), PATHS)
        found = {
            (series["metric"]["__name__"], series["metric"]["enterprise"], series["metric"]["tag"]): (
                series["timestamps"],
                series["values"],
            )
            for series in deduplicating.export('{__name__=~"sample_.*"}')
        }
        assert found == {
            ("sample_value", "huarui", "GT-101"): ([1_000], [3.25]),
            ("sample_quality", "huarui", "GT-101"): ([1_000], [192]),
            ("sample_reason", "huarui", "GT-101"): ([1_000], [0]),
            ("sample_received", "huarui", "GT-101"): ([1_000], [1_005]),
            ("sample_quality", "华瑞", "a b,c=d"): ([2_000], [0]),
            ("sample_reason", "华瑞", "a b,c=d"): ([2_000], [5]),
            ("sample_received", "华瑞", "a b,c=d"): ([2_000], [2_005]),
        }

    async def test_it_answers_no_influxql(self, victoria: servers.Victoria) -> None:
        async with historian(victoria.url, write_api="v2") as opened:
            with pytest.raises(HistorianUnavailable) as raised:
                await opened.read(PATHS[0], 0, 10, 10)
            assert "InfluxQL" in raised.value.remedy


class TestAnswers:
    @pytest.mark.parametrize("api", ["v1", "v2"])
    @pytest.mark.parametrize("status", [200, 201, 202, 301, 302, 401, 403, 404, 405, 408, 429, 500, 502, 503])
    async def test_nothing_but_204_is_success(self, api: Api, status: int) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, text="what is the matter", headers={"Location": "/elsewhere"})

        async with server(answer) as url, historian(url, write_api=api) as opened:
            with pytest.raises(HistorianUnavailable, match=str(status)) as raised:
                await opened.write(BLOCK, PATHS)
            assert raised.value.remedy

    @pytest.mark.parametrize("api", ["v1", "v2"])
    @pytest.mark.parametrize("status", [400, 413, 422])
    async def test_refused_with_the_servers_words(self, api: Api, status: int) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response({"code": "invalid", "message": "no good 不行 " + "x" * 5_000}, status=status)

        async with server(answer) as url, historian(url, write_api=api) as opened:
            with pytest.raises(HistorianRefused, match="no good") as raised:
                await opened.write(BLOCK, PATHS)
            assert len(str(raised.value)) < 1_200
            assert not raised.value.whole

    @pytest.mark.parametrize("api", ["v1", "v2"])
    async def test_a_server_that_hangs(self, api: Api) -> None:
        over = asyncio.Event()

        async def answer(_: web.Request) -> web.Response:
            await over.wait()
            return web.Response(status=204)

        async with server(answer) as url, historian(url, write_api=api, timeout=0.05) as opened:
            with pytest.raises(HistorianUnavailable, match="not answered within"):
                await opened.write(BLOCK, PATHS)
            over.set()

    @pytest.mark.parametrize("api", ["v1", "v2"])
    async def test_a_server_that_hangs_up(self, api: Api) -> None:
        async def answer(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=204)

        async with server(answer) as url, historian(url, write_api=api) as opened:
            with pytest.raises(HistorianUnavailable, match="can't be reached"):
                await opened.write(BLOCK, PATHS)

    @pytest.mark.parametrize("api", ["v1", "v2"])
    async def test_nobody_listens(self, api: Api) -> None:
        async with historian(f"http://127.0.0.1:{servers.free_port()}", write_api=api) as opened:
            for act in (opened.start(), opened.write(BLOCK, PATHS), opened.read("a/b", 0, 1, 1)):
                with pytest.raises(HistorianUnavailable, match="can't be reached") as raised:
                    await act
                assert "historian.url" in raised.value.remedy

    @pytest.mark.parametrize(
        "answered",
        [
            "",
            "[]",
            "null",
            "<html>",
            '{"results": []}',
            '{"results": [{"error": "no such thing"}]}',
            '{"results": [7]}',
        ],
    )
    async def test_answers_that_are_no_samples(self, answered: str) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(text=answered)

        async with server(answer) as url, historian(url, write_api="v1") as opened:
            for act in (opened.read("a/b", 0, 1, 1), opened.read_buckets("a/b", 0, 1, 1)):
                with pytest.raises(HistorianUnavailable):
                    await act

    @pytest.mark.parametrize("status", [200, 400, 403, 405])
    async def test_a_server_or_an_account_that_creates_no_databases(self, status: int) -> None:
        async def answer(request: web.Request) -> web.Response:
            if request.path == "/write":
                return web.Response(status=204)
            return web.json_response({"results": [{"error": "not implemented: CREATE DATABASE"}]}, status=status)

        async with server(answer) as url, historian(url, write_api="v1") as opened:
            await opened.start()
            await opened.write(BLOCK, PATHS)

    @pytest.mark.parametrize("api", ["v1", "v2"])
    @pytest.mark.parametrize("status", [401, 404, 503])
    async def test_a_server_that_cannot_be_started_with(self, api: Api, status: int) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, text="what is the matter")

        async with server(answer) as url, historian(url, write_api=api) as opened:
            with pytest.raises(HistorianUnavailable, match=f"{status}: what is the matter"):
                await opened.start()


class TestRequests:
    @pytest.mark.parametrize(
        ("settings", "path", "query", "authorization"),
        [
            (
                {"write_api": "v1", "database": "d&b", "username": "u", "password": "pä"},
                "/write",
                {"db": "d&b", "precision": "ms"},
                "Basic dTpww6Q=",
            ),
            ({"write_api": "v1"}, "/write", {"db": "anshao", "precision": "ms"}, None),
            (
                {"write_api": "v2", "org": "o&", "bucket": "b/1", "token": "t0ken"},
                "/api/v2/write",
                {"org": "o&", "bucket": "b/1", "precision": "ms"},
                "Token t0ken",
            ),
            (
                {"write_api": "v2"},
                "/api/v2/write",
                {"org": "anshao", "bucket": "anshao", "precision": "ms"},
                None,
            ),
        ],
    )
    async def test_what_is_sent(
        self, settings: dict[str, Any], path: str, query: dict[str, str], authorization: str | None
    ) -> None:
        seen: list[tuple[str, str, dict[str, str], str | None, bytes]] = []

        async def answer(request: web.Request) -> web.Response:
            body = await request.read()
            given = request.headers.get("Authorization")
            seen.append((request.method, request.path, dict(request.query), given, body))
            return web.Response(status=204)

        async with server(answer) as url, historian(url, **settings) as opened:
            await opened.write(BLOCK, PATHS)
        assert seen == [("POST", path, query, authorization, LineEncoder().encode(BLOCK, PATHS))]

    async def test_reading_carries_the_token_too(self) -> None:
        seen: list[str | None] = []

        async def answer(request: web.Request) -> web.Response:
            seen.append(request.headers.get("Authorization"))
            return web.json_response({"results": [{"statement_id": 0}]})

        async with server(answer) as url, historian(url, token="t0ken") as opened:
            assert len(await opened.read("a/b", 0, 1, 1)) == 0
        assert seen == ["Token t0ken"]

    @pytest.mark.parametrize("api", ["v1", "v2"])
    async def test_no_request_grows_over_a_proxys_limit(self, api: Api) -> None:
        bodies: list[bytes] = []

        async def answer(request: web.Request) -> web.Response:
            bodies.append(await request.read())
            return web.Response(status=204)

        count = 30_500
        block = SampleBlock.of([1] * count, range(count), [5] * count, [0.1] * count, [192] * count, [0] * count)
        async with server(answer) as url, historian(url, write_api=api) as opened:
            await opened.write(block, PATHS)
        assert b"".join(bodies) == LineEncoder().encode(block, PATHS)
        assert len(bodies) > 1
        assert max(map(len, bodies)) < 1_000_000
