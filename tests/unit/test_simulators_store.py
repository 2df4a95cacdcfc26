"""Store and forward: nothing leaves the store before it is vouched for, and what was lost on the way goes again."""

from simulators.store import Store


def filled(count: int, limit: int = 100) -> Store:
    store = Store(limit, patience=30.0)
    for number in range(count):
        store.add(str(number), b"%d" % number)
    return store


def test_readings_go_out_once_and_in_order() -> None:
    store = filled(5)
    assert list(store.take(3, 0.0)) == ["0", "1", "2"]
    assert list(store.take(3, 0.0).values()) == [b"3", b"4"]
    assert store.take(3, 0.0) == {}
    assert not store.waiting
    assert len(store) == 5


def test_what_is_vouched_for_is_dropped_and_counted_once() -> None:
    store = filled(4)
    store.take(4, 0.0)
    assert store.settle(["0", "2", "of another run"]) == 2
    assert store.settle(["2"]) == 0
    store.rewind()
    assert list(store.take(9, 1.0)) == ["1", "3"]


def test_a_reconnect_sends_again_whatever_is_kept() -> None:
    store = filled(3)
    store.take(2, 0.0)
    store.rewind()
    assert list(store.take(9, 1.0)) == ["0", "1", "2"]


def test_a_full_store_gives_up_its_oldest_and_says_so() -> None:
    store = filled(5, limit=3)
    assert store.full
    assert store.lost == 2
    assert list(store.take(9, 0.0)) == ["2", "3", "4"]


def test_a_reading_settled_while_it_waits_again_is_not_sent() -> None:
    store = filled(2)
    store.take(2, 0.0)
    store.rewind()
    store.settle(["0"])
    assert list(store.take(9, 1.0)) == ["1"]


def test_a_hole_in_the_receipts_is_sent_again_after_patience() -> None:
    store = filled(1)
    store.take(1, 0.0)
    store.add("late", b"late")
    store.take(1, 29.0)
    store.settle(["late"])
    assert not store.waiting
    store.add("later", b"later")
    store.take(1, 31.0)
    store.settle(["later"])
    assert list(store.take(9, 32.0)) == ["0"]


def test_a_silent_receiver_causes_no_second_sending() -> None:
    store = filled(3)
    store.take(3, 0.0)
    store.add("much later", b"")
    assert list(store.take(9, 3600.0)) == ["much later"]
