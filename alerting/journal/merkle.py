"""A hash tree over a stretch of the journal, as RFC 9162 (Certificate Transparency) builds it, §2.1.

Whoever signs the root of the tree signs every leaf, and the number of each. That a leaf is among them is shown by some
17 hashes for 100,000 leaves, without any other leaf being shown: evidence of one enterprise need not hold the entries
of the others.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence


def leaf_of(data: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The root of leaves that come one by one; holds one hash for each bit of their number."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._full: list[tuple[int, bytes]] = []
        """(Leaves, hash) of the full subtrees that the leaves so far make, largest first."""
        for data in leaves:
            self.add(data)

    def add(self, data: bytes) -> None:
        """Add the next leaf."""
        self.size += 1
        size, node = 1, leaf_of(data)
        while self._full and self._full[-1][0] == size:
            node = node_of(self._full.pop()[1], node)
            size *= 2
        self._full.append((size, node))

    def copy(self) -> "Tree":
        """A tree of the same leaves, which grows by itself."""
        copied = Tree()
        copied.size, copied._full = self.size, self._full.copy()
        return copied

    @property
    def root(self) -> bytes:
        """Hash of the whole tree; that of nothing where there is no leaf."""
        if not self._full:
            return hashlib.sha256(b"").digest()
        node = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            node = node_of(left, node)
        return node


def paths(leaves: Sequence[bytes], wanted: Iterable[int]) -> Mapping[int, list[bytes]]:
    """Inclusion paths, from the leaf upwards, of the leaves with these indices (from 0) among all ``leaves``."""
    place = {index: index for index in wanted}
    found: dict[int, list[bytes]] = {index: [] for index in place}
    row = [leaf_of(data) for data in leaves]
    while len(row) > 1:
        for index, at in place.items():
            neighbour = at ^ 1
            if neighbour < len(row):
                found[index].append(row[neighbour])
            place[index] = at // 2
        odd = [row[-1]] if len(row) % 2 else []
        row = [node_of(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)] + odd
    return found


def root_by(path: Sequence[bytes], data: bytes, index: int, size: int) -> bytes | None:
    """The root that a leaf's path leads to (RFC 9162 §2.1.3.2); None where it fits no tree of that size."""
    if not 0 <= index < size:
        return None
    at, last, node = index, size - 1, leaf_of(data)
    for other in path:
        if last == 0:
            return None
        if at % 2 or at == last:
            node = node_of(other, node)
            while at and not at % 2:
                at, last = at // 2, last // 2
        else:
            node = node_of(node, other)
        at, last = at // 2, last // 2
    return node if last == 0 else None
