"""The inspector answers for every part, and whatever goes wrong fails."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.frame import Ready
from edge.inspection.inspector import Inspector, Scores
from export.preprocess import Input, Pixels, Region
from export.verdict import FAIL_SAFE, BundleRef, Outcome, Reason, Thresholds

REF = BundleRef(name="b", version=1, digest="0" * 64)
LIMITS = Thresholds(pass_below=0.3, fail_above=0.7, novel_above=5.0)
FRAME = np.full((64, 96, 3), 128, np.uint8)


def scores(score: float, novelty: float | None = None, /, **changes: object) -> Scores:
    """A model's answer for one picture."""
    fields = {
        "probabilities": np.array([[1 - score, score]], np.float32),
        "score": np.array([score], np.float32),
        "heatmap": np.zeros((1, 4, 6), np.float32),
        "novelty": None if novelty is None else np.array([novelty], np.float32),
    }
    return Scores(**{**fields, **changes})


class Fake:
    """A model that gives one answer, or raises it, and remembers what it saw."""

    def __init__(self, answer: Scores | Exception) -> None:
        self.answer = answer
        self.seen: list[Pixels] = []

    def score(self, batch: Pixels) -> Scores:
        self.seen.append(batch)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def inspector(answer: Scores | Exception) -> Inspector:
    """An inspector over a fake model."""
    return Inspector(Fake(answer), Input(24, 16), LIMITS, ("good", "bad"), REF)


@pytest.mark.parametrize(
    ("score", "novelty", "outcome", "reason"),
    [
        (0.1, None, Outcome.PASS, Reason.BELOW_PASS),
        (0.5, None, Outcome.REVIEW, Reason.IN_REVIEW_BAND),
        (0.9, 1.0, Outcome.FAIL, Reason.ABOVE_FAIL),
        (0.1, 9.0, Outcome.REVIEW, Reason.NOVEL),
    ],
)
def test_judges_by_the_thresholds(
    score: float, novelty: float | None, outcome: Outcome, reason: Reason
):
    """A sound answer is judged by the bundle's thresholds and told in full."""
    asked = inspector(scores(score, novelty))
    found = asked.judge(FRAME)
    assert (found.outcome, found.reason, found.detail) == (outcome, reason, "")
    assert found.score == pytest.approx(score)
    assert found.novelty == novelty
    assert found.probabilities == pytest.approx({"good": 1 - score, "bad": score})
    assert found.heatmap is not None
    assert found.heatmap.shape == (4, 6)
    assert found.preprocess_ms > 0
    assert asked.scorer.seen[0].shape == (1, 16, 24, 3)


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", ["score", "probabilities", "novelty"])
def test_no_number_fails(where: str, strange: float):
    """NaN or infinity in any output that matters fails, and says which."""
    values = {"score": [strange], "probabilities": [[strange, 0.5]], "novelty": [strange]}
    found = inspector(scores(0.1, **{where: np.array(values[where], np.float32)})).judge(FRAME)
    assert (found.outcome, found.reason) == (Outcome.FAIL, Reason.NOT_FINITE)
    assert where in found.detail
    assert found.score is None


@pytest.mark.parametrize(
    "change",
    [
        {"score": np.array([1.2], np.float32)},
        {"score": np.array([-0.2], np.float32)},
        {"probabilities": np.array([[2.0, -1.0]], np.float32)},
        {"probabilities": np.zeros((1, 3), np.float32)},
        {"probabilities": np.zeros((2, 2), np.float32)},
        {"score": np.zeros((1, 1), np.float32)},
        {"score": np.zeros(0, np.float32)},
        {"heatmap": np.zeros((4, 6), np.float32)},
        {"heatmap": np.zeros((0, 4, 6), np.float32)},
        {"score": None},
    ],
)
def test_a_senseless_answer_fails(change: dict[str, object]):
    """Another shape, or a value out of range, is an inspection error, never a pass."""
    found = inspector(scores(0.1, **change)).judge(FRAME)
    assert (found.outcome, found.reason) == (Outcome.FAIL, Reason.INSPECTION_ERROR)


def test_rounding_is_not_an_error():
    """A probability a little above 1 by float32 rounding is 1."""
    found = inspector(scores(0.9, score=np.array([1.00002], np.float32))).judge(FRAME)
    assert found.score == 1.0


