"""How many pictures a second `data check --no-labels` looks at: all that needs no network.

640-pixel JPEGs of the virtual line, each another one, two classes; reading from a warm disk cache.
"""

import statistics
import time
from pathlib import Path

import cv2
import numpy as np

from edge.virtual_line import VirtualLine
from export.figures import Figure, save, table
from trainer.doctor.diagnosis import diagnose
from trainer.parts import PartRule
from trainer.progress import Progress

FRAMES, VARIANTS, REPEATS = 40, 25, 3
WIDTH, HEIGHT, QUALITY = 640, 512, 92


def pictures(folder: Path) -> int:
    """Write the pictures; returns how many."""
    rng = np.random.default_rng(0)
    line = VirtualLine(seed=1, parts=FRAMES, width=WIDTH, height=HEIGHT)
    for number, frame in enumerate(line.stills()):
        for variant in range(VARIANTS):
            turned = np.roll(frame, tuple(rng.integers(0, 400, 2)), (0, 1))
            place = folder / ("good" if number % 2 else "dent") / f"{number}-{variant}x.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            _done, data = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            place.write_bytes(data.tobytes())
    return FRAMES * VARIANTS


def measure(folder: Path) -> list[Figure]:
    """The figures, medians of repeats.

    Processor time tells what the work takes where others use the machine, too: 10 ms of it
    are 200 pictures a second on two free cores.
    """
    count = pictures(folder)
    rates: list[float] = []
    spent: list[float] = []
    for _ in range(REPEATS):
        begun, used = time.perf_counter(), time.process_time()
        diagnose(folder, None, PartRule(), Progress(None), ask_labels=False)
        rates.append(count / (time.perf_counter() - begun))
        spent.append(1000 * (time.process_time() - used) / count)
    note = f"{count} JPEGs of {WIDTH}x{HEIGHT}, median of {REPEATS}"
    return [
        Figure("data check without labels", statistics.median(rates), "/s", ">= 200", note),
        Figure("its processor time of a picture", statistics.median(spent), "ms", "<= 10", note),
    ]


def main() -> None:
    """Measure, print and write results/checking.json."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="linewarden-check-") as folder:
        figures = measure(Path(folder))
    print(f"{table(figures)}\n\n{save('checking', figures, seed=1)}")


if __name__ == "__main__":
    main()
