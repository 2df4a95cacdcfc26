"""The machine of T2 and SPE, one sample at a time and without numpy: see ``oracle``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan, nan

from domain.components import ComponentModel
from domain.scales import Quality, RuleKind
from domain.transitions import Transition
from tests.property.oracle_machines import PATIENCE, Sample, Verdict, Watched
from tests.property.oracle_several import Several

FURTHEST, LEAST_KNOWN, LEAST_VARIANCE = 1e4, 0.75, 1e-6
Row = list[float]


@dataclass
class EarlyWarning(Several):
    """Looked at once a round; ``fresh``: read in this round; ``excused``: silent, no round waits for them."""

    fresh: set[int] = field(default_factory=set)
    excused: set[int] = field(default_factory=set)
    begun: int = 0
    over: int | None = None
    average: Row | None = None
    averaged: int = 0
    shown: tuple[Row, Row] | None = None
    shown_before: tuple[Row, Row] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.rule.extra is not None
        assert self.rule.extra.model is not None
        self.model: ComponentModel = self.rule.extra.model
        self.wait = max(self.model.period * 3 // 4, 1)

    def read(self, sample: Sample) -> list[Transition]:
        found: list[Transition] = []
        time = max(self.instant, sample.time)
        if self.fresh and time >= self.begun + self.wait:
            found += self._end_round(self.instant, sample.received_time)
        if sample.quality is Quality.BAD or isnan(sample.value):
            self.newest.pop(sample.tag, None)
        else:
            self.newest[sample.tag] = sample
        self.times[sample.tag] = sample.time
        self.instant = time
        if not self.fresh:
            self.begun = time
        was_whole = self._is_whole()
        self.fresh.add(sample.tag)
        self.excused.discard(sample.tag)
        early = self.over is not None and time < self.over + self.wait
        if self._is_whole() and not was_whole and not early:
            found += self._end_round(time, sample.received_time)
        return found

    def _is_whole(self) -> bool:
        return self.fresh | self.excused >= set(self.tags)

    def _end_round(self, time: int, received: int) -> list[Transition]:
        self.fresh.clear()
        self.over = time
        value = [self.newest[tag].value if tag in self.newest else nan for tag in self.tags]
        value = [each if isfinite(each) else nan for each in value]
        newest = self._filled(value)
        if newest is None:
            return []
        if self.average is None or self.model.smoothing == 1 or time - self.averaged > self.model.memory:
            self.average = newest
        else:
            pairs = zip(self.average, newest, strict=True)
            self.average = [old + self.model.smoothing * (new - old) for old, new in pairs]
        self.averaged = time
        self.shown_before, self.shown = self.shown, (value, self.average)
        statistic = self._statistic(self.average)
        all_good = all(
            tag in self.newest and self.newest[tag].quality is Quality.GOOD and isfinite(self.newest[tag].value)
            for tag in self.tags
        )
        if statistic >= self.rule.setpoint:
            verdict = Verdict.FOR
        elif statistic < self.rule.setpoint - self.rule.deadband and all_good:
            verdict = Verdict.AGAINST
        else:
            verdict = Verdict.NEITHER
        return self.carry(verdict, statistic, time, received)

    def _filled(self, value: Row) -> Row | None:
        """In scales from the mean, with what is missing as the others let expect it; None: too little is known."""
        model = self.model
        z = [
            nan if isnan(each) else max(-FURTHEST, min(FURTHEST, (each - mean) / scale))
            for each, mean, scale in zip(value, model.mean.tolist(), model.scale.tolist(), strict=True)
        ]
        known = [place for place, each in enumerate(z) if not isnan(each)]
        if len(known) < LEAST_KNOWN * len(z):
            return None
        covariance = self._covariance()
        weights = _solved([[covariance[i][j] for j in known] for i in known], [z[i] for i in known])
        return [
            z[i] if i in known else sum(covariance[i][j] * weight for j, weight in zip(known, weights, strict=True))
            for i in range(len(z))
        ]

    def _covariance(self) -> list[Row]:
        loadings = self.model.loadings.tolist()
        variances = [max(each, LEAST_VARIANCE) for each in self.model.eigenvalues.tolist()]
        places = range(len(variances))
        return [[sum(loadings[i][k] * variances[k] * loadings[j][k] for k in places) for j in places] for i in places]

    def _scores(self, y: Row) -> Row:
        loadings = self.model.loadings.tolist()
        return [sum(y[i] * loadings[i][k] for i in range(len(y))) for k in range(self.model.retained)]

    def _terms(self, y: Row) -> Row:
        """What each tag makes of the statistic."""
        loadings, scores = self.model.loadings.tolist(), self._scores(y)
        kept = range(self.model.retained)
        if self.rule.kind is RuleKind.SPE:
            return [(y[i] - sum(scores[k] * loadings[i][k] for k in kept)) ** 2 for i in range(len(y))]
        variances = self.model.eigenvalues.tolist()
        return [y[i] * sum(scores[k] / variances[k] * loadings[i][k] for k in kept) for i in range(len(y))]

    def _statistic(self, y: Row) -> float:
        return sum(self._terms(y))

    def told(self, *, before: bool) -> tuple[tuple[int, float], ...]:
        return tuple((tag, value) for tag, value, _ in self._ordered(before=before))

    def _ordered(self, *, before: bool) -> list[tuple[int, float, float]]:
        shown = self.shown_before if before else self.shown
        assert shown is not None
        value, y = shown
        terms = [max(term, 0.0) for term in self._terms(y)]
        total = sum(terms)
        shares = [term / total if total > 0 else 0.0 for term in terms]
        return sorted(zip(self.tags, value, shares, strict=True), key=lambda each: -each[2])

    def _toggle(self, source_time: int, received_time: int, value: float, *, before: bool = False) -> Transition:
        plain = super()._toggle(source_time, received_time, value, before=before)
        shares = tuple(share for _, _, share in self._ordered(before=before))
        return Transition(
            plain.rule, plain.entered, plain.source_time, plain.received_time, plain.value, plain.inputs, shares
        )

    def tick(self, now: int, tags: list[Watched]) -> list[Transition]:
        """A whole round is awaited before an on-delay ends without it."""
        if self.inside or self.run is None or self.run.verdict is not Verdict.FOR:
            return []
        delay_over = self.run.began_received + self.rule.on_delay <= now
        heard = max(tags[tag].heard for tag in self.tags) + self.model.period
        waited = heard + min(PATIENCE, *(tags[tag].period for tag in self.tags)) <= now
        if not (delay_over and waited):
            return []
        return [self._toggle(self.run.began + self.rule.on_delay, now, self.run.last_value)]

    def fall_silent(self, silent: set[int], now: int) -> list[Transition]:
        super().fall_silent(silent, now)
        self.excused |= silent & set(self.tags)
        return []

    def begin_anew(self, tags: list[int]) -> None:
        super().begin_anew(tags)
        self.fresh.clear()
        self.average = None
        self.over = None


def _solved(matrix: Sequence[Row], right: Row) -> Row:
    """The solution of linear equations, by elimination."""
    rows = [[*row, each] for row, each in zip(matrix, right, strict=True)]
    count = len(rows)
    for at in range(count):
        best = max(range(at, count), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for row in range(count):
            if row != at:
                factor = rows[row][at] / rows[at][at]
                rows[row] = [one - factor * other for one, other in zip(rows[row], rows[at], strict=True)]
    return [rows[at][count] / rows[at][at] for at in range(count)]
