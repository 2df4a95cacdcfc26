"""The configuration changes in a shift: what did not change loses nothing, what is gone is closed with its reason."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from alerting.alarms.register import Register
from alerting.records import Change
from domain.scales import AlarmState
from tests.scenarios.revising import Revising, Site, tag_of, units_of
from tests.scenarios.shift import SITE, Shift, ms, on_duty


@pytest.fixture
async def shift(tmp_path: Path) -> AsyncIterator[Shift]:
    async with on_duty(tmp_path) as shift:
        yield shift


@pytest.fixture
def desk(shift: Shift) -> Revising:
    return Revising(shift, SITE)


def limit(tag: str, level: str, setpoint: float) -> Any:
    """An edit that moves one limit."""

    def edit(site: Site) -> None:
        tag_of(site, tag)["limits"][level]["setpoint"] = setpoint

    return edit


def without(*tags: str) -> Any:
    """An edit that takes tags away."""

    def edit(site: Site) -> None:
        for unit in units_of(site):
            unit["tags"] = [tag for tag in unit["tags"] if tag["tag"] not in tags]

    return edit


def before_all(tag: str) -> Any:
    """An edit that puts a new tag first, so that every index moves."""

    def edit(site: Site) -> None:
        first = units_of(site)[0]["tags"]
        first.insert(0, {**first[0], "tag": tag})

    return edit


async def entries(shift: Shift, kind: str) -> list[dict[str, Any]]:
    """The journal's entries of a kind."""
    return [orjson.loads(entry.body) async for entry in shift.ledger.entries() if entry.kind == kind]


async def test_an_on_delay_under_way_ends_when_it_would_have(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, PI_101=210, GT_101=1, GT_103=1)
    await shift.waits_until(8)
    assert await desk.revises(before_all("GT-100")) == []
    assert await desk.revises(limit("GT-101", "H", 12)) == []
    await shift.reads(9, PI_101=210)
    told = await shift.reads(16, PI_101=210)
    assert [line for line in told if "PI-101" in line] == ["08:00:16 alarm.entered PI-101/H"]
    assert shift.transitions[-1] == ("alarm.entered", "PI-101/H", ms(15))


async def test_an_off_delay_under_way_and_a_rules_state_go_on(shift: Shift, desk: Revising) -> None:
    for second in range(0, 21, 5):
        await shift.reads(second, PI_101=210)
    await shift.reads(30, PI_101=100)
    await shift.reads(32, PI_101=100)
    await desk.revises(before_all("GT-100"))
    await shift.reads(34, PI_101=100)
    assert shift.state("PI-101", "H") == "unacknowledged"
    await shift.reads(35.5, PI_101=100)
    assert shift.transitions[-1] == ("alarm.returned", "PI-101/H", ms(35))


async def test_acknowledgements_stay_and_nothing_is_raised_or_cleared_again(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, GT_101=15, GT_103=25)
    await shift.acknowledges("GT-101", "H")
    alarm = shift.alarm("GT-101", "H")
    assert alarm is not None
    number, incident = alarm.id, shift.incident().id
    assert await desk.revises(before_all("GT-100")) == []
    assert await desk.revises(limit("GT-103", "HH", 22)) == []
    await shift.reads(1, GT_101=15, GT_103=25)
    found = shift.alarm("GT-101", "H")
    assert found is not None
    assert (found.id, found.state, found.acknowledged_by) == (number, AlarmState.ACKNOWLEDGED, "王芳")
    assert shift.incident().id == incident
    assert shift.rules_and_register_agree()
    assert [line for line in await shift.reads(2, GT_101=1) if "GT-101/H" in line] == [
        "08:00:02 alarm.returned GT-101/H"
    ]


async def test_a_changed_limit_counts_from_the_next_reading(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, GT_101=15, GT_103=1)
    assert await desk.revises(limit("GT-101", "H", 18)) == []
    assert shift.state("GT-101", "H") == "unacknowledged"  # no reading has shown that it is over
    assert shift.rules_and_register_agree()
    assert "08:00:01 alarm.returned GT-101/H" in await shift.reads(1, GT_101=15)
    await desk.revises(limit("GT-101", "H", 12))
    told = await shift.reads(2, GT_101=15)
    assert "08:00:02 alarm.entered GT-101/H" in told
    entered = (await entries(shift, "alarm.entered"))[-1]
    assert (entered["data"]["setpoint"], entered["data"]["rule_version"]) == (12, 3)


async def test_a_tag_that_goes_while_in_alarm_is_closed_with_that_reason(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, GT_101=25, GT_103=15)
    told = await desk.revises(without("GT-101"))
    assert sorted(line for line in told if "withdrawn" in line) == [
        "08:00:00 alarm.withdrawn GT-101/H",
        "08:00:00 alarm.withdrawn GT-101/HH",
    ]
    assert all("removed" in entry["data"]["reason"] for entry in await entries(shift, "alarm.withdrawn"))
    assert shift.alarm("GT-101", "HH") is None
    assert shift.state("GT-103", "H") == "unacknowledged"
    assert shift.rules_and_register_agree()
    # Its readings are refused with their reason from now on, those of the others count.
    assert "08:00:01 alarm.returned GT-103/H" in await shift.reads(1, GT_101=25, GT_103=1)


