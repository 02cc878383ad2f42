"""Which pictures are chosen among one another: those of a category, or of one product (SKU)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from edge.catalog import feeds
from edge.catalog.look import Look
from export import table
from export.errors import DatasetError

ALIKE = 0.8  # cosine from which two pictures of a category are taken for one product
NAMED = 5  # paths that a warning names


@dataclass(frozen=True, slots=True)
class Sets:
    """Where a picture's set comes from; at most one is given, else its category.

    Attributes:
        regex: its first group in a path is the product.
        table: a CSV with the columns path and sku (or product), or a shop's product list.
        similar: pictures of a category that look alike are of one product.
    """

    regex: str | None = None
    table: Path | None = None
    similar: bool = False

    def __post_init__(self) -> None:
        if sum((self.regex is not None, self.table is not None, self.similar)) > 1:
            raise DatasetError("--sku-regex, --skus and --similar each name the product", "one")

    @property
    def word(self) -> str:
        """What a set is called, for people."""
        named = self.regex is not None or self.table is not None or self.similar
        return "product" if named else "category"


def named(looks: Sequence[Look], sets: Sets) -> list[str]:
    """The set of each look, in their order; a picture that the rule doesn't name has none ("").

    Raises:
        DatasetError: the pattern or the table can't be used.
    """
    if sets.regex is not None:
        pattern = _pattern(sets.regex)
        found = [pattern.search(look.path) for look in looks]
        return [match[1] or "" if match else "" for match in found]
    if sets.table is not None:
        given = read_table(sets.table, [look.path for look in looks])
        return [given.get(look.path, "") for look in looks]
    return _similar(looks) if sets.similar else [look.category for look in looks]


def _pattern(regex: str) -> "re.Pattern[str]":
    try:
        pattern = re.compile(regex)
    except re.error as error:
        raise DatasetError(f"--sku-regex {regex!r}: {error}", "mend the pattern") from error
    if pattern.groups < 1:
        raise DatasetError(
            f"--sku-regex {regex!r} has no group", r"put brackets around the SKU: '^([A-Z0-9-]+)_'"
        )
    return pattern


def read_table(path: Path, paths: Sequence[str]) -> dict[str, str]:
    """Path → SKU of a CSV with these columns, or of a shop's product list.

    Args:
        path: of the table. A list names files by their addresses, wherever in the folder they lie.
        paths: of the pictures.

    Raises:
        DatasetError: it can't be used.
    """
    told = table.read(path)
    sku = next((one for one in ("sku", "product") if one in told.columns), None)
    if sku is not None and "path" in told.columns:
        return {row["path"]: row[sku] for row in told.rows}
    try:
        listed = feeds.products(feeds.read(path))
    except DatasetError as error:
        raise told.complaint("its first line must name the columns: path,sku") from error
    names = {one: PurePosixPath(one).name for one in paths}
    found = {one: listed[name] for one, name in names.items() if name in listed}
    return found | {name: listed[name] for name in listed.keys() - set(names.values())}


def check(sets: Sets, paths: Sequence[str]) -> list[str]:
    """What of the rule fits no picture, in words, before any is looked at.

    Args:
        sets: the rule.
        paths: of every picture.

    Raises:
        DatasetError: the pattern or the table can't be used, or names no picture at all.
    """
    if sets.regex is not None:
        pattern = _pattern(sets.regex)
        if not any(pattern.search(path) for path in paths):
            raise DatasetError(
                f"--sku-regex {sets.regex!r} fits none of {len(paths)} pictures, such as "
                f"{paths[0]!r}",
                "it is searched in the path below the folder of the pictures",
            )
    if sets.table is None:
        return []
    given = read_table(sets.table, paths)
    if not given.keys() & set(paths):
        raise DatasetError(
            f"{str(sets.table)!r} names none of {len(paths)} pictures: it has "
            f"{next(iter(given), 'no row')!r}, the folder {paths[0]!r}",
            "paths are relative to the folder of the pictures, with /",
        )
    gone = sorted(given.keys() - set(paths))
    lacking = sorted(set(paths) - given.keys())
    return [
        f"{sets.table} {what}: {_some(found)}"
        for what, found in (("names no picture with", gone), ("lacks", lacking))
        if found
    ]


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"{', '.join(paths[:NAMED])}{more}"


def _similar(looks: Sequence[Look]) -> list[str]:
    """Products by likeness: that of the most alike earlier head of the category, or a new one."""
    names = [""] * len(looks)
    by_category: dict[str, list[int]] = {}
    for at, look in enumerate(looks):
        by_category.setdefault(look.category, []).append(at)
    for category, places in by_category.items():
        vectors = np.stack([looks[at].vector() for at in places])
        heads: list[int] = []
        for number, at in enumerate(places):
            near = vectors[heads] @ vectors[number] if heads else np.empty(0)
            best = int(near.argmax()) if len(near) else -1
            if best < 0 or near[best] < ALIKE:
                heads.append(number)
                best = len(heads) - 1
            names[at] = f"{category} {best + 1}"
    return names
