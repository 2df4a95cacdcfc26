"""The life cycle against a table of its own, read from ISA-18.2-2016 figure 2 and IEC 62682."""

import re
from itertools import product
from pathlib import Path

import pytest

from alerting.alarms import lifecycle
from alerting.alarms.lifecycle import AlarmEvent, step
from domain.scales import AlarmState

# What the standard calls A normal, B unacknowledged alarm, C acknowledged alarm, D returned to normal unacknowledged,
# and the two latched states that it describes beside the figure. A dot: nothing happens.
STANDARD = """
                          enters          leaves                   leaves_latching         leaves_suppressed  acknowledge           reset                    re_alarm        annunciate
normal                    unacknowledged  .                        .                       .                  .                     .                        .               .
unacknowledged            .               returned_unacknowledged  latched_unacknowledged  normal             acknowledged          .                        .               unacknowledged
acknowledged              .               normal                   latched_acknowledged    normal             .                     .                        unacknowledged  unacknowledged
returned_unacknowledged   unacknowledged  .                        .                       .                  normal                .                        .               .
latched_unacknowledged    unacknowledged  .                        .                       .                  latched_acknowledged  returned_unacknowledged  .               .
latched_acknowledged      unacknowledged  .                        .                       .                  .                     normal                   .               .
"""  # noqa: E501 - a table
HEAD, *ROWS = [line.split() for line in STANDARD.strip().splitlines()]
CELLS = [(row[0], event, target) for row in ROWS for event, target in zip(HEAD, row[1:], strict=True)]


@pytest.mark.parametrize(("state", "event", "target"), CELLS)
def test_cell(state: str, event: str, target: str) -> None:
    found = step(AlarmState(state), AlarmEvent(event))
    assert found == (None if target == "." else AlarmState(target))


def test_the_table_above_names_every_state_and_every_event() -> None:
    assert [row[0] for row in ROWS] == [state.value for state in AlarmState]
    assert [event.value for event in AlarmEvent] == HEAD
    assert len(CELLS) == 48


def test_the_documented_table_is_the_one_in_force() -> None:
    lines = [line for line in (lifecycle.__doc__ or "").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    events = [re.sub("[^a-z]+", "_", name) for name in rows[0][1:]]
    documented = {(row[0], event): cell for row in rows[2:] for event, cell in zip(events, row[1:], strict=True)}
    assert documented == {(state, event): target.strip(".") for state, event, target in CELLS}


def test_the_table_and_the_diagram_of_the_guide_are_the_ones_in_force() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "alarms.md").read_text(encoding="utf-8")
    head, _, *lines = [line for line in guide.split("## Suppression")[0].splitlines() if line.startswith("|")]
    events = re.findall("`([a-z_]+)`", head)
    shown: dict[tuple[str, str], str] = {}
    for line in lines:
        state, *cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        shown |= {(state, event): cell for event, cell in zip(events, cells, strict=True) if cell}
    assert shown == {(state, event): target for state, event, target in CELLS if target != "."}
    arrows = re.findall(r"^ +([a-z_]+) --> ([a-z_]+): (.+)$", guide, re.MULTILINE)
    drawn = {(state, event): target for state, target, events in arrows for event in events.split(", ")}
    assert drawn == shown


def test_whatever_happens_the_state_says_whether_the_condition_is_in() -> None:
    inside = {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}
    for leaving in (AlarmEvent.LEAVES, AlarmEvent.LEAVES_LATCHING):
        events = (AlarmEvent.ENTERS, leaving, AlarmEvent.ACKNOWLEDGE, AlarmEvent.RESET)
        for story in product(events, repeat=6):
            state, condition = AlarmState.NORMAL, False
            for event in story:
                state = step(state, event) or state
                if event in {AlarmEvent.ENTERS, leaving}:
                    condition = event is AlarmEvent.ENTERS
                assert (state in inside) is condition, story


def test_nothing_but_a_person_ends_an_alarm_that_nobody_has_acknowledged() -> None:
    unacknowledged = {
        AlarmState.UNACKNOWLEDGED,
        AlarmState.RETURNED_UNACKNOWLEDGED,
        AlarmState.LATCHED_UNACKNOWLEDGED,
    }
    assert step(AlarmState.UNACKNOWLEDGED, AlarmEvent.LEAVES_SUPPRESSED) is AlarmState.NORMAL  # nobody was told
    for state, event in product(unacknowledged, (AlarmEvent.ENTERS, AlarmEvent.LEAVES, AlarmEvent.LEAVES_LATCHING)):
        assert (step(state, event) or state) in unacknowledged
    for state in unacknowledged:
        assert step(state, AlarmEvent.RESET) is not AlarmState.NORMAL


def test_entering_again_always_asks_for_a_new_acknowledgement() -> None:
    for state in AlarmState:
        assert step(state, AlarmEvent.ENTERS) in {None, AlarmState.UNACKNOWLEDGED}
