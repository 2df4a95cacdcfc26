"""When a change of a rule's figures loosens it: an alarm could come later than before, end earlier, or not come at all.

A condition enters when what is measured has been at or beyond the level of entering for the on-delay, and leaves when
it has been behind the level of leaving for the off-delay. A change does not loosen a rule if and only if all of these
hold; then at every instant at which the old condition is in, the new one is in as well, whatever the readings are:

* the level of entering has not moved away from the normal side: HIGH, RISE, FALL, DEVIATION and a vote of high values
  not up, LOW and a vote of low values not down, the band of STUCK not narrower;
* the level of leaving (setpoint minus deadband; for LOW plus) has not moved towards the entering side: a narrower
  deadband alone ends alarms earlier;
* the on-delay is not longer, the off-delay not shorter;
* the window is the same, or, of STUCK and STALE, shorter: over another window a rate is another one at every instant.

Limits by mode of operation stand in the site file and do not change, but a deadband counts in them too.
"""

from domain.scales import RuleKind
from domain.site import RuleExtra
from service.config.tuned import Figures

_RATES = frozenset({RuleKind.RISE, RuleKind.FALL})
_NOTHING = RuleExtra()


def loosened_by(kind: RuleKind, before: Figures, after: Figures, extra: RuleExtra | None = None) -> tuple[str, ...]:
    """Names of the figures by which the rule is loosened; empty if it is not. Both have all figures of the kind.

    ``deadband`` stands for the level of leaving, where it is not the setpoint that moved it.
    """
    extra = extra or _NOTHING
    found = []
    if _enters_later(kind, before, after, extra):
        found.append("setpoint")
    elif _leaves_earlier(kind, before, after, extra):
        found.append("deadband")
    if (after.on_delay or 0) > (before.on_delay or 0):
        found.append("on_delay")
    if (after.off_delay or 0) < (before.off_delay or 0):
        found.append("off_delay")
    window, was = after.window or 0, before.window or 0
    if window > was or (window != was and kind in _RATES):
        found.append("window")
    return tuple(found)


def _sign(kind: RuleKind, extra: RuleExtra) -> float:
    """Turns a setpoint so that greater enters later."""
    return -1.0 if kind in (RuleKind.LOW, RuleKind.STUCK) or (kind is RuleKind.VOTE and extra.low) else 1.0


def _enters_later(kind: RuleKind, before: Figures, after: Figures, extra: RuleExtra) -> bool:
    sign = _sign(kind, extra)
    return sign * (after.setpoint or 0.0) > sign * (before.setpoint or 0.0)


def _leaves_earlier(kind: RuleKind, before: Figures, after: Figures, extra: RuleExtra) -> bool:
    if before.deadband is None or after.deadband is None:
        return False
    sign = _sign(kind, extra)
    level = sign * (after.setpoint or 0.0) - after.deadband
    was = sign * (before.setpoint or 0.0) - before.deadband
    inherits = any(mode.setpoint is not None and mode.deadband is None for mode in extra.modes)
    return level > was or (inherits and after.deadband < before.deadband)
