"""Key figures of any desk, enterprise or region: the journal of a period is read once, then taken apart by scope."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncEngine

from alerting.desks.desks import Desk, Desks, lineage
from alerting.kpi.figures import figures
from alerting.kpi.reading import begins_at, read_records
from alerting.kpi.records import Records
from alerting.kpi.selection import Period, Selection
from alerting.kpi.targets import Targets
from alerting.refusals import NotFound
from domain.site import SERVICE_ENTERPRISE, Site

Scope = Literal["all", "desk", "enterprise", "region"]
KEPT = 2
"""Periods whose records are held [ours]."""
SETTLED = 60_000
"""ms after its end from which on a period is taken to change no more [ours]."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scope: its kind and id, its name, and what belongs to it."""

    scope: Scope
    id: str
    name: str
    belongs: Callable[[str, str], bool]
    """Of enterprise id and region code."""
    gateways: int


class Scopes:
    """The scopes of a site."""

    def __init__(self, site: Site, desks: Sequence[Desk] = ()) -> None:
        self._site = site
        self._desks = Desks(site, desks)

    def choose(self, scope: Scope, identity: str | None) -> Chosen:
        """One scope. Raises NotFound."""
        site = self._site
        if scope == "all":
            return self._chosen(scope, "", "全部 all", lambda _enterprise, _region: True)
        if scope == "enterprise" and identity in site.enterprises:
            return self._chosen(scope, identity, site.enterprises[identity].name, lambda one, _region: one == identity)
        if scope == "region" and identity in site.regions:
            codes = {code for code in site.regions if identity in lineage(site.regions, code)}
            return self._chosen(scope, identity, site.regions[identity].name, lambda _one, region: region in codes)
        desk = self._desks.get(identity or "")
        if scope == "desk" and desk is not None:
            seen = self._desks.regions_of(desk.id)
            return self._chosen(scope, desk.id, desk.name, lambda _one, region: region in seen)
        raise NotFound(f"there is no {scope} {identity!r}; give the id of one in the configuration")

    def every(self) -> Iterator[Chosen]:
        """All desks, then all regions that hold an enterprise, then all enterprises."""
        for desk in self._desks:
            yield self.choose("desk", desk.id)
        held = {enterprise.region for enterprise in self._site.enterprises.values()}
        above = {code for region in held for code in lineage(self._site.regions, region)}
        for code in self._site.regions:
            if code in above:
                yield self.choose("region", code)
        for identity in self._site.enterprises:
            if identity != SERVICE_ENTERPRISE:
                yield self.choose("enterprise", identity)

    def _chosen(self, scope: Scope, identity: str, name: str, belongs: Callable[[str, str], bool]) -> Chosen:
        count = sum(
            belongs(gateway.enterprise, self._site.region_of(gateway.enterprise))
            for gateway in self._site.gateways.values()
            if gateway.enterprise != SERVICE_ENTERPRISE
        )
        return Chosen(scope, identity, name, belongs, count)


class KeyFigures:
    """Reads the journal for one caller at a time, and keeps what it read of periods that are past."""

    def __init__(self, engine: AsyncEngine, targets: Targets) -> None:
        self._engine = engine
        self.targets = targets
        self._kept: OrderedDict[Period, Records] = OrderedDict()
        self._reading = asyncio.Lock()

    async def records(self, period: Period, now: int, progress: Callable[[int], object] = lambda _: None) -> Records:
        """The records of a period. Raises LedgerUnavailable."""
        async with self._reading:
            known = self._kept.get(period)
            if known is not None:
                self._kept.move_to_end(period)
                return known
            records = await read_records(self._engine, period, self.targets, progress)
            if period.end + SETTLED <= now:
                self._kept[period] = records
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return records

    async def covered(self, period: Period, now: int) -> Period:
        """The part of a period of which there is a journal: not before its first entry, and not after now.

        Raises NotFound: there is none; LedgerUnavailable.
        """
        begins = await begins_at(self._engine)
        start, end = max(period.start, begins if begins is not None else now), min(period.end, now)
        if start >= end:
            raise NotFound("the journal has nothing of this period; choose one between its first entry and now")
        return Period(start, end)

    async def of(self, chosen: Chosen, period: Period, now: int) -> dict[str, Any]:
        """The figures of one scope. Raises LedgerUnavailable."""
        records = await self.records(period, now)
        return await asyncio.to_thread(self.compute, chosen, period, records)

    def compute(self, chosen: Chosen, period: Period, records: Records) -> dict[str, Any]:
        """The figures of one scope, from records that were read."""
        selection = Selection(records, period, chosen.belongs)
        found = figures(selection, records, chosen.gateways, self.targets)
        return {"scope": chosen.scope, "id": chosen.id, "name": chosen.name, **found}
