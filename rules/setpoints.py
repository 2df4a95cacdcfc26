"""Where conditions enter and leave: setpoint and deadband, which the mode of operation may change."""

import numpy as np

from domain.samples import Bool, Float64, Int64, UInt8
from domain.site import RuleTable
from rules.conditions import Conditions
from rules.scan import AGAINST, FOR, NEITHER


class Setpoints:
    """The setpoints of one family's conditions.

    ``sign`` turns what a condition looks at, so that more is worse: 1, -1, or 0 for its magnitude. ``mirrored``: the
    setpoints are written as the unturned value, as those of LOW are.
    """

    def __init__(self, rules: RuleTable, conditions: Conditions, sign: Float64, *, mirrored: bool = False) -> None:
        self._conditions = conditions
        self._sign = sign
        self._has_magnitudes = bool((sign == 0).any())
        self._has_limitless = False
        self._factor = sign if mirrored else np.ones(len(sign))
        self.enter = rules.setpoint[conditions.rows] * self._factor
        self.leave = self.enter - rules.deadband[conditions.rows]

    def along(self, condition: int, value: Float64) -> UInt8 | None:
        """FOR, AGAINST or NEITHER of many values of one condition; None if no run of it can begin, or is under way."""
        sign = float(self._sign[condition])
        signed = value if sign == 1.0 else np.abs(value) if sign == 0.0 else -value
        enter, leave, state = self.enter[condition], self.leave[condition], self._conditions.state
        if not state.since[condition]:
            worst = signed.min() if state.inside[condition] else signed.max()
            if (worst >= leave) if state.inside[condition] else (worst < enter):
                return None
        verdict: UInt8 = (signed < leave).view(np.uint8) * np.uint8(AGAINST)
        if enter < np.inf:
            verdict |= (signed >= enter).view(np.uint8)  # FOR is 1, and the deadband lies between
        return verdict

    def signed(self, condition: Int64 | int, value: Float64) -> Float64:
        """Values of conditions, turned so that more is worse."""
        sign = self._sign[condition]
        if not self._has_magnitudes:
            return value * sign
        return np.where(sign == 0, np.abs(value), value * np.where(sign == 0, 1.0, sign))

    def beyond(self, condition: Int64 | int, signed: Float64) -> Bool:
        """At or beyond the setpoint. NaN is not, and nothing is where there is no limit."""
        enter = self.enter[condition]
        beyond: Bool = signed >= enter
        if self._has_limitless:
            beyond &= enter < np.inf
        return beyond

    def back(self, condition: Int64 | int, signed: Float64) -> Bool:
        """Behind the deadband. NaN is not."""
        back: Bool = signed < self.leave[condition]
        return back

    def verdict(self, condition: Int64 | int, signed: Float64) -> UInt8:
        """FOR, AGAINST or NEITHER."""
        beyond, back = self.beyond(condition, signed), self.back(condition, signed)
        return np.where(beyond, np.uint8(FOR), np.where(back, np.uint8(AGAINST), np.uint8(NEITHER)))

    def change(self, condition: Int64, setpoint: Float64, deadband: Float64) -> None:
        """Set other setpoints, NaN for no limit; a run under way goes on where its last value says so still."""
        limitless = np.isnan(setpoint)
        self._has_limitless |= bool(limitless.any())
        limit = np.where(limitless, np.inf, setpoint * self._factor[condition])
        self.enter[condition] = limit
        self.leave[condition] = limit - deadband
        state = self._conditions.state
        signed = self.signed(condition, state.since_value[condition])
        carries = np.where(state.inside[condition], self.back(condition, signed), self.beyond(condition, signed))
        state.since[condition[~carries]] = 0
