"""What faults of instruments and of gateways have in common."""

import math
from dataclasses import dataclass

TINY = math.ulp(0.0)
"""As the low end of what a parameter may be: above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time in which something is wrong: ``begin`` <= t < ``end``."""

    begin: int
    """ms UTC."""
    end: int
    """ms UTC, not included."""

    def __post_init__(self) -> None:
        if self.end <= self.begin:
            raise ValueError(f"end: {self.end} is not after begin, {self.begin}; give an instant after it")
        self.check()

    def check(self) -> None:
        """Raise ``ValueError``, which names the field and what it may be."""

    def _within(self, **ranges: tuple[float, float]) -> None:
        for name, (low, high) in ranges.items():
            value = float(getattr(self, name))
            if not low <= value <= high:
                least = "a number above 0" if low == TINY else f"a number from {low:g}"
                most = "" if high == math.inf else f" to {high:g}"
                raise ValueError(f"{name}: {value:g} is not possible; give {least}{most}")
