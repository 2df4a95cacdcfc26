"""Playing a scenario: plants, instruments, gateways, and what of it arrives when."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.samples import Float64, Int32, Int64, SampleBlock
from domain.site import Site, Tag
from domain.truth import Truth
from simulators.faults.gateways import Delivered
from simulators.plants import Plant
from simulators.scenarios.binding import Bound, BoundPlant, Coupling, Station, bind
from simulators.scenarios.loading import Scenario

READINGS = 8_000_000
"""Readings in one chunk, about: what memory is held."""
MOST_STEPS = 131_072


@dataclass(frozen=True, slots=True)
class Part:
    """Messages of one gateway in the order of their arrival."""

    station: Station
    delivered: Delivered
    rank: Int64
    """Of each message among those of the gateway that arrived in the same ms."""
    width: int
    """Tags of the whole simulation."""

    @property
    def tags(self) -> Int32:
        """Numbers of the tags, one for each column."""
        return np.arange(self.station.first, self.station.first + len(self.station.tags), dtype=np.int32)

    def column(self, column: int) -> tuple[SampleBlock, Int32]:
        """The readings of one tag, and the place of each among what arrived in the same ms."""
        tag = self.station.first + column
        return self.delivered.column(column, tag), (self.rank * self.width + tag).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What has arrived since the chunk before, of each gateway."""

    parts: Sequence[Part]
    steps: int
    """Readings of each instrument that were made for it."""

    def __len__(self) -> int:
        return sum(len(part.delivered) * len(part.station.tags) for part in self.parts)

    def block(self) -> SampleBlock:
        """All readings in the order of their arrival."""
        parts = [part for part in self.parts if len(part.delivered)]
        block = SampleBlock.concatenate([part.delivered.block(part.tags) for part in parts])
        if len(parts) < 2:  # noqa: PLR2004 - one is in order already
            return block
        place = np.concatenate([np.repeat(part.rank, len(part.tags)) * part.width for part in parts]) + block.tag
        return block.take(np.lexsort((place, block.received_time)))


class Simulation:
    """One run of a scenario on a site. The same scenario, site, seed and copies make the same readings.

    seed: in place of the scenario's own. copies: how often the plants are repeated; what the timeline does after its
    first instant happens to the first of them alone. Raises ScenarioRefused for what does not fit the site.
    """

    def __init__(self, scenario: Scenario, site: Site, *, seed: int | None = None, copies: int = 1) -> None:
        self.scenario = scenario
        self.seed = scenario.file.seed if seed is None else seed
        self._bound: Bound = bind(scenario, site, self.seed, copies)
        self._begun = False

    @property
    def tags(self) -> Sequence[Tag]:
        """All tags; ``tag`` of a block is an index into them. Those of further copies are not tags of the site."""
        return self._bound.tags

    @property
    def stations(self) -> Sequence[Station]:
        """The gateways with their tags."""
        return self._bound.stations

    @property
    def truth(self) -> Truth:
        """What really happens, in ms UTC."""
        return self._bound.truth

    @property
    def begin(self) -> int:
        """The first instant, ms UTC."""
        return self.scenario.file.start

    @property
    def steps(self) -> int:
        """Readings of each instrument."""
        return self.scenario.file.duration // self.scenario.file.period

    @property
    def lost(self) -> Mapping[str, int]:
        """Messages lost up to now by gateway, as faults say."""
        return {station.gateway.name: station.gateway.lost for station in self.stations}

    def chunks(self, steps: int | None = None) -> Iterator[Chunk]:
        """All readings, ``steps`` of each instrument at a time; how many does not change them. Can be asked once."""
        if self._begun:
            raise RuntimeError("a simulation runs once: make another")
        self._begun = True
        width = max(len(self.tags), 1)
        rows = steps or min(max(READINGS // width, 1), MOST_STEPS)
        runner = _Runner(self._bound, self.scenario.file.period)
        ranks = {station.gateway.name: _Rank() for station in self.stations}
        for begin in range(0, self.steps, rows):
            count = min(rows, self.steps - begin)
            times = self.begin + np.arange(begin, begin + count, dtype=np.int64) * self.scenario.file.period
            truth = runner.run(begin, count, width)
            parts = []
            for station in self.stations:
                columns = slice(station.first, station.first + len(station.tags))
                measured = station.instruments.read(times, truth[:, columns])
                delivered = station.gateway.send(times, measured)
                parts.append(Part(station, delivered, ranks[station.gateway.name].of(delivered.received_time), width))
            yield Chunk(parts, count)
        rest = []
        for station in self.stations:
            delivered = station.gateway.finish()
            rest.append(Part(station, delivered, ranks[station.gateway.name].of(delivered.received_time), width))
        yield Chunk(rest, 0)


class _Rank:
    """Numbers messages that arrive in the same ms."""

    def __init__(self) -> None:
        self._last = (-1, -1)

    def of(self, received: Int64) -> Int64:
        count = len(received)
        if not count:
            return np.empty(0, dtype=np.int64)
        number = np.arange(count)
        begins = np.diff(received, prepend=received[0] - 1) != 0
        rank = number - np.maximum.accumulate(np.where(begins, number, 0))
        if received[0] == self._last[0]:
            same = received == received[0]
            rank[: count if same.all() else int(same.argmin())] += self._last[1] + 1
        self._last = int(received[-1]), int(rank[-1])
        return rank


class _Runner:
    """Steps the plants."""

    def __init__(self, bound: Bound, period: int) -> None:
        self._bound = bound
        self._period = period
        self._plants = {plant.id: plant.plant for plant in bound.plants}

    def run(self, begin: int, count: int, width: int) -> Float64:
        """True values (count, tags) of steps that follow those before."""
        truth = np.empty((count, width))
        seconds = self._period / 1000.0
        bound = self._bound
        for row in range(count):
            now = (begin + row) * self._period
            if now:
                for plant in bound.plants:
                    plant.plant.step(seconds)
            bound.timeline.advance(now, self._plants)
            read = {plant.id: plant.plant.read() for plant in bound.plants}
            for coupling in bound.couplings:
                _couple(coupling, read, self._plants[coupling.to])
            _fill(truth[row], bound.plants, read)
        return truth


def _fill(row: Float64, plants: Sequence[BoundPlant], read: Mapping[str, Mapping[str, Float64]]) -> None:
    for plant in plants:
        values = read[plant.id]
        for output, columns in plant.columns:
            row[columns] = values[output]


def _couple(coupling: Coupling, read: Mapping[str, Mapping[str, Float64]], plant: Plant) -> None:
    source = read[coupling.origin][coupling.output].reshape(coupling.copies, -1)
    if coupling.pick is not None:
        source = source[:, coupling.pick : coupling.pick + 1]
    value = source * coupling.factor + coupling.offset
    if coupling.into is None:
        wide = np.broadcast_to(value, (coupling.copies, coupling.count))
        plant.set(coupling.input, wide.reshape(-1))
    else:
        plant.set(coupling.input, value[:, 0], slice(coupling.into, None, coupling.count))
