"""The OpenAPI 3.1 document of the API."""

from typing import Any

from service.api.description import describe
from service.api.table import ROUTES


def document() -> dict[str, Any]:
    """The whole document, the same until routes or models change."""
    return describe(ROUTES)
