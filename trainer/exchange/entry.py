"""The entry: one labelled picture as it crosses between formats, with all that is known of it.

Every format is read into entries and written from them, so that none knows another.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from export import picture
from export.errors import DatasetError
from export.sample import RESERVED
from trainer.dataset import Half

Mask = NDArray[np.bool_]
# What a reader stumbles over in a file that is of another format, whatever stands in it.
NOT_THE_FORMAT = (
    OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said a picture shows, and when; `by` and `at` are empty where unknown."""

    label: str
    by: str = ""
    at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One labelled picture.

    Attributes:
        path: below the data set's root, its class folder included.
        label: the class.
        source: the picture's file.
        half: train or test where that is given.
        part: the part it shows, where that is known.
        mask: the mask's file, where there is one; any size, marked above half its brightest.
        said: the label's history, the last of which is `label`; may be empty.
    """

    path: str
    label: str
    source: Path
    half: Half | None = None
    part: str | None = None
    mask: Path | Mask | None = None
    said: tuple[Said, ...] = ()

    def __post_init__(self) -> None:
        check_label(self.label)
        check_path(self.path)

    def marked(self) -> Mask | None:
        """The mask in its own size, or None."""
        if self.mask is None or isinstance(self.mask, np.ndarray):
            return self.mask
        grey = picture.read(self.mask).max(axis=2)
        return np.asarray(grey > int(grey.max()) / 2, np.bool_)


def check_label(label: str) -> None:
    """Refuse a class that can't be a folder; raises DatasetError."""
    bad = not label or label.startswith(".") or any(one in label for one in "/\\\0")
    if bad or label.lower() in RESERVED:
        raise DatasetError(f"a class can't be called {label!r}", "rename it where it comes from")


def check_path(path: str) -> None:
    """Refuse a path that leaves its folder; raises DatasetError."""
    levels = PurePosixPath(path).parts
    hidden = any(level.startswith(".") for level in levels)
    if not levels or hidden or path.startswith("/") or "\\" in path or "\0" in path:
        raise DatasetError(
            f"{path!r} can't be a picture's path in a data set",
            "give paths below the pictures' folder, without .. and hidden folders",
        )


def below(root: Path, name: str) -> Path:
    """The file called `name` below `root`; raises DatasetError for a name that leads elsewhere."""
    check_path(name)
    return root / name


def place(name: str, label: str, half: Half | None) -> str:
    """Where a picture called `name` elsewhere belongs in a data set."""
    levels = [level for level in PurePosixPath(name).parts if level not in {"/", "images"}]
    if levels[:1] == [half]:
        levels = levels[1:]
    if levels[:1] == [label]:
        levels = levels[1:]
    return "/".join([*([half] if half else []), label, *levels])


def to_size(mask: Mask, height: int, width: int) -> Mask:
    """A mask in its picture's size; unchanged where it has it."""
    if mask.shape == (height, width):
        return mask
    grown = cv2.resize(
        mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return grown.astype(np.bool_)


def half_of(word: object) -> Half | None:
    """The half that a split's name means; raises DatasetError for another word."""
    if word in {None, "", "all"}:
        return None
    found: dict[str, Half] = {"train": "train", "val": "train", "valid": "train", "test": "test"}
    name = str(word).lower()
    if name not in found:
        raise DatasetError(
            f"the split {word!r} is none of train, val and test", "rename it, or leave it empty"
        )
    return found[name]
