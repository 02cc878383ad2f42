"""The scores that a bundle's thresholds were chosen and examined on: scores.csv in the bundle.

With them the thresholds can be decided anew without the pictures and without the network. They
name no picture: a split, a part's number, a class, a score, a novelty. Knows nothing of how
thresholds are chosen.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, ValidationError

from export.bundle import Bundle
from export.errors import BundleError
from export.manifest import SCORES
from export.verdict import Contract, Finite, Probability

MAX_BYTES = 4 * 1024 * 1024  # some 100,000 pictures; a box reads them when it starts
_COLUMNS = ("split", "part", "label", "score", "novelty")


class Score(Contract):
    """One picture: what a person called it and how the model scored it."""

    split: str = Field(min_length=1)
    part: int = Field(ge=0, description="pictures of one number show one part")
    label: str = Field(min_length=1)
    score: Probability
    novelty: Finite | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A picture's score with its part by the name that the workstation knows."""

    split: str
    part: str
    label: str
    score: float
    novelty: float | None = None


def encode(found: Sequence[Scored], fp32: Sequence[Scored] | None = None) -> bytes:
    """The bytes of scores.csv: parts become numbers, in the order of splits, classes and scores.

    Args:
        found: one for each picture.
        fp32: FP32's of the same pictures, if `found` is another variant's: it orders them, so
            that a line speaks of the same picture in every variant's file.
    """
    pairs = zip(found if fp32 is None else fp32, found, strict=True)
    ordered = [
        one
        for _, one in sorted(
            pairs, key=lambda pair: (pair[0].split, pair[0].label, pair[0].score, pair[0].part)
        )
    ]
    numbers: dict[str, int] = {}
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for one in ordered:
        number = numbers.setdefault(one.part, len(numbers))
        novelty = "" if one.novelty is None else f"{one.novelty:.9g}"
        writer.writerow([one.split, number, one.label, f"{one.score:.9g}", novelty])
    return text.getvalue().encode()


def decode(body: bytes, name: str) -> tuple[Score, ...]:
    """Read the bytes of scores.csv; raises BundleError, calling it `name`, if it isn't one."""
    try:
        rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
        if not rows or tuple(rows[0]) != _COLUMNS:
            raise BundleError(f"{name} has not the columns {', '.join(_COLUMNS)}", _REMEDY)
        return tuple(
            Score.model_validate_strings(
                {key: cell for key, cell in zip(_COLUMNS, row, strict=True) if cell}
            )
            for row in rows[1:]
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(
            f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}", _REMEDY
        ) from error
    except (ValueError, csv.Error) as error:
        raise BundleError(f"{name} can't be read: {error}", _REMEDY) from error


_REMEDY = "export the bundle again"


def read(bundle: Bundle) -> tuple[Score, ...]:
    """The scores that a bundle carries; raises BundleError if it has none that can be used."""
    name = bundle.file(SCORES)
    path = bundle.path / name
    if name not in bundle.manifest.files:
        raise BundleError(
            f"{bundle.path} carries no {name}: its thresholds can't be decided anew",
            "export its run again with this version of Linewarden",
        )
    if bundle.manifest.files[name].bytes > MAX_BYTES:
        raise BundleError(f"{path} is larger than {MAX_BYTES} bytes", _REMEDY)
    found = decode(bundle.read(name), str(path))
    if strange := {one.label for one in found} - set(bundle.manifest.classes):
        raise BundleError(f"{path} has classes that the manifest lacks: {sorted(strange)}", _REMEDY)
    return found
