"""Faults of configuration files: where each one stands, what is wrong and how to mend it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

COLLECTED = 10_000
"""Faults kept of one check: a point table whose every row is wrong must not fill the memory."""
SHOWN = 200
"""Faults that ``format_faults`` writes out unless told otherwise."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in a configuration file."""

    file: str
    line: int
    """From 1; 0: the file as a whole, or the environment."""
    column: int
    """From 1; of a YAML file the character, of a point table the cell within its row; 0: unknown."""
    field: str
    """Path of the field, e.g. ``enterprises[0].units[2].tags[7].limits.H``; of a point table its column's name."""
    message: str
    remedy: str


class ConfigurationError(Exception):
    """The configuration cannot be used; ``faults`` says why, all of it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(format_faults(faults))
        self.faults = tuple(faults)


class FaultList:
    """Collects the faults of one check, each once; beyond ``COLLECTED`` it only counts."""

    def __init__(self) -> None:
        self._faults: dict[Fault, None] = {}
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._faults)

    def add(self, fault: Fault) -> None:
        """Keep one more fault."""
        if len(self._faults) < COLLECTED:
            self._faults[fault] = None
        elif fault not in self._faults:
            self._dropped += 1

    def sorted(self) -> list[Fault]:
        """All faults by file, line and column; the last one tells how many were too many to keep."""
        faults = sorted(self._faults)
        if self._dropped:
            faults.append(
                Fault(
                    file=faults[-1].file,
                    line=0,
                    column=0,
                    field="",
                    message=f"{self._dropped} further faults are not listed",
                    remedy="Mend the faults above and check again.",
                )
            )
        return faults

    def raise_if_any(self) -> None:
        """Raise ``ConfigurationError`` if there are faults."""
        if self._faults:
            raise ConfigurationError(self.sorted())


def format_faults(faults: Iterable[Fault], limit: int = SHOWN) -> str:
    """Plain text for a terminal: ``file:line:column: field``, then the message and the remedy, then the count.

    The text may contain square brackets: print it with ``markup=False`` on a rich console.
    """
    listed = list(faults)
    if not listed:
        return "no faults"
    blocks = []
    for fault in listed[:limit]:
        place = ":".join([fault.file, *(str(number) for number in (fault.line, fault.column) if number)])
        head = f"{place}: {fault.field}" if fault.field else place
        blocks.append(f"{head}\n    {fault.message}\n    -> {fault.remedy}")
    if len(listed) > limit:
        blocks.append(f"… and {len(listed) - limit} more")
    files = len({fault.file for fault in listed})
    blocks.append(f"{_count(len(listed), 'fault')} in {_count(files, 'file')}")
    return "\n".join(blocks)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
