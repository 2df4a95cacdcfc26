"""The accident clock (事故快报): who reports to whom by when, once a person has declared an accident.

Source: State Council Order 493 (生产安全事故报告和调查处理条例, 2007). Article 3: the classes. Article 9: the head of
the unit reports to the county within 1 hour of learning of the accident. Articles 10 and 11: each level of government
reports to the next within 2 hours, a general accident to the city, a larger one to the province, serious and
particularly serious ones to the State Council. Levels may be skipped where it is urgent, so reports are marked done in
any order. These times are law and no configuration.

The class is entered by a person and never computed; where it contradicts the figures, that is said.
"""

from dataclasses import dataclass
from enum import StrEnum

from alerting.records import Accident, AccidentReport

HOUR = 3_600_000
"""ms."""


class AccidentClass(StrEnum):
    """事故等级, I gravest."""

    PARTICULARLY_SERIOUS = "I"
    """特别重大事故."""
    SERIOUS = "II"
    """重大事故."""
    LARGER = "III"
    """较大事故."""
    GENERAL = "IV"
    """一般事故."""


class ReportStep(StrEnum):
    """One report upward."""

    TO_COUNTY = "to_county"
    """The unit's head to the county."""
    TO_CITY = "to_city"
    """The county to the city."""
    TO_PROVINCE = "to_province"
    """The city to the province."""
    TO_STATE_COUNCIL = "to_state_council"
    """The province to the State Council."""


THRESHOLDS: dict[AccidentClass, tuple[int, int, float]] = {
    AccidentClass.PARTICULARLY_SERIOUS: (30, 100, 100_000_000),
    AccidentClass.SERIOUS: (10, 50, 50_000_000),
    AccidentClass.LARGER: (3, 10, 10_000_000),
}
"""Dead, seriously injured, direct loss in yuan: a class begins at any one of them. Below all: general."""

_REPORTS: dict[AccidentClass, tuple[ReportStep, ...]] = {
    AccidentClass.GENERAL: (ReportStep.TO_COUNTY, ReportStep.TO_CITY),
    AccidentClass.LARGER: (ReportStep.TO_COUNTY, ReportStep.TO_CITY, ReportStep.TO_PROVINCE),
    AccidentClass.SERIOUS: tuple(ReportStep),
    AccidentClass.PARTICULARLY_SERIOUS: tuple(ReportStep),
}
WITHIN: dict[ReportStep, int] = {
    ReportStep.TO_COUNTY: HOUR,
    ReportStep.TO_CITY: 2 * HOUR,
    ReportStep.TO_PROVINCE: 2 * HOUR,
    ReportStep.TO_STATE_COUNCIL: 2 * HOUR,
}
"""ms that a level has, from the report that it received."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a person enters. ``loss``: direct, in yuan; ``confirmed_at``: when the accident was confirmed, ms."""

    accident_class: AccidentClass
    dead: int
    injured: int
    """Seriously injured."""
    loss: float
    confirmed_at: int


def class_by_figures(dead: int, injured: int, loss: float) -> AccidentClass:
    """The class whose thresholds the figures reach; for comparison only."""
    for accident_class, (deaths, injuries, yuan) in THRESHOLDS.items():
        if dead >= deaths or injured >= injuries or loss >= yuan:
            return accident_class
    return AccidentClass.GENERAL


def warning_of(figures: Figures) -> str | None:
    """What to say where the class contradicts the figures."""
    reached = class_by_figures(figures.dead, figures.injured, figures.loss)
    if reached is figures.accident_class:
        return None
    deaths, injuries, yuan = THRESHOLDS.get(reached, (0, 0, 0.0))
    bounds = (
        f"{deaths} dead, {injuries} seriously injured or {yuan:,.0f} yuan"
        if reached in THRESHOLDS
        else "the thresholds of class III"
    )
    side = "at or over" if reached in THRESHOLDS else "all below"
    return (
        f"class {figures.accident_class.value} was entered, but {figures.dead} dead, {figures.injured} seriously "
        f"injured and {figures.loss:,.0f} yuan are {side} {bounds}: class {reached.value} by Order 493. "
        "The class stays as entered; correct it or the figures if that is not meant"
    )


def declare(figures: Figures, name: str, comment: str, now: int, before: Accident | None = None) -> Accident:
    """An accident with its clock, or, with ``before``, a correction: what was reported stays reported."""
    return Accident(
        accident_class=figures.accident_class.value,
        dead=figures.dead,
        injured=figures.injured,
        loss=figures.loss,
        confirmed_at=figures.confirmed_at,
        name=name,
        at=now,
        comment=comment,
        warning=warning_of(figures),
        corrections=0 if before is None else before["corrections"] + 1,
        reports=_clock(figures, now, before),
    )


def mark_done(accident: Accident, step: ReportStep, name: str, at: int) -> Accident:
    """A report was made at that time; what is due after it is counted from there. Raises KeyError: not asked for."""
    if step not in {report["step"] for report in accident["reports"]}:
        raise KeyError(step.value)
    reports: list[AccidentReport] = [
        {**report, "done_at": at, "name": name} if report["step"] == step else report for report in accident["reports"]
    ]
    return {**accident, "reports": _timed(reports, accident["confirmed_at"])}


def mark_overdue(accident: Accident, now: int) -> tuple[Accident, list[AccidentReport]]:
    """The accident with reports marked that are overdue now, and those that were not marked before."""
    fresh = [
        report
        for report in accident["reports"]
        if report["done_at"] is None and not report["overdue"] and now > report["due"]
    ]
    if not fresh:
        return accident, []
    reports: list[AccidentReport] = [
        {**each, "overdue": True} if each in fresh else each for each in accident["reports"]
    ]
    return {**accident, "reports": reports}, fresh


def pending(accident: Accident | None) -> list[AccidentReport]:
    """Reports that are not marked done."""
    return [] if accident is None else [report for report in accident["reports"] if report["done_at"] is None]


def _clock(figures: Figures, now: int, before: Accident | None) -> list[AccidentReport]:
    known = {report["step"]: report for report in before["reports"]} if before is not None else {}
    wanted = _REPORTS[figures.accident_class]
    reports: list[AccidentReport] = []
    for each in ReportStep:
        report = known.get(each.value)
        # A report that was made stays on record, even if the class does not ask for it any more.
        if each not in wanted and (report is None or report["done_at"] is None):
            continue
        asked_at = None if before is None else now
        reports.append(
            report or AccidentReport(step=each.value, asked_at=asked_at, due=0, done_at=None, name=None, overdue=False)
        )
    return _timed(reports, figures.confirmed_at)


def _timed(reports: list[AccidentReport], confirmed_at: int) -> list[AccidentReport]:
    """Reports with the times when they are due: each from the one before it, done or due."""
    timed: list[AccidentReport] = []
    base = confirmed_at
    for report in reports:
        # A level that only a correction asks to report has its time from then on.
        due = max(base, report["asked_at"] or base) + WITHIN[ReportStep(report["step"])]
        done_at = report["done_at"]
        overdue = done_at > due if done_at is not None else report["overdue"] and report["due"] == due
        timed.append({**report, "due": due, "overdue": overdue})
        base = due if done_at is None else done_at
    return timed
