import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.assistant.feedback import Said
from edge.assistant.teaching import bare, barren, chosen, dialogue, faults, jsonl, lesson
from export.library import Library
from export.passage import read_folder
from tests.assistant.truth import MANUAL
from trainer.assistant.corpus import read_corpus

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
    "cites [line9 9.9], which no document has": {"correction": "[line7 4.5] Open. [line9 9.9] X."},
    "its answer repeats the one before": {"correction": GOOD.question},
    "its answer has 8001 characters, at most 8000": {"correction": "x" * 8001},
    "its question is empty": {"question": " "},
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
    assert bool(list(faults(said, library, allow_personal=True))) is ("looks like" not in why)


@pytest.mark.parametrize(
    ("correction", "shown"), [("Open valve V2.", False), ("NO ENTRY", True), ("[x 1] Y.", True)]
)
def test_a_lesson_that_neither_cites_nor_refuses_is_bare(correction, shown):
    """The box would not show such an answer."""
    assert bare(dataclasses.replace(GOOD, correction=correction)) is not shown


def told(*answers, question=GOOD.question):
    """The same question, answered better by several operators."""
    return [
        dataclasses.replace(GOOD, id=number, question=question, correction=answer)
        for number, answer in enumerate(answers, 1)
    ]


def test_what_several_praise_is_learnt_once(library):
    """The first; the others are told, whatever their capitals."""
    first, second, _ = same = told(*["[line7 4.5] Open valve V2."] * 3)
    same[1] = dataclasses.replace(second, question="what does e-204 mean")
    learnt, left = chosen(same, library)
    assert learnt == [first]
    assert left == dict.fromkeys((2, 3), "asks what 1 asked, with the same answer")


def test_what_contradicts_is_left_out_until_one_is_refused(library):
    """Each names the others."""
    one, two, three = told("[line7 4.5] Open V2.", "[line7 4.5] Shut V2.", "[line7 4.5] Open V2.")
    learnt, left = chosen([one, two, three], library)
    assert learnt == []
    assert "asks what 1 and 3 asked, with another answer: --refuse" in left[2]
    assert list(left) == [1, 2, 3]
    assert chosen([one, three], library)[0] == [one]


WORDS = st.text(max_size=6) | st.sampled_from(
    ["[line7 4.5] ", "[line9 99.9]", "NO ENTRY", "What?", "a\u2028b\x85c", "\r\n", "Frau Huber"]
)
TEXTS = st.lists(WORDS, max_size=3).map("".join) | st.just("x" * 8001)
KINDS = st.sampled_from(["good", "bad", "wrong figure"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    some=st.lists(st.tuples(TEXTS, TEXTS, TEXTS, KINDS), min_size=1, max_size=6),
    meant=st.booleans(),
)
def test_whatever_review_exports_tuning_reads(library, tmp_path, some, meant):
    """Every accepted one is learnt as it was, or told with the reason why it isn't."""
    accepted = [
        dataclasses.replace(
            GOOD, id=number, question=asked, answer={**DOCUMENTS, "text": said}, correction=better,
            kind=kind,
        )
        for number, (asked, said, better, kind) in enumerate(some, 1)
    ]  # fmt: skip
    learnt, left = chosen(accepted, library, allow_personal=meant)
    assert sorted([*left, *(one.id for one in learnt)]) == [one.id for one in accepted]
    if learnt:
        path = tmp_path / "more.jsonl"
        path.write_text(jsonl(learnt), encoding="utf-8")
        read = read_corpus(path, library, allow_personal=meant)
        assert [(one.question, one.answer) for one in read] == [
            (one.question, lesson(one)) for one in learnt
        ]
