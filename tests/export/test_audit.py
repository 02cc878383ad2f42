import random

import pytest

from export.audit import escape_rate, exact_interval
from export.sample import Audit, Label, Why
from export.verdict import Outcome
from tests.edge.verdicts import verdict
from tests.export.test_sample_folder import AT, sample
from trainer.rates import Rate


def audited(seq, label=None, rate=0.1, why=(Why.AUDIT,)):
    """A pass that was drawn; labelled if somebody looked."""
    labels = (Label(label=label, by="ann", at=AT),) if label else ()
    one = sample(seq, why, verdict=verdict(7, seq, outcome=Outcome.PASS))
    return one.model_copy(update={"audit": Audit(rate=rate), "labels": labels})


@pytest.mark.parametrize(("k", "n"), [(0, 0), (0, 59), (3, 100), (7, 20_000), (150, 300), (9, 9)])
def test_the_interval_is_clopper_and_pearsons(k, n):
    """To nine digits what the beta distribution's quantiles give."""
    assert exact_interval(k, n) == pytest.approx(Rate(k, n).interval(), abs=1e-9)


def test_one_rate_is_the_plain_binomial():
    """With one drawing rate estimate and interval are those of k of n."""
    found = [audited(seq, "scratch" if seq <= 3 else "good") for seq in range(1, 101)]
    told = escape_rate([*found, audited(101), audited(102)])
    assert told.rate == pytest.approx(0.03)
    assert (told.low, told.high) == pytest.approx(Rate(3, 100).interval())
    assert (told.drawn, told.reviewed, told.found) == (102, 100, 3)
    assert told.passed == pytest.approx(1000)
    assert "3 of 100 reviewed" in str(told)


def test_what_was_not_drawn_tells_nothing():
    """A fail, and a pass that an operator picked, are not part of the random sample."""
    picked = sample(1, (Why.OPERATOR,), verdict=verdict(7, 1, outcome=Outcome.PASS))
    failed = sample(2, (Why.FAIL,))
    told = escape_rate([picked, failed, audited(3)])
    assert (told.rate, told.low, told.high, told.drawn) == (None, 0.0, 1.0, 1)
    assert "no figure yet" in str(told)


def test_the_estimate_is_unbiased_and_its_interval_holds():
    """Over 120 shifts with two drawing rates: right on average, and covered at least 95 in 100."""
    chance, truth, estimates, covered = random.Random(5), 0.02, [], 0
    for _ in range(120):
        shift = []
        for seq in range(1, 1501):
            rate = 0.05 if seq <= 500 else 0.2
            bad = chance.random() < truth
            if chance.random() < rate:
                shift.append(audited(seq, "dent" if bad else "good", rate))
        told = escape_rate(shift)
        estimates.append(told.rate)
        covered += told.low <= truth <= told.high
    assert sum(estimates) / len(estimates) == pytest.approx(truth, abs=0.003)
    assert covered >= 0.95 * 120
