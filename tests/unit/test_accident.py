"""The accident clock by State Council Order 493."""

import pytest

from alerting.incidents.accident import (
    HOUR,
    AccidentClass,
    Figures,
    ReportStep,
    class_by_figures,
    declare,
    mark_done,
    mark_overdue,
    pending,
    warning_of,
)
from alerting.records import Accident

LEVELS = ["to_county", "to_city", "to_province", "to_state_council"]


def figures(accident_class: str = "IV", dead: int = 0, injured: int = 0, loss: float = 0.0, at: float = 0) -> Figures:
    return Figures(AccidentClass(accident_class), dead, injured, loss, round(at * HOUR))


def dues(accident: Accident) -> dict[str, float]:
    """Hours at which reports are due."""
    return {report["step"]: report["due"] / HOUR for report in accident["reports"]}


@pytest.mark.parametrize(
    ("dead", "injured", "loss", "expected"),
    [
        (0, 0, 0, "IV"),
        (2, 9, 9_999_999, "IV"),
        (3, 0, 0, "III"),
        (0, 10, 0, "III"),
        (0, 0, 10_000_000, "III"),
        (9, 49, 49_999_999, "III"),
        (10, 0, 0, "II"),
        (0, 50, 0, "II"),
        (0, 0, 50_000_000, "II"),
        (29, 99, 99_999_999, "II"),
        (30, 0, 0, "I"),
        (0, 100, 0, "I"),
        (0, 0, 100_000_000, "I"),
    ],
)
def test_classes_by_the_order(dead: int, injured: int, loss: float, expected: str) -> None:
    assert class_by_figures(dead, injured, loss) == expected


def test_a_class_that_contradicts_the_figures_is_kept_and_said() -> None:
    assert warning_of(figures("III", dead=3)) is None
    low = warning_of(figures("IV", dead=3))
    assert low is not None
    assert "class IV was entered" in low
    assert "class III by Order 493" in low
    high = warning_of(figures("I", dead=1))
    assert high is not None
    assert "class IV by Order 493" in high
    assert declare(figures("IV", dead=3), "王芳", "", 0)["accident_class"] == "IV"


@pytest.mark.parametrize(("accident_class", "levels"), [("IV", 2), ("III", 3), ("II", 4), ("I", 4)])
def test_reports_go_as_far_up_as_the_class_requires(accident_class: str, levels: int) -> None:
    accident = declare(figures(accident_class), "王芳", "", 0)
    assert dues(accident) == dict(zip(LEVELS[:levels], [1, 3, 5, 7], strict=False))


def test_the_clock_runs_from_the_confirmation_and_not_from_its_entry() -> None:
    assert dues(declare(figures(at=10), "王芳", "", 12 * HOUR)) == {"to_county": 11, "to_city": 13}


def test_each_level_has_its_time_from_the_report_that_it_received() -> None:
    accident = declare(figures("III"), "王芳", "", 0)
    accident = mark_done(accident, ReportStep.TO_COUNTY, "赵厂长", HOUR // 2)
    assert dues(accident) == {"to_county": 1, "to_city": 2.5, "to_province": 4.5}
    accident = mark_done(accident, ReportStep.TO_CITY, "县局", 4 * HOUR)
    assert dues(accident)["to_province"] == 6
    assert [report["overdue"] for report in accident["reports"]] == [False, True, False]
    assert [report["step"] for report in pending(accident)] == ["to_province"]


def test_levels_may_be_skipped_where_it_is_urgent() -> None:
    accident = mark_done(declare(figures("III"), "王芳", "", 0), ReportStep.TO_PROVINCE, "赵厂长", HOUR // 4)
    assert [report["step"] for report in pending(accident)] == ["to_county", "to_city"]


def test_a_report_that_is_not_asked_for_is_not_marked() -> None:
    with pytest.raises(KeyError):
        mark_done(declare(figures("IV"), "王芳", "", 0), ReportStep.TO_PROVINCE, "王芳", 0)


def test_overdue_is_said_once() -> None:
    accident = declare(figures(), "王芳", "", 0)
    assert mark_overdue(accident, HOUR) == (accident, [])
    accident, overdue = mark_overdue(accident, HOUR + 1)
    assert [report["step"] for report in overdue] == ["to_county"]
    assert mark_overdue(accident, 2 * HOUR)[1] == []
    _, overdue = mark_overdue(accident, 4 * HOUR)
    assert [report["step"] for report in overdue] == ["to_city"]


def test_a_late_report_gives_the_next_level_its_time_and_takes_its_mark_away() -> None:
    accident, overdue = mark_overdue(declare(figures(), "王芳", "", 0), 4 * HOUR)
    assert len(overdue) == 2
    accident = mark_done(accident, ReportStep.TO_COUNTY, "赵厂长", 4 * HOUR)
    assert dues(accident)["to_city"] == 6
    assert [report["overdue"] for report in accident["reports"]] == [True, False]


def test_a_raised_class_adds_levels_that_have_their_time_from_then_on() -> None:
    accident = declare(figures("IV"), "王芳", "", 0)
    accident = mark_done(accident, ReportStep.TO_COUNTY, "赵厂长", HOUR // 2)
    accident = mark_done(accident, ReportStep.TO_CITY, "县局", HOUR)
    raised = declare(figures("III", dead=3), "王芳", "两人抢救无效", 30 * HOUR, accident)
    assert (raised["corrections"], raised["warning"]) == (1, None)
    assert dues(raised) == {"to_county": 1, "to_city": 2.5, "to_province": 32}
    assert [report["step"] for report in pending(raised)] == ["to_province"]


def test_a_lowered_class_keeps_what_was_reported_and_asks_no_more() -> None:
    accident = mark_done(declare(figures("I"), "王芳", "", 0), ReportStep.TO_PROVINCE, "市局", HOUR)
    lowered = declare(figures("IV"), "王芳", "核实后", 2 * HOUR, accident)
    assert [(report["step"], report["done_at"]) for report in lowered["reports"]] == [
        ("to_county", None),
        ("to_city", None),
        ("to_province", HOUR),
    ]


def test_a_corrected_confirmation_moves_the_clock() -> None:
    accident = declare(figures(at=5), "王芳", "", 5 * HOUR)
    assert dues(declare(figures(at=4), "王芳", "", 6 * HOUR, accident)) == {"to_county": 5, "to_city": 7}
