"""A variant's thresholds are its own; one that is significantly worse on the test is refused."""

import numpy as np
import pytest

from trainer.calibrate import Budgets
from trainer.evaluate import Judged
from trainer.thresholds.decision import decide_thresholds
from trainer.variants import trial
from trainer.variants.search import RefusedError
from trainer.variants.trial import Sides


def judged(seed: int, overlap: float = 0.0, squeeze: float = 1.0) -> Judged:
    """100 good and 100 defective parts; `overlap` of either kind score like the other."""
    rng = np.random.default_rng(seed)
    good, bad = rng.uniform(0.02, 0.3, 100), rng.uniform(0.6, 0.98, 100)
    swapped = round(100 * overlap)
    if swapped:
        good[:swapped], bad[:swapped] = bad[:swapped].copy(), good[:swapped].copy()
    labels = ("good",) * 100 + ("scratch",) * 100
    parts = tuple(str(number) for number in range(200))
    return Judged(labels, parts, np.concatenate([good, bad]) * squeeze)


def sides(calibration: Judged, test: Judged) -> Sides:
    """A side with thresholds by a budget of 5 %."""
    decided = decide_thresholds(calibration, Budgets(0.05, novel=0.0))
    return Sides(calibration, test, decided.thresholds, decided.basis)


def test_thresholds_follow_the_variants_own_scores():
    """Scores half as large get thresholds half as high, and the same bound: it hangs on counts."""
    fp32 = sides(judged(0), judged(1))
    other = trial.place(judged(0, squeeze=0.5), judged(1, squeeze=0.5), fp32.basis)
    assert other.thresholds.pass_below == pytest.approx(fp32.thresholds.pass_below / 2, rel=0.3)
    assert other.basis.escape_bound == fp32.basis.escape_bound
    passed = [[out == "pass" for out in one.outcomes()] for one in (fp32, other)]
    assert passed[0] == passed[1]
    trial.veto(fp32, other)
    agreed = trial.agreement(fp32, other)
    same = sum(a == b for a, b in zip(fp32.outcomes(), other.outcomes(), strict=True))
    assert (agreed.same_outcome, agreed.pictures) == (same, 400)
    assert agreed.max_abs_score == pytest.approx(0.49, abs=0.01)


def test_more_overkill_is_vetoed():
    """Where many good test parts fail that FP32 passes, the variant is refused, with the counts."""
    fp32 = sides(judged(0), judged(1))
    other = trial.place(judged(0), judged(1, overlap=0.1), fp32.basis)
    with pytest.raises(RefusedError, match="10 that fp32 doesn't, against 0 the other way"):
        trial.veto(fp32, other)


def test_a_few_parts_are_no_veto():
    """Four parts worse are within chance at 5 %: exact, not by eye."""
    fp32 = sides(judged(0), judged(1))
    trial.veto(fp32, trial.place(judged(0), judged(1, overlap=0.04), fp32.basis))


def test_novelty_is_placed_anew():
    """A variant's novelty has its own beginning, at FP32's rate of false alarms."""
    fp32 = sides(judged(0), judged(1))
    calibration = judged(0)
    told = Judged(calibration.labels, calibration.parts, calibration.scores, np.linspace(1, 3, 200))
    from trainer.thresholds.novel import limit

    above, novel = limit(told.novelty[:100], told.parts[:100], 0.02)
    like = fp32.basis.model_copy(update={"novelty": novel})
    assert trial.place(told, told, like).thresholds.novel_above == above
    assert trial.place(told, told, fp32.basis).thresholds.novel_above is None
