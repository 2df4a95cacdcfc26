"""A morning at a tank farm, as the duty officer sees it."""

from pathlib import Path

import pytest

from alerting.refusals import Conflict
from tests.scenarios.shift import message, on_duty, status


async def test_a_leak_at_two_detectors_and_its_end(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        assert await shift.reads(0, GT_101=2, GT_103=2) == []
        assert await shift.reads(1, GT_101=12, GT_103=3) == [
            "08:00:01 incident.opened tankfarm",
            "08:00:01 alarm.entered GT-101/H",
        ]
        assert shift.incident().grade.label == "blue"

        assert await shift.reads(2, GT_101=21, GT_103=9) == [
            "08:00:02 alarm.entered GT-101/HH",
            "08:00:02 incident.graded tankfarm",
        ]
        assert shift.incident().grade.label == "yellow"

        assert await shift.reads(3, GT_101=24, GT_103=22) == [
            "08:00:03 alarm.entered GT-103/HH",
            "08:00:03 alarm.entered GT-103/H",
            "08:00:03 incident.graded tankfarm",
        ]
        assert shift.incident().grade.label == "orange"
        assert [reason["rule"] for reason in shift.incident().reasons] == ["second_level_two_tags"]

        for tag in ("GT-101", "GT-103"):
            for rule in ("H", "HH"):
                assert await shift.acknowledges(tag, rule) == [f"08:00:03 alarm.acknowledged {tag}/{rule}"]
        with pytest.raises(Conflict):
            await shift.closes()

        assert await shift.reads(4, GT_101=3, GT_103=19.6) == [
            "08:00:04 alarm.returned GT-101/HH",
            "08:00:04 alarm.returned GT-101/H",
        ]
        assert await shift.reads(5, GT_101=3, GT_103=3) == [
            "08:00:05 alarm.returned GT-103/HH",
            "08:00:05 alarm.returned GT-103/H",
        ]
        assert shift.incident().grade.label == "orange"
        with pytest.raises(Conflict, match="not ready to close"):
            await shift.closes()
        assert await shift.handles() == [
            "08:00:05 incident.acknowledged tankfarm",
            "08:00:05 incident.acknowledged tankfarm",
            "08:00:05 incident.verified tankfarm",
            "08:00:05 incident.handled tankfarm",
            "08:00:05 incident.fed_back tankfarm",
            "08:00:05 incident.reviewed tankfarm",
        ]
        assert await shift.closes() == ["08:00:05 incident.closed tankfarm"]
        assert not shift.register.active


async def test_a_toxic_leak_that_nobody_stops_grows_by_time_alone(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(0, GT_101=25, GT_103=1)
        for second in range(1, 60):
            assert await shift.reads(second, GT_101=25, GT_103=1) == []
        assert await shift.reads(60, GT_101=25, GT_103=1) == ["08:01:00 incident.graded tankfarm"]
        assert shift.incident().grade.label == "orange"


async def test_the_grade_falls_ten_minutes_after_the_air_is_clear(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(0, GT_101=25, GT_103=25)
        await shift.reads(10, GT_101=1, GT_103=1)
        for minute in range(1, 10):
            assert await shift.reads(10 + 60 * minute, GT_101=1, GT_103=1) == []
        assert await shift.reads(611, GT_101=1, GT_103=1) == ["08:10:11 incident.graded tankfarm"]
        assert (shift.incident().grade.label, shift.incident().peak_grade.label) == ("blue", "orange")


async def test_a_detector_that_fails_in_the_middle_of_a_leak_clears_nothing(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(0, GT_101=25)
        assert await shift.reads(1, GT_101=None) == ["08:00:01 alarm.entered GT-101/BAD"]
        assert await shift.reads(2, GT_101={"v": 0, "q": 0}) == []
        assert await shift.reads(3, GT_101=9999.9999) == []
        assert await shift.reads(4, GT_101="broken") == []
        assert [shift.state("GT-101", rule) for rule in ("H", "HH", "BAD")] == ["unacknowledged"] * 3
        assert await shift.reads(5, GT_101=24) == ["08:00:05 alarm.returned GT-101/BAD"]
        assert await shift.reads(6, GT_101=1) == [
            "08:00:06 alarm.returned GT-101/HH",
            "08:00:06 alarm.returned GT-101/H",
        ]


async def test_a_gateway_that_falls_silent_in_the_middle_of_a_leak(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.gets(status(online=True), message(0, GT_101=25, GT_103=1), at=0)
        assert await shift.gets(status(online=False), at=2) == [
            "08:00:02 incident.opened gateways",
            "08:00:02 alarm.entered @gw1/LINK",
        ]
        told = await shift.waits_until(10)
        assert [line.split(" ", 1)[1] for line in told] == ["alarm.entered GT-101/STALE", "alarm.entered GT-103/STALE"]
        assert [shift.state("GT-101", rule) for rule in ("H", "HH")] == ["unacknowledged"] * 2

        # It comes back, with what it stored first and what is now after it.
        stored = [message(second, GT_101=25 - second / 2, GT_103=1) for second in range(3, 60)]
        told = await shift.gets(status(online=True), *stored, at=60)
        assert {line.split(" ", 1)[1] for line in told} >= {
            "alarm.returned @gw1/LINK", "alarm.returned GT-101/STALE", "alarm.returned GT-103/STALE",
            "alarm.returned GT-101/HH", "alarm.returned GT-101/H",
        }  # fmt: skip
        assert ("alarm.returned", "GT-101/HH", 1_750_032_012_000) in shift.transitions
        assert shift.rules_and_register_agree()


async def test_what_a_gateway_had_stored_for_hours_pages_nobody(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(3_600, GT_101=1, GT_103=1)
        backlog = [message(second, GT_101=30 if 600 <= second < 660 else 1) for second in range(0, 1_800, 10)]
        told = await shift.gets(*backlog, at=3_601)
        assert [line.split(" ", 1)[1] for line in told] == [
            "alarm.retrospective GT-101/HH", "alarm.retrospective GT-101/HH",
            "alarm.retrospective GT-101/H", "alarm.retrospective GT-101/H",
        ]  # fmt: skip
        assert not shift.register.active
        assert not shift.register.incidents


async def test_readings_out_of_order_do_not_undo_newer_ones(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(10, GT_101=25)
        assert await shift.gets(message(5, GT_101=1), message(9, GT_101=1), at=11) == []
        assert shift.state("GT-101", "HH") == "unacknowledged"


async def test_a_clock_that_is_wrong_by_twenty_minutes_is_an_alarm_of_its_own(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        assert await shift.gets(message(1_200, GT_101=25), at=0) == [
            "08:00:00 incident.opened gateways",
            "08:00:00 alarm.entered @gw1/CLOCK",
        ]
        assert shift.alarm("GT-101", "HH") is None
        await shift.reads(2, GT_101=1)
        told = await shift.waits_until(70)
        assert "alarm.returned @gw1/CLOCK" in {line.split(" ", 1)[1] for line in told}


async def test_pressure_must_stay_high_for_its_delay(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        for second in range(14):
            assert await shift.reads(second, PI_101=210) == []
        await shift.reads(14, PI_101=190)
        for second in range(20, 35):
            assert await shift.reads(second, PI_101=210) == []
        told = await shift.reads(35, PI_101=210)
        assert told == ["08:00:35 incident.opened tankfarm", "08:00:35 alarm.entered PI-101/H"]


async def test_a_delay_runs_out_in_silence_and_a_late_reading_denies_it(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(0, PI_101=210)
        assert (await shift.waits_until(20))[-1] == "08:00:15 alarm.entered PI-101/H"
        told = await shift.gets(message(3, PI_101=150), message(9, PI_101=150), at=21)
        assert told == ["08:00:21 alarm.returned PI-101/H", "08:00:21 alarm.returned @gw1/LINK"]
        assert shift.rules_and_register_agree()
