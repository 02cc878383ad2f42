"""Reading and writing picture files, for training and line alike, hostile ones included.

Only JPEG, PNG and BMP. `export/picture_header.py` looks at each before a pixel is decoded, so that
a decompression bomb is refused in milliseconds. Grey becomes BGR, transparency is refused as are 16
bits per channel and animations: all would need a guess at what was meant. Product pictures alone
are cut out on purpose, and shops show them on white: who reads these says so.
A JPEG that is damaged inside is refused where its decoder can tell; JPEG has no checksum, so that
a changed bit often makes another valid picture (docs/log.md has the shares).
"""

import contextlib
from pathlib import Path

import cv2
import numpy as np
import simplejpeg  # pyright: ignore[reportMissingTypeStubs]

from export.errors import PictureError
from export.picture_header import MAX_BYTES, examine
from export.preprocess import Pixels

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)  # blue, green, red
_ROWS = 256  # that transparency is laid over at a time
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
# libjpeg's warnings that mean an odd header, not lost data (jerror.h, JWRN_*).
_ODD = ("Invalid SOS parameters", "Unknown Adobe color transform", "Warning: unknown JFIF")


def read(path: Path, ground: Colour | None = None) -> Pixels:
    """Read a picture file.

    Args:
        path: the file.
        ground: what a PNG's transparency is laid on; None: it is refused.

    Returns:
        HxWx3 uint8 BGR, with the EXIF orientation applied.

    Raises:
        PictureError: the file can't be read, is no JPEG, PNG or BMP, is too large or too small,
            is cut off, has transparency or 16 bits per channel.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise PictureError(
                f"{str(path)!r} has {size} bytes, more than {MAX_BYTES}", "shrink or leave it out"
            )
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(
            f"{str(path)!r} can't be read: {error.strerror}", "check the path and its rights"
        ) from error
    return decode(data, str(path), ground)


def decode(data: bytes, name: str, ground: Colour | None = None) -> Pixels:
    """Decode the bytes of a picture file called `name`; returns and raises as `read`."""
    kind = examine(data, name, alpha=ground is not None).kind
    # A JPEG has 8 bits and no alpha; IMREAD_COLOR also applies its EXIF orientation.
    how = cv2.IMREAD_COLOR if kind == "JPEG" else cv2.IMREAD_UNCHANGED
    picture = None
    with contextlib.suppress(cv2.error):  # OpenCV's own limits
        if kind != "JPEG" or not _is_damaged(data):
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if picture is None:
        raise PictureError(
            f"{name!r} is a damaged or cut-off {kind} file", "copy it again from its source"
        )
    if picture.dtype != np.uint8:
        raise PictureError(
            f"{name!r} has {8 * picture.dtype.itemsize} bits per channel, 8 are needed",
            "convert it with the tone curve that the camera uses on the line",
        )
    if picture.ndim == 3 and picture.shape[2] == 4 and ground is not None:
        picture = _laid(picture.astype(np.uint8, copy=False), ground)
    elif picture.ndim == 3 and picture.shape[2] == 4:
        raise PictureError(
            f"{name!r} has transparency (an alpha channel)",
            "save it without alpha, over the background that the camera sees",
        )
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(picture, dtype=np.uint8)


def _laid(picture: Pixels, ground: Colour) -> Pixels:
    """HxWx4 uint8, blue, green, red and opacity, laid on a colour: HxWx3."""
    laid = np.empty((*picture.shape[:2], 3), np.uint8)
    for top in range(0, len(picture), _ROWS):
        rows = picture[top : top + _ROWS].astype(np.uint16)
        opaque = rows[:, :, 3:]
        mixed = rows[:, :, :3] * opaque + np.array(ground, np.uint16) * (255 - opaque)
        laid[top : top + _ROWS] = (mixed + 127) // 255
    return laid


def _is_damaged(jpeg: bytes) -> bool:
    """Whether a JPEG lacks its end, or libjpeg-turbo complains about its compressed data.

    OpenCV swallows those warnings. Asking for an eighth of the size unpacks all the data but
    transforms little of them. Other warnings (an odd header that some cameras write) are let be.
    """
    if jpeg.rstrip(b"\0")[-2:] != b"\xff\xd9":
        return True
    try:
        simplejpeg.decode_jpeg(  # pyright: ignore[reportUnknownMemberType]
            jpeg, "GRAY", min_height=1, min_width=1, min_factor=8, strict=True
        )
    except ValueError as error:
        return not str(error).startswith(_ODD)
    return False


def write(path: Path, picture: Pixels) -> None:
    """Write HxWx3 uint8 BGR as the file type of `path`'s suffix; raises PictureError on failure."""
    if path.suffix.lower() not in SUFFIXES:
        raise PictureError(f"{str(path)!r} can't be encoded as {path.suffix}", "use .png or .jpg")
    _done, data = cv2.imencode(path.suffix, picture)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise PictureError(
            f"{str(path)!r} can't be written: {error.strerror}", "check the folder and free space"
        ) from error
