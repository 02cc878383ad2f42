"""What an alarm shows: the frame that raised it beside the last good one, as a JPEG in the store.

Written by a thread of its own, so that a slow or full disk holds no camera up; what it can't
write is counted. The newest pictures of each camera are kept.
"""

import queue
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import structlog

from export import durable
from export.preprocess import Pixels

WIDE = 960  # pixels of each of the two
KEPT = 40  # pictures per camera
WAITING = 8
_BAR = 40
_PATTERN = "alarm-*.jpg"


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit:
    """Two frames (HxWx3 uint8 BGR) and where to show them; `good` may be missing."""

    path: Path
    title: str
    now: Pixels
    good: Pixels | None


def side_by_side(exhibit: Exhibit) -> Pixels:
    """The last good frame on the left, the present one on the right, titles above."""
    now = _fitted(exhibit.now, None)
    good = np.zeros_like(now) if exhibit.good is None else _fitted(exhibit.good, now.shape[0])
    told = "no good frame yet" if exhibit.good is None else "last good frame"
    return np.hstack([_titled(good, told), _titled(now, exhibit.title)])


def _fitted(pixels: Pixels, height: int | None) -> Pixels:
    rows, columns = pixels.shape[:2]
    scale = min(1.0, WIDE / columns) if height is None else height / rows
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _titled(pixels: Pixels, title: str) -> Pixels:
    bar = np.full((_BAR, pixels.shape[1], 3), 32, np.uint8)
    font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    cv2.putText(bar, title, (8, 27), font, 0.6, white, 1, cv2.LINE_AA)
    return np.vstack([bar, pixels])


class Album:
    """Writes exhibits, one after the other.

    Attributes:
        lost: exhibits that couldn't be written, or came too fast.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: queue.Queue[Exhibit | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)
        self._log = structlog.get_logger("evidence")

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Write what waits, for so long."""
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=timeout_s)
            except queue.Full:
                return
            self._thread.join(timeout_s)

    def show(self, exhibit: Exhibit) -> None:
        """Have an exhibit written soon; never waits."""
        try:
            self._waiting.put_nowait(exhibit)
        except queue.Full:
            self.lost += 1

    def _run(self) -> None:
        while (exhibit := self._waiting.get()) is not None:
            try:
                self._write(exhibit)
            except Exception as error:  # noqa: BLE001 - outermost line of the thread
                # A full disk takes the picture, not the alarm.
                self.lost += 1
                self._log.warning("a picture was not kept", path=str(exhibit.path), why=str(error))

    @staticmethod
    def _write(exhibit: Exhibit) -> None:
        exhibit.path.parent.mkdir(parents=True, exist_ok=True)
        _, jpeg = cv2.imencode(".jpg", side_by_side(exhibit), [cv2.IMWRITE_JPEG_QUALITY, 88])
        durable.replace(exhibit.path, jpeg.tobytes())
        kept = sorted(exhibit.path.parent.glob(_PATTERN), key=lambda one: one.stat().st_mtime_ns)
        for old in kept[:-KEPT]:
            old.unlink(missing_ok=True)
