"""Faults of gateways and their links, from ``begin`` until ``end`` (ms UTC of true time, the end not included)."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulators.faults.spell import TINY, Spell

_HUGE = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFault(Spell):
    """A fault of a gateway or its link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(GatewayFault):
    """延迟, messages take longer than the gateway's usual latency; they still come in order."""

    latency: float = 0.0
    """s, added."""
    jitter: float = 0.0
    """s, mean of a further delay that is spread exponentially."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(latency=(0.0, _HUGE), jitter=(0.0, _HUGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage(GatewayFault):
    """断网, nothing arrives; the gateway stores what it reads and replays it afterwards, oldest first.

    Source times are those of the readings. Messages that come in the meantime queue up behind the stored ones, or go
    first.
    """

    rate: float = 50.0
    """Stored messages that are replayed per s [ours]."""
    store: int | None = None
    """Messages that find room in the store; one more pushes out the oldest. 0: no store and forward. None: no end."""
    live_first: bool = False
    """New messages don't wait for the stored ones."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(rate=(TINY, _HUGE))
        if self.store is not None and self.store < 0:
            raise ValueError(f"store: {self.store} is not possible; give a number of messages from 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowLink(GatewayFault):
    """慢链路, so many messages per s at the most; what is more waits its turn, and goes on waiting after the end."""

    rate: float
    """Messages per s."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(rate=(TINY, _HUGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockShift(GatewayFault):
    """时钟偏差, the gateway's clock is wrong by ``offset``, and by so much more for each day; then it is set right."""

    offset: float = 0.0
    """s ahead of the true time; below 0: behind."""
    per_day: float = 0.0
    """s a day that the clock gains; below 0: loses."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(offset=(-_HUGE, _HUGE), per_day=(-86_400.0, _HUGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates(GatewayFault):
    """重复, messages that arrive once more, as MQTT QoS 1 allows."""

    share: float
    """Of the messages, 0 to 1."""
    after: float = 5.0
    """s after the first that a copy comes at the latest."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(share=(0.0, 1.0), after=(0.0, _HUGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reordering(GatewayFault):
    """乱序, messages that are overtaken by later ones."""

    share: float
    """Of the messages, 0 to 1."""
    by: float = 5.0
    """s that one is held up at the most."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(share=(0.0, 1.0), by=(0.0, _HUGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongUnits(GatewayFault):
    """单位错误, some tags are sent in another unit: value times ``factor`` plus ``offset``. The quality hides it."""

    tags: tuple[str, ...]
    factor: float = 1.0
    """1000 for kPa in place of MPa."""
    offset: float = 0.0
    """Engineering units of what is sent."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(factor=(-_HUGE, _HUGE), offset=(-_HUGE, _HUGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart(GatewayFault):
    """重启, from ``begin`` nothing is read for ``gap`` seconds; what there was to read is lost.

    From then until ``end`` the gateway sends the values of its last message from before, at new times, because it has
    not polled its instruments again yet.
    """

    gap: float
    """s; as long as from begin to end: no stale values."""

    def check(self) -> None:
        """See ``GatewayFault``."""
        self._within(gap=(0.0, (self.end - self.begin) / 1000.0))


GATEWAY_FAULTS: Mapping[str, type[GatewayFault]] = {
    "delay": Delay,
    "outage": Outage,
    "slow_link": SlowLink,
    "clock_skew": ClockShift,
    "clock_jump": ClockShift,
    "duplicates": Duplicates,
    "reordering": Reordering,
    "wrong_units": WrongUnits,
    "restart": Restart,
}
"""By the name that scenarios use. Parameters are the fields of the class beside ``begin`` and ``end``."""
