"""Draws the figures of docs/rules.md: readings through the real engine, one SVG a figure.

    python docs/figures/make.py [FOLDER]

The same readings give the same bytes, with the version of matplotlib in constraints.txt.
"""

# ruff: noqa: INP001, PLR2004 - a script, whose readings are literal

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docs.figures.drawing import INK, LINE, OTHER, THIRD, make
from domain.samples import Float64, SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import ModeLimit, Reference, Rule, RuleExtra, RuleTable, Selector
from rules.engine import RuleEngine, TagColumns
from rules.expressions import parse
from tuning.multivariate.alignment import Table
from tuning.multivariate.training import Options, train

START = 1_750_032_000_000
"""ms; second 0 of each figure."""
GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD
IN = "#c0392b"


@dataclass(frozen=True)
class Story:
    """Tags with their readings: seconds, values and qualities; and their rules."""

    rules: Sequence[Rule]
    time: Float64
    values: Mapping[str, Float64]
    qualities: Mapping[str, Sequence[Quality]]
    selectors: Sequence[Selector] = ()

    def quality(self, name: str) -> Sequence[Quality]:
        """Of each reading of a tag."""
        return self.qualities.get(name, [GOOD] * len(self.time))

    def spans(self) -> dict[str, list[tuple[float, float]]]:
        """When each rule's condition was in, in seconds."""
        names = list(self.values)
        table = RuleTable.build(self.rules, len(names))
        texts = {row: extra.expression for row, extra in table.extras.items() if extra.expression}
        programs = {row: parse(text, names.__contains__) for row, text in texts.items()}
        columns = TagColumns(np.full(len(names), 1_000), np.ones(len(names), dtype=np.bool_))
        engine = RuleEngine(table, columns, 600_000, 5_000, programs, self.selectors)
        engine.await_readings(START)
        found = []
        for step, second in enumerate(self.time.tolist()):
            at = START + round(second * 1000)
            here = [name for name in names if not np.isnan(self.values[name][step])]
            count = len(here)
            value = [float(self.values[name][step]) for name in here]
            quality = [self.quality(name)[step] for name in here]
            tags = [names.index(name) for name in here]
            found += engine.advance(at)
            found += engine.evaluate(SampleBlock.of(tags, [at] * count, [at] * count, value, quality, [0] * count))
        spans: dict[str, list[tuple[float, float]]] = {rule.key: [] for rule in self.rules}
        for transition in found:
            second = (transition.source_time - START) / 1000
            own = spans[table.key[transition.rule]]
            if transition.entered:
                own.append((second, float(self.time[-1])))
            else:
                own[-1] = (own[-1][0], second)
        return spans


def seconds(end: float, step: float = 1.0) -> Float64:
    """One reading a step."""
    return np.arange(0.0, end + step / 2, step)


def draw(story: Story, title: str, unit: str, lines: Callable[[Axes], None] | None = None) -> Figure:
    """The values above, and below for each rule when its condition is in."""
    spans = story.spans()
    figure = Figure(figsize=(7.2, 2.3 + 0.22 * len(spans)), facecolor="white", layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[6, 0.55 * len(spans) + 0.3])
    for (name, value), colour in zip(story.values.items(), (INK, OTHER, THIRD), strict=False):
        heard = ~np.isnan(value)
        marks = np.array(story.quality(name))
        above.plot(story.time[heard], value[heard], color=colour, linewidth=1, drawstyle="steps-post", alpha=0.55)
        for quality, mark in ((GOOD, "o"), (UNCERTAIN, "^"), (BAD, "x")):
            at = heard & (marks == quality)
            label = name if quality == GOOD else None
            above.plot(story.time[at], value[at], mark, color=colour, markersize=3.2, label=label)
    if lines is not None:
        lines(above)
    if len(story.values) > 1:
        above.legend(loc="lower right", bbox_to_anchor=(1, 0.97), fontsize=8, frameon=False, ncols=3)
    above.set_ylabel(unit, fontsize=8)
    above.set_title(title, fontsize=9, loc="left")
    for place, (key, ins) in enumerate(reversed(spans.items())):
        below.axhline(place, color=LINE, linewidth=0.6)
        for begin, end in ins:
            below.plot([begin, end], [place, place], color=IN, linewidth=5, solid_capstyle="butt")
            below.annotate(
                f"{begin:g}", (begin, place), (-2, 0), textcoords="offset points", ha="right", va="center", fontsize=7
            )
            if end < story.time[-1]:
                below.annotate(
                    f"{end:g}", (end, place), (2, 0), textcoords="offset points", ha="left", va="center", fontsize=7
                )
        below.text(-0.01, place, key, transform=below.get_yaxis_transform(), ha="right", va="center", fontsize=8)
    below.set_ylim(-0.7, len(spans) - 0.3)
    below.set_yticks([])
    below.set_xlabel("s", fontsize=8)
    for axes in (above, below):
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def level(value: float, text: str, *, dashed: bool = False) -> Callable[[Axes], None]:
    """A horizontal line with its name."""

    def line(axes: Axes) -> None:
        axes.axhline(value, color=LINE, linewidth=0.8, linestyle="--" if dashed else "-")
        axes.annotate(
            text, (1, value), (2, 0), ("axes fraction", "data"), "offset points", fontsize=7, va="center", color="#555"
        )

    return line


