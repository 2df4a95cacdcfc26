"""Names of persons, as they stand in acts."""

import unicodedata


def same_person(one: str, other: str) -> bool:
    """Whether two names are written for the same person: case, width, spaces and signs make no other one."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name))).casefold()
