"""Local time of shifts and quiet hours: Asia/Shanghai, eight hours ahead of UTC all the year (since 1991)."""

from datetime import UTC, date, datetime, timedelta

DAY = 86_400_000
"""ms."""
OFFSET = 8 * 3_600_000
"""ms that local time is ahead of UTC."""
_EPOCH = date(1970, 1, 1).toordinal()


def ms_of_day(now: int) -> int:
    """Milliseconds since local midnight at an instant (ms UTC)."""
    return (now + OFFSET) % DAY


def local_day(now: int) -> date:
    """The local date at an instant (ms UTC)."""
    return date.fromordinal(_EPOCH + (now + OFFSET) // DAY)


def midnight(day: date) -> int:
    """The instant (ms UTC) at which a local day begins."""
    return (day.toordinal() - _EPOCH) * DAY - OFFSET


def local_text(now: int) -> str:
    """``2026-06-08 10:30:00``, as people on site read it."""
    return (datetime.fromtimestamp(now / 1000, UTC) + timedelta(milliseconds=OFFSET)).strftime("%Y-%m-%d %H:%M:%S")
