"""A picture of what a scenario made, as SVG: trends by unit, what happened, and what must alarm when."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from html import escape
from pathlib import Path

import numpy as np
import yaml

from domain.samples import Float64, Int64
from domain.scales import RuleKind
from domain.site import Site
from domain.truth import Event, Expected
from simulators.scenarios.simulation import Chunk, Simulation

WORDS = Path(__file__).parents[1] / "words.yaml"
WIDTH, LEFT, RIGHT = 960, 64, 150
PANEL, GAP, TOP, ROW = 120, 40, 92, 15
BINS = WIDTH - LEFT - RIGHT
"""Readings of one pixel's width are drawn as one line from their least to their greatest."""
LINES = 12
"""Tags drawn in a panel at the most, those with the greatest changes."""
INK, FAINT, GRID, BAND, HARM = "#2c363f", "#7f8a94", "#e3e7eb", "#fbe3d0", "#c0242c"
WANTED, BROKEN = "#2a6fb8", "#5d6770"
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8d6a9f", "#c77f0a", "#4a5759", "#007f7f", "#a0522d")
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000)
_TICKS = 9


@dataclass(frozen=True, slots=True)
class _Panel:
    unit: str
    measurand: str
    engineering_unit: str
    tags: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Bar:
    """A span below a panel; ms UTC."""

    begin: int
    end: int
    label: str
    colour: str