async def test_a_rule_that_goes_while_in_alarm_is_closed_with_that_reason(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, GT_101=25)

    def edit(site: Site) -> None:
        tag_of(site, "GT-101")["limits"]["HH"] = "off"

    assert "08:00:00 alarm.withdrawn GT-101/HH" in await desk.revises(edit)
    assert shift.state("GT-101", "H") == "unacknowledged"


async def test_a_new_tag_is_evaluated_and_its_silence_counts_from_its_coming(shift: Shift, desk: Revising) -> None:
    for second in range(60):
        await shift.reads(second, GT_101=1, GT_103=1)
    await desk.revises(before_all("GT-100"))
    told = await shift.waits_until(61.5)
    assert not [line for line in told if "GT-100" in line]
    assert "08:01:02 alarm.entered GT-100/H" in await shift.reads(62, GT_100=15, GT_101=1, GT_103=1)


async def test_silence_under_way_goes_on(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, GT_101=1, GT_103=1)
    await shift.waits_until(2)
    await desk.revises(before_all("GT-100"))
    told = await shift.waits_until(4)
    assert [line.split()[2] for line in told if "STALE" in line][:2] == ["GT-101/STALE", "GT-103/STALE"]
    assert not [line for line in told if "GT-100" in line]


async def test_a_gateway_that_is_lost_stays_lost_and_one_that_goes_is_closed(shift: Shift, desk: Revising) -> None:
    from tests.scenarios.shift import status  # noqa: PLC0415

    await shift.gets(status(online=False), at=0)
    assert shift.state("@gw1", "LINK") == "unacknowledged"
    await desk.revises(before_all("GT-100"))
    assert shift.state("@gw1", "LINK") == "unacknowledged"
    assert "08:00:01 alarm.returned @gw1/LINK" in await shift.reads(1, GT_101=1)


async def test_samples_before_and_after_are_stored_by_their_own_lists(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, GT_101=1, GT_103=2, PI_101=3)
    await desk.revises(before_all("GT-100"))
    await shift.reads(1, GT_100=4, GT_101=5, GT_103=6, PI_101=7)
    await desk.revises(without("GT-100", "GT-103"))
    await shift.reads(2, GT_101=8, PI_101=9)
    stored: list[tuple[str, int, float]] = []
    while batch := shift.spool.read(1000):
        block = batch.block
        for tag, at, value in zip(block.tag.tolist(), block.source_time.tolist(), block.value.tolist(), strict=True):
            stored.append((batch.paths[tag].removeprefix("works/"), at, value))
        shift.spool.advance(batch.position)
    assert sorted(stored) == [
        ("GT-100", ms(1), 4.0),
        ("GT-101", ms(0), 1.0),
        ("GT-101", ms(1), 5.0),
        ("GT-101", ms(2), 8.0),
        ("GT-103", ms(0), 2.0),
        ("GT-103", ms(1), 6.0),
        ("PI-101", ms(0), 3.0),
        ("PI-101", ms(1), 7.0),
        ("PI-101", ms(2), 9.0),
    ]


async def test_after_a_crash_the_new_revision_goes_on_from_the_old_ones_readings(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, PI_101=210, GT_101=15, GT_103=1)
    await desk.revises(before_all("GT-100"))
    await shift.reads(8, PI_101=210, GT_101=15)
    await shift.restarts()
    assert shift.state("GT-101", "H") == "unacknowledged"
    await shift.reads(16, PI_101=210)
    assert shift.transitions[-1] == ("alarm.entered", "PI-101/H", ms(15))


async def test_what_is_refused_before_the_swap_changes_nothing(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, PI_101=210)
    made = desk.prepares(without("PI-101"))
    assert made.settings.site is not shift.settings.site
    # It is never applied: the spool's prepared list does no harm.
    for second in (8, 16):
        await shift.reads(second, PI_101=210)
    assert shift.transitions == [("alarm.entered", "PI-101/H", ms(15))]
    await shift.restarts()
    assert shift.state("PI-101", "H") == "unacknowledged"


async def test_an_act_that_waits_is_done_by_the_new_order(shift: Shift, desk: Revising) -> None:
    await shift.reads(0, GT_101=15, GT_103=15)
    gone, stays = shift.alarm("GT-101", "H"), shift.alarm("GT-103", "H")
    assert gone is not None
    assert stays is not None
    await desk.revises(without("GT-101"))
    change = Change()
    register: Register = shift.register
    assert register.find("works/GT-101/H") is None
    register.acknowledge(stays.id, "county", "王芳", "", shift.time, change)
    assert change.alarms[stays.id].state is AlarmState.ACKNOWLEDGED
    await shift.ledger.commit(change)
