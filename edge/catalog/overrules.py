"""What people said about a choice: kept in RESULT/overrules.csv, and honoured."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from export import durable, table
from export.errors import DatasetError, LinewardenError

FILE = "overrules.csv"
COLUMNS = ("path", "verdict", "category")
Verdict = Literal["show", "reject", ""]


@dataclass(frozen=True, slots=True)
class Overrule:
    """One person's word on a picture: show or reject it, or nothing; and its category, or ""."""

    path: str
    verdict: Verdict
    category: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in ("show", "reject", ""):
            raise ValueError(f"verdict {self.verdict!r} is neither show nor reject")
        if not self.path or self.path.startswith("/") or ".." in self.path.split("/"):
            raise ValueError(f"path {self.path!r} does not lie below the folder of the pictures")
        if {"/", "\0"} & set(self.category) or self.category.startswith("."):
            raise ValueError(f"category {self.category!r} can't be a folder's name")


def read(path: Path) -> dict[str, Overrule]:
    """Path → overrule, the last word counting; empty if there is no file.

    Raises:
        DatasetError: it can't be read, or says what can't be understood.
    """
    if not path.exists():
        return {}
    told = table.read(path)
    if not {"path", "verdict"} <= set(told.columns):
        raise told.complaint(f"its first line must be: {','.join(COLUMNS)}")
    found: dict[str, Overrule] = {}
    for number, row in enumerate(told.rows, 2):
        try:
            one = Overrule(row["path"], cast("Verdict", row["verdict"]), row.get("category", ""))
        except ValueError as error:
            raise DatasetError(f"{str(path)!r}, line {number}: {error}", "mend it") from error
        found[one.path] = one
    return found


def add(path: Path, one: Overrule) -> int:
    """Add one to the file, whole or not at all; returns how many it holds.

    Raises:
        DatasetError: what it holds can't be read.
        LinewardenError: it can't be written.
    """
    try:
        with durable.alone(path.parent):
            found = read(path)
            found.pop(one.path, None)  # the newest stands last
            found[one.path] = one
            rows = [(o.path, o.verdict, o.category) for o in found.values()]
            durable.replace(path, table.written(COLUMNS, rows))
    except OSError as error:
        raise LinewardenError(
            f"{str(path)!r} can't be written: {error.strerror}", "check the folder and space"
        ) from error
    return len(found)


def strange(overrules: Iterable[Overrule], known: Iterable[str]) -> list[str]:
    """Categories that overrules name and that aren't known, each with how many pictures."""
    named = Counter(one.category for one in overrules if one.category)
    return [f"{name!r} ({named[name]})" for name in sorted(named.keys() - set(known))]
