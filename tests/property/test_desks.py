"""Floods equal a naive count through any restart; a screen drops nothing and puts nothing before what is gravest."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.desks.desks import Desks
from alerting.desks.floods import COUNTED, WINDOW, Floods
from alerting.desks.watch import INSTRUMENT_KINDS, board
from alerting.journal.journal import Journal
from alerting.records import Alarm, Change, Entry, Suppression
from domain.scales import AlarmState, Grade, RuleKind
from tests.watched_unit import WatchedUnit, make_site

SITE = make_site()
REGIONS = ("370783", "370000")

events = st.tuples(
    st.sampled_from(["alarm.entered", "alarm.annunciated", "alarm.realarmed", "alarm.returned", "alarm.grouped"]),
    st.integers(1, 12),
    st.sampled_from([{}, {}, {}, {}, {"cause": "works/@gw1/LINK"}, {"suppression": "shelved"}, {"drill": 7}]),
    st.sampled_from(REGIONS),
)
commits = st.lists(
    st.tuples(
        st.sampled_from([0, 250, 60_000, 150_000, 599_999, 600_000]), st.lists(events, max_size=14), st.booleans()
    ),
    min_size=1,
    max_size=40,
)


def naive(told: Sequence[Entry], data: Sequence[dict[str, object]], regions: set[str], now: int) -> int:
    """What counts at ``now``, by looking at everything."""
    count = 0
    for number, (entry, what) in enumerate(zip(told, data, strict=True)):
        if entry.kind not in COUNTED - {"alarm.grouped"} or entry.at <= now - WINDOW or what["region"] not in regions:
            continue
        if what.get("cause") or what.get("drill") or (entry.kind == "alarm.entered" and what.get("suppression")):
            continue
        later = zip(told[number + 1 :], data[number + 1 :], strict=True)
        if any(each.kind == "alarm.grouped" and each.alarm == entry.alarm and its.get("cause") for each, its in later):
            continue
        count += 1
    return count


@given(commits)
@settings(max_examples=200)
def test_floods_are_those_of_a_naive_count(
    history: list[tuple[int, list[tuple[str, int, dict[str, str], str]], bool]],
) -> None:
    desks, journal = Desks(SITE), Journal()
    floods = Floods(desks, journal)
    told: list[Entry] = []
    data: list[dict[str, object]] = []
    lasting: dict[str, int | None] = {desk.id: None for desk in desks}
    now = 1_750_000_000_000
    for pause, happened, restarts in history:
        now += pause
        if restarts:
            began = {desk: at for desk, at in lasting.items() if at is not None}
            recent = [entry for entry in told if entry.at > now - WINDOW and entry.kind in COUNTED]
            floods = Floods(desks, journal, began, recent)
        change = Change()
        for kind, alarm, what, region in happened:
            change.entries.append(journal.append(now, kind, "anshao", what, region=region, alarm=alarm))
            told.append(change.entries[-1])
            data.append({**what, "region": region})
        before = len(change.entries)
        floods.take_part(change, now)
        journaled = {(entry.kind, entry.body) for entry in change.entries[before:]}
        for desk in desks:
            rate = naive(told, data, set(desks.regions_of(desk.id)), now)
            assert floods.rate(desk.id) == rate
            if lasting[desk.id] is None and rate > 10:
                lasting[desk.id] = now
                assert any(kind == "flood.began" and f'"desk":"{desk.id}"' in body for kind, body in journaled)
            elif lasting[desk.id] is not None and rate < 5:
                lasting[desk.id] = None
                assert any(kind == "flood.ended" and f'"desk":"{desk.id}"' in body for kind, body in journaled)
            flood = floods.lasting(desk.id)
            assert (None if flood is None else flood.began_at) == lasting[desk.id]


_unit = WatchedUnit()
_unit.enters("GT-1/H", at=1)
PATTERN = next(iter(_unit.last.alarms.values()))


@st.composite
def alarms(draw: st.DrawFn) -> list[Alarm]:
    """Alarms of a few units with everything that a screen looks at."""
    made = []
    for identity in range(draw(st.integers(0, 30))):
        kind = draw(st.sampled_from([RuleKind.HIGH, RuleKind.LOW, RuleKind.STALE, RuleKind.BAD, RuleKind.SYSTEM]))
        made.append(
            replace(
                PATTERN,
                id=identity + 1,
                region=draw(st.sampled_from([*REGIONS, "110000"])),
                unit=draw(st.sampled_from(["tankfarm", "boiler"])),
                tag=f"T-{identity}",
                kind=kind,
                grade=draw(st.sampled_from(list(Grade))),
                state=draw(st.sampled_from([AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED])),
                incident=draw(st.sampled_from([None, 1, 2])),
                entered_at=draw(st.integers(0, 5)),
                suppression=draw(st.sampled_from([None, None, None, Suppression.SHELVED])),
                cause=draw(st.sampled_from([None, None, "works/T-0/H", "works/@gw1/LINK"])),
                drill=draw(st.sampled_from([None, None, None, 9])),
            )
        )
    return made


@given(alarms(), st.dictionaries(st.sampled_from([1, 2]), st.sampled_from(list(Grade))))
def test_a_screen_drops_nothing_and_what_is_gravest_stands(found: list[Alarm], grades: dict[int | None, Grade]) -> None:
    screen = board(found, frozenset(REGIONS), grades.get)
    watched = [alarm for alarm in found if alarm.region in REGIONS]
    real = [alarm for alarm in watched if alarm.drill is None]
    shown = [alarm for alarm in real if alarm.suppression is None]
    grouped = [alarm for group in screen.groups for alarm in group.members]
    assert sorted(alarm.id for alarm in screen.standing + grouped) == sorted(alarm.id for alarm in shown)
    assert sorted(alarm.id for alarm in screen.others) == sorted(alarm.id for alarm in grouped)
    assert screen.suppressed == len(real) - len(shown)
    assert sum(map(len, screen.drills.values())) == len(watched) - len(real)
    assert sum(screen.by_grade.values()) == len(shown)
    assert screen.unacknowledged == sum(alarm.is_unacknowledged for alarm in shown)
    standing = {alarm.id for alarm in screen.standing}
    for alarm in shown:
        process = alarm.kind not in INSTRUMENT_KINDS and alarm.cause is None
        grave = alarm.grade >= Grade.ORANGE or (process and grades.get(alarm.incident, Grade.BLUE) >= Grade.ORANGE)
        assert (alarm.id in standing) == grave
    for group in screen.groups:
        assert group.grade == max(alarm.grade for alarm in group.members)
        assert group.unacknowledged == sum(alarm.is_unacknowledged for alarm in group.members)
        assert group.units == {alarm.unit for alarm in group.members}
        assert screen.members(group.key) is group.members
        assert group.newest.entered_at == max(alarm.entered_at for alarm in group.members)
    assert [group.grade for group in screen.groups] == sorted((group.grade for group in screen.groups), reverse=True)
