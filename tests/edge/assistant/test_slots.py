from datetime import timedelta

import pytest

from edge.assistant.closed_words import CLOSED, NARROWING
from edge.assistant.framing import unframed
from edge.assistant.inflection import english_verb, german_participles, german_verb
from edge.assistant.lexicon import WORTH_MENDING, is_known, pieces_with
from edge.assistant.plain_words import IGNORED
from edge.assistant.slots import parse
from edge.assistant.spelling import mended
from edge.assistant.time_phrases import plain_times
from edge.assistant.vocabulary import Measure, Which
from tests.assistant.phrasing import CALENDAR, KNOWN, NOW_MS, misread, phrasings, unrefused
from tests.assistant.rounds import unread


def read(question):
    """The slots of a question."""
    return parse(question, KNOWN, CALENDAR, NOW_MS)


def mend(text):
    """A text, mended as a question is."""
    return mended(text, is_known, pieces_with({"kratzer": "scratch"}), WORTH_MENDING)


def test_what_the_rules_were_developed_with_is_read_as_it_was_meant():
    """One of four of nearly two thousand phrasings, English and German: none is refused or misread."""
    assert len(list(phrasings())) > 1800
    assert misread(every=4) == []


@pytest.mark.slow
def test_all_that_the_rules_were_developed_with_is_read_as_it_was_meant():
    """All of them."""
    assert misread() == []


def test_rounds_of_wordings_are_read_as_they_were_meant():
    """One of three of some six hundred, written before the rules were tried on them."""
    assert unread(every=3) == []


@pytest.mark.parametrize(
    "question",
    ["How did the shifts do on rejects yesterday by the way?", "Scrap hour by hour yesterday and today?",
     "What caused the scratches yesterday?", "When did most of the scrap come last week?",
     "How many parts failed shortly before 8 yesterday?"],
)  # fmt: skip
def test_what_could_ask_for_two_things_is_not_counted(question):
    """Each or all, two times where one is told, a cause that isn't recorded, an hour of a week, about a time."""
    told = read(question)
    assert not told.clear or told.by


def test_a_shift_of_two_days_is_compared_with_itself():
    """`Early shift today against yesterday` is two shifts, not a shift and a day."""
    told = read("Ausschuss Fr\u00fchschicht heute gegen gestern")
    assert [one.shift for one in told.spans] == ["early", "early"]


def test_a_day_after_parts_is_no_part():
    """`Failed parts 20 November`."""
    assert read("Failed parts 20 November").part == ""


def test_a_word_that_could_narrow_is_refused_by_its_name():
    """Materials, people, exclusions, denials, what isn't recorded: never answered as if it weren't there."""
    assert unrefused() == []


@pytest.mark.parametrize(
    "frame",
    ["Morning! Our boss wants to know {}", "The auditor from T\u00dcV would like to know {}",
     "I have no idea {}", "If you have a minute, can you tell me {}", "Ticket: {}"],
)  # fmt: skip
def test_a_frame_changes_nothing(frame):
    """Greetings, who asks and how: what is asked is what is bound to the verb of asking."""
    asked = read("how many parts failed yesterday?")
    assert asked.clear
    assert read(frame.format("how many parts failed yesterday?")) == asked


@pytest.mark.parametrize(
    ("question", "word"),
    [("The red ones, tell me how many failed yesterday", "red"),
     ("Supplier Miller interests me: how many parts failed yesterday?", "supplier"),
     ("Tell me about painted parts and how many failed yesterday", "painted"),
     ("For Audi, can you say how many parts failed yesterday?", "audi")],
)  # fmt: skip
def test_a_frame_hides_no_narrowing(question, word):
    """What stands before the verb of asking, or between it and the question, is judged word by word."""
    assert word in read(question).strange


def test_a_frame_keeps_what_names_a_time():
    """`In the late shift yesterday, can you tell me` still says when."""
    told = read("In the late shift yesterday, can you tell me how many parts failed?")
    assert (told.clear, told.spans[0].shift) == (True, "late")