def every(*lines: Callable[[Axes], None]) -> Callable[[Axes], None]:
    """Some lines."""

    def all_of_them(axes: Axes) -> None:
        for line in lines:
            line(axes)

    return all_of_them


def rule(kind: RuleKind, key: str, setpoint: float = 0.0, deadband: float = 0.0, **others: object) -> Rule:
    """A rule of the first tag; delays and window in seconds."""
    times = {name: round(float(str(others.pop(name))) * 1000) for name in ("on", "off", "window") if name in others}
    extra = others.get("extra")
    return Rule(
        0,
        key,
        kind,
        Level.H,
        setpoint,
        deadband,
        times.get("on", 0),
        times.get("off", 0),
        times.get("window", 0),
        extra=extra if isinstance(extra, RuleExtra) else None,
    )


def limits() -> Figure:
    """Deadband, on-delay, off-delay."""
    value = np.array([70, 80, 80, 70, 86, 86, 86, 80, 80, 79, 70, 70, 70, 70, 70, 70], dtype=np.float64)
    story = Story([rule(RuleKind.HIGH, "H", 80, 2, on=3, off=4)], seconds(15), {"TI": value}, {})
    lines = every(level(80, "setpoint"), level(78, "− deadband", dashed=True))
    return draw(story, "HIGH: setpoint 80, deadband 2, on-delay 3 s, off-delay 4 s", "°C", lines)


def rates() -> Figure:
    """A ramp, noise and a step."""
    time = seconds(60)
    value = np.select([time < 10, time < 25, time < 44], [20 + 2 * (time % 2), 20 + 2.4 * (time - 10), 56.0], 76.0)
    rules = [rule(RuleKind.RISE, "RISE", 2, 0.5, window=10)]
    return draw(Story(rules, time, {"TI": value}, {}), "RISE: 2 per second over a window of 10 s", "°C")


def faults() -> Figure:
    """Bad quality, and silence."""
    time = seconds(24)
    value = np.where((time > 13) & (time < 20), np.nan, 50 + np.sin(time))
    quality = [BAD if second in (2, 4, 5, 6, 7, 8, 9) else GOOD for second in time.tolist()]
    rules = [rule(RuleKind.BAD, "BAD", on=5), rule(RuleKind.STALE, "STALE", window=3)]
    title = "BAD with an on-delay of 5 s (x: quality BAD), STALE with a window of 3 s"
    return draw(Story(rules, time, {"PI": value}, {"PI": quality}), title, "kPa")


def deviation_from_median() -> Figure:
    """A step stands out of a drift."""
    time = seconds(60)
    value = 50 + 0.25 * time + np.sin(time * 1.3) + np.where(time >= 30, 12.0, 0.0)
    extra = RuleExtra(reference=Reference("median", window=20_000))
    rules = [rule(RuleKind.DEVIATION, "DEVIATION", 8, 2, extra=extra)]
    return draw(Story(rules, time, {"FI": value}, {}), "DEVIATION of 8 from the own median of 20 s, deadband 2", "m³/h")


def deviation_from_tag() -> Figure:
    """Two thermometers that part."""
    time = seconds(40)
    one = 60 + 0.5 * time
    other = one - np.clip((time - 10) * 0.8, 0, 9) * np.where(time < 30, 1.0, 0.2)
    quality = [BAD if 22 <= second <= 24 else GOOD for second in time.tolist()]
    extra = RuleExtra(reference=Reference("tag", tag=1))
    story = Story(
        [rule(RuleKind.DEVIATION, "DEVIATION", 5, 1, extra=extra)],
        time,
        {"TI-A": one, "TI-B": other},
        {"TI-B": quality},
    )
    return draw(story, "DEVIATION of TI-A from TI-B by 5, deadband 1 (x: quality BAD says nothing)", "°C")


def stuck() -> Figure:
    """A transmitter that freezes."""
    time = seconds(60)
    noise = np.sin(time * 2.1) + 0.6 * np.sin(time * 0.7)
    value = 40 + np.where((time >= 18) & (time < 46), 0.2 * np.sin(time), noise)
    return draw(
        Story([rule(RuleKind.STUCK, "STUCK", 0.5, window=20)], time, {"PI": value}, {}),
        "STUCK: band 0.5, window 20 s",
        "kPa",
    )


