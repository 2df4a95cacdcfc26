"""The figures of docs/rules.md are what the engine says today."""

from pathlib import Path

from docs.figures.drawing import make
from docs.figures.make import FIGURES

FOLDER = Path(__file__).parents[2] / "docs" / "figures"


def test_the_figures_are_those_that_the_engine_draws(tmp_path: Path) -> None:
    make(FIGURES, tmp_path)
    names = [f"{name}.svg" for name in FIGURES]
    stale = [name for name in names if (tmp_path / name).read_bytes() != (FOLDER / name).read_bytes()]
    assert stale == [], "run docs/figures/make.py"


def test_every_figure_is_shown() -> None:
    page = (FOLDER.parent / "rules.md").read_text(encoding="utf-8")
    assert [name for name in FIGURES if f"(figures/{name}.svg)" not in page] == []
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(FIGURES)
