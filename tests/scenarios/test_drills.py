"""A drill on the real road, while the real thing goes on."""

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from alerting.desks.desks import Desk
from alerting.desks.drills import drill_of
from alerting.desks.watch import STANDING
from alerting.incidents.closed_loop import Side
from alerting.notify.entries import EntryDeliveries, Webhook
from alerting.refusals import Conflict, NotFound
from service.drills import report
from tests.scenarios.duty import DESK, DutyShift, duty
from tests.scenarios.shift import SITE, ms
from tests.sent import Sent

LEAK: dict[str, Any] = {
    "name": "泄漏演练",
    "units": ["works/tankfarm"],
    "duration": "120s",
    "steps": [
        {"at": "0s", "tag": "works/GT-101", "value": 2},
        {"at": "5s", "tag": "works/GT-101", "ramp": {"to": 32, "over": "10s"}},
        {"at": "0s", "tag": "works/GT-103", "value": 1},
        {"at": "30s", "tag": "works/GT-103", "silent": True},
    ],
    "expected": [
        {"act": "alarm.acknowledged", "tag": "works/GT-101", "within": "30s"},
        {"act": "incident.acknowledged", "unit": "works/tankfarm", "side": "desk", "within": "10s"},
        {"act": "incident.verified", "within": "60s"},
        {"act": "alarm.acknowledged", "tag": "works/GT-103", "within": "1s"},
    ],
}


def prepare(folder: Path) -> Path:
    """A folder with the scenario."""
    (folder / "drills").mkdir()
    (folder / "drills" / "leak.yaml").write_text(yaml.safe_dump(LEAK, allow_unicode=True), encoding="utf-8")
    return folder


async def with_real_readings(shift: DutyShift, seconds: int, **values: Any) -> None:
    """Time passes in the drill while the plant sends its own readings."""
    for _ in range(seconds):
        await shift.reads((shift.time - ms(0)) / 1000, **values)
        await shift.drills_for(1)


