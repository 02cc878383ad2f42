"""The inspector: one part's pixels in, one judgement out, whatever happens.

Part of the pure core: it knows no camera, runtime, broker or database. The model is a `Scorer`,
a port that `session.py` fills. An error or a non-finite output becomes a fail-safe `fail`.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.clock import monotonic_ns
from edge.frame import Ready
from export.decide import decide
from export.preprocess import Input, Pixels, shrink
from export.verdict import BundleRef, Outcome, Reason, Thresholds

ROUNDING = 1e-4  # how far float32 sums may leave 0..1 before they are an error
DETAIL_LIMIT = 512  # characters, as the verdict allows
STILL = (0.0, 0.0)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What a model says about N pictures.

    Attributes:
        probabilities: (N, C) float32, calibrated, class 0 is `good`.
        score: (N,) float32 probability of defect, 0..1.
        heatmap: (N, h, w) float32 probability of defect by place, 0..1.
        novelty: (N,) float32 distance from the training parts, or None if the model gives none.
    """

    probabilities: Floats
    score: Floats
    heatmap: Floats
    novelty: Floats | None = None


class Scorer(Protocol):
    """A model at work."""

    def score(self, batch: Pixels) -> Scores:
        """Score (N, H, W, 3) uint8 BGR pictures of the model's input size."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What becomes of one part, and why; `score` is None when it is fail-safe."""

    outcome: Outcome
    reason: Reason
    detail: str
    thresholds: Thresholds
    bundle: BundleRef
    score: float | None = None
    novelty: float | None = None
    probabilities: dict[str, float] = field(default_factory=dict[str, float])
    preprocess_ms: float = 0.0
    score_ms: float = 0.0
    heatmap: Floats | None = None


class _NotFiniteError(ValueError):
    """The model answered with NaN or infinity."""


class Inspector:
    """Judges parts with one model, one input and one pair of thresholds."""

    def __init__(
        self,
        scorer: Scorer,
        input: Input,  # noqa: A002 - the contract's word
        thresholds: Thresholds,
        classes: Sequence[str],
        bundle: BundleRef,
    ) -> None:
        self.scorer = scorer
        self.input = input
        self.thresholds = thresholds
        self.classes = tuple(classes)
        self.bundle = bundle

    def prepare(self, pixels: Pixels, moved: tuple[float, float], ready: Ready) -> None:
        """Cut and shrink pixels for `judge`, by whoever has the time, and leave them in `ready`.

        Never raises: what can't be done here goes wrong again in `judge`, which says why.
        """
        started = monotonic_ns()
        with contextlib.suppress(Exception):
            if not _unusable(pixels):
                to = self._looks_at(moved)
                made = shrink(pixels, to)
                ready.put(pixels, to, made, (monotonic_ns() - started) / 1e6)

    def judge(
        self, pixels: Pixels, moved: tuple[float, float] = STILL, ready: Ready | None = None
    ) -> Judgement:
        """Judge HxWx3 uint8 BGR pixels. Never raises: whatever goes wrong is a fail-safe fail.

        `moved`: how far the region goes with the part, in widths and heights of the picture.
        `ready`: what `prepare` may have made of them; what was made for another input is not used.
        """
        started = prepared = monotonic_ns()
        made_ms = 0.0
        try:
            if problem := _unusable(pixels):
                return self._fail_safe(Reason.BAD_FRAME, problem)
            to = self._looks_at(moved)
            made = ready.take(pixels, to) if ready is not None else None
            picture, made_ms = made or (shrink(pixels, to), 0.0)
            prepared = monotonic_ns()
            scores = self.scorer.score(picture[np.newaxis])
            done = monotonic_ns()
            check_scores(scores, len(self.classes))
        except _NotFiniteError as error:
            return self._fail_safe(Reason.NOT_FINITE, str(error), started, prepared)
        except Exception as error:  # noqa: BLE001 - here the fail-safe verdict is made
            told = f"{type(error).__name__}: {error}"
            return self._fail_safe(Reason.INSPECTION_ERROR, told, started, prepared)
        return self._judged(scores, made_ms + (prepared - started) / 1e6, (done - prepared) / 1e6)

    def _looks_at(self, moved: tuple[float, float]) -> Input:
        return replace(self.input, region=self.input.region.moved(*moved))

    def _judged(self, scores: Scores, preprocess_ms: float, score_ms: float) -> Judgement:
        score = _probability(scores.score[0])
        novelty = None if scores.novelty is None else float(scores.novelty[0])
        outcome, reason = decide(score, novelty, self.thresholds)
        named = zip(self.classes, scores.probabilities[0], strict=True)
        return Judgement(
            outcome,
            reason,
            "",
            self.thresholds,
            self.bundle,
            score=score,
            novelty=novelty,
            probabilities={name: _probability(value) for name, value in named},
            preprocess_ms=preprocess_ms,
            score_ms=score_ms,
            heatmap=scores.heatmap[0],
        )

    def _fail_safe(
        self, reason: Reason, detail: str, started_ns: int = 0, prepared_ns: int = 0
    ) -> Judgement:
        spent = monotonic_ns() - prepared_ns if prepared_ns else 0
        return Judgement(
            Outcome.FAIL,
            reason,
            detail[:DETAIL_LIMIT],
            self.thresholds,
            self.bundle,
            preprocess_ms=(prepared_ns - started_ns) / 1e6,
            score_ms=spent / 1e6,
        )


def _unusable(pixels: Pixels) -> str:
    shape, dtype = getattr(pixels, "shape", None), getattr(pixels, "dtype", None)
    if shape is None or dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        return f"a frame of shape {shape} and type {dtype} is not HxWx3 uint8"
    return ""


def check_scores(scores: Scores, classes: int) -> None:
    """Raise a ValueError unless `scores` answers for one picture as a model may."""
    told = (scores.probabilities.shape, scores.score.shape, scores.heatmap.ndim)
    if told != ((1, classes), (1,), 3) or scores.heatmap.shape[0] != 1:
        raise ValueError(
            f"the model answered with shapes {scores.probabilities.shape}, {scores.score.shape}, "
            f"{scores.heatmap.shape} for one picture of {classes} classes"
        )
    named = {"probabilities": scores.probabilities, "score": scores.score}
    if scores.novelty is not None:
        named["novelty"] = scores.novelty
    for name, values in named.items():
        if not np.isfinite(values).all():
            raise _NotFiniteError(f"the model's {name} is {values.ravel()[:8].tolist()}")
    for name in ("probabilities", "score"):
        low, high = float(named[name].min()), float(named[name].max())
        if low < -ROUNDING or high > 1 + ROUNDING:
            raise ValueError(f"the model's {name} spans {low} to {high}, not within 0 to 1")


def _probability(value: np.float32) -> float:
    return min(1.0, max(0.0, float(value)))
