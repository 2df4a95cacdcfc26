"""Line protocol: what is parsed back is what was given, whatever the names and numbers."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.samples import SampleBlock
from historian.line_protocol import LineEncoder, name_of, series_of, tag_value

Row = tuple[str, int, int, float, int, int]

names = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="/"), min_size=1, max_size=12)
hostile = st.sampled_from(
    ["a b", "a,b=c", "\\", "a\\", "\\,", "%5C", "%%5C\\", "%5\\", "LEL%", "%25", "\n", '"', "'", "温度"]
)
paths = st.lists(st.tuples(names | hostile, names | hostile).map("/".join), min_size=1, max_size=5, unique=True)
int64 = st.integers(-(1 << 63), (1 << 63) - 1)
quality, reason = st.sampled_from([0, 64, 192, 255]), st.integers(0, 255)


def parse(text: str) -> list[Row]:
    """A reader of its own, by the specification: escapes are a backslash before comma, equals sign or space."""
    assert text.endswith("\n")
    rows: list[Row] = []
    for line in text[:-1].split("\n"):
        series, fields, time = re.split(r"(?<!\\) ", line)
        measurement, *tags = re.split(r"(?<!\\),", series)
        assert measurement == "sample"
        names = dict(re.split(r"(?<!\\)=", tag) for tag in tags)
        assert list(names) == ["enterprise", "tag"]
        path = "/".join(name_of(re.sub(r"\\([,= ])", r"\1", name)) for name in names.values())
        values = dict(field.split("=") for field in fields.split(","))
        assert set(values) - {"value"} == {"quality", "reason", "received"}
        integers = [values[key] for key in ("received", "quality", "reason")]
        assert all(integer.endswith("i") for integer in integers)
        received, of_quality, of_reason = (int(integer[:-1]) for integer in integers)
        value = values.get("value", "nan")
        assert value == "nan" or re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", value)
        rows.append((path, int(time), received, float(value), of_quality, of_reason))
    return rows


@st.composite
def blocks(draw: st.DrawFn) -> tuple[SampleBlock, list[str]]:
    known = draw(paths)
    sample = st.tuples(st.integers(0, len(known) - 1), int64, int64, st.floats(), quality, reason)
    columns = zip(*draw(st.lists(sample, min_size=1, max_size=20)), strict=True)
    return SampleBlock.of(*(list(column) for column in columns)), known


@given(blocks())
def test_parsed_back(given_: tuple[SampleBlock, list[str]]) -> None:
    block, known = given_
    rows = parse(LineEncoder().encode(block, known).decode())
    assert [row[0] for row in rows] == [known[tag] for tag in block.tag]
    assert [row[1] for row in rows] == block.source_time.tolist()
    assert [row[2] for row in rows] == block.received_time.tolist()
    finite = np.where(np.isfinite(block.value), block.value, np.nan)
    assert np.array([row[3] for row in rows]).tobytes() == np.where(np.isnan(finite), np.nan, finite).tobytes()
    assert [row[4] for row in rows] == block.quality.tolist()
    assert [row[5] for row in rows] == block.reason.tolist()


@given(names | hostile)
def test_names_come_back(name: str) -> None:
    value = tag_value(name)
    assert name_of(value) == name
    assert "\\" not in value
    assert value.isprintable() or not name.isprintable()


@given(st.lists(names | hostile, min_size=2, max_size=2, unique=True))
def test_different_names_stay_different(two: list[str]) -> None:
    assert tag_value(two[0]) != tag_value(two[1])


@pytest.mark.parametrize("name", ["GT-101", "CH4%", "1#罐 温度", "a=b,c"])
def test_usual_names_stay_as_they_are(name: str) -> None:
    assert series_of(f"huarui/{name}") == ("huarui", name)


def test_the_documented_example() -> None:
    block = SampleBlock.of([0], [1_760_000_000_000], [1_760_000_000_123], [3.25], [192], [0])
    assert LineEncoder().encode(block, ["huarui/GT-101"]) == (
        b"sample,enterprise=huarui,tag=GT-101 value=3.25,quality=192i,reason=0i,received=1760000000123i 1760000000000\n"
    )


def test_no_value_no_field() -> None:
    block = SampleBlock.of([0, 0], [1, 2], [3, 4], [math.nan, math.inf], [0, 0], [5, 6])
    assert LineEncoder().encode(block, ["e/t"]) == (
        b"sample,enterprise=e,tag=t quality=0i,reason=5i,received=3i 1\n"
        b"sample,enterprise=e,tag=t quality=0i,reason=6i,received=4i 2\n"
    )


def test_an_empty_block_is_no_line() -> None:
    assert LineEncoder().encode(SampleBlock.empty(), []) == b""


def test_one_encoder_for_many_lists_of_paths() -> None:
    encoder = LineEncoder()
    block = SampleBlock.of([0], [1], [2], [0.5], [192], [0])
    lists = [[f"e/{number}"] for number in range(10)]
    for _ in range(2):
        for known in lists:
            assert parse(encoder.encode(block, known).decode())[0][0] == known[0]
