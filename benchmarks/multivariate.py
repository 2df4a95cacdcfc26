"""T2 and SPE beside limits on recorded faults: the Tennessee Eastman process and SKAB.

    python -m benchmarks.multivariate --tep FOLDER --skab FOLDER [--json FILE]

Takes every file of the two sets that it finds, whichever they are. All conditions are judged by the live rule engine.

TEP (Russell, Chiang and Braatz): ``dNN_te.dat``, fault NN from row 161 on, 00 none. With ``d00.dat`` there, the model
is trained on it; otherwise on one half of ``d00_te.dat``, and judged on the other, both ways round: no row is
judged by a model that has seen it. ``dNN.dat`` (NN > 0) have the fault from their first row on.

SKAB: each file's model is trained on its first 400 rows, and judged on the rest, as its leaderboard has it.
"""

import argparse
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table as Shown

from domain.components import ComponentModel
from domain.samples import Bool, Float64
from domain.scales import Level, RuleKind
from domain.site import Rule
from tuning.multivariate.alignment import Table
from tuning.multivariate.artefact import Origin, model_of
from tuning.multivariate.evaluation import times_in, warnings_of
from tuning.multivariate.training import Options, TrainingError, train

PERIOD = 180_000
START = 1_767_225_600_000
COLUMNS = 52
ONSET = 160
"""Index of the first row with the fault, in the testing files."""
CONSECUTIVE = 3
"""Rows in a row that raise, for limits and statistics alike; the default of the rules."""
OPERATING = {6: (2895.0, 3000.0), 8: (None, 175.0)}
"""Column: high and high high of the problem statement: reactor pressure, kPa, and temperature, °C (J. Downs and
E. Vogel, Computers & Chemical Engineering 17 (1993) 245-255)."""
PUBLISHED = {
    1: (21, 9), 2: (51, 36), 3: (None, None), 4: (None, 9), 5: (48, 3), 6: (30, 3), 7: (3, 3), 8: (69, 60),
    9: (None, None), 10: (288, 147), 11: (912, 33), 12: (66, 24), 13: (147, 111), 14: (12, 3), 15: (None, 2220),
    16: (936, 591), 17: (87, 75), 18: (279, 252), 19: (None, None), 20: (261, 261), 21: (1689, 855),
}  # fmt: skip
"""Detection delays in minutes of PCA's T2 and Q, of Russell, Chiang and Braatz (2000): six rows in a row, thresholds
set so that 1 % of the normal testing rows exceed them. None: not detected. [K: as known from the literature.]"""
SKAB_COLUMNS = 8
TRAINED_ROWS = 400
SKAB_PUBLISHED = (0.76, 26.62, 24.92)
"""F1, false and missed %, of "T-squared+Q (PCA-based)" on all 34 files (leaderboard of SKAB 0.9, waico/SKAB)."""


@dataclass(frozen=True)
class TepFile:
    """What was found in one file. Delays in rows, counted from the first with the fault; None: never in.

    false: per cent of the rows before the fault at which a condition was in; detected: of those after it.
    """

    name: str
    onset: int
    delay: dict[str, int | None]
    false: dict[str, float]
    detected: dict[str, float]


@dataclass(frozen=True)
class Tep:
    """All files. ``trained_on`` says how the model of the files was made."""

    trained_on: str
    retained: list[int]
    left_out: list[list[str]]
    files: list[TepFile]


