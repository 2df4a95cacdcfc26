"""What the workbench's commands print: the essence of a report."""

from rich.console import Console
from rich.table import Table

from tuning.comparison import Comparison
from tuning.pairing import PairKind
from tuning.reports.page import number, span, words
from tuning.suggestions import Suggestions
from tuning.sweep import Choice, PointResult, Sweep
from tuning.sweep.grid import AXES

MOST_ROWS = 20
"""Rows of a printed table; the rest is in the report [ours]."""


def print_comparison(comparison: Comparison) -> None:
    """Totals, and the rules with the most changes."""
    console = Console()
    told = "，".join(
        f"{_word('changes', kind.value)} {comparison.count(kind)}"
        for kind in PairKind
        if kind is not PairKind.SAME and comparison.count(kind)
    )
    old, new = comparison.old_score.figures.alarms, comparison.new_score.figures.alarms
    scope = "" if comparison.whole else "（有差别的规则 of rules that differ）"
    console.print(
        f"不同的规则 rules that differ {len(comparison.rules)}，相同 same {comparison.same_rules}；"
        f"报警 alarms {old:,} → {new:,}{scope}",
        highlight=False,
    )
    if told:
        console.print(told, highlight=False)
    table = Table(title="规则 rules", title_justify="left")
    _columns(
        table,
        "条件\ncondition",
        "差别\ndifference",
        "旧\nold",
        "新\nnew",
        "新增\n+",
        "消失\n−",
        "提早\nearlier",
        "推迟\nlater",
        texts=2,
    )
    ranked = sorted(comparison.rules, key=lambda rule: -abs(rule.new_alarms - rule.old_alarms))
    for rule in ranked[:MOST_ROWS]:
        if rule.old is None or rule.new is None:
            difference = _word("changes", "added" if rule.old is None else "removed")
        else:
            difference = "\n".join(
                f"{_option(name)} {_field(name, before)} → {_field(name, after)}" if name != "extra" else name
                for name, (before, after) in rule.differences.items()
            )
        kinds = (PairKind.ADDED, PairKind.REMOVED, PairKind.EARLIER, PairKind.LATER)
        counts = [number(rule.counts.get(kind, 0)) for kind in kinds]
        table.add_row(_plain(rule.path), _plain(difference), number(rule.old_alarms), number(rule.new_alarms), *counts)
    if comparison.rules:
        console.print(table)
        _left_out(console, len(comparison.rules))


def print_sweep(sweep: Sweep) -> None:
    """The recommendation, why, and the points that are worth a look."""
    console = Console()
    _print_choice(console, sweep)
    table = Table(title="取舍 trade-off", title_justify="left")
    _columns(table, "设置\nsetting", "漏报\nmissed", "延迟\ndelay", "提前\nlead", "误报/天\nfalse", "报警/天\nalarms")
    shown = [0, *(place for place in sweep.front if place)]
    if sweep.choice.point is not None and sweep.choice.point not in shown:
        shown.append(sweep.choice.point)
    for place in shown[:MOST_ROWS]:
        point = sweep.points[place]
        style = "bold green" if place == sweep.choice.point else ""
        lead = span(point.least_lead)
        row = [number(point.missed), span(point.delay), lead, number(point.false_per_day), number(point.per_day)]
        table.add_row(_settings(sweep, place), *row, style=style)
    console.print(table)
    _left_out(console, len(shown))


