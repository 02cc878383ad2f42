"""Pictures as machine-vision cameras send them, made HxWx3 BGR: mono, Bayer, RGB, 8 to 16 bits.

The codes are those of GenICam's Pixel Format Naming Convention (PFNC). Of more than 8 bits the
highest 8 are kept, as a model sees pictures of 8 bits. Knows no camera.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from export.preprocess import Pixels

_BAYER = {
    "BayerGR": cv2.COLOR_BayerGRBG2BGR,
    "BayerRG": cv2.COLOR_BayerRGGB2BGR,
    "BayerGB": cv2.COLOR_BayerGBRG2BGR,
    "BayerBG": cv2.COLOR_BayerBGGR2BGR,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How one pixel format lies in memory.

    Attributes:
        name: GenICam's.
        bits: that count, of each value.
        values: per pixel.
        colour: cv2's conversion to BGR; None: it is BGR.
    """

    name: str
    bits: int
    values: int
    colour: int | None

    @property
    def pixel_bytes(self) -> int:
        """In memory."""
        return self.values * (1 if self.bits == 8 else 2)


def _layouts() -> dict[int, Layout]:
    grey = cv2.COLOR_GRAY2BGR
    found = {
        0x01080001: Layout("Mono8", 8, 1, grey),
        0x01100003: Layout("Mono10", 10, 1, grey),
        0x01100005: Layout("Mono12", 12, 1, grey),
        0x01100025: Layout("Mono14", 14, 1, grey),
        0x01100007: Layout("Mono16", 16, 1, grey),
        0x02180014: Layout("RGB8", 8, 3, cv2.COLOR_RGB2BGR),
        0x02180015: Layout("BGR8", 8, 3, None),
    }
    for bits, first in ((8, 0x01080008), (10, 0x0110000C), (12, 0x01100010), (16, 0x0110002E)):
        for step, (pattern, code) in enumerate(_BAYER.items()):
            found[first + step] = Layout(f"{pattern}{bits}", bits, 1, code)
    return found


LAYOUTS = _layouts()
NAMES = tuple(layout.name for layout in LAYOUTS.values())


def bgr(data: npt.NDArray[np.uint8], code: int, width: int, height: int) -> Pixels:
    """The picture as HxWx3 uint8 BGR.

    Args:
        data: its bytes, row by row; each row may be followed by padding.
        code: PFNC.
        width: in pixels.
        height: in pixels.

    Raises:
        ValueError: the format is not among NAMES, or there are too few bytes for it.
    """
    layout = LAYOUTS.get(code)
    if layout is None:
        raise ValueError(f"the pixel format 0x{code:08x} is not understood")
    row = width * layout.pixel_bytes
    if width < 1 or height < 1 or data.size < row * height:
        raise ValueError(f"{data.size} bytes are too few for {width}x{height} {layout.name}")
    stride = data.size // height if data.size % height == 0 else row
    rows = data[: stride * height].reshape(height, stride)[:, :row]
    eight = rows if layout.bits == 8 else _highest(rows, layout.bits)
    shaped = np.ascontiguousarray(eight.reshape(height, width, layout.values))
    if layout.colour is None:
        return shaped
    return np.asarray(cv2.cvtColor(shaped, layout.colour), np.uint8)


def _highest(rows: npt.NDArray[np.uint8], bits: int) -> npt.NDArray[np.uint8]:
    """The highest 8 of so many bits, which stand in little-endian words."""
    return (np.ascontiguousarray(rows).view("<u2") >> (bits - 8)).astype(np.uint8)
