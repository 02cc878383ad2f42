"""The pictures themselves: each file decoded once, shrunk as on the line, hashed, kept at hand.

Decoding and shrinking are export's, so that training sees what the line will see. The digest
tells exact duplicates, the perceptual hash near ones.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export import picture
from export.errors import PictureError
from export.preprocess import Input, Pixels, shrink
from trainer.room import room

HASH_SIDE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """What was read, in the order asked for, less the files that couldn't be.

    Attributes:
        paths: below the root, N of them.
        frames: (N, height, width, 3) uint8 BGR.
        digests: SHA-256 of each file.
        hashes: (N, 256) uint8, the bits of each perceptual hash.
        unreadable: path and problem of each file left out.
    """

    paths: tuple[str, ...]
    frames: Pixels
    digests: tuple[str, ...]
    hashes: NDArray[np.uint8]
    unreadable: tuple[tuple[str, str], ...]


def load(
    root: Path,
    paths: Sequence[str],
    to: Input,
    advance: Callable[[], None] = lambda: None,
    reencode: int | None = None,
    *,
    ground: picture.Colour | None = None,
) -> Album:
    """Read every picture; `advance` is called after each. An unreadable one is set apart.

    With `reencode`, each is seen as a JPEG of that quality would show it. Transparency is laid on
    the `ground`; without one it is unreadable.
    """
    frames = room().empty((len(paths), to.height, to.width, 3), np.uint8)
    hashes = np.empty((len(paths), HASH_SIDE * HASH_SIDE), np.uint8)

    def read(index: int) -> str | PictureError:
        try:
            data = (root / paths[index]).read_bytes()
            pixels = picture.decode(data, paths[index], ground)
            if reencode is not None:
                pixels = alike(pixels, reencode)
        except PictureError as error:
            return error
        except OSError as error:
            return PictureError(f"{paths[index]!r} can't be read: {error.strerror}")
        frames[index] = shrink(pixels, to)
        hashes[index] = perceptual(pixels)
        return hashlib.sha256(data).hexdigest()

    answers: list[str | PictureError] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # cv2 lets go of the interpreter's lock
        for answer in pool.map(read, range(len(paths))):
            answers.append(answer)
            advance()
    kept = [i for i, answer in enumerate(answers) if isinstance(answer, str)]
    return Album(
        paths=tuple(paths[i] for i in kept),
        frames=frames if len(kept) == len(paths) else room().taken(frames, kept),
        digests=tuple(str(answers[i]) for i in kept),
        hashes=hashes[kept],
        unreadable=tuple(
            (paths[i], answer.problem)
            for i, answer in enumerate(answers)
            if isinstance(answer, PictureError)
        ),
    )


def alike(pixels: Pixels, quality: int) -> Pixels:
    """The picture after a JPEG of that quality, which leaves the same traces in all of them."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def perceptual(pixels: Pixels) -> NDArray[np.uint8]:
    """The 256 bits (0 or 1) of a picture's perceptual hash: the signs of its low frequencies."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    # Shrunk by area first: PIL's antialias on a whole camera frame would cost more than decoding.
    if min(grey.shape) > 8 * HASH_SIDE:
        grey = cv2.resize(grey, (8 * HASH_SIDE, 8 * HASH_SIDE), interpolation=cv2.INTER_AREA)
    signs = imagehash.phash(Image.fromarray(grey), hash_size=HASH_SIDE).hash
    return np.asarray(signs, np.uint8).ravel()


def fingerprint(album: Album, labels: Sequence[str]) -> str:
    """SHA-256 over every picture's path, class and digest: the same data, the same figure."""
    return version_of(zip(album.paths, labels, album.digests, strict=True))


def version_of(lines: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256 over (path, class, digest) of every picture, in any order."""
    return hashlib.sha256("\n".join("\t".join(line) for line in sorted(lines)).encode()).hexdigest()
