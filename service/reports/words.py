"""What reports call things: Chinese first, English after it. Times are shown in Asia/Shanghai."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import Any

import yaml

ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")


def local(at: int) -> datetime:
    """Local time of an instant in ms UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZONE)


def full_time(at: int | None) -> str:
    """``2026-11-22 08:00:00.000``; a dash for none."""
    return "—" if at is None else local(at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def day_time(at: int) -> str:
    """``2026-11-22 08:00``."""
    return local(at).strftime("%Y-%m-%d %H:%M")


def clock_time(at: int) -> str:
    """``08:00:00``."""
    return local(at).strftime("%H:%M:%S")


def span(milliseconds: float | None) -> str:
    """A length of time: ``2 d 3 h``, ``4 min 10 s``, ``0.8 s``."""
    if milliseconds is None:
        return "—"
    seconds = milliseconds / 1000
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{seconds:.3g} s"
    whole = round(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count)


def share(value: float | None) -> str:
    """Per cent."""
    return "—" if value is None else f"{value * 100:.2f} %"


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    words: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
        (resources.files("service.reports") / "words.yaml").read_text(encoding="utf-8")
    )
    return words


def word(scale: str, name: object) -> str:
    """``中文 English`` of a name of a scale (kinds, grades, states, …); the name itself where it is not known."""
    found = _words().get(scale, {}).get(str(name))
    return str(name) if found is None else str(found)
