import json

import pytest
from typer.testing import CliRunner

from edge.assistant.feedback import FILE, Feedback
from export.command import application
from export.errors import LinewardenError
from tests.assistant.suite import november
from tests.edge.assistant.test_web import appliance


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A box with manuals and a recorded line; asks in its folder."""
    told = appliance(tmp_path)
    told.console.folder.mkdir()
    (told.console.folder / "verdicts.db").symlink_to(november().path)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(application(), list(words))


def test_ask_answers_cites_and_tells_by_its_exit_code(box):
    """0: answered, with links; 1: no entry; 2: wrong settings."""
    done = box("ask", "How many parts failed on 2026-11-23?")
    assert done.exit_code == 0
    assert "[R1]" in done.output
    assert "/verdicts?" in done.output
    told = json.loads(box("ask", "Was bedeutet E-204?", "--json").output)
    assert (told["language"], told["source"]) == ("de", "documents")
    assert box("ask", "Was bedeutet E-207?").exit_code == 1
    for words in (("ask", "x", "--language", "fr"), ("ask", "x", "--config", "none.toml")):
        assert isinstance(box(*words).exception, LinewardenError)


@pytest.fixture
def review(box, tmp_path):
    """`linewarden assistant review` of what was said of three answers: a better one for each."""
    clerk, feedback = november().clerk(), Feedback(tmp_path / "assistant" / FILE)
    for better in ("[line7 4.5] Open valve V2.", "[line9 99.9] Forty-two.", ""):
        feedback.remember("a", "What does E-204 mean?", clerk.ask("What does E-204 mean?"))
        assert feedback.say("a", "bad", better, "mia")
    feedback.close()
    return lambda *words: box("assistant", "review", *words)


def test_an_engineer_reviews_what_was_said(review, tmp_path):
    """List, accept, export; without a name nobody decides, and each decision is told."""
    assert "mia: What does E-204 mean?" in review().output
    assert isinstance(review("--accept", "1").exception, LinewardenError)
    done = review("--accept", "1", "--reviewer", "eva")
    assert done.output == "accepted 1, to be learnt: [line7 4.5] Open valve V2.\n"
    assert "accepted: 1 (--refuse ID takes one back)" in review().output
    assert review("--refuse", "2", "--reviewer", "eva").output == "refused 2\n"
    assert "nothing is learnt" in review("--accept", "3", "--reviewer", "eva").output
    done = review("--export", "more.jsonl")
    assert "1 dialogue in more.jsonl\n1 accepted, but left out:\n  3: the" in done.output
    assert "Open valve V2." in (tmp_path / "more.jsonl").read_text()


def test_what_tuning_would_refuse_is_refused_until_it_is_said_better(review, tmp_path):
    """It still waits; what is learnt then is the engineer's."""
    done = review("--accept", "2", "--reviewer", "eva")
    assert "cites [line9 99.9]" in done.exception.problem
    assert "--instead" in done.exception.remedy
    instead = ("--instead", "[line7 4.5] Check the hose.")
    assert isinstance(review(*instead).exception, LinewardenError)
    assert "Check the hose." in review("--accept", "2", *instead, "--reviewer", "eva").output
    review("--export", "more.jsonl")
    assert "Check the hose." in (tmp_path / "more.jsonl").read_text()


def test_what_was_accepted_can_be_refused_and_is_not_learnt(review, tmp_path):
    """It is said that it was accepted; what is refused stays so."""
    review("--accept", "1", "--reviewer", "eva")
    done = review("--refuse", "1", "--reviewer", "eva")
    assert done.output == "refused 1, which was accepted\n"
    for word in ("--accept", "--refuse"):
        assert "no feedback 1 waits" in review(word, "1", "--reviewer", "eva").exception.problem
    assert "0 dialogues in more.jsonl" in review("--export", "more.jsonl").output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--accept", "1", "--refuse", "1"), "feedback 1 is both accepted and refused"),
        (("--accept", "1", "--refuse", "99"), "no feedback 99 waits or was accepted"),
        (("--accept", "0"), "no feedback 0 waits"),
        (("--refuse", "0"), "no feedback 0 waits"),
        (("--accept", "1", "--instead", "  "), "--instead '  ' is no answer"),
        (("--accept", "1", "--instead", ""), "--instead '' is no answer"),
        (("--accept", "1", "--instead", "What does E-204 mean?"), "repeats the one before"),
        (("--accept", "1", "--instead", f"[line7 4.5] {'x' * 8000}"), "at most 8000"),
        (("--accept", "1", "--instead", "[line7 4.5] A. [line9 99.9] B."), "cites [line9 99.9]"),
    ],
)
def test_what_cannot_be_decided_is_told_before_anything_is(review, words, why):
    """The value is named, and nothing is accepted or refused."""
    before = review().output
    assert why in review(*words, "--reviewer", "eva").exception.problem
    assert review().output == before


def test_a_decision_is_told_only_once_it_is_kept(review, monkeypatch):
    """Somebody else decided between reading and writing."""
    monkeypatch.setattr(Feedback, "review", lambda *_, **__: False)
    done = review("--accept", "1", "--reviewer", "eva")
    assert "decided by somebody else" in done.exception.problem
    assert "accepted" not in done.output


def test_an_export_never_replaces_a_file(review, tmp_path):
    """It is named; nor is a folder made."""
    (tmp_path / "more.jsonl").write_text("mine")
    for name in ("more.jsonl", "none/more.jsonl"):
        assert name in str(review("--export", name).exception)
    assert (tmp_path / "more.jsonl").read_text() == "mine"
