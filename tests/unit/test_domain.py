"""The vocabulary: samples in columns, scales, rules in columns, the site, and time in words."""

import math

import numpy as np
import pytest

from domain.clock import iso
from domain.samples import SampleBlock
from domain.scales import AlarmState, Grade, Level, Quality, QualityReason, RuleKind
from domain.site import LEVELS, Enterprise, Gateway, Reference, Region, Rule, RuleExtra, RuleTable, Site, Tag, Unit
from domain.transitions import Transition


def three_samples() -> SampleBlock:
    return SampleBlock.of([2, 0, 2], [10, 20, 30], [11, 21, 31], [1.5, math.nan, -3.0], [192, 0, 64], [0, 1, 2])


def test_a_block_holds_its_samples_in_columns_of_fixed_types() -> None:
    block = three_samples()
    assert len(block) == 3
    types = [getattr(block, name).dtype.name for name in block.__slots__]
    assert types == ["int32", "int64", "int64", "float64", "uint8", "uint8"]
    assert block.tag.tolist() == [2, 0, 2]
    assert block.source_time.tolist() == [10, 20, 30]
    assert block.received_time.tolist() == [11, 21, 31]
    assert block.value[[0, 2]].tolist() == [1.5, -3.0]
    assert math.isnan(block.value[1])
    assert [Quality(q) for q in block.quality.tolist()] == [Quality.GOOD, Quality.BAD, Quality.UNCERTAIN]
    assert [QualityReason(r).name for r in block.reason.tolist()] == ["NONE", "SENSOR_FAULT", "OUT_OF_RANGE"]


def test_a_block_of_nothing_is_a_block() -> None:
    empty = SampleBlock.empty()
    assert len(empty) == 0
    assert empty.tag.dtype == np.int32
    assert len(empty.take(slice(0, 5))) == 0


def test_blocks_are_joined_in_their_order() -> None:
    block = three_samples()
    joined = SampleBlock.concatenate([block, SampleBlock.empty(), block.take(slice(0, 1))])
    assert joined.source_time.tolist() == [10, 20, 30, 10]
    assert joined.reason.tolist() == [0, 1, 2, 0]
    assert SampleBlock.concatenate([block]) is block
    assert len(SampleBlock.concatenate([])) == 0


@pytest.mark.parametrize("picked", [np.array([True, False, True]), np.array([0, 2]), slice(0, 3, 2)])
def test_samples_are_picked_by_mask_index_or_slice(picked: np.ndarray | slice) -> None:
    taken = three_samples().take(picked)
    assert taken.source_time.tolist() == [10, 30]
    assert taken.value.tolist() == [1.5, -3.0]
    assert taken.quality.tolist() == [192, 64]


def test_the_grades_are_ordered_and_read_from_their_names() -> None:
    assert Grade.BLUE < Grade.YELLOW < Grade.ORANGE < Grade.RED
    assert [grade.label for grade in Grade] == ["blue", "yellow", "orange", "red"]
    assert [Grade.parse(grade.label) for grade in Grade] == list(Grade)
    assert Grade.parse("Red") is Grade.RED


def test_an_unknown_grade_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(ValueError, match="unknown grade 'purple': use blue, yellow, orange or red"):
        Grade.parse("purple")


def test_levels_are_first_second_or_a_fault() -> None:
    assert [level.value for level in Level if level.is_second] == ["LL", "HH"]
    assert [level.value for level in Level if level.is_first] == ["L", "H"]
    assert not Level.FAULT.is_first
    assert not Level.FAULT.is_second


def test_quality_bytes_are_those_of_classic_opc() -> None:
    assert [int(quality) for quality in (Quality.BAD, Quality.UNCERTAIN, Quality.GOOD)] == [0, 64, 192]


def test_the_alarm_states_are_named_as_the_interface_names_them() -> None:
    assert [state.value for state in AlarmState] == [
        "normal",
        "unacknowledged",
        "acknowledged",
        "returned_unacknowledged",
        "latched_unacknowledged",
        "latched_acknowledged",
    ]


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert iso(1_780_885_800_000) == "2026-06-08T02:30:00.000Z"
    assert iso(1_780_885_800_007) == "2026-06-08T02:30:00.007Z"
    assert iso(0) == "1970-01-01T00:00:00.000Z"


