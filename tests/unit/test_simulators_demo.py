"""The simulated plants: reproducible, physically sane, in step with their site file, and quiet but for the leak."""

import numpy as np
import pytest

from domain.samples import Float64, SampleBlock
from domain.scales import Quality, RuleKind
from domain.site import SERVICE_ENTERPRISE, Rule, Site
from rules.engine import RuleEngine, TagColumns
from rules.expressions import programs_of
from service.config import check, load, load_site
from simulators.batch_plant import BatchPlant, Phase
from simulators.coal_mine import CoalMine
from simulators.demo import CONFIGURATION, SEED, Demo
from simulators.gas import Leak, Place, Plume
from simulators.instruments import Instruments, Point
from simulators.tank_farm import FLANGE_LEAK, TankFarm

SITE = CONFIGURATION.parent / "site.yaml"
BEGIN = 1_767_225_600_000


def watched(site: Site) -> dict[tuple[str, str], int]:
    """Indices of the simulated enterprises' own tags."""
    return {
        (tag.enterprise, tag.name): index
        for index, tag in enumerate(site.tags)
        if tag.enterprise != SERVICE_ENTERPRISE and not tag.system
    }


def limits(site: Site, tag: int) -> list[Rule]:
    rules = [site.rules.row(index) for index in site.rules.of_tag(tag)]
    return [rule for rule in rules if rule.kind in {RuleKind.HIGH, RuleKind.LOW}]


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site([SITE])


def run(demo: Demo, seconds: int, dt: float = 1.0) -> tuple[list[tuple[str, str]], Float64]:
    rows = []
    names: list[tuple[str, str]] = []
    for _ in range(int(seconds / dt)):
        read = demo.advance(dt)
        names = names or [(r.enterprise, tag) for r in read for tag in r.values]
        rows.append([value for r in read for value in r.values.values()])
    return names, np.array(rows)


def test_the_site_describes_exactly_the_simulated_tags(site: Site) -> None:
    described = {name: site.tags[index].gateway for name, index in watched(site).items()}
    assert described == {(enterprise, point.tag): point.gateway for enterprise, point in Demo().points}
    assert len(described) >= 200
    assert all(site.tags[index].period == 1000 for index in watched(site).values())


def test_the_configuration_is_sound_and_stays_on_this_machine() -> None:
    assert check([CONFIGURATION], {}) == []
    settings = load(CONFIGURATION, {})
    assert settings.console.host == "127.0.0.1"
    assert settings.broker.embedded
    assert settings.historian.kind == "duckdb"


def test_the_same_seed_gives_the_same_readings_and_another_seed_others() -> None:
    _, first = run(Demo(3), 30)
    _, again = run(Demo(3), 30)
    _, other = run(Demo(4), 30)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_the_leak_grows_over_both_levels_at_two_detectors_and_recovers(seed: int) -> None:
    names, readings = run(Demo(seed), 330)
    first = readings[:, names.index(("huarui", "GT-101"))]
    second = readings[:, names.index(("huarui", "GT-103"))]

    def entered(values: Float64, limit: float) -> int:
        return int(np.argmax(values >= limit)) + 1

    def left(values: Float64, limit: float) -> int:
        return len(values) - int(np.argmax(values[::-1] >= limit))

    assert first[:10].max() < 2.0
    assert 15 <= entered(first, 10.0) <= 25
    assert 25 <= entered(first, 20.0) <= 40
    assert 28 <= entered(second, 10.0) <= 45
    assert (60 <= entered(second, 20.0) <= 80) if seed == SEED else (45 <= entered(second, 20.0) <= 95)
    assert max(first.max(), second.max()) < 100.0
    assert 180 <= left(first, 9.0) <= 285
    assert left(second, 9.0) <= 285
    for values in (first, second):
        for limit in (10.0, 20.0):
            assert np.count_nonzero(np.diff((values >= limit).astype(int)) == 1) == 1


def test_nothing_but_the_leak_crosses_a_limit_while_it_lasts(site: Site) -> None:
    names, readings = run(Demo(), 330)
    tags = watched(site)
    crossed = {
        name
        for name, column in zip(names, readings.T, strict=True)
        for rule in limits(site, tags[name])
        if (column >= rule.setpoint if rule.kind == RuleKind.HIGH else column <= rule.setpoint).any()
    }
    assert crossed == {("huarui", "GT-101"), ("huarui", "GT-103")}


def test_hours_without_a_leak_stay_inside_limits_and_ranges(site: Site) -> None:
    names, readings = run(Demo(11, leak=None), 2 * 3600, dt=2.0)
    assert np.isfinite(readings).all()
    tags = watched(site)
    for name, low, high in zip(names, readings.min(axis=0), readings.max(axis=0), strict=True):
        tag = site.tags[tags[name]]
        assert tag.low <= low <= high <= tag.high, name
        spread = max(high - low, 1e-6)
        for rule in limits(site, tags[name]):
            margin = rule.setpoint - high if rule.kind == RuleKind.HIGH else low - rule.setpoint
            assert margin > max(0.1 * spread, rule.deadband), (name, rule.key, rule.setpoint, low, high)


