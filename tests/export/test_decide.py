"""A higher score is never judged milder, and what is no number never passes."""

import math

from hypothesis import given
from hypothesis import strategies as st

from export.decide import decide
from export.verdict import FAIL_SAFE, Outcome, Thresholds

PROBABILITIES = st.floats(0, 1)
SEVERITY = {Outcome.PASS: 0, Outcome.REVIEW: 1, Outcome.FAIL: 2}


@st.composite
def thresholds(draw: st.DrawFn) -> Thresholds:
    """Any thresholds."""
    low, high = sorted((draw(PROBABILITIES), draw(PROBABILITIES)))
    novel = draw(st.none() | st.floats(0, 100))
    return Thresholds(pass_below=low, fail_above=high, novel_above=novel)


@given(st.tuples(PROBABILITIES, PROBABILITIES).map(sorted), thresholds(), st.floats(0, 200))
def test_monotone_in_score(pair: list[float], limits: Thresholds, novelty: float):
    """Of two scores the higher is never judged milder."""
    milder, harder = (decide(score, novelty, limits)[0] for score in pair)
    assert SEVERITY[milder] <= SEVERITY[harder]


@given(st.tuples(st.floats(0, 200), st.floats(0, 200)).map(sorted), thresholds(), PROBABILITIES)
def test_monotone_in_novelty(pair: list[float], limits: Thresholds, score: float):
    """Of two novelties the higher is never judged milder."""
    milder, harder = (decide(score, novelty, limits)[0] for novelty in pair)
    assert SEVERITY[milder] <= SEVERITY[harder]


@given(thresholds(), st.sampled_from([math.nan, math.inf, -math.inf]), PROBABILITIES)
def test_not_finite_fails(limits: Thresholds, strange: float, score: float):
    """NaN and infinities fail, as score and as novelty, and the reason is fail-safe."""
    for outcome, reason in (decide(strange, None, limits), decide(score, strange, limits)):
        assert outcome is Outcome.FAIL
        assert reason in FAIL_SAFE


@given(thresholds(), PROBABILITIES)
def test_thresholds_mean_what_they_say(limits: Thresholds, score: float):
    """Below pass_below passes, from fail_above fails, between goes to a person."""
    expected = Outcome.REVIEW
    if score >= limits.fail_above:
        expected = Outcome.FAIL
    elif score < limits.pass_below:
        expected = Outcome.PASS
    assert decide(score, None, limits)[0] is expected
