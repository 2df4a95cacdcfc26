"""The reactor pressure of the Tennessee Eastman process against its operating limits, as recorded."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from domain.samples import SampleBlock
from domain.scales import Level, Quality, RuleKind
from domain.site import Rule, RuleTable
from rules.engine import RuleEngine, TagColumns

PERIOD = 180_000
START = 1_767_225_600_000
LIMITS = [Rule(0, "H", RuleKind.HIGH, Level.H, 2895.0), Rule(0, "HH", RuleKind.HIGH, Level.HH, 3000.0)]


def alarms(path: Path, rows_a_block: int) -> list[tuple[str, bool, int]]:
    """Rule, entered, row (from 1) of each transition of the reactor pressure (column 7)."""
    pressure = np.loadtxt(path, usecols=6)
    rows = len(pressure)
    time = START + np.arange(1, rows + 1) * PERIOD
    block = SampleBlock(
        np.zeros(rows, dtype=np.int32),
        time,
        time,
        pressure,
        np.full(rows, Quality.GOOD, dtype=np.uint8),
        np.zeros(rows, dtype=np.uint8),
    )
    engine = RuleEngine(RuleTable.build(LIMITS, 1), TagColumns(np.array([PERIOD]), np.array([False])), 600_000, 5_000)
    found = []
    for begin in range(0, rows, rows_a_block):
        found += engine.evaluate(block.take(slice(begin, begin + rows_a_block)))
    return [(LIMITS[t.rule].key, t.entered, (t.source_time - START) // PERIOD) for t in found]


@pytest.mark.parametrize("rows_a_block", [1, 100, 960])
def test_the_loss_of_a_feed_raises_h_at_row_259_and_hh_at_row_279(
    shared_data: Callable[[str], Path], rows_a_block: int
) -> None:
    assert alarms(shared_data("tep/d06_te.dat"), rows_a_block) == [("H", True, 259), ("HH", True, 279)]


@pytest.mark.parametrize("run", ["d00_te", "d01_te", "d02_te", "d04_te", "d08_te", "d11_te"])
def test_no_other_run_reaches_the_pressure_limits(shared_data: Callable[[str], Path], run: str) -> None:
    assert alarms(shared_data(f"tep/{run}.dat"), 100) == []
