"""Where commissioning references are kept: one folder per camera, written whole or not at all."""

import io
import zlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera_health.reference import Reference
from edge.camera_health.sample import CELLS
from export import durable
from export.errors import StoreError
from export.preprocess import Pixels

VERSION = 1
FILE, PICTURE = "reference.npz", "reference.jpg"
MOST_BYTES = 16 << 20
_NAME_CHARS = 120


def folder(store: Path, camera: str) -> Path:
    """The folder of a camera, whatever characters its name has."""
    name = quote(camera, safe="")
    if len(name) > _NAME_CHARS:
        name = f"{name[:_NAME_CHARS]}-{zlib.crc32(camera.encode()):08x}"
    return store / "cameras" / f"camera-{name}"


def save(at: Path, reference: Reference, pixels: Pixels) -> None:
    """Keep a reference and the frame (HxWx3 uint8 BGR) that was last looked at for it.

    Raises:
        StoreError: it can't be written.
    """
    buffer = io.BytesIO()
    values: dict[str, Any] = asdict(reference)
    np.savez_compressed(buffer, version=VERSION, **values)
    try:
        at.mkdir(parents=True, exist_ok=True)
        _, jpeg = cv2.imencode(".jpg", pixels)
        durable.replace(at / PICTURE, jpeg.tobytes())
        durable.replace(at / FILE, buffer.getvalue())
    except OSError as error:
        raise StoreError(
            f"the commissioning reference can't be written to {at}: {error.strerror}",
            "make room, or let the box write there",
        ) from error


def load(at: Path) -> Reference | None:
    """The reference kept in a camera's folder; None if there is none.

    Raises:
        StoreError: what is there is no reference, or damaged.
    """
    path = at / FILE
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(_bytes(path)), allow_pickle=False) as kept:
            return _checked({name: kept[name] for name in kept.files})
    except Exception as error:
        # zipfile and numpy raise many kinds for a damaged file.
        raise StoreError(
            f"{path} is no commissioning reference: {error}",
            "take a new one while the camera is well: linewarden commission",
        ) from error


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    return path.read_bytes()


def _checked(kept: dict[str, NDArray[Any]]) -> Reference:
    if int(kept.pop("version")) != VERSION:
        raise ValueError("it is of another version")
    if set(kept) != {one.name for one in fields(Reference)}:
        raise ValueError(f"it holds {', '.join(sorted(kept))}")
    arrays = {name: kept.pop(name) for name in ("cells", "steady", "usual", "still", "size")}
    numbers = {name: float(kept[name]) for name in kept}
    finite = all(np.isfinite(arrays[name]).all() for name in ("cells", "usual"))
    if not finite or not np.isfinite(list(numbers.values())).all():
        raise ValueError("it holds values that are not finite")
    cells, steady, usual, still = (arrays[name] for name in ("cells", "steady", "usual", "still"))
    shapes = cells.shape == (*CELLS, 3) and usual.ndim == 2 and usual.shape == still.shape
    inside = steady.ndim == 2 and len(steady) == 4 and steady.min() >= 0
    if not shapes or not inside or steady.max() >= CELLS[0] * CELLS[1] or not still.any():
        raise ValueError("its arrays don't fit together")
    rows, columns = (int(one) for one in arrays["size"])
    whole = {name: int(numbers.pop(name)) for name in ("frames", "period_ns", "repeats")}
    return Reference(
        size=(rows, columns),
        cells=cells.astype(np.float32),
        steady=steady.astype(np.intp),
        usual=usual.astype(np.float32),
        still=still.astype(np.bool_),
        **cast("dict[str, Any]", whole | numbers),
    )
