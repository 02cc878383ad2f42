"""Sources that are played: a folder of pictures, a video file, the virtual line.

They end, and nothing in them may be lost, so the line's pace is theirs (except a virtual line
told to run in real time). Runs inside a capture process; knows no camera, thread or trigger.
"""

import ctypes
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.clock import monotonic_ns
from export.errors import CameraError, PictureError
from export.preprocess import Pixels

OPEN_TIMEOUT_MS = 5000
READ_TIMEOUT_MS = 5000
GIVE_BACK_FRAMES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """What a source yields: HxWx3 uint8 BGR pixels, or None and why there are none.

    Attributes:
        pixels: the picture.
        label: what the source calls it.
        why: there is no picture.
        age_ns: since it was taken, where the source knows.
        skipped: frames before it that the source knows were lost.
    """

    pixels: Pixels | None
    label: str = ""
    why: str = ""
    age_ns: int = 0
    skipped: int = 0


def folder(path: str, first: int = 0) -> Iterator[Shot]:
    """The pictures of a folder in order of name, from the one numbered `first`.

    Raises:
        CameraError: there is no such folder, or no picture is in it.
    """
    # Only a folder needs to read files, and that costs the other sources 0.1 s.
    from export import picture  # noqa: PLC0415

    root = Path(path)
    if not root.is_dir():
        raise CameraError(f"{path!r} is not a folder", "set the source's path to one that is")
    files = sorted(entry for entry in root.iterdir() if entry.suffix.lower() in picture.SUFFIXES)
    if not files:
        raise CameraError(
            f"no {', '.join(sorted(picture.SUFFIXES))} file is in {path!r}", "put pictures there"
        )
    for file in files[first:]:
        try:
            yield Shot(picture.read(file), file.name)
        except PictureError as error:
            yield Shot(None, file.name, error.problem)


def video(path: str, loop: bool, first: int = 0) -> Iterator[Shot]:
    """The frames of a video file from the one numbered `first`, again and again if `loop`.

    Raises:
        CameraError: the file isn't there or can't be opened as a video.
    """
    if not Path(path).exists():
        raise CameraError(f"{path!r} does not exist", "set the source's path to a video file")
    skip = first
    while True:
        frames = 0
        for shot in _once(path):
            frames += 1
            if frames > skip:
                yield shot
        if not loop or not frames:
            return
        skip = max(0, skip - frames)


def _once(path: str) -> Iterator[Shot]:
    capture = opened(path, cv2.CAP_FFMPEG, {})
    if capture is None:
        raise CameraError(f"{path!r} can't be opened as a video", "try it in a video player")
    try:
        while True:
            done, pixels = capture.read()
            if not done:
                return
            yield Shot(np.asarray(pixels, np.uint8))
    finally:
        capture.release()


def opened(what: str | int, backend: int, wishes: dict[int, float]) -> cv2.VideoCapture | None:
    """A capture by an explicit backend, opened with time-outs, or None if it can't be had."""
    limits: list[int] = []
    if backend == cv2.CAP_FFMPEG:
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            OPEN_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            READ_TIMEOUT_MS,
        ]
    capture: Any = cv2.VideoCapture()
    if not capture.open(what, backend, limits):
        return None
    for key, value in wishes.items():
        capture.set(key, value)
    return capture


def virtual(settings: dict[str, Any], first: int = 0) -> Iterator[Shot]:
    """The virtual line's frames from the one numbered `first`, at `fps` if its pace is real time.

    Args:
        settings: those of `edge.config.VirtualSource`.
        first: how many frames to leave out.
    """
    # No other source needs it, and its textures cost memory.
    from edge.virtual_line import VirtualLine  # noqa: PLC0415
    from edge.virtual_line.truth import write_truth  # noqa: PLC0415

    line = VirtualLine(
        seed=settings["seed"],
        parts=settings["parts"],
        width=settings["width"],
        height=settings["height"],
        defect_rate=settings["defect_rate"],
        defect_size=settings["defect_size"],
        defect_contrast=settings["defect_contrast"],
        designs=settings["designs"],
    )
    if settings["truth"] and not first:
        write_truth(Path(settings["truth"]), line.truth)
    shots = _drawn(line.frame, line.numbers(first))
    return paced(shots, settings["fps"]) if settings["pace"] == "realtime" else shots


def _drawn(draw: Callable[[int], Pixels], numbers: Iterable[int]) -> Iterator[Shot]:
    """Frames by number; what drawing a part took, some 40 MB, is given back to the system."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    for number in numbers:
        shot = Shot(draw(number))
        if give_back and number % GIVE_BACK_FRAMES == 0:
            give_back(0)
        yield shot


def paced(shots: Iterator[Shot], fps: float) -> Iterator[Shot]:
    """`shots` at `fps`, none before its time; one that is ready late comes at once."""
    started = monotonic_ns()
    for index, shot in enumerate(shots):
        wait_s = index / fps - (monotonic_ns() - started) / 1e9
        if wait_s > 0:
            time.sleep(wait_s)
        yield shot
