"""The codec of our own format: what a message of it says, and what of it is refused."""

import json
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from domain.ranges import SENTINELS
from domain.scales import Quality, QualityReason
from ingest import intake as intake_module
from ingest.codecs import CODECS
from ingest.codecs.anshao import AnshaoCodec
from ingest.intake import REMEDIES, Intake, PayloadRefused, Reason, Source
from tests import hostile

AT = 1_750_032_000_000
SOURCE = Source("works", "gw1", {"TI-101": 0, "PI-101": 1}, frozenset({"TI-201"}))
NAMES = ("TI-101", "PI-101")
HOSTILE = [case for case in hostile.corpus(AT) if case.is_data_of_gw1]


def take(content: Any) -> tuple[Intake, Reason | None]:
    """What a message leaves behind, and the reason if it is refused as a whole."""
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    intake = Intake()
    try:
        AnshaoCodec().decode(payload, SOURCE, intake)
    except PayloadRefused as refused:
        return intake, refused.reason
    return intake, None


def readings(intake: Intake) -> list[tuple[str, int, float | None, int]]:
    """Readings in order, with the quality that the codec gives them."""
    found = []
    for position, (tag, time, value) in enumerate(zip(intake.tag, intake.time, intake.value, strict=True)):
        quality = intake.flagged.get(position, (Quality.GOOD, QualityReason.NONE))[0]
        absent = not math.isfinite(value)
        found.append((NAMES[tag], time, None if absent else value, int(Quality.BAD if absent else quality)))
    return found


def of_one(value: Any) -> tuple[Quality, QualityReason]:
    """Quality and reason of a reading with this value."""
    intake, _ = take({"ts": AT, "values": {"TI-101": value}})
    assert intake.tag == [0]
    return intake.flagged.get(0, (Quality.GOOD, QualityReason.NONE))


def test_one_object_with_plain_values() -> None:
    intake, refused = take({"ts": AT, "values": {"TI-101": 85.2, "PI-101": 1}})
    assert refused is None
    assert (intake.tag, intake.time, intake.value) == ([0, 1], [AT, AT], [85.2, 1])
    assert not intake.flagged
    assert not intake.faults


def test_an_array_of_objects_each_with_its_time() -> None:
    intake, _ = take([{"ts": AT + second * 1000, "values": {"TI-101": second}} for second in range(3)])
    assert intake.time == [AT, AT + 1000, AT + 2000]
    assert intake.value == [0, 1, 2]


def test_a_value_with_quality_and_a_time_of_its_own() -> None:
    intake, _ = take({"ts": AT, "values": {"TI-101": {"v": 85.2, "q": 64, "ts": AT - 500}, "PI-101": {"v": 2}}})
    assert intake.time == [AT - 500, AT]
    assert intake.flagged[0] == (Quality.UNCERTAIN, QualityReason.GATEWAY_FLAG)
    assert intake.flagged[1] == (Quality.GOOD, QualityReason.NONE)


def test_several_messages_go_into_one_intake_in_their_order() -> None:
    intake = Intake()
    for value in (1, 2, 3):
        AnshaoCodec().decode(json.dumps({"ts": AT, "values": {"TI-101": value}}).encode(), SOURCE, intake)
    assert intake.value == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "quality", "reason"),
    [
        (85.2, Quality.GOOD, QualityReason.NONE),
        ({"v": 85.2, "q": 192}, Quality.GOOD, QualityReason.NONE),
        ({"v": 85.2, "q": 0}, Quality.BAD, QualityReason.GATEWAY_FLAG),
        ({"v": 85.2, "q": "uncertain"}, Quality.UNCERTAIN, QualityReason.GATEWAY_FLAG),
        ({"v": 85.2, "q": None}, Quality.BAD, QualityReason.GATEWAY_FLAG),
        (None, Quality.BAD, QualityReason.NOT_A_NUMBER),
        ("", Quality.BAD, QualityReason.NOT_A_NUMBER),
        ("broken", Quality.BAD, QualityReason.NOT_A_NUMBER),
        ({"v": None, "q": 192}, Quality.BAD, QualityReason.NOT_A_NUMBER),
        ({"q": 192}, Quality.BAD, QualityReason.NOT_A_NUMBER),
        ({"v": 1, "ts": "2025-06-16 08:00:00"}, Quality.GOOD, QualityReason.LOCAL_TIME),
        ({"v": 1, "q": 0, "ts": "2025-06-16 08:00:00"}, Quality.BAD, QualityReason.GATEWAY_FLAG),
    ],
)
def test_quality_of_a_value(value: Any, quality: Quality, reason: QualityReason) -> None:
    assert of_one(value) == (quality, reason)


