"""The life cycle of an alarm, after ISA-18.2-2016 figure 2 / IEC 62682, as one table.

| state                    | enters                   | leaves                   | leaves, latching         | leaves, suppressed       | acknowledge              | reset                    | re-alarm                 | annunciate               |
|--------------------------|--------------------------|--------------------------|--------------------------|--------------------------|--------------------------|--------------------------|--------------------------|--------------------------|
| normal                   | unacknowledged           |                          |                          |                          |                          |                          |                          |                          |
| unacknowledged           |                          | returned_unacknowledged  | latched_unacknowledged   | normal                   | acknowledged             |                          |                          | unacknowledged           |
| acknowledged             |                          | normal                   | latched_acknowledged     | normal                   |                          |                          | unacknowledged           | unacknowledged           |
| returned_unacknowledged  | unacknowledged           |                          |                          |                          | normal                   |                          |                          |                          |
| latched_unacknowledged   | unacknowledged           |                          |                          |                          | latched_acknowledged     | returned_unacknowledged  |                          |                          |
| latched_acknowledged     | unacknowledged           |                          |                          |                          |                          | normal                   |                          |                          |

An empty cell: the event changes nothing. Suppression (shelved, suppressed by design, out of service) is laid over the
state and is no part of it: the state goes on beneath. A condition that leaves while it is suppressed has been announced
to nobody, so nobody has to acknowledge it; a latch holds all the same. ``annunciate``: a suppression ends and the
condition is in. ``re-alarm``: an acknowledged alarm has been in for so long that it is announced anew.
"""  # noqa: E501 - a table

from enum import StrEnum

from domain.scales import AlarmState


class AlarmEvent(StrEnum):
    """What can happen to an alarm."""

    ENTERS = "enters"
    LEAVES = "leaves"
    LEAVES_LATCHING = "leaves_latching"
    LEAVES_SUPPRESSED = "leaves_suppressed"
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    RE_ALARM = "re_alarm"
    ANNUNCIATE = "annunciate"


_S, _E = AlarmState, AlarmEvent

TABLE: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (_S.NORMAL, _E.ENTERS): _S.UNACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.LEAVES): _S.RETURNED_UNACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.LEAVES_LATCHING): _S.LATCHED_UNACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.LEAVES_SUPPRESSED): _S.NORMAL,
    (_S.UNACKNOWLEDGED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _E.ANNUNCIATE): _S.UNACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.LEAVES): _S.NORMAL,
    (_S.ACKNOWLEDGED, _E.LEAVES_LATCHING): _S.LATCHED_ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.LEAVES_SUPPRESSED): _S.NORMAL,
    (_S.ACKNOWLEDGED, _E.RE_ALARM): _S.UNACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.ANNUNCIATE): _S.UNACKNOWLEDGED,
    (_S.RETURNED_UNACKNOWLEDGED, _E.ENTERS): _S.UNACKNOWLEDGED,
    (_S.RETURNED_UNACKNOWLEDGED, _E.ACKNOWLEDGE): _S.NORMAL,
    (_S.LATCHED_UNACKNOWLEDGED, _E.ENTERS): _S.UNACKNOWLEDGED,
    (_S.LATCHED_UNACKNOWLEDGED, _E.ACKNOWLEDGE): _S.LATCHED_ACKNOWLEDGED,
    (_S.LATCHED_UNACKNOWLEDGED, _E.RESET): _S.RETURNED_UNACKNOWLEDGED,
    (_S.LATCHED_ACKNOWLEDGED, _E.ENTERS): _S.UNACKNOWLEDGED,
    (_S.LATCHED_ACKNOWLEDGED, _E.RESET): _S.NORMAL,
}


def step(state: AlarmState, event: AlarmEvent) -> AlarmState | None:
    """State after the event; None where the event changes nothing."""
    return TABLE.get((state, event))