def entered(site: Site, demo: Demo, seconds: int, dt: float) -> dict[str, float]:
    """Conditions that enter while the demo runs, by the service's own rules, and after how many seconds first."""
    count = len(site.tags)
    columns = TagColumns(np.array([tag.period for tag in site.tags]), np.ones(count, dtype=np.bool_))
    engine = RuleEngine(site.rules, columns, 600_000, 5_000, programs_of(site), site.selectors)
    tags = watched(site)
    found: dict[str, float] = {}
    for step in range(int(seconds / dt)):
        values = {(read.enterprise, tag): value for read in demo.advance(dt) for tag, value in read.values.items()}
        now = np.full(len(values), BEGIN + round((step + 1) * dt * 1000), dtype=np.int64)
        block = SampleBlock(
            tag=np.array([tags[name] for name in values], dtype=np.int32),
            source_time=now,
            received_time=now,
            value=np.array(list(values.values())),
            quality=np.full(len(values), Quality.GOOD, dtype=np.uint8),
            reason=np.zeros(len(values), dtype=np.uint8),
        )
        for transition in engine.evaluate(block):
            if transition.entered:
                found.setdefault(site.rule_path(transition.rule), (step + 1) * dt)
    return found


def test_the_demos_story_is_the_leak_alone(site: Site) -> None:
    """Votes, expressions, deviations and stuck values of its site are silent as long as nothing is wrong."""
    assert {RuleKind.VOTE, RuleKind.EXPRESSION, RuleKind.DEVIATION, RuleKind.STUCK} <= set(site.rules.kind.tolist())
    found = entered(site, Demo(), 330, 1.0)
    assert set(found) == {f"huarui/GT-{number}/{level}" for number in (101, 103) for level in ("H", "HH")}
    assert 15 <= found["huarui/GT-101/H"] <= 25
    assert 60 <= found["huarui/GT-103/HH"] <= 80
    assert not entered(site, Demo(11, leak=None), 3600, 2.0)


def test_reactors_heat_slower_than_their_rate_limit() -> None:
    plant = BatchPlant(np.random.default_rng(5))
    temperature = np.array([plant.step(2.0)[:6] for _ in range(3600)])
    gained = temperature[30:] - temperature[:-30]
    assert 2.0 < gained.max() < 5.0


def test_tanks_keep_what_flows_in_and_out() -> None:
    farm = TankFarm(np.random.default_rng(1))
    before, net = farm.volume.copy(), np.zeros(12)
    for _ in range(3600):
        farm.step(1.0)
        net += (farm.filling - farm.drawing) / 3600.0
    np.testing.assert_allclose(farm.volume - before, net, atol=1e-6)
    assert ((farm.level > 30.0) & (farm.level < 70.0)).all()


def test_reactors_keep_their_chlorine() -> None:
    plant = BatchPlant(np.random.default_rng(1))
    dosing = (plant.phase == Phase.DOSE).nonzero()[0]
    before = plant.chlorine + plant.product - plant.dosed
    for _ in range(600):
        plant.step(1.0)
    after = plant.chlorine + plant.product - plant.dosed
    np.testing.assert_allclose(after[dosing], before[dosing], atol=1e-6)
    assert (plant.product[dosing] > 500.0).all()


def test_methane_settles_where_ventilation_carries_off_what_is_given_off() -> None:
    mine = CoalMine(np.random.default_rng(1))
    for _ in range(2 * 2400):
        mine.step(1.0)
        settled = mine.intake + mine.released / (mine.SPEED * mine.SECTION) * 100.0
        np.testing.assert_allclose(mine.methane, settled, rtol=0.25)


def test_a_plume_thins_with_distance_and_spares_what_is_upwind() -> None:
    leak = Leak(start=0.0, end=1e9, rate=100.0, initial=1.0, growth=1.0, drying=10.0)
    plume = Plume(leak, [Place(5.0, 0.0), Place(10.0, 0.0), Place(10.0, 3.0), Place(-5.0, 0.0)])
    for second in range(60):
        seen = plume.step(float(second), 1.0, wind=2.0)
    near, far, aside, upwind = seen.tolist()
    assert near > 3.0 * far > 3.0 * aside > 0.0
    assert upwind == 0.0
    assert far == pytest.approx(100.0 / (np.pi * 2.0 * 0.8 * 0.6), rel=0.02)


def test_a_detector_shows_nine_tenths_after_its_t90() -> None:
    point = Point("X", "gw", lag=30.0 / 2.303, decimals=6)
    cell = Instruments([point], np.random.default_rng(0))
    cell.read(np.array([0.0]), 1.0)
    for _ in range(30):
        shown = cell.read(np.array([100.0]), 1.0)
    assert shown[0] == pytest.approx(90.0, abs=0.5)


def test_the_leak_is_closed_before_the_demo_is_three_minutes_old() -> None:
    assert FLANGE_LEAK.escaping(FLANGE_LEAK.start - 1.0) == 0.0
    assert FLANGE_LEAK.escaping(149.0) == FLANGE_LEAK.rate
    assert FLANGE_LEAK.escaping(150.0) == 0.0
