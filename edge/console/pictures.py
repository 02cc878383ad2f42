"""Pictures of samples as the page shows them: shrunk, as JPEG, with the heatmap if it is asked for.

Each is made once and remembered up to a limit; two at a time at most, since the line has the
processor first. Only what a sample's record names is ever opened.
"""

import threading
from collections import OrderedDict

import cv2
import numpy as np

from export import heat, picture
from export.errors import SampleError
from export.preprocess import Pixels, Region
from export.sample import Sample
from export.sample_folder import SampleFolder

WIDTHS = (320, 960, 1600)  # pixels
REMEMBERED_BYTES = 48 * 1024**2
QUALITY = 85
AT_ONCE = 2


class Pictures:
    """Draws pictures of the samples in `folder`."""

    def __init__(self, folder: SampleFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._drawing = threading.Semaphore(AT_ONCE)
        self._made: OrderedDict[tuple[str, int, bool], bytes] = OrderedDict()
        self._bytes = 0

    def jpeg(self, name: str, width: int, *, hot: bool) -> bytes:
        """The picture of sample `name`, at most `width` (one of WIDTHS) wide.

        Raises:
            SampleError: there is no such sample, or its picture can't be read.
        """
        key = (name, width, hot)
        with self._lock:
            if (made := self._made.get(key)) is not None:
                self._made.move_to_end(key)
                return made
        with self._drawing:
            made = self._draw(name, width, hot=hot)
        with self._lock:
            self._bytes += len(made) - len(self._made.get(key, b""))
            self._made[key] = made
            while self._bytes > REMEMBERED_BYTES and len(self._made) > 1:
                self._bytes -= len(self._made.popitem(last=False)[1])
        return made

    def _draw(self, name: str, width: int, *, hot: bool) -> bytes:
        sample = self._folder.read(name)
        pixels = _shrunk(picture.read(self._folder.picture(sample)), width)
        if hot and sample.heat is not None:
            _tint(pixels, sample)
        done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        if not done:
            raise SampleError(f"the picture of {name} can't be shown")
        return data.tobytes()


def _shrunk(pixels: Pixels, width: int) -> Pixels:
    rows, columns = pixels.shape[:2]
    if columns <= width:
        return pixels
    size = (width, max(1, round(rows * width / columns)))
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _tint(pixels: Pixels, sample: Sample) -> None:
    """Draw the heatmap over what the judge looked at, in place."""
    if sample.heat is None:
        return
    told = sample.region
    region = Region(told.x, told.y, told.width, told.height) if told else Region(0, 0, 1, 1)
    inside = region.cut(pixels)
    heat.tint(inside, heat.of(sample.heat), max(1, pixels.shape[1] // 400))
