"""What people said about a choice: kept in RESULT/overrules.csv, honoured, and learnt from."""

import csv
import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from export import durable
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
        if "/" in self.category or self.category.startswith("."):
            raise ValueError(f"category {self.category!r} can't be a folder's name")


def read(path: Path) -> dict[str, Overrule]:
    """Path → overrule, the last word counting; empty if there is no file.

    Raises:
        DatasetError: it can't be read, or says what can't be understood.
    """
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            if not {"path", "verdict"} <= set(columns):
                raise DatasetError(
                    f"{str(path)!r} has the columns {', '.join(columns)}",
                    f"its first line must be: {','.join(COLUMNS)}",
                )
            found: dict[str, Overrule] = {}
            for number, row in enumerate(reader, 2):
                try:
                    verdict = cast("Verdict", row["verdict"] or "")
                    one = Overrule(row["path"], verdict, row.get("category") or "")
                except ValueError as error:
                    raise DatasetError(
                        f"{str(path)!r}, line {number}: {error}", "mend it"
                    ) from error
                found[one.path] = one
            return found
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{str(path)!r} can't be read: {error}", "save it as UTF-8") from error


def add(path: Path, one: Overrule) -> int:
    """Add one to the file, whole or not at all; returns how many it holds."""
    found = read(path) | {one.path: one}
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([o.path, o.verdict, o.category] for o in found.values())
    durable.replace(path, text.getvalue().encode())
    return len(found)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A picture that became a training example: where from, where to."""

    source: Path
    target: Path


def learn(
    overrules: dict[str, Overrule], told: dict[str, str], pictures: Path, data: Path
) -> list[Lesson]:
    """Copy overruled pictures into the training data, under what was said of them.

    Args:
        overrules: what people said.
        told: path → the category that the model told.
        pictures: the folder that was chosen from.
        data: the folder that training reads: CATEGORY/studio and CATEGORY/reject, or, if it has
            train/, studio/CATEGORY and reject/CATEGORY.

    Raises:
        DatasetError: no such folder, or a picture is gone.
    """
    if not data.is_dir():
        raise DatasetError(f"{str(data)!r} is not a folder", "give the folder that training reads")
    lessons: list[Lesson] = []
    split = (data / "train").is_dir()
    for one in overrules.values():
        category = one.category or told.get(one.path, "")
        if not category:
            raise DatasetError(f"{one.path!r} was never looked at", "run `catalog select` again")
        kind = {"show": "studio", "reject": "reject", "": "train" if split else ""}[one.verdict]
        folder = data / kind / category if split else data / category / kind
        source = pictures / one.path
        lessons.append(Lesson(source, folder / one.path.replace("/", "__")))
    for lesson in lessons:
        try:
            lesson.target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(lesson.source, lesson.target)
        except OSError as error:
            raise LinewardenError(
                f"{str(lesson.source)!r} can't be copied to {str(lesson.target)!r}: "
                f"{error.strerror}",
                "check both folders",
            ) from error
    return lessons
