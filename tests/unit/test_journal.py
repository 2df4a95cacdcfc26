"""The journal's chain: whoever changes, removes or puts in anything is found, and the place is named."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from alerting.journal.journal import FIRST_HASH, Journal, Verifier, chain, describe, verify
from alerting.records import Entry

AT = 1_750_032_000_000
COUNT = 12


def entries() -> list[Entry]:
    """A small journal with everything that an entry may hold."""
    journal = Journal()
    return [
        journal.append(
            AT + number,
            "alarm.entered" if number % 2 else "incident.opened",
            "王芳",
            {"value": 1.5 * number, "comment": "已派员 ☎", "none": None},
            region="370783",
            enterprise="works",
            unit="tankfarm",
            tag="GT-1",
            rule="HH",
            alarm=0 if number % 2 else None,
            incident=0 if number % 2 == 0 else 1,
        )
        for number in range(COUNT)
    ]


def first_fault(journal: Sequence[Entry]) -> str | None:
    """What is wrong with it, if anything is."""
    verifier = Verifier()
    return next((fault for entry in journal if (fault := verifier.check(entry)) is not None), None)


def test_an_untouched_journal_holds() -> None:
    assert first_fault(entries()) is None


def test_the_chain_is_sha_256_over_the_hash_before_and_the_body() -> None:
    before = bytes(32)
    for entry in entries():
        before = hashlib.sha256(before + entry.body.encode()).digest()
        assert entry.hash == before
    assert bytes(32) == FIRST_HASH


def test_a_body_is_json_with_sorted_keys_and_holds_everything() -> None:
    entry = entries()[1]
    body = orjson.loads(entry.body)
    assert list(body) == sorted(body)
    assert body == {
        "sequence": 2, "at": AT + 1, "kind": "alarm.entered", "actor": "王芳", "region": "370783",
        "enterprise": "works", "unit": "tankfarm", "tag": "GT-1", "rule": "HH", "alarm": 2, "incident": 1,
        "data": {"value": 1.5, "comment": "已派员 ☎", "none": None},
    }  # fmt: skip


def test_an_alarm_or_incident_of_0_is_the_entry_itself() -> None:
    assert [entry.alarm or entry.incident for entry in entries()] == list(range(1, COUNT + 1))


def test_a_journal_goes_on_where_it_ended() -> None:
    whole = entries()
    journal = Journal(6, whole[5].hash)
    body = orjson.loads(whole[6].body)
    again = journal.append(
        body["at"], body["kind"], body["actor"], body["data"],
        **{key: body[key] for key in ("region", "enterprise", "unit", "tag", "rule", "alarm", "incident")},
    )  # fmt: skip
    assert again == whole[6]


def test_shown_to_others_an_entry_has_a_readable_time_and_its_hash() -> None:
    entry = entries()[0]
    shown = describe(entry)
    assert (shown["at"], shown["hash"], shown["sequence"]) == ("2025-06-16T00:00:00.000Z", entry.hash.hex(), 1)


@pytest.mark.parametrize("place", [0, 1, 5, COUNT - 1])
def test_a_change_of_any_byte_of_a_body_is_found(place: int) -> None:
    journal = entries()
    text = journal[place].body
    for position, letter in enumerate(text):
        other = chr(ord(letter) ^ 1) if letter.isascii() else "天"
        changed = [*journal]
        changed[place] = replace(journal[place], body=text[:position] + other + text[position + 1 :])
        fault = first_fault(changed)
        assert fault is not None, (position, letter)
        assert fault.startswith(f"entry {place + 1} was changed")


@pytest.mark.parametrize("place", [0, 5, COUNT - 1])
def test_a_change_of_any_bit_of_a_hash_is_found(place: int) -> None:
    journal = entries()
    for position in range(32):
        for bit in range(8):
            digest = bytearray(journal[place].hash)
            digest[position] ^= 1 << bit
            changed = [*journal]
            changed[place] = replace(journal[place], hash=bytes(digest))
            assert (first_fault(changed) or "").startswith(f"entry {place + 1} was changed")
    for other in (b"", journal[place].hash[:-1], journal[place].hash + b"\0"):
        changed = [*journal]
        changed[place] = replace(journal[place], hash=other)
        assert first_fault(changed) is not None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", AT - 1), ("kind", "alarm.returned"), ("kind", ""), ("enterprise", "other"), ("enterprise", None),
        ("alarm", 99), ("alarm", None), ("incident", 99), ("incident", None),
    ],
)  # fmt: skip
def test_a_change_of_a_column_is_found_and_named(column: str, value: Any) -> None:
    journal = entries()
    journal[5] = replace(journal[5], **{column: value})
    assert first_fault(journal) == f"entry 6: its column {column} was changed and differs from its body"


@pytest.mark.parametrize("place", range(COUNT - 1))
def test_a_removed_entry_is_named(place: int) -> None:
    journal = entries()
    del journal[place]
    fault = f"entry {place + 1} is missing: after entry {place} comes entry {place + 2}"
    assert first_fault(journal) == fault


def test_a_removed_entry_is_found_even_when_the_rest_is_numbered_anew() -> None:
    journal = entries()
    del journal[4]
    renumbered = [replace(entry, sequence=number) for number, entry in enumerate(journal, 1)]
    assert first_fault(renumbered) == "entry 5 was changed, or the one before it: its hash does not follow"


def forged(sequence: int, before: bytes) -> Entry:
    """An entry that chains on to a hash."""
    return Journal(sequence - 1, before).append(AT, "alarm.entered", "mallory", {})


@pytest.mark.parametrize("place", [0, 5, COUNT - 1])
def test_an_entry_put_in_is_found(place: int) -> None:
    journal = entries()
    before = journal[place - 1].hash if place else FIRST_HASH
    with_forgery = [*journal[:place], forged(place + 1, before), *journal[place:]]
    fault = first_fault(with_forgery)
    assert fault is not None
    assert f"entry {place + 1}" in fault


@pytest.mark.parametrize("place", range(COUNT - 1))
def test_an_entry_replaced_by_a_forgery_is_found_at_the_next(place: int) -> None:
    journal = entries()
    journal[place] = forged(place + 1, journal[place - 1].hash if place else FIRST_HASH)
    assert first_fault(journal) == f"entry {place + 2} was changed, or the one before it: its hash does not follow"


@pytest.mark.parametrize(("one", "other"), [(0, 1), (3, 4), (2, 9), (COUNT - 2, COUNT - 1)])
def test_entries_in_another_order_are_found(one: int, other: int) -> None:
    journal = entries()
    journal[one], journal[other] = journal[other], journal[one]
    assert first_fault(journal) == f"entry {one + 1} is missing: after entry {one} comes entry {other + 1}"
    renumbered = [replace(entry, sequence=number) for number, entry in enumerate(journal, 1)]
    assert first_fault(renumbered) is not None


@pytest.mark.parametrize("body", ["", "null", "[]", "5", "{", '{"sequence": 12}', '"text"'])
def test_a_forged_body_that_is_no_entry_is_found_and_not_stumbled_over(body: str) -> None:
    journal = entries()
    journal[-1] = replace(journal[-1], body=body, hash=chain(journal[-2].hash, body.encode()))
    assert (first_fault(journal) or "").startswith(f"entry {COUNT}: its column")


async def in_order(journal: Sequence[Entry]) -> AsyncIterator[Entry]:
    """As ``Ledger.entries``."""
    for entry in journal:
        yield entry


@pytest.mark.parametrize(
    ("spoil", "count", "begins"),
    [
        (lambda journal: journal, COUNT, None),
        (lambda journal: journal[:3] + journal[4:], 3, "entry 4 is missing"),
        (lambda _: [], 0, None),
    ],
)
async def test_verification_says_how_far_the_journal_holds(
    spoil: Callable[[list[Entry]], list[Entry]], count: int, begins: str | None
) -> None:
    verification = await verify(in_order(spoil(entries())))
    assert verification.entries == count
    assert (verification.fault is None) is (begins is None)
    assert (verification.fault or "").startswith(begins or "")
