"""Four virtual cameras on one box, against the bare model: how much of the processor is left to it.

The whole daemon with everything on (camera health, samples, drift, outbox, broker): every frame of
every camera is a part, drawn by its own capture process as fast as parts can be judged. One part in
24 is a fail and is kept. The model alone is timed before and after, by turns with the daemon.
"""

import statistics
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.rig import broker, frames, make_bundle
from benchmarks.verdicts import PER_ROUND, bare, one_fails
from edge.config import load
from edge.daemon import Daemon
from edge.inspection.armed import arm
from edge.inspection.inspector import Inspector
from export.figures import Figure
from export.preprocess import shrink

CAMERAS, REPEATS, WARM_S, WORK_S = 4, 3, 4.0, 15.0

APPLIANCE = """\
[station]
prefix = "bench"
[broker]
url = "mqtt://127.0.0.1:{port}"
[store]
folder = "store{repeat}"
[samples]
folder = "samples{repeat}"
leave_free_gb = 0.0
[trust]
keys = ["signing.pub"]
"""
CAMERA = """\
[cameras.c{number}]
bundle = "bundle"
deadline_ms = 5000
source = {{ kind = "virtual", seed = {number}, parts = 100000, pace = "lossless" }}
health = {{ watch = true, reference_frames = 20 }}
"""


def rate(folder: Path, inspector: Inspector, repeat: int) -> float:
    """Verdicts a second that the broker acknowledges, of all cameras together."""
    with broker(folder) as plant:
        settings = folder / "appliance.toml"
        cameras = "".join(CAMERA.format(number=n) for n in range(CAMERAS))
        settings.write_text(APPLIANCE.format(port=plant.port, repeat=repeat) + cameras)
        appliance = load(settings, {}).appliance
        daemon = Daemon(appliance, dict.fromkeys(appliance.cameras, inspector))
        daemon.start()
        try:
            time.sleep(WARM_S)
            first, began = acknowledged(daemon), time.perf_counter()
            time.sleep(WORK_S)
            return (acknowledged(daemon) - first) / (time.perf_counter() - began)
        finally:
            daemon.stop()


def acknowledged(daemon: Daemon) -> int:
    """Verdicts so far that were stored and acknowledged."""
    given = sum(daemon.outbox.next_seq(f"c{n}") - 1 for n in range(CAMERAS))
    return given - daemon.outbox.depth()


def measure(folder: Path) -> list[Figure]:
    """The figures, medians over repeats that alternate."""
    bundle, key = make_bundle(folder)
    pictures = frames(PER_ROUND)
    inspector = one_fails(arm(bundle, [key]), pictures)
    inputs = [shrink(picture, inspector.input)[np.newaxis] for picture in pictures]
    alone, rates = [statistics.mean(bare(inspector, inputs))], []
    for repeat in range(REPEATS):
        rates.append(rate(folder, inspector, repeat))
        alone.append(statistics.mean(bare(inspector, inputs)))
    around = [(one + other) / 2 for one, other in pairwise(alone)]
    shares = [one * base for one, base in zip(rates, around, strict=True)]
    told = ", ".join(f"{share:.3f}" for share in shares)
    return [
        Figure(f"{CAMERAS} cameras: verdicts", statistics.median(rates), "/s"),
        Figure("their share of the bare model's", statistics.median(shares), "", ">= 0.9", told),
    ]
