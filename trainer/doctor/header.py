"""What a picture file says of itself before a pixel is decoded: type, depth, encoder, EXIF.

Read by Pillow, lazily; a header that Pillow can't read is None. Knows no class and no pixel.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from export.picture_header import MAX_PIXELS

_ORIENTATION, _MAKE, _MODEL, _SOFTWARE = 0x0112, 0x010F, 0x0110, 0x0131
_SAMPLING = {-1: "grey", 0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L")
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
# The mean of the IJG library's luminance table at quality 50 (ITU-T T.81, annex K.1).
_MEAN_AT_50 = 57.625
_NO_HEADER = (
    UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, KeyError,
    Image.DecompressionBombWarning, Image.DecompressionBombError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says.

    Attributes:
        kind: JPEG, PNG, BMP, or what else Pillow knows.
        mode: Pillow's: L, RGB, CMYK, RGBA, P…
        deep: more than 8 bits per channel.
        alpha: it has transparency.
        frames: pictures in the file.
        turned: EXIF tells readers to turn or mirror it.
        encoding: what encoder and camera left in the file, by name.
    """

    kind: str
    mode: str
    deep: bool
    alpha: bool
    frames: int
    turned: bool
    encoding: tuple[tuple[str, str], ...]


def read(data: bytes) -> Header | None:
    """The header of a file's bytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                fits = 0 < image.width * image.height <= MAX_PIXELS
                return _told(image, data) if fits else None
    except _NO_HEADER:
        return None


def _told(image: Image.Image, data: bytes) -> Header:
    exif = image.getexif()
    deep = image.mode in _DEEP or (image.format == "PNG" and data[24] == 16)
    told = {
        "file type": str(image.format),
        "colours": {"L": "grey", "P": "palette"}.get(image.mode, image.mode),
        "resolution tag": _resolution(image),
        "colour profile": "yes" if image.info.get("icc_profile") else "no",
        "EXIF": "yes" if len(exif) else "no",
        "camera or program": " ".join(
            str(exif[tag]).strip("\0 ") for tag in (_MAKE, _MODEL, _SOFTWARE) if tag in exif
        )[:60],
    }
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        told |= _jpeg(image)
    return Header(
        kind=str(image.format),
        mode=image.mode,
        deep=deep,
        alpha=image.mode in _ALPHA or "transparency" in image.info,
        frames=int(getattr(image, "n_frames", 1)),
        turned=exif.get(_ORIENTATION, 1) not in {0, 1},
        encoding=tuple(told.items()),
    )


def _resolution(image: Image.Image) -> str:
    dpi = image.info.get("dpi") or image.info.get("jfif_density")
    return "none" if not dpi else "x".join(f"{float(one):.0f}" for one in dpi)


def _jpeg(image: JpegImagePlugin.JpegImageFile) -> dict[str, str]:
    tables = [np.asarray(table, float) for table in image.quantization.values()]
    scale = 100 * float(tables[0].mean()) / _MEAN_AT_50
    quality = (200 - scale) / 2 if scale < 100 else 5000 / scale
    mark = hashlib.sha256(b"".join(table.tobytes() for table in tables)).hexdigest()[:4]
    return {
        "JPEG quality": f"about {quality:.0f} (tables {mark})",
        "JPEG sampling": _SAMPLING.get(JpegImagePlugin.get_sampling(image), "other"),
        "JPEG order": "progressive" if image.info.get("progressive") else "baseline",
    }
