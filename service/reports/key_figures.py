"""The report of key figures: a page and a table."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from alerting.kpi.targets import Targets
from domain.clock import iso
from domain.site import Site
from service.reports.page import number, render
from service.reports.plots import columns, ranking, stacked
from service.reports.words import day_time, share

MOST_NAMED = 30
"""Conditions in one list of the page [ours]."""
MOST_FLOODS = 50
"""Floods on the page [ours]."""


def key_figures_page(
    figures: Mapping[str, Any],
    compared: Sequence[Mapping[str, Any]],
    site: Site,
    targets: Targets,
    made_at: int,
    version: str,
) -> bytes:
    """The page, UTF-8, of one scope; ``compared`` are the figures of others."""
    histogram = {("> 10" if name == "more" else name): count for name, count in figures["histogram"].items()}
    top = [
        (_short(row["path"]), row["alarms"], f"{row['alarms']:,}　{share(row['share'])}") for row in figures["top_ten"]
    ]
    rates = [(one["name"], one["online_rate"]) for one in (figures, *compared) if one["online_rate"] is not None]
    floods = sorted(figures["floods"], key=lambda flood: -flood["alarms"])[:MOST_FLOODS]
    return render(
        "kpi.html",
        title="报警管理关键指标",
        version=version,
        figures=figures,
        rows=measures(figures, targets),
        per_day=stacked(figures["per_day"], "每日报警数 alarms per day"),
        histogram=columns(histogram, "十分钟报警数 alarms per ten minutes", len(histogram) - 1),
        top_ten=ranking(top, "最频繁的报警 most frequent alarms"),
        bad_actors=_bad_actors(figures, site),
        answers=_answers(figures),
        floods=sorted(floods, key=lambda flood: flood["began_at"]),
        compared=compared,
        online=ranking(
            [(name, round(rate * 10_000), share(rate)) for name, rate in rates[:MOST_NAMED]], "在线率 online"
        ),
        made_at=made_at,
    )


def measures(figures: Mapping[str, Any], targets: Targets) -> list[dict[str, Any]]:
    """The table of measures: value, target and whether it is met."""
    met = figures["met"]
    average, stale = targets.average, figures["stale_per_day"]
    wanted = targets.priorities
    shares = figures["priorities"]
    told = " / ".join(share(shares[grade]["share"]) for grade in ("blue", "yellow", "orange", "red"))
    rows: list[tuple[str, str, str, str, str]] = [
        ("average", "平均报警率", "alarms per 10 min", f"{figures['average_per_ten_minutes']:.3f}",
         f"≤ {average.acceptable:g}（最多可控 manageable {average.manageable:g}）"),
        ("busy", f"报警多于 {targets.busy.above} 的十分钟时段", f"10-min periods with > {targets.busy.above}",
         share(figures["busy_share"]), f"< {share(targets.busy.share_below)}"),
        ("flood", f"报警泛滥 {len(figures['floods'])} 次，占时间", f"{len(figures['floods'])} floods, share of time",
         share(figures["flood_share"]), f"< {share(targets.flood.share_below)}"),
        ("top_ten", "前十报警占比", "share of the top ten", share(figures["top_ten_share"]),
         f"≤ {share(targets.top_ten.share_at_most)}"),
        ("chattering", "抖动报警", "chattering", str(len(figures["chattering"])), "0"),
        ("fleeting", f"瞬时报警（{targets.fleeting.within} s 内恢复）", "fleeting", str(len(figures["fleeting"])), "0"),
        ("stale", "长期报警（> 24 h），每日最多", "stale, most on a day",
         f"{stale['most']}（平均 mean {stale['mean']:.2f}）", f"< {targets.stale.per_day_below}"),
        ("priorities", "等级分布 蓝/黄/橙/红", "blue / yellow / orange / red", told,
         f"≈ {wanted.blue:.0%} / {wanted.yellow:.0%} / {wanted.orange:.0%} / < {wanted.red:.0%}"),
        ("unsigned_suppressions", "未授权抑制", "suppressed without authorisation",
         str(figures["unsigned_suppressions"]), "0"),
        ("unsigned_changes", "未授权变更", "changed without authorisation", str(figures["unsigned_changes"]), "0"),
        ("online", f"网关在线率（{figures['gateways']} 台）", "gateways' online rate", share(figures["online_rate"]),
         f"≥ {share(targets.online.at_least)}"),
    ]  # fmt: skip
    return [
        {"name": name, "zh": zh, "en": en, "value": value, "target": target, "met": met[name]}
        for name, zh, en, value, target in rows
    ]


def key_figures_csv(all_figures: Sequence[Mapping[str, Any]]) -> bytes:
    """One row for each scope, with a mark for spreadsheets that they are UTF-8."""
    rows = [_flat(figures) for figures in all_figures]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else ["scope"], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _flat(figures: Mapping[str, Any]) -> dict[str, object]:
    row: dict[str, object] = {
        "scope": figures["scope"],
        "id": _safe(figures["id"]),
        "name": _safe(figures["name"]),
        "start": iso(figures["start"]),
        "end": iso(figures["end"]),
        "graded": figures["graded"],
        "alarms": figures["alarms"],
        "average_per_ten_minutes": figures["average_per_ten_minutes"],
        "peak_per_ten_minutes": figures["peak_per_ten_minutes"],
        "busy_share": figures["busy_share"],
        "floods": len(figures["floods"]),
        "flood_share": figures["flood_share"],
        "top_ten_share": figures["top_ten_share"],
        "chattering": len(figures["chattering"]),
        "fleeting": len(figures["fleeting"]),
        "stale_per_day_mean": figures["stale_per_day"]["mean"],
        "stale_per_day_most": figures["stale_per_day"]["most"],
        "standing": figures["standing"]["count"],
    }
    for grade, counted in figures["priorities"].items():
        row[f"alarms_{grade}"] = counted["alarms"]
    for step in ("acknowledge", "feedback"):
        for grade, told in figures[step].items():
            row[f"{step}_{grade}_in_time"] = told["in_time"]
            row[f"{step}_{grade}_late"] = told["late"]
            row[f"{step}_{grade}_missing"] = told["missing"]
            row[f"{step}_{grade}_median_ms"] = told["median"]
    row["gateways"], row["online_rate"] = figures["gateways"], figures["online_rate"]
    row["unsigned_suppressions"] = figures["unsigned_suppressions"]
    row["unsigned_changes"] = figures["unsigned_changes"]
    return row | {f"left_out_{name}": count for name, count in figures["left_out"].items()}


def _safe(text: str) -> str:
    """No formula for a spreadsheet."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _bad_actors(figures: Mapping[str, Any], site: Site) -> list[dict[str, Any]]:
    standing = figures["standing"]
    lists: tuple[tuple[str, str, Sequence[Mapping[str, Any]], str], ...] = (
        ("抖动 chattering", "状态变化 transitions", figures["chattering"], "transitions"),
        ("瞬时 fleeting", "次数 times", figures["fleeting"], "times"),
        (f"期末仍在报警 standing at the end（{standing['count']}）", "开始于 since", standing["longest"], "since"),
    )
    return [
        {
            "title": title,
            "column": column,
            "more": max(len(rows) - MOST_NAMED, 0),
            "rows": [
                {
                    "path": row["path"],
                    "description": _described(site, row["path"]),
                    "value": day_time(row[field]) if field == "since" else number(row[field]),
                }
                for row in rows[:MOST_NAMED]
            ],
        }
        for title, column, rows, field in lists
    ]


def _answers(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    steps = (
        ("警情确认 incident acknowledged", "acknowledge"),
        ("警情反馈 incident fed back", "feedback"),
        ("报警确认 alarm acknowledged", "alarm_acknowledge"),
    )
    return [{"step": name, "grade": grade, **told} for name, step in steps for grade, told in figures[step].items()]


def _described(site: Site, path: str) -> str:
    index = site.tag_index.get(path.rpartition("/")[0])
    return site.tags[index].description if index is not None else ""


def _short(path: str) -> str:
    return path if len(path) <= 38 else f"…{path[-37:]}"  # noqa: PLR2004 -- what the plot has room for
