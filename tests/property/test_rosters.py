"""Duty rosters: the shifts of a roster tile time, and who is on duty agrees with a naive count of turns."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.response.rosters import Holiday, Roster, Shift, Substitute

HOUR = 3_600_000
START = date(2026, 1, 1)
PEOPLE = ("a", "b", "c", "d", "e", "f")
TWO_SHIFTS = (Shift("day", "白班", 8 * HOUR, 20 * HOUR), Shift("night", "夜班", 20 * HOUR, 8 * HOUR))
ONE_SHIFT = (Shift("full", "值班", 8 * HOUR, 8 * HOUR),)
THREE_SHIFTS = (
    Shift("early", "早班", 0, 8 * HOUR),
    Shift("late", "中班", 8 * HOUR, 16 * HOUR),
    Shift("night", "夜班", 16 * HOUR, 0),
)
days = st.dates(date(2025, 12, 25), date(2027, 3, 1))
instants = st.integers(
    int(datetime(2025, 12, 30, tzinfo=UTC).timestamp() * 1000), int(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000)
)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    teams = st.lists(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True).map(tuple), min_size=1)
    spans = st.tuples(days, st.integers(0, 10)).map(lambda pair: (pair[0], pair[0] + timedelta(days=pair[1])))
    holidays = draw(st.lists(st.tuples(spans, teams), max_size=2))
    substitutes = draw(st.lists(st.tuples(spans, st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=3))
    return Roster(
        id="r",
        post="duty",
        start=START,
        shifts=draw(st.sampled_from([ONE_SHIFT, TWO_SHIFTS, THREE_SHIFTS])),
        rotation=tuple(draw(teams)),
        advance=draw(st.sampled_from(["shift", "day", "week"])),
        region="370783",
        holidays=tuple(Holiday(first, last, tuple(rotation)) for (first, last), rotation in holidays),
        substitutes=tuple(Substitute(one, by, first, last) for (first, last), one, by in substitutes if one != by),
    )


def naive(roster: Roster, at: int) -> tuple[str, ...]:
    """Who is on duty, counted turn by turn on a wall clock in Shanghai."""
    wall = datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None) + timedelta(hours=8)
    turn = 0
    for number in range(800):
        day = START + timedelta(days=number)
        for shift in roster.shifts:
            begins = datetime.combine(day, datetime.min.time()) + timedelta(milliseconds=shift.begin)
            length = timedelta(milliseconds=shift.end - shift.begin)
            ends = begins + (length if length > timedelta(0) else length + timedelta(days=1))
            if begins <= wall < ends:
                return _team(roster, day, shift, turn)
            turn += 1
    return ()


def _team(roster: Roster, day: date, shift: Shift, turn: int) -> tuple[str, ...]:
    rotation, number = roster.rotation, {"shift": turn, "day": (day - START).days, "week": (day - START).days // 7}
    held = [holiday for holiday in roster.holidays if holiday.first <= day <= holiday.last]
    if held:
        since = (day - held[0].first).days
        index = roster.shifts.index(shift)
        rotation = held[0].rotation
        number = {"shift": since * len(roster.shifts) + index, "day": since, "week": since // 7}
    present: list[str] = []
    for person in rotation[number[roster.advance] % len(rotation)]:
        seen, now = {person}, person
        while True:
            found = [each.by for each in roster.substitutes if each.contact == now and each.first <= day <= each.last]
            if not found or found[0] in seen:
                break
            now = found[0]
            seen.add(now)
        if now not in present:
            present.append(now)
    return tuple(present)


@given(rosters(), instants)
@settings(max_examples=300)
def test_who_is_on_duty_agrees_with_a_naive_count(roster: Roster, at: int) -> None:
    assert roster.on_duty(at) == naive(roster, at)


@given(rosters(), instants, st.integers(1, 40 * HOUR))
def test_shifts_that_cover_the_day_leave_no_gap_and_no_overlap(roster: Roster, begin: int, length: int) -> None:
    turns = list(roster.turns(begin, begin + length))
    for one, other in itertools.pairwise(turns):
        assert one.end == other.begin
    if turns:
        assert turns[-1].end >= begin + length
        for turn in turns:
            assert roster.on_duty(turn.begin) == roster.on_duty(turn.end - 1) == turn.contacts


def at(text: str) -> int:
    """An instant in Shanghai's time."""
    return int(datetime.fromisoformat(text + "+08:00").timestamp() * 1000)


ROSTER = Roster("r", "duty", START, TWO_SHIFTS, (("a",), ("b",), ("c",)), region="370783")


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2025-12-31T23:59", ()),
        ("2026-01-01T07:59", ()),
        ("2026-01-01T08:00", ("a",)),
        ("2026-01-01T19:59", ("a",)),
        ("2026-01-01T20:00", ("b",)),
        ("2026-01-02T00:00", ("b",)),
        ("2026-01-02T07:59", ("b",)),
        ("2026-01-02T08:00", ("c",)),
        ("2026-01-02T20:00", ("a",)),
    ],
)
def test_over_midnight_the_night_shift_stays(when: str, who: tuple[str, ...]) -> None:
    assert ROSTER.on_duty(at(when)) == who


def test_the_night_after_a_holidays_last_day_is_still_the_holidays() -> None:
    holiday = Holiday(date(2026, 10, 1), date(2026, 10, 7), (("x",), ("y",)))
    roster = Roster("r", "duty", START, TWO_SHIFTS, (("a",),), region="370783", holidays=(holiday,))
    assert roster.on_duty(at("2026-10-01T07:59")) == ("a",)
    assert roster.on_duty(at("2026-10-01T08:00")) == ("x",)
    assert roster.on_duty(at("2026-10-08T07:59")) == ("y",)
    assert roster.on_duty(at("2026-10-08T08:00")) == ("a",)


def test_a_substitute_has_the_whole_shift_and_may_have_one_too() -> None:
    swaps = (
        Substitute("b", "d", date(2026, 1, 1), date(2026, 1, 1)),
        Substitute("d", "e", date(2026, 1, 1), date(2026, 1, 1)),
    )
    roster = Roster("r", "duty", START, TWO_SHIFTS, (("a",), ("b",)), region="370783", substitutes=swaps)
    assert roster.on_duty(at("2026-01-02T07:00")) == ("e",)
    assert roster.on_duty(at("2026-01-02T21:00")) == ("b",)
