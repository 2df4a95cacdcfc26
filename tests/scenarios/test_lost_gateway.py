"""A gateway falls silent without a word: its loss is one incident, and comes before the silence of its tags."""

from pathlib import Path

from tests.scenarios.shift import on_duty


async def test_a_gateway_that_sends_each_tag_by_itself_falls_silent(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        for second in range(5):
            assert await shift.reads(second, GT_101=2) == []
            assert await shift.reads(second + 0.5, GT_103=2) == []
        told = [line.split(" ", 1)[1] for line in await shift.waits_until(30)]
        assert told == [
            "incident.opened gateways", "alarm.entered @gw1/LINK",
            "alarm.entered GT-101/STALE", "alarm.entered GT-103/STALE",
        ]  # fmt: skip
        assert {incident.unit for incident in shift.register.incidents.values()} == {"gateways"}
        assert shift.incident("gateways").grade.label == "blue"
        await shift.acknowledges("@gw1", "LINK")
        assert shift.state("GT-101", "STALE") == "unacknowledged"

        told = [line.split(" ", 1)[1] for line in await shift.reads(40, GT_101=25)]
        assert {"alarm.returned GT-101/STALE", "incident.opened tankfarm", "alarm.returned @gw1/LINK"} <= set(told)
        for second in range(41, 100):
            await shift.reads(second, GT_101=25)
        told = [line.split(" ", 1)[1] for line in await shift.reads(100, GT_101=25)]
        told += [line.split(" ", 1)[1] for line in await shift.waits_until(101)]
        assert "alarm.grouped GT-103/STALE" in told  # it is silent by itself
        stale = shift.alarm("GT-103", "STALE")
        assert stale is not None
        assert (stale.cause, stale.incident) == (None, shift.incident().id)


async def test_a_restart_in_the_middle_finds_it_lost_all_the_same(tmp_path: Path) -> None:
    async with on_duty(tmp_path) as shift:
        for second in range(5):
            await shift.reads(second, GT_101=2, GT_103=2)
        await shift.restarts()
        told = [line.split(" ", 1)[1] for line in await shift.waits_until(30)]
        assert told[1] == "alarm.entered @gw1/LINK"
        await shift.restarts()
        assert await shift.waits_until(60) == []
        assert shift.state("@gw1", "LINK") == "unacknowledged"
