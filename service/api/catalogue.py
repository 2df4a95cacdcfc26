"""The measured points of a site in the order of ``enterprise/tag``, filtered in columns: a site may have 440,000."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.clock import iso
from domain.samples import Bool, Int64
from domain.scales import Quality, QualityReason, RuleKind
from domain.site import Site
from rules.arrivals import Latest
from service.api.rule_views import LIMIT_KINDS, VALUE_KINDS, limit_view, modes_of, unit_rules


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Which tags; None: any."""

    enterprise: str | None = None
    unit: str | None = None
    measurand: str | None = None
    without_limits: bool | None = None
    enterprises: Collection[str] | None = None
    """Any of these."""


class Catalogue:
    """Tags but for the system points, which nobody measures."""

    def __init__(self, site: Site) -> None:
        self._site = site
        tags = site.tags
        measured = [index for index, tag in enumerate(tags) if not tag.system]
        measured.sort(key=lambda index: (tags[index].enterprise, tags[index].name))
        self._order: Int64 = np.array(measured, dtype=np.int64)
        self._position = np.full(len(tags), -1, dtype=np.int64)
        self._position[self._order] = np.arange(len(measured))
        self._codes: list[dict[Any, int]] = [{}, {}, {}]
        columns = [np.zeros(len(measured), dtype=np.int32) for _ in self._codes]
        for position, index in enumerate(measured):
            tag = tags[index]
            for codes, column, value in zip(
                self._codes, columns, (tag.enterprise, (tag.enterprise, tag.unit), tag.measurand), strict=True
            ):
                column[position] = codes.setdefault(value, len(codes))
        self._columns = columns
        self._units: dict[str, set[int]] = {}
        for (_, unit), code in self._codes[1].items():
            self._units.setdefault(unit, set()).add(code)
        limits = np.concatenate([[0], np.cumsum(np.isin(site.rules.kind, list(LIMIT_KINDS)))])
        start = site.rules.start
        self._has_limits: Bool = (limits[start[1:]] - limits[start[:-1]] > 0)[self._order]
        self.counts = self._count_by_unit(np.ones(len(measured), dtype=np.bool_))
        """Number of tags, by enterprise and unit."""
        self.without_limits = self._count_by_unit(~self._has_limits)
        """How many of them have no limits."""
        self.unit_rules = unit_rules(site)
        """Views of the rules over several tags, by enterprise and unit."""
        self.modes = modes_of(site)
        """Modes of operation, by the unit's path."""

    def _count_by_unit(self, which: Bool) -> dict[tuple[str, str], int]:
        """Number of these tags in each (enterprise, unit)."""
        counts = np.bincount(self._columns[1][which], minlength=len(self._codes[1]))
        return {key: int(counts[code]) for key, code in self._codes[1].items()}

    def page(self, which: TagFilter, limit: int, after: str | None) -> tuple[list[int], str | None]:
        """Indices into ``Site.tags`` of a page, and the key to go on after.

        Raises KeyError: no tag is named so, or one of another enterprise than any that counts.
        """
        begin = 0
        if after is not None:
            if which.enterprises is not None and after.partition("/")[0] not in which.enterprises:
                raise KeyError(after)
            begin = int(self._position[self._site.tag_index[after]]) + 1
            if begin == 0:
                raise KeyError(after)
        picked = np.ones(len(self._order) - begin, dtype=np.bool_)
        if which.enterprise is not None:
            picked &= self._columns[0][begin:] == self._codes[0].get(which.enterprise, -1)
        if which.enterprises is not None:
            codes = [self._codes[0][one] for one in which.enterprises if one in self._codes[0]]
            picked &= np.isin(self._columns[0][begin:], codes)
        if which.unit is not None:
            picked &= np.isin(self._columns[1][begin:], list(self._units.get(which.unit, ())))
        if which.measurand is not None:
            picked &= self._columns[2][begin:] == self._codes[2].get(which.measurand, -1)
        if which.without_limits is not None:
            picked &= self._has_limits[begin:] != which.without_limits
        found = np.flatnonzero(picked)[: limit + 1] + begin
        more = len(found) > limit
        picks: list[int] = self._order[found[:limit]].tolist()
        return picks, self._site.tags[picks[-1]].path if more else None


def tag_view(site: Site, index: int, latest: Latest, conditions: set[RuleKind]) -> dict[str, Any]:
    """``watched_models.Tag``. ``conditions``: kinds of the tag's rules whose condition is in."""
    tag = site.tags[index]
    rows = [row for row in site.rules.of_tag(index) if site.rules.kind[row] in VALUE_KINDS]
    limits = any(site.rules.kind[row] in LIMIT_KINDS for row in rows)
    return {
        "enterprise": tag.enterprise,
        "tag": tag.name,
        "unit": tag.unit,
        "gateway": tag.gateway,
        "measurand": tag.measurand,
        "engineering_unit": tag.engineering_unit,
        "species": tag.species,
        "description": tag.description,
        "range": [_finite(tag.low), _finite(tag.high)],
        "period_ms": tag.period,
        "limits": [limit_view(site, row) for row in rows],
        "has_limits": limits,
        "status": _status(index, latest, conditions, has_limits=limits),
        "latest": _latest(index, latest),
    }


def _status(index: int, latest: Latest, conditions: set[RuleKind], *, has_limits: bool) -> str:
    """The worst that is known of a tag; one without limits is never normal."""
    heard = latest.source_time[index] != 0
    if conditions & LIMIT_KINDS:
        return "alarm"
    if RuleKind.STALE in conditions or (heard and latest.reason[index] == QualityReason.STALE):
        return "stale"
    if conditions & {RuleKind.BAD, RuleKind.STUCK} or (heard and latest.quality[index] == Quality.BAD):
        return "bad"
    if not heard:
        return "unknown"
    return "normal" if has_limits else "no_limits"


def _latest(index: int, latest: Latest) -> dict[str, Any] | None:
    if latest.source_time[index] == 0:
        return None
    return {
        "value": _finite(float(latest.value[index])),
        "quality": int(latest.quality[index]),
        "reason": int(latest.reason[index]),
        "source_time": iso(int(latest.source_time[index])),
        "received_time": iso(int(latest.received_time[index])),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
