"""What signed heads say of each other, of their file and of the journal's end; part of ``alerting.journal.audit``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from alerting.journal.heads import FILE, Head, head_of, lines_of
from alerting.journal.keys import VerifyKey

NAMES = tuple(column.name for column in fields(Head))
ALIKE = 5
"""So many equal columns of 8 make a spoilt head a copy of another one [ours]."""
_DERIVED = tuple(name for name in NAMES if name not in {"key", "signature"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A head as the ledger has it, whatever that is."""

    values: Mapping[str, Any]
    head: Head | None
    """None: it is none."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Stored":
        """From a row whose texts come as bytes."""
        values = {name: row[name] for name in NAMES}
        for name in ("day", "key"):
            if isinstance(values[name], bytes):
                values[name] = values[name].decode("utf-8", "replace")
        try:
            return cls(values, head_of(values))
        except (ValueError, TypeError):
            return cls(values, None)

    def is_signed(self, keys: Mapping[str, VerifyKey]) -> bool:
        """Whether it is as a key that is known has signed it."""
        return self.head is not None and _is_signed(self.head, keys)


@dataclass(slots=True)
class Ends:
    """Heads that are as they were signed, by the number of their last entry."""

    heads: dict[int, Head] = field(default_factory=dict)

    def compare(self, head: Head, derived: Head) -> str | None:
        """What a head says otherwise than the entries that it covers."""
        wrong = [name for name in _DERIVED if getattr(head, name) != getattr(derived, name)]
        if not wrong:
            return None
        covers = f"entries {head.first} to {head.sequence}"
        return f"{covers} are not those that the head of {head.day} was signed for: {', '.join(wrong)} differ"


def check_heads(
    stored: Sequence[Stored],
    newest: Stored | None,
    filed_lines: bytes,
    keys: Mapping[str, VerifyKey],
    last: int,
    faults: list[str],
    notes: list[str],
) -> tuple[Ends, bool]:
    """Compare the days' heads with those of their file, ``filed_lines``, and with each other.

    ``last``: number of the last entry. Returns those that hold, and whether the journal has never been signed.
    """
    lines = list(lines_of(filed_lines))
    if not stored and not lines and newest is None:
        if not keys or not last:
            if last:
                notes.append(
                    "this journal has no signed heads yet: its chain is checked, but nothing shows whether its last "
                    "entries were removed; it is signed from the next start of the service on"
                )
            return Ends(), True
        faults.append("the newest head was removed, or the service has not committed since its key was made")
        return Ends(), True
    held = {head.sequence: head for head in (one.head for one in stored if one.is_signed(keys)) if head is not None}
    filed = {head.sequence: head for _, _, head in lines if head is not None and _is_signed(head, keys)}
    spoilt = _spoilt_rows(stored, filed, keys, faults) | _spoilt_lines(lines, held, keys, FILE, faults)
    _compare_sides(held, filed, spoilt, newest, last, FILE, faults)
    ends = Ends(dict(sorted((filed | held).items())))
    before = 0
    for head in ends.heads.values():
        if head.first != before + 1:
            faults.append(
                f"a head is missing before that of {head.day}: no head covers entries {before + 1} to {head.first - 1}"
            )
        before = head.sequence
    return ends, False


def _spoilt_rows(
    stored: Sequence[Stored], filed: Mapping[int, Head], keys: Mapping[str, VerifyKey], faults: list[str]
) -> set[int]:
    """Name the columns that were changed; numbers of the heads that these rows were."""
    known = set()
    for one in stored:
        if one.is_signed(keys):
            continue
        place = f"head of {one.values['day']} (journal_head, sequence {one.values['sequence']})"
        twin = _twin(one.values, filed.values())
        if twin is None:
            faults.append(f"{place}: {_why_unsigned(one, keys)}")
            continue
        known.add(twin.sequence)
        wrong = [name for name in NAMES if one.values[name] != getattr(twin, name)]
        faults.append(f"{place}: its column {', '.join(wrong)} was changed and differs from its copy in the file")
    return known


def _spoilt_lines(
    lines: Sequence[tuple[int, bytes, Head | None]],
    held: Mapping[int, Head],
    keys: Mapping[str, VerifyKey],
    name: str,
    faults: list[str],
) -> set[int]:
    known = set()
    for number, line, head in lines:
        if head is not None and _is_signed(head, keys) and head.line == line:
            continue
        place = f"{name}, line {number}"
        twin = max(held.values(), key=lambda one: _alike(line, one.line), default=None)
        if twin is None or 2 * _alike(line, twin.line) < len(twin.line):
            faults.append(f"{place}: it is no head, or its signature does not hold")
            continue
        known.add(twin.sequence)
        same = next((at for at, pair in enumerate(zip(line, twin.line, strict=False)) if pair[0] != pair[1]), len(line))
        faults.append(f"{place}, byte {same + 1}: changed; the ledger has it for the head of {twin.day}")
    return known


def _compare_sides(
    held: Mapping[int, Head],
    filed: Mapping[int, Head],
    spoilt: set[int],
    newest: Stored | None,
    last: int,
    name: str,
    faults: list[str],
) -> None:
    for sequence, head in filed.items():
        if sequence in held or sequence in spoilt:
            continue
        covers = f"the head of {head.day} (entries {head.first} to {sequence})"
        if sequence > last:
            faults.append(
                f"{name} has {covers}, but the journal ends with entry {last}: "
                "entries were removed, or the ledger was set back to an older copy"
            )
        elif newest is None or newest.head is None or newest.head.statement != head.statement:
            # Otherwise the service stopped between the file and the commit, which its next start repeats.
            faults.append(f"{covers} was removed from the ledger; {name} has it")
    for sequence, head in held.items():
        if sequence not in filed and sequence not in spoilt:
            faults.append(f"{name} lacks the head of {head.day} (entries {head.first} to {sequence})")


def check_newest(
    newest: Stored | None, derived: Head, last: int, keys: Mapping[str, VerifyKey], faults: list[str]
) -> None:
    """Compare the newest head with the journal's end; ``derived``: what it should say."""
    if newest is None:
        faults.append("the newest head was removed (journal_newest has no row)")
        return
    if newest.is_signed(keys) and newest.head is not None:
        head = newest.head
        if head.sequence > last:
            gone = f"entry {head.sequence}" if head.sequence == last + 1 else f"entries {last + 1} to {head.sequence}"
            were = "was" if head.sequence == last + 1 else "were"
            faults.append(f"{gone} {were} removed: the newest head was signed for them")
        elif head.sequence < last:
            faults.append(f"entries {head.sequence + 1} to {last} were put in: the newest head ends before them")
        elif derived.sequence == last:
            # Where a day's head has been made since, and no entry after it, nothing is left to derive a tree from.
            known = _DERIVED if derived.first <= derived.sequence else ("day", "at", "hash")
            wrong = [name for name in known if getattr(head, name) != getattr(derived, name)]
            if wrong:
                faults.append(f"the last entries are not those that the newest head was signed for: {', '.join(wrong)}")
        return
    wrong = [name for name in _DERIVED if newest.values[name] != getattr(derived, name)]
    what = f"its column {', '.join(wrong)} was changed" if wrong else _why_unsigned(newest, keys)
    faults.append(f"newest head (journal_newest, sequence {newest.values['sequence']}): {what}")


def _why_unsigned(one: Stored, keys: Mapping[str, VerifyKey]) -> str:
    key = one.values["key"]
    if key not in keys:
        return f"its column key was changed, or it was signed by a key that is not known here: {str(key)[:64]}"
    return "its signature does not hold: its column signature was changed, or what it was signed for"


def _is_signed(head: Head, keys: Mapping[str, VerifyKey]) -> bool:
    key = keys.get(head.key)
    return key is not None and head.is_signed_by(key)


def _twin(values: Mapping[str, Any], heads: Any) -> Head | None:
    def alike(head: Head) -> int:
        return sum(values[name] == getattr(head, name) for name in NAMES)

    best: Head | None = max(heads, key=alike, default=None)
    return best if best is not None and alike(best) >= ALIKE else None


def _alike(one: bytes, other: bytes) -> int:
    return sum(a == b for a, b in zip(one, other, strict=False))
