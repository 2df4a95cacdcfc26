"""docs/plants.md says what the plants are today."""

import re
from pathlib import Path

import numpy as np

from docs.figures.drawing import make
from docs.figures.plants.draw import BLOCK, FIGURES, PAGE, written
from simulators.plants import PLANTS

FOLDER = PAGE.parent / "figures" / "plants"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def test_the_tables_are_those_that_the_plants_declare() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = [found.group(1) for found in BLOCK.finditer(page)]
    assert sorted(told) == sorted(set(told))
    assert set(told) <= set(PLANTS)
    assert {"storage_tank", "pressure_vessel", "batch_reactor", "pipeline", "gas_release"} <= set(told)
    assert written(page) == page, "run docs/figures/plants/draw.py"


def test_every_plant_has_its_section() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [kind for kind in PLANTS if f"`{kind}`" not in page] == []


def parts(path: Path) -> tuple[str, list[float]]:
    """A drawing without its numbers, and those, in pixels."""
    text = re.sub(r"(?:id|xlink:href|clip-path)=\"[^\"]*\"", "", path.read_text(encoding="utf-8"))
    return NUMBER.sub("#", text), [float(number) for number in NUMBER.findall(text)]


def test_the_figures_are_those_that_the_plants_draw(tmp_path: Path) -> None:
    make(FIGURES, tmp_path, simplify=False)
    page = PAGE.read_text(encoding="utf-8")
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(FIGURES)
    for name in FIGURES:
        assert f"(figures/plants/{name}.svg)" in page
        (drawn, at), (kept, was) = parts(tmp_path / f"{name}.svg"), parts(FOLDER / f"{name}.svg")
        assert drawn == kept, f"{name}: run docs/figures/plants/draw.py"
        np.testing.assert_allclose(at, was, atol=0.5, err_msg=f"{name}: run docs/figures/plants/draw.py")
