import json
from contextlib import contextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from demo.plant.dialogues import HERE, figures, heldout
from edge.assistant.answer import Source
from edge.assistant.calendar import Calendar
from edge.assistant.clerk import Clerk
from export.assistant_bundle import LanguageParity
from export.dialogue import NO_ENTRY
from export.errors import BundleError, DatasetError, LanguageError, SignatureError
from export.library import Library
from export.passage import read_folder
from export.signature import load_or_make
from tests.trainer.assistant.small_llama import base
from trainer.assistant import arms
from trainer.assistant.advise import advise, table, write
from trainer.assistant.arms import (
    ARMS,
    DOCUMENTS,
    QUOTED,
    STOCK,
    TUNED_DOCUMENTS,
    Sat,
    put,
    quote,
    sit,
)
from trainer.assistant.compare import difference, holm
from trainer.assistant.exam import mark, read_exam, says
from trainer.assistant.parity import Loaded, doubt, parity, refuse_apart
from trainer.assistant.publish import Material, publish
from trainer.assistant.sittings import Hall, sittings
from trainer.assistant.tune import WEIGHTS
from trainer.progress import Progress


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    """The demo plant's frozen questions."""
    path = tmp_path_factory.mktemp("exam") / "heldout.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in [*heldout(), *figures()]))
    return read_exam(path)


@pytest.fixture(scope="module")
def passages():
    """Both manuals."""
    return [*read_folder(HERE / "manual"), *read_folder(HERE / "press")]


class Parrot:
    """A text model with one answer to everything."""

    name = "parrot"

    def __init__(self, answer):
        self.answer = answer

    def words(self, turns, most_tokens):
        yield self.answer


@contextmanager
def nothing_recorded():
    """A box without records."""
    yield None


def clerk(library, answer):
    """A box's clerk with a parrot."""
    return Clerk(
        nothing_recorded, library, Calendar(ZoneInfo("UTC"), ()), lambda: 0, model=Parrot(answer)
    )


def answered(exam, passages, arm, right):
    """An arm that answers the share `right` of the questions as one should."""
    library = Library.of(passages)
    answers, marks = [], []
    for place, one in enumerate(exam):
        good = f"[{one.section}] {one.fact}" if one.answerable else NO_ENTRY[one.language]
        answers.append(good if place % 10 < 10 * right else "[line7 1.1] Nothing at all of this.")
        marks.append(mark(one, answers[-1], put(arm, one, library, passages, "")[1]))
    return Sat(arm, tuple(answers), tuple(marks), 300.0, 1.0)


def test_mcnemar_and_holm_are_the_textbooks():
    """9 to 1 apart: p = 2 * 11 / 1024; Holm multiplies by how many are left, and never falls."""
    first = [True] * 9 + [False] + [True] * 10
    second = [False] * 9 + [True] + [True] * 10
    told = difference(first, second)
    assert told.p == pytest.approx(22 / 1024)
    assert told.value == pytest.approx(0.4)
    assert told.low < 0.4 < told.high
    none = difference(first, first)
    assert (none.value, none.p) == (0, 1)
    both = holm({"a": told, "b": none, "c": difference(second, first)})
    assert both["a"].adjusted == pytest.approx(3 * 22 / 1024)
    assert both["c"].adjusted == pytest.approx(3 * 22 / 1024)
    assert both["b"].adjusted == 1
    with pytest.raises(ValueError, match="can't be compared"):
        difference([True], [])


def test_marks_are_exact(exam):
    """Another figure, code or citation is wrong; other words for the same are right."""
    assert not says("[x 1] It is 4.5 bar.", "The pusher has less than 4.5 bar.")
    assert says("The pusher has less than 4.5 bar now.", "The pusher has less than 4.5 bar.")
    assert not says("The pusher has less than 4.6 bar.", "The pusher has less than 4.5 bar.")
    assert {one.kind for one in exam} == {"wording", "document", "unknown", "record"}
    assert len(exam) == 90