def print_suggestions(found: Suggestions) -> None:
    """The bad actors, and what is recommended for each."""
    console = Console()
    if not found.suggestions:
        console.print(_word("suggest", "none"), highlight=False)
        return
    table = Table(title=f"不良报警 bad actors: {found.actors}", title_justify="left")
    _columns(
        table,
        "条件\ncondition",
        "建议\nrecommended",
        "报警\nalarms",
        "抖动\nchatter",
        "瞬时\nfleeting",
        "失去\nlost",
        texts=2,
    )
    for suggestion in found.suggestions[:MOST_ROWS]:
        chosen = next((proposal for proposal in suggestion.proposals if proposal.recommended), None)
        traits = " ".join(words()["traits"][trait.value]["zh"] for trait in suggestion.actor.traits)
        now = suggestion.present
        if chosen is None or chosen.rule is None or chosen.effect is None:
            told = "\n".join(_word("remedies", each.remedy.value) for each in suggestion.proposals if each.rule is None)
            row = [told or "—", number(now.alarms), number(now.chattering), number(now.fleeting), "—"]
        else:
            after = chosen.effect
            changed = "\n".join(
                f"{_option(axis)} {_field(axis, getattr(suggestion.rule, axis))} → "
                f"{_field(axis, getattr(chosen.rule, axis))}"
                for axis in AXES
                if getattr(chosen.rule, axis) != getattr(suggestion.rule, axis)
            )
            row = [
                changed + (f"\n({_word('suggest', 'loosens')})" if chosen.loosens else ""),
                f"{now.alarms:,} → {after.alarms:,}",
                f"{now.chattering:,} → {after.chattering:,}",
                f"{now.fleeting:,} → {after.fleeting:,}",
                number(after.lost),
            ]
        table.add_row(f"{_plain(suggestion.actor.figures.path)}\n[dim]{traits}[/dim]", *row)
    console.print(table)
    _left_out(console, len(found.suggestions))


def _print_choice(console: Console, sweep: Sweep) -> None:
    choice = sweep.choice
    named = (
        "没有推荐 nothing is recommended"
        if choice.point is None
        else f"推荐 recommended: {_settings(sweep, choice.point)}"
    )
    console.print(named, style="bold", highlight=False)
    console.print(_reason(choice), highlight=False)
    if choice.loosened:
        console.print(_word("sweep", "loosened"), style="yellow", highlight=False)
    for each in sweep.left_out:
        text = words()["left_out"][each.fault]
        told = " ".join(text[language].format(**each.figures) for language in ("zh", "en"))
        console.print(f"×{each.setting.value:g} {_word('sweep', 'left_out')}: {told}", style="yellow", highlight=False)
    if sweep.assumed:
        text = words()["sweep"]["assumed"]
        console.print("\n".join(text[language].format(least=span(sweep.least)) for language in ("zh", "en")))


def _reason(choice: Choice) -> str:
    values = {name: span(value) if name == "least_lead" else number(value) for name, value in choice.figures.items()}
    return "\n".join(words()["reasons"][choice.reason][language].format(**values) for language in ("zh", "en"))


def _settings(sweep: Sweep, place: int) -> str:
    point: PointResult = sweep.points[place]
    if place == 0:
        return "现有 present"
    parts = []
    for axis in AXES:
        setting = getattr(point.point, axis)
        if setting is not None:
            value = f"×{setting.value:g}" if setting.times else _field(axis, setting.value)
            parts.append(f"{_option(axis)} {value}")
    return ", ".join(parts)


def _left_out(console: Console, count: int) -> None:
    if count > MOST_ROWS:
        console.print(f"… {count - MOST_ROWS} 项在报告中 more in the report", style="dim", highlight=False)


def _word(section: str, key: str) -> str:
    texts = words()[section].get(key)
    return key if texts is None else f"{texts['zh']} {texts['en']}"


def _option(axis: str) -> str:
    """A field of a rule as the options of the command line are named."""
    return axis.replace("_", "-")


def _columns(table: Table, *names: str, texts: int = 1) -> None:
    """Columns: the first hold text, which is folded and never cut, the others figures."""
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place < texts else "right", overflow="fold", no_wrap=place >= texts)


def _field(axis: str, value: object) -> str:
    if value is None:
        return "—"
    if axis in AXES[2:] and isinstance(value, int | float):
        return span(value)
    return f"{value:.10g}" if isinstance(value, float) else str(getattr(value, "label", value))


def _plain(text: str) -> str:
    """Text of a file, which is no markup."""
    return text.replace("[", "\\[")
