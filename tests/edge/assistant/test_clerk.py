import pytest

from edge.assistant.answer import Answer, Source
from edge.assistant.clerk import Withdrawn, Word
from export.errors import LanguageError
from tests.assistant.suite import november

E204 = "E-204: air pressure low."


class Speaker:
    """A text model that says what it is given."""

    name = "speaker"

    def __init__(self, *pieces, breaks=False):
        self.pieces, self.breaks, self.turns = pieces, breaks, []

    def words(self, turns, most_tokens):
        self.turns.append(turns)
        yield from self.pieces
        if self.breaks:
            raise LanguageError("the model is gone", "start it")


@pytest.fixture(scope="module")
def line():
    """A recorded line."""
    return november()


def steps(line, question, *pieces, **more):
    """What comes of a question with a model that says `pieces`."""
    return list(line.clerk(model=Speaker(*pieces, **more)).steps(question))


def test_figures_come_from_records_without_any_model(line):
    """A model that would lie is not even asked."""
    speaker = Speaker("[line7 4.5] 99 parts failed.")
    answer = line.clerk(model=speaker).ask("How many parts failed yesterday?")
    failed = line.figures(line.day(1), outcome="fail")
    assert answer.source is Source.RECORDS
    assert f"{failed['chosen']} of {failed['parts']} parts failed" in answer.text
    assert speaker.turns == []


def test_without_a_model_the_nearest_section_is_quoted_and_said_to_be(line):
    """The section's own words, in quotation marks, and a link to it."""
    answer = line.clerk().ask("What does E-204 mean?")
    assert answer.quoted
    assert E204 in answer.text
    assert answer.text.startswith("The nearest section says")
    assert [one.name for one in answer.citations] == ["line7 4.5"]
    assert line.clerk().ask("Was bedeutet E-204?").language == "de"


def test_an_answer_with_evidence_streams_and_is_admitted(line):
    """Words come as the model says them; the answer cites its section."""
    told = steps(
        line, "How do I clear E-204?", "[line7 4.5] Open ", "valve V2 and ", "check the hose."
    )
    assert [type(one) for one in told[:-1]] == [Word] * (len(told) - 1)
    assert "".join(one.text for one in told[:-1]) == "[line7 4.5] Open valve V2 and check the hose."
    assert told[-1].text == "Open valve V2 and check the hose. [line7 4.5]"
    assert told[-1].source is Source.DOCUMENTS


@pytest.mark.parametrize(
    "said",
    [
        "[line7 4.5] Open valve V3 and check the hose.",
        "[line7 4.5] The pusher has less than 9.5 bar.",
        "[line7 4.6] Stop the belt and take the part out.",
        "[line7 9.9] Open valve V2.",
        "Open valve V2 and check the hose.",
        "[line7 4.5]",
        "",
        "[line7 4.5] Buy new shares of the company.",
    ],
)
def test_an_answer_without_evidence_gives_way_to_the_section_itself(line, said):
    """Wrong figure or code, another section's remedy, no citation: quoted, as without a model."""
    question = "How do I clear E-204?"
    told = steps(line, question, *[f"{word} " for word in said.split()])
    assert told[-1].text == line.clerk().ask(question).text
    assert told[-1].quoted
    assert told[-1].why
    shown = "".join(one.text for one in told if isinstance(one, Word))
    assert "9.5" not in shown
    assert "V3" not in shown
    assert not shown or any(isinstance(one, Withdrawn) for one in told)


def test_no_entry_is_what_is_said_where_the_model_finds_none_or_the_section_is_far(line):
    """A model that reads and finds nothing is believed; a far section isn't quoted either."""
    found = steps(line, "How do I clear E-204?", "NO ", "ENTRY")
    far = steps(line, "Who paints the pusher's hose green on holidays?", "[line7 4.5] Open V9.")
    for told in (found, far):
        assert told[-1].source is Source.NONE
        assert told[-1].text.startswith("No entry")
        assert told[-1].nearest


def test_a_not_that_is_lost_is_noticed(line):
    """`Never use alcohol` may not become `use alcohol`."""
    question = "May I clean the front glass with alcohol?"
    good = steps(line, question, "[line7 3.1] Never use alcohol: it takes the coating off.")
    bad = steps(line, question, "[line7 3.1] Use alcohol: it takes the coating off.")
    assert good[-1].source is Source.DOCUMENTS
    assert bad[-1].quoted


def test_a_code_that_no_document_has_is_refused_before_a_model_is_asked(line):
    """E-299 isn't E-204."""
    speaker = Speaker("[line7 4.5] Open valve V2.")
    assert line.clerk(model=speaker).ask("How do I clear E-299?").source is Source.NONE
    assert speaker.turns == []


def test_a_model_that_breaks_off_leaves_the_quoted_section(line):
    """And what was shown is withdrawn."""
    told = steps(
        line, "How do I clear E-204?", "[line7 4.5] Open valve ", "V2 and ", "check ", breaks=True
    )
    assert any(isinstance(one, Withdrawn) for one in told)
    assert told[-1].quoted
    assert "the model is gone" in told[-1].why


def test_the_model_reads_what_tuning_wrote(line):
    """The prompt is export/dialogue.py's, with the plant's context."""
    speaker = Speaker("NO ENTRY")
    line.clerk(model=speaker, context="Line 7 makes flanges.").ask("How do I clear E-204?")
    system, user = speaker.turns[0]
    assert system.content.endswith("Line 7 makes flanges.")
    assert user.content.startswith("[line7 4.5] E-204: air pressure low: ")
    assert user.content.endswith("Question: How do I clear E-204?")


@pytest.mark.parametrize(
    "question", ["", "   ", "x" * 501, "\x00\x01", "?" * 400, "ﷺ" * 300, "1" * 499]
)
def test_a_hostile_question_is_answered_and_harms_nothing(line, question):
    """Empty, too long, control characters, marks only."""
    answer = line.clerk().ask(question)
    assert isinstance(answer, Answer)
    assert answer.source is Source.NONE


def test_what_was_not_understood_is_named(line):
    """So that whoever asked can ask otherwise."""
    answer = line.clerk().ask("How many purple parts failed yesterday?")
    assert "'purple'" in answer.text
    assert "which time" in line.clerk().ask("How many parts?").text


def test_a_comparison_needs_two(line):
    """One thing compared with nothing is refused."""
    answer = line.clerk().ask("Were there more fails yesterday?")
    assert "compare" in answer.text


def test_an_operator_may_say_camera_and_type_in_the_plants_words(line):
    """What the settings' words table names."""
    clerk = line.clerk(words={"Macke": "dent", "oben": "top"})
    answer = clerk.ask("Wie viele Macken gab es gestern auf Kamera oben?")
    truth = line.figures(line.day(1), outcomes=("fail", "review"), kind="dent", camera="top")
    assert answer.source is Source.NONE or answer.as_dict()["figures"]["chosen"] == truth["chosen"]
    answer = clerk.ask("Wie viele Teile mit Macke gab es gestern auf Kamera oben?")
    assert answer.as_dict()["figures"]["chosen"] == truth["chosen"]
