"""What the built console weighs: read from its files, without a browser."""

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.console.bundle import CHUNKS, MOST, STATIC, bundle
from tests.conftest import missing

MOST_FIRST = 200_000
"""Bytes, gzipped, of the page that a browser opens with: it is to be painted within 1.5 s over a site's slow line."""


def test_the_console_is_small_and_loaded_by_page() -> None:
    """All pages together fit into what was promised, and the first needs only a part of that."""
    if not (STATIC / CHUNKS).is_file():
        missing("the console is not built: python hatch_build.py")
    built = bundle()
    assert built.total <= MOST, built
    assert built.first <= MOST_FIRST, built
    assert max(built.pages.values()) < built.total, "a page is loaded with all the others"


def test_a_page_weighs_what_it_imports_and_the_map_library_does_not_count(tmp_path: Path) -> None:
    """Shared parts count once, those that are loaded later not at all."""
    chunks = {
        "index.html": {"file": "assets/index.js", "css": ["assets/index.css"], "dynamicImports": ["src/pages/Far.vue"]},
        "_shared.js": {"file": "assets/shared.js", "imports": ["index.html"]},
        "src/pages/Far.vue": {
            "file": "assets/Far.js",
            "src": "src/pages/Far.vue",
            "isDynamicEntry": True,
            "imports": ["_shared.js", "index.html"],
        },
    }
    (tmp_path / "assets").mkdir()
    (tmp_path / CHUNKS).write_text(json.dumps(chunks))
    files = ["index.html", "assets/index.js", "assets/index.css", "assets/shared.js", "assets/Far.js"]
    for name in [*files, "assets/maplibre-12345678.js"]:
        (tmp_path / name).write_text(name)
    sizes = [len(gzip.compress(name.encode(), 6, mtime=0)) for name in files]
    measured = bundle(tmp_path)
    assert (measured.total, measured.first) == (sum(sizes), sum(sizes[:3]))
    assert measured.pages == {"Far": sum(sizes)}


def test_a_console_that_is_not_built_is_told(tmp_path: Path) -> None:
    """Nothing is measured of nothing."""
    with pytest.raises(FileNotFoundError):
        bundle(tmp_path)
