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
    assert {name for name, _ in shown} <= {picture.name for picture in PICTURES["PICTURES"]}
    folder = PICTURES["ROOT"] / "docs" / "screenshots"
    assert {path.name for path in folder.iterdir()} == {f"{name}-{language}.png" for name, language in shown}
    assert all(path.stat().st_size < 250_000 for path in folder.iterdir())
