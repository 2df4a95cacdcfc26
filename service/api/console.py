"""The console's files at ``/``, with the headers that keep other content out of it."""

import re
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from service.api.problems import Problem

BUILT = Path(__file__).parent.parent / "static"
"""Where the build puts the console."""
_YEAR = "public, max-age=31536000, immutable"
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
_NOT_BUILT = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>AnShao 安哨</title>
<h1>The console is not built</h1>
<p>The service runs, but the files of its console are missing. Build them in the project's folder with
<code>pip install .</code>, or with <code>python hatch_build.py</code> in a checkout, and load this page again.</p>
<p>控制台尚未构建：请在项目目录中执行 <code>pip install .</code>
（检出的源码用 <code>python hatch_build.py</code>），然后刷新本页。</p>
<p>The API answers under <a href="api/v1/health">api/v1/health</a>.</p>
</html>
"""


def content_security_policy(tiles: str | None) -> str:
    """What a page of the console may load. ``tiles``: origin of the map's tile server, of images alone."""
    images = "'self' data:" if tiles is None else f"'self' data: {tiles}"
    return (
        f"default-src 'self'; connect-src 'self'; img-src {images}; style-src 'self'; "
        "object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


async def serve_console(request: web.Request, folder: Path, tiles: str | None = None) -> web.StreamResponse:
    """A file of the console; its page for every address that a person may reload (history mode)."""
    index = folder / "index.html"
    name = request.path.lstrip("/")
    found = _file(folder, name)
    if found is None:
        if not index.is_file():
            return _headed(
                web.Response(text=_NOT_BUILT, content_type="text/html", status=HTTPStatus.SERVICE_UNAVAILABLE),
                tiles,
            )
        if "." in name.rpartition("/")[2]:
            raise Problem(HTTPStatus.NOT_FOUND, "there is no such file; begin at /")
        found = index
    response = web.FileResponse(found)
    lasting = found.parent != folder and _HASHED.search(found.name)
    response.headers["Cache-Control"] = _YEAR if lasting else "no-cache"
    return _headed(response, tiles)


def _file(folder: Path, name: str) -> Path | None:
    """The file of that name, if it lies in the folder."""
    if not name or "\0" in name:
        return None
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except OSError:  # a name too long for the file system
        return None


def _headed(response: web.StreamResponse, tiles: str | None) -> web.StreamResponse:
    response.headers["Content-Security-Policy"] = content_security_policy(tiles)
    response.headers["X-Frame-Options"] = "DENY"
    return response
