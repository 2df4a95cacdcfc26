"""What of a site a caller sees, by what the account or the token is bound to."""

from collections.abc import Callable, Iterable
from weakref import ref

from alerting.desks.desks import lineage
from domain.site import SERVICE_ENTERPRISE, Site
from service.accounts import Scope
from service.api.regions import regions_below


class Reach:
    """Enterprises and regions of one scope. A region or an enterprise that the site has no more reaches nothing.

    ``enterprises`` and ``regions``: ids and codes; None: all, also those that the site has no more.
    """

    def __init__(self, site: Site, scope: Scope) -> None:
        self.scope = scope
        self.enterprises: frozenset[str] | None = None
        self.regions: frozenset[str] | None = None
        self._above: frozenset[str] = frozenset()
        if scope.enterprise is not None:
            # The service's own conditions are nobody's enterprise.
            known = scope.enterprise in site.enterprises and scope.enterprise != SERVICE_ENTERPRISE
            self.enterprises = frozenset({scope.enterprise} if known else ())
            self.regions = frozenset()
            self._above = frozenset(lineage(site.regions, site.region_of(scope.enterprise)) if known else ())
        elif scope.region is not None:
            self.regions = frozenset((regions_below(site, scope.region) or set()) & site.regions.keys())
            self._above = frozenset(lineage(site.regions, scope.region))
            self.enterprises = frozenset(each.id for each in site.enterprises.values() if each.region in self.regions)

    def sees(self, enterprise: str | None) -> bool:
        """Whether what belongs to an enterprise is seen; None: what belongs to no enterprise."""
        return self.enterprises is None or enterprise in self.enterprises

    def sees_all(self, paths: Iterable[str]) -> bool:
        """The same of all of some paths, ``enterprise/…``."""
        return self.enterprises is None or all(self.sees(path.partition("/")[0]) for path in paths)

    def sees_regions(self, codes: Iterable[str]) -> bool:
        """Whether all of some regions are seen."""
        return self.regions is None or self.regions.issuperset(codes)

    def sees_contact(self, enterprise: str | None, region: str | None) -> bool:
        """Whether a person is: of an enterprise, or of an authority here or above, whom one has to call."""
        if enterprise is not None or self.regions is None:
            return self.sees(enterprise)
        return self.scope.enterprise is None and self.shows_region(region)

    def shows_region(self, code: str | None) -> bool:
        """Whether a region is named: what is seen lies in it, or in one below it."""
        return self.regions is None or code in self.regions or code in self._above


MOST_SCOPES = 1_000
"""Scopes that are remembered: each county has one, and each enterprise another [ours]."""


class _Known:
    """What was worked out for the site that is watched now: that of a county among 15,000 enterprises takes 5 ms."""

    def __init__(self) -> None:
        self._site: Callable[[], Site | None] = lambda: None
        self._reaches: dict[Scope, Reach] = {}

    def of(self, site: Site, scope: Scope) -> Reach:
        """As ``Reach``."""
        if self._site() is not site:
            self._site, self._reaches = ref(site), {}
        found = self._reaches.get(scope)
        if found is None:
            if len(self._reaches) >= MOST_SCOPES:
                self._reaches.clear()
            found = self._reaches[scope] = Reach(site, scope)
        return found


reach_of = _Known().of
"""What somebody bound to a scope sees of a site."""


def region_views(site: Site, reach: Reach) -> list[dict[str, str | None]]:
    """``map_models.MapRegion`` of the regions that are named."""
    return [
        {"code": region.code, "name": region.name, "parent": region.parent}
        for region in site.regions.values()
        if reach.shows_region(region.code)
    ]
