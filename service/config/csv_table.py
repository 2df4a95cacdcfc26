"""Point tables in CSV files (UTF-8, with or without a byte order mark), the rows told by their lines."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from service.config.document import Document, Loc
from service.config.drafts import Drafts
from service.config.faults import Fault, FaultList
from service.config.point_table import COLUMNS, table_drafts


def csv_drafts(path: Path, faults: FaultList, named_by: tuple[Document, Loc]) -> Iterator[Drafts]:
    """Drafts of all rows of a table, block by block; faults name file, line and cell."""
    try:
        raw = named_by[0].documents.read(path)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        remedy = "Correct the path (relative paths start from the folder of this file)."
        named_by[0].fault(named_by[1], f"cannot read {str(path)!r}: {told}", remedy)
        return
    yield from table_drafts(csv_rows(str(path), raw, faults), lambda row, column: (str(path), row, column), faults)


def csv_rows(name: str, raw: bytes, faults: FaultList) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of each row; ends at what cannot be read, with the reason in ``faults``."""
    line = 1
    with io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for row in reader:
                yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            remedy = "Close every quotation mark in the row, and double those inside a text."
            faults.add(Fault(name, line, 0, "", f"not readable as CSV: {error}", remedy))
        except UnicodeDecodeError:
            remedy = "Save the file as CSV UTF-8 in Excel."
            faults.add(Fault(name, _first_undecodable(raw), 0, "", "not UTF-8 text", remedy))
        else:
            if line == 1:
                remedy = f"Begin it with a row of column names: {','.join(COLUMNS)}."
                faults.add(Fault(name, 0, 0, "", "the point table is empty", remedy))


def _first_undecodable(raw: bytes) -> int:
    for number, line in enumerate(io.BytesIO(raw), start=1):
        try:
            line.decode("utf-8-sig")
        except UnicodeDecodeError:
            return number
    return 0
