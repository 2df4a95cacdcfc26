"""docs/plants.md says what the plants are today."""

from pathlib import Path

from docs.figures.plants.draw import BLOCK, FIGURES, PAGE, make, written
from simulators.plants import PLANTS

FOLDER = PAGE.parent / "figures" / "plants"


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


def test_the_figures_are_those_that_the_plants_draw(tmp_path: Path) -> None:
    make(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(FIGURES)
    stale = [
        name for name in FIGURES if (tmp_path / f"{name}.svg").read_bytes() != (FOLDER / f"{name}.svg").read_bytes()
    ]
    assert stale == [], "run docs/figures/plants/draw.py"
    assert [name for name in FIGURES if f"(figures/plants/{name}.svg)" not in page] == []
