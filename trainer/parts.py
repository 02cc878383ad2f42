"""Which pictures show the same part: they must never straddle a split.

A part is known from a table, from a file name's pattern, or from runs of numbers; and pictures
that are the same, byte for byte or to the eye, are of one part whatever their names say. It
knows names and hashes, not pixels.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet

from export.errors import DatasetError
from trainer.dataset import Picture, counted, listing

# Of 256 bits of perceptual hash. Measured on magnetic tiles, toy figures, cookies and steel strips:
# different pictures were 10 bits apart or more (one pair in a thousand 24 or less), a picture
# and itself saved again as JPEG 60 or at half size 6 or fewer in most cases (steel 16).
NEAR_BITS = 10
_CHUNK = 256
# Beyond this share of all pictures in one part by likeness alone, the likeness is the scene's.
_TOO_ALIKE = 0.3
_FEW_ALIKE = 5

Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PartRule:
    """Where a picture's part comes from; at most one of `regex` and `runs` is set.

    Attributes:
        table: parts.csv with columns path and part, if the data set has one.
        regex: its first group, searched in the path, names the part.
        runs: the last numbers of the file names form a chain of parts: pictures whose numbers
            lie no further apart than this are of one part.
        near: unite near duplicates.
    """

    table: Path | None = None
    regex: str | None = None
    runs: int | None = None
    near: bool = True


def rule_for(rule: PartRule, root: Path) -> PartRule:
    """The rule with the table of a data set, if that has one; raises DatasetError if both speak."""
    table = root / "parts.csv"
    if rule.regex is not None and rule.runs is not None:
        raise DatasetError("--part-regex and --part-runs both name the part", "give one of them")
    if table.exists() and (rule.regex is not None or rule.runs is not None):
        raise DatasetError(
            f"{str(table)!r} names the parts, and so does --part-regex or --part-runs",
            "drop the option, or remove the file",
        )
    return PartRule(table if table.exists() else None, rule.regex, rule.runs, rule.near)


def group(
    pictures: Sequence[Picture], rule: PartRule, digests: Sequence[str], hashes: Bits
) -> list[str]:
    """The part of each picture: by the rule, and twins united.

    Args:
        pictures: N of them.
        rule: where a part comes from.
        digests: SHA-256 of each file.
        hashes: (N,256) bits of each perceptual hash.

    Raises:
        DatasetError: the rule doesn't fit the names, or most pictures look the same.
    """
    named = name_parts(pictures, rule)
    united = unite(named, exact_twins(digests))
    return _with_near(named, united, hashes) if rule.near else united


def _with_near(named: list[str], united: list[str], hashes: Bits) -> list[str]:
    nearly = unite(united, near_twins(hashes))
    largest, size = Counter(nearly).most_common(1)[0]
    merged = Counter(one for one, two in zip(united, nearly, strict=True) if two == largest)
    before = merged.most_common(1)[0][1]
    if size > before and size > max(_FEW_ALIKE, _TOO_ALIKE * len(named)):
        raise DatasetError(
            f"{size} of {len(named)} pictures look so alike that they seem to show one part",
            "if they show different parts, say which: --part-regex, --part-runs or a parts.csv, "
            "and switch the comparison off with --no-near-duplicates",
        )
    return nearly


def near_any(hashes: Bits, others: Bits, bits: int = NEAR_BITS) -> NDArray[np.bool_]:
    """(N,) True where a hash (N,B) differs from any of the others (M,B) in at most `bits` bits."""
    signs, known = (found.astype(np.float32) * 2 - 1 for found in (hashes, others))
    near = np.zeros(len(hashes), bool)
    for start in range(0, len(hashes) if len(others) else 0, _CHUNK):
        apart = (hashes.shape[1] - signs[start : start + _CHUNK] @ known.T) / 2
        near[start : start + _CHUNK] = (apart <= bits).any(1)
    return near


def to_hex(bits: Bits) -> str:
    """A hash (B,) as hexadecimal digits."""
    return np.packbits(bits).tobytes().hex()


def from_hex(digits: Sequence[str]) -> Bits:
    """Hashes (N,B) from their hexadecimal digits."""
    rows = [np.unpackbits(np.frombuffer(bytes.fromhex(one), np.uint8)) for one in digits]
    return np.stack(rows) if rows else np.empty((0, 0), np.uint8)


def name_parts(pictures: Sequence[Picture], rule: PartRule) -> list[str]:
    """The part of each picture by the rule alone; its own path where the rule says nothing."""
    given = _table(rule.table, {p.path for p in pictures}) if rule.table else {}
    if rule.regex is not None:
        given |= _by_regex(pictures, rule.regex)
    if rule.runs is not None:
        given |= _by_runs(pictures, rule.runs)
    return [given.get(p.path, p.path) for p in pictures]


def unite(parts: Sequence[str], twins: Iterable[tuple[int, int]]) -> list[str]:
    """Merge the parts of pictures that are twins; a merged part keeps its least name."""
    sets: DisjointSet = DisjointSet(parts)
    for a, b in twins:
        sets.merge(parts[a], parts[b])
    least = {name: min(subset) for subset in sets.subsets() for name in subset}
    return [least[part] for part in parts]


def exact_twins(digests: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions with equal digests, each later one with the first."""
    first: dict[str, int] = {}
    return [
        (first[digest], index)
        for index, digest in enumerate(digests)
        if first.setdefault(digest, index) != index
    ]


