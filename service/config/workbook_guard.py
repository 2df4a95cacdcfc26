"""Workbooks (.xlsx) of strangers: what is none, or would take too much memory or time, never comes to openpyxl."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from xml.etree.ElementTree import ParseError

from openpyxl.reader.excel import ExcelReader

DENSEST = 200
"""Times that a part may grow when it is unpacked; a sheet of numbers grows ten to thirty times [ours]."""
MOST_SHEETS = 1_000
CHUNK = 1 << 20
_CELLS = tuple(start + end for start in (b"<c", b":c") for end in (b" ", b"/", b">", b"\n", b"\r", b"\t"))
"""How a cell begins, with or without a prefix: counting these is many times as fast as looking for a pattern."""
DAMAGED = (
    zlib.error,
    zipfile.BadZipFile, zipfile.LargeZipFile, ParseError, NotImplementedError, RuntimeError, EOFError, OSError,
    KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError, ArithmeticError, AssertionError,
)  # fmt: skip
"""What zipfile and openpyxl raise of a file that is none, or was damaged."""
DAMAGE = "the workbook is damaged or none", "Open it in Excel or WPS and save it as .xlsx again."
"""Message and remedy."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What of a workbook is read at the most."""

    size: int
    """Bytes."""
    unpacked: int
    """Bytes of all its parts unpacked, its table of texts among them, which is held in memory."""
    cells: int
    """Of all its sheets, empty ones that it writes down included: reading a million takes seconds."""
    remedy: str
    """What to do about one that has more."""


class GuardedReader(ExcelReader):
    """openpyxl's own, which reads each sheet without a dimension while it opens the book."""

    def read_worksheets(self) -> None:
        """Refuse a part that stands for several sheets: what is read once may be too much a thousand times."""
        targets = [relation.target for _, relation in self.parser.find_sheets()]
        if len(set(targets)) < len(targets):
            raise ValueError("two sheets have one part")
        super().read_worksheets()


def refusal_of(content: bytes, bounds: Bounds) -> tuple[str, str] | None:
    """What forbids to read a workbook: message and remedy. Raises DAMAGED."""
    if len(content) > bounds.size:
        return f"a workbook of more than {bounds.size // 10**6} MB", "Split it into several workbooks."
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return "protected by a password, or of the old .xls kind", "Take the password off and save it as .xlsx."
    if not content.startswith(b"PK"):
        return "not a workbook of the kind .xlsx", "Save it as .xlsx in Excel or WPS."
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _check_parts(archive, bounds) or _check_cells(archive, bounds)


def _check_parts(archive: zipfile.ZipFile, bounds: Bounds) -> tuple[str, str] | None:
    """What forbids to unpack an archive."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        return "not a workbook of the kind .xlsx", "Save it as .xlsx in Excel or WPS."
    if any("vbaproject" in name.lower() for name in names):
        return "a workbook with macros", "Save it as .xlsx, which holds none."
    unpacked = sum(part.file_size for part in parts)
    too_dense = any(part.file_size > CHUNK and part.file_size > DENSEST * part.compress_size for part in parts)
    if too_dense:
        return "a workbook that grows beyond measure when it is unpacked", "Copy its values to a new workbook."
    if unpacked > bounds.unpacked:
        size = f"{unpacked / 1e6:.0f} MB unpacked"
        remedy = "Split it into several workbooks, or copy its values to a new one."
        return f"a workbook of {size}: at most {bounds.unpacked / 1e6:.0f} MB are read", remedy
    if len(parts) > MOST_SHEETS * 4:
        return f"a workbook of more than {MOST_SHEETS} sheets", "Split it into several workbooks."
    return None


def _check_cells(archive: zipfile.ZipFile, bounds: Bounds) -> tuple[str, str] | None:
    cells = 0
    for part in archive.infolist():
        with archive.open(part) as opened:
            while chunk := opened.read(CHUNK):
                cells += sum(map(chunk.count, _CELLS))  # but for one that two chunks share
                if cells > bounds.cells:
                    return f"a workbook of more than {bounds.cells} cells", bounds.remedy
    return None
