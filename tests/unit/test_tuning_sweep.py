"""Grids as they are written, sweeps over a small history, and which point is recommended."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.samples import SampleBlock
from domain.scales import Level, RuleKind
from domain.site import ModeLimit, Rule, RuleExtra, Site
from domain.truth import Truth
from service.cli.datasets import Rules
from service.config import load_site
from tests import tuning_case
from tests.running import write_yaml
from tuning.backtest.run import backtest
from tuning.readings.recording import About, RecordedTag, Recording, RecordingWriter
from tuning.reports.documents import sweep_document
from tuning.reports.page import words
from tuning.reports.pages import Cover, sweep_page
from tuning.sweep import Grid, GridError, Point, PointResult, Sweep, sweep
from tuning.sweep.along import TagReadings
from tuning.sweep.choice import choose, front, loosens
from tuning.sweep.grid import PRESENT, Setting

RULE = Rule(0, "H", RuleKind.HIGH, Level.H, 80.0, 2.0, 5_000, 0)


def values(text: str, axis: str = "setpoint") -> list[float]:
    return [setting.value for setting in Grid.parse({axis: text}).axes[axis]]


def test_ranges_and_lists_are_read() -> None:
    assert values("70:90:5") == [70, 75, 80, 85, 90]
    assert values("90:70:-10") == [90, 80, 70]
    assert values("0.1:0.4:0.1") == [0.1, 0.2, 0.3, 0.4]
    assert values("-5,0,1e2") == [-5, 0, 100]
    assert values("70:80:5,80,95") == [70, 75, 80, 95]
    assert values("0s:60s:30s", "on_delay") == [0, 30_000, 60_000]
    assert values("0,1.5min,1h", "off_delay") == [0, 90_000, 3_600_000]


def test_factors_are_of_what_the_rule_has() -> None:
    grid = Grid.parse({"setpoint": "x0.9:1.1:0.1", "on_delay": "x2"})
    made = [point.of(RULE) for point in grid]
    assert [(rule.setpoint, rule.on_delay) for rule in made] == [(72.0, 10_000), (80.0, 10_000), (88.0, 10_000)]
    assert PRESENT.of(RULE) == RULE


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({}, "nothing to sweep"),
        ({"setpoint": "70:90"}, "first:last:step"),
        ({"setpoint": "70:90:-5"}, "nobody gets from 70 to 90"),
        ({"setpoint": "70:90:0"}, "nobody gets"),
        ({"setpoint": "high"}, "'high' is no number"),
        ({"setpoint": "nan"}, "no number that can be compared"),
        ({"on_delay": "15"}, "'15' has no unit"),
        ({"on_delay": "15 parsecs"}, "no length of time"),
        ({"deadband": "-1,2"}, "deadband cannot be negative"),
        ({"window": "0s"}, "longer than nothing"),
        ({"setpoint": "0:1e6:1"}, "points are the most"),
        ({"setpoint": "0:200:1", "deadband": "0:100:1"}, "20,301 points"),
    ],
)
def test_what_makes_no_grid_is_told_with_what_to_write(texts: dict[str, str], told: str) -> None:
    with pytest.raises(GridError, match=told.replace("(", "\\(")):
        Grid.parse(texts)


def test_a_grid_has_to_fit_the_rule() -> None:
    window, both = Grid.parse({"window": "1min"}), Grid.parse({"setpoint": "1", "on_delay": "0s"})
    with pytest.raises(GridError, match="HIGH has no window"):
        window.fits(RULE)
    with pytest.raises(GridError, match="STALE has no setpoint"):
        both.fits(replace(RULE, kind=RuleKind.STALE))
    moded = replace(RULE, extra=RuleExtra(selector=0, modes=(ModeLimit("start", 90.0),)))
    with pytest.raises(GridError, match="mode of operation"):
        both.fits(moded)
    Grid.parse({"on_delay": "0s"}).fits(moded)


def test_loosening_is_told_from_tightening() -> None:
    assert loosens(RULE, replace(RULE, setpoint=81.0))
    assert not loosens(RULE, replace(RULE, setpoint=79.0))
    assert loosens(RULE, replace(RULE, on_delay=6_000))
    assert not loosens(RULE, replace(RULE, deadband=9.0, off_delay=60_000))
    low = replace(RULE, kind=RuleKind.LOW)
    assert loosens(low, replace(low, setpoint=79.0))
    vote = replace(RULE, kind=RuleKind.VOTE, extra=RuleExtra(inputs=(0, 1), needed=1, low=True))
    assert loosens(vote, replace(vote, setpoint=79.0))
    stuck = replace(RULE, kind=RuleKind.STUCK, window=1_000)
    assert loosens(stuck, replace(stuck, window=2_000))
    assert loosens(stuck, replace(stuck, setpoint=1.0))


# ---- the recommended point


def result(
    setpoint: float | None, missed: int, false: int, delay: float | None, lead: int | None = None
) -> PointResult:
    point = PRESENT if setpoint is None else Point(setpoint=Setting(setpoint))
    worst = None if delay is None else int(delay)
    return PointResult(point, false, false, false, false, 2 - missed, missed, delay, worst, lead, 0, 0, 0, 0)


def test_of_the_points_that_miss_nothing_the_one_with_the_fewest_false_alarms_is_taken() -> None:
    points = [result(None, 0, 9, 10), result(70, 0, 5, 20), result(75, 0, 2, 30), result(90, 1, 0, 40)]
    chosen = choose(points, 2, 0, [RULE])
    assert (chosen.point, chosen.reason, chosen.loosened) == (2, "nothing_missed", False)
    assert choose([points[0], result(85, 0, 1, 30)], 2, 0, [RULE]).loosened
    assert choose([points[0], result(85, 0, 1, 30)], 2, 0, [RULE]).figures["candidates"] == 1, "the present is no point"


def test_a_lead_that_is_asked_for_comes_before_fewer_false_alarms() -> None:
    points = [result(None, 0, 9, 10, 900), result(70, 0, 5, 20, 500), result(75, 0, 2, 30, 100)]
    assert choose(points, 2, 400, [RULE]).point == 1
    late = choose(points, 2, 1_000, [RULE])
    assert (late.point, late.reason) == (2, "late")


def test_without_events_or_where_none_is_found_nothing_is_recommended() -> None:
    nothing = choose([result(None, 0, 3, None), result(99, 0, 0, None)], 0, 0, [RULE])
    assert (nothing.point, nothing.reason) == (None, "no_events")
    blind = choose([result(None, 2, 3, None), result(99, 2, 0, None)], 2, 0, [RULE])
    assert (blind.point, blind.reason) == (None, "all_missed")


def test_of_equals_the_least_change_is_taken_and_the_present_kept() -> None:
    same = [result(None, 0, 1, 10), result(70, 0, 1, 10), result(79, 0, 1, 10)]
    assert choose(same, 2, 0, [RULE]).reason == "present"
    better = [result(None, 0, 5, 10), result(70, 0, 1, 10), result(79, 0, 1, 10)]
    assert choose(better, 2, 0, [RULE]).point == 2
    assert choose([result(None, 1, 5, 10), result(70, 1, 1, 10)], 2, 0, [RULE]).reason == "misses_fewest"


def test_every_reason_has_its_words_in_both_languages() -> None:
    present, late = result(None, 0, 9, 10, 900), result(75, 0, 2, 30, 100)
    choices = [
        choose([present, late], 2, 0, [RULE]),
        choose([present, late], 2, 1_000, [RULE]),
        choose([present, result(70, 0, 9, 20)], 2, 0, [RULE]),
        choose([result(None, 1, 5, 10), result(70, 1, 1, 10)], 2, 0, [RULE]),
        choose([present], 0, 0, [RULE]),
        choose([result(None, 2, 3, None)], 2, 0, [RULE]),
    ]
    assert {choice.reason for choice in choices} == set(words()["reasons"])
    for choice in choices:
        for language in ("zh", "en"):
            assert words()["reasons"][choice.reason][language].format(**choice.figures)


def test_the_front_leaves_out_what_another_beats() -> None:
    points = [
        result(None, 0, 9, 10),
        result(70, 0, 9, 20),
        result(75, 0, 2, 30),
        result(80, 1, 0, 5),
        result(90, 1, 3, 50),
    ]
    assert front(points) == (3, 0, 2)


# ---- over readings


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuning_case.Case:
    return tuning_case.make(tmp_path_factory.mktemp("case"))


def site_of(path: Path) -> Site:
    return load_site([path])


def test_a_sweep_finds_the_trade_off_of_the_tank(case: tuning_case.Case) -> None:
    site, recording = site_of(case.old), Recording(case.data)
    row = site.rule_row("works/LI-101/H")
    grid = Grid.parse({"setpoint": "70:90:5,110", "deadband": "0,2", "on_delay": "0s,15s"})
    seen: list[int] = []
    found = sweep(site, recording, [row], grid, Rules(site).yardstick.targets, truth=tuning_case.TRUTH,
                  progress=seen.append)  # fmt: skip
    assert sum(seen) == found.readings == tuning_case.SECONDS
    assert len(found.points) == 25
    assert (found.events, found.assumed) == (2, False)  # the leak happened in the whole unit
    by_setting = {
        tuple(setting.value for setting in (p.point.setpoint, p.point.deadband, p.point.on_delay) if setting): p
        for p in found.points[1:]
    }
    # The unit's leak raises no alarm at the tank above 75: the level swings below that by itself.
    assert by_setting[110, 2, 0].missed == 2
    assert by_setting[80, 2, 0].missed == 1
    assert by_setting[80, 2, 0].false < by_setting[70, 2, 0].false < by_setting[70, 0, 0].false
    early, late = by_setting[80, 2, 0], by_setting[90, 2, 0]
    assert early.worst_delay is not None
    assert late.worst_delay is not None
    assert early.worst_delay < late.worst_delay
    assert early.least_lead == 3_000_000 - early.worst_delay
    assert found.points[0].chattering > 0 == by_setting[80, 2, 0].chattering
    chosen = found.choice.point
    assert chosen is not None
    assert found.points[chosen].missed == min(point.missed for point in found.points)


def test_processes_do_not_change_what_is_found(case: tuning_case.Case) -> None:
    site, recording = site_of(case.old), Recording(case.data)
    rows = [site.rule_row(path) for path in ("works/LI-101/H", "works/PI-101/RISE", "works/GT-101/H")]
    grid = Grid.parse({"setpoint": "x0.9:1.1:0.1"})
    targets = Rules(site).yardstick.targets
    alone, together = (
        sweep(site, recording, rows, grid, targets, truth=tuning_case.TRUTH, workers=workers) for workers in (1, 2)
    )
    assert alone.points == together.points
    assert alone.by_rule == together.by_rule


def test_multiples_beyond_the_range_or_out_of_order_are_left_out_with_the_reason(case: tuning_case.Case) -> None:
    site, recording = site_of(case.old), Recording(case.data)
    high, higher = (site.rule_row(f"works/LI-101/{key}") for key in ("H", "HH"))
    targets = Rules(site).yardstick.targets

    def swept(rows: list[int], setpoint: str) -> Sweep:
        grid = Grid.parse({"setpoint": setpoint, "deadband": "0,2"})
        return sweep(site, recording, rows, grid, targets, truth=tuning_case.TRUTH)

    alone = swept([high], "x0.9,x1.15,x1.2,x1.3")
    assert [(each.setting.value, str(each)) for each in alone.left_out] == [
        (1.15, "works/LI-101/H: 92 is at or past HH, 92"),
        (1.2, "works/LI-101/H: 96 is at or past HH, 92"),
        (1.3, "works/LI-101/H: 104 lies outside the range [0, 100]"),
    ]
    assert alone.grid.axes["setpoint"] == (Setting(0.9, times=True),)
    assert [point.point for point in alone.points] == [PRESENT, *alone.grid]
    low = swept([higher], "x0.85,x1.05")
    assert [str(each) for each in low.left_out] == ["works/LI-101/HH: 78.2 is at or past H, 80"]
    # Together they keep their order, until the upper one leaves the range
    both = swept([high, higher], "x0.85,x1.05,x1.1")
    assert [str(each) for each in both.left_out] == ["works/LI-101/HH: 101.2 lies outside the range [0, 100]"]
    of_higher = both.by_rule[1].choice
    assert (of_higher.point, of_higher.figures["points"]) == (4, 2), "HH alone can have only x1.05 of these"
    document = sweep_document(both, recording)
    assert [(each["times"], each["fault"]) for each in document["left_out"]] == [(1.1, "beyond_range")]
    page = sweep_page(both, Cover(recording, None, "zh", "")).decode()
    assert "未扫描" in page
    assert "works/LI-101/HH 将为 101.2，超出量程 [0, 100]" in page
    with pytest.raises(GridError, match=r"HH: 101\.2 lies outside the range .* narrow --setpoint"):
        swept([high, higher], "x1.1,x1.2")


def test_without_a_truth_long_alarms_of_the_present_rule_stand_for_events(case: tuning_case.Case) -> None:
    site, recording = site_of(case.old), Recording(case.quiet)
    row = site.rule_row("works/LI-101/H")
    found = sweep(site, recording, [row], Grid.parse({"setpoint": "78,110"}), Rules(site).yardstick.targets)
    assert found.assumed
    assert found.events == 1
    present, lower, higher = found.points
    assert (present.missed, present.delay) == (0, 0)
    assert lower.delay is not None
    assert lower.delay < 0
    assert higher.missed == 1


def test_kinds_that_only_the_engine_knows_are_swept_too(case: tuning_case.Case) -> None:
    site, recording = site_of(case.old), Recording(case.data)
    tag = site.tag_index["works/GT-101"]
    level = site.tag_index["works/LI-101"]
    vote = Rule(tag, "V", RuleKind.VOTE, Level.HH, 10.0, 0.0, extra=RuleExtra(inputs=(tag, level), needed=2))
    rules = [*(site.rules.row(row) for row in range(len(site.rules))), vote]
    site = replace(site, rules=type(site.rules).build(rules, len(site.tags)))
    row = site.rule_row("works/GT-101/V")
    grid = Grid.parse({"setpoint": "10,20,90"})
    found = sweep(site, recording, [row], grid, Rules(site).yardstick.targets, truth=tuning_case.TRUTH)
    assert [point.found for point in found.points] == [1, 1, 1, 0]


def test_a_rule_whose_tag_was_not_recorded_is_refused(case: tuning_case.Case) -> None:
    site, recording = site_of(case.old), Recording(case.data)
    tags = [*site.tags[:-1], replace(site.tags[-1])]
    place = site.tag_index["works/FI-101"]
    tags[place] = replace(tags[place], name="FI-999")
    changed = replace(
        site, tags=tags, tag_index={}, rules=type(site.rules).build([replace(RULE, tag=place)], len(tags))
    )
    with pytest.raises(GridError, match="no readings of works/FI-999"):
        sweep(changed, recording, [0], Grid.parse({"setpoint": "1"}), Rules(site).yardstick.targets, truth=Truth())


def test_readings_that_were_stored_and_sent_later_go_through_the_engine(tmp_path: Path) -> None:
    """Five minutes of readings arrive at once: an on-delay that was under way ended by the service's own clock."""
    content = tuning_case.site_content(tuning_case.PRESENT, {"setpoint": 1.2})
    site = load_site([write_yaml(tmp_path / "site.yaml", content)])
    count, outage = 1_200, slice(400, 700)
    times = tuning_case.at(0) + np.arange(count, dtype=np.int64) * 1_000
    received = times + 50
    received[outage] = received[outage.stop]
    value = np.full(count, 70.0)
    value[[399, 800, 801, 802, 803]] = 85.0
    path = tmp_path / "data.parquet"
    with RecordingWriter(path, About((RecordedTag("works/LI-101"),))) as writer:
        good = np.full(count, 192, dtype=np.uint8)
        zeros = np.zeros(count, dtype=np.int32)
        writer.write_tag(SampleBlock(zeros, times, received, value, good, zeros.astype(np.uint8)))
    recording, row = Recording(path), site.rule_row("works/LI-101/H")
    readings = TagReadings.recorded(site, recording, site.tag_index["works/LI-101"], None, None)
    assert readings is not None
    assert not readings.steady
    grid = Grid.parse({"on_delay": "0s,2s,30s,10min"})
    found = sweep(site, recording, [row], grid, Rules(site).yardstick.targets, truth=Truth())
    for point in found.points:
        rules = [site.rules.row(place) for place in range(len(site.rules))]
        rules[row] = point.point.of(rules[row])
        changed = replace(site, rules=type(site.rules).build(rules, len(site.tags)))
        assert point.alarms == int((backtest(changed, recording).episodes.rule == row).sum())
    assert [point.alarms for point in found.points] == [2, 2, 2, 1, 0]
