"""The report of a drill as one HTML file, Chinese first."""

from collections.abc import Mapping
from typing import Any

from alerting.desks.drills import Drill
from service.reports.page import render

_RESULTS = {"met": "按时 met", "late": "超时 late", "missing": "未完成 missing", "no_alarm": "无报警 no alarm"}


def render_report(drill: Drill, report: Mapping[str, Any], version: str) -> bytes:
    """The page. ``report``: see ``report.report``."""
    title = f"演练报告 {drill.id}"
    return render("drill.html", title=title, drill=drill, report=report, results=_RESULTS, version=version)
