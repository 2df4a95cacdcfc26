"""Long streams of many tags: the engine beside the oracle, block by block."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.samples import SampleBlock
from domain.site import Rule, RuleTable
from domain.transitions import Transition
from rules.engine import RuleEngine, TagColumns
from tests.property.oracle import Oracle, by_rule
from tests.property.plants import LATENESS, START, TOLERANCE

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Integers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass
class LongStream:
    """``samples`` readings of ``tags`` tags, most of them of the first; seven tags in ten have a live clock.

    heard: tag of each; received: when, ms, ascending; source: when by the tag's own clock, ms, in any order.
    """

    random: np.random.Generator
    rules: Sequence[Rule]
    tags: int
    samples: int
    table: RuleTable = field(init=False)
    heard: np.ndarray[tuple[int, ...], np.dtype[np.int32]] = field(init=False)
    received: Integers = field(init=False)
    source: Integers = field(init=False)

    def __post_init__(self) -> None:
        random, samples = self.random, self.samples
        self.table = RuleTable.build(self.rules, self.tags)
        live = [bool(flag) for flag in random.random(self.tags) < 0.7]
        self._engine = RuleEngine(self.table, TagColumns(np.full(self.tags, 50), np.array(live)), LATENESS, TOLERANCE)
        rows = [self.table.row(row) for row in range(len(self.table))]
        self._oracle = Oracle(rows, [50] * self.tags, live, TOLERANCE)
        self._engine.await_readings(START)
        self._oracle.await_readings(START)
        self.heard = (random.random(samples) ** 2 * self.tags).astype(np.int32)
        self.received = START + np.cumsum(random.choice([0, 0, 1, 1, 4], samples))
        self.source = self.received - random.choice([0, 0, 0, 0, 1, 3, 40, -150], samples)

    def agreed(self, value: Floats, qualities: Sequence[int], largest_block: int) -> list[Transition]:
        """What the engine finds in these values, in blocks of any size up to the largest; the oracle finds the same."""
        quality = self.random.choice(qualities, self.samples).astype(np.uint8)
        reasons = np.zeros(self.samples, dtype=np.uint8)
        whole = SampleBlock(self.heard, self.source, self.received, value, quality, reasons)
        found: list[Transition] = []
        expected: list[Transition] = []
        begin = 0
        while begin < self.samples:
            end = begin + int(self.random.integers(1, largest_block + 1))
            part = whole.take(slice(begin, end))
            found += self._engine.evaluate(part)
            expected += self._oracle.evaluate(part)
            now = int(part.received_time[-1]) + int(self.random.choice([0, 60]))
            found += self._engine.advance(now)
            expected += self._oracle.advance(now)
            begin = end
        assert by_rule(found) == by_rule(expected)
        return found
