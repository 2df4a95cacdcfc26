"""The v2 write API through influxdb-client. A module of its own because the client takes a second to import."""

import aiohttp
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService


class V2Writer:
    """One request per call, and the server's own status for it.

    The client's WriteApi is passed by: batching, it drops what it could not write; asynchronous, it takes a 201 (partly
    written) for success.
    """

    def __init__(self, url: str, *, org: str, bucket: str, token: str | None, timeout: float) -> None:
        self._url = url
        self._org = org
        self._bucket = bucket
        self._token = token
        self._timeout = timeout
        self._client: InfluxDBClientAsync | None = None

    async def post(self, body: bytes) -> tuple[int, str]:
        """Status and text of the answer. Raises aiohttp.ClientError, TimeoutError, OSError."""
        if self._client is None:
            self._client = InfluxDBClientAsync(
                self._url,
                token=self._token,  # type: ignore[arg-type]  # its default is None
                org=self._org,
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                allow_redirects=False,
            )
        service = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]
        try:
            _, status, _ = await service.post_write_async(  # type: ignore[no-untyped-call]
                org=self._org,
                bucket=self._bucket,
                body=body,
                precision="ms",
                content_type="text/plain; charset=utf-8",
                async_req=False,
                _return_http_data_only=False,
            )
        except ApiException as error:
            text = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
            return int(error.status or 0), text
        return int(status), ""

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client:
            await client.close()  # type: ignore[no-untyped-call]
