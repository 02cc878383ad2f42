"""The commissioning reference: what a camera shows while it is well, learnt from N good frames.

Besides what is usual it holds how much each measure wandered meanwhile, so that a scene that
lives by nature gets wider limits. Pure: `archive` stores it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.camera_health import frozen, light
from edge.camera_health.framing import Scene, soft
from edge.camera_health.sample import Floats, Sample
from export.preprocess import Pixels

SPACING_NS = 50_000_000  # between two frames that it is learnt from
FEW_STEEP = 0.2  # share of the frames that must show edges for focus to be watched


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What is usual, and how much it wandered.

    Attributes:
        size: (rows, columns) of the frames.
        frames: how many it was learnt from.
        period_ns: from frame to frame.
        repeats: how often in a row a picture was repeated.
        brightest, white: extremes of `light.brightest` (least) and `light.white_share` (most).
        steepness, steepness_spread: the median, and by which share the lowest lay below it; 0
            where the scene has too few edges for focus to be watched.
        cells: (16, 20, 3) float32 median colour. steady: (4, k) int, cells compared, by quarter.
        light_spread: largest change of light (natural logarithm).
        usual: (h, w) float32 soft grey picture. still: (h, w) bool, where it is compared.
        shift_spread: largest apparent shift, share of the width. unlike: largest difference.
    """

    size: tuple[int, int]
    frames: int
    period_ns: int
    repeats: int
    brightest: float
    white: float
    steepness: float
    steepness_spread: float
    cells: Floats
    steady: NDArray[np.intp]
    light_spread: float
    usual: Floats
    still: NDArray[np.bool_]
    shift_spread: float
    unlike: float


class Commissioning:
    """Collects good frames until there are enough for a reference.

    Args:
        frames: how many; at most one each 50 ms is taken.
    """

    def __init__(self, frames: int) -> None:
        self._wanted = frames
        self._kept: list[Sample] = []
        self._intervals: list[int] = []
        self._repeats = frozen.Repeats()
        self._most_repeats = self._run = 0
        self._last: tuple[int, int] | None = None

    @property
    def share(self) -> float:
        """How much of it is done, 0..1."""
        return len(self._kept) / self._wanted

    def add(self, sample: Sample) -> bool:
        """Take a good frame's sample; returns whether there are enough now."""
        if self._kept and sample.size != self._kept[0].size:
            self._kept.clear()
            self._intervals.clear()
        if self._last is not None and sample.number > self._last[0]:
            steps = sample.number - self._last[0]
            self._intervals.append((sample.captured_ns - self._last[1]) // steps)
        self._last = (sample.number, sample.captured_ns)
        self._count_repeats(sample)
        if not self._kept or sample.captured_ns - self._kept[-1].captured_ns >= SPACING_NS:
            self._kept.append(sample)
        return len(self._kept) >= self._wanted

    def _count_repeats(self, sample: Sample) -> None:
        """A repeat counts as usual once another picture has followed it."""
        run = self._repeats.see(sample)
        if run == 0:
            self._most_repeats = max(self._most_repeats, self._run)
        self._run = run

    def reference(self) -> Reference:
        """The reference of what was collected."""
        kept = self._kept
        cells = np.stack([one.cells for one in kept])
        usual_cells = np.median(cells, axis=0).astype(np.float32)
        steady = light.steady(cells)
        greys = np.stack([one.grey for one in kept])
        scene = Scene(*_scene(greys))
        motions = [scene.motion(one.grey) for one in kept]
        steep, spread = _steepness([one.steepness for one in kept])
        changes = [float(np.abs(light.gains(one.cells, usual_cells, steady)).max()) for one in kept]
        return Reference(
            size=kept[0].size,
            frames=len(kept),
            period_ns=int(np.median(self._intervals)) if self._intervals else 0,
            repeats=self._most_repeats,
            brightest=min(light.brightest(one) for one in kept),
            white=max(light.white_share(one) for one in kept),
            steepness=steep,
            steepness_spread=spread,
            cells=usual_cells,
            steady=steady,
            light_spread=float(np.quantile(changes, 0.98)),
            usual=scene.usual,
            still=scene.still,
            shift_spread=float(np.quantile([one.shift for one in motions], 0.98)),
            unlike=float(np.quantile([one.unlike for one in motions], 0.98)),
        )


def _scene(greys: Pixels) -> tuple[Floats, NDArray[np.bool_]]:
    """From (N, h, w): the soft median picture, and the steadier half of it."""
    shape, looks = greys.shape[1:], len(greys)
    # Bytes sort by radix, many times faster than a median of floats.
    ordered = np.sort(np.ascontiguousarray(greys.reshape(looks, -1).T), axis=1, kind="stable")
    low, middle, high = (ordered[:, round(q * (looks - 1))] for q in (0.2, 0.5, 0.8))
    spread = soft((high - low).reshape(shape))
    return soft(middle.reshape(shape)), spread <= np.quantile(spread, 0.5)


def _steepness(told: list[float | None]) -> tuple[float, float]:
    known = [one for one in told if one is not None]
    if len(known) < max(1, FEW_STEEP * len(told)):
        return 0.0, 0.0
    middle = float(np.median(known))
    return middle, max(0.0, 1 - float(np.quantile(known, 0.05)) / middle)
