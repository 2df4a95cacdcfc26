"""Expressions over tags of one enterprise.

Three-valued logic: an input that is bad, stale or was never heard is unknown, and so is what depends on it. Certainly
true is FOR. Certainly false is AGAINST, but only with a good reading, and only by inputs of good quality: an uncertain
reading may raise and not clear. What is neither says nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from domain.samples import Bool, Float64, UInt8
from domain.scales import RuleKind
from domain.site import RuleTable
from rules.inputs import SILENT, Events, Inputs, OverInputs
from rules.scan import AGAINST, FOR


class Program(Protocol):
    """An expression that has been read."""

    def evaluate(self, values: Sequence[Float64]) -> tuple[Bool, Bool]:
        """Where it is certainly true and where certainly false, of columns of equal length, NaN where unknown."""
        ...


class Formulas(OverInputs):
    """All EXPRESSION rules. ``programs``: what each says, by row of the rule table. Raises KeyError if one lacks."""

    def __init__(self, rules: RuleTable, programs: Mapping[int, Program], tag_count: int) -> None:
        rows = np.flatnonzero(rules.kind == RuleKind.EXPRESSION)
        inputs = [rules.extras[row].inputs for row in rows.tolist()]
        self.conditions = Inputs(rules, rows, inputs, tag_count)
        self._programs = [programs[row] for row in rows.tolist()]

    def judge(self, events: Events) -> tuple[UInt8, Float64]:
        """Verdict, and 1 where the expression holds, else 0: rule by rule of those that have events."""
        verdict = np.full(len(events), SILENT, dtype=np.uint8)
        for condition, begin, end in zip(
            events.conditions.tolist(), events.begins.tolist(), events.ends.tolist(), strict=True
        ):
            value, good = self.conditions.rows_of(events, condition, begin, end)
            program = self._programs[condition]
            true, false = program.evaluate(list(value))
            if not good.all():
                _, false = program.evaluate(list(np.where(good, value, np.nan)))
            said = verdict[begin:end]
            said[false & events.good[begin:end] & ~np.isnan(events.value[begin:end])] = AGAINST
            said[true] = FOR
        return verdict, (verdict == FOR).astype(np.float64)
