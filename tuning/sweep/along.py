"""Many versions of one tag's rule over all its readings at once.

A sweep asks hundreds of versions of a rule about the same readings. What they have in common is computed once: the
readings that count, the quantity that is compared with the setpoint (the value, its rate, its distance from a
constant), and, for each pair of setpoint and deadband, the runs of readings that speak for and against the condition.
A delay then only chooses among runs. The meaning is that of ``rules`` (and of ``rules.scan`` for delays), in source
time; that both say the same is tested.

HIGH, LOW, RISE, FALL and DEVIATION from a constant are evaluated so, where no mode of operation changes their limits
and where readings took about as long to arrive. All else goes through the engine: where a gateway stored readings and
sent them on later, an on-delay may have ended by the service's own clock before they came.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from domain.samples import Bool, Float64, Int64, SampleBlock, UInt8
from domain.scales import RuleKind
from domain.site import Rule, Site
from rules.arrivals import BAD, GOOD, Arrivals
from rules.engine import LONGEST_PATIENCE
from rules.scan import AGAINST, FOR, NEITHER
from tuning.backtest.parts import part_of
from tuning.backtest.ranges import Ranges
from tuning.backtest.run import CLOCK_TOLERANCE, LATENESS
from tuning.readings.recording import Recording

_ALONG = frozenset({RuleKind.HIGH, RuleKind.LOW, RuleKind.RISE, RuleKind.FALL})
_RATES = frozenset({RuleKind.RISE, RuleKind.FALL})


def goes_along(rule: Rule) -> bool:
    """Whether versions of this rule can be evaluated here."""
    extra = rule.extra
    if extra is not None and extra.selector >= 0:
        return False
    if rule.kind is RuleKind.DEVIATION:
        return extra is not None and extra.reference is not None and extra.reference.kind == "constant"
    return rule.kind in _ALONG


@dataclass(frozen=True, slots=True)
class TagReadings:
    """All readings of one tag that count, in order of source time.

    time, received_time: ms UTC; value; good: quality GOOD (else UNCERTAIN)
    heard: received time of the tag's last reading, whatever its quality; last: of the last of all tags
    patience: ms for which the tag's next reading is awaited
    steady: they all took as long to arrive, give or take the patience
    """

    time: Int64
    received_time: Int64
    value: Float64
    good: Bool
    heard: int
    last: int
    patience: int
    steady: bool

    @classmethod
    def recorded(
        cls,
        site: Site,
        recording: Recording,
        tag: int,
        begin: int | None,
        end: int | None,
        lateness: int = LATENESS,
        clock_tolerance: int = CLOCK_TOLERANCE,
    ) -> "TagReadings | None":
        """Those of a tag of a site, begin <= source time < end (ms); None where the recording does not know it."""
        about = site.tags[tag]
        place = recording.index_of(about.path)
        if place is None:
            return None
        gateway = site.gateways.get((about.enterprise, about.gateway))
        own = part_of(site, [tag], []).site
        ranges = Ranges(own)
        blocks = recording.read_tag(place, begin, end)
        last = recording.heard[1]
        return cls.of(
            (ranges.doubted(replace(block, tag=np.zeros(len(block), dtype=np.int32))) for block in blocks),
            live_clock=recording.about.live_clock and gateway is not None and gateway.clock == "live",
            lateness=lateness,
            clock_tolerance=clock_tolerance,
            period=about.period,
            last=last if end is None else min(last, end),
        )

    @classmethod
    def of(
        cls,
        blocks: Iterable[SampleBlock],
        *,
        live_clock: bool,
        lateness: int,
        clock_tolerance: int,
        period: int,
        last: int,
    ) -> "TagReadings":
        """Those of blocks of one tag, its number 0, in the order of their arrival.

        ``last``: received time of the last reading of all tags.
        """
        admission = _Admission(live_clock, lateness, clock_tolerance)
        parts: list[tuple[Int64, Int64, Float64, UInt8]] = []
        heard = 0
        shortest, longest = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        for block in blocks:
            admitted = admission.admit(block)
            if admitted is not None:
                took = admitted[1] - admitted[0]
                shortest, longest = min(shortest, int(took.min())), max(longest, int(took.max()))
                heard = int(admitted[1][-1])
                parts.append(admitted)
        if not parts:
            nothing = np.empty(0, dtype=np.int64)
            return cls(nothing, nothing, np.empty(0), np.empty(0, dtype=np.bool_), 0, last, 0, steady=True)
        time, received, value, quality = (np.concatenate(column) for column in zip(*parts, strict=True))
        usable = (quality != BAD) & ~np.isnan(value)
        if not usable.all():
            time, received, value, quality = time[usable], received[usable], value[usable], quality[usable]
        patience = min(period, LONGEST_PATIENCE)
        steady = longest - shortest <= patience
        return cls(time, received, value, quality == GOOD, heard, last, patience, steady)


class _Admission:
    """Admits the readings of one tag that count, as ``rules.arrivals`` does.

    Readings in order, none of them late or ahead, count as they are; from the first block on that has others, all go
    the long way.
    """

    def __init__(self, live_clock: bool, lateness: int, clock_tolerance: int) -> None:  # noqa: FBT001 - of a tag, as there
        self._live_clock = live_clock
        self._lateness, self._tolerance = lateness, clock_tolerance
        self._newest: SampleBlock | None = None
        self._arrivals: Arrivals | None = None

    def admit(self, block: SampleBlock) -> tuple[Int64, Int64, Float64, UInt8] | None:
        """Time, received time, value and quality of those that count; None where none does."""
        if self._live_clock:
            in_time = block.received_time - block.source_time <= self._lateness
            block = block if in_time.all() else block.take(in_time)
        if not len(block):
            return None
        if self._arrivals is None and self._in_order(block):
            self._newest = block.take(slice(-1, None))
            return block.source_time, block.received_time, block.value, block.quality
        if self._arrivals is None:
            self._arrivals = Arrivals(np.array([self._live_clock]), self._tolerance)
            if self._newest is not None:
                self._arrivals.admit(self._newest)
        admitted = self._arrivals.admit(block)
        if admitted is None:
            return None
        return admitted.time, admitted.received_time, admitted.value, admitted.quality

    def _in_order(self, block: SampleBlock) -> bool:
        time = block.source_time
        before = 0 if self._newest is None else int(self._newest.source_time[0])
        if time[0] <= before or not bool((time[1:] > time[:-1]).all()):
            return False
        return not self._live_clock or bool((time <= block.received_time + self._tolerance).all())


@dataclass(frozen=True, slots=True)
class Runs:
    """Unbroken runs of readings that speak for, against, or neither for nor against a condition, in order."""

    verdict: UInt8
    first: Int64
    """Source time of the first reading of each."""
    last: Int64
    """Of its last."""
    first_received: Int64
    """Received time of its first."""
    heard: int
    end: int
    patience: int


@dataclass(slots=True)
class Quantity:
    """What the versions of one rule compare with their setpoints, by window, with the runs that were found last."""

    readings: TagReadings
    rule: Rule
    _windows: dict[int, "_Signed"] = field(default_factory=dict)
    _runs: dict[tuple[float, float, int], Runs] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """False: the engine has to be asked."""
        return self.readings.steady and goes_along(self.rule)

    def episodes(self, version: Rule) -> tuple[Int64, Int64]:
        """When one version of the rule entered and left (-1: still in), ms of source time."""
        key = (version.setpoint, version.deadband, version.window if version.kind in _RATES else 0)
        runs = self._runs.get(key)
        if runs is None:
            if key[2] not in self._windows:
                self._windows[key[2]] = _signed(self.readings, version)
            self._runs[key] = runs = _runs(self._windows[key[2]], version, self.readings)
        return entered_and_left(runs, version.on_delay, version.off_delay)


@dataclass(frozen=True, slots=True)
class _Signed:
    """A quantity turned so that more is worse, where there is one.

    good: may say that the condition leaves; else only that it enters
    whole: the window reaches back over its length
    """

    time: Int64
    received_time: Int64
    value: Float64
    good: Bool | None
    whole: Bool | None
    defined: Bool | None


def entered_and_left(runs: Runs, on_delay: int, off_delay: int) -> tuple[Int64, Int64]:
    """When a condition with these delays entered and left."""
    count = len(runs.verdict)
    if not count:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    is_for = runs.verdict == FOR
    due = runs.first + np.where(is_for, on_delay, off_delay)
    ripe = (runs.verdict != NEITHER) & (runs.last >= due)
    # The value is held between readings: an on-delay also ends before the reading that breaks the run.
    held = is_for[:-1] & (due[:-1] < runs.first[1:])
    ripe[:-1] |= held
    if is_for[-1] and not ripe[-1]:
        # Time passes after the last reading too.
        ripe[-1] = runs.first_received[-1] + on_delay <= runs.end and runs.heard + runs.patience <= runs.end
    event = np.flatnonzero(ripe)
    enters = is_for[event]
    toggles = np.empty(len(event), dtype=np.bool_)
    if len(event):
        toggles[0] = enters[0]
        np.not_equal(enters[1:], enters[:-1], out=toggles[1:])
    at, enters = due[event[toggles]], enters[toggles]
    entered, left = at[enters], at[~enters]
    if len(left) < len(entered):
        left = np.append(left, -1)
    return entered, left


def _signed(readings: TagReadings, rule: Rule) -> _Signed:
    good = None if readings.good.all() else readings.good
    with np.errstate(over="ignore", invalid="ignore"):
        if rule.kind is RuleKind.HIGH or rule.kind is RuleKind.LOW:
            value = readings.value if rule.kind is RuleKind.HIGH else -readings.value
            return _Signed(readings.time, readings.received_time, value, good, None, None)
        if rule.kind is RuleKind.DEVIATION:
            extra = rule.extra
            assert extra is not None  # noqa: S101 -- goes_along has seen it
            assert extra.reference is not None  # noqa: S101 -- as above
            distance = readings.value - extra.reference.constant
            distance = {"above": distance, "below": -distance, "both": np.abs(distance)}[extra.side]
            return _Signed(readings.time, readings.received_time, distance, good, None, ~np.isnan(distance))
        return _rates(readings, rule)


def _rates(readings: TagReadings, rule: Rule) -> _Signed:
    """Rates of change as ``rules.rates`` has them."""
    rated = readings.good & np.isfinite(readings.value)
    time, value, received = readings.time[rated], readings.value[rated], readings.received_time[rated]
    window = max(rule.window, 1)
    place = np.arange(len(time))
    base = np.searchsorted(time, time - window)
    base = np.minimum(base, np.maximum(place - 1, 0))
    elapsed = time - time[base]
    rate = (value - value[base]) * 1000.0 / np.maximum(elapsed, window)
    whole = (elapsed >= window) | (base > 0)
    sign = 1.0 if rule.kind is RuleKind.RISE else -1.0
    return _Signed(time, received, rate * sign, None, whole, elapsed != 0)


def _runs(signed: _Signed, rule: Rule, readings: TagReadings) -> Runs:
    turned = rule.kind is RuleKind.LOW
    enter = -rule.setpoint if turned else rule.setpoint
    leave = enter - rule.deadband
    beyond = signed.value >= enter
    back = signed.value < leave
    if signed.whole is not None:
        back &= signed.whole
    verdict = beyond.view(np.uint8) * np.uint8(FOR) + back.view(np.uint8) * np.uint8(AGAINST)
    time, received = signed.time, signed.received_time
    if signed.defined is not None and not signed.defined.all():
        if rule.kind in _RATES:
            verdict[~signed.defined] = NEITHER
        else:
            verdict, time, received = verdict[signed.defined], time[signed.defined], received[signed.defined]
    if signed.good is not None:
        good = signed.good if len(signed.good) == len(verdict) else signed.good[signed.defined]
        counts = good | (verdict == FOR)
        verdict, time, received = verdict[counts], time[counts], received[counts]
    if not len(verdict):
        nothing = np.empty(0, dtype=np.int64)
        return Runs(verdict, nothing, nothing, nothing, readings.heard, readings.last, readings.patience)
    begins = np.flatnonzero(verdict[1:] != verdict[:-1]) + 1
    first = np.concatenate([[0], begins])
    last = np.concatenate([begins - 1, [len(verdict) - 1]])
    return Runs(
        verdict[first], time[first], time[last], received[first], readings.heard, readings.last, readings.patience
    )
