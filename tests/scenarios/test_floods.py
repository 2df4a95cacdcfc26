"""A bad night: thousands of alarms, and the one that matters on top."""

from pathlib import Path
from typing import Any

import orjson

from tests.running import site_of
from tests.scenarios.duty import DESK, duty
from tests.scenarios.shift import NO_DELAY, ms, status
from tests.sent import Sent

TAGS = 3_000
LIMITS = {"H": {"setpoint": 10, **NO_DELAY}, "HH": {"setpoint": 20, **NO_DELAY}}


def tank_farm(tags: int = TAGS, **further: Any) -> dict[str, Any]:
    """Three units full of thermometers on one gateway, and an H2S detector on another."""
    detector = {
        "tag": "GT-101",
        "measurand": "h2s",
        "engineering_unit": "mg/m3",
        "range": [0, 100],
        "gateway": "gw2",
        "limits": LIMITS,
        "stale": "off",
    }
    units = [
        {
            "id": f"area{number}",
            "name": f"{number} 区",
            "hazard_level": 1 if number == 0 else None,
            "tags": [
                *([detector] if number == 0 else []),
                *(
                    {
                        "tag": f"TI-{tag:04}",
                        "measurand": "temperature",
                        "engineering_unit": "°C",
                        "gateway": "gw1",
                        "limits": {"H": {"setpoint": 80, **NO_DELAY}},
                        **further,
                    }
                    for tag in range(number, tags, 3)
                ),
            ],
        }
        for number in range(3)
    ]
    for unit in units:
        if unit["hazard_level"] is None:
            del unit["hazard_level"]
    return site_of(units, gateways=[{"id": "gw1", "name": "测温"}, {"id": "gw2", "name": "气体"}])


def temperatures(second: float, tags: range, value: float | None = 20.0) -> Sent:
    """One message with many readings."""
    values = {f"TI-{tag:04}": value for tag in tags}
    return Sent("anshao/v1/works/gw1/data", orjson.dumps({"ts": ms(second), "values": values}))


async def test_a_gateway_is_lost_with_three_thousand_tags_and_hydrogen_sulphide_leaks_meanwhile(tmp_path: Path) -> None:
    async with duty(tmp_path, tank_farm()) as shift:
        await shift.gets(temperatures(0, range(TAGS // 2)), at=0)
        await shift.waits_until(2)
        await shift.gets(temperatures(2, range(TAGS // 2, TAGS)), at=2)
        await shift.reads(2, gateway="gw2", GT_101=5)
        await shift.gets(status(online=False))
        await shift.waits_until(4)
        half = len(shift.screen().others)
        assert 1_000 < half < TAGS, "the leak is to come in the middle"
        told = await shift.reads(4, gateway="gw2", GT_101=25)
        assert "08:00:04 alarm.entered GT-101/HH" in told

        screen = shift.screen()
        assert [alarm.path for alarm in screen.standing] == ["works/GT-101/HH", "works/GT-101/H"]
        await shift.waits_until(12)
        screen = shift.screen()
        assert [alarm.path for alarm in screen.standing] == ["works/GT-101/HH", "works/GT-101/H"]
        assert len(screen.others) == TAGS + 1, "nothing is dropped"
        (group,) = screen.groups
        assert group.cause == "works/@gw1/LINK"
        assert (len(group.members), len(group.units)) == (TAGS + 1, 4)
        assert group.first_out.path == "works/@gw1/LINK"
        # One loss is one alarm: with the leak's two that is no flood, and one incident beside the leak's.
        assert shift.room.floods.rate(DESK) == 3
        assert shift.of_kind("flood") == []
        assert sorted((incident.unit, incident.grade.label) for incident in shift.register.incidents.values()) == [
            ("area0", "orange"),
            ("gateways", "blue"),
        ]


async def test_instruments_fail_by_the_hundred_and_hydrogen_sulphide_leaks_meanwhile(tmp_path: Path) -> None:
    async with duty(tmp_path, tank_farm(300, bad={"on_delay": 0}, stale="off")) as shift:
        await shift.gets(temperatures(0, range(300)), at=0)
        await shift.gets(temperatures(1, range(150), None), at=1)
        await shift.reads(1, gateway="gw2", GT_101=25)
        await shift.gets(temperatures(2, range(150, 300), None), at=2)
        ((second, kind, data),) = [found for found in shift.of_kind("flood") if found[2]["desk"] == DESK]
        assert (second, kind, data["rate"]) == (1, "flood.began", 150)
        screen = shift.screen()
        assert [alarm.path for alarm in screen.standing] == ["works/GT-101/HH", "works/GT-101/H"]
        assert [(group.key, len(group.members)) for group in screen.groups] == [
            ("instrument:works/area0", 100),
            ("instrument:works/area1", 100),
            ("instrument:works/area2", 100),
        ]


async def test_a_flood_begins_with_the_eleventh_and_ends_with_fewer_than_five_through_a_restart(tmp_path: Path) -> None:
    async with duty(tmp_path, tank_farm(30, stale="off")) as shift:
        for second in range(10):
            await shift.gets(temperatures(second, range(second, second + 1), 90), at=second)
        assert shift.of_kind("flood") == []
        await shift.gets(temperatures(100, range(10, 11), 90), at=100)
        mine = [(second, kind, data["rate"]) for second, kind, data in shift.of_kind("flood") if data["desk"] == DESK]
        assert mine == [(100, "flood.began", 11)]
        for second in (200, 201, 202, 203):
            await shift.gets(temperatures(second, range(second - 189, second - 188), 90), at=second)
        await shift.restarts()
        assert shift.room.floods.rate(DESK) == 15
        await shift.waits_until(699)
        assert shift.room.floods.lasting(DESK) is not None
        await shift.waits_until(705)
        # Of seconds 0 to 9 and 100 all have left the window; the four of 200 to 203 are fewer than five.
        mine = [(second, kind, data["rate"]) for second, kind, data in shift.of_kind("flood") if data["desk"] == DESK]
        assert mine[1:] == [(700, "flood.ended", 4)]
        await shift.restarts()
        assert shift.room.floods.lasting(DESK) is None
        assert len([found for found in shift.of_kind("flood") if found[2]["desk"] == DESK]) == 2


async def test_what_is_orange_stands_alone_in_a_flood_of_its_own_unit(tmp_path: Path) -> None:
    async with duty(tmp_path, tank_farm(60)) as shift:
        await shift.gets(temperatures(0, range(1, 60, 3), 90), at=0)
        await shift.reads(1, gateway="gw2", GT_101=25)
        screen = shift.screen()
        assert {alarm.tag for alarm in screen.standing[:2]} == {"GT-101"}
        assert screen.members("standing") == screen.standing
        assert sum(screen.by_grade.values()) == len(screen.standing) + len(screen.others)
        assert shift.screen("370000").standing == screen.standing, "the province sees it too"
