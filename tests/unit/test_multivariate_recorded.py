"""The figures of docs/multivariate.md on recorded faults, with margins: what the benchmark prints."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.multivariate import Confusion, Tep, read_skab, read_tep, skab, tep
from tuning.multivariate.training import Options

TEP = [f"d{fault:02d}_te.dat" for fault in (0, 1, 2, 4, 6, 8, 11)]
SKAB = [f"valve1-{number}.csv" for number in range(8)]
EITHER = "T2 or SPE"


@pytest.fixture(scope="module")
def plant(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Tep:
    """The files named here, whatever else is in the folder."""
    folder = tmp_path_factory.mktemp("tep")
    for name in TEP:
        (folder / name).symlink_to(shared_data(f"tep/{name}"))
    return tep(folder, Options())


def test_normal_operation_of_the_plant_warns_at_one_row_in_a_hundred_at_the_most(plant: Tep) -> None:
    normal = plant.files[0]
    assert normal.name == "d00_te"
    assert normal.false[EITHER] <= 1.0
    assert normal.false["3 sigma"] > 5 * normal.false[EITHER], "limits of three sigma raise far more often"


@pytest.mark.parametrize(
    ("fault", "rows"), [("d01", 14), ("d02", 22), ("d04", 8), ("d06", 10), ("d08", 30), ("d11", 14)]
)
def test_a_fault_of_the_plant_is_found_within_so_many_rows(plant: Tep, fault: str, rows: int) -> None:
    """The aim is 30 rows for faults 1, 2, 6, 8 and 11; the figures seen are three to five rows below these."""
    (found,) = (file for file in plant.files if file.name.startswith(fault))
    delay = found.delay[EITHER]
    assert delay is not None
    assert delay <= rows
    assert found.false[EITHER] <= 5.0, "of the rows before the fault"
    operating = found.delay["operating"]
    assert operating is None or operating > 3 * delay, "the operating limits come late or never"


def test_a_file_that_stands_on_its_side_is_turned(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """As the set's d00.dat does: with it there, the model is trained on it and d00_te is judged whole."""
    rows = read_tep(shared_data("tep/d00_te.dat"))
    np.savetxt(tmp_path / "d00.dat", rows[:500].T)
    shutil.copy(shared_data("tep/d00_te.dat"), tmp_path / "d00_te.dat")
    assert np.allclose(read_tep(tmp_path / "d00.dat"), rows[:500])
    found = tep(tmp_path, Options())
    assert found.trained_on == "d00.dat"
    assert len(found.retained) == 1


def test_the_testbed_is_judged_as_well_as_its_leaderboard_has_it(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    for name in SKAB:
        (tmp_path / name).symlink_to(shared_data(f"skab/{name}"))
    files = skab(tmp_path, Options())
    assert [file.name for file in files] == [Path(name).stem for name in SKAB]
    total = sum((file.judged for file in files), Confusion())
    assert total.f1 >= 0.76, "T-squared+Q (PCA-based) of the leaderboard, on all of its 34 files"
    assert total.false <= 26.62
    assert total.missed <= 28.0


def test_a_file_without_labels_is_left_aside(shared_data: Callable[[str], Path]) -> None:
    assert read_skab(shared_data("skab/anomaly-free.csv")) is None
    read = read_skab(shared_data("skab/valve1-0.csv"))
    assert read is not None
    assert (read[0].shape, int(read[1].sum())) == ((1147, 8), 401)


def test_the_figures_of_a_confusion() -> None:
    found = Confusion.of(np.array([True, True, False, False]), np.array([True, False, True, False]))
    assert (found.f1, found.false, found.missed) == (0.5, 50.0, 50.0)
    assert Confusion().f1 == 0.0
