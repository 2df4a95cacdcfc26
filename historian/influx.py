"""InfluxDB 1.x, 2.x and 3.x, and whatever speaks their write protocols.

Written through the v2 write API (InfluxDB 1.8 and later, VictoriaMetrics) or the v1 write endpoint (all of them), read
with InfluxQL over ``/query``. A write is done when the server has answered 204, and by nothing else.
"""

import asyncio
import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import aiohttp
import numpy as np
import orjson

from domain.samples import SampleBlock
from historian.line_protocol import MEASUREMENT, LineEncoder, series_of
from historian.protocol import Buckets, HistorianError, HistorianRefused, HistorianUnavailable, Samples

if TYPE_CHECKING:
    from historian.influx_v2 import V2Writer

_SLICE = 1_000
"""Samples that are formatted before the event loop gets its turn: about 0.3 ms."""
_BODY_BYTES = 768_000
"""A request is sent at this size, so that no proxy's usual limit of 1 MB is reached."""
_COLUMNS = {5, 6}
"""Of a row: its time, and what was asked for of it."""
_OK = 200
_WRITTEN = 204
_FRUITLESS = {401, 404}
_SERVER_ERROR = 500
_REFUSED = {400, 413, 422}
_DROPPED = re.compile(r"dropped=(\d+)")
_TEXT_SHOWN = 1_000