@pytest.mark.parametrize("error", [RuntimeError("x" * 2000), MemoryError(), ZeroDivisionError()])
def test_an_error_fails(error: Exception):
    """Whatever the model raises becomes a fail whose detail fits into a verdict."""
    found = inspector(error).judge(FRAME)
    assert (found.outcome, found.reason) == (Outcome.FAIL, Reason.INSPECTION_ERROR)
    assert found.detail.startswith(type(error).__name__)
    assert len(found.detail) <= 512


@pytest.mark.parametrize(
    "frame",
    [
        None, "frame", np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3), np.uint16), np.zeros((5, 5, 3)),
    ],
)  # fmt: skip
def test_an_unusable_frame_fails(frame: object):
    """What is no HxWx3 uint8 frame fails as a bad frame, and the model never sees it."""
    asked = inspector(scores(0.0))
    found = asked.judge(frame)
    assert (found.outcome, found.reason) == (Outcome.FAIL, Reason.BAD_FRAME)
    assert asked.scorer.seen == []


SHOWN = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.mark.parametrize("moved", [(0.0, 0.0), (0.05, -0.1)])
def test_what_was_made_ready_is_what_it_would_make(moved: tuple[float, float]):
    """The model sees the same pixels, whoever cut and shrank them; they are taken once."""
    asked = Inspector(
        Fake(scores(0.1)), Input(24, 16, Region(0.2, 0.2, 0.5, 0.5)), LIMITS, ("good", "bad"), REF
    )
    ready = Ready()
    asked.prepare(SHOWN, moved, ready)
    left = ready._made
    assert left is not None
    left[2][0, 0] = 7  # so that it is told from what is made anew
    found = asked.judge(SHOWN, moved, ready)
    asked.judge(SHOWN, moved, ready)
    made, anew = (batch[0] for batch in asked.scorer.seen)
    assert (made[0, 0] == 7).all()
    assert (made[1:] == anew[1:]).all()
    assert not (anew[0, 0] == 7).all()
    assert found.preprocess_ms >= left[3] > 0


def test_what_was_made_of_or_for_another_is_not_used():
    """Another frame, region or size: a bundle may be exchanged while a part waits."""
    asked, grey = inspector(scores(0.1)), np.zeros((16, 24, 3), np.uint8)
    asked.judge(SHOWN)
    for of, to in (
        (SHOWN.copy(), asked.input),
        (SHOWN, Input(16, 16)),
        (SHOWN, Input(24, 16, Region(0, 0, 0.5, 0.5))),
    ):
        ready = Ready()
        ready.put(of, to, grey, 1.0)
        asked.judge(SHOWN, ready=ready)
    assert all((seen == asked.scorer.seen[0]).all() for seen in asked.scorer.seen)


def test_what_comes_too_late_is_dropped():
    """The judge didn't wait for it, and nobody else may hold it."""
    asked, ready = inspector(scores(0.1)), Ready()
    asked.judge(SHOWN, ready=ready)
    asked.prepare(SHOWN, (0.0, 0.0), ready)
    assert ready._made is None


@pytest.mark.parametrize("frame", [None, np.zeros((5, 5), np.uint8), np.zeros((0, 5, 3), np.uint8)])
def test_an_unusable_frame_is_not_made_ready(frame: object):
    """It raises nothing; the judge says why."""
    ready = Ready()
    inspector(scores(0.0)).prepare(frame, (0.0, 0.0), ready)
    assert ready._made is None


@given(
    st.floats(width=32),
    st.lists(st.floats(width=32), min_size=2, max_size=2),
    st.none() | st.floats(width=32),
)
def test_never_raises_and_never_passes_by_mistake(
    score: float, probabilities: list[float], novelty: float | None
):
    """For any answer there is a judgement; only a sound low score passes."""
    answer = scores(
        0.0,
        novelty,
        score=np.array([score], np.float32),
        probabilities=np.array([probabilities], np.float32),
    )
    found = inspector(answer).judge(FRAME)
    if found.outcome is Outcome.PASS:
        assert -1e-4 <= score < 0.3
        assert all(-1e-4 <= one <= 1.0001 for one in probabilities)
    assert (found.score is None) == (found.reason in FAIL_SAFE)
