from hypothesis import given
from hypothesis import strategies as st

from edge.clock import monotonic_ns, wall_ns
from edge.frame import Unusable
from edge.inspection.fusion import Looks
from edge.inspection.inspector import Judgement
from export.decide import decide
from export.verdict import BundleRef, Outcome, Reason, Thresholds, Verdict
from tests.edge.inspection.test_bench import frame
from tests.edge.verdicts import verdict

LIMITS = Thresholds(pass_below=0.3, fail_above=0.7, novel_above=2.0)
BUNDLE = BundleRef(name="fake", version=1, digest="0" * 64)

scores = st.floats(0, 1)
novelties = st.floats(0, 4)


def judgement(score, novelty=1.0):
    """As the inspector makes it."""
    outcome, reason = decide(score, novelty, LIMITS)
    return Judgement(outcome, reason, "", LIMITS, BUNDLE, score=score, novelty=novelty, score_ms=1)


def broken(reason=Reason.NOT_FINITE):
    """A frame whose judgement failed."""
    return Judgement(Outcome.FAIL, reason, "why", LIMITS, BUNDLE)


def bad(number):
    """A frame that can't be used."""
    return Unusable("torn", "eye", number, monotonic_ns(), wall_ns())


def seen_in(told, asked=None, waiting=0):
    """The answer after these judgements (None: a frame that can't be used), in that order."""
    looks = Looks(asked or len(told))
    frames = [frame(n) if one else bad(n) for n, one in enumerate(told)]
    looks.add(*frames, *(frame(100 + n) for n in range(waiting)))
    for one in told:
        looks.saw(looks.take(1), one)
    return looks.answer()


@given(st.lists(st.tuples(scores, novelties), min_size=2, max_size=8))
def test_a_part_passes_only_if_each_of_its_frames_would(pairs):
    """The outcome is what the highest score and the highest novelty would get."""
    answer = seen_in([judgement(*pair) for pair in pairs])
    highest = (max(score for score, _ in pairs), max(novelty for _, novelty in pairs))
    assert answer.judgement.outcome is decide(*highest, LIMITS)[0]
    assert answer.judgement.reason in {decide(*pair, LIMITS)[1] for pair in pairs}


@given(st.lists(st.tuples(scores, novelties), min_size=2, max_size=8))
def test_further_frames_never_let_a_part_through(pairs):
    """Whatever the first frame alone would stop is stopped: escapes can only become fewer."""
    alone = judgement(*pairs[0]).outcome
    together = seen_in([judgement(*pair) for pair in pairs]).judgement.outcome
    assert alone is Outcome.PASS or together is not Outcome.PASS
    assert alone is not Outcome.FAIL or together is Outcome.FAIL


@given(st.lists(st.tuples(scores, novelties), min_size=2, max_size=8))
def test_every_figure_of_the_verdict_is_of_one_frame(pairs):
    """The one that decided: its picture alone reproduces the verdict."""
    answer = seen_in([judgement(*pair) for pair in pairs])
    score, novelty = pairs[answer.seen.number]
    told = answer.judgement
    assert (told.score, told.novelty) == (score, novelty)
    assert (told.outcome, told.reason) == decide(score, novelty, LIMITS)
    assert told.score_ms == len(pairs)


@given(st.permutations([0.1, 0.5, 0.9, None, "broken"]))
def test_a_seen_defect_is_worse_than_no_result_than_a_doubt_than_a_pass(order):
    """In whatever order frames come; one that can't be used says nothing."""
    kinds = {"broken": broken(), None: None}
    left = list(order)
    for worst in (0.9, "broken", 0.5, 0.1):
        answer = seen_in([kinds[one] if one in kinds else judgement(one) for one in left])
        assert left[answer.seen.number] == worst
        left.remove(worst)


def test_frames_that_cannot_be_used_are_left_out_and_told():
    """As long as one can be; else the part has no picture."""
    answer = seen_in([None, judgement(0.1), broken(Reason.BAD_FRAME)])
    assert answer.judgement.outcome is Outcome.PASS
    reasons = [view.reason for view in answer.fused.views]
    assert reasons == [Reason.BAD_FRAME, Reason.BELOW_PASS, Reason.BAD_FRAME]
    nothing = seen_in([None, None])
    assert (nothing.judgement, nothing.why) == (None, "none of 2 frames could be used: torn")


def test_frames_that_were_not_judged_in_time_are_told():
    """The record says how many were asked for, and which came to nothing."""
    answer = seen_in([judgement(0.1)], asked=3, waiting=1)
    assert (answer.fused.asked, len(answer.fused.views)) == (3, 2)
    late = answer.fused.views[1]
    assert (late.frame, late.reason, late.score) == (100, Reason.LATE, None)


def test_one_frame_leaves_the_verdict_as_it_was():
    """No record of frames, and not a byte more on the wire."""
    answer = seen_in([judgement(0.1)])
    assert answer.fused is None
    assert b"fused" not in verdict(1, 1).to_json()
    several = verdict(1, 1, fused=seen_in([judgement(0.1), judgement(0.2)]).fused)
    assert Verdict.from_json(several.to_json()) == several
