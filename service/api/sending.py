"""A file as an answer, whole. Without ranges: a photo, a document, an archive is fetched at once, and kept or not."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

CHUNK = 1 << 18
PATIENCE = 60.0
"""Seconds in which a caller must take a chunk [ours]."""


async def send_file(request: web.Request, file: Path, headers: Mapping[str, str]) -> web.StreamResponse:
    """Answer with a file, which may be gone when the answer is."""
    response = web.StreamResponse(headers=headers)
    response.content_length = (await asyncio.to_thread(file.stat)).st_size
    await response.prepare(request)
    with file.open("rb") as opened:
        while chunk := await asyncio.to_thread(opened.read, CHUNK):
            try:
                async with asyncio.timeout(PATIENCE):
                    await response.write(chunk)
            except TimeoutError:
                raise ConnectionAbortedError("the caller takes no more of the file") from None
    await response.write_eof()
    return response
