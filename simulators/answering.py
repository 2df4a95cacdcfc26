"""A gateway for text messages on this machine that takes all that it is given, and passes nothing on."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Taken(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answering_gateway(host: str) -> Iterator[str]:
    """Its address, without the path, while it answers. Raises OSError."""
    server = http.server.ThreadingHTTPServer((host, 0), _Taken)
    threading.Thread(target=server.serve_forever, daemon=True, name="answering gateway").start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
