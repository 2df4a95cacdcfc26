"""Who is at the desk, and how a shift is handed over."""

import copy
from pathlib import Path

import orjson
import pytest

from alerting.refusals import Conflict, NotFound
from tests.scenarios.duty import DESK, DutyShift, duty
from tests.scenarios.shift import SITE, ms

CALM = copy.deepcopy(SITE)
"""Where silence is no alarm."""
for _unit in CALM["enterprises"][0]["units"]:
    for _tag in _unit["tags"]:
        _tag["stale"] = "off"


async def test_a_desk_where_nobody_stirs_while_an_alarm_waits_escalates_once(tmp_path: Path) -> None:
    async with duty(tmp_path, CALM, duty={"unattended_after": "5min"}) as shift:
        await shift.waits_until(1_000)
        assert shift.of_kind("desk") == [], "a quiet night is no absence"
        await shift.reads(1_000, GT_101=25)
        await shift.waits_until(1_299)
        tier = shift.incident().tier
        assert shift.of_kind("desk") == []
        await shift.waits_until(1_301)
        ((second, kind, data),) = shift.of_kind("desk")
        assert (second, kind, data["desk"]) == (1_300, "desk.unattended", DESK)
        assert shift.incident().tier == tier + 1
        ((_, _, escalated),) = shift.of_kind("incident.escalated")
        assert escalated["reason"] == "desk_unattended"
        await shift.waits_until(1_700)
        assert shift.incident().tier == tier + 1, "once is enough"
        assert [data["desk"] for _, _, data in shift.of_kind("desk")] == [DESK], (
            "the province's desk need not be manned"
        )


async def test_input_at_the_desk_is_attendance(tmp_path: Path) -> None:
    async with duty(tmp_path, CALM, duty={"unattended_after": "5min"}) as shift:
        await shift.reads(0, GT_101=25)
        for second in range(200, 1_000, 200):
            await shift.waits_until(second)
            shift.room.attendance.touch(DESK, shift.time)
        assert shift.of_kind("desk") == []
        await shift.waits_until(1_110)
        assert [(second, kind) for second, kind, _ in shift.of_kind("desk")] == [(1_100, "desk.unattended")]
        shift.room.attendance.touch(DESK, shift.time)
        await shift.waits_until(1_112)
        assert [kind for _, kind, _ in shift.of_kind("desk")] == ["desk.unattended", "desk.attended"]
        await shift.waits_until(1_405)
        assert len(shift.of_kind("desk")) == 2
        await shift.waits_until(1_415)
        assert [kind for _, kind, _ in shift.of_kind("desk")][2:] == ["desk.unattended"], "and gone again"
        assert len(shift.of_kind("incident.escalated")) >= 2
    with pytest.raises(NotFound):
        shift.room.attendance.touch("nowhere", 0)


async def test_what_is_acknowledged_waits_for_nobody(tmp_path: Path) -> None:
    async with duty(tmp_path, CALM, duty={"unattended_after": "5min"}) as shift:
        await shift.reads(0, GT_101=15)
        await shift.acknowledges("GT-101", "H")
        for second in range(0, 900, 2):
            await shift.reads(second, GT_101=15, GT_103=1)
            await shift.waits_until(second + 2)
        assert shift.of_kind("desk") == []


async def test_an_unattended_desk_stays_so_through_a_restart_without_escalating_again(tmp_path: Path) -> None:
    async with duty(tmp_path, CALM, duty={"unattended_after": "5min"}) as shift:
        await shift.reads(0, GT_101=25)
        await shift.waits_until(302)
        assert len(shift.of_kind("incident.escalated")) == 1
        since = shift.room.attendance.presence(DESK)
        assert since is not None
        await shift.restarts()
        again = shift.room.attendance.presence(DESK)
        assert again is not None
        assert again.unattended_since == since.unattended_since == ms(300)
        await shift.waits_until(700)
        assert len(shift.of_kind("incident.escalated")) == 1
        assert len(shift.of_kind("desk")) == 1


async def hand_over(shift: DutyShift, name: str = "王芳") -> int:
    """The outgoing officer's number of the handover."""
    made = await shift.does(
        lambda _register, now, change: shift.room.hand_over(DESK, "county", name, "GT-101 校验中", now, change)
    )
    return int(made.id)


async def test_a_handover_captures_what_is_outstanding_and_waits_for_the_other_signature(tmp_path: Path) -> None:
    async with duty(tmp_path, CALM) as shift:
        await shift.reads(0, GT_101=25, GT_103=15)
        await shift.acknowledges("GT-103", "H")
        identity = await hand_over(shift)
        (made,) = shift.room.handovers.unsigned(DESK)
        captured = orjson.loads(made.captured)
        assert [(each["tag"], each["rule"], each["state"]) for each in captured["alarms"]] == [
            ("GT-101", "HH", "unacknowledged"),
            ("GT-103", "H", "acknowledged"),
            ("GT-101", "H", "unacknowledged"),
        ]
        assert [each["unit"] for each in captured["incidents"]] == ["tankfarm"]
        ((_, _, data),) = shift.of_kind("shift.handed_over")
        assert (data["digest"], data["alarms"], data["name"]) == (made.digest, 3, "王芳")

        with pytest.raises(Conflict, match="another name"):
            await shift.does(
                lambda _register, now, change: shift.room.handovers.sign(identity, "county", " 王 芳", "", now, change)
            )
        await shift.restarts()
        assert [each.id for each in shift.room.handovers.unsigned(DESK)] == [identity], "it stays visible"
        await shift.does(
            lambda _register, now, change: shift.room.handovers.sign(identity, "county", "李强", "收到", now, change)
        )
        assert shift.room.handovers.unsigned(DESK) == []
        ((_, _, data),) = shift.of_kind("shift.accepted")
        assert (data["name"], data["outgoing"], data["handover"]) == ("李强", "王芳", identity)
        await shift.restarts()
        assert shift.room.handovers.unsigned(DESK) == []
        with pytest.raises(NotFound):
            await shift.does(
                lambda _register, now, change: shift.room.handovers.sign(identity, "county", "赵磊", "", now, change)
            )
