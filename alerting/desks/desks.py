"""Desks: who watches which regions.

A region's alarms come to each desk that watches the region itself or one above it: the county's duty desk sees the
county, the city's sees all its counties too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.site import Region, Site


@dataclass(frozen=True, slots=True)
class Desk:
    """值班席, the place of one duty officer."""

    id: str
    name: str
    regions: tuple[str, ...]
    """Codes; each means the region and all below it."""


def default_desks(site: Site) -> tuple[Desk, ...]:
    """A desk for each region that holds an enterprise and for each above these [ours]; its id is the region's code."""
    watched = {code for enterprise in site.enterprises.values() for code in lineage(site.regions, enterprise.region)}
    return tuple(
        Desk(code, f"{region.name}值班席", (code,)) for code, region in site.regions.items() if code in watched
    )


class Desks:
    """The desks of a site, by region. ``desks`` empty: the site's default desks."""

    def __init__(self, site: Site, desks: Sequence[Desk] = ()) -> None:
        self._desks: dict[str, Desk] = {}
        self._of_region: dict[str, tuple[Desk, ...]] = {}
        self._nearest: dict[str, tuple[Desk, ...]] = {}
        self._of_enterprise: dict[str, tuple[Desk, ...]] = {}
        self.reconfigure(site, desks)

    def reconfigure(self, site: Site, desks: Sequence[Desk] = ()) -> None:
        """Take another site and other desks."""
        self._desks = {desk.id: desk for desk in desks or default_desks(site)}
        self._of_region = {
            code: tuple(_watching(self._desks.values(), set(lineage(site.regions, code)))) for code in site.regions
        }
        self._nearest = {
            code: next(
                filter(None, (tuple(_watching(self._desks.values(), {at})) for at in lineage(site.regions, code))), ()
            )
            for code in site.regions
        }
        self._of_enterprise = {
            enterprise.id: self._of_region.get(enterprise.region, ()) for enterprise in site.enterprises.values()
        }

    def __iter__(self) -> Iterator[Desk]:
        return iter(self._desks.values())

    def __contains__(self, identity: object) -> bool:
        return identity in self._desks

    def get(self, identity: str) -> Desk | None:
        """The desk of that id."""
        return self._desks.get(identity)

    def of_region(self, code: str) -> tuple[Desk, ...]:
        """Desks that see the alarms of a region; none where nobody watches it."""
        return self._of_region.get(code, ())

    def nearest(self, code: str) -> tuple[Desk, ...]:
        """Of the desks that see a region, those of the lowest region: the first to act."""
        return self._nearest.get(code, ())

    def regions_of(self, identity: str) -> frozenset[str]:
        """Codes of all regions that a desk sees."""
        desk = self._desks.get(identity)
        return frozenset(code for code, desks in self._of_region.items() if desk in desks)

    def of_enterprise(self, identity: str) -> tuple[Desk, ...]:
        """Desks that see an enterprise."""
        return self._of_enterprise.get(identity, ())


def lineage(regions: Mapping[str, Region], code: str | None) -> Iterator[str]:
    """A region's code and those of all above it."""
    seen: set[str] = set()
    while code is not None and code in regions and code not in seen:
        seen.add(code)
        yield code
        code = regions[code].parent


def _watching(desks: Iterable[Desk], regions: set[str]) -> Iterator[Desk]:
    return (desk for desk in desks if not regions.isdisjoint(desk.regions))
