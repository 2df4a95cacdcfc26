"""Whoever changes a byte of the journal or its heads, or takes its end away, is found, and the place is named."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from alerting.journal import merkle
from alerting.journal.heads import FILE, lines_of, read_file
from alerting.journal.journal import Journal
from alerting.journal.keys import KeyUnusable, SigningKey, known_keys, open_key
from alerting.journal.sealing import BROKEN, KEY_CHANGED
from alerting.ledger.ledger import Ledger
from alerting.records import Change
from tests.sealed_ledger import DAY, MORNING, Signed, days, opened, sqlite_url

TEXTS = ("kind", "enterprise", "body", "hash")
NUMBERS = ("sequence", "at", "alarm", "incident")
HEAD_TEXTS = ("day", "hash", "root", "key", "signature")
HEAD_NUMBERS = ("sequence", "first", "at")


@pytest.fixture
async def signed(tmp_path: Path) -> AsyncIterator[Signed]:
    async with days(sqlite_url(tmp_path), tmp_path) as made:
        yield made


def changed(value: bytes, at: int) -> bytes:
    """One bit of one byte turned over."""
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


async def stored(signed: Signed, table: str, column: str, key: str, number: int) -> bytes | None:
    """The bytes of a column."""
    async with signed.ledger.engine.connect() as connection:
        query = text(f"SELECT CAST({column} AS BLOB) FROM {table} WHERE {key} = {number}")
        found = await connection.scalar(query)
        return None if found is None else bytes(found)


async def test_an_untouched_journal_holds(signed: Signed) -> None:
    findings = await signed.audit()
    assert (findings.entries, findings.heads, findings.faults, findings.notes) == (18, 2, [], [])
    assert [head.day for _, _, head in lines_of(read_file(signed.folder / FILE)) if head] == [
        "2026-11-22",
        "2026-11-23",
    ]


@pytest.mark.parametrize("column", TEXTS)
@pytest.mark.parametrize("row", [1, 6, 18])
async def test_any_changed_byte_of_a_text_of_an_entry_is_found_and_named(signed: Signed, row: int, column: str) -> None:
    value = await stored(signed, "journal", column, "sequence", row)
    if value is None:
        await signed.execute(f"UPDATE journal SET {column} = 'works' WHERE sequence = {row}")
        assert await signed.faults() == [f"entry {row}: its column {column} was changed and differs from its body"]
        return
    kind = "BLOB" if column == "hash" else "TEXT"
    for at in range(0, len(value), 1 if row == 6 else 7):
        await signed.execute(
            f"UPDATE journal SET {column} = CAST(:value AS {kind}) WHERE sequence = {row}", value=changed(value, at)
        )
        faults = await signed.faults()
        assert faults, at
        assert faults[0].startswith(f"entry {row}: its column {column} was changed"), (at, faults)
    await signed.execute(f"UPDATE journal SET {column} = CAST(:value AS {kind}) WHERE sequence = {row}", value=value)
    assert await signed.faults() == []


@pytest.mark.parametrize("column", NUMBERS)
@pytest.mark.parametrize("row", [1, 2, 6, 17, 18])
async def test_any_changed_bit_of_a_number_of_an_entry_is_found_and_named(
    signed: Signed, row: int, column: str
) -> None:
    # Entries have numbers up to 18: no other has the number that comes of it.
    for bit in range(5, 63, 3):
        ours = {"body": f'%"sequence":{row},%'}
        turned = f"(coalesce({column}, 0) | :bit) - (coalesce({column}, 0) & :bit)"
        await signed.execute(f"UPDATE journal SET {column} = {turned} WHERE body LIKE :body", bit=1 << bit, **ours)
        faults = await signed.faults()
        if column != "sequence":
            assert faults == [f"entry {row}: its column {column} was changed and differs from its body"]
        elif row < 18:
            assert faults[0].startswith(f"entry {row} is missing: after entry {row - 1} comes entry {row + 1}")
        else:
            assert faults[0].startswith("entries 18 to ")
        told = f"UPDATE journal SET {column} = json_extract(body, '$.{column}') WHERE body LIKE :body"
        await signed.execute(told, **ours)
    assert await signed.faults() == []


@pytest.mark.parametrize(("table", "key", "row"), [("journal_head", "sequence", 6), ("journal_head", "sequence", 12),
                                                   ("journal_newest", "id", 1)])  # fmt: skip
@pytest.mark.parametrize("column", [*HEAD_TEXTS, *HEAD_NUMBERS])
async def test_any_changed_byte_of_a_head_is_found_and_named(
    signed: Signed, table: str, key: str, row: int, column: str
) -> None:
    value = await stored(signed, table, column, key, row)
    assert value is not None
    kind = "INTEGER" if column in HEAD_NUMBERS else "TEXT" if column in {"day", "key"} else "BLOB"
    for at in range(len(value)):
        cast = f"CAST(CAST(:value AS TEXT) AS {kind})" if kind == "INTEGER" else f"CAST(:value AS {kind})"
        await signed.execute(f"UPDATE {table} SET {column} = {cast} WHERE {key} = {row}", value=changed(value, at))
        faults = await signed.faults()
        assert len(faults) == 1, (at, faults)
        assert f"column {column} was changed" in faults[0], (at, faults)
        assert ("newest head" if table == "journal_newest" else "head of ") in faults[0]
        moved = int(changed(value, at)) if column == key else row
        await signed.execute(f"UPDATE {table} SET {column} = {cast} WHERE {key} = {moved}", value=value)
    assert await signed.faults() == []


async def test_any_changed_byte_of_the_file_of_heads_is_found_and_named(signed: Signed) -> None:
    file = signed.folder / FILE
    content = file.read_bytes()
    for at in range(len(content)):
        file.write_bytes(changed(content, at))
        faults = await signed.faults()
        assert faults, at
        line = content[:at].count(b"\n") + 1
        place = at - (content.rfind(b"\n", 0, at) + 1)
        if content[at] == ord("\n"):
            assert f"{FILE}" in faults[0], (at, faults)
        else:
            assert faults == [
                f"{FILE}, line {line}, byte {place + 1}: changed; the ledger has it for the head of 2026-11-2{line + 1}"
            ]


@pytest.mark.parametrize("count", range(1, 19))
async def test_removed_last_entries_are_found_whatever_their_number(signed: Signed, count: int) -> None:
    await signed.execute("DELETE FROM journal WHERE sequence > :last", last=18 - count)
    faults = await signed.faults()
    gone = "entry 18 was" if count == 1 else f"entries {19 - count} to 18 were"
    assert f"{gone} removed: the newest head was signed for them" in faults


async def test_removed_heads_are_found(signed: Signed) -> None:
    await signed.execute("DELETE FROM journal_head WHERE sequence = 6")
    assert await signed.faults() == [
        f"the head of 2026-11-22 (entries 1 to 6) was removed from the ledger; {FILE} has it"
    ]
    await signed.execute("DELETE FROM journal_newest")
    assert "the newest head was removed (journal_newest has no row)" in await signed.faults()
    (signed.folder / FILE).unlink()
    faults = await signed.faults()
    assert f"{FILE} lacks the head of 2026-11-23 (entries 7 to 12)" in faults
    assert "a head is missing before that of 2026-11-23: no head covers entries 1 to 6" in faults
    await signed.execute("DELETE FROM journal_head")
    assert await signed.faults() == [
        "the newest head was removed, or the service has not committed since its key was made"
    ]


async def test_a_ledger_that_was_set_back_is_found(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path), tmp_path) as signed:
        await signed.enter(MORNING, 5)
    shutil.copy(tmp_path / "ledger.sqlite", tmp_path / "copy.sqlite")
    async with opened(sqlite_url(tmp_path), tmp_path) as signed:
        await signed.enter(MORNING + 1, 5)
        await signed.enter(MORNING + DAY, 1)
    for file in tmp_path.glob("ledger.sqlite*"):
        file.unlink()
    shutil.copy(tmp_path / "copy.sqlite", tmp_path / "ledger.sqlite")
    async with opened(sqlite_url(tmp_path), tmp_path) as signed:
        assert await signed.faults() == [
            (
                f"{FILE} has the head of 2026-11-22 (entries 1 to 10), but the journal ends with entry 5: "
                "entries were removed, or the ledger was set back to an older copy"
            )
        ]
        assert [found.kind for found in signed.found] == [BROKEN]


async def test_a_file_of_heads_that_cannot_be_read_keeps_no_alarm_waiting(signed: Signed) -> None:
    (signed.folder / FILE).unlink(missing_ok=True)
    (signed.folder / FILE).mkdir()
    async with opened(signed.url, signed.folder) as again:
        assert [found.kind for found in again.found] == [BROKEN]
        await again.enter(MORNING + DAY, 1)


async def test_what_a_start_finds_stays_in_the_journal(signed: Signed) -> None:
    await signed.execute("DELETE FROM journal WHERE sequence > 15")
    async with opened(signed.url, signed.folder) as again:
        (found,) = again.found
        assert (found.kind, found.data["entries"], found.data["head"]["sequence"]) == (BROKEN, 15, 18)
        change = Change()
        change.entries.append(again.journal.append(MORNING + 3 * DAY, found.kind, "anshao", found.data))
        await again.ledger.commit(change)
        assert await again.faults() == [
            (
                "entry 16 records that the journal was found broken at a start: "
                "the journal does not end as its newest head says"
            )
        ]


async def test_entries_put_in_at_the_end_are_found(signed: Signed) -> None:
    unsigned = Ledger(signed.url)
    change = Change()
    change.entries.append(signed.journal.append(MORNING + 3 * DAY, "alarm.acknowledged", "mallory", {}))
    await unsigned.commit(change)
    await unsigned.close()
    assert await signed.faults() == ["entries 19 to 19 were put in: the newest head ends before them"]


async def test_a_rewritten_journal_with_true_hashes_does_not_fit_its_heads(signed: Signed) -> None:
    """The chain alone cannot find this: whoever knows the rule can compute it anew."""
    await signed.execute("DELETE FROM journal")
    forger = Ledger(signed.url)
    signed.journal.__init__()  # type: ignore[misc]
    forged = Signed(signed.url, signed.folder, forger, signed.journal, ())
    for day in range(3):
        for hour in range(3):
            await forged.enter(MORNING + day * DAY + hour * 3_600_000 + 1, 2)
    await forger.close()
    faults = await signed.faults()
    assert "entries 1 to 6 are not those that the head of 2026-11-22 was signed for: at, hash, root differ" in faults
    assert "the last entries are not those that the newest head was signed for: at, hash, root" in faults


async def test_a_journal_from_before_the_heads_is_accepted_and_said_so(tmp_path: Path) -> None:
    unsigned = Ledger(sqlite_url(tmp_path))
    await unsigned.start()
    old = Signed(sqlite_url(tmp_path), tmp_path, unsigned, (await _journal(unsigned)), ())
    await old.enter(MORNING, 4)
    findings = await old.audit()
    assert findings.faults == []
    assert "no signed heads yet" in findings.notes[0]
    await unsigned.close()
    async with opened(sqlite_url(tmp_path), tmp_path) as signed:
        assert signed.found == []
        await signed.enter(MORNING + DAY, 1)
        findings = await signed.audit()
        assert (findings.faults, findings.notes, findings.heads) == ([], [], 1)


async def _journal(ledger: Ledger) -> Journal:
    loaded = await ledger.load(settled_since=2**62)
    return Journal(loaded.sequence, loaded.last_hash)


async def test_a_restart_goes_on_with_the_same_tree(tmp_path: Path) -> None:
    for hour in range(4):
        async with opened(sqlite_url(tmp_path), tmp_path) as signed:
            assert signed.found == []
            await signed.enter(MORNING + hour * DAY // 2, 3)
            assert await signed.faults() == []


async def test_a_head_that_only_the_file_got_before_a_crash_is_taken_up(signed: Signed) -> None:
    """The process dies after the line is on disk and before the commit."""
    sealer = signed.ledger._sealer
    assert sealer is not None
    assert sealer.is_day_over([], MORNING + 4 * DAY)
    sealer.close_day()
    assert await signed.faults() == []
    async with opened(signed.url, signed.folder) as again:
        assert again.found == []
        await again.enter(MORNING + 4 * DAY, 1)
        findings = await again.audit()
        assert (findings.faults, findings.heads) == ([], 3)


async def test_a_file_that_takes_no_head_when_a_day_ends_is_no_tampering(
    signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk at midnight, then a restart, then room again: the next head covers both days."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("alerting.journal.heads.os.fsync", full)
    await signed.enter(MORNING + 4 * DAY, 2)
    findings = await signed.audit()
    assert (findings.faults, findings.heads) == ([], 2)
    monkeypatch.undo()
    async with opened(signed.url, signed.folder) as again:
        assert again.found == []
        await again.enter(MORNING + 4 * DAY + 1_000, 1)
        assert await again.faults() == []
        await again.enter(MORNING + 5 * DAY, 1)
        findings = await again.audit()
        assert (findings.faults, findings.heads) == ([], 3)


async def test_a_day_ends_without_an_entry_too(signed: Signed) -> None:
    await signed.ledger.commit(Change(), canary=MORNING + 3 * DAY)
    await signed.ledger.commit(Change(), canary=MORNING + 3 * DAY + 1)
    findings = await signed.audit()
    assert (findings.faults, findings.heads) == ([], 3)
    await signed.enter(MORNING + 5 * DAY)
    assert await signed.faults() == []


async def test_another_key_is_said_in_the_journal_and_old_heads_still_hold(signed: Signed) -> None:
    (signed.folder / "keys" / "journal.key").unlink()
    async with opened(signed.url, signed.folder) as again:
        assert [found.kind for found in again.found] == [KEY_CHANGED]
        await again.enter(MORNING + 3 * DAY)
        assert await again.faults() == []


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = open_key(tmp_path / "keys")
    file = tmp_path / "keys" / "journal.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert open_key(tmp_path / "keys").fingerprint == key.fingerprint
    assert set(known_keys(tmp_path / "keys")) == {key.fingerprint}
    with pytest.raises(FileExistsError):
        SigningKey.make().write(file)
    file.write_bytes(b"no key")
    with pytest.raises(KeyUnusable, match="holds no private key"):
        open_key(tmp_path / "keys")


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, as it stands there."""
    if len(leaves) == 1:
        return merkle.leaf_of(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_of(naive_root(leaves[:split]), naive_root(leaves[split:]))


@given(st.integers(1, 200), st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_trees_and_paths_are_those_of_the_standard(size: int, data: st.DataObject) -> None:
    leaves = [number.to_bytes(32, "big") for number in range(size)]
    root = naive_root(leaves)
    assert merkle.Tree(leaves).root == root
    index = data.draw(st.integers(0, size - 1))
    path = merkle.paths(leaves, [index])[index]
    assert merkle.root_by(path, leaves[index], index, size) == root
    other = data.draw(st.integers(0, size - 1))
    assert (merkle.root_by(path, leaves[index], other, size) == root) == (other == index)
    assert merkle.root_by([*path, root], leaves[index], index, size) != root
    if path:
        assert merkle.root_by(path[:-1], leaves[index], index, size) != root
