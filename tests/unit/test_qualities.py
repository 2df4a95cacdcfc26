"""Qualities as gateways in the field write them."""

import math

import pytest

from domain.scales import Quality
from ingest.qualities import parse_quality


@pytest.mark.parametrize(
    "raw",
    [
        192, 193, 216, 219, 255, 192.0, True, "good", "Good", " GOOD ", "true", "192", "216", "GoodClamped",
        "Good_LocalOverride", "good, local override",
    ],
)  # fmt: skip
def test_good(raw: object) -> None:
    assert parse_quality(raw) is Quality.GOOD


@pytest.mark.parametrize(
    "raw",
    [
        64, 68, 88, 127, 64.0, "64", "uncertain", "Uncertain", "UncertainLastUsableValue", 0x4000_0000, 0x40BF_0000,
        0x7FFF_FFFF, str(0x408F_0000),
    ],
)  # fmt: skip
def test_uncertain(raw: object) -> None:
    assert parse_quality(raw) is Quality.UNCERTAIN


@pytest.mark.parametrize(
    "raw",
    [
        0, 1, 4, 28, 63, 128, 191, 256, 500, -1, -192, 0.0, False, "0", "bad", "Bad", "BadSensorFailure", "false",
        0x8000_0000, 0x8031_0000, 2**64, 10**400, math.nan, math.inf, -math.inf, None, "", " ", "ok", "1", "yes",
        "questionable", "质量好", "１９２", "192.5.1", "-192", "9" * 5_000, "\ud800", [], [192], {}, {"good": True},
        b"good", frozenset(),
    ],
    ids=lambda raw: ascii(raw)[:30] if not isinstance(raw, int) or abs(raw) < 2**70 else "huge",
)  # fmt: skip
def test_bad_is_everything_else(raw: object) -> None:
    assert parse_quality(raw) is Quality.BAD


def test_of_the_classic_quality_bytes_only_a_quarter_is_good() -> None:
    found = [parse_quality(code) for code in range(256)]
    assert found[192:] == [Quality.GOOD] * 64
    assert found[64:128] == [Quality.UNCERTAIN] * 64
    assert set(found[:64] + found[128:192]) == {Quality.BAD}


def test_a_number_in_a_text_means_the_same() -> None:
    for code in (*range(300), 0x4000_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF):
        assert parse_quality(str(code)) is parse_quality(code)
