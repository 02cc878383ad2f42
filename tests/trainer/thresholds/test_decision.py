"""trainer/thresholds/{decision,cost,tradeoff}.py: thresholds that keep what they promise."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.manifest import Costs
from export.verdict import Outcome
from trainer.calibrate import Budgets
from trainer.evaluate import Judged
from trainer.thresholds.cost import cheapest, expected
from trainer.thresholds.decision import ceiling_of, decide_thresholds
from trainer.thresholds.guarantee import promises
from trainer.thresholds.tradeoff import rows, table


def line(seed=0, *, good=200, dent=120, crack=80, views=1, overlap=0.3):
    """Calibration pictures of a line, `views` of each part, whose kinds overlap."""
    rng = np.random.default_rng(seed)
    labels, parts, scores = [], [], []
    for kind, n, low, high in (
        ("good", good, 0.0, 0.5 + overlap / 2), ("dent", dent, 0.5 - overlap / 2, 1.0),
        ("crack", crack, 0.5 - overlap / 3, 1.0),
    ):  # fmt: skip
        for number in range(n):
            for score in rng.uniform(low, high) + rng.uniform(-0.02, 0.02, views):
                labels.append(kind)
                parts.append(f"{kind} {number}")
                scores.append(float(np.clip(score, 0, 1)))
    return Judged(tuple(labels), tuple(parts), np.array(scores))


@given(st.integers(0, 50), st.sampled_from([0.01, 0.03, 0.05, 0.2]), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_pass_threshold_stays_under_every_ceiling(seed, budget, each_type, priced):
    """By rules or by costs, each type or together: the promise made before is kept."""
    judged = line(seed, good=40, dent=30, crack=20, views=1 + seed % 3)
    costs = Costs(escape=500, overkill=4, review=0.5, defect_share=0.02) if priced else None
    budgets = Budgets(budget, 0.02, 0.1, each_type=each_type)
    decision = decide_thresholds(judged, budgets, costs)
    found = promises(judged, budget)
    assert decision.thresholds.pass_below <= ceiling_of(found, each_type=each_type)
    for claim, promise in zip(decision.claims, found, strict=True):
        assert claim.missed.value <= claim.bound
        if each_type:
            assert claim.missed.k <= promise.spare
            assert claim.proven == promise.proven


def test_the_basis_says_whether_each_type_is_proven():
    """Proven over all, but not for the rarer type: asked of each, it isn't proven."""
    judged = line(dent=120, crack=20)
    strict = decide_thresholds(judged, Budgets(0.05)).basis
    loose = decide_thresholds(judged, Budgets(0.05, each_type=False)).basis
    assert (strict.proven, loose.proven) == (False, True)
    assert strict.types["dent"].proven
    assert strict.types["crack"].more_parts == 39
    (more,) = strict.plan
    proof, _, brought = more.partition(": ")
    assert proof == "39 more parts with 'crack' calibrating without a miss would prove 5 %"
    assert brought == "some 260 photographed"
    assert strict.escape_bound <= 0.05
    assert loose.types["crack"].bound >= strict.types["crack"].bound


def test_without_enough_parts_nothing_defective_passes():
    """At 1 % with 20 defective parts, none of them passes, and 'NOT PROVEN' is in the words."""
    decision = decide_thresholds(line(dent=12, crack=8), Budgets())
    assert decision.basis.escapes == 0
    assert not decision.basis.proven
    assert "1 % is NOT PROVEN" in decision.basis.words
    proof, _, brought = decision.basis.plan[0].partition(": ")
    assert proof == "279 more defective parts calibrating without a miss would prove 1 %"
    assert brought == "some 1860 photographed"


def test_no_dearer_point_is_taken():
    """Of all pairs of thresholds that keep the budgets, none on a grid is cheaper."""
    judged, budgets = line(good=100, dent=40, crack=30), Budgets(0.1, review=0.1)
    costs = Costs(escape=300, overkill=4, review=1, defect_share=0.05)
    ceiling = ceiling_of(promises(judged, 0.1), each_type=True)
    found = cheapest(judged, budgets, ceiling, costs)
    best = expected(judged, found, costs)
    grid = np.linspace(0, 1, 60)
    for low in grid[grid <= ceiling]:
        for high in grid[grid >= low]:
            other = found.model_copy(update={"pass_below": low, "fail_above": high})
            fine = (judged.scores >= low) & (judged.scores < high)
            good, bad = fine[~judged.defect].mean(), fine[judged.defect].mean()
            if 0.95 * good + 0.05 * bad <= 0.1:
                assert best <= expected(judged, other, costs) + 1e-9


def test_free_reviews_replace_failures():
    """Where a look costs next to nothing and there is room, fewer good parts are failed."""
    judged, budgets = line(), Budgets(0.05, review=0.5)
    cheap = Costs(escape=500, overkill=10, review=0.01, defect_share=0.02)
    dear = Costs(escape=500, overkill=10, review=50, defect_share=0.02)
    few = decide_thresholds(judged, budgets, cheap).basis
    many = decide_thresholds(judged, budgets, dear).basis
    assert few.overkills < many.overkills
    assert few.reviews > many.reviews == 0


def test_novelty_only_stops_more():
    """A threshold on novelty sends passes to review and changes no claim about escapes."""
    judged = line()
    novel = Judged(judged.labels, judged.parts, judged.scores, np.linspace(0, 1, 400))
    plain = decide_thresholds(judged, Budgets(0.05))
    more = decide_thresholds(novel, Budgets(0.05), novel_above=0.5)
    assert more.thresholds.novel_above == 0.5
    assert more.basis.escape_bound == plain.basis.escape_bound
    assert more.basis.reviews > plain.basis.reviews
    before, after = judged.outcomes(plain.thresholds), novel.outcomes(more.thresholds)
    assert {a for a, b in zip(before, after, strict=True) if a != b} == {Outcome.PASS}


def test_the_table_trades_escapes_for_overkill():
    """A larger escape budget never fails more parts under a free review, and the row is marked."""
    found = rows(line(), Budgets(0.05, review=0.0))
    assert [row.budget for row in found] == sorted(row.budget for row in found)
    overkill = [row.overkills.k for row in found]
    assert overkill == sorted(overkill, reverse=True)
    lines = table(found, 0.05)
    assert [one.split()[0:2] for one in lines if one.lstrip().startswith(">")] == [[">", "5"]]
    assert "cost" not in lines[0]


def test_thresholds_are_decided_without_torch():
    """What `linewarden threshold` needs never loads torch."""
    code = (
        "import sys, trainer.thresholds.tradeoff, trainer.thresholds.reissue; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_negative_costs_are_refused():
    """A mistake can't earn money."""
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Costs(escape=-1, overkill=1, review=1, defect_share=0.1)