class InfluxHistorian:
    """Historian in InfluxDB. Used from one event loop; reads go on beside writes."""

    def __init__(
        self,
        url: str,
        *,
        write_api: Literal["v1", "v2"] = "v2",
        database: str = "anshao",
        org: str = "anshao",
        bucket: str = "anshao",
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        """``database`` is read from, and written to by v1; ``timeout`` in seconds per request."""
        self.url = url.rstrip("/")
        self._target = f"database {database}" if write_api == "v1" else f"bucket {bucket} of {org}"
        self._database = database
        if token:
            self._headers = {"Authorization": f"Token {token}"}
        elif username:
            login = base64.b64encode(f"{username}:{password or ''}".encode()).decode()
            self._headers = {"Authorization": f"Basic {login}"}
        else:
            self._headers = {}
        self._timeout = timeout
        self._encoder = LineEncoder()
        self._session: aiohttp.ClientSession | None = None
        self._v2: V2Writer | None = None
        if write_api == "v2":
            from historian import influx_v2  # noqa: PLC0415 -- a second that only v2 has to pay

            self._v2 = influx_v2.V2Writer(self.url, org=org, bucket=bucket, token=token, timeout=timeout)

    # ---- life

    async def start(self) -> None:
        """Reach the server; for v1 create the database."""
        if not self._v2:
            await self._create_database()
            return
        status, text = await self._request("GET", "/ping")
        if status not in {_OK, _WRITTEN}:
            raise self._unavailable(status, text)

    async def _create_database(self) -> None:
        name = self._database.replace("\\", "\\\\").replace('"', '\\"')
        status, text = await self._request("POST", "/query", data={"q": f'CREATE DATABASE "{name}"'})
        if status in _FRUITLESS or status >= _SERVER_ERROR:
            raise self._unavailable(status, text)
        # anything else said against it, by 2.x and 3.x or to an account that may only write, need not matter: if the
        # database really is missing, the write says so

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session:
            await session.close()
        if self._v2:
            await self._v2.close()

    # ---- writing

    async def write(self, block: SampleBlock, paths: Sequence[str]) -> None:
        """One request, or several after each other if it would grow over some 0.8 MB."""
        body: list[bytes] = []
        begin = 0
        for start in range(0, len(block), _SLICE):
            part = block.take(slice(start, start + _SLICE))
            body.append(self._encoder.encode(part, paths))
            end = start + len(part)
            if end == len(block) or sum(map(len, body)) + len(body[-1]) > _BODY_BYTES:
                await self._write(b"".join(body), end - begin, only=end - begin == len(block))
                body, begin = [], end
            else:
                await asyncio.sleep(0)

    async def _write(self, body: bytes, count: int, *, only: bool) -> None:
        if self._v2:
            status, text = await self._post_v2(self._v2, body)
        else:
            query = {"db": self._database, "precision": "ms"}
            status, text = await self._request("POST", "/write", params=query, data=body)
        if status == _WRITTEN:
            return
        if status in _REFUSED:
            dropped = _DROPPED.search(text)
            raise HistorianRefused(
                f"{self.url} answered {status}: {_shown(text)}",
                "See the files in the folder refused; correct the store, then send them again.",
                whole=only and dropped is not None and int(dropped[1]) >= count,
            )
        raise self._unavailable(status, text)

    async def _post_v2(self, writer: "V2Writer", body: bytes) -> tuple[int, str]:
        try:
            return await writer.post(body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    # ---- reading

    async def read(self, path: str, start: int, end: int, limit: int) -> Samples:
        """Raw samples."""
        rows = await self._select('"received", "value", "quality", "reason"', path, start, end, f"LIMIT {limit:d}")
        rows = [row for row in rows if row[1] is not None]  # not ours
        return Samples(
            source_time=np.array([row[0] for row in rows], dtype=np.int64),
            received_time=np.array([row[1] for row in rows], dtype=np.int64),
            value=np.array([row[2] for row in rows], dtype=np.float64),
            quality=np.array([row[3] for row in rows], dtype=np.uint8),
            reason=np.array([row[4] for row in rows], dtype=np.uint8),
        )

    async def read_buckets(self, path: str, start: int, end: int, bucket: int) -> Buckets:
        """Samples summed up by the server."""
        wanted = 'MIN("value"), MAX("value"), MEAN("value"), COUNT("value"), MIN("quality")'
        rows = await self._select(wanted, path, start, end, f"GROUP BY time({bucket:d}ms) FILL(none)")
        rows = [row for row in rows if row[5] is not None]  # not ours
        return Buckets(
            time=np.array([row[0] for row in rows], dtype=np.int64),
            minimum=np.array([row[1] for row in rows], dtype=np.float64),
            maximum=np.array([row[2] for row in rows], dtype=np.float64),
            mean=np.array([row[3] for row in rows], dtype=np.float64),
            count=np.array([row[4] or 0 for row in rows], dtype=np.int64),
            quality=np.array([row[5] for row in rows], dtype=np.uint8),
        )

    async def _select(self, fields: str, path: str, start: int, end: int, rest: str) -> list[list[Any]]:
        """Rows of one series, the time in ms and the fields."""
        enterprise, tag = (value.replace("'", "\\'") for value in series_of(path))
        statement = (
            f'SELECT {fields} FROM "{MEASUREMENT}" WHERE "enterprise" = \'{enterprise}\' AND "tag" = \'{tag}\''  # noqa: S608
            f" AND time >= {start:d}ms AND time < {end:d}ms {rest}"
        )
        query = {"db": self._database, "epoch": "ms", "q": statement}
        status, text = await self._request("GET", "/query", params=query)
        try:
            result = dict(orjson.loads(text)["results"][0])
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            result = {"error": text}
        if status != _OK or "error" in result:
            raise self._unavailable(status, str(result.get("error", text)))
        if not result.get("series"):
            return []
        rows: list[list[Any]] = result["series"][0]["values"]
        if len(rows[0]) not in _COLUMNS:
            raise HistorianUnavailable(
                f"{self.url} gave no answer to the question: {_shown(text)}",
                "Samples are read with InfluxQL; a server that speaks only InfluxDB's write API can't be read from.",
            )
        return rows

    # ---- the wire

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        data: bytes | dict[str, str] | None = None,
    ) -> tuple[int, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=self._timeout),
            )
        try:
            async with self._session.request(
                method, self.url + path, params=params, data=data, allow_redirects=False
            ) as response:
                return response.status, await response.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> HistorianError:
        if isinstance(error, TimeoutError):
            return HistorianUnavailable(
                f"{self.url} has not answered within {self._timeout:g} s",
                "See whether the server is overloaded or hangs; its own log says why.",
            )
        return HistorianUnavailable(
            f"{self.url} can't be reached: {error}", "Start the server, or correct historian.url in the configuration."
        )

    def _unavailable(self, status: int, text: str) -> HistorianError:
        remedies = {
            401: "Correct historian.token, or username and password, or the environment variable that holds them.",
            403: f"Give the account the right to write to {self._target}.",
            404: f"Create {self._target}; or correct historian.write_api: the server may not know this way of writing.",
            429: "The server limits the rate; the samples wait on disk.",
        }
        return HistorianUnavailable(
            f"{self.url} answered {status}: {_shown(text) or 'nothing more'}",
            remedies.get(status, "See the server's own log; correct historian.url if it is no InfluxDB."),
        )


def _shown(text: str) -> str:
    """The beginning of what a server has said."""
    text = text.strip()
    return text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}… ({len(text)} characters)"
