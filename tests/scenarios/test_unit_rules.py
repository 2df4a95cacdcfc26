"""Rules over several tags, modes and converted limits, from the site file to the journal, with restarts between."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from tests.running import site_of
from tests.scenarios.shift import Shift
from tests.scenarios.shift import on_duty as shift_at

GAS = {"measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100], "limits": {"H": "off", "HH": "off"}}
QUIET = {"stale": "off", "bad": {"on_delay": "1h"}}
SITE = site_of(
    [
        {
            "id": "tankfarm",
            "name": "原料罐区",
            "modes": {"tag": "MODE", "values": {"startup": 1, "normal": [2, 3]}},
            "rules": [
                {
                    "key": "H2S-2OO3",
                    "kind": "vote",
                    "tags": ["GT-101", "GT-102", "GT-103"],
                    "needed": 2,
                    "high": 20,
                    "deadband": 1,
                    "level": "HH",
                    "grade": "orange",
                },
                {"key": "BOILING", "kind": "expression", "when": "TI-101 - TI-102 > 15 and PI-101 > 100"},
            ],
            "tags": [
                *({"tag": tag, **GAS, **QUIET} for tag in ("GT-101", "GT-102", "GT-103")),
                {
                    "tag": "GD-101",
                    "measurand": "flammable_gas",
                    "species": "CH4",
                    "engineering_unit": "ppm",
                    "range": [0, 50_000],
                    **QUIET,
                },
                {
                    "tag": "TI-101",
                    "measurand": "temperature",
                    "engineering_unit": "°C",
                    "on_delay": 0,
                    "deadband": 1,
                    "limits": {"H": {"setpoint": 60, "modes": {"startup": 80}}},
                    **QUIET,
                },
                {"tag": "TI-102", "measurand": "temperature", "engineering_unit": "℃", **QUIET},
                {"tag": "PI-101", "measurand": "pressure", "engineering_unit": "kPa", **QUIET},
                {"tag": "MODE", "measurand": "status", **QUIET},
            ],
        }
    ]
)


def on_duty(folder: Path) -> AbstractAsyncContextManager[Shift]:
    """A shift at this site."""
    return shift_at(folder, SITE)


async def test_two_of_three_detectors_and_then_one_of_the_two_that_work(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        assert await shift.reads(0, GT_101=2, GT_102=2, GT_103=2) == []
        assert await shift.reads(1, GT_101=40) == []
        assert await shift.reads(2, GT_103=21) == [
            "08:00:02 incident.opened tankfarm",
            "08:00:02 alarm.entered @unit.tankfarm/H2S-2OO3",
        ]
        assert shift.incident().grade.label == "orange"
        alarm = shift.alarm("@unit.tankfarm", "H2S-2OO3")
        assert alarm is not None
        assert (alarm.gas, alarm.engineering_unit, alarm.setpoint) == ("toxic", "mg/m3", 20)
        assert await shift.restarts() == [], "it is in still, and raised once"
        assert shift.state("@unit.tankfarm", "H2S-2OO3") == "unacknowledged"
        assert await shift.reads(3, GT_101=3, GT_103=3, GT_102=3) == [
            "08:00:03 alarm.returned @unit.tankfarm/H2S-2OO3",
        ]
        assert await shift.reads(90, GT_101=None) == []
        assert await shift.reads(91, GT_102=25) == ["08:01:31 alarm.entered @unit.tankfarm/H2S-2OO3"]


async def test_an_expression_holds_what_it_no_longer_knows(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        assert await shift.reads(0, TI_101=50, TI_102=30) == [], "the pressure was never heard"
        assert await shift.reads(1, PI_101=120) == [
            "08:00:01 incident.opened tankfarm",
            "08:00:01 alarm.entered @unit.tankfarm/BOILING",
        ]
        assert await shift.reads(2, TI_102=None) == []
        assert await shift.reads(3, TI_101=20) == [], "the difference is not known"
        assert await shift.reads(4, PI_101=90) == ["08:00:04 alarm.returned @unit.tankfarm/BOILING"]


async def test_a_limit_follows_the_mode(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        assert await shift.reads(0, MODE=1, TI_101=70) == []
        assert await shift.reads(1, MODE=2) == []
        assert await shift.reads(2, TI_101=70) == [
            "08:00:02 incident.opened tankfarm",
            "08:00:02 alarm.entered TI-101/H",
        ]
        assert await shift.reads(3, MODE=1) == []
        assert await shift.reads(4, TI_101=70) == ["08:00:04 alarm.returned TI-101/H"]
        assert await shift.reads(90, TI_101=80) == ["08:01:30 alarm.entered TI-101/H"]


async def test_a_quarter_of_the_explosive_limit_in_ppm(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        assert await shift.reads(0, GD_101=12_499) == []
        assert await shift.reads(1, GD_101=12_500) == [
            "08:00:01 incident.opened tankfarm",
            "08:00:01 alarm.entered GD-101/H",
        ]
        alarm = shift.alarm("GD-101", "H")
        assert alarm is not None
        assert (alarm.setpoint, alarm.engineering_unit) == (12_500, "ppm")
