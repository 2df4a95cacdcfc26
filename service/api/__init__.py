"""The HTTP and WebSocket API under ``/api/v1``, the metrics page and the console's files."""

from service.api.app import Server, create_app, serve
from service.api.openapi import document

__all__ = ["Server", "create_app", "document", "serve"]