def test_local_time_of_the_message_marks_each_of_its_readings() -> None:
    intake, _ = take({"ts": "2025-6-16 8:00:00", "values": {"TI-101": 1, "PI-101": {"v": 2, "ts": AT}}})
    assert intake.time == [AT, AT]
    assert intake.flagged[0] == (Quality.GOOD, QualityReason.LOCAL_TIME)
    assert intake.flagged[1] == (Quality.GOOD, QualityReason.NONE)


@pytest.mark.parametrize("envelope", [{}, {"enterprise": "works"}, {"gateway": "gw1"}, {"note": "of no interest"}])
def test_what_may_stand_beside_the_values(envelope: dict[str, Any]) -> None:
    intake, refused = take({"ts": AT, "values": {"TI-101": 1}, **envelope})
    assert refused is None
    assert intake.value == [1]
    assert not intake.faults


@pytest.mark.parametrize(("identity", "known"), [("a-1", "a-1"), (17, "17"), ("消息", "消息"), ("x" * 256, "x" * 256)])
def test_an_id_is_kept_for_the_receipt(identity: Any, known: str) -> None:
    intake, _ = take({"id": identity, "ts": AT, "values": {"TI-101": 1}})
    assert intake.ids == [(known, None)]


def test_an_id_is_kept_where_only_the_readings_have_times() -> None:
    intake, _ = take({"id": "a-1", "values": {"TI-101": {"v": 1, "ts": AT}}})
    assert intake.ids == [("a-1", None)]
    assert intake.value == [1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"id": "a-1", "ts": AT}, Reason.WRONG_SHAPE),
        ({"id": "a-1", "ts": AT, "values": {"TI-101": 1}, "enterprise": "neighbour"}, Reason.WRONG_ENTERPRISE),
        ({"id": "a-1", "ts": AT, "values": {"TI-101": 1}, "gateway": "gw2"}, Reason.WRONG_GATEWAY),
    ],
)
def test_the_id_of_a_refused_message_is_known(content: Any, reason: Reason) -> None:
    intake, refused = take(content)
    assert refused is reason
    assert intake.ids == [("a-1", None)]


def test_ids_in_an_array_say_which_of_its_objects_was_refused() -> None:
    intake, refused = take(
        [
            {"id": "a", "ts": AT, "values": {"TI-101": 1}},
            {"id": "b", "ts": AT},
            {"id": "c", "ts": AT, "values": {"TI-101": 3}, "enterprise": "neighbour"},
            {"id": "d", "ts": AT, "values": {"TI-101": 4}},
        ]
    )
    assert refused is None
    assert intake.ids == [("a", None), ("b", Reason.WRONG_SHAPE), ("c", Reason.WRONG_ENTERPRISE), ("d", None)]
    assert intake.value == [1, 4]


def test_a_refusal_says_where_and_what() -> None:
    intake, _ = take({"ts": AT, "values": {"TI-101": "eighty", "X-1": 1, "X-2": 2, "TI-201": 3}})
    assert intake.faults[Reason.UNREADABLE_VALUE].detail == "values.TI-101: 'eighty' is no number"
    assert intake.faults[Reason.UNKNOWN_TAG].detail == "values.X-1: no such tag of enterprise 'works'"
    assert intake.faults[Reason.UNKNOWN_TAG].count == 2
    assert intake.faults[Reason.WRONG_GATEWAY].detail == "values.TI-201: this tag is configured for another gateway"


def test_every_reason_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Reason)


def test_every_format_has_its_codec() -> None:
    assert isinstance(CODECS["anshao"], AnshaoCodec)


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_hostile(case: hostile.Hostile) -> None:
    intake, refused = take(case.payload)
    reasons = {reason.value for reason in intake.faults} | ({refused.value} if refused else set())
    assert reasons == set(case.refused) - {"future_time"}
    if "future_time" not in case.refused:  # the codec knows no now
        found, expected = readings(intake), hostile.shown(case.readings)
        assert [row[:3] for row in found] == [row[:3] for row in expected]
        for mine, theirs in zip(found, expected, strict=True):
            by_value = theirs[2] in SENTINELS or theirs[3] == Quality.UNCERTAIN  # known to the decoder
            assert mine[3] == theirs[3] or by_value
    for fault in intake.faults.values():
        assert fault.detail
        assert len(fault.detail) < 400
        fault.detail.encode()  # can be stored