def test_advice_follows_what_was_shown(exam, passages):
    """A clear winner is recommended with its cost left out; one that is equal is not."""
    good = {
        arm: [answered(exam, passages, arm, share)]
        for arm, share in ((DOCUMENTS, 0.4), (TUNED_DOCUMENTS, 0.9))
    }
    told = advise(exam, good, None)
    assert told.recommended == TUNED_DOCUMENTS
    assert told.differences[TUNED_DOCUMENTS].shown
    assert "Advice: tune" in told.words
    even = {arm: [answered(exam, passages, arm, 0.6)] for arm in (DOCUMENTS, TUNED_DOCUMENTS)}
    told = advise(exam, even, None)
    assert told.recommended == DOCUMENTS
    assert "keep the prompt" in told.words
    assert table(told).count("\n") == 3
    quoted = {**even, QUOTED: [quote(exam, Library.of(passages))]}
    worse = {QUOTED: quoted[QUOTED], DOCUMENTS: [answered(exam, passages, DOCUMENTS, 0.1)]}
    assert advise(exam, quoted, None).recommended == DOCUMENTS
    assert "serve no model" in advise(exam, worse, None).words
    alone = advise(exam, {STOCK: [answered(exam, passages, STOCK, 0.6)]}, None)
    assert "No advice: 'documents' did not sit" in alone.words


def test_what_is_right_more_often_and_shows_more_that_is_wrong_is_not_advised(exam, passages):
    """A wrong answer with proof is worse than none: operators act on it."""
    found = {arm: [answered(exam, passages, arm, 0.3)] for arm in (DOCUMENTS, TUNED_DOCUMENTS)}
    marks = [
        replace(one, fact=True, citation=True, admitted=True, quoted=False) if place % 10 < 9
        else replace(one, fact=False, refused=False, admitted=True, quoted=False)
        for place, one in enumerate(found[TUNED_DOCUMENTS][0].marks)
    ]  # fmt: skip
    found[TUNED_DOCUMENTS] = [replace(found[TUNED_DOCUMENTS][0], marks=tuple(marks))]
    told = advise(exam, found, None)
    assert told.differences[TUNED_DOCUMENTS].shown
    assert told.recommended == DOCUMENTS
    assert "shows something wrong on" in told.words


def test_an_exam_is_marked_as_the_box_serves(exam, passages):
    """For every question: what a clerk with the same model shows is what the mark says."""
    library = Library.of(passages)
    asked = [one for one in exam if one.given is None]
    for answer in ("I think so.", "NO ENTRY", "[line7 4.5] Open valve V2 and check the hose."):
        for one in asked:
            found = library.found(one.question, one.language)
            seen = put(DOCUMENTS, one, library, passages, "")[1]
            marked = mark(one, answer, seen, found)
            shown = clerk(library, answer).ask(one.question, one.language)
            assert marked.quoted == shown.quoted
            assert marked.admitted == (shown.source is Source.DOCUMENTS and not shown.quoted)
            if marked.quoted:
                assert marked.quoted_right == (shown.citations[0].name == one.section)


def test_an_exam_goes_on_where_it_was(exam, passages, tmp_path, monkeypatch):
    """Answers are kept: the second sitting asks nothing, and another arm asks anew."""
    monkeypatch.setattr(arms, "MOST_TOKENS", 2)
    made, library = base(), Library.of(passages)
    kept = tmp_path / "answers.jsonl"
    quiet = Progress(None)
    first = sit(
        STOCK, made, exam[:5], library, passages, context="", batch=2, kept=kept, progress=quiet
    )
    kept.write_text(kept.read_text() + '{"name": "cut')
    made.model = None
    again = sit(
        STOCK, made, exam[:5], library, passages, context="", batch=2, kept=kept, progress=quiet
    )
    assert again == first
    told = advise(exam[:5], {STOCK: [first]}, None)
    write(tmp_path / "out", told, {STOCK: [first]}, exam[:5])
    assert exam[0].question in (tmp_path / "out" / "advice.md").read_text()


def test_an_adapter_that_was_tuned_anew_is_asked_anew(exam, passages, tmp_path, monkeypatch):
    """In the same folder, by its weights: what the one before it said says nothing of it."""
    monkeypatch.setattr(arms, "MOST_TOKENS", 2)
    monkeypatch.setattr("trainer.assistant.sittings.reload", lambda _folder: base())
    hall = Hall(exam[:3], Library.of(passages), passages, "", 2, tmp_path)
    asked = []
    for weights in (b"first", b"first", b"second"):
        (tmp_path / WEIGHTS).write_bytes(weights)
        sittings([TUNED_DOCUMENTS], "none", [tmp_path], hall, Progress(None))
        asked.append((tmp_path / "answers.jsonl").read_text().count("\n"))
    assert asked == [3, 3, 6]


