"""Rows judged by the live rules: when T2 and SPE, or limits, would have been in."""

from collections.abc import Sequence

import numpy as np

from domain.components import ComponentModel
from domain.samples import Bool, Float64, Int64, SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import Rule, RuleExtra, RuleTable
from rules.engine import RuleEngine, TagColumns

_ROWS = 512
"""Rows in a block."""


def warnings_of(model: ComponentModel, consecutive: int = 3, deadband: float = 0.1) -> list[Rule]:
    """T2 and SPE of a model, as a unit's rules have them by default; its tags are 0 to n - 1, the unit's own is n."""
    count = len(model.names)
    extra = RuleExtra(inputs=tuple(range(count)), model=model)
    delay = (consecutive - 1) * model.period
    return [
        Rule(count, kind.name, kind, Level.H, limit, deadband * limit, delay, extra=extra)
        for kind, limit in ((RuleKind.T2, model.t2_limit), (RuleKind.SPE, model.spe_limit))
    ]


def times_in(rules: Sequence[Rule], time: Int64, value: Float64, period: int) -> list[Bool]:
    """For each rule, the rows at which its condition was in.

    ``time`` ms, r; ``value`` r x n, the readings of the rules' tags 0 to n - 1 that came at each instant.
    """
    rows, count = value.shape
    table = RuleTable.build(rules, count + 1)
    columns = TagColumns(np.full(count + 1, period, dtype=np.int64), np.zeros(count + 1, dtype=np.bool_))
    engine = RuleEngine(table, columns, 600_000, 5_000)
    inside = [np.zeros(rows, dtype=np.bool_) for _ in rules]
    place = {rule.key: index for index, rule in enumerate(rules)}
    for begin in range(0, rows, _ROWS):
        part = value[begin : begin + _ROWS]
        at = np.repeat(time[begin : begin + _ROWS], count)
        block = SampleBlock(
            np.tile(np.arange(count, dtype=np.int32), len(part)),
            at,
            at,
            part.ravel(),
            np.where(np.isnan(part.ravel()), np.uint8(Quality.BAD), np.uint8(Quality.GOOD)),
            np.zeros(part.size, dtype=np.uint8),
        )
        for transition in engine.evaluate(block):
            row = int(np.searchsorted(time, transition.source_time))
            inside[place[table.key[transition.rule]]][row:] = transition.entered
    return inside
