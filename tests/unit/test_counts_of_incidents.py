"""How many alarms of an incident are in, unacknowledged and open, whatever happens to them."""

from domain.site import RuleExtra
from tests.watched_unit import WatchedUnit, related

HOUR = 3_600


def counts(unit: WatchedUnit, of: str = "tankfarm") -> tuple[int, int, int]:
    """As the incident has them, which is as its members are."""
    incident = unit.incident(of)
    members = [each for each in unit.register.active.values() if each.incident == incident.id and each.is_annunciated]
    found = (incident.alarms_active, incident.alarms_unacknowledged, incident.alarms_open)
    assert found == (
        sum(alarm.condition for alarm in members),
        sum(alarm.is_unacknowledged for alarm in members),
        len(members),
    )
    return found


def test_the_counts_follow_each_alarm_through_its_life() -> None:
    unit = WatchedUnit(site=related({"PI-1/H": RuleExtra(suppressed_by=("works/PI-5/H",))}))
    unit.enters("PI-1/H", "PI-2/H", "PI-3/H", "XL-1/H", "PI-1/STALE", at=1)
    assert counts(unit) == (5, 5, 5)
    unit.acknowledges("PI-2/H", at=2)
    assert counts(unit) == (5, 4, 5)
    unit.leaves("PI-2/H", "XL-1/H", at=3)
    assert counts(unit) == (3, 4, 4)
    unit.shelves("PI-3/H", at=4, until=HOUR)
    assert counts(unit) == (2, 3, 3)
    unit.enters("PI-5/H", at=5)
    assert counts(unit) == (2, 3, 3)
    unit.enters("@gw1/LINK", at=6)
    assert (counts(unit), counts(unit, "gateways")) == ((1, 2, 2), (2, 2, 2))
    unit.reconfigures(related({}), at=7)
    assert counts(unit) == (2, 3, 3)
    unit.restarts()
    unit.leaves("PI-5/H", at=8)
    assert counts(unit) == (1, 3, 3)
    unit.waits_until(HOUR)
    assert counts(unit) == (2, 4, 4)
