"""When a gateway's messages arrive, and with which times and values: all that its faults do but to the values.

A message is whatever the gateway read at one instant. Its way: it is read (``Restart``), stamped (``ClockShift``),
takes its latency (``Delay``), waits its turn on the link in order (``SlowLink``, ``Outage``), and may then still be
held up or repeated (``Reordering``, ``Duplicates``). Arrivals are reckoned in whole microseconds, so that it does not
matter in which chunks messages are given.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from domain.samples import Bool, Float64, Int64
from simulators.faults.gateway_faults import (
    ClockShift,
    Delay,
    Duplicates,
    GatewayFault,
    Outage,
    Reordering,
    Restart,
    SlowLink,
)
from simulators.faults.instruments import stream

DAY = 86_400_000
"""ms."""
_NEVER = -(2**62)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Messages in the order of their arrival, columns of one length."""

    carried: Int64
    """Number (from 0, in the order given) of the message whose values this one carries."""
    source_time: Int64
    """ms UTC, by the gateway's clock."""
    received_time: Int64
    """ms UTC."""


@dataclass(frozen=True, slots=True)
class _Messages:
    """Columns of one length, all int64; times in microseconds but for ``source``."""

    number: Int64
    carried: Int64
    source: Int64
    ready: Int64
    """When it would arrive on an idle link."""
    service: Int64
    """How long it keeps the link."""
    late: Int64
    """How much later than in its turn it arrives."""
    copy: Int64
    """How much later a copy follows; below 0: no copy."""

    @classmethod
    def none(cls) -> Self:
        return cls(*(np.empty(0, dtype=np.int64) for _ in fields(cls)))

    def __len__(self) -> int:
        return len(self.number)

    def take(self, picked: Bool | Int64 | slice) -> Self:
        return type(self)(*(getattr(self, one.name)[picked] for one in fields(self)))

    def then(self, other: Self) -> Self:
        if not len(self):
            return other
        return type(self)(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))


class _Line:
    """A link that carries one message after the other, in order, and at times none at all."""

    def __init__(self, outages: Sequence[Outage]) -> None:
        self._outages = outages
        self._last = _NEVER
        """When the last message arrived."""
        self._floor = _NEVER
        """When the last outage that held something up was over."""
        self._replaying = 0
        """Least time between messages as long as stored ones are replayed; 0: none are."""
        self.waiting = _Messages.none()
        self.lost = 0

    def carry(self, messages: _Messages, known: int | None) -> tuple[_Messages, Int64]:
        """Those of the waiting and the new messages whose arrival is certain, and when they arrive.

        All messages read before ``known`` are here; None: there will be no more.
        """
        messages = self.waiting.then(messages)
        count = len(messages)
        arrival = np.full(count, _NEVER, dtype=np.int64)
        done = 0
        while done < count:
            ready = messages.ready[done:]
            serve = np.maximum(messages.service[done:], self._replaying)
            turn = _queue(np.maximum(ready, self._floor), serve, self._last)
            free = _first(turn == ready) if self._replaying else None
            cut, outage = self._cut(turn)
            if free is not None and free <= cut:
                self._commit(arrival, done, turn[:free])
                done += free
                self._replaying = 0
                continue
            self._commit(arrival, done, turn[:cut])
            done += cut
            if outage is None:
                break
            end = outage.end * 1000
            if known is not None and known < end:
                break
            if outage.store is not None:
                held = int(np.searchsorted(messages.ready[done:], end))
                pushed_out = max(0, held - outage.store)
                self.lost += pushed_out
                done += pushed_out
            self._floor = end
            self._replaying = max(1, round(1e6 / outage.rate))
        self.waiting = messages.take(slice(done, None))
        arrived = arrival != _NEVER
        return messages.take(arrived), arrival[arrived]

    def _commit(self, arrival: Int64, begin: int, turn: Int64) -> None:
        if len(turn):
            arrival[begin : begin + len(turn)] = turn
            self._last = int(turn[-1])

    def _cut(self, turn: Int64) -> tuple[int, Outage | None]:
        """How many messages arrive before the first one that would in an outage, and which outage that is."""
        cut, which = len(turn), None
        for outage in self._outages:
            begin, end = np.searchsorted(turn, (outage.begin * 1000, outage.end * 1000)).tolist()
            if begin < end and begin < cut:
                cut, which = begin, outage
        return cut, which


