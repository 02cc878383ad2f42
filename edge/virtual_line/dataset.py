"""A folder of labelled stills from a virtual line: one folder per class, and the truth beside them.

What a training run reads; the pictures are whole frames, as a camera on the line gives them.
"""

from collections.abc import Callable
from pathlib import Path

import cv2

from edge.virtual_line.line import VirtualLine
from edge.virtual_line.truth import PartTruth, write_truth
from export.errors import DatasetError, PictureError
from export.preprocess import WHOLE, Pixels, Region

JPEG_QUALITY = 95


def write_dataset(
    line: VirtualLine,
    folder: Path,
    *,
    region: Region = WHOLE,
    suffix: str = ".jpg",
    masks: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> int:
    """Write one still per part to `folder`/CLASS/PART.jpg, and `folder`/truth.csv.

    Args:
        line: the line to photograph.
        folder: made if it isn't there; it must be empty.
        region: what to keep of each frame.
        suffix: `.jpg` (quality 95) or `.png`.
        masks: also write where each defect is to `folder`/masks/CLASS/PART.png, 0 or 255.
        progress: called with the number of stills written so far.

    Returns:
        How many stills were written.

    Raises:
        DatasetError: the folder isn't empty or can't be written.
    """
    if suffix not in {".jpg", ".png"}:
        raise DatasetError(f"stills can't be written as {suffix!r}", "choose .jpg or .png")
    _open(folder)
    try:
        for done, (part, still) in enumerate(zip(line.truth, line.stills(), strict=True), 1):
            _write(_path(folder, part, suffix), region.cut(still))
            if masks and part.defect:
                _write(_path(folder / "masks", part, ".png"), region.cut(line.mask(part.index)))
            progress(done)
    except OSError as error:
        raise DatasetError(
            f"{str(folder)!r} can't be written: {error.strerror}", "check its rights and free space"
        ) from error
    write_truth(folder / "truth.csv", line.truth)
    return len(line.truth)


def _open(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = next(folder.iterdir(), None)
    except OSError as error:
        raise DatasetError(
            f"{str(folder)!r} can't be used as a folder: {error.strerror}", "name another one"
        ) from error
    if found is not None:
        raise DatasetError(
            f"{str(folder)!r} isn't empty: it holds {found.name!r}",
            "name a new folder: stills of two lines in one would share names",
        )


def _path(folder: Path, part: PartTruth, suffix: str) -> Path:
    place = folder / part.label
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{part.part}{suffix}"


def _write(path: Path, picture: Pixels) -> None:
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    done, data = cv2.imencode(path.suffix, picture, quality)
    if not done:
        raise PictureError(f"{str(path)!r} can't be encoded as {path.suffix}", "use .png or .jpg")
    path.write_bytes(data.tobytes())
