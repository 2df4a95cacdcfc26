"""Times as gateways in the field write them, to ms UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
"""Zone of a time that names none."""

EARLIEST = 631_152_000_000
"""1990-01-01: no gateway of ours recorded anything before."""
LATEST = 4_102_444_800_000
"""2100-01-01."""

_DATE = r"(?P<y>\d{4})[-/.](?P<mo>\d{1,2})[-/.](?P<d>\d{1,2})"
_TIME = r"(?P<h>\d{1,2}):(?P<mi>\d{1,2})(?::(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?"
_ZONE = r"\s*(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?)?"
_SEPARATED = re.compile(rf"{_DATE}[Tt ]\s*{_TIME}{_ZONE}", re.ASCII)
_COMPACT = re.compile(
    rf"(?P<y>\d{{4}})(?P<mo>\d{{2}})(?P<d>\d{{2}})[Tt ]?(?P<h>\d{{2}})(?P<mi>\d{{2}})(?P<s>\d{{2}})"
    rf"(?:[.,]?(?P<f>\d{{1,9}}))?{_ZONE}",
    re.ASCII,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_COMPACT_DIGITS = 14
_LONGEST = 64
"""Characters of a written time; no form of it comes near."""

_SECONDS_TO_MS, _MICROSECONDS_TO_MS = 1000, 1000
_LARGEST_SHOWN = 10**40


class TimeRefused(ValueError):
    """A time that cannot be read or cannot be true."""


def parse_time(raw: object) -> tuple[int, bool]:
    """Ms UTC, and whether the time named no zone and was read as Asia/Shanghai.

    Takes epoch seconds, milliseconds or microseconds, as a number or a numeric string, told apart by their size
    (years 1990 to 2100); ISO 8601 with offset; local time without one, unpadded or with slashes, or compact.
    Raises TimeRefused.
    """
    if isinstance(raw, bool) or raw is None:
        raise TimeRefused("no time: give epoch milliseconds or ISO 8601 with offset")
    if isinstance(raw, (int, float)):
        return _epoch(raw), False
    if isinstance(raw, str):
        text = raw.strip()
        if len(text) > _LONGEST:
            raise TimeRefused(f"a text of {len(text)} characters is no time")
        if len(text) != _COMPACT_DIGITS and _NUMBER.fullmatch(text):
            return _epoch(float(text) if "." in text else int(text)), False
        return _written(text)
    raise TimeRefused(f"a time cannot be of type {type(raw).__name__}")


def _epoch(number: float) -> int:
    if EARLIEST <= number < LATEST:
        return int(number)
    if EARLIEST <= number * _SECONDS_TO_MS < LATEST:
        return round(number * _SECONDS_TO_MS)
    if EARLIEST * _MICROSECONDS_TO_MS <= number < LATEST * _MICROSECONDS_TO_MS:
        return int(number // _MICROSECONDS_TO_MS)
    if abs(number) >= _LARGEST_SHOWN:
        raise TimeRefused("so large a number is no time")
    raise TimeRefused(f"{number!r:.40} is no time between 1990 and 2100 in seconds, milliseconds or microseconds")


def _written(text: str) -> tuple[int, bool]:
    match = _SEPARATED.fullmatch(text) or _COMPACT.fullmatch(text)
    if not match:
        raise TimeRefused(f"{text[:40]!r} is no time: give epoch milliseconds or ISO 8601 with offset")
    part = match.groupdict()
    fraction = int((part["f"] or "0").ljust(6, "0")[:6])
    zone, local = _zone(part["z"])
    try:
        stamp = datetime(
            int(part["y"]),
            int(part["mo"]),
            int(part["d"]),
            int(part["h"]),
            int(part["mi"]),
            int(part["s"] or 0),
            fraction,
            tzinfo=zone,
        )
        milliseconds = (stamp - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    except (ValueError, OverflowError) as fault:
        raise TimeRefused(f"{text[:40]!r} is no time: {fault}") from None
    if not EARLIEST <= milliseconds < LATEST:
        raise TimeRefused(f"{text[:40]!r} is not between 1990 and 2100")
    return milliseconds, local


def _zone(text: str | None) -> tuple[timezone | ZoneInfo, bool]:
    if text is None:
        return LOCAL_ZONE, True
    if text in {"Z", "z"}:
        return UTC, False
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset >= timedelta(hours=24):
        raise TimeRefused(f"{text!r} is no offset from UTC")
    return timezone(-offset if text[0] == "-" else offset), False
