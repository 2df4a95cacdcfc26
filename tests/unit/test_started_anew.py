"""Stories of a start by another site file than before: what lies over alarms is what the new one says."""

from domain.site import RuleExtra
from tests.watched_unit import WatchedUnit, related

HOUR = 3_600
SUPPRESSED = related({"PI-1/H": RuleExtra(suppressed_by=("works/PI-2/H",))})


def test_a_start_by_another_site_file_leaves_nothing_suppressed_by_what_is_no_more() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("PI-1/H", "PI-2/H", "PI-3/H", at=1)
    unit.restarts(site=related({"PI-3/H": RuleExtra(suppressed_by=("works/PI-2/H",))}))
    told = unit.withdraws(at=2)
    assert [what for what in told if what.startswith("alarm")] == [
        "alarm.annunciated PI-1/H",
        "alarm.suppressed PI-3/H",
    ]


def test_a_start_without_the_condition_that_suppressed_leaves_nothing_suppressed() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("PI-1/H", "PI-2/H", at=1)
    unit.restarts(site=related({}, without=["PI-2/H"]))
    told = unit.withdraws(at=2)
    assert [what for what in told if what.startswith("alarm")] == ["alarm.withdrawn PI-2/H", "alarm.annunciated PI-1/H"]


def test_a_start_by_the_same_site_file_changes_nothing() -> None:
    unit = WatchedUnit(site=SUPPRESSED)
    unit.enters("TI-9/STALE", at=1)
    unit.enters("PI-1/H", "PI-2/H", at=500)
    unit.enters("@gw1/LINK", at=500)
    unit.enters("PI-3/STALE", at=501)
    unit.shelves("PI-2/H", at=502, until=HOUR)
    unit.restarts()
    assert unit.withdraws(at=503) == []


def test_a_start_without_the_relation_leaves_nothing_under_its_cause() -> None:
    unit = WatchedUnit(site=related({"PI-2/HH": RuleExtra(parent="works/PI-1/HH")}))
    unit.enters("PI-1/HH", "PI-2/HH", at=1)
    assert (unit.alarm("PI-2/HH").cause, unit.grade()) == ("works/PI-1/HH", "yellow")
    unit.restarts(site=related({}))
    assert "alarm.grouped PI-2/HH" in unit.withdraws(at=2)
    assert (unit.alarm("PI-2/HH").cause, unit.grade()) == (None, "orange")