def vote() -> Figure:
    """Two of three, and what a fault makes of it."""
    time = seconds(40)
    one = np.select([time < 5, time < 15, time < 30], [4.0, 24.0, 5.0], 26.0)
    two = np.select([time < 9, time < 13], [6.0, 22.0], 7.0)
    three = np.full(len(time), 3.0)
    quality = [BAD if 22 <= second <= 36 else GOOD for second in time.tolist()]
    extra = RuleExtra(inputs=(0, 1, 2), needed=2)
    story = Story(
        [rule(RuleKind.VOTE, "VOTE", 20, 1, extra=extra)],
        time,
        {"GT-1": one, "GT-2": two, "GT-3": three},
        {"GT-3": quality},
    )
    return draw(story, "VOTE: 2 of 3 at 20 or more; with GT-3 bad (x) 1 of 2", "mg/m³", level(20, "setpoint"))


def expression() -> Figure:
    """Both parts must hold; what is unknown holds the condition."""
    time = seconds(40)
    top = 40 + np.clip(time - 5, 0, 25) * 1.2
    bottom = 40 + np.clip(time - 25, 0, 12) * 2.0
    quality = [BAD if 30 <= second <= 35 else GOOD for second in time.tolist()]
    extra = RuleExtra(expression="top - bottom > 15 and top > 50", inputs=(0, 1))
    story = Story(
        [rule(RuleKind.EXPRESSION, "EXPRESSION", extra=extra)],
        time,
        {"top": top, "bottom": bottom},
        {"bottom": quality},
    )
    return draw(story, "EXPRESSION: top - bottom > 15 and top > 50 (x: quality BAD, unknown)", "°C")


def modes() -> Figure:
    """Start-up has a limit of its own."""
    time = seconds(40)
    value = np.select([time < 8, time < 22, time < 32], [60.0, 95.0, 95.0], 70.0) + np.sin(time)
    mode = np.where((time >= 6) & (time < 24), 10.0, 0.0)
    extra = RuleExtra(selector=0, modes=(ModeLimit("startup", 120.0),))
    story = Story(
        [rule(RuleKind.HIGH, "H", 80, 2, extra=extra)],
        time,
        {"TI": value, "MODE (10: startup)": mode},
        {},
        [Selector("works/unit", 1, (("startup", 10, 10),))],
    )
    lines = every(level(80, "H"), level(120, "in startup", dashed=True))
    return draw(story, "HIGH 80, in the mode startup 120", "°C", lines)


def components() -> Figure:
    """Three tags that one cause moves: what goes together, breaks apart, and goes too far."""
    random = np.random.default_rng(4)
    mixed, usual = np.array([3.0, 2.2, -2.6]), np.array([60.0, 48.0, 34.0])

    def rows(cause: Float64) -> Float64:
        return usual + np.outer(cause, mixed) + random.normal(0, 0.25, (len(cause), 3))

    normal = rows(np.sin(np.arange(600) * 0.21) + random.normal(0, 0.3, 600))
    names = ("TI-A", "TI-B", "FI")
    taught = train(Table(np.arange(600) * 1000, normal, 1000), names, [""] * 3, Options(smoothing=0.5, components=1))
    model = taught.model("figure")
    time = seconds(90)
    cause = np.sin(time * 0.21) + np.where(time >= 66, np.clip((time - 66) * 0.4, 0, 4), 0) * np.where(time < 80, 1, 0)
    value = rows(cause)
    stuck = (time >= 24) & (time < 48)
    value[stuck, 1] = value[24, 1] + random.normal(0, 0.25, int(stuck.sum()))
    quality = [BAD if 34 <= second <= 37 else GOOD for second in time.tolist()]
    extra = RuleExtra(inputs=(0, 1, 2), model=model)
    rules = [
        rule(kind, kind.name, limit, 0.1 * limit, on=2, extra=extra)
        for kind, limit in ((RuleKind.T2, model.t2_limit), (RuleKind.SPE, model.spe_limit))
    ]
    values = {name: value[:, column] for column, name in enumerate(names)}
    title = "T2 and SPE of three tags: three rounds in a row (x: quality BAD)"
    return draw(Story(rules, time, values, {"TI-B": quality}), title, "°C, m³/h")


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "limits": limits,
    "rates": rates,
    "faults": faults,
    "deviation-median": deviation_from_median,
    "deviation-tag": deviation_from_tag,
    "stuck": stuck,
    "vote": vote,
    "expression": expression,
    "modes": modes,
    "components": components,
}


if __name__ == "__main__":
    make(FIGURES, Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
