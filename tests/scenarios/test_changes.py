"""A change of a rule from its proposal into force and back, while alarms stand and delays are under way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from alerting.refusals import Conflict, NotFound
from domain.samples import SampleBlock
from domain.scales import AlarmState
from domain.transitions import Transition
from service.changes import queries
from service.changes.book import ChangeBook
from service.changes.edits import EditRefused
from service.changes.shadow import Shadows
from service.config.tuned import Figures
from service.receipts import Answers
from tests.scenarios.changing import DAY, ChangingShift, Inbox, changing
from tests.scenarios.shift import SITE, message, ms

HOUR = 3_600


@pytest.fixture
async def shift(tmp_path: Path) -> AsyncIterator[ChangingShift]:
    async with changing(tmp_path, SITE) as shift:
        yield shift


def two_days() -> tuple[np.ndarray, np.ndarray]:
    """H2S of two days, a reading every 10 s: 11 for half a minute each hour, and two leaks of 30 for ten minutes."""
    seconds = np.arange(-2 * 24 * HOUR, 0, 10)
    values = np.full(len(seconds), 4.0)
    values[seconds % HOUR < 30] = 11.0
    for leak in (-30 * HOUR - 1_800, -10 * HOUR - 1_800):
        values[(seconds >= leak) & (seconds < leak + 600)] = 30.0
    return seconds, values


async def test_the_whole_path_with_a_restart_after_each_step(shift: ChangingShift) -> None:
    await shift.remembers("GT-101", *two_days())
    await shift.reads(0, GT_101=5, GT_103=25, PI_101=100)
    await shift.acknowledges("GT-103", "H")
    standing = shift.alarm("GT-103", "H")
    assert standing is not None

    known = await shift.proposes(GT_101_H={"setpoint": 12.0})
    identity = known.id
    assert known.loosens
    assert known.rules[0].loosened == ("setpoint",)
    await shift.restarts()

    with pytest.raises(Conflict, match=r"loosens works/GT-101/H.*Backtest it first"):
        await shift.does(shift.control.approve(identity, "张强", "tests", ""))
    known = await shift.backtests(identity)
    assert known.course["backtest"]["counts"] == {
        "before": 50,
        "after": 2,
        "added": 0,
        "removed": 48,
        "earlier": 0,
        "later": 0,
        "longer": 0,
        "shorter": 0,
        "split": 0,
        "merged": 0,
    }
    await shift.restarts()
    result = await queries.result(shift.ledger.engine, identity)
    assert result is not None
    assert len(result["removed"]) == 48
    assert result["after"]["rules"]["works/GT-101/H"]["time_in_ms"] == 2 * 600_000

    with pytest.raises(Conflict, match=r"李工 proposed .* second, different person"):
        await shift.does(shift.control.approve(identity, " 李 工", "tests", ""))
    known = await shift.does(shift.control.approve(identity, "张强", "tests", "看过回测"))
    assert known.state == "approved"
    await shift.restarts()

    await shift.does(shift.control.shadow(identity, HOUR * 1000, "张强", "tests", ""))
    assert "08:00:05 alarm.entered GT-101/H" in await shift.reads(5, GT_101=11, GT_103=25)
    await shift.reads(7, GT_101=13, GT_103=25)
    figures, readings = shift.shadows.figures_of(shift.change(identity))
    assert figures["works/GT-101/H"] == {"shadow": 1, "live": 1, "shadow_in": True, "live_in": True}
    assert readings == 2
    assert not any("shadow" in alarm.path for alarm in shift.register.active.values())
    await shift.restarts()
    await shift.waits_until(8)
    shadow = shift.change(identity).course["shadow"]
    assert (shadow["restarts"], shadow["until"]) == (1, ms(HOUR))

    await shift.reads(10, GT_101=13, GT_103=25, PI_101=210)  # an on-delay of 15 s begins
    await shift.waits_until(15)
    await shift.does(shift.control.apply(identity, "李工", "tests", "", None))
    assert shift.setpoint("GT-101", "H") == 12.0
    assert shift.state("GT-101", "H") == "unacknowledged"  # nothing is cleared by a pen
    found = shift.alarm("GT-103", "H")
    assert found is not None
    assert (found.id, found.state, found.acknowledged_by) == (standing.id, AlarmState.ACKNOWLEDGED, "王芳")
    await shift.restarts()
    assert shift.setpoint("GT-101", "H") == 12.0
    told = await shift.reads(26, GT_101=11, GT_103=25, PI_101=210)
    assert "08:00:26 alarm.entered PI-101/H" in told
    assert ("alarm.entered", "PI-101/H", ms(25)) in shift.transitions
    assert "08:00:26 alarm.returned GT-101/H" in told

    await shift.does(shift.control.rollback(identity, "王芳", "tests", "报警太晚"))
    assert shift.setpoint("GT-101", "H") == 10.0
    assert shift.settings.tuned == ()
    assert "08:00:27 alarm.entered GT-101/H" in await shift.reads(27, GT_101=11, GT_103=25, PI_101=210)
    await shift.restarts()
    assert shift.setpoint("GT-101", "H") == 10.0
    assert shift.state("GT-101", "H") == "unacknowledged"
    found = shift.alarm("GT-103", "H")
    assert found is not None
    assert (found.id, found.state) == (standing.id, AlarmState.ACKNOWLEDGED)
    assert shift.rules_and_register_agree()

    over = await shift.control.find(identity)
    assert over.state == "rolled_back"
    assert await shift.kinds() == [
        "change.proposed",
        "change.backtest_begun",
        "change.backtested",
        "change.approved",
        "change.shadow_began",
        "change.shadow_restarted",
        "change.shadow",
        "change.applied",
        "change.rolled_back",
    ]
    acts = [entry.kind for entry in await queries.history(shift.ledger.engine, identity)]
    assert acts == [kind for kind in await shift.kinds() if kind != "change.shadow"]
    (backtested,) = await shift.entries("change.backtested")
    assert backtested["data"]["digest"] == known.course["backtest"]["digest"]
    revised = [entry["data"]["source"] for entry in await shift.entries("config.revised")]
    assert revised == ["files", "change", "change"]


async def test_a_change_that_tightens_needs_no_backtest(shift: ChangingShift) -> None:
    known = await shift.proposes(GT_101_H={"setpoint": 8.0}, GT_101_HH={"setpoint": 18.0})
    assert not known.loosens
    await shift.does(shift.control.approve(known.id, "张强", "tests", ""))
    await shift.does(shift.control.apply(known.id, "张强", "tests", "", None))
    assert [shift.setpoint("GT-101", key) for key in ("H", "HH")] == [8.0, 18.0]
    (revised, *_) = reversed(await shift.entries("config.revised"))
    assert revised["data"]["changed"]["rule"] == 2


async def test_a_backtest_without_readings_is_no_backtest(shift: ChangingShift) -> None:
    known = await shift.proposes(GT_101_H={"on_delay": 5_000})
    await shift.store.start()
    failed = await shift.backtests(known.id)
    assert failed.course["backtest"]["state"] == "failed"
    assert "no readings of works/GT-101" in failed.course["backtest"]["detail"]
    with pytest.raises(Conflict, match="Backtest it first"):
        await shift.does(shift.control.approve(known.id, "张强", "tests", ""))


async def test_a_backtest_in_the_middle_of_a_restart_is_interrupted_and_begun_again(shift: ChangingShift) -> None:
    await shift.remembers("GT-101", *two_days())
    known = await shift.proposes(GT_101_H={"setpoint": 12.0})
    await shift.does(shift.control.backtest(known.id, 2, "李工", "tests"))
    with pytest.raises(Conflict, match="under way"):
        await shift.does(shift.control.backtest(known.id, 2, "李工", "tests"))
    await shift.restarts()
    await shift.waits_until(1)
    backtest = shift.change(known.id).course["backtest"]
    assert (backtest["state"], backtest["ended_at"]) == ("interrupted", ms(1))
    assert "begin it again" in backtest["detail"]
    assert (await shift.backtests(known.id)).state == "backtested"


async def test_a_backtest_that_nobody_is_at_is_ended(shift: ChangingShift) -> None:
    known = await shift.proposes(GT_101_H={"setpoint": 12.0})

    async def lost_and_found() -> None:
        # As where the commit came after its caller had been told that the ledger is away.
        site = shift.settings.site
        await shift.pipeline.act(
            lambda _register, now, change: shift.control.book.begin_backtest(
                known.id, 2, (ms(-100), ms(0)), "李工", "tests", site, now, change
            )
        )
        running = asyncio.create_task(shift.control.run())
        while shift.change(known.id).course["backtest"]["state"] == "running":
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    await shift.does(lost_and_found())
    assert shift.change(known.id).course["backtest"]["state"] == "interrupted"


async def test_a_rejected_change_ends_its_backtest(shift: ChangingShift) -> None:
    await shift.remembers("GT-101", *two_days())
    known = await shift.proposes(GT_101_H={"setpoint": 12.0})

    async def reject_meanwhile() -> None:
        await shift.control.backtest(known.id, 2, "李工", "tests")
        await shift.control.reject(known.id, "张强", "tests", "不同意")
        while shift.control.backtests._tasks:
            await asyncio.sleep(0.01)

    await shift.does(reject_meanwhile())
    over = await shift.control.find(known.id)
    assert (over.state, over.course["backtest"]["state"]) == ("rejected", "interrupted")
    with pytest.raises(Conflict, match="is rejected: nothing is done to it any more"):
        await shift.does(shift.control.approve(known.id, "张强", "tests", ""))
    with pytest.raises(NotFound, match="no change 99999"):
        await shift.does(shift.control.approve(99_999, "张强", "tests", ""))


async def test_only_who_proposed_it_withdraws_it(shift: ChangingShift) -> None:
    known = await shift.proposes(GT_101_H={"setpoint": 8.0})
    with pytest.raises(Conflict, match=r"李工 proposed .* reject it instead"):
        await shift.does(shift.control.withdraw(known.id, "张强", "tests", ""))
    assert (await shift.does(shift.control.withdraw(known.id, "李工", "tests", "写错了"))).state == "withdrawn"


async def test_what_is_due_comes_into_force_after_a_restart_too(shift: ChangingShift) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.apply(known.id, "张强", "tests", "夜班前", ms(60)))
    assert shift.setpoint("GT-101", "H") == 10.0
    await shift.restarts()
    await shift.waits_until(59)
    assert shift.control.book.due(shift.time) == []
    await shift.waits_until(60)

    async def until_live() -> None:
        running = asyncio.create_task(shift.control.run())
        while shift.change(known.id).state != "live":
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    await shift.does(until_live())
    assert shift.setpoint("GT-101", "H") == 8.0
    live = shift.change(known.id).course["live"]
    assert (live["name"], live["comment"], live["at"]) == ("张强", "夜班前", ms(60))
    assert "schedule" not in shift.change(known.id).course


async def test_what_is_due_and_does_not_fit_any_more_is_said(shift: ChangingShift) -> None:
    late = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.apply(late.id, "张强", "tests", "", ms(60)))
    other = await shift.approved(GT_101_H={"setpoint": 9.0})
    await shift.does(shift.control.apply(other.id, "张强", "tests", "", None))
    await shift.waits_until(60)

    async def until_said() -> None:
        running = asyncio.create_task(shift.control.run())
        while "not_applied" not in shift.change(late.id).course:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    await shift.does(until_said())
    said = shift.change(late.id).course["not_applied"]["comment"]
    assert "works/GT-101/H was changed meanwhile (setpoint 10 -> 9" in said
    assert shift.change(late.id).state == "approved"
    assert shift.setpoint("GT-101", "H") == 9.0


@pytest.mark.parametrize("quicker", ["withdrawn", "in force"])
async def test_what_is_due_and_is_done_otherwise_meanwhile_ends_nothing(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch, quicker: str
) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.apply(known.id, "张强", "tests", "", ms(60)))
    await shift.waits_until(60)
    put_in, tried = shift.control._apply, []

    async def late(*given: Any) -> None:
        monkeypatch.setattr(shift.control, "_apply", put_in)
        if quicker == "withdrawn":
            await shift.control.withdraw(known.id, "李工", "tests", "算了")
        else:
            await shift.control.apply(known.id, "王芳", "tests", "等不及", None)
        tried.append(given)
        await put_in(*given)

    monkeypatch.setattr(shift.control, "_apply", late)
    await shift.does(goes_on(shift, lambda: bool(tried) and shift.control.book.due(shift.time) == []))
    assert "change.not_applied" not in await shift.kinds()
    assert shift.setpoint("GT-101", "H") == (10.0 if quicker == "withdrawn" else 8.0)


async def test_a_fault_while_a_change_comes_into_force_is_said_and_ends_nothing(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.apply(known.id, "张强", "tests", "", ms(60)))
    await shift.waits_until(60)
    monkeypatch.setattr(shift.revisions, "revise", lambda *_, **__: 1 // 0)
    await shift.does(goes_on(shift, lambda: "not_applied" in shift.change(known.id).course))
    assert "a fault of the service" in shift.change(known.id).course["not_applied"]["comment"]
    assert shift.setpoint("GT-101", "H") == 10.0


async def goes_on(shift: ChangingShift, until: Callable[[], bool]) -> None:
    """What puts changes in force runs until something is so, and is still running then."""
    running = asyncio.create_task(shift.control.run())
    async with asyncio.timeout(30):
        while not until():
            assert not running.done(), running.exception()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
    assert not running.done(), running.exception()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_roll_back_leaves_what_other_changes_did(shift: ChangingShift) -> None:
    first = await shift.approved(GT_101_H={"setpoint": 8.0})
    second = await shift.approved(GT_103_H={"setpoint": 7.0}, PI_101_H={"on_delay": 5_000})
    for known in (first, second):
        await shift.does(shift.control.apply(known.id, "张强", "tests", "", None))
    await shift.does(shift.control.rollback(first.id, "张强", "tests", "错了"))
    assert [shift.setpoint(tag, "H") for tag in ("GT-101", "GT-103")] == [10.0, 7.0]
    assert {limit.path for limit in shift.settings.tuned} == {"works/GT-103/H", "works/PI-101/H"}
    assert shift.control.book.get(first.id) is None


async def test_a_roll_back_of_what_was_changed_since_is_refused(shift: ChangingShift) -> None:
    first = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.apply(first.id, "张强", "tests", "", None))
    second = await shift.approved(GT_101_H={"setpoint": 7.0})
    await shift.does(shift.control.apply(second.id, "张强", "tests", "", None))
    with pytest.raises(Conflict, match=f"changed since by change {second.id}: roll that one back first"):
        await shift.does(shift.control.rollback(first.id, "张强", "tests", ""))
    await shift.does(shift.control.rollback(second.id, "张强", "tests", "一"))
    assert shift.setpoint("GT-101", "H") == 8.0
    assert shift.settings.tuned[0].change == first.id
    await shift.does(shift.control.rollback(first.id, "张强", "tests", "二"))
    assert (shift.setpoint("GT-101", "H"), shift.settings.tuned) == (10.0, ())


async def test_a_roll_back_gives_the_figures_from_before_also_where_the_site_file_has_others_now(
    shift: ChangingShift,
) -> None:
    known = await shift.approved(PI_101_H={"on_delay": 5_000})
    await shift.does(shift.control.apply(known.id, "张强", "tests", "", None))
    site = shift.main.parent / "site.yaml"
    site.write_text(site.read_text("utf-8").replace("on_delay: 15s", "on_delay: 30s"), "utf-8")
    await shift.restarts()
    row = shift.settings.site.rule_row("works/PI-101/H")
    assert int(shift.settings.site.rules.on_delay[row]) == 5_000, "tuned limits lie over the changed file"
    await shift.does(shift.control.rollback(known.id, "张强", "tests", "太晚"))
    row = shift.settings.site.rule_row("works/PI-101/H")
    assert int(shift.settings.site.rules.on_delay[row]) == 15_000
    assert shift.settings.tuned[0].figures == Figures(on_delay=15_000)


async def test_files_that_do_not_go_with_the_tuned_limits_are_not_taken(shift: ChangingShift) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.apply(known.id, "张强", "tests", "", None))
    site = shift.main.parent / "site.yaml"
    site.write_text(site.read_text("utf-8").replace("tag: GT-101", "tag: GT-102"), "utf-8")
    await shift.restarts()
    assert shift.setpoint("GT-101", "H") == 8.0
    assert "do not go with the files" in shift.revisions.divergence
    assert "no tag 'GT-101'" in shift.revisions.divergence


async def test_a_watch_that_fails_ends_and_harms_nothing(shift: ChangingShift, monkeypatch: pytest.MonkeyPatch) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    engine = shift.shadows._roads[known.id].engine
    monkeypatch.setattr(engine, "evaluate", lambda _block: 1 // 0)
    assert "08:00:01 alarm.entered GT-101/H" in await shift.reads(1, GT_101=11)
    shadow = shift.change(known.id).course["shadow"]
    assert shadow["ended_at"] == ms(1)
    assert "The rules in force are not touched" in shadow["detail"]
    with monkeypatch.context() as broken:
        broken.setattr(type(engine), "take_over", lambda *_: 1 // 0)
        with pytest.raises(Conflict, match="cannot be watched"):
            await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))


async def test_a_watch_that_fails_at_a_start_or_as_a_recording_begins_anew_ends_and_harms_nothing(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    monkeypatch.setattr(shift.shadows._roads[known.id].engine, "begin_anew", lambda _tags: 1 // 0)
    shift.shadows.begin_anew(np.arange(len(shift.settings.site.tags)))
    assert "08:00:01 alarm.entered GT-101/H" in await shift.reads(1, GT_101=11)
    assert shift.change(known.id).course["shadow"]["ended_at"] == ms(1)
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    monkeypatch.setattr(Shadows, "prepare", lambda *_: 1 // 0)
    await shift.restarts()
    assert "08:00:02 alarm.entered GT-103/H" in await shift.reads(2, GT_103=11)
    assert "a fault of the service" in shift.change(known.id).course["shadow"]["detail"]


async def test_a_watch_whose_figures_cannot_be_told_ends_and_alarms_go_on(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    monkeypatch.setattr(shift.control.book, "note_shadow", lambda *_: 1 // 0)
    assert "08:00:01 alarm.entered GT-101/H" in await shift.reads(1, GT_101=11)
    await shift.waits_until(62)
    assert shift.change(known.id).course["shadow"]["detail"].startswith("ended by an error: ZeroDivisionError")
    assert await shift.kinds("change.shadow") == ["change.shadow_began", "change.shadow_ended"]
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    monkeypatch.setattr(shift.control.book, "is_watched", lambda _known: 1 // 0)
    assert "08:01:03 alarm.returned GT-101/H" in await shift.reads(63, GT_101=1)
    assert not shift.shadows._roads


async def test_a_start_goes_on_where_what_was_under_way_cannot_be_ended(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shift.remembers("GT-101", *two_days())
    known = await shift.approved(GT_101_H={"setpoint": 12.0})
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    other = await shift.proposes(GT_103_H={"setpoint": 12.0})
    await shift.does(shift.control.backtest(other.id, 2, "李工", "tests"))
    for name in ("end_backtest", "restart_shadow"):
        monkeypatch.setattr(ChangeBook, name, lambda *_: 1 // 0)
    await shift.restarts()
    assert "08:00:01 alarm.entered GT-101/H" in await shift.reads(1, GT_101=11)


@pytest.mark.parametrize("act", ["approve", "begin_backtest", "applied"])
async def test_an_act_that_fails_is_refused_and_alarms_go_on(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    known = (
        await shift.approved(GT_101_H={"setpoint": 8.0})
        if act == "applied"
        else await shift.proposes(GT_101_H={"setpoint": 8.0})
    )
    monkeypatch.setattr(shift.control.book, act, lambda *_: 1 // 0)
    asked = {
        "approve": lambda: shift.control.approve(known.id, "张强", "tests", ""),
        "begin_backtest": lambda: shift.control.backtest(known.id, 2, "李工", "tests"),
        "applied": lambda: shift.control.apply(known.id, "张强", "tests", "", None),
    }
    with pytest.raises(Conflict, match="a fault of the service; its log has the details"):
        await shift.does(asked[act]())
    assert shift.setpoint("GT-101", "H") == 10.0
    assert "08:00:01 alarm.entered GT-101/H" in await shift.reads(1, GT_101=11)


async def test_while_a_watch_fails_live_alarms_are_raised_journaled_and_pushed(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    applied: list[str] = []

    def fail(_block: SampleBlock) -> list[Transition]:
        applied.append(shift.state("GT-101", "H"))
        raise ValueError("broken")

    monkeypatch.setattr(shift.shadows._roads[known.id].engine, "evaluate", fail)
    wire: Any = Inbox(message(1, GT_101=11), message(2, GT_103=11))
    answers = Answers(wire, shift)
    monkeypatch.setattr(shift.pipeline, "_link", wire)
    monkeypatch.setattr(shift.pipeline, "_answers", answers)
    shift.time = ms(2)
    tasks = [asyncio.create_task(run()) for run in (shift.pipeline.commit, answers.run)]
    async with asyncio.timeout(30):
        await shift.pipeline.intake()
        await shift.pipeline.drain()
        await shift.pipeline.advance()
        await shift.pipeline.drain()
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    entered = [line for line in shift.journal if "alarm.entered" in line]
    assert entered == ["08:00:02 alarm.entered GT-101/H", "08:00:02 alarm.entered GT-103/H"]
    assert applied == ["unacknowledged"], "the commit was under way before the watch saw the reading"
    assert len(wire.acknowledged) == 2
    assert shift.change(known.id).course["shadow"]["detail"].startswith("ended by an error: ValueError")
    (ended,) = await shift.entries("change.shadow_ended")
    assert "its log has the details" in ended["data"]["detail"]


async def test_what_came_too_late_is_in_no_figure_of_a_watch(shift: ChangingShift) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(known.id, 10 * HOUR * 1000, "张强", "tests", ""))
    together = [message(1, GT_101=11), message(HOUR, GT_103=11)]
    told = await shift.gets(*together, at=HOUR)
    assert any("alarm.retrospective GT-101/H" in line for line in told)
    figures, _ = shift.shadows.figures_of(shift.change(known.id))
    assert figures["works/GT-101/H"] == {"shadow": 0, "live": 0, "shadow_in": False, "live_in": False}


async def test_watches_that_take_too_much_time_end_the_slowest_first(
    shift: ChangingShift, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = 0.0
    monkeypatch.setattr(shift.shadows, "_spent", lambda: spent)
    quick, slow = await shift.approved(GT_101_H={"setpoint": 8.0}), await shift.approved(GT_103_H={"setpoint": 8.0})
    for known, seconds in ((quick, 1.0), (slow, 3.5)):
        await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
        engine = shift.shadows._roads[known.id].engine

        def evaluate(
            block: SampleBlock,
            evaluate: Callable[[SampleBlock], list[Transition]] = engine.evaluate,
            seconds: float = seconds,
        ) -> list[Transition]:
            nonlocal spent
            spent += seconds
            return evaluate(block)

        monkeypatch.setattr(engine, "evaluate", evaluate)
    await shift.waits_until(1)
    await shift.reads(2, GT_101=9, GT_103=9)
    await shift.waits_until(70)
    await shift.reads(71, GT_101=1, GT_103=1)  # 4.5 s again, in another minute
    assert [shift.control.book.is_watched(shift.change(known.id)) for known in (quick, slow)] == [True, True]
    await shift.reads(72, GT_101=9, GT_103=9)
    assert [shift.control.book.is_watched(shift.change(known.id)) for known in (quick, slow)] == [True, False]
    detail = shift.change(slow.id).course["shadow"]["detail"]
    assert detail.startswith("the changes in shadow took more than 10% of the time of 60 s, this one the most")
    (ended,) = await shift.entries("change.shadow_ended")
    assert ended["data"]["detail"] == detail
    assert ended["data"]["figures"]["works/GT-103/H"]["shadow"] == 2


async def test_a_change_that_is_withdrawn_as_the_service_starts_stays_withdrawn(shift: ChangingShift) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(known.id, 600_000, "张强", "tests", ""))
    await shift.restarts()
    assert (await shift.does(shift.control.withdraw(known.id, "李工", "tests", ""))).state == "withdrawn"
    assert shift.control.book.get(known.id) is None


async def test_the_watch_in_shadow_ends_with_its_time_and_its_figures(shift: ChangingShift) -> None:
    known = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(known.id, 120_000, "张强", "tests", ""))
    await shift.reads(1, GT_101=9)
    await shift.reads(2, GT_101=1)
    await shift.waits_until(119)
    (noted,) = [entry["data"] for entry in await shift.entries("change.shadow") if entry["kind"] == "change.shadow"]
    assert [(each["path"], each["entered"], each["at"]) for each in noted["transitions"]] == [
        ("works/GT-101/H", True, ms(1)),
        ("works/GT-101/H", False, ms(2)),
    ]
    await shift.waits_until(121)
    shadow = shift.change(known.id).course["shadow"]
    assert (shadow["ended_at"], shadow["detail"]) == (ms(120), "its time is over")
    assert shadow["rules"]["works/GT-101/H"] == {"shadow": 1, "live": 0, "shadow_in": False, "live_in": False}
    assert [kind for kind in await shift.kinds() if "shadow" in kind] == [
        "change.shadow_began",
        "change.shadow",
        "change.shadow_ended",
    ]
    assert shift.alarm("GT-101", "H") is None


async def test_the_watch_goes_on_through_another_change_and_ends_with_its_own_rule(shift: ChangingShift) -> None:
    watched = await shift.approved(GT_101_H={"setpoint": 8.0})
    await shift.does(shift.control.shadow(watched.id, 600_000, "张强", "tests", ""))
    await shift.reads(1, GT_101=9)
    other = await shift.approved(GT_103_H={"setpoint": 9.0})
    await shift.does(shift.control.apply(other.id, "张强", "tests", "", None))
    await shift.reads(2, GT_101=1)
    await shift.reads(3, GT_101=9)
    figures, _ = shift.shadows.figures_of(shift.change(watched.id))
    assert figures["works/GT-101/H"]["shadow"] == 2
    rival = await shift.approved(GT_101_H={"setpoint": 9.5})
    await shift.does(shift.control.apply(rival.id, "张强", "tests", "", None))
    await shift.waits_until(4)
    shadow = shift.change(watched.id).course["shadow"]
    assert shadow["ended_at"] == ms(3)
    assert "works/GT-101/H was changed by another revision" in shadow["detail"]
    with pytest.raises(Conflict, match="was changed meanwhile"):
        await shift.does(shift.control.apply(watched.id, "张强", "tests", "", None))


async def test_a_preview_says_what_would_have_alarmed(shift: ChangingShift) -> None:
    await shift.remembers("GT-101", *two_days())
    result, loosened = await shift.control.preview(
        "works/GT-101", {"H": Figures(on_delay=60_000), "HH": Figures()}, ms(0) - 2 * DAY, ms(0)
    )
    found = orjson.loads(result)
    assert loosened == {"H": ("on_delay",)}
    assert {key: rule["count"] for key, rule in found["before"]["rules"].items()} == {"H": 50, "HH": 2}
    assert {key: rule["count"] for key, rule in found["after"]["rules"].items()} == {"H": 2, "HH": 2}
    counts = {kind: count for kind, count in found["counts"].items() if count}
    assert counts == {"before": 52, "after": 4, "removed": 48, "later": 2}
    assert {item["by_ms"] for item in found["later"]} == {60_000}
    process = shift.control._workshop._benches["preview"]._worker._process
    assert process is not None
    assert Path(f"/proc/{process.pid}/oom_score_adj").read_text("ascii").strip() == "1000", "ended before the service"
    with pytest.raises(EditRefused, match="has no rule 'HHH'"):
        await shift.control.preview("works/GT-101", {"HHH": Figures(setpoint=1.0)}, ms(0) - DAY, ms(0))


async def test_what_a_configuration_would_refuse_is_refused_when_it_is_proposed(shift: ChangingShift) -> None:
    with pytest.raises(EditRefused, match="H 25 is not below HH 20") as refused:
        await shift.proposes(GT_101_H={"setpoint": 25.0})
    assert (refused.value.index, refused.value.field) == (0, "setpoint")
    await shift.proposes(GT_101_H={"setpoint": 25.0}, GT_101_HH={"setpoint": 40.0})
    with pytest.raises(EditRefused, match="is so already"):
        await shift.proposes(GT_101_H={"setpoint": 10.0})
    with pytest.raises(EditRefused, match="has no setpoint that can be tuned"):
        await shift.proposes(GT_101_STALE={"setpoint": 10.0})
