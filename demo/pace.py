"""How fast the belt may run: as fast as this machine, as busy as it is now, can draw and judge.

A line whose box is too slow loses frames; that is a fault to find by commissioning, not a story to
tell. So the demo commissions itself: it times both before it sets the belt's speed.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

from edge.inspection.armed import arm
from edge.virtual_line import FRAMES_PER_PITCH, VirtualLine
from export.signature import load_public

FASTEST_FPS, SLOWEST_FPS = 30.0, 3.0
PARTS = 4  # that are drawn and judged to find out


def sustained_fps(line: VirtualLine, bundle: Path, key: Path) -> float:
    """Frames per second at which one core could draw every frame and judge every part, 3 to 30."""
    inspector = arm(bundle, [load_public(key)], ("cpu",), 1)
    seen = line.truth[:PARTS]
    middles = [line.frame(part.centre_frame) for part in seen]
    numbers = range(seen[0].centre_frame, seen[-1].centre_frame)
    draw_s = fmean(_seconds(lambda at=number: line.frame(at)) for number in numbers)
    judge_s = fmean(_seconds(lambda frame=middle: inspector.judge(frame)) for middle in middles)
    fps = 1 / (draw_s + judge_s / FRAMES_PER_PITCH)
    return float(round(min(FASTEST_FPS, max(SLOWEST_FPS, fps))))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
