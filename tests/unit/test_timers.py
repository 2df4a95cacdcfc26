"""Timers: what comes due, when, in which order."""

from hypothesis import given
from hypothesis import strategies as st

from alerting.alarms.timers import TimerKey, Timers

KEYS = [(kind, number, "") for kind in ("calm", "stale") for number in range(3)]


def test_each_key_comes_once_in_the_order_of_instants_then_of_keys() -> None:
    timers = Timers()
    for key, due in (("b", 30), ("c", 10), ("a", 10)):
        timers.set((key, 0, ""), due)
    assert list(timers.take_due(9)) == []
    assert [(at, key[0]) for at, key in timers.take_due(30)] == [(10, "a"), (10, "c"), (30, "b")]
    assert list(timers.take_due(99)) == []


def test_what_is_set_while_others_come_due_comes_too() -> None:
    timers = Timers()
    timers.set(("a", 0, ""), 1)
    found = []
    for _, key in timers.take_due(5):
        found.append(key[0])
        if key[0] == "a":
            timers.set(("b", 0, ""), 5)
            timers.set(("c", 0, ""), 6)
    assert found == ["a", "b"]


def test_cancelled_keys_do_not_stay_in_memory() -> None:
    timers = Timers()
    for number in range(10_000):
        timers.set(("a", number, ""), 10**9 + number)
        timers.cancel(("a", number, ""))
    assert len(timers) == 0
    assert len(timers._heap) <= 1_001


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("set"), st.sampled_from(KEYS), st.integers(0, 50)),
            st.tuples(st.just("cancel"), st.sampled_from(KEYS), st.just(0)),
            st.tuples(st.just("take"), st.just(KEYS[0]), st.integers(0, 50)),
        )
    )
)
def test_they_are_a_sorted_dictionary(steps: list[tuple[str, TimerKey, int]]) -> None:
    timers, plain = Timers(), dict[TimerKey, int]()
    for step, key, at in steps:
        if step == "set":
            timers.set(key, at)
            plain[key] = at
        elif step == "cancel":
            timers.cancel(key)
            plain.pop(key, None)
        else:
            expected = sorted((due, each) for each, due in plain.items() if due <= at)
            assert list(timers.take_due(at)) == expected
            for _, each in expected:
                del plain[each]
        assert len(timers) == len(plain)
