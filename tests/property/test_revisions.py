"""Whatever a revision changes, what it does not change goes on as if there had been none: timers, alarms, samples."""

import asyncio
import copy
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenarios.revising import Revising, Site, tag_of, units_of
from tests.scenarios.shift import SITE, Shift, message, on_duty

KEPT = ("PI-101", "GT-101")
"""Tags that no revision touches; PI-101 has delays."""
GAS = st.sampled_from([1.0, 9.6, 15.0, 19.6, 25.0])
PRESSURE = st.sampled_from([100.0, 196.0, 210.0])
EDITS = st.sampled_from(["limit", "first", "last", "away", "back", "unit"])
STEP = st.one_of(
    st.tuples(st.just("reads"), GAS, PRESSURE, GAS),
    st.tuples(st.just("revises"), EDITS),
    st.tuples(st.just("waits"), st.sampled_from([1, 4, 20])),
)


def edited(site: Site, edit: str, number: int) -> None:
    """One edit, which leaves ``KEPT`` alone."""
    units = units_of(site)
    first = units[0]["tags"]
    template = next(tag for tag in SITE["enterprises"][0]["units"][0]["tags"] if tag["tag"] == "GT-103")
    present = any(tag["tag"] == "GT-103" for tag in first)
    if edit == "limit" and present:
        tag_of(site, "GT-103")["limits"]["H"]["setpoint"] = 10 + number % 5
    elif edit == "first":
        first.insert(0, {**copy.deepcopy(template), "tag": f"A-{number}"})
    elif edit == "last":
        first.append({**copy.deepcopy(template), "tag": f"Z-{number}"})
    elif edit == "away" and present:
        first.remove(tag_of(site, "GT-103"))
    elif edit == "back" and not present:
        first.append(copy.deepcopy(template))
    elif edit == "unit":
        tag = {**copy.deepcopy(template), "tag": f"U-{number}"}
        units.insert(0, {"id": f"unit{number}", "name": "新装置", "tags": [tag]})


async def run(folder: Path, script: list[tuple[Any, ...]], *, revising: bool) -> tuple[Any, ...]:
    """What the script makes of the tags that no revision touches: transitions, states, samples."""
    async with on_duty(folder) as shift:
        desk = Revising(shift, SITE)
        second = 0
        for number, step in enumerate(script):
            if step[0] == "reads":
                second += 1
                values = {"GT_101": step[1], "PI_101": step[2]}
                if any(tag["tag"] == "GT-103" for unit in units_of(desk.site) for tag in unit["tags"]):
                    values["GT_103"] = step[3]
                await shift.gets(message(second, **values), at=second)
            elif step[0] == "waits":
                second += step[1]
                await shift.waits_until(second)
            elif revising:
                await desk.revises(partial(edited, edit=step[1], number=number))
                assert shift.rules_and_register_agree()
        stored = Counter(stored_of(shift))
        states = {alarm.path: (alarm.state, alarm.entered_at, alarm.acknowledged_by) for alarm in kept_alarms(shift)}
        return [line for line in shift.transitions if line[1].split("/")[0] in KEPT], states, stored


def kept_alarms(shift: Shift) -> list[Any]:
    return [alarm for alarm in shift.register.active.values() if alarm.tag in KEPT]


def stored_of(shift: Shift) -> list[tuple[str, int, float]]:
    """Every sample of the tags kept, as the forwarder would send it."""
    stored = []
    position = None
    while batch := shift.spool.read(1000, position):
        block = batch.block
        for tag, at, value in zip(block.tag.tolist(), block.source_time.tolist(), block.value.tolist(), strict=True):
            if batch.paths[tag].removeprefix("works/") in KEPT:
                stored.append((batch.paths[tag], at, value))
        position = batch.position
    return stored


@settings(max_examples=12)
@given(st.lists(STEP, min_size=3, max_size=25))
def test_what_a_revision_does_not_change_goes_on(script: list[tuple[Any, ...]]) -> None:
    async def both() -> None:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            plain = await run(Path(one), script, revising=False)
            assert await run(Path(other), script, revising=True) == plain

    asyncio.run(both())
