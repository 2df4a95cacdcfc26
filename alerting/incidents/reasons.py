"""Why a grade, in words: for messages and reports. The console has words of its own for the same rows."""

from collections.abc import Mapping
from typing import Any

GRADES_ZH = {"blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色"}
_IN_CHINESE = ("grade_zh", "highest_zh")
_WORDS: dict[str, tuple[str, str]] = {
    "own_grade": ("{grade_zh}报警：{tags}", "{grade} alarm: {tags}"),
    "four_blue": ("同一装置 {count} 条蓝色报警：{tags}", "{count} blue alarms in one unit: {tags}"),
    "second_level_two_tags": (
        "同一装置两个独立位号达到二级：{tags}",
        "second level on two independent tags: {tags}",
    ),
    "toxic_second_level_persists": (
        "有毒气体二级报警持续 {seconds} 秒不退：{tags}",
        "second level of a toxic gas has persisted for {seconds} s: {tags}",
    ),
    "three_yellow": ("同一装置 {count} 条黄色报警：{tags}", "{count} yellow alarms in one unit: {tags}"),
    "two_orange": ("同一装置 {count} 条橙色报警：{tags}", "{count} orange alarms in one unit: {tags}"),
    "high_high_with_second_level_gas": (
        "高高限与气体二级报警同时存在：{tags}",
        "high-high together with second-level gas: {tags}",
    ),
    "hazard_source": ("{level} 级重大危险源：+{steps}", "hazard source level {level}: +{steps}"),
    "early_warning": (
        "统计预警（T²/SPE）参与定级，自身最高{highest_zh}：{tags}",
        "early warning by statistics (T2, SPE), {highest} at the most by itself: {tags}",
    ),
    "cleared_and_held": ("全部报警恢复已满 {seconds} 秒", "all alarms have been out for {seconds} s"),
    "decided": ("{name} 定级为{grade_zh}：{reason}", "{name} decided for {grade}: {reason}"),
}
"""Rows of the shipped table, and reasons that no row gives; Chinese and English."""


def explain(reason: Mapping[str, Any]) -> tuple[str, str]:
    """A reason (``Incident.reasons``) in Chinese and in English.

    A row of a site's own table is said as its ``says`` has it, or by its name and what it matched.
    """
    params = reason["params"]
    if "zh" in params and "en" in params:
        return str(params["zh"]), str(params["en"])
    values = {name: _value(value) for name, value in params.items()}
    values["grade_zh"] = GRADES_ZH.get(str(params.get("grade")), "")
    values["highest_zh"] = GRADES_ZH.get(str(params.get("highest")), "")
    words = _WORDS.get(reason["rule"])
    if words is not None:
        try:
            return words[0].format_map(values), words[1].format_map(values)
        except KeyError:  # of an older version, which kept less
            pass
    said = ", ".join(f"{name} {value}" for name, value in values.items() if name not in _IN_CHINESE)
    named = f"{reason['rule']} ({said})" if said else str(reason["rule"])
    return named, named


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