@pytest.mark.parametrize("depth", [900, 990, 1_000, 1_010, 1_015, 1_020, 1_023, 1_024, 5_000, 50_000])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda deep: f'{{"ts":{AT},"values":{{"TI-101":{deep},"PI-101":1}}}}',
        lambda deep: f'{{"ts":{deep},"values":{{"TI-101":1}}}}',
        lambda deep: f'{{"ts":{AT},"values":{{"TI-101":{{"v":1,"q":{deep}}}}}}}',
        lambda deep: f'{{"ts":{AT},"values":{{"TI-101":1}},"id":{deep}}}',
        lambda deep: f'{{"ts":{AT},"values":{{"TI-101":1}},"enterprise":{deep}}}',
        lambda deep: f'{{"ts":NaN,"values":{deep}}}',
    ],
)
def test_no_depth_of_nesting_breaks_it(depth: int, wrap: Callable[[str], str]) -> None:
    for deep in ("[" * depth + "]" * depth, '{"v":' * depth + "1" + "}" * depth):
        intake, refused = take(wrap(deep).encode())
        assert refused or intake.faults or intake.flagged


# ---- many tags in one message

MANY = {f"T-{number:03}": number for number in range(100)}


def take_many(source: Source, names: Sequence[str], **values: Any) -> Intake:
    """A message of these tags; each value is the tag's own row unless it is given."""
    intake = Intake()
    content = {"ts": AT, "values": {name: values.get(name.replace("-", "_"), MANY.get(name, -1)) for name in names}}
    AnshaoCodec().decode(json.dumps(content).encode(), source, intake)
    return intake


def test_many_tags_in_any_order_each_find_their_row() -> None:
    source = Source("works", "gw1", MANY, frozenset(MANY))
    dice = random.Random(3)
    for _ in range(3_000):
        names = dice.sample(sorted(MANY), dice.choice((1, 2, 5, 10, 20, 50)))
        for _ in range(dice.choice((1, 3))):
            intake = take_many(source, names)
            assert intake.tag == intake.value == [MANY[name] for name in names]
            assert intake.time == [AT] * len(names)
            assert not intake.faults
            assert not intake.flagged


def test_a_stranger_among_many_tags_is_refused_alone_also_after_many_good_messages() -> None:
    source = Source("works", "gw1", MANY, frozenset(MANY))
    names = sorted(MANY)[:20]
    for stranger_at in range(21):
        take_many(source, names)
        intake = take_many(source, [*names[:stranger_at], "X-1", *names[stranger_at:]])
        assert intake.tag == [MANY[name] for name in names]
        assert intake.faults[Reason.UNKNOWN_TAG].count == 1


@pytest.mark.parametrize("value", [None, "5", True, {"v": 5}, [5], "junk"])
def test_an_odd_value_among_many_is_read_alone(value: Any) -> None:
    source = Source("works", "gw1", MANY, frozenset(MANY))
    names = sorted(MANY)[:20]
    take_many(source, names)
    intake = take_many(source, names, T_007=value)
    assert intake.tag == list(range(20))
    assert [row for row in range(20) if intake.value[row] != row] in ([], [7])
    assert set(intake.flagged) <= {7}


def test_what_one_message_held_does_not_leak_into_the_next() -> None:
    source = Source("works", "gw1", MANY, frozenset(MANY))
    names = sorted(MANY)[:20]
    first = take_many(source, names)
    first.tag.clear()
    assert take_many(source, names).tag == list(range(20))
    assert take_many(source, names[:-1]).tag == list(range(19))
    assert take_many(source, [*names, "T-050"]).tag == [*range(20), 50]


def test_more_sequences_than_are_remembered_are_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "SEQUENCES", 3)
    source = Source("works", "gw1", MANY, frozenset(MANY))
    names = sorted(MANY)
    for first in (*range(20), *range(20)):
        assert take_many(source, names[first : first + 10]).tag == list(range(first, first + 10))
        assert len(source._sequences) <= 3
