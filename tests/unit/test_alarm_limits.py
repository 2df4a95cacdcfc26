"""The section ``alarms`` of the main file."""

from pathlib import Path
from typing import Any

import pytest

from alerting.alarms.limits import AlarmLimits
from service.config import ConfigurationError, load
from tests.running import main_file, site_of, write_yaml

HOUR = 3_600_000


def limits_of(folder: Path, **alarms: Any) -> AlarmLimits:
    write_yaml(folder / "site.yaml", site_of([]))
    return load(
        write_yaml(folder / "anshao.yaml", main_file(historian={"kind": "duckdb"}, alarms=alarms)), {}
    ).alarms.limits


def test_without_the_section_the_shipped_limits_hold(tmp_path: Path) -> None:
    assert limits_of(tmp_path) == AlarmLimits()


def test_a_site_chooses_its_own(tmp_path: Path) -> None:
    found = limits_of(tmp_path, longest_shelving="4h", damping="90s", chattering_transitions=5, stale_after="12h")
    assert found == AlarmLimits(
        longest_shelving=4 * HOUR, damping=90_000, chattering_transitions=5, stale_after=12 * HOUR
    )


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("longest_shelving", "9h", "longer than 8 h"),
        ("chattering_transitions", 1, "greater than or equal to 2"),
        ("longest_silence", "0s", "longest_silence"),
        ("dampening", "60s", "dampening"),
    ],
)
def test_what_is_not_possible_is_named(tmp_path: Path, field: str, value: object, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        limits_of(tmp_path, **{field: value})
