"""An annotated picture is readable at any size and hides nothing of the part."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.inspection.annotate import COLOURS, MIN_WIDTH, annotate, headline
from edge.inspection.inspector import Judgement
from export.preprocess import WHOLE, Region
from export.verdict import BundleRef, Outcome, Reason, Thresholds

REF = BundleRef(name="b", version=1, digest="0" * 64)
LIMITS = Thresholds(pass_below=0.3, fail_above=0.7)


def judgement(outcome: Outcome = Outcome.FAIL, score: float | None = 0.9, **more: object):
    """A judgement with `more`."""
    return Judgement(outcome, Reason.ABOVE_FAIL, "", LIMITS, REF, score=score, **more)


@pytest.mark.parametrize("size", [(1024, 1280), (289, 240), (1080, 1920), (8, 8), (3000, 40)])
@pytest.mark.parametrize("outcome", Outcome)
def test_the_picture_stays_whole(outcome: Outcome, size: tuple[int, int]):
    """Banner and bar stand around the picture; without a heatmap not a pixel of it changes."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    before = pixels.copy()
    sheet = annotate(pixels, judgement(outcome, probabilities={"good": 0.1, "bad": 0.9}), WHOLE)
    assert (pixels == before).all()
    assert sheet.shape[1] >= MIN_WIDTH
    assert tuple(sheet[0, 0]) == COLOURS[outcome]
    if size[1] >= MIN_WIDTH:
        top = (sheet.shape[0] - size[0]) * 4 // 9
        assert (sheet[top : top + size[0]] == pixels).all()


def test_the_heat_is_shown_inside_the_region_only():
    """A hot place reddens its part of the region; outside of the region nothing changes."""
    pixels = np.full((600, 800, 3), 100, np.uint8)
    heat = np.zeros((8, 8), np.float32)
    heat[6:, 6:] = 1
    sheet = annotate(pixels, judgement(heatmap=heat), Region(0.25, 0.25, 0.5, 0.5))
    top = (sheet.shape[0] - 600) * 4 // 9
    picture = sheet[top : top + 600]
    assert picture[420, 580, 2] > 130  # BGR: red
    assert (picture[180:250, 220:300] == 100).all()
    assert (picture[:140] == 100).all()
    assert (picture[:, :190] == 100).all()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"reason": Reason.NOVEL, "novelty": 4.017}, "novel 4.02 > 1.69"),
        ({"reason": Reason.IN_REVIEW_BAND, "novelty": 0.2}, "good 99.9%"),
        ({"reason": Reason.BAD_FRAME, "probabilities": {}}, "frame not usable"),
        ({"reason": Reason.ABOVE_FAIL, "outcome": Outcome.FAIL}, "dent 0.1%"),
    ],
)
def test_the_banner_says_what_the_score_bar_cannot(more: dict[str, object], told: str):
    """A part that is reviewed with a score that would pass needs a reason to be seen."""
    limits = Thresholds(pass_below=0.3, fail_above=0.7, novel_above=1.694)
    sure = replace(judgement(Outcome.REVIEW, 0.001), thresholds=limits)
    sure = replace(sure, probabilities={"good": 0.999, "dent": 0.001})
    assert headline(replace(sure, **more)) == told


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(Outcome),
    st.none() | st.floats(0, 1),
    st.dictionaries(st.text(max_size=80), st.floats(0, 1), max_size=3),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_any_judgement_can_be_drawn(
    outcome: Outcome, score: float | None, named: dict[str, float], limits: list[float]
):
    """Whatever the class is called and wherever the thresholds lie, a sheet comes out."""
    told = Judgement(
        outcome, Reason.INSPECTION_ERROR, "x" * 512,
        Thresholds(pass_below=limits[0], fail_above=limits[1]), REF,
        score=score, probabilities=named, heatmap=np.full((2, 2), np.nan, np.float32),
    )  # fmt: skip
    assert annotate(np.zeros((30, 40, 3), np.uint8), told, WHOLE).dtype == np.uint8
