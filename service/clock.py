"""The clock of the machine."""

import time


class SystemClock:
    """Wall-clock time."""

    def now(self) -> int:
        """Ms UTC."""
        return time.time_ns() // 1_000_000
