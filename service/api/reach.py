"""What of a site a caller sees, by what the account or the token is bound to."""

from collections.abc import Iterable

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
            own = {scope.enterprise} & site.enterprises.keys() - {SERVICE_ENTERPRISE}
            self.enterprises, self.regions = frozenset(own), frozenset()
            self._above = frozenset(
                code for each in own for code in lineage(site.regions, site.enterprises[each].region)
            )
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


def region_views(site: Site, reach: Reach) -> list[dict[str, str | None]]:
    """``map_models.MapRegion`` of the regions that are named."""
    return [
        {"code": region.code, "name": region.name, "parent": region.parent}
        for region in site.regions.values()
        if reach.shows_region(region.code)
    ]
