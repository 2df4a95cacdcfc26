"""docs/plants.md names every fault with its parameters, and its figures are what the simulators do today."""

from dataclasses import fields
from pathlib import Path

import pytest

from docs.figures.drawing import make
from docs.figures.faults.draw import FIGURES
from simulators.faults.gateway_faults import GATEWAY_FAULTS
from simulators.faults.instrument_faults import FAULTS

FOLDER = Path(__file__).parents[2] / "docs" / "figures" / "faults"
PAGE = (FOLDER.parents[1] / "plants.md").read_text(encoding="utf-8")


def row(section: str, fault: str) -> str:
    """The line of a section's table that tells of a fault."""
    part = PAGE[PAGE.index(section) :].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|") and f"`{fault}`" in line.split("|")[1]]
    assert len(lines) == 1, f"{fault} in {section}"
    return lines[0]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_an_instrument_is_told_with_its_parameters(fault: str) -> None:
    names = {field.name for field in fields(FAULTS[fault])} - {"tags", "begin", "end"}
    assert [name for name in names if f"`{name}`" not in row("## Instruments and their faults", fault)] == []


@pytest.mark.parametrize("fault", GATEWAY_FAULTS)
def test_every_fault_of_a_gateway_is_told_with_its_parameters(fault: str) -> None:
    names = {field.name for field in fields(GATEWAY_FAULTS[fault])} - {"begin", "end"}
    assert [name for name in names if f"`{name}`" not in row("## Gateways and their faults", fault)] == []


def test_the_figures_are_those_that_the_simulators_draw(tmp_path: Path) -> None:
    make(FIGURES, tmp_path)
    names = [f"{name}.svg" for name in FIGURES]
    stale = [name for name in names if (tmp_path / name).read_bytes() != (FOLDER / name).read_bytes()]
    assert stale == [], "run docs/figures/faults/draw.py"


def test_every_figure_is_shown() -> None:
    assert [name for name in FIGURES if f"(figures/faults/{name}.svg)" not in PAGE] == []
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(FIGURES)
