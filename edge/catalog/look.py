"""A look: everything that is known of one picture file before any choice is made."""

import base64
import hashlib
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.catalog import subject, technique
from edge.catalog.fingerprint import fingerprint
from edge.catalog.relief import Packed, packed, relief
from edge.catalog.thumb import Jpeg, thumb
from export import picture
from export.catalog_bundle import CatalogBundle
from export.catalog_golden import CatalogAnswers
from export.errors import PictureError
from export.picture_header import MAX_BYTES
from export.preprocess import Pixels, shrink
from export.verdict import Contract, Finite

VERSION = 3  # of what is measured: looks of another version are taken again


class Look(Contract):
    """One picture: what the model says of it, and what was measured.

    `hash` is 256 bits in hexadecimal digits; `embedding` is base64 of little-endian float16, of
    unit length; `thumb` is base64 of a tiny JPEG. `recurs` is known
    when the whole folder is: how many pictures bear the mark that this one bears.
    """

    schema_version: Literal[1] = 1
    path: str
    sha256: str
    bytes: int
    category: str
    confidence: Finite
    second: str
    second_confidence: Finite
    presentation: Finite
    novelty: Finite
    ours: bool
    width: int
    height: int
    sharpness: Finite
    bright: Finite
    burnt: Finite
    noise: Finite
    blocking: Finite
    clear: bool
    box: tuple[Finite, Finite, Finite, Finite]
    share: Finite
    touched: tuple[str, ...]
    uniform: Finite
    whiteness: Finite
    marks: Finite
    lost: Finite
    hash: str
    thumb: str
    embedding: str
    recurs: int = 0

    def vector(self) -> NDArray[np.float32]:
        """The embedding (D,)."""
        return np.frombuffer(base64.b64decode(self.embedding), "<f2").astype(np.float32)

    def small(self) -> Jpeg:
        """The thumbnail, a JPEG."""
        return base64.b64decode(self.thumb)


class Glance(Contract):
    """What was read and measured of one file, without the model; `frame` goes beside it."""

    path: str
    fields: dict[str, object]
    relief: Packed


def glance(root: Path, path: str, bundle: CatalogBundle) -> tuple[Glance, Pixels]:
    """Read and measure a file below `root`; returns that and the model's input (H,W,3).

    Raises:
        PictureError: it can't be used.
    """
    file = root / path
    try:
        if file.stat().st_size > MAX_BYTES:
            raise PictureError(f"{path!r} has more than {MAX_BYTES} bytes", "shrink it")
        data = file.read_bytes()
    except OSError as error:
        raise PictureError(f"{path!r} can't be read: {error.strerror}") from error
    return measured(data, path, bundle)


def measured(data: bytes, path: str, bundle: CatalogBundle) -> tuple[Glance, Pixels]:
    """Decode and measure a picture file's bytes; returns and raises as `glance`."""
    pixels = picture.decode(data, path, picture.WHITE)
    taken, shown = technique.measure(pixels), subject.find(pixels)
    fields: dict[str, object] = {
        name: getattr(one, name) for one in (taken, shown) for name in one.__slots__
    }
    fields |= {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "hash": fingerprint(pixels).tobytes().hex(),
        "thumb": base64.b64encode(thumb(pixels)).decode(),
    }
    seen = Glance(path=path, fields=fields, relief=packed(relief(pixels)))
    return seen, shrink(pixels, bundle.input)


def completed(seen: list[Glance], told: CatalogAnswers, bundle: CatalogBundle) -> list[Look]:
    """The looks of N glances, with what the model said of them."""
    manifest, looks = bundle.manifest, list[Look]()
    for at, one in enumerate(seen):
        chances = told.probabilities[at]
        first, second = (int(i) for i in np.argsort(-chances, kind="stable")[:2])
        novelty = float(told.novelty[at])
        looks.append(
            Look.model_validate(
                {
                    **one.fields,
                    "path": one.path,
                    "category": manifest.categories[first],
                    "confidence": round(float(chances[first]), 5),
                    "second": manifest.categories[second],
                    "second_confidence": round(float(chances[second]), 5),
                    "presentation": round(float(told.presentation[at]), 5),
                    "novelty": round(novelty, 4),
                    "ours": novelty < manifest.novel_above,
                    "embedding": base64.b64encode(
                        told.embedding[at].astype("<f2").tobytes()
                    ).decode(),
                }
            )
        )
    return looks
