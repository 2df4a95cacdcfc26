"""The service dies in the middle of everything; the journal tells the same story as if it had not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.shift import Shift, leak, message, on_duty
from tests.sent import Sent

SECONDS = 48
GT_101, GT_103 = leak(SECONDS), leak(SECONDS)[::-1] * 0.9
TEN_YEARS = 10 * 365 * 86_400


def leaking(second: int) -> Sent:
    """One second of a leak that two detectors see."""
    return message(second, GT_101=float(GT_101[second]), GT_103=float(GT_103[second]))


def recorded(second: int) -> Sent:
    """One second of a recording of long ago, replayed with its own times."""
    return message(second - TEN_YEARS, "replay", RP_1=210 if second % 12 in {5, 6, 7} else 100)


async def without_a_fault(folder: Path, story: Callable[[int], Sent]) -> Shift:
    """The whole story, undisturbed."""
    async with on_duty(folder) as shift:
        for second in range(SECONDS):
            await shift.gets(story(second), at=second)
        return shift


@pytest.mark.parametrize("kept", ["nothing", "spool", "ledger", "both"])
@pytest.mark.parametrize("story", [leaking, recorded])
async def test_dying_at_any_second_changes_nothing(tmp_path: Path, story: Callable[[int], Sent], kept: str) -> None:
    """It dies while it commits; the broker delivers again what it has no answer for, and a little more."""
    expected = await without_a_fault(tmp_path / "undisturbed", story)
    assert len(expected.transitions) > 7
    for dies_at in range(0, SECONDS, 5):
        async with on_duty(tmp_path / f"{dies_at}") as shift:
            await shift.lives_through(story, SECONDS, dies_at=dies_at, kept=kept)
            assert sorted(shift.transitions) == sorted(expected.transitions), dies_at
            assert shift.rules_and_register_agree()


async def test_dying_every_few_seconds_changes_nothing(tmp_path: Path) -> None:
    expected = await without_a_fault(tmp_path / "undisturbed", leaking)
    async with on_duty(tmp_path / "disturbed") as shift:
        for second in range(SECONDS):
            kept = ("nothing", "spool", "ledger", "both")[second % 4]
            if second % 3 == 2:
                await shift.dies_with(leaking(second), at=second, kept=kept)
            await shift.gets(leaking(second), at=second)
        assert sorted(shift.transitions) == sorted(expected.transitions)
        assert {alarm.path: alarm.activations for alarm in shift.register.active.values()} == {
            alarm.path: alarm.activations for alarm in expected.register.active.values()
        }


async def test_what_was_acknowledged_stays_acknowledged(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(0, GT_101=25)
        await shift.acknowledges("GT-101", "HH", name="王芳")
        assert await shift.restarts() == []
        alarm = shift.alarm("GT-101", "HH")
        assert alarm is not None
        assert (alarm.state.value, alarm.acknowledged_by) == ("acknowledged", "王芳")
        assert await shift.reads(1, GT_101=25) == []


async def test_an_alarm_that_left_while_the_service_was_away_returns_with_the_next_reading(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        await shift.reads(0, GT_101=25)
        shift.time += 3_600_000
        assert await shift.restarts() == []
        assert shift.state("GT-101", "HH") == "unacknowledged"
        assert await shift.reads(3_601, GT_101=1) == [
            "09:00:01 alarm.returned GT-101/HH",
            "09:00:01 alarm.returned GT-101/H",
        ]


async def test_a_delay_under_way_is_not_forgotten(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        for second in range(10):
            await shift.reads(second, PI_101=210)
        await shift.restarts()
        for second in range(10, 15):
            assert await shift.reads(second, PI_101=210) == []
        assert (await shift.reads(15, PI_101=210))[-1] == "08:00:15 alarm.entered PI-101/H"


async def test_everything_delivered_twice_is_told_once(tmp_path: Path) -> None:
    expected = await without_a_fault(tmp_path / "once", leaking)
    async with on_duty(tmp_path / "twice") as shift:
        for second in range(SECONDS):
            await shift.gets(leaking(second), leaking(second), at=second)
            assert await shift.gets(leaking(second), leaking(second // 2), at=second) == []
        assert shift.transitions == expected.transitions
