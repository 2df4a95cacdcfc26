"""Plots as inline SVG. Text is given escaped by ``markupsafe``; colours are those of the grades everywhere."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from service.reports.words import clock_time, day_time

GRADES: Mapping[str, str] = {"blue": "#2a6fb8", "yellow": "#e0a800", "orange": "#e06c10", "red": "#c0242c"}
INK, FAINT, LINE = "#3c4650", "#8a949e", "#dfe3e8"
WIDTH = 900
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 28
_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600)
"""Seconds between two ticks of a time axis."""
_OFFSET = 28_800
"""Seconds that Asia/Shanghai is ahead of UTC."""
_TICKS = 9


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line: label, value, colour."""

    label: str
    value: float
    colour: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at an instant (ms); ``filled``: it began, else it ended."""

    at: int
    colour: str
    filled: bool
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A span (ms) in a row of a timeline."""

    row: int
    begin: int
    end: int
    colour: str
    title: str


def svg(height: float, parts: Sequence[str], label: str) -> Markup:
    """A whole drawing."""
    body = "".join(parts)
    return Markup(  # noqa: S704 -- made here of numbers and of what was escaped
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg" font-size="12" fill="{INK}">{body}</svg>'
    )


def trend(
    time: Sequence[int],
    value: Sequence[float],
    span: tuple[int, int],
    limits: Sequence[Limit],
    marks: Sequence[Mark],
    label: str,
) -> Markup:
    """Values over time with limits, and where alarms entered and left. ``time`` in ms, gaps wider than a 40th break."""
    height = 220
    across = _time_scale(span)
    low, high = _range([*value, *(limit.value for limit in limits)])
    up = _scale(low, high, height - BOTTOM, TOP)
    parts = [*_time_axis(span, across, height), *_value_axis(low, high, up)]
    for limit in limits:
        y = up(limit.value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{limit.colour}" '
            f'stroke-dasharray="6 4"/><text x="{WIDTH - RIGHT - 4}" y="{y - 4:.1f}" text-anchor="end" '
            f'fill="{limit.colour}">{escape(limit.label)} {limit.value:g}</text>'
        )
    gap = max((span[1] - span[0]) / 40, 1)
    path, last = [], None
    for at, one in zip(time, value, strict=True):
        command = "L" if last is not None and at - last <= gap else "M"
        path.append(f"{command}{across(at):.1f} {up(one):.1f}")
        last = at
    if path:
        parts.append(f'<path d="{"".join(path)}" fill="none" stroke="{INK}" stroke-width="1.3"/>')
    else:
        parts.append(
            f'<text x="{WIDTH / 2}" y="{height / 2}" text-anchor="middle" fill="{FAINT}">无采样值 no samples</text>'
        )
    for mark in marks:
        x = across(mark.at)
        fill = mark.colour if mark.filled else "#fff"
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}" stroke="{mark.colour}" '
            f'stroke-opacity=".35"/><path d="M{x:.1f} {TOP + 9}l-6 -9h12z" fill="{fill}" stroke="{mark.colour}">'
            f"<title>{escape(mark.title)}</title></path>"
        )
    return svg(height, parts, label)


def timeline(
    rows: Sequence[str], bars: Sequence[Bar], marks: Sequence[tuple[int, Mark]], span: tuple[int, int]
) -> Markup:
    """One row for each alarm: when it was in; marks are (row, mark)."""
    left = 230
    step = 24
    height = TOP + step * len(rows) + BOTTOM
    across = _scale(span[0], span[1], left, WIDTH - RIGHT)
    parts = _time_axis(span, across, height)
    for index, name in enumerate(rows):
        y = TOP + step * index
        parts.append(
            f'<text x="{left - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
            f'<line x1="{left}" x2="{WIDTH - RIGHT}" y1="{y + step}" y2="{y + step}" stroke="{LINE}"/>'
        )
    for bar in bars:
        x, y = across(bar.begin), TOP + step * bar.row + 5
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{max(across(bar.end) - x, 2):.1f}" height="14" rx="2" '
            f'fill="{bar.colour}"><title>{escape(bar.title)}</title></rect>'
        )
    for row, mark in marks:
        x, y = across(mark.at), TOP + step * row + 12
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="#fff" stroke="{INK}" stroke-width="1.6">'
            f"<title>{escape(mark.title)}</title></circle>"
        )
    return svg(height, parts, "报警时间线 timeline of alarms")


