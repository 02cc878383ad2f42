"""Sources that are live: a camera on this box, a camera on the network.

They never end and never wait, so a newer frame replaces an older one. Runs inside a capture
process, which is killed when a read hangs: time-outs in the library are not enough
(opencv/opencv#22677).
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from edge.camera.playback import Shot, opened
from export.errors import CameraError

_WISHES = {
    "width": cv2.CAP_PROP_FRAME_WIDTH,
    "height": cv2.CAP_PROP_FRAME_HEIGHT,
    "fps": cv2.CAP_PROP_FPS,
}


def device(settings: dict[str, Any]) -> Iterator[Shot]:
    """Frames of /dev/videoN; `settings`: index, width, height, fps (None: the camera's own).

    Raises:
        CameraError: it can't be opened, or stopped giving frames.
    """
    name = f"/dev/video{settings['index']}"
    wishes = {prop: settings[key] for key, prop in _WISHES.items() if settings[key] is not None}
    capture = opened(settings["index"], cv2.CAP_V4L2, wishes)
    if capture is None:
        raise CameraError(
            f"{name} can't be opened", "check the cable, the index and the right to read it"
        )
    yield from _frames(capture, name)


def stream(settings: dict[str, Any]) -> Iterator[Shot]:
    """Frames of a network camera; `settings`: url.

    Raises:
        CameraError: it can't be reached, doesn't speak the protocol, or stopped giving frames.
    """
    name = settings["url"].rpartition("@")[2]
    capture = opened(settings["url"], cv2.CAP_FFMPEG, {})
    if capture is None:
        raise CameraError(
            f"the stream {name} can't be opened", "check the address, the network and the password"
        )
    yield from _frames(capture, f"the stream {name}")


def _frames(capture: cv2.VideoCapture, name: str) -> Iterator[Shot]:
    # After a stream died, isOpened() stays true and no read succeeds again: start afresh.
    while True:
        done, pixels = capture.read()
        if not done:
            raise CameraError(f"{name} stopped giving frames", "check its power and cable")
        yield Shot(np.asarray(pixels, np.uint8))
