"""Regions in queries: a code stands for the region and all below it."""

from domain.site import Site


def regions_below(site: Site, code: str | None) -> set[str] | None:
    """A region and all below it."""
    if code is None:
        return None
    children: dict[str, list[str]] = {}
    for region in site.regions.values():
        if region.parent is not None:
            children.setdefault(region.parent, []).append(region.code)
    found: set[str] = set()
    waiting = [code]
    while waiting:
        region_code = waiting.pop()
        if region_code not in found:
            found.add(region_code)
            waiting.extend(children.get(region_code, ()))
    return found