def test_a_transition_is_live_unless_it_says_otherwise() -> None:
    assert not Transition(1, entered=True, source_time=2, received_time=3, value=4.0).retrospective


HH = Rule(
    tag=2,
    key="HH",
    kind=RuleKind.HIGH,
    level=Level.HH,
    setpoint=20.0,
    deadband=0.5,
    on_delay=1_000,
    off_delay=10_000,
    latching=True,
    grade=Grade.ORANGE,
    version=3,
    default=True,
)
RISE = Rule(tag=2, key="RISE", kind=RuleKind.RISE, level=Level.H, setpoint=0.1, window=60_000)
STALE = Rule(tag=0, key="STALE", kind=RuleKind.STALE, level=Level.FAULT, window=3_000)


def test_rules_stand_in_columns_sorted_by_tag_and_come_back_as_they_were() -> None:
    table = RuleTable.build([HH, STALE, RISE], tag_count=4)
    assert len(table) == 3
    assert [table.row(index) for index in range(3)] == [STALE, HH, RISE]
    assert table.start.tolist() == [0, 1, 1, 3, 3]
    assert [list(table.of_tag(tag)) for tag in range(4)] == [[0], [], [1, 2], []]
    assert [LEVELS[level].value for level in table.level.tolist()] == ["FAULT", "HH", "H"]


def test_a_table_without_rules_is_a_table() -> None:
    table = RuleTable.build([], tag_count=2)
    assert len(table) == 0
    assert list(table.of_tag(1)) == []


def test_rules_that_look_at_a_tag_are_its_own_and_those_over_several() -> None:
    rules = [
        Rule(2, "VOTE", RuleKind.VOTE, Level.HH, extra=RuleExtra(inputs=(0, 1), needed=1)),
        Rule(1, "DEVIATION", RuleKind.DEVIATION, Level.H, extra=RuleExtra(reference=Reference("tag", tag=0))),
        Rule(0, "H", RuleKind.HIGH, Level.H, 80.0),
    ]
    table = RuleTable.build(rules, 3)
    keys = [[table.key[row] for row in table.looking_at(tags)] for tags in ([0], [1], [2], [0, 2], [])]
    assert keys == [["H", "DEVIATION", "VOTE"], ["DEVIATION", "VOTE"], ["VOTE"], ["H", "DEVIATION", "VOTE"], []]


def a_site(*, tag_index: dict[str, int] | None = None) -> Site:
    tags = [Tag("huarui", name, "tankfarm", "gw1", "h2s", "mg/m3") for name in ("GT-101", "GT-102", "GT-103")]
    return Site(
        regions={"370783": Region("370783", "寿光市", parent="370700")},
        enterprises={"huarui": Enterprise("huarui", "华瑞化工储运", "370783")},
        units={("huarui", "tankfarm"): Unit("huarui", "tankfarm", "原料罐区", hazard_level=2)},
        gateways={("huarui", "gw1"): Gateway("huarui", "gw1", "罐区网关")},
        tags=tags,
        rules=RuleTable.build([HH, STALE, RISE], len(tags)),
        revision="1",
        tag_index=tag_index or {},
    )


def test_a_tag_without_limits_is_known_as_such_even_if_its_silence_is_watched() -> None:
    site = a_site()
    assert [site.has_limits(tag) for tag in range(3)] == [False, False, True]


def test_a_site_finds_tags_rules_and_regions_by_name() -> None:
    site = a_site()
    assert site.tag_index == {"huarui/GT-101": 0, "huarui/GT-102": 1, "huarui/GT-103": 2}
    assert site.rule_path(1) == "huarui/GT-103/HH"
    assert [site.rule_row(site.rule_path(row)) for row in range(3)] == [0, 1, 2]
    assert site.region_of("huarui") == "370783"
    assert site.gateways["huarui", "gw1"].path == "huarui/gw1"


@pytest.mark.parametrize("path", ["huarui/GT-103/LL", "huarui/GT-102/HH", "huarui/GT-999/HH", "nowhere"])
def test_a_rule_that_is_not_there_is_not_found(path: str) -> None:
    with pytest.raises(KeyError):
        a_site().rule_row(path)


def test_an_index_that_was_made_already_is_not_made_again() -> None:
    assert a_site(tag_index={"elsewhere": 7}).tag_index == {"elsewhere": 7}
