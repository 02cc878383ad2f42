"""CSV files that people save from spreadsheets, and that spreadsheets open: read and guarded.

A cell that begins with = + - or @ is a formula to a spreadsheet, whoever wrote it (CWE-1236). What
is written here has an apostrophe before such a cell, and what is read here loses it again.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from export.errors import DatasetError

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV as it was read: its columns, and its rows by column."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]

    def complaint(self, remedy: str) -> DatasetError:
        """The error that its columns aren't those that are needed."""
        told = ", ".join(self.columns[:12]) or "none"
        problem = f"{str(self.path)!r} has the columns {told}"
        if len(self.columns) == 1 and ";" in told:
            problem = f"{str(self.path)!r} separates its columns by semicolons: {told}"
            remedy = f"save it with commas between the columns; {remedy}"
        return DatasetError(problem, remedy)


def read(path: Path) -> Table:
    """Read a CSV in UTF-8, with or without the mark that Excel puts first.

    Raises:
        DatasetError: there is no such file, or it is no CSV in UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            rows = [{key: plain(str(row[key])) for key in row if key} for row in reader]
            return Table(path, tuple(reader.fieldnames or ()), tuple(rows))
    except OSError as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error.strerror}", "check the path and its rights"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error}", "save it as CSV in UTF-8"
        ) from error


def written(head: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """A CSV in UTF-8, whose cells no spreadsheet takes for formulas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([guarded(c) if isinstance(c, str) else c for c in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def guarded(cell: str) -> str:
    """The cell as a spreadsheet shows it, not as one calculates it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
