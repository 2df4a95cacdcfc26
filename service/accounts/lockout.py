"""Wrong passwords: after a few each further one has to wait, longer and longer."""

from collections import OrderedDict

MOST_KNOWN = 10_000
"""Keys that are remembered: the oldest are forgotten, so that nobody fills the memory."""
FIRST_WAIT, LONGEST_WAIT = 1_000, 900_000
"""ms [ours]."""


class Lockout:
    """Of each key (an account from an address, an account, an address) what was wrong in a row.

    ``free``: wrong ones that cost nothing. A quarter of an hour after the last wait has ended, all is forgotten.
    """

    def __init__(self, free: int) -> None:
        self._free = free
        self._wrong: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """Number in a row, and when the next may be tried."""

    def wait(self, key: str, now: int) -> int:
        """Ms until this may be tried again; 0: now."""
        return max(self._wrong.get(key, (0, 0))[1] - now, 0)

    def wrong(self, key: str, now: int) -> int:
        """Take note of a wrong one; returns ms until the next may be tried."""
        count, until = self._wrong.pop(key, (0, 0))
        count = 1 if until + LONGEST_WAIT < now and count else count + 1
        over = count - self._free
        wait = 0 if over < 0 else min(FIRST_WAIT << min(over, 20), LONGEST_WAIT)
        self._wrong[key] = (count, now + wait)
        while len(self._wrong) > MOST_KNOWN:
            self._wrong.popitem(last=False)
        return wait

    def right(self, key: str) -> None:
        """Forget what was wrong."""
        self._wrong.pop(key, None)
