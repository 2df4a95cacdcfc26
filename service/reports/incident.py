"""The report of one incident."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from alerting.records import Alarm
from domain.clock import iso
from domain.scales import RuleKind
from domain.site import Site
from service.evidence.gathering import CaseFile
from service.evidence.samples import Trend
from service.reports.page import render
from service.reports.plots import GRADES, Bar, Limit, Mark, timeline, trend
from service.reports.words import full_time, word

MOST_ENTRIES = 1_000
"""Entries that the page shows; the rest is in the journal part only [ours]."""
MOST_PLOTS = 12
"""Trends that the page shows, those with alarms first [ours]."""
MOST_ALARMS = 300
"""Alarms in the table, the gravest first; all are in ledger.json [ours]."""
MOST_ROWS = 40
"""Alarms in the timeline [ours]."""
_LOOP = (
    "incident.pushed", "incident.acknowledged", "incident.verification_proposed", "incident.verified",
    "incident.verification_rejected", "incident.handled", "incident.fed_back", "incident.reviewed",
    "incident.returned", "incident.closed", "incident.archived", "incident.reopened", "incident.escalated",
    "incident.decided", "incident.accident_declared", "incident.accident_reported",
)  # fmt: skip
_TEXTS = ("comment", "text", "step", "reason", "result", "side", "to", "why")


def incident_report(
    file: CaseFile,
    rules: Sequence[Mapping[str, Any]],
    trends: Mapping[int, Trend],
    made_by: str,
    made_at: int,
    version: str,
) -> bytes:
    """The page, UTF-8. ``rules``: rows of ``rules.json``."""
    case, site = file.incident, file.site
    bodies = file.bodies()
    own = [body for body in bodies if body.get("incident") == case.id or body.get("alarm")]
    span = file.shown
    gravest = sorted(file.alarms, key=lambda alarm: (-alarm.grade, alarm.id))[:MOST_ALARMS]
    shown = sorted(gravest, key=lambda alarm: alarm.id) if len(file.alarms) <= MOST_ROWS else gravest
    enterprise = site.enterprises.get(case.enterprise)
    unit = site.units.get((case.enterprise, case.unit))
    region = site.regions.get(case.region)
    return render(
        "incident.html",
        title=f"警情报告 {case.id}",
        version=version,
        case=case,
        enterprise=enterprise.name if enterprise else case.enterprise,
        unit=unit.name if unit else case.unit,
        region=region.name if region else "",
        reasons=[_reason(reason) for reason in case.reasons],
        alarms=shown,
        alarms_total=len(file.alarms),
        timeline=_timeline(shown, own, span),
        plots=_plots(file, rules, trends, own, span),
        silent=[site.tags[index].name for index, points in trends.items() if not len(points.time)],
        steps=[_step(body) for body in own if body["kind"] in _LOOP],
        messages=file.rows.get("message", ()),
        revisions=file.revisions,
        rules=[
            row
            for row in rules
            if (row["enterprise"], row["tag"]) in {(one.enterprise, one.tag) for one in file.alarms}
        ],
        attachments=file.attachments,
        entries=[_entry(body) for body in bodies[:MOST_ENTRIES]],
        entries_left_out=max(len(bodies) - MOST_ENTRIES, 0),
        made_by=made_by,
        made_at=made_at,
    )


def rules_of(site: Site, tags: Sequence[int], revision: int | None) -> list[dict[str, Any]]:
    """Rows of ``rules.json``: the rules of tags as a site has them. Times in ms."""
    units = {(site.tags[index].enterprise, site.tags[index].unit) for index in tags}
    virtual = [
        index
        for index, tag in enumerate(site.tags)
        if tag.system and tag.name.startswith("@unit.") and (tag.enterprise, tag.unit) in units
    ]
    rows = []
    for index in (*tags, *virtual):
        tag = site.tags[index]
        for row in site.rules.of_tag(index):
            rule = site.rules.row(row)
            rows.append(
                {
                    "revision": revision,
                    "enterprise": tag.enterprise,
                    "tag": tag.name,
                    "key": rule.key,
                    "kind": RuleKind(rule.kind).name.lower(),
                    "level": rule.level.value,
                    "setpoint": rule.setpoint if rule.kind not in {RuleKind.STALE, RuleKind.BAD} else None,
                    "engineering_unit": tag.engineering_unit,
                    "deadband": rule.deadband,
                    "on_delay": rule.on_delay,
                    "off_delay": rule.off_delay,
                    "window": rule.window,
                    "latching": rule.latching,
                    "version": rule.version,
                    "default": rule.default,
                    "extra": None if rule.extra is None else _plain(site, rule.extra),
                }
            )
    return rows


def _plain(site: Site, extra: Any) -> Any:
    document = orjson.loads(orjson.dumps(extra))
    document["inputs"] = [site.tags[index].path for index in extra.inputs]
    return document


def _timeline(alarms: Sequence[Alarm], bodies: Sequence[Mapping[str, Any]], span: tuple[int, int]) -> Any:
    shown = {alarm.id: row for row, alarm in enumerate(alarms[:MOST_ROWS])}
    names = [f"{alarm.tag} {alarm.rule}" for alarm in alarms[:MOST_ROWS]]
    bars: list[Bar] = []
    marks: list[tuple[int, Mark]] = []
    begun: dict[int, tuple[int, str]] = {}
    for body in bodies:
        row = shown.get(body.get("alarm") or 0)
        if row is None:
            continue
        data = body.get("data") or {}
        at = data.get("source_time") or body["at"]
        if body["kind"] == "alarm.entered":
            begun[row] = at, str(data.get("grade"))
        elif body["kind"] in {"alarm.returned", "alarm.withdrawn"} and row in begun:
            bars.append(_bar(row, *begun.pop(row), at, names[row]))
        elif body["kind"] == "alarm.acknowledged":
            title = f"{full_time(body['at'])} {data.get('name')}"
            marks.append((row, Mark(body["at"], GRADES["blue"], filled=False, title=title)))
    bars += [_bar(row, at, grade, span[1], names[row]) for row, (at, grade) in begun.items()]
    return timeline(names, bars, marks, span)


def _bar(row: int, begin: int, grade: str, end: int, name: str) -> Bar:
    return Bar(row, begin, end, GRADES.get(grade, GRADES["blue"]), f"{name} {full_time(begin)} – {full_time(end)}")


def _plots(
    file: CaseFile,
    rules: Sequence[Mapping[str, Any]],
    trends: Mapping[int, Trend],
    bodies: Sequence[Mapping[str, Any]],
    span: tuple[int, int],
) -> list[dict[str, Any]]:
    site = file.site
    newest = max((row["revision"] or 0 for row in rules), default=0)
    alarming = {(alarm.enterprise, alarm.tag) for alarm in file.alarms}
    order = sorted(trends, key=lambda index: (site.tags[index].enterprise, site.tags[index].name) not in alarming)
    plots = []
    for index in [index for index in order if len(trends[index].time)][:MOST_PLOTS]:
        tag = site.tags[index]
        limits = [
            Limit(rule["key"], rule["setpoint"], GRADES["red" if rule["level"] in {"HH", "LL"} else "orange"])
            for rule in rules
            if (rule["enterprise"], rule["tag"]) == (tag.enterprise, tag.name)
            and rule["kind"] in {"high", "low"}
            and (rule["revision"] or 0) == newest
        ]
        marks = [
            Mark(
                (body.get("data") or {}).get("source_time") or body["at"],
                GRADES.get(str((body.get("data") or {}).get("grade")), GRADES["blue"]),
                filled=body["kind"] == "alarm.entered",
                title=f"{body.get('rule')} {word('kinds', body['kind'])} {full_time(body['at'])}",
            )
            for body in bodies
            if body["kind"] in {"alarm.entered", "alarm.returned"}
            and (body.get("enterprise"), body.get("tag")) == (tag.enterprise, tag.name)
        ]
        points = trends[index]
        drawing = trend(points.time.tolist(), points.value.tolist(), span, limits, marks, tag.name)
        plots.append(
            {"tag": tag.name, "description": tag.description, "unit": tag.engineering_unit, "drawing": drawing}
        )
    return plots


def _reason(reason: Mapping[str, Any]) -> str:
    params = "，".join(f"{name} {_value(value)}" for name, value in (reason.get("params") or {}).items())
    name = word("reasons", reason.get("rule"))
    return f"{name}（{params}）" if params else name


def _value(value: object) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


def _step(body: Mapping[str, Any]) -> dict[str, Any]:
    data = body.get("data") or {}
    told = [_value(data[name]) for name in _TEXTS if data.get(name) not in {None, ""}]
    return {
        "at": body["at"],
        "kind": body["kind"],
        "name": data.get("name") or body.get("actor"),
        "text": " · ".join(told),
    }


def _entry(body: Mapping[str, Any]) -> dict[str, Any]:
    data = dict(body.get("data") or {})
    by = data.pop("name", None) or data.get("author") or body.get("actor")
    for name in ("source_time", "received_time", "until"):
        if isinstance(data.get(name), int):
            data[name] = iso(data[name])
    shown = orjson.dumps(data).decode()
    return {**body, "by": by, "data": shown if len(shown) <= 400 else shown[:400] + "…"}  # noqa: PLR2004 -- a few lines
