"""The list of pictures forgets no page of the console."""

import runpy
from pathlib import Path

PICTURES = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "pictures.py"))


def test_every_page_of_the_navigation_is_photographed() -> None:
    pages = PICTURES["destinations"]()
    assert len(pages) > 15
    assert set(pages) <= {picture.name for picture in PICTURES["PICTURES"]}


def test_each_picture_has_a_file_of_its_own() -> None:
    names = [picture.name for picture in PICTURES["PICTURES"]]
    assert len(set(names)) == len(names)


def test_documents_show_pictures_that_are_taken_and_there() -> None:
    shown = PICTURES["shown"]()
    assert shown <= {picture.name for picture in PICTURES["PICTURES"]}
    folder = PICTURES["ROOT"] / "docs" / "screenshots"
    for name in shown:
        for language in ("zh", "en"):
            assert 0 < (folder / f"{name}-{language}.png").stat().st_size < 250_000