async def test_a_drill_raises_marked_alarms_and_the_real_ones_go_on(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        await shift.reads(0, GT_101=5, GT_103=5)
        drill = await shift.starts_drill("leak")
        assert shift.room.drills.circle_of(drill.id) == ("zhao", "county")
        await with_real_readings(shift, 20, GT_101=5, GT_103=5)
        marked = shift.register.find(f"drill:{drill.id}:works/GT-101/HH")
        assert marked is not None
        assert marked.drill == drill.id
        assert shift.alarm("GT-101", "HH") is None, "the real tag is calm"
        (incident,) = [each for each in shift.register.incidents.values() if each.drill == drill.id]
        assert incident.unit == "tankfarm"

        # A real alarm of the same tag, in the middle of the drill.
        told = await shift.reads(21, GT_101=25, GT_103=5)
        assert "08:00:21 alarm.entered GT-101/HH" in told
        real = shift.alarm("GT-101", "HH")
        assert real is not None
        assert (real.drill, real.value) == (None, 25)
        assert real.incident != marked.incident
        screen = shift.screen()
        assert {alarm.path for alarm in screen.others + screen.standing} == {"works/GT-101/H", "works/GT-101/HH"}
        marks = {alarm.path for alarm in screen.drills[drill.id]}
        assert marks == {f"drill:{drill.id}:works/GT-101/{rule}" for rule in ("H", "HH")}
        assert shift.room.floods.rate(DESK) == 2, "a drill's alarms don't count"
        assert all(alarm.drill is None for alarm in screen.members(STANDING) or ())


async def test_what_belongs_to_a_drill_says_so_and_goes_to_no_machine(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        drill = await shift.starts_drill("leak")
        await with_real_readings(shift, 20, GT_101=5, GT_103=5)
        alarm = shift.register.find(f"drill:{drill.id}:works/GT-101/HH")
        assert alarm is not None
        await shift.does(
            lambda register, now, change: register.acknowledge(alarm.id, "county", "王芳", "", now, change)
        )
        await with_real_readings(shift, 110, GT_101=5, GT_103=5)
        entries = [entry async for entry in shift.ledger.entries()]
        own = {alarm.incident} | {entry.incident for entry in entries if entry.incident}
        about = [entry for entry in entries if entry.alarm or entry.incident in own]
        assert len(about) > 8
        assert [entry.kind for entry in about if drill_of(entry) != drill.id] == []
        webhooks = EntryDeliveries(shift.ledger, [Webhook("county", "http://127.0.0.1:9/", "whsec_c2VjcmV0")], shift)
        assert webhooks.deliveries_for(about, shift.time) == []


async def test_drill_readings_are_none_of_the_site(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        await shift.reads(0, GT_101=5, GT_103=5)
        await shift.starts_drill("leak")
        await shift.drills_for(20)
        index = shift.settings.site.tag_index["works/GT-101"]
        assert shift.engine.latest.value[index] == 5
        stored = [block.value.tolist() for block in shift.spool.recent(0)]
        assert stored == [[5, 5]]
        assert shift.rules_and_register_agree() is False, "the register has what only the drill's rules know"


async def test_it_ends_by_itself_and_withdraws_what_it_raised(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        await shift.reads(0, GT_101=5)
        drill = await shift.starts_drill("leak")
        await shift.drills_for(119)
        silent = shift.register.find(f"drill:{drill.id}:works/GT-103/STALE")
        assert silent is not None, "a detector that falls silent in the drill is stale"
        assert shift.register.find(f"drill:{drill.id}:works/PI-101/STALE") is None, "others were never heard in it"
        await shift.drills_for(3)
        ((second, kind, data),) = shift.of_kind("drill.ended")
        assert (second, kind, data["reason"]) == (120, "drill.ended", "the scenario is over")
        assert not [alarm for alarm in shift.register.active.values() if alarm.drill is not None]
        assert not [each for each in shift.register.incidents.values() if each.drill is not None]
        withdrawn = shift.of_kind("alarm.withdrawn")
        assert {data["drill"] for _, _, data in withdrawn} == {drill.id}
        assert shift.drills.payload(shift.time) is None
        before = len(shift.told)
        body = {"ts": shift.time, "drill": drill.id, "key": shift.drills._key, "values": {"works/GT-101": 99}}
        await shift.gets(Sent("anshao/v1/anshao/drill/data", orjson.dumps(body)))
        assert len(shift.told) == before, "what comes when it is over raises nothing"


async def test_a_restart_in_the_middle_ends_it_with_that_reason(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        await shift.reads(0, GT_101=25)
        await shift.starts_drill("leak")
        await shift.drills_for(20)
        assert any(alarm.drill for alarm in shift.register.active.values())
        await shift.restarts()
        await shift.waits_until(25)
        ((_, _, data),) = shift.of_kind("drill.ended")
        assert "started anew" in data["reason"]
        left = {alarm.path for alarm in shift.register.active.values() if alarm.rule in {"H", "HH"}}
        assert left == {"works/GT-101/H", "works/GT-101/HH"}, "the real alarms stay"
        await shift.starts_drill("leak")


async def test_foreign_readings_on_the_drills_topic_raise_nothing(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        drill = await shift.starts_drill("leak")
        before = len(shift.told)
        for payload in (
            b"",
            b"[]",
            b'{"values": {"works/GT-101": 99}}',
            f'{{"ts": {shift.time}, "drill": {drill.id}, "key": "guess", "values": {{"works/GT-101": 99}}}}'.encode(),
        ):
            await shift.gets(Sent("anshao/v1/anshao/drill/data", payload))
        assert len(shift.told) == before
        await shift.gets(Sent("anshao/v1/anshao/drill/data", b"{}", retain=True))


async def test_one_runs_at_a_time_and_a_person_may_end_it(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        drill = await shift.starts_drill("leak")
        with pytest.raises(Conflict, match="end it first"):
            await shift.starts_drill("leak")
        await shift.does(
            lambda _register, now, change: shift.room.drills.end(drill.id, "county", "赵磊", "", now, change)
        )
        with pytest.raises(NotFound):
            await shift.does(
                lambda _register, now, change: shift.room.drills.end(drill.id, "county", "赵磊", "", now, change)
            )
        await shift.starts_drill("leak")


async def test_the_report_measures_the_response_against_the_plan(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        drill = await shift.starts_drill("leak")
        await shift.drills_for(10)
        alarm = shift.register.find(f"drill:{drill.id}:works/GT-101/H")
        assert alarm is not None
        entered = (alarm.received_at - drill.began_at) / 1000
        await shift.drills_for(10)
        await shift.does(
            lambda register, now, change: register.acknowledge(alarm.id, "county", "王芳", "", now, change)
        )
        incident = alarm.incident
        assert incident is not None
        await shift.does(
            lambda register, now, change: register.casebook.acknowledge(
                incident, Side.DESK, "county", "王芳", "", now, change
            )
        )
        await shift.drills_for(110)
        found = await report.find(shift.ledger.engine, drill.id)
        assert found is not None
        made = await report.report(shift.ledger.engine, found)
        assert [(each["result"], each["took_s"]) for each in made["expected"]] == [
            ("met", 20 - entered),
            ("late", 20 - entered),
            ("missing", None),
            ("missing", None),
        ]
        assert made["met"] == 1
        assert made["seconds"] == 120
        (told,) = made["incidents"]
        assert (told["unit"], told["acknowledged_s"]) == ("tankfarm", 20 - entered)
        assert [each["rule"] for each in made["alarms"] if each["tag"] == "GT-101"] == ["H", "HH"]


async def test_another_configuration_while_it_is_prepared_lets_it_not_begin(tmp_path: Path) -> None:
    """Its rules would be found by their places in the old site."""
    async with duty(prepare(tmp_path), SITE) as shift:
        settings, site, plain = shift.settings, copy.copy(shift.settings.site), shift.does

        async def late(act: Any) -> Any:
            await plain(lambda reg, now, change: reg.reconfigure(site, settings.grading_table, now, change))
            return await plain(act)

        shift.does = late  # type: ignore[method-assign]
        with pytest.raises(Conflict, match="begin it again"):
            await shift.starts_drill("leak")
        assert shift.room.drills.running is None


async def test_another_configuration_ends_it_and_desks_follow(tmp_path: Path) -> None:
    async with duty(prepare(tmp_path), SITE) as shift:
        await shift.reads(0, GT_101=25)
        await shift.starts_drill("leak")
        await shift.drills_for(20)
        assert shift.room.floods.rate(DESK) >= 2
        night = Desk("night", "夜班", ("370000",))
        site = shift.settings.site
        await shift.does(lambda _register, now, change: shift.room.reconfigure(site, [night], now, change))
        ((_, _, data),) = shift.of_kind("drill.ended")
        assert data["reason"] == "another configuration was applied"
        assert shift.drills.payload(shift.time + 1_000) is None
        assert [desk.id for desk in shift.room.desks] == ["night"]
        assert shift.room.floods.rate("night") >= 2, "what was counted is counted for the new desks"
        assert shift.screen("night").standing or shift.screen("night").others
        with pytest.raises(NotFound):
            shift.screen(DESK)
        await shift.restarts()
        await shift.waits_until(30)
