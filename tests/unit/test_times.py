"""Times as gateways in the field write them."""

from datetime import UTC, datetime

import pytest

from ingest.times import EARLIEST, LATEST, TimeRefused, parse_time


def at(text: str) -> int:
    """Ms UTC of an ISO time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


EIGHT = at("2023-06-01T08:33:16+08:00")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # epoch: ms, seconds, microseconds; numbers and numeric strings
        (1650006388943, at("2022-04-15T07:06:28.943+00:00")),  # EMQ Neuron
        (1521698358299, at("2018-03-22T05:59:18.299+00:00")),  # Kepware
        (1688606685, at("2023-07-06T01:24:45+00:00")),  # CET: seconds
        (1688606685.25, at("2023-07-06T01:24:45.250+00:00")),
        (1688606685.9996, at("2023-07-06T01:24:46+00:00")),
        (1483228800000, at("2017-01-01T00:00:00+00:00")),  # ThingsBoard
        (1524448722000, at("2018-04-23T01:58:42+00:00")),  # Aliyun
        (1524448722000.75, at("2018-04-23T01:58:42+00:00")),
        (1650006388943123, at("2022-04-15T07:06:28.943+00:00")),
        ("1650006388943", at("2022-04-15T07:06:28.943+00:00")),
        (" 1688606685 ", at("2023-07-06T01:24:45+00:00")),
        ("1688606685.5", at("2023-07-06T01:24:45.500+00:00")),
        ("1650006388943123", at("2022-04-15T07:06:28.943+00:00")),
        # ISO with offset
        ("2014-07-11T15:26:37Z", at("2014-07-11T15:26:37+00:00")),  # Advantech
        ("2014-07-11t15:26:37z", at("2014-07-11T15:26:37+00:00")),
        ("2023-06-01T08:33:16+08:00", EIGHT),
        ("2023-06-01T08:33:16+0800", EIGHT),
        ("2023-06-01T08:33:16+08", EIGHT),
        ("2023-05-31T20:03:16-04:30", EIGHT),
        ("2026-06-08 10:30:00.000 +0800", at("2026-06-08T02:30:00+00:00")),  # KingIOServer
        ("2023-06-01T00:33:16.1239Z", at("2023-06-01T00:33:16.123+00:00")),
        ("2023-06-01T00:33:16,5Z", at("2023-06-01T00:33:16.500+00:00")),
        ("2023-06-01T00:33:16.000000001Z", at("2023-06-01T00:33:16+00:00")),
        ("2023-06-01T00:33Z", at("2023-06-01T00:33:00+00:00")),
        ("20151212T121212Z", at("2015-12-12T12:12:12+00:00")),  # Huawei
        ("20151212T121212.5+0800", at("2015-12-12T04:12:12.500+00:00")),
    ],
)
def test_a_time_that_names_its_zone(raw: object, expected: int) -> None:
    assert parse_time(raw) == (expected, False)


@pytest.mark.parametrize(
    "raw",
    [
        "2023-6-1 08:33:16",  # GRM: unpadded
        "2023-06-01 08:33:16",
        "2023-06-01T08:33:16",
        "2023/06/01 08:33:16",
        "2023/6/1 8:33:16",
        "2023.6.1 8:33:16",
        "2023-6-1 8:33:16.000",
        "20230601083316",
        "20230601 083316",
        "20230601T083316",
    ],
)
def test_a_time_without_a_zone_is_read_as_shanghai_and_flagged(raw: str) -> None:
    assert parse_time(raw) == (EIGHT, True)


def test_the_summer_time_of_shanghai_is_known() -> None:
    assert parse_time("1991-07-01 12:00:00") == (at("1991-07-01T12:00:00+09:00"), True)


@pytest.mark.parametrize(
    ("scale", "within"),
    [(1, 1), (1000, 1000)],
    ids=["milliseconds", "microseconds"],
)
def test_the_years_1990_to_2100_are_possible(scale: int, within: int) -> None:
    assert parse_time(EARLIEST * scale) == (EARLIEST, False)
    assert parse_time(LATEST * scale - within) == (LATEST - 1, False)
    assert parse_time(EARLIEST // 1000) == (EARLIEST, False)
    assert parse_time(LATEST // 1000 - 1) == (LATEST - 1000, False)


@pytest.mark.parametrize(
    "number",
    [
        EARLIEST - 1,
        LATEST,
        LATEST * 1000,
        EARLIEST * 1000 - 1,
        EARLIEST // 1000 - 1,
        LATEST // 1000,
        0,
        -1,
        0.0,
        1e300,
        float("inf"),
        float("-inf"),
        float("nan"),
        10**40,
        -(10**40),
        10**400,
        10**5000,
    ],
    ids=lambda number: f"{number:.3g}" if abs(number) < 10**300 else "huge",
)
def test_a_number_that_is_no_time(number: float) -> None:
    with pytest.raises(TimeRefused) as refused:
        parse_time(number)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "raw",
    [
        None,
        True,
        False,
        [],
        {},
        b"2023-06-01T08:33:16Z",
        "",
        " ",
        "now",
        "0",
        "-1688606685",
        "+1688606685",
        "1.688e9",
        "1,688,606,685",
        "0x64A60F9D",
        "９９９９９９９９９９",
        "2023-06-01",
        "08:33:16",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2023-06-31T00:00:00Z",
        "2023-06-01T24:00:00Z",
        "2023-06-01T00:60:00Z",
        "2023-06-01T00:00:60Z",
        "2023-06-01T00:00:00+24:00",
        "2023-06-01T00:00:00+99",
        "2023-06-01T00:00:00+08:000",
        "2023-06-01T00:00:00 UTC",
        "23-06-01T00:00:00Z",
        "02023-06-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1989-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "20230631083316",
        "2023-06-01T00:00:00Z2023-06-01T00:00:00Z",
        "9" * 64,
        "9" * 65,
        "9" * 5_000,
        "2023-06-01T00:00:00Z" + " " * 100 + "x",
        "\x00",
        "2023-06-01T00:00:00\ud800",
    ],
    ids=lambda raw: ascii(raw)[:40],
)
def test_what_is_no_time(raw: object) -> None:
    with pytest.raises(TimeRefused) as refused:
        parse_time(raw)
    assert str(refused.value)
    str(refused.value).encode()


def test_blanks_around_a_time_are_of_no_account_however_many() -> None:
    assert parse_time(" " * 1000 + "2023-06-01T08:33:16+08:00\n") == (EIGHT, False)


def test_every_second_of_a_day_survives_every_way_to_write_it() -> None:
    for second in range(0, 86_400, 61):
        moment = datetime.fromtimestamp(EIGHT / 1000 + second, UTC)
        expected = EIGHT + second * 1000
        for raw in (expected, expected // 1000, expected * 1000, moment.isoformat(), f"{moment:%Y%m%dT%H%M%SZ}"):
            assert parse_time(raw) == (expected, False)
