"""Stories of the sound: silenced for a few minutes, by whom and why; what is red takes two."""

import pytest

from alerting.refusals import Conflict, NotFound
from tests.watched_unit import WatchedUnit, ms

MINUTE = 60


def silences(
    unit: WatchedUnit,
    scope: str,
    target: str,
    at: float,
    minutes: float,
    second: str | None = None,
    regions: tuple[str, ...] = (),
) -> list[str]:
    """An officer silences the sound."""
    until = ms(at + minutes * MINUTE)
    return unit.does(
        lambda register, change: register.sound.silence(
            scope, target, regions, until, "处置中", "county", "王芳", second, ms(at), change
        )
    )


def test_a_silence_ends_by_itself_and_acknowledges_nothing() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=0)
    assert silences(unit, "unit", "works/tankfarm", 1, 5) == ["sound.silenced tankfarm"]
    (silence,) = unit.register.sound.silences.values()
    assert (silence.id, silence.until, silence.name) == (len(unit.books.entries), ms(301), "王芳")
    assert unit.alarm("PI-1/H").is_unacknowledged
    unit.restarts()
    assert unit.waits_until(300) == []
    assert unit.waits_until(301) == ["sound.resumed tankfarm"]
    assert unit.books.told()[-1]["data"]["why"] == "expired"
    assert not unit.register.sound.silences
    unit.restarts()
    assert not unit.register.sound.silences


def test_ten_minutes_are_the_most() -> None:
    unit = WatchedUnit()
    for minutes in (0, 10.01):
        with pytest.raises(Conflict, match="10 min at the most"):
            silences(unit, "unit", "works/tankfarm", 1, minutes)
    silences(unit, "unit", "works/tankfarm", 1, 10)


def test_the_silence_of_an_alarm_is_an_entry_about_it() -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", at=0)
    alarm = unit.alarm("PI-1/H")
    assert silences(unit, "alarm", str(alarm.id), 1, 5) == ["sound.silenced PI-1/H"]
    assert unit.books.told()[-1]["alarm"] == alarm.id
    with pytest.raises(NotFound):
        silences(unit, "alarm", "999", 1, 5)


def test_the_sound_is_switched_on_again_by_a_person() -> None:
    unit = WatchedUnit()
    silences(unit, "unit", "works/tankfarm", 1, 5)
    identity = next(iter(unit.register.sound.silences))

    def resume() -> list[str]:
        return unit.does(lambda register, change: register.sound.resume(identity, "c", "李强", "", ms(2), change))

    assert resume() == ["sound.resumed tankfarm"]
    with pytest.raises(NotFound, match="is over"):
        resume()
    assert unit.waits_until(400) == []


@pytest.mark.parametrize(
    ("scope", "target"),
    [("unit", "works/tankfarm"), ("desk", "370783"), ("alarm", "the red one"), ("alarm", "another")],
)
def test_what_is_red_is_silenced_by_two_different_persons_only(scope: str, target: str) -> None:
    unit = WatchedUnit()
    unit.enters("PI-1/H", "MT-1/CH4-3", at=0)
    if scope == "alarm":
        target = str(unit.alarm("MT-1/CH4-3" if target == "the red one" else "PI-1/H").id)
    with pytest.raises(Conflict, match="not silenced by one person"):
        silences(unit, scope, target, 1, 5, regions=("370783",))
    with pytest.raises(Conflict, match="another one than the first"):
        silences(unit, scope, target, 1, 5, second="王　芳 ", regions=("370783",))
    assert len(silences(unit, scope, target, 1, 5, second="李强", regions=("370783",))) == 1


def test_red_elsewhere_needs_no_second_person() -> None:
    unit = WatchedUnit()
    unit.enters("MT-1/CH4-3", at=0)
    silences(unit, "unit", "works/boiler", 1, 5)
    silences(unit, "desk", "370000-other", 1, 5, regions=("370000",))


def test_the_silence_of_one_person_ends_at_red_and_that_of_two_does_not() -> None:
    unit = WatchedUnit()
    silences(unit, "unit", "works/tankfarm", 1, 9)
    silences(unit, "desk", "370783", 1, 9, regions=("370783",))
    silences(unit, "desk", "370783", 1, 9, second="李强", regions=("370783",))
    told = unit.enters("MT-1/CH4-3", at=2)
    assert [what for what in told if what.startswith("sound")] == ["sound.resumed tankfarm", "sound.resumed None"]
    assert [silence.second for silence in unit.register.sound.silences.values()] == ["李强"]