class Timetable:
    """The arrivals of one gateway's messages.

    latency: s that a message takes; jitter: s, mean of a further delay, spread exponentially.
    """

    def __init__(
        self,
        seed: int,
        gateway: str,
        faults: Iterable[GatewayFault] = (),
        *,
        latency: float = 0.2,
        jitter: float = 0.0,
    ) -> None:
        if not (0.0 <= latency < math.inf and 0.0 <= jitter < math.inf):
            raise ValueError(f"latency, jitter: {latency:g} and {jitter:g} s are not possible; give numbers from 0")
        self._faults = tuple(faults)
        self._latency = round(latency * 1e6)
        self._jitter = jitter
        self._rng = stream(seed, "gateway", gateway)
        self._rngs = [stream(seed, "gateway", gateway, str(n)) for n in range(len(self._faults))]
        outages = sorted((f for f in self._faults if isinstance(f, Outage)), key=lambda one: one.begin)
        self._outages = outages
        self._line = _Line(outages)
        self._aside = _Line(outages)
        self._pending = _Messages.none()
        """Messages that arrive at ``ready``."""
        self._count = 0
        self._last: int | None = None
        self._ready = _NEVER
        self._stale = {restart: -1 for restart in self._faults if isinstance(restart, Restart)}
        """The last message before each restart."""
        self._missed = 0

    @property
    def lost(self) -> int:
        """Messages lost up to now: not read during a restart, or pushed out of the store of an outage."""
        return self._missed + self._line.lost + self._aside.lost

    @property
    def needed(self) -> int:
        """Number of the first message whose values may still be asked for."""
        held = (self._pending, self._line.waiting, self._aside.waiting)
        numbers = [int(one.carried.min()) for one in held if len(one)]
        last = self._last if self._last is not None else 0
        numbers += [number for restart, number in self._stale.items() if number >= 0 and restart.end > last]
        return min([max(0, self._count - 1), *numbers])

    def send(self, times: Int64, known: int | None = None) -> Arrivals:
        """Messages read at ``times`` (ms UTC, ascending, after all before). What has arrived by now is returned.

        All messages read before ``known`` (ms UTC) have been sent with these; None: those up to the last of ``times``.
        """
        if len(times):
            if (np.diff(times) <= 0).any() or (self._last is not None and times[0] <= self._last):
                raise ValueError("times: they must ascend, from one chunk to the next as well")
            self._last = int(times[-1])
        if known is None:
            if self._last is None:
                return self._release(0)
            known = self._last + 1
        return self._pass(self._read(times), known * 1000)

    def finish(self) -> Arrivals:
        """There are no more messages: all that are still under way, as they will arrive."""
        return self._pass(_Messages.none(), None)

    def _pass(self, messages: _Messages, known: int | None) -> Arrivals:
        aside = np.zeros(len(messages), dtype=np.bool_)
        for outage in self._outages:
            if outage.live_first:
                aside |= (messages.ready >= outage.begin * 1000) & (messages.ready < outage.end * 1000)
        for line, mask in ((self._line, ~aside), (self._aside, aside)):
            arrived, turn = line.carry(messages.take(mask), known)
            self._arrive(arrived, turn + arrived.late)
            again = arrived.copy >= 0
            if again.any():
                self._arrive(arrived.take(again), (turn + arrived.late + arrived.copy)[again])
        return self._release(known)

    def _arrive(self, messages: _Messages, at: Int64) -> None:
        for outage in self._outages:
            cut_off = (at >= outage.begin * 1000) & (at < outage.end * 1000)
            at = np.where(cut_off, outage.end * 1000, at)
        arrived = _Messages(messages.number, messages.carried, messages.source, at, *[messages.late] * 3)
        self._pending = self._pending.then(arrived) if len(arrived) else self._pending

    def _release(self, known: int | None) -> Arrivals:
        pending = self._pending
        if len(pending):
            pending = pending.take(np.lexsort((pending.number, pending.ready)))
        cut = len(pending) if known is None else int(np.searchsorted(pending.ready, known))
        self._pending = pending.take(slice(cut, None))
        return Arrivals(pending.carried[:cut], pending.source[:cut], pending.ready[:cut] // 1000)

    def _read(self, times: Int64) -> _Messages:
        count = len(times)
        number = np.arange(self._count, self._count + count)
        self._count += count
        carried, missed = self._restarts(times, number)
        ready = times * 1000 + self._latency
        if self._jitter > 0.0:
            ready += _microseconds(self._rng.exponential(self._jitter, count))
        service, late, copy = (np.full(count, fill, dtype=np.int64) for fill in (0, 0, -1))
        messages = _Messages(number, carried, times.copy(), ready, service, late, copy)
        for fault, rng in zip(self._faults, self._rngs, strict=True):
            begin, end = np.searchsorted(times, (fault.begin, fault.end)).tolist()
            if begin < end:
                _suffer(messages.take(slice(begin, end)), times[begin:end], fault, rng)
        if count:
            np.maximum.accumulate(ready, out=ready)
            np.maximum(ready, self._ready, out=ready)
            self._ready = int(ready[-1])
        self._missed += int(missed.sum())
        return messages.take(~missed)

    def _restarts(self, times: Int64, number: Int64) -> tuple[Int64, Bool]:
        """Which message's values each carries, and which are not read at all."""
        carried = number.copy()
        missed = np.zeros(len(times), dtype=np.bool_)
        for restart in self._stale:
            begin, end = np.searchsorted(times, (restart.begin, restart.end)).tolist()
            back = int(np.searchsorted(times, restart.begin + round(restart.gap * 1000.0)))
            if begin > 0:
                self._stale[restart] = int(number[begin - 1])
            missed[begin:back] = True
            if self._stale[restart] >= 0:
                carried[back:end] = self._stale[restart]
        return carried, missed


def _suffer(messages: _Messages, times: Int64, fault: GatewayFault, rng: np.random.Generator) -> None:
    """Do to messages in place, all of them read in the fault's time, what the fault does to each by itself."""
    count = len(messages)
    if isinstance(fault, ClockShift):
        elapsed = (times - fault.begin).astype(np.float64)
        messages.source[:] += np.rint((fault.offset + fault.per_day * elapsed / DAY) * 1000.0).astype(np.int64)
    elif isinstance(fault, Delay):
        messages.ready[:] += _microseconds(fault.latency + rng.exponential(fault.jitter, count))
    elif isinstance(fault, SlowLink):
        messages.service[:] = np.maximum(messages.service, max(1, round(1e6 / fault.rate)))
    elif isinstance(fault, Reordering):
        picked, far = rng.random((count, 2)).T
        messages.late[:] += np.where(picked < fault.share, _microseconds(far * fault.by), 0)
    elif isinstance(fault, Duplicates):
        picked, far = rng.random((count, 2)).T
        messages.copy[:] = np.where(picked < fault.share, _microseconds(far * fault.after), messages.copy)


def _queue(ready: Int64, serve: Int64, last: int) -> Int64:
    """When each message arrives: turn[k] = max(ready[k], turn[k - 1] + serve[k]), with ``last`` before the first."""
    served = np.cumsum(serve)
    return np.asarray(served + np.maximum(np.maximum.accumulate(ready - served), last))


def _first(mask: Bool) -> int | None:
    """Index of the first True."""
    where = int(np.argmax(mask))
    return where if mask[where] else None


def _microseconds(seconds: Float64) -> Int64:
    return np.rint(seconds * 1e6).astype(np.int64)
