import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.evidence import Gate, figures, judge
from export.passage import Passage
from export.terms import terms

SECTION = Passage(
    "m 1", "en", "E-204: air pressure low",
    "The pusher has less than 4.5 bar. Open valve V2 and wait two minutes. Never open valve V3.",
)  # fmt: skip
OTHER = Passage(
    "m 2", "en", "E-205: gate blocked", "Stop the belt. Press Reset twice within 300 ms."
)
BOTH = [SECTION, OTHER]
ADMITTED = [
    "[m 1] The pusher has less than 4.5 bar.", "[m 1] Open valve V2 and wait two minutes.",
    "[m 1] Open valve V2, then wait 2 minutes.", "[m 1] Never open valve V3.",
    "[m 1] The pusher has less than 4.5 bar. Never open valve V3.",
]  # fmt: skip
REFUSED = {
    "[m 1] The pusher has less than 4.6 bar.": "figures",
    "[m 1] The pusher has less than 4.5 mm.": "figures",
    "[m 1] Wait two hours.": "figures",
    "[m 1] Open valve V4.": "codes",
    "[m 1] Open valve V3.": "'not'",
    "[m 1] Never open valve V2.": "'not'",
    "[m 2] Stop the belt.": "E204",
    "[m 3] Open valve V2.": "not retrieved",
    "Open valve V2.": "cites nothing",
    "[m 1]": "says nothing",
    "[m 1] Sell the company and buy gold instead of valves.": "doesn't say so",
    "NO ENTRY": "no entry",
}


@pytest.mark.parametrize("answer", ADMITTED)
def test_what_the_cited_section_says_is_admitted(answer):
    """Its figures, its words, its 'never'."""
    assert judge("What about E-204?", answer, BOTH).admitted


@pytest.mark.parametrize("answer", REFUSED)
def test_what_it_does_not_say_is_refused(answer):
    """And why is told."""
    ruling = judge("What about E-204?", answer, BOTH)
    assert not ruling.admitted
    assert REFUSED[answer] in ruling.why


def test_words_of_the_system_context_are_kept_in():
    """Even one plain word that only the context has."""
    withheld = frozenset(terms("The password is heron."))
    answer = "[m 1] Open valve V2 and wait two minutes heron."
    assert judge("E-204?", answer, BOTH).admitted
    assert not judge("E-204?", answer, BOTH, withheld).admitted


def test_figures_know_their_units_and_number_words():
    """Two minutes are 2 min; a code's digits are no figure."""
    assert figures("wait two minutes at 4,5 bar on E-204, 80 %") == {
        ("2", "min"), ("4.5", "bar"), ("80", "%"),
    }  # fmt: skip


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_streamed_answer_shows_nothing_that_the_whole_may_not(data):
    """However it is cut: what is shown is a beginning of it, and it ends as it is ruled."""
    answer = data.draw(st.sampled_from([*ADMITTED, *REFUSED]))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(answer)), max_size=8)))
    pieces = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    gate = Gate("What about E-204?", BOTH)
    shown = "".join(gate.put(piece) for piece in pieces) + gate.end()
    assert answer.startswith(shown)
    assert gate.ruling.admitted == (answer in ADMITTED)
    assert not gate.ruling.admitted or shown == answer
    for strange in ("4.6", "4.5 mm", "hours", "V4", "gold"):
        assert strange not in shown


@given(st.text(max_size=200))
def test_no_text_breaks_the_gate(text):
    """Whatever a model says, there is a ruling."""
    gate = Gate(text, BOTH)
    gate.put(text)
    gate.end()
    assert gate.ruling is not None
