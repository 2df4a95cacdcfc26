"""The daily online rate equals a count of every millisecond, whatever the journal says."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from alerting.kpi import online
from alerting.kpi.online import Links, Move, Start, find_known, find_lost, together

LENGTH = 60
"""ms of the journal that is made up; a day of it has this many."""
PATHS = ("works/@gw1/LINK", "works/@gw2/LINK", online.BROKER)

instants = st.integers(-10, LENGTH + 10)
moves = st.lists(st.builds(Move, st.sampled_from(PATHS), instants, st.booleans()), max_size=14).map(
    lambda found: sorted(found, key=lambda move: move.at)
)
starts = st.lists(st.builds(Start, instants, st.none() | instants), max_size=4)
heard = st.none() | st.integers(0, LENGTH)


def is_in(told: list[Move], path: str, at: int) -> bool:
    """Whether a condition is in at an instant, by what was said of it last."""
    before = [move.inside for move in told if move.path == path and move.at <= at]
    return before[-1] if before else False


@given(moves, starts, st.integers(0, LENGTH), st.tuples(heard, heard))
def test_each_millisecond_is_known_or_not_and_online_or_not(
    told: list[Move], started: list[Start], begins: int, heard_at: tuple[int | None, int | None]
) -> None:
    lost = find_lost(told)
    known = find_known((begins, LENGTH), started, lost.pop(online.BROKER, ()))
    links = Links(0, LENGTH, known, lost)
    found = []
    for path, heard_last in zip(PATHS, heard_at, strict=False):
        sees = [
            at
            for at in range(begins, LENGTH)
            if not is_in(told, online.BROKER, at)
            and not any(start.until is not None and start.until <= at < start.at for start in started)
        ]
        lasts = is_in(told, path, LENGTH)
        if heard_last is not None and not lasts:
            returns = [
                move.at
                for number, move in enumerate(told)
                if move.path == path and not move.inside and is_in(told[:number], path, move.at)
            ]
            sees = [at for at in sees if at < max([heard_last, *returns])]
        (day,) = links.days(path, heard_last)
        assert day.known == len(sees)
        assert day.online == sum(not is_in(told, path, at) for at in sees)
        assert day.rate == (day.online / len(sees) if sees else None)
        found.append([day])
    (both,) = together(found)
    assert (both.known, both.online) == (found[0][0].known + found[1][0].known, found[0][0].online + found[1][0].online)


@given(moves, starts, st.lists(st.integers(1, LENGTH), min_size=1, max_size=5))
def test_days_add_up_to_what_they_are_parts_of(told: list[Move], started: list[Start], cuts: list[int]) -> None:
    lost = find_lost(told)
    known = find_known((0, LENGTH), started, lost.pop(online.BROKER, ()))
    whole = Links(0, LENGTH, known, lost)
    edges = sorted({0, LENGTH, *cuts})
    for path in PATHS[:2]:
        (day,) = whole.days(path, None)
        online_then = online.without(known, lost.get(path, ()))
        parts = [
            (online._within(known, first, last), online._within(online_then, first, last))
            for first, last in pairwise(edges)
        ]
        assert (sum(part[0] for part in parts), sum(part[1] for part in parts)) == (day.known, day.online)