def stacked(days: Sequence[Mapping[str, int]], label: str) -> Markup:
    """A bar for each day (``start`` in ms and a count for each grade), grades upon each other."""
    height = 240
    most = max((sum(day[grade] for grade in GRADES) for day in days), default=0)
    low, high = 0.0, max(float(most), 1.0)
    up = _scale(low, high, height - BOTTOM, TOP)
    parts = _value_axis(low, high, up)
    wide = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    every = max(1, math.ceil(len(days) / 12))
    for index, day in enumerate(days):
        x, base = LEFT + index * wide, 0
        for grade, colour in GRADES.items():
            if day[grade]:
                top = up(base + day[grade])
                parts.append(
                    f'<rect x="{x + wide * 0.12:.1f}" y="{top:.1f}" width="{wide * 0.76:.1f}" '
                    f'height="{up(base) - top:.1f}" fill="{colour}"><title>{grade}: {day[grade]}</title></rect>'
                )
                base += day[grade]
        if index % every == 0:
            parts.append(
                f'<text x="{x + wide / 2:.1f}" y="{height - 10}" text-anchor="middle" fill="{FAINT}">'
                f"{day_time(day['start'])[5:10]}</text>"
            )
    return svg(height, parts, label)


def columns(bars: Mapping[str, int], label: str, danger_from: int) -> Markup:
    """A bar for each name with its count above; from ``danger_from`` on in the colour of danger."""
    height = 220
    most = max([*bars.values(), 1])
    up = _scale(0, most, height - BOTTOM, TOP + 16)
    wide = (WIDTH - LEFT - RIGHT) / max(len(bars), 1)
    parts = [f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height - BOTTOM}" y2="{height - BOTTOM}" stroke="{LINE}"/>']
    for index, (name, count) in enumerate(bars.items()):
        x, y = LEFT + index * wide, up(count)
        colour = GRADES["red"] if index >= danger_from else "#5f87ad"
        parts.append(
            f'<rect x="{x + wide * 0.15:.1f}" y="{y:.1f}" width="{wide * 0.7:.1f}" '
            f'height="{height - BOTTOM - y:.1f}" fill="{colour}"/>'
            f'<text x="{x + wide / 2:.1f}" y="{y - 5:.1f}" text-anchor="middle" fill="{FAINT}">{count:,}</text>'
            f'<text x="{x + wide / 2:.1f}" y="{height - 10}" text-anchor="middle">{escape(name)}</text>'
        )
    return svg(height, parts, label)


def ranking(rows: Sequence[tuple[str, float, str]], label: str) -> Markup:
    """Horizontal bars: name, length, what stands after the bar."""
    step, left = 26, 290
    most = max([count for _, count, _ in rows], default=1.0)
    along = _scale(0, most, left, WIDTH - 130)
    parts = []
    for index, (name, count, after) in enumerate(rows):
        y = 6 + index * step
        parts.append(
            f'<text x="{left - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{left}" y="{y + 3}" width="{max(along(count) - left, 1):.1f}" '
            f'height="18" rx="2" fill="#5f87ad"/>'
            f'<text x="{along(count) + 8:.1f}" y="{y + 16}" fill="{INK}">{escape(after)}</text>'
        )
    return svg(12 + step * max(len(rows), 1), parts, label)


def _time_axis(span: tuple[int, int], across: Callable[[float], float], height: float) -> list[str]:
    begin, end = span[0] // 1000, span[1] // 1000
    step = next((step for step in _STEPS if (end - begin) / step <= _TICKS), _STEPS[-1])
    show = day_time if step >= 86_400 else clock_time  # noqa: PLR2004 -- a day
    parts = []
    first = -(-(begin + _OFFSET) // step) * step - _OFFSET
    for at in range(first, end + 1, step):
        x = across(at * 1000)
        text = show(at * 1000)
        text = text[5:10] if step >= 86_400 else text[:5]  # noqa: PLR2004 -- a day
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}" stroke="{LINE}"/>'
            f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle" fill="{FAINT}">{text}</text>'
        )
    return parts


def _value_axis(low: float, high: float, up: Callable[[float], float]) -> list[str]:
    parts = []
    for value in _ticks(low, high):
        y = up(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LINE}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{FAINT}">{value:g}</text>'
        )
    return parts


def _ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 4
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    first = math.ceil(low / step)
    return [round(number * step, 10) for number in range(first, math.floor(high / step) + 1)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    room = (high - low) * 0.08 or max(abs(high) * 0.1, 1.0)
    return low - room, high + room


def _time_scale(span: tuple[int, int]) -> Callable[[float], float]:
    return _scale(span[0], span[1], LEFT, WIDTH - RIGHT)


def _scale(low: float, high: float, to_low: float, to_high: float) -> Callable[[float], float]:
    factor = (to_high - to_low) / ((high - low) or 1)
    return lambda value: to_low + (value - low) * factor
