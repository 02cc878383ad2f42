"""edge/swap/sequential.py, bout.py: wrong promotions and refusals are as rare as promised."""

import math

import numpy as np
import pytest

from edge.inspection.inspector import Judgement
from edge.swap.bout import Kind
from edge.swap.sequential import Rule, evidence, further
from export.verdict import Outcome, Reason
from tests.edge.swap.streams import LIMITS, NEW, OLD, RULE, bout, part, promotions, stream
from tests.edge.verdicts import verdict


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [True, False])
def test_200_bad_challengers_are_hardly_ever_promoted(labelled):
    """At the margin exactly, whichever it is: at most 5 % promoted (and 3 deviations)."""
    rule = Rule(parts=100, most=1500, loosened=0.02, tightened=0.04, risk=0.05)
    promoted = promotions(rule, 100, 0.02, 0.0, seed=1, labelled=labelled)
    promoted += promotions(rule, 100, 0.0, 0.04, seed=2, labelled=labelled)
    assert promoted <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05 * 0.95)


def test_200_good_challengers_are_mostly_promoted():
    """At a quarter of both margins: at least 85 %, in fewer than 700 parts on average."""
    dice, promoted, parts = np.random.default_rng(2), 0, []
    for _ in range(200):
        one = bout()
        promoted += stream(one, dice, loosened=0.005, tightened=0.01) == "promoted"
        parts.append(one.record.parts)
    assert promoted >= 170
    assert np.mean(parts) < 700


def test_labels_in_its_favour_make_a_better_one_pass():
    """It stops 10 % that the champion passed, all defective: promoted once they are labelled."""
    one = bout()
    for number in range(400):
        part(one, Outcome.PASS, Outcome.FAIL if number % 10 == 0 else Outcome.PASS)
    assert one.decide() == "waiting for labels"
    assert "not labelled" in one.record.words
    for name in one.asked():
        one.hear(name, "stain")
    assert one.decide() == "promoted"


def test_one_that_mends_more_than_it_spoils_is_promoted():
    """5 % let through wrongly, far above the margin; 20 % caught that the champion passed."""
    one = bout()
    for number in range(200):
        if number % 20 == 0:
            part(one, Outcome.FAIL, Outcome.PASS, label="dent")
        elif number % 5 == 1:
            part(one, Outcome.PASS, Outcome.FAIL, label="dent")
        else:
            part(one, Outcome.PASS, Outcome.PASS)
    assert one.record.parts == 200
    assert one.decide() == "promoted"


def test_a_review_that_becomes_a_fail_mends_no_escape():
    """The champion had stopped it: it speaks for nothing while other defects are let through."""
    one = bout()
    for number in range(300):
        if number % 20 == 0:
            part(one, Outcome.REVIEW, Outcome.PASS, label="dent")
        elif number % 5 == 1:
            part(one, Outcome.REVIEW, Outcome.FAIL, label="dent")
        else:
            part(one, Outcome.PASS, Outcome.PASS)
    assert one.decide() == "refused"
    assert one.report().tightened == 60


def test_200_that_spoil_as_much_as_they_mend_are_hardly_ever_promoted():
    """A tenth of the parts each way, all labelled: at most 5 % promoted (and 3 deviations)."""
    dice, promoted = np.random.default_rng(3), 0
    rule = Rule(parts=100, most=600, loosened=0.02, tightened=0.04, risk=0.05)
    for _ in range(200):
        one = bout(rule)
        while (state := one.decide()) in ("shadowing", "waiting for labels"):
            draw = dice.random()
            if draw < 0.12:
                part(one, Outcome.FAIL, Outcome.PASS, label="dent")
            elif draw < 0.22:
                part(one, Outcome.PASS, Outcome.FAIL, label="dent")
            else:
                part(one, Outcome.PASS, Outcome.PASS)
        promoted += state == "promoted"
    assert promoted <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05 * 0.95)


def test_a_label_that_is_taken_back_counts_against_it_again():
    """As if nobody had spoken."""
    one = bout()
    for number in range(400):
        part(one, Outcome.PASS, Outcome.FAIL if number % 10 == 0 else Outcome.PASS, label="stain")
    assert one.decide() == "promoted"
    for name in one.asked():
        one.hear(name, None)
    assert one.decide() == "waiting for labels"


def test_nobody_is_promoted_before_enough_parts():
    """However well it does."""
    one = bout(Rule(parts=500, most=3000, loosened=0.2, tightened=0.2))
    for _ in range(499):
        part(one, Outcome.PASS, Outcome.PASS)
    assert one.decide() == "shadowing"
    assert one.report().more == 1
    part(one, Outcome.PASS, Outcome.PASS)
    assert one.decide() == "promoted"


def test_the_number_of_further_parts_is_true():
    """So many without a disagreement promote it, and one fewer doesn't."""
    one = bout()
    for number in range(120):
        part(one, Outcome.FAIL if number == 5 else Outcome.PASS, Outcome.PASS)
    more = one.report().more
    assert more == max(further(120, 1, RULE.loosened, RULE.enough),
                       further(120, 0, RULE.tightened, RULE.enough))  # fmt: skip
    for _ in range(more - 1):
        part(one, Outcome.PASS, Outcome.PASS)
    assert one.decide() != "promoted"
    part(one, Outcome.PASS, Outcome.PASS)
    assert one.decide() == "promoted"


def test_one_that_cannot_judge_is_refused():
    """Three parts without a finite score are enough."""
    one = bout()
    for seq in range(3):
        told = verdict(1, seq + 1, "top", bundle=OLD, reason=Reason.ABOVE_FAIL, outcome="fail")
        one.saw(told, Judgement(Outcome.FAIL, Reason.NOT_FINITE, "score nan", LIMITS, NEW))
    assert one.decide() == "refused"
    assert "could not judge 3 parts" in one.record.words


def test_what_has_no_champion_is_no_comparison():
    """Fail-safe verdicts, and those of another bundle, count for nothing."""
    one = bout()
    for more in ({"reason": Reason.LATE, "bundle": OLD, "outcome": "fail"},
                 {"reason": Reason.ABOVE_FAIL, "bundle": NEW, "outcome": "fail"}):  # fmt: skip
        told = verdict(1, 1, "top", **more)
        assert not one.saw(told, Judgement(Outcome.PASS, Reason.BELOW_PASS, "", LIMITS, NEW))
    assert one.record.parts == 0


def test_a_fail_that_becomes_a_review_is_no_harm():
    """A person looks: it is kept for people, and counts for neither."""
    one = bout()
    assert part(one, Outcome.FAIL, Outcome.REVIEW)
    assert one.record.disagreements["top-1-1"].kind is Kind.ASKS
    assert one.asked() == []


def test_evidence_is_walds_ratio():
    """The likelihood of the counts at a quarter of the margin over that at the margin."""
    told = math.log(0.005**2 * 0.995**98 / (0.02**2 * 0.98**98))
    assert evidence(100, 2, 0.02) == pytest.approx(told)
