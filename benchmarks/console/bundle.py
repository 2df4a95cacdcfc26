"""How much of the console a browser loads, gzipped: all of it, and what each page takes with an empty cache.

Read from the built files and Vite's list of them; no browser is needed. ``python -m benchmarks.console.bundle``
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parents[2] / "service" / "static"
CHUNKS = "chunks.json"
"""Vite's manifest, in the folder of the built files."""
ENTRY = "index.html"
FIRST_PAGE = "src/pages/WatchPage.vue"
MAP_LIBRARIES = ("maplibre", "leaflet", "openlayers")
"""Chunks of these names don't count. The console has none at present: its map is SVG of its own."""
MOST = 700_000
"""Bytes, gzipped, of all pages together."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Bytes as they are sent: gzipped."""

    total: int
    pages: dict[str, int]
    """Page -> all that it loads where nothing is cached, the entry's part with it."""
    first: int
    """The page that a browser opens with."""


def bundle(static: Path = STATIC) -> Bundle:
    """Measure a build. Raises FileNotFoundError: the console is not built."""
    chunks: dict[str, dict[str, Any]] = json.loads((static / CHUNKS).read_text(encoding="utf-8"))
    counted = [name for name in sorted(_files(static)) if not any(library in name for library in MAP_LIBRARIES)]
    sizes = {name: len(gzip.compress((static / name).read_bytes(), 6, mtime=0)) for name in counted}

    def loaded(name: str) -> int:
        files = {file for chunk in _needed(chunks, name) for file in _of(chunks[chunk])} | {ENTRY}
        return sum(sizes.get(file, 0) for file in files)

    lazy = [name for name, chunk in chunks.items() if chunk.get("isDynamicEntry")]
    pages = {Path(chunks[name]["src"]).stem: loaded(name) for name in lazy}
    return Bundle(sum(sizes.values()), pages, loaded(FIRST_PAGE if FIRST_PAGE in chunks else ENTRY))


def _files(static: Path) -> Iterator[str]:
    for path in static.rglob("*"):
        if path.suffix in {".js", ".css", ".html", ".svg"}:
            yield path.relative_to(static).as_posix()


def _of(chunk: dict[str, Any]) -> set[str]:
    return {chunk["file"], *chunk.get("css", []), *chunk.get("assets", [])}


def _needed(chunks: dict[str, dict[str, Any]], name: str) -> set[str]:
    """A chunk, the entry, and what they import in turn; not what is loaded later."""
    found: set[str] = set()
    waiting = [name, ENTRY]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += chunks[each].get("imports", [])
    return found


def kilobytes(size: int) -> str:
    """Of 1000 bytes, as the aim counts."""
    return f"{size / 1000:.0f} kB"


def told(measured: Bundle) -> str:
    """One line: the whole, the first page, the heaviest others."""
    heaviest = sorted(measured.pages.items(), key=lambda item: -item[1])[:3]
    others = ", ".join(f"{name} {kilobytes(size)}" for name, size in heaviest)
    return f"{kilobytes(measured.total)} in all; first page {kilobytes(measured.first)}; heaviest: {others}"


if __name__ == "__main__":
    result = bundle()
    for page, size in sorted(result.pages.items(), key=lambda item: -item[1]):
        print(f"{page:20} {kilobytes(size):>8}")
    print(told(result))
