"""Rules over several tags and limits by mode, from the site's file to the journal, and through restarts."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.running import site_of
from tests.scenarios.shift import NO_DELAY, leak, message, on_duty
from tests.sent import Sent

DETECTOR = {"measurand": "h2s", "engineering_unit": "mg/m3", "range": [0, 100], "limits": {"H": "off", "HH": "off"}}
THERMOMETER = {"measurand": "temperature", "engineering_unit": "°C", "range": [0, 400]}
SITE = site_of(
    [
        {
            "id": "tankfarm",
            "name": "原料罐区",
            "modes": {"tag": "MODE-1", "values": {"startup": 1, "stopped": 2}},
            "rules": [
                {
                    "key": "H2S",
                    "kind": "vote",
                    "tags": ["GT-1", "GT-2", "GT-3"],
                    "needed": 2,
                    "high": 10,
                    "level": "HH",
                },
                {"key": "LAYERS", "kind": "expression", "when": "TI-1 - TI-2 > 15 and TI-1 > 60", "on_delay": "3s"},
            ],
            "tags": [
                *({"tag": f"GT-{number}", **DETECTOR} for number in (1, 2, 3)),
                {
                    "tag": "TI-1",
                    **THERMOMETER,
                    "limits": {"H": {"setpoint": 80, **NO_DELAY, "modes": {"startup": 120, "stopped": "off"}}},
                    "deviation": {"from": "TI-2", "setpoint": 30, "deadband": 5},
                },
                {"tag": "TI-2", **THERMOMETER},
                {"tag": "MODE-1", "measurand": "status", "limits": {}},
            ],
        }
    ],
)
SECONDS = 40
LEAK = leak(SECONDS)


def story(second: int) -> Sent:
    """A leak that two detectors see while the third fails; a column that heats up; a start-up that ends."""
    values: dict[str, Any] = {
        "GT_1": float(LEAK[second]),
        "GT_2": float(LEAK[max(0, second - 4)]),
        "GT_3": "NaN" if 12 < second < 31 else 1.0,
        "TI_2": 50.0,
        "TI_1": 40.0 + 2.0 * min(second, 30) - (40.0 if second > 34 else 0.0),
        "MODE_1": 1 if 18 <= second < 26 else 0,
    }
    return message(second, **values)


async def test_two_of_three_with_a_fault_and_a_mode_that_ends(tmp_path: Path) -> None:
    async with on_duty(tmp_path, SITE) as shift:
        for second in range(SECONDS):
            await shift.gets(story(second), at=second)
        told = [line for line in shift.journal if "@unit" in line or "TI-1" in line]
        told = [line for line in told if " alarm." in line and "first_out" not in line]
        assert told == [
            "08:00:13 alarm.entered @unit.tankfarm/H2S",
            "08:00:16 alarm.entered @unit.tankfarm/LAYERS",
            "08:00:20 alarm.entered TI-1/DEVIATION",
            "08:00:27 alarm.entered TI-1/H",
            "08:00:31 alarm.returned @unit.tankfarm/H2S",
            "08:00:35 alarm.returned TI-1/H",
            "08:00:35 alarm.returned TI-1/DEVIATION",
            "08:00:35 alarm.returned @unit.tankfarm/LAYERS",
        ]
        bodies = [orjson.loads(entry.body) async for entry in shift.ledger.entries()]
        (entered,) = [body for body in bodies if body["kind"] == "alarm.entered" and body["rule"] == "H2S"]
        assert entered["data"]["inputs"] == {"GT-1": 10.63, "GT-2": 3.71, "GT-3": None}


@pytest.mark.parametrize("kept", ["spool", "ledger"])
async def test_dying_at_any_second_changes_nothing(tmp_path: Path, kept: str) -> None:
    async with on_duty(tmp_path / "undisturbed", SITE) as undisturbed:
        for second in range(SECONDS):
            await undisturbed.gets(story(second), at=second)
    for dies_at in range(2, SECONDS, 7):
        async with on_duty(tmp_path / f"{dies_at}", SITE) as shift:
            await shift.lives_through(story, SECONDS, dies_at=dies_at, kept=kept)
            assert sorted(shift.transitions) == sorted(undisturbed.transitions), dies_at
            assert shift.rules_and_register_agree()
