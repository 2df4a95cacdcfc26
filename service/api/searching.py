"""What of a site has a text in its name."""

from collections.abc import Callable, Collection

from alerting.ledger.journal_queries import Words
from domain.site import Site

MOST_PLACES = 50
"""Places by name that a search of the ledger takes along [ours]."""


def enterprises_in(site: Site, regions: Collection[str]) -> set[str]:
    """Enterprises in those regions."""
    return {key for key, enterprise in site.enterprises.items() if enterprise.region in regions}


def enterprises_named(site: Site, text: str) -> list[str]:
    """Enterprises whose id or name has the text."""
    wanted = text.casefold()
    return [key for key, one in site.enterprises.items() if wanted in one.name.casefold() or wanted in key.casefold()]


def units_named(site: Site, text: str) -> list[tuple[str, str]]:
    """(enterprise, unit) of the units whose id or name has the text."""
    wanted = text.casefold()
    return [key for key, one in site.units.items() if wanted in one.name.casefold() or wanted in key[1].casefold()]


def words_of(site: Site, text: str, sees: Callable[[str], bool]) -> Words:
    """What the journal is searched for; ``sees``: whether an enterprise is seen, so that others take no place."""
    enterprises = [key for key in enterprises_named(site, text) if sees(key)]
    units = [key for key in units_named(site, text) if sees(key[0])]
    return Words(text, frozenset(enterprises[:MOST_PLACES]), frozenset(units[:MOST_PLACES]))
