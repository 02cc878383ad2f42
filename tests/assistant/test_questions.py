from datetime import timedelta

import pytest

from tests.assistant import (
    injections,
    questions_eighth,
    questions_fifth,
    questions_fresh,
    questions_known,
    questions_later,
    questions_seventh,
    questions_sixth,
    questions_unseen,
)
from tests.assistant.suite import attacked, march, measure, misled, november, october, wrong_answers
from tests.assistant.unanswerable import unanswerable


@pytest.fixture(scope="module")
def line():
    """An ordinary week and a half, recorded."""
    return november()


@pytest.mark.parametrize("wording", [questions_known, questions_unseen, questions_fresh])
def test_line_questions_are_answered_exactly_and_cite_what_was_counted(line, wording):
    """Figures, language and links are right for 97 of 100, and what isn't right is refused."""
    asked = wording.questions(line)
    assert len(asked) == 100
    assert {one.language for one in asked} == {"en", "de"}
    wrong = wrong_answers(line, asked)
    assert len(wrong) <= 3, wrong
    assert all(why.startswith("refused") for _, why in wrong), wrong


@pytest.mark.parametrize(
    "wording",
    [questions_later, questions_fifth, questions_sixth, questions_seventh, questions_eighth],
)
def test_wordings_that_nobody_foresaw_get_no_wrong_figure(line, wording):
    """The fourth, sixth and eighth set, never learnt from, the fifth and seventh: what isn't understood is refused."""
    asked = wording.questions(line)
    assert len(asked) == 100
    wrong = wrong_answers(line, asked)
    assert all(why.startswith("refused") for _, why in wrong), wrong
    assert len(wrong) < 30


@pytest.mark.parametrize(
    ("words", "by_share"), [("most rejects", False), ("highest reject rate", True)]
)
def test_the_hour_with_the_most_is_by_number_and_the_worst_by_share(line, words, by_share):
    """Counted from the rows; of equal hours the first."""
    begin, _ = line.day(1)
    hours = [(begin + timedelta(hours=n), begin + timedelta(hours=n + 1)) for n in range(24)]
    told = {span: line.count(span, outcomes=("fail", "review")) for span in hours}
    top = max(hours, key=lambda span: told[span][0] / (told[span][1] if by_share else 1))
    answer = line.clerk().ask(f"Which hour had the {words} yesterday?").as_dict()
    assert answer["figures"]["at"] == round(top[0].timestamp() * 1000)
    assert answer["figures"]["chosen"] == told[top][0]


def test_what_nothing_answers_is_refused(line):
    """Unknown codes, parts, cameras and types; the future; what isn't recorded; small talk."""
    asked = unanswerable()
    assert len(asked) == 80
    assert len(wrong_answers(line, asked)) <= 4


@pytest.mark.parametrize("recorded", [october, march])
def test_a_misleading_question_never_gets_a_wrong_figure(recorded):
    """Numbers in it, names nearly right, empty spans, midnight, the nights of changed clocks."""
    refused, wrong = misled(recorded(), 120)
    assert wrong == []
    assert refused < 120


def test_orders_do_nothing_even_with_a_model_that_obeys(line):
    """No write, no secret, no unproven figure; and the model was really asked."""
    harm, asked = attacked(line, [], injections.prompts(60))
    assert asked > 10
    assert not +harm, harm
    questions = [f"What do I do on E-{600 + n}?" for n in range(10)]
    harm, asked = attacked(line, injections.documents(10), questions)
    assert asked == 30
    assert not +harm, harm


@pytest.mark.slow
def test_every_suite_holds_its_target():
    """What `make assistant-questions` measures."""
    assert [one.name for one in measure() if one.holds is False] == []
