"""What is wrong in a scenario file, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 100
"""Faults that the message of a refusal lists."""

Loc = tuple[str | int, ...]
"""Way from a file's root to a value: keys and list indices."""


@dataclass(frozen=True, slots=True, order=True)
class ScenarioFault:
    """One thing that is wrong."""

    file: str
    line: int
    """From 1; 0: the file as a whole."""
    field: str
    """E.g. ``timeline[2].at``."""
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        head = f"{place}: {self.field}" if self.field else place
        return f"{head}\n    {self.message}\n    -> {self.remedy}"


class ScenarioRefused(Exception):
    """A scenario that cannot be played; ``faults`` says why, all of it."""

    def __init__(self, faults: Sequence[ScenarioFault]) -> None:
        self.faults = tuple(sorted(faults))
        listed = [str(fault) for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            listed.append(f"… and {len(self.faults) - SHOWN} more")
        super().__init__("\n".join(listed))


def field_name(loc: Loc) -> str:
    """``("timeline", 2, "at")`` as ``timeline[2].at``."""
    name = ""
    for step in loc:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name
