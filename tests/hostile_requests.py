"""Values that no caller should send, as they stand in an address."""

from collections.abc import Iterator

from service.api.routes import Route

HOSTILE = [
    "",
    "%00",
    "a%00b",
    "%0d%0aX: 1",
    "%ff%fe",
    "%ed%a0%80",
    "%F0%9F%98%80",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "'%20OR%201=1--",
    "%25%25",
    "%",
    "%zz",
    "null",
    "NaN",
    "Infinity",
    "-1",
    "1e400",
    "0x10",
    "9" * 19,
    "9" * 400,
    "x" * 4_000,
    "%E7%BD%90" * 300,
    "true",
    "[]",
    "{}",
    "a&a=b",
    "2026-06-08T02:30:00Z",
    "-0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-02-30T00:00:00Z",
    "2026-W01-1T00:00:00Z",
    "24h",
    "1e9h",
    "%D9%A1%D9%A2",
]


KNOWN = {"id": "1", "enterprise": "huarui", "tag": "GT-101", "number": "1", "name": "site.yaml"}
"""Something that is there for each parameter of a path."""


def parameters_of(route: Route, value: str) -> Iterator[str]:
    """Addresses of a route with the value in place of each of its parameters, and of one it does not have."""
    for name in route.path_model.model_fields:
        yield route.path.format(**KNOWN | {name: value})
    for name in (*route.query.model_fields, "unknown"):
        yield f"{route.path.format(**KNOWN)}?{name}={value}"