def near_twins(hashes: Bits, bits: int = NEAR_BITS) -> list[tuple[int, int]]:
    """Pairs of positions whose hashes (N,B uint8, 0 or 1) differ in at most `bits` bits."""
    signs = hashes.astype(np.float32) * 2 - 1
    length = hashes.shape[1]
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(hashes), _CHUNK):
        apart = (length - signs[start : start + _CHUNK] @ signs.T) / 2
        rows, columns = np.nonzero(apart <= bits)
        found = zip((rows + start).tolist(), columns.tolist(), strict=True)
        pairs += [(row, column) for row, column in found if row < column]
    return pairs


def conflicts(pictures: Sequence[Picture], twins: Iterable[tuple[int, int]]) -> list[str]:
    """Paths of exact duplicates that stand under different classes."""
    found: set[str] = set()
    for a, b in twins:
        if pictures[a].label != pictures[b].label:
            found |= {pictures[a].path, pictures[b].path}
    return sorted(found)


def read_table(path: Path) -> dict[str, str]:
    """The part of each path that a parts.csv names; raises DatasetError if it can't be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # Excel's CSV begins with a mark
            reader = csv.DictReader(file)
            if not {"path", "part"} <= set(reader.fieldnames or ()):
                raise DatasetError(
                    f"{str(path)!r} has the columns {listing(list(reader.fieldnames or ()))}",
                    "its first line must name the columns: path,part",
                )
            return {row["path"]: f"part {row['part']}" for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {error}", "save it as CSV in UTF-8"
        ) from error


def _table(path: Path, known: set[str]) -> dict[str, str]:
    rows = read_table(path)
    if strange := sorted(set(rows) - known):
        raise DatasetError(
            f"{str(path)!r} names {counted(len(strange), 'picture')} that can't be found: "
            f"{listing(strange)}",
            "paths are relative to the data set's folder, with /",
        )
    if lacking := sorted(known - set(rows)):
        raise DatasetError(
            f"{str(path)!r} lacks {counted(len(lacking), 'picture')}: {listing(lacking)}",
            "give every picture its part, or remove the file",
        )
    return rows


def _by_regex(pictures: Sequence[Picture], regex: str) -> dict[str, str]:
    try:
        pattern = re.compile(regex)
    except re.error as error:
        raise DatasetError(f"--part-regex {regex!r}: {error}", "mend the pattern") from error
    if pattern.groups < 1:
        raise DatasetError(
            f"--part-regex {regex!r} has no group", r"put brackets around the part: 'tile(\d+)_'"
        )
    matches = {p.path: pattern.search(p.path) for p in pictures}
    missed = [path for path, match in matches.items() if match is None or match[1] is None]
    if missed:
        raise DatasetError(
            f"--part-regex {regex!r} finds no part in {counted(len(missed), 'path')}: "
            f"{listing(missed)}",
            "widen the pattern until it matches every path",
        )
    return {path: f"part {match[1]}" for path, match in matches.items() if match}


def _by_runs(pictures: Sequence[Picture], gap: int) -> dict[str, str]:
    numbered: list[tuple[int, str]] = []
    missed: list[str] = []
    for p in pictures:
        numbers = re.findall(r"[0-9]+", Path(p.path).stem)
        if numbers:
            numbered.append((int(numbers[-1]), p.path))
        else:
            missed.append(p.path)
    if missed:
        raise DatasetError(
            f"--part-runs: no number in {counted(len(missed), 'file name')}: {listing(missed)}",
            "use --part-regex or a parts.csv",
        )
    numbered.sort()
    parts: dict[str, str] = {}
    start, last = "", None
    for number, path in numbered:
        if last is None or number - last > gap:
            start = f"run {number}"
        parts[path], last = start, number
    return parts
