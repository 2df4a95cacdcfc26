"""The service's clock is set back by hours: nobody waits for hours to be told, and no sound stays off."""

from pathlib import Path

import pytest

from tests.scenarios.pager import pager
from tests.unit.test_sound import silences
from tests.watched_unit import WatchedUnit


@pytest.mark.parametrize("restarts", [False, True])
def test_what_nobody_acknowledges_escalates_within_the_time_of_its_tier(tmp_path: Path, restarts: bool) -> None:  # noqa: FBT001
    with pager(tmp_path) as story:
        story.raises("orange")
        story.passes(4)
        told = len(story.told)
        story.now -= 180 * 60_000
        if restarts:
            story.restarts()
        story.acts(4 - 180, lambda _: None)
        story.passes(4 - 180 + 5 - 0.1)
        assert len(story.told) == told
        story.passes(4 - 180 + 5 + 0.1)
        (escalated,) = [line for line in story.lines if "incident.escalated" in line]
        assert escalated.endswith("3>4 not_acknowledged")
        assert {line.split()[2] for line in story.told[told:]} == {"op", "safety", "head", "county", "city", "mayor"}


def test_the_sound_is_on_again() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=20_000)
    silences(unit, "unit", "works/tankfarm", 20_000, 9)
    assert unit.waits_until(20_001) == []
    assert unit.waits_until(10_000) == ["sound.resumed tankfarm"]
    assert unit.books.told()[-1]["data"]["why"] == "clock"
