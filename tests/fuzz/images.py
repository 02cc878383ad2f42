"""Hostile pictures before the readers that trainer and line use, in a child that may break.

Three by turns: `picture.read` as the trainer does, a folder that the camera plays, and `linewarden
inspect`'s stills. Each must give HxWx3 uint8 of the size that the header said, or refuse in words.
"""

import tempfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from edge.camera import playback
from edge.inspection.inspector import Inspector, Scores
from edge.inspection.stills import Asked, judge_all
from export import picture, picture_header
from export.errors import PictureError
from export.figures import Figure
from export.preprocess import Input
from export.verdict import BundleRef, Thresholds
from tests.fuzz.pictures import Pictures
from tests.fuzz.tally import Tally
from tests.fuzz.ward import CRASHED, REFUSED, TAKEN, Ward

SLOW_S, HUNGRY_BYTES, BOMB_S = 1.0, 256 << 20, 0.05
READERS = ("read", "played", "judged")


class _Bright:
    """A model that answers with the mean brightness."""

    def score(self, batch):
        score = np.float32(batch.mean() / 255)
        heat = np.zeros((1, 4, 4), np.float32)
        return Scores(np.array([[1 - score, score]]), np.array([score]), heat)


class Eater:
    """Reads one file as it is told to."""

    def __init__(self):
        cv2.setNumThreads(1)
        bundle = BundleRef(name="bright", version=1, digest="0" * 64)
        limits = Thresholds(pass_below=0.3, fail_above=0.7)
        self._inspector = Inspector(_Bright(), Input(24, 16), limits, ("good", "bright"), bundle)

    def eat(self, told):
        return getattr(self, f"_{told['reader']}")(Path(told["path"]))

    def _read(self, path):
        try:
            pixels = picture.read(path)
        except PictureError as error:
            return REFUSED, error.problem
        return self._looked_at(pixels, path)

    def _played(self, path):
        (shot,) = playback.folder(str(path.parent))
        if shot.pixels is None:
            return REFUSED, shot.why
        return self._looked_at(shot.pixels, path)

    def _judged(self, path):
        lines = []
        totals = judge_all(self._inspector, [(path, path.name)], Asked(as_json=True), lines.append)
        if totals.unusable:
            return REFUSED, lines[0][-200:]
        assert totals.outcomes.total() == len(lines) == 1
        assert '"inspection_error"' not in lines[0], lines
        return TAKEN, ""

    def _looked_at(self, pixels, path):
        assert pixels.dtype == np.uint8, pixels.dtype
        assert pixels.ndim == 3, pixels.shape
        assert pixels.shape[2] == 3, pixels.shape
        header = picture_header.examine(path.read_bytes(), path.name)
        assert sorted(pixels.shape[:2]) == sorted((header.height, header.width)), header
        return TAKEN, ""


def fuzz(count: int, seed: int, keep: Path, lent: Path | None, advance=lambda *_: None) -> Tally:
    """Feed `count` pictures of a seed to a ward; what breaks it is copied to `keep`."""
    pictures, tally = Pictures(seed, lent), Tally("images", keep)
    with Ward("tests.fuzz.images") as ward, tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            kind, body = pictures.draw()
            path = Path(folder) / "part.png"
            path.write_bytes(body)
            reader = READERS[number % len(READERS)]
            meal = ward.feed({"path": str(path), "reader": reader})
            broke = meal.cpu_s > SLOW_S or meal.grown_bytes > HUNGRY_BYTES
            tally.note(kind, meal, broke, lambda body=body: {"part.png": body})
            advance()
    return tally


def figures(tally: Tally) -> list[Figure]:
    """What it came to."""
    bombs = [(kind, meal) for kind, meal in tally.meals if kind.startswith("bomb")]
    kinds = Counter(kind for kind, _ in tally.meals)
    slowest = max((meal.cpu_s for _, meal in bombs), default=0.0)
    defused = sum(meal.how == REFUSED for _, meal in bombs)
    slow, hungry = tally.over(SLOW_S), tally.hungrier(HUNGRY_BYTES)
    return [
        Figure("hostile images", len(tally.meals), "", note=f"{len(kinds)} kinds"),
        Figure("of them refused in words", tally.count(REFUSED), ""),
        Figure("of them still pictures", tally.count(TAKEN), ""),
        Figure("images: crashes", tally.count(CRASHED), "", "== 0"),
        Figure("images: hangs", tally.hangs, "", "== 0"),
        Figure("images: over 1 s of processor time", slow, "", "== 0"),
        Figure("images: slowest, processor time", tally.slowest, "s", "", tally.slowest_kind),
        Figure("images: over 256 MiB", hungry, "", "== 0"),
        Figure("images: most memory", tally.most_bytes / 2**20, "MiB", "", tally.hungriest_kind),
        Figure("bombs refused", defused, "", f"== {len(bombs)}"),
        Figure("bombs: slowest refusal, processor time", 1e3 * slowest, "ms", "< 50"),
    ]
