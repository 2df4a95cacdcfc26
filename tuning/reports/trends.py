"""Trends that fit into a page and still hold what matters: all extremes, and detail where something happened.

The whole span is cut into equal pieces, of each of which the least and the greatest value are kept, where they were.
Around alarms and events pieces are shorter, down to the readings themselves. Both make one series in order of time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Float64, Int64
from domain.scales import Quality
from tuning.readings.recording import Recording

GAP_PERIODS = 5
"""Readings further apart than so many of their usual intervals are not joined by a line [ours]."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A series to be drawn. time: ms UTC, rising; value: NaN where the line is broken."""

    time: Int64
    value: Float64


def trend_of(
    recording: Recording,
    tag: int,
    begin: int,
    end: int,
    points: int,
    windows: Sequence[tuple[int, int]] = (),
    detail: int = 0,
) -> Trend:
    """The trend of a recorded tag from begin to end (ms) in about ``points`` points.

    ``windows``: spans (ms) that are drawn finer, with about ``detail`` points each.
    """
    edges = _edges(begin, end, max(points // 2, 1), windows, max(detail // 2, 1))
    kept: list[tuple[Int64, Float64]] = []
    carried: tuple[Int64, Float64] = (np.empty(0, dtype=np.int64), np.empty(0))
    gaps: list[int] = []
    for block in recording.read_tag(tag, begin, end):
        value = np.where(block.quality == Quality.BAD, np.nan, block.value)
        time = block.source_time
        if len(time) > 1:
            gaps.append(int(np.median(np.diff(time))))
        time, value = np.concatenate([carried[0], time]), np.concatenate([carried[1], value])
        if not bool((time[1:] >= time[:-1]).all()):
            order = np.argsort(time, kind="stable")
            time, value = time[order], value[order]
        # The last piece may go on in the next block.
        last = edges[np.searchsorted(edges, time[-1], side="right") - 1]
        split = int(np.searchsorted(time, last))
        kept.append(_extremes(time[:split], value[:split], edges))
        carried = time[split:], value[split:]
    kept.append(_extremes(*carried, edges))
    time = np.concatenate([each[0] for each in kept])
    value = np.concatenate([each[1] for each in kept])
    order = np.argsort(time, kind="stable")
    interval = int(np.median(gaps)) if gaps else 0
    return _broken(time[order], value[order], interval, edges)


def _edges(begin: int, end: int, pieces: int, windows: Iterable[tuple[int, int]], finer: int) -> Int64:
    """Where pieces begin, ms."""
    parts = [np.linspace(begin, end, pieces + 1)]
    for first, last in windows:
        low, high = max(first, begin), min(last, end)
        if high > low:
            parts.append(np.linspace(low, high, finer + 1))
    return np.unique(np.concatenate(parts).astype(np.int64))


def _extremes(time: Int64, value: Float64, edges: Int64) -> tuple[Int64, Float64]:
    """The readings with the least and the greatest value of each piece, where they were; a piece without any: NaN."""
    if not len(time):
        return time, value
    piece = np.searchsorted(edges, time, side="right")
    begins = np.flatnonzero(np.concatenate([[True], piece[1:] != piece[:-1]]))
    counts = np.diff(begins, append=len(time))
    number = np.repeat(np.arange(len(begins)), counts)
    missing = np.isnan(value)
    low = np.minimum.reduceat(np.where(missing, np.inf, value), begins)
    high = np.maximum.reduceat(np.where(missing, -np.inf, value), begins)
    known = ~np.isinf(low) | ~np.isinf(high)
    lows, highs = (_first_of(np.flatnonzero(value == bound[number]), number) for bound in (low, high))
    at = np.unique(np.concatenate([lows, highs, begins[~known]]))
    return time[at], value[at]


def _first_of(places: Int64, number: Int64) -> Int64:
    """Of places in order, the first of each number."""
    if not len(places):
        return places
    own = number[places]
    firsts: Int64 = places[np.concatenate([[True], own[1:] != own[:-1]])]
    return firsts


def _broken(time: Int64, value: Float64, interval: int, edges: Int64) -> Trend:
    """With a break where nothing was heard for longer than readings usually are apart."""
    if len(time) < 2 or not interval:  # noqa: PLR2004 -- nothing to break
        return Trend(time, value)
    # Two points of neighbouring pieces may be two pieces apart, however dense the readings were.
    widths = np.diff(edges)
    piece = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, len(widths) - 1)
    usual = np.maximum(widths[piece], interval)
    reach = usual[:-1] + usual[1:] + GAP_PERIODS * interval
    after = np.flatnonzero(np.diff(time) > reach)
    return Trend(
        np.insert(time, after + 1, time[after] + 1),
        np.insert(value, after + 1, np.nan),
    )
