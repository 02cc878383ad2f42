"""The test for drift: quick where there is some, as quiet as it states where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera_health.drift import Bag, Calibration, ScoreDrift, Way

BATCH = 50


def calibration(seed, count=150):
    """Good pictures' scores and novelty."""
    rng = np.random.default_rng(seed)
    return Calibration(tuple(rng.beta(2, 30, count)), tuple(rng.gamma(9, 1.0, count)))


def feed(drift, rng, parts, *, score=0.0, novelty=0.0, defective=0.05):
    """Parts like the calibration's, moved by so much; the shifts that came, by part."""
    found = {}
    for number in range(1, parts + 1):
        bad = rng.random() < defective
        told = 0.9 if bad else float(np.clip(rng.beta(2, 30) + score, 0, 1))
        unlike = float(rng.gamma(9, 1.0)) + (20 if bad else novelty)
        if shift := drift.see(told, unlike, passed=told < 0.3):
            found[number] = shift
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("change", "ways"),
    [
        ({"novelty": 6.0}, {Way.NOVELTY_UP}),
        ({"score": 0.07}, {Way.SCORE_UP}),
        ({"score": -0.06}, {Way.SCORE_DOWN}),
        ({"defective": 0.8}, {Way.REJECTS}),
        ({"score": 0.4}, {Way.REJECTS}),
    ],
)
def test_a_changed_batch_is_alarmed_within_50_parts(change, ways, seed):
    """After 500 good parts, whatever moves: novelty, scores up or down, or all is rejected."""
    rng = np.random.default_rng(seed)
    drift = ScoreDrift(calibration(seed))
    assert feed(drift, rng, 500) == {}
    found = feed(drift, rng, BATCH, **change)
    assert [shift.standing for shift in found.values()] == [True]
    assert {shift.way for shift in found.values()} <= ways


def test_it_is_over_when_the_parts_are_as_they_were():
    """The alarm clears by itself, once."""
    rng = np.random.default_rng(3)
    drift = ScoreDrift(calibration(3))
    feed(drift, rng, 100)
    assert len(feed(drift, rng, BATCH, novelty=6.0)) == 1
    assert [shift.standing for shift in feed(drift, rng, 100).values()] == [False]
    assert feed(drift, rng, 100) == {}


def test_without_a_calibration_a_change_after_the_first_parts_is_seen():
    """A bundle that doesn't say what it scored is compared with the line's own beginning."""
    rng = np.random.default_rng(4)
    drift = ScoreDrift(None)
    assert feed(drift, rng, 300) == {}
    assert len(feed(drift, rng, BATCH, novelty=6.0)) == 1


def test_false_alarms_are_rarer_than_stated():
    """At a run length of 200, 50 lines of 200 parts give far fewer than 50 alarms."""
    alarms = 0
    for seed in range(50):
        rng = np.random.default_rng(1000 + seed)
        drift = ScoreDrift(calibration(seed, 40), run_length=200)
        alarms += sum(shift.standing for shift in feed(drift, rng, 200).values())
    assert alarms <= 10


@pytest.mark.slow
def test_no_false_alarm_in_100000_parts():
    """At the default run length, over a day of parts, with a small calibration."""
    rng = np.random.default_rng(6)
    assert feed(ScoreDrift(calibration(6, 60)), rng, 100_000) == {}


HALVES = st.floats(-60_000, 60_000, width=16)


@given(st.lists(HALVES, max_size=30), HALVES)
def test_a_p_value_lies_between_the_shares_above_and_at_or_above(values, value):
    """For any bag, the value itself counted in; never 0, so that a bet on it stays finite."""
    p = Bag(values, np.random.default_rng(0)).p_value(value)
    above = sum(one > value for one in values) / (len(values) + 1)
    at_or_above = (1 + sum(one >= value for one in values)) / (len(values) + 1)
    assert p > 0
    assert above <= p <= at_or_above


def test_ranks_of_exchangeable_values_are_uniform():
    """Ties or not: p-values of values from one distribution have mean 1/2 and fill the range."""
    rng = np.random.default_rng(8)
    bag, ps = Bag([], rng), []
    for value in rng.integers(0, 5, 4000):
        ps.append(bag.p_value(float(value)))
        bag.add(float(value))
    counts, _ = np.histogram(ps, 10, (0, 1))
    assert counts.min() > 300
    assert abs(np.mean(ps) - 0.5) < 0.02