class Picture:
    """Collects readings chunk by chunk, in memory that does not depend on how many there are."""

    def __init__(self, simulation: Simulation, site: Site) -> None:
        self._simulation = simulation
        self._site = site
        self._tags = [index for index, tag in enumerate(simulation.tags) if tag.path in site.tag_index]
        count = len(simulation.tags)
        self._low = np.full((count, BINS), np.inf)
        self._high = np.full((count, BINS), -np.inf)
        self._begin = simulation.begin
        self._span = simulation.scenario.file.duration

    def add(self, chunk: Chunk) -> None:
        """Take in what has arrived."""
        for part in chunk.parts:
            offset = part.delivered.source_time - self._begin
            bins = offset * BINS // self._span
            inside = (bins >= 0) & (bins < BINS)
            for column in range(len(part.station.tags)):
                value = part.delivered.measured.value[:, column]
                seen = inside & np.isfinite(value)
                self._widen(part.station.first + column, bins[seen], value[seen])

    def _widen(self, tag: int, bins: Int64, value: Float64) -> None:
        np.minimum.at(self._low[tag], bins, value)
        np.maximum.at(self._high[tag], bins, value)

    def svg(self) -> str:
        """The whole drawing."""
        file = self._simulation.scenario.file
        panels = list(self._panels())
        title = f"{file.title.zh} · {file.title.en}"
        made = f"{file.name} · seed {self._simulation.seed} · {len(self._tags)} {_words()['tags']} · "
        made += f"{_words()['every']} {file.period / 1000:g} s"
        parts: list[str] = [
            f'<text x="{LEFT}" y="28" font-size="19" font-weight="600">{escape(title)}</text>',
            f'<text x="{LEFT}" y="48" fill="{FAINT}">{escape(made)}</text>',
            *_legend(),
        ]
        y: float = TOP
        for panel in panels:
            bars = [*self._faults(panel), *self._wanted(panel)]
            height = PANEL + ROW * len(bars)
            parts += self._panel(panel, bars, y)
            y += height + GAP
        total = y + 6
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total:.0f}" role="img" '
            f'aria-label="{escape(file.title.en)}" font-family="sans-serif" font-size="11.5" fill="{INK}">'
            f'<rect width="{WIDTH}" height="{total:.0f}" fill="#fff"/>{"".join(parts)}</svg>\n'
        )

    def _panels(self) -> Iterator[_Panel]:
        """Tags of one unit, measurand and engineering unit together."""
        found: dict[tuple[str, str, str, str], list[int]] = {}
        for index in self._tags:
            tag = self._simulation.tags[index]
            found.setdefault((tag.enterprise, tag.unit, tag.measurand, tag.engineering_unit), []).append(index)
        for (enterprise, unit, measurand, engineering_unit), tags in found.items():
            yield _Panel(f"{enterprise}/{unit}", measurand, engineering_unit, tags)

    def _in_panel(self, expected: Expected, panel: _Panel) -> bool:
        path = expected.condition.rpartition("/")[0]
        if path in {self._simulation.tags[index].path for index in panel.tags}:
            return True
        enterprise, unit = panel.unit.split("/")
        first = next(one for one in self._panels() if one.unit == panel.unit)
        return path == f"{enterprise}/@unit.{unit}" and first.tags == panel.tags

    def _panel(self, panel: _Panel, bars: Sequence[_Bar], top: float) -> Iterator[str]:
        enterprise, unit = panel.unit.split("/")
        name = self._site.units[enterprise, unit].name
        bottom = top + PANEL
        changes = {index: self._change(index) for index in panel.tags}
        shown = sorted(sorted(panel.tags, key=lambda index: -changes[index])[:LINES])
        low, high = self._range(shown)
        scale = (bottom - top - 8) / (high - low)

        def up(value: float) -> float:
            return bottom - 4 - (value - low) * scale

        yield (
            f'<text x="{LEFT}" y="{top - 5:.0f}" font-weight="600">{escape(name)} {escape(panel.unit)}'
            f'<tspan fill="{FAINT}" font-weight="400"> · {escape(panel.measurand)}, '
            f"{escape(panel.engineering_unit)}</tspan></text>"
        )
        yield f'<rect x="{LEFT}" y="{top:.0f}" width="{BINS}" height="{PANEL}" fill="#fff" stroke="{GRID}"/>'
        for event in self._simulation.truth.events:
            if not event.units or panel.unit in event.units or self._names(event, panel):
                yield from self._event(event, top, bottom)
        for value in _ticks(low, high):
            yield (
                f'<line x1="{LEFT}" x2="{LEFT + BINS}" y1="{up(value):.1f}" y2="{up(value):.1f}" stroke="{GRID}"/>'
                f'<text x="{LEFT - 6}" y="{up(value) + 4:.1f}" text-anchor="end" fill="{FAINT}">{value:g}</text>'
            )
        for label, setpoint in self._limits(shown).items():
            if low <= setpoint <= high:
                # Those of two levels may lie close together: one is named at the right, the other at the left
                x, anchor = (LEFT + 3, "start") if len(label) > 1 else (LEFT + BINS - 3, "end")
                yield (
                    f'<line x1="{LEFT}" x2="{LEFT + BINS}" y1="{up(setpoint):.1f}" y2="{up(setpoint):.1f}" '
                    f'stroke="{HARM}" stroke-dasharray="2 4"/><text x="{x}" y="{up(setpoint) - 2:.1f}" '
                    f'text-anchor="{anchor}" font-size="10" fill="{HARM}">{escape(label)} {setpoint:g}</text>'
                )
        for number, index in enumerate(shown):
            colour = COLOURS[number % len(COLOURS)]
            yield f'<path d="{self._path(index, up)}" fill="none" stroke="{colour}" stroke-width="1.2"/>'
            label = self._simulation.tags[index].name
            if number == LINES - 1 and len(panel.tags) > LINES:
                label += f" … {len(panel.tags)}"
            yield (
                f'<text x="{LEFT + BINS + 8}" y="{top + 11 + number * 9.6:.1f}" font-size="10" '
                f'fill="{colour}">{escape(label)}</text>'
            )
        for number, bar in enumerate(bars):
            yield from self._bar(bar, bottom + number * ROW)
        yield from self._axis(bottom + ROW * len(bars))

    def _names(self, event: Event, panel: _Panel) -> bool:
        return bool({self._simulation.tags[index].path for index in panel.tags} & set(event.tags))

    def _event(self, event: Event, top: float, bottom: float) -> Iterator[str]:
        begin, end = self._across(event.begin), self._across(event.end)
        title = f"<title>{escape(event.title['zh'])} {escape(event.title['en'])}</title>"
        yield (
            f'<rect x="{begin:.1f}" y="{top:.0f}" width="{end - begin:.1f}" height="{bottom - top:.0f}" '
            f'fill="{BAND}">{title}</rect>'
        )
        if event.harm_at is not None and event.harm_at < self._begin + self._span:
            x = self._across(event.harm_at)
            yield (
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.0f}" y2="{bottom:.0f}" stroke="{HARM}" '
                f'stroke-width="1.5">{title}</line>'
            )

    def _wanted(self, panel: _Panel) -> Iterator[_Bar]:
        for one in self._simulation.truth.expected:
            if self._in_panel(one, panel):
                yield _Bar(one.begin, one.end, one.condition.partition("/")[2], WANTED)

    def _faults(self, panel: _Panel) -> Iterator[_Bar]:
        """Faults of the timeline on tags of a panel, or on their gateways; of those that come back the first."""
        tags = [self._simulation.tags[index] for index in panel.tags]
        gateways = {f"{tag.enterprise}/{tag.gateway}" for tag in tags}
        for entry in self._simulation.scenario.file.timeline:
            if entry.fault is None or (entry.gateway is not None and entry.gateway not in gateways):
                continue
            named = [tag.name for tag in tags if any(fnmatchcase(tag.path, one) for one in entry.tags or ("*",))]
            if named:
                whom = entry.gateway if entry.tags is None else ", ".join(named)
                end = self._span if entry.until is None else entry.until
                yield _Bar(self._begin + entry.at, self._begin + end, f"{entry.fault} {whom}", BROKEN)

    def _bar(self, bar: _Bar, y: float) -> Iterator[str]:
        begin, end = self._across(bar.begin), self._across(bar.end)
        long = end > LEFT + BINS * 0.8
        left = begin > LEFT + BINS * 0.3 and long
        # Beside the bar where there is room, else on it
        x, ink = (begin - 4, bar.colour) if left else (begin + 4, "#fff") if long else (end + 4, bar.colour)
        yield (
            f'<rect x="{begin:.1f}" y="{y + 3:.1f}" width="{max(end - begin, 2):.1f}" height="{ROW - 5}" '
            f'fill="{bar.colour}" fill-opacity=".75"/><text x="{x:.1f}" '
            f'y="{y + ROW - 3:.1f}" font-size="10" text-anchor="{"end" if left else "start"}" fill="{ink}">'
            f"{escape(bar.label)}</text>"
        )

    def _axis(self, y: float) -> Iterator[str]:
        seconds = self._span / 1000.0
        step = next((one for one in _STEPS if seconds / one <= _TICKS), _STEPS[-1])
        for tick in range(0, int(seconds) + 1, step):
            x = LEFT + BINS * tick / seconds
            yield f'<text x="{x:.1f}" y="{y + 12:.1f}" text-anchor="middle" fill="{FAINT}">{_offset(tick)}</text>'

    def _across(self, instant: int) -> float:
        return LEFT + BINS * min(max((instant - self._begin) / self._span, 0.0), 1.0)

    def _change(self, index: int) -> float:
        low, high = self._low[index].min(), self._high[index].max()
        return float(high - low) if math.isfinite(low) else 0.0

    def _range(self, tags: Sequence[int]) -> tuple[float, float]:
        low = min(float(self._low[index].min()) for index in tags)
        high = max(float(self._high[index].max()) for index in tags)
        if not math.isfinite(low):
            return 0.0, 1.0
        room = 0.06 * (high - low) or 0.5
        return low - room, high + room

    def _limits(self, tags: Sequence[int]) -> Mapping[str, float]:
        """The limits that most of the tags share, by key."""
        rules, limits = self._site.rules, {}
        for index in tags:
            for row in rules.of_tag(self._site.tag_index[self._simulation.tags[index].path]):
                if rules.kind[row] in {RuleKind.HIGH, RuleKind.LOW}:
                    limits[rules.key[row]] = float(rules.setpoint[row])
        return limits

    def _path(self, index: int, up: Callable[[float], float]) -> str:
        low, high = self._low[index], self._high[index]
        places = np.flatnonzero(np.isfinite(low))
        gap = max(4 * BINS * self._simulation.scenario.file.period / self._span, 3.0)
        steps, last = [], -math.inf
        for place in places.tolist():
            x = LEFT + place
            command = "L" if place - last <= gap else "M"
            steps.append(f"{command}{x} {up(float(low[place])):.1f}")
            if high[place] > low[place]:
                steps.append(f"L{x} {up(float(high[place])):.1f}")
            last = place
        return "".join(steps)


def _legend() -> Iterator[str]:
    x = LEFT
    for colour, word, width in (
        (BAND, "event", 106),
        (HARM, "harm", 124),
        (BROKEN, "fault", 300),
        (WANTED, "expected", 0),
    ):
        told = escape(_words()[word])
        yield f'<rect x="{x}" y="57" width="12" height="10" fill="{colour}"/><text x="{x + 17}" y="66">{told}</text>'
        x += width


@cache
def _words() -> Mapping[str, str]:
    words: dict[str, str] = yaml.safe_load(WORDS.read_text("utf-8"))
    return words


def _ticks(low: float, high: float) -> Iterator[float]:
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    value = math.ceil(low / step) * step
    while value <= high:
        yield round(value, 10)
        value += step


def _offset(seconds: int) -> str:
    """``1d 6:30``, ``2:05``, ``0:00:20``."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    clock = f"{hours}:{minutes:02}" + (f":{rest:02}" if rest else "")
    return f"{days}d {clock}" if days and seconds % 86_400 else f"{days}d" if days else clock
