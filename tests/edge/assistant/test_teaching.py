import dataclasses

import pytest

from edge.assistant.feedback import Said
from edge.assistant.teaching import bare, barren, dialogue, faults, lesson
from export.library import Library
from export.passage import read_folder
from tests.assistant.truth import MANUAL

DOCUMENTS = {"text": "Open valve V2. [line7 4.5]", "source": "documents", "quoted": False}
GOOD = Said(3, "", "mia", "What does E-204 mean?", DOCUMENTS, "good", "", "waits", "")
BARREN = {
    "quotation": {"answer": {**DOCUMENTS, "quoted": True}},
    "one day": {"answer": {**DOCUMENTS, "source": "records"}},
    "nothing was answered": {"answer": {**DOCUMENTS, "source": "no entry"}},
    "'wrong figure'": {"kind": "wrong figure"},
    "'bad'": {"kind": "bad"},
}
FAULTS = {
    "cites [line9 99.9], which no document has": {"correction": "[line9 99.9] Forty-two."},
    "its answer holds what looks like an e-mail address: 'mia@plant.example'": {
        "correction": "[line7 4.5] Ask mia@plant.example."
    },
    "its question holds what looks like a person's name: 'Frau Huber'": {
        "question": "Where is Frau Huber?"
    },
}


@pytest.fixture(scope="module")
def library():
    """The plant's sections."""
    return Library.of(read_folder(MANUAL))


def test_a_helpful_answer_of_a_model_is_learnt_its_citation_first(library):
    """As models are taught to answer."""
    assert lesson(GOOD) == "[line7 4.5] Open valve V2."
    assert not list(faults(GOOD, library))
    assert not bare(GOOD)
    assert [turn["role"] for turn in dialogue(GOOD)["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize("why", BARREN)
def test_what_teaches_nothing_says_why_until_somebody_says_it_better(library, why):
    """Quotations, figures, refusals, and what was only found wrong."""
    said = dataclasses.replace(GOOD, **BARREN[why])
    assert why in barren(said)
    assert lesson(said) == ""
    better = dataclasses.replace(said, correction="[line7 4.5] Open valve V2.")
    assert not barren(better)
    assert not list(faults(better, library))


@pytest.mark.parametrize("why", FAULTS)
def test_what_tuning_would_refuse_is_a_fault(library, why):
    """With the value that was found; personal data may be meant."""
    said = dataclasses.replace(GOOD, **FAULTS[why])
    (told,) = faults(said, library)
    assert why in told
    assert bool(list(faults(said, library, allow_personal=True))) is ("cites" in why)


@pytest.mark.parametrize(
    ("correction", "shown"), [("Open valve V2.", False), ("NO ENTRY", True), ("[x 1] Y.", True)]
)
def test_a_lesson_that_neither_cites_nor_refuses_is_bare(correction, shown):
    """The box would not show such an answer."""
    assert bare(dataclasses.replace(GOOD, correction=correction)) is not shown