def test_every_arm_sees_what_it_should(exam, passages):
    """Stock the question alone; documents three sections; a record what was given."""
    library = Library.of(passages)
    seen = {arm: put(arm, exam[0], library, passages, "Context.") for arm in ARMS}
    assert [turn.content for turn in seen[STOCK][0]] == [exam[0].question]
    assert 1 <= len(seen[DOCUMENTS][1]) <= 3
    assert len(seen["whole manual"][1]) > 40
    record = next(one for one in exam if one.kind == "record")
    assert put(DOCUMENTS, record, library, passages, "")[1][0].id == record.section


def test_a_broken_exam_is_refused(tmp_path):
    """With its line."""
    path = tmp_path / "x.jsonl"
    for text in (
        "",
        "{",
        '{"kind": "odd", "language": "en", "question": "x", "section": "", "fact": ""}',
    ):
        path.write_text(text)
        with pytest.raises(DatasetError):
            read_exam(path)


def test_a_bundle_is_what_was_signed_and_an_adapter_needs_parity(passages, tmp_path):
    """A signed folder; a changed byte, or an adapter that was not compared, is refused."""
    from export.assistant_bundle import CONTEXT, open_assistant

    key, _ = load_or_make(tmp_path / "signing.key")
    material = Material("plant", 1, passages, "Line 7 makes flanges.")
    bundle = publish(tmp_path / "b1", material, key)
    opened = open_assistant(tmp_path / "b1", [key.public])
    assert opened.digest == bundle.digest
    assert opened.text(CONTEXT) == "Line 7 makes flanges."
    assert opened.manifest.sections == len(passages)
    assert len(Library(tmp_path / "b1" / "documents.db")) == len(passages)
    other, _ = load_or_make(tmp_path / "other.key")
    with pytest.raises(SignatureError):
        open_assistant(tmp_path / "b1", [other.public])
    (tmp_path / "b1" / CONTEXT).write_text("Line 7 makes trouble.")
    with pytest.raises(BundleError):
        open_assistant(tmp_path / "b1", [key.public])
    (tmp_path / "b1" / CONTEXT).write_text("Line 7 makes flanges.")
    (tmp_path / "b1" / "more.txt").write_text("x")
    with pytest.raises(BundleError, match=r"more\.txt"):
        open_assistant(tmp_path / "b1", [key.public])
    with pytest.raises(LanguageError, match="parity"):
        publish(tmp_path / "b2", material, key, adapter=tmp_path)


def test_parity_sees_a_model_that_answers_otherwise(exam, passages, monkeypatch):
    """The same model agrees wholly; one with other weights doesn't, and isn't published."""
    import torch

    monkeypatch.setattr(arms, "MOST_TOKENS", 2)
    same, apart = base(), base()
    with torch.no_grad():
        for weight in apart.model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    library, quiet = Library.of(passages), Progress(None)
    few = [one for one in exam if one.answerable][:3]
    told = parity(same, Loaded(same), few, library, context="", progress=quiet)
    assert (told.top1_agreement, told.of) == (1, 3)
    assert abs(told.mean_divergence) < 1e-6
    refuse_apart(told)
    with pytest.raises(LanguageError, match="agrees on"):
        refuse_apart(parity(same, Loaded(apart), few, library, context="", progress=quiet))


@pytest.mark.parametrize(("facts", "told"), [(0, "0 of 70"), (34, "34 of 70"), (35, ""), (70, "")])
def test_whoever_publishes_a_model_that_is_seldom_right_is_told(facts, told):
    """It agrees with the trainer's, and the box will mostly say no entry."""
    one = LanguageParity(
        prompts=70, tokens=700, top1_agreement=1.0, mean_divergence=0.0, facts=facts, of=70
    )
    assert told in doubt(one)
    assert bool(told) is bool(doubt(one))
