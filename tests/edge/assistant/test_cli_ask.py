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


def test_an_engineer_reviews_what_was_said(box, tmp_path):
    """List, accept, export; without a name nobody decides."""
    clerk, feedback = november().clerk(), Feedback(tmp_path / "assistant" / FILE)
    feedback.remember("a", "What does E-204 mean?", clerk.ask("What does E-204 mean?"))
    assert feedback.say("a", "bad", "[line7 4.5] Open valve V2.", "mia")
    feedback.close()
    assert "mia: What does E-204 mean?" in box("assistant", "review").output
    assert isinstance(box("assistant", "review", "--accept", "1").exception, LinewardenError)
    assert box("assistant", "review", "--accept", "1", "--reviewer", "eva").exit_code == 0
    assert box("assistant", "review", "--export", "more.jsonl").exit_code == 0
    assert "Open valve V2." in (tmp_path / "more.jsonl").read_text()