def test_no_word_may_be_ignored_that_denies_or_excludes():
    """The closed classes are ignored, but for negations, exclusions, orders and degrees."""
    ignored = NARROWING & (IGNORED - CLOSED)
    assert ignored <= {"second", "mean"}  # nouns and verbs too; narrowing comes first
    for word in ("not", "without", "except", "nicht", "ohne", "kein", "average", "again"):
        assert word in read(f"How many parts {word} failed yesterday?").strange


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("durchgefalen", "durchgefallen"), ("yesteday", "yesterday"), ("percnetage", "percentage"),
     ("ausschussentwicklung", "ausschuss entwicklung"), ("kratzerquote", "kratzer quote"),
     ("reject-rate", "rejects rate")],
)  # fmt: skip
def test_slips_and_compounds_are_set_right(typed, meant):
    """Two letters swapped, one left out or doubled; and words made of known ones."""
    assert mend(typed) == meant


@pytest.mark.parametrize(
    "word", ["verkauf", "scraped", "scrach", "scratchy", "resorted", "gusskratzer", "e-204"]
)
def test_a_word_of_its_own_is_left(word):
    """It isn't turned into one that it resembles, nor taken apart for one piece that is known."""
    assert mend(word) == word


def test_forms_are_made_not_guessed():
    """`Lager` is no form of `Lage`, as a stemmer has it; irregular and parted verbs have theirs."""
    assert {"stops", "stopped", "stopping"} < english_verb("stopp")
    assert english_verb("find:found") == {"find", "finds", "finding", "found"}
    assert {"auftreten", "tritt", "trat", "aufgetreten", "aufzutreten"} < german_verb(
        "auf|tret:trat:getreten:tritt"
    )
    assert "registrierte" in german_participles("registrier")
    assert "lager" not in IGNORED


@pytest.mark.parametrize(
    ("said", "plain"),
    [("between 6 and 8 pm", "between 6 pm and 8 pm"), ("from 10 to 2 pm", "from 10 am to 2 pm"),
     ("halb sieben", "6:30"), ("on 24/11", "on 24.11."), ("on 3/4", "on 3/4"),
     ("early vs late yesterday", "early shift vs late shift yesterday"), ("6-8 uhr", "from 6 to 8 uhr")],
)  # fmt: skip
def test_times_are_said_plainly(said, plain):
    """What could be two times is left as it stands."""
    assert plain_times(said) == plain


def test_a_time_that_no_span_takes_is_not_passed_over():
    """`At 8 am` is no whole day."""
    assert read("How many parts failed at 8 am yesterday?").strange == ("08:00",)


def test_the_hour_with_the_most_is_not_the_one_with_the_highest_share():
    """By number where `most` is asked, by share where a rate or the worst is."""
    assert read("Which hour had the most rejects yesterday?").measure is Measure.TOP_HOUR
    assert read("Which hour had the highest reject rate yesterday?").measure is Measure.WORST_HOUR


def test_since_a_day_reaches_until_now():
    """`Since yesterday 2 pm` doesn't end at midnight; `yesterday after 2 pm` does."""
    (since,) = read("How many parts failed since yesterday 2 pm?").spans
    (after,) = read("How many parts failed yesterday after 2 pm?").spans
    assert since.until_ms == NOW_MS
    assert after.until_ms - after.since_ms == timedelta(hours=10) // timedelta(milliseconds=1)


def test_a_rate_of_nothing_named_is_refused():
    """`Production rate` is no reject rate."""
    assert read("What was the production rate yesterday?").strange == ("rate",)
    assert read("What was the reject rate yesterday?").which is Which.REJECTS


def test_unframed_tells_what_it_excuses():
    """Only words that nobody knows; the rest of the clause goes."""
    assert unframed("anna would like to know how many failed") == (
        "anna how many failed",
        frozenset({"anna"}),
    )
