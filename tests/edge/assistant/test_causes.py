import pytest

from edge.assistant.causes import told_causes


@pytest.mark.parametrize(
    ("said", "plain"),
    [("what is driving the scrap yesterday", "haeufigste fehler yesterday"),
     ("what did we fail parts for", "why we fail parts"),
     ("woran hat es gestern am meisten gehakt", "es gestern haeufigste fehler")],
)  # fmt: skip
def test_a_question_for_causes_asks_for_the_most_frequent_types(said, plain):
    """Parts are rejected for types of defect: no other cause is recorded."""
    assert told_causes(said) == plain


@pytest.mark.parametrize(
    "said",
    ["which shift was the biggest culprit", "what caused the scratches", "what caused the stop"],
)
def test_another_cause_is_left(said):
    """Of a shift, of a type itself, of what isn't recorded."""
    assert told_causes(said) == said