@dataclass(frozen=True)
class Confusion:
    """Rows by label and verdict."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    @classmethod
    def of(cls, found: Bool, label: Bool) -> "Confusion":
        """Counts of rows."""
        pairs = ((found & label), (found & ~label), (~found & label), (~found & ~label))
        return cls(*(int(pair.sum()) for pair in pairs))

    def __add__(self, other: "Confusion") -> "Confusion":
        return Confusion(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def f1(self) -> float:
        """TP / (TP + (FN + FP) / 2)."""
        return self.tp / max(self.tp + (self.fn + self.fp) / 2, 1)

    @property
    def false(self) -> float:
        """FP / (FP + TN), per cent: false alarm rate."""
        return 100 * self.fp / max(self.fp + self.tn, 1)

    @property
    def missed(self) -> float:
        """FN / (FN + TP), per cent: missing alarm rate."""
        return 100 * self.fn / max(self.fn + self.tp, 1)


@dataclass(frozen=True)
class SkabFile:
    """One file: rows after the training ones, and all rows."""

    name: str
    judged: Confusion
    whole: Confusion
    left_out: list[str]


def read_tep(path: Path) -> Float64:
    """Rows of 52; the original d00.dat stands on its side."""
    rows = np.loadtxt(path)
    if rows.ndim == 2 and rows.shape[1] != COLUMNS and rows.shape[0] == COLUMNS:
        rows = rows.T
    if rows.ndim != 2 or rows.shape[1] != COLUMNS:
        raise SystemExit(f"{path}: {rows.shape} numbers; a file of the TEP has {COLUMNS} columns")
    found: Float64 = rows
    return found


def tep_files(folder: Path) -> dict[str, tuple[int, Path]]:
    """Name -> fault and path, of all files of the set in a folder."""
    found = {}
    for path in sorted(folder.rglob("d[0-9][0-9]*.dat")):
        if match := re.fullmatch(r"d([0-9]{2})(_te)?\.dat", path.name):
            found[path.stem] = int(match[1]), path
    return found


def model_for(value: Float64, options: Options) -> tuple[ComponentModel, list[int], list[str]]:
    """A model of rows, the columns that it looks at, and what was left out."""
    names = [f"C{column + 1:02d}" for column in range(value.shape[1])]
    table = Table(START + np.arange(len(value)) * PERIOD, value, PERIOD)
    units = [""] * len(names)
    try:
        trained = train(table, names, units, options)
        left_out = [f"{each.name} {each.reason}" for each in trained.left_out]
    except TrainingError as error:  # nearly all drift: better judged by them than not at all
        trained = train(table, names, units, replace(options, keep_drifting=True))
        left_out = [f"none, for {error}"]
    columns = [names.index(name) for name in trained.names]
    return model_of(trained, Origin("benchmark", "", "benchmarks.multivariate")), columns, left_out


Judge = Callable[[Float64], dict[str, Bool]]


def by_statistics(model: ComponentModel, columns: Sequence[int], consecutive: int) -> Judge:
    """T2, SPE and either of them, at each row."""
    rules = warnings_of(model, consecutive)

    def judge(value: Float64) -> dict[str, Bool]:
        time = START + np.arange(len(value), dtype=np.int64) * model.period
        t2, spe = times_in(rules, time, value[:, columns], model.period)
        return {"T2": t2, "SPE": spe, "T2 or SPE": t2 | spe}

    return judge


WIDTHS = np.arange(3.0, 8.1, 0.25)
"""Standard deviations that limits may be from the mean."""


def by_width(trained: Float64, consecutive: int, width: float) -> Judge:
    """Limits so many standard deviations of the training rows around the mean, of each column."""
    mean, sigma = trained.mean(axis=0), trained.std(axis=0, ddof=1)
    delay = (consecutive - 1) * PERIOD
    rules = [
        Rule(
            column,
            f"{kind.name}{column}",
            kind,
            Level.H,
            float(mean[column] + side * width * sigma[column]),
            0.0,
            delay,
        )
        for column in range(len(mean))
        for kind, side in ((RuleKind.HIGH, 1), (RuleKind.LOW, -1))
    ]
    return lambda value: {"": _any_of(rules, value)}


def by_operation(value: Float64) -> dict[str, Bool]:
    """The operating limits of the problem statement."""
    rules = [
        Rule(column, f"{level}{column}", RuleKind.HIGH, level, limit, 0.0)
        for column, limits in OPERATING.items()
        for level, limit in zip((Level.H, Level.HH), limits, strict=True)
        if limit is not None
    ]
    return {"operating": _any_of(rules, value)}


def _any_of(rules: Sequence[Rule], value: Float64) -> Bool:
    time = START + np.arange(len(value), dtype=np.int64) * PERIOD
    found: Bool = np.any(times_in(rules, time, value, PERIOD), axis=0)
    return found


def tep(folder: Path, options: Options, consecutive: int = CONSECUTIVE) -> Tep:
    """All files of the Tennessee Eastman process in a folder."""
    files = tep_files(folder)
    if "d00_te" not in files and "d00" in files:
        files["d00_te"] = files.pop("d00")
    if "d00_te" not in files:
        raise SystemExit(f"{folder}: neither d00_te.dat nor d00.dat, the normal operation")
    normal = read_tep(files["d00_te"][1])
    half = len(normal) // 2
    if "d00" in files:
        trained_on = "d00.dat"
        splits = [(read_tep(files["d00"][1]), slice(0, len(normal)))]
    else:
        trained_on = "one half of d00_te.dat, judged on the other, both ways round; delays are those of the slower"
        splits = [(normal[:half], slice(half, len(normal))), (normal[half:], slice(0, half))]
    retained, left_out = [], []
    judges: list[tuple[Judge, slice]] = []
    """With the rows of d00_te that each may judge."""
    width = _wide_enough(splits, normal, consecutive)
    for taught, judged in splits:
        model, columns, out = model_for(taught, options)
        retained.append(model.retained)
        left_out.append(out)
        parts = {
            "": by_statistics(model, columns, consecutive),
            "3 sigma": by_width(taught, consecutive, 3.0),
            f"{width:g} sigma": by_width(taught, consecutive, width),
        }
        judges.append((partial(_all_of, parts), judged))
    found = []
    for name, (fault, path) in track(files.items(), "TEP", transient=True):
        if name == "d00":
            continue
        value = read_tep(path)
        if fault == 0:
            inside: dict[str, list[Bool]] = {}
            for judge, rows in judges:
                for key, each in judge(value).items():
                    inside.setdefault(key, []).append(each[rows])
            false = {key: 100 * float(np.concatenate(parts).mean()) for key, parts in inside.items()}
            found.append(TepFile(name, len(value), dict.fromkeys(false), false, dict.fromkeys(false, 0.0)))
        else:
            onset = ONSET if name.endswith("_te") else 0
            found.append(_worst(name, onset, [judge(value) for judge, _ in judges]))
    return Tep(trained_on, retained, left_out, found)


def _all_of(parts: Mapping[str, Judge], value: Float64) -> dict[str, Bool]:
    """What all judges say, each under its name; those of statistics have their own."""
    found = by_operation(value)
    for name, judge in parts.items():
        found |= {name or key: inside for key, inside in judge(value).items()}
    return found


def _wide_enough(splits: Sequence[tuple[Float64, slice]], normal: Float64, consecutive: int) -> float:
    """The narrowest limits with false alarms at 1 % of the normal rows at the most.

    Chosen on the very rows that they are judged by, in their favour.
    """

    def is_quiet(width: float) -> bool:
        judged = [by_width(rows, consecutive, width)(normal)[""][part] for rows, part in splits]
        return bool(np.concatenate(judged).mean() <= 0.01)

    return float(WIDTHS[min(bisect_left(WIDTHS.tolist(), 1, key=is_quiet), len(WIDTHS) - 1)])  # wider is quieter


def _worst(name: str, onset: int, judged: Sequence[dict[str, Bool]]) -> TepFile:
    """The latest detection and the most false rows of some judges."""
    delay: dict[str, int | None] = {}
    false: dict[str, float] = {}
    detected: dict[str, float] = {}
    for key in judged[0]:
        first = [np.flatnonzero(each[key][onset:]) for each in judged]
        delay[key] = None if any(not len(each) for each in first) else max(int(each[0]) for each in first)
        false[key] = max(100 * float(each[key][:onset].mean()) if onset else 0.0 for each in judged)
        detected[key] = min(100 * float(each[key][onset:].mean()) for each in judged)
    return TepFile(name, onset, delay, false, detected)


def read_skab(path: Path) -> tuple[Float64, Bool] | None:
    """Values and labels; None for a file without labels."""
    with path.open(encoding="utf-8") as file:
        header = file.readline().strip().split(";")
        if "anomaly" not in header:
            return None
        rows = [line.strip().split(";") for line in file if line.strip()]
    value = np.array([[float(cell) for cell in row[1 : 1 + SKAB_COLUMNS]] for row in rows])
    label = np.array([float(row[header.index("anomaly")]) > 0 for row in rows])
    return value, label


def skab(folder: Path, options: Options, consecutive: int = CONSECUTIVE) -> list[SkabFile]:
    """All labelled files in a folder and those below it."""
    found = []
    for path in track(sorted(folder.rglob("*.csv")), "SKAB", transient=True):
        read = read_skab(path)
        if read is None:
            continue
        value, label = read
        model, columns, left_out = model_for(value[:TRAINED_ROWS], options)
        either = by_statistics(model, columns, consecutive)(value)["T2 or SPE"]
        judged = Confusion.of(either[TRAINED_ROWS:], label[TRAINED_ROWS:])
        name = path.relative_to(folder).with_suffix("").as_posix()
        found.append(SkabFile(name, judged, Confusion.of(either, label), left_out))
    return found


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tep", type=Path, help="folder with dNN_te.dat, and d00.dat if there is one")
    parser.add_argument("--skab", type=Path, help="folder with SKAB's csv files")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    ours = Options()
    parser.add_argument("--smoothing", type=float, default=ours.smoothing)
    parser.add_argument("--components", default=ours.components, help="parallel, a fraction, or a number")
    parser.add_argument("--significance", type=float, default=ours.significance)
    parser.add_argument("--consecutive", type=int, default=CONSECUTIVE, help="rows in a row that raise")
    given = parser.parse_args()
    options = Options(given.smoothing, given.components, given.significance)
    console = Console(width=220)
    said: dict[str, object] = {"options": asdict(options), "consecutive": given.consecutive}
    if given.tep:
        found = tep(given.tep, options, given.consecutive)
        said["tep"] = asdict(found)
        _show_tep(found, console)
    if given.skab:
        files = skab(given.skab, options, given.consecutive)
        said["skab"] = [asdict(file) for file in files]
        _show_skab(files, console)
    if given.json:
        given.json.write_text(json.dumps(said, indent=1))


def _show_tep(found: Tep, console: Console) -> None:
    console.print(f"\nTEP: trained on {found.trained_on}; components {found.retained}; left out {found.left_out}")
    keys = ["T2", "SPE", "T2 or SPE", *(key for key in found.files[0].false if "sigma" in key), "operating"]
    table = Shown(
        "file", *(f"delay {key}" for key in keys), "published T2, Q", *(f"false / in % {key}" for key in keys)
    )
    for file in found.files:
        fault = int(file.name[1:3])
        published = "" if not fault else ", ".join("-" if each is None else str(each // 3) for each in PUBLISHED[fault])
        delays = ["" if not fault else "-" if file.delay[key] is None else str(file.delay[key]) for key in keys]
        table.add_row(file.name, *delays, published, *(_shares(file, key) for key in keys))
    console.print(table)
    console.print("Delays in rows of 3 min from the first row with the fault; false: of the rows before it, in: after.")


def _shares(file: TepFile, key: str) -> str:
    normal = file.name.startswith("d00")
    return f"{file.false[key]:.2f}" if normal else f"{file.false[key]:.2f} / {file.detected[key]:.0f}"


def _show_skab(files: Sequence[SkabFile], console: Console) -> None:
    console.print(f"\nSKAB: trained on each file's first {TRAINED_ROWS} rows")
    table = Shown("file", "F1", "false %", "missed %", "F1 of all rows", "left out")
    for name, judged, whole, left_out in _with_total(files):
        figures = (f"{judged.f1:.2f}", f"{judged.false:.1f}", f"{judged.missed:.1f}", f"{whole.f1:.2f}")
        table.add_row(name, *figures, ", ".join(left_out))
    table.add_row("published, 34 files", *(str(figure) for figure in SKAB_PUBLISHED), "0.75", "")
    console.print(table)


def _with_total(files: Sequence[SkabFile]) -> Iterator[tuple[str, Confusion, Confusion, list[str]]]:
    yield from ((file.name, file.judged, file.whole, file.left_out) for file in files)
    whole = sum((file.whole for file in files), Confusion())
    yield f"all {len(files)} files", sum((file.judged for file in files), Confusion()), whole, []


if __name__ == "__main__":
    main()
