"""The last judged frames, in memory, for an operator who presses after the part has gone by.

A fixed number of frames for the whole box, each with its verdict. Safe to use from every thread;
knows no disk.
"""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.frame import Frame
from export.sample import Computed, Window
from export.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A frame, what was said of it, how, and where the judge saw a defect ((h,w), 0..1)."""

    frame: Frame
    verdict: Verdict
    region: Window | None = None
    computed: Computed | None = None
    heatmap: NDArray[np.floating] | None = None


class Recent:
    """Remembers the newest `room` judged frames; 0 remembers none."""

    def __init__(self, room: int) -> None:
        self._held: deque[Judged] = deque(maxlen=room)
        self._lock = threading.Lock()

    def remember(self, judged: Judged) -> None:
        """The newest one; the oldest is forgotten."""
        with self._lock:
            self._held.append(judged)

    def find(self, camera: str, *, seq: int | None = None, part: str = "") -> Judged | None:
        """The newest of `camera` with this seq, or this part's name, or simply the newest."""
        with self._lock:
            held = list(self._held)
        for judged in reversed(held):
            verdict = judged.verdict
            if verdict.camera != camera or (part and verdict.part != part):
                continue
            if seq is None or verdict.seq == seq:
                return judged
        return None
