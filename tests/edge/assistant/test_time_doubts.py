import pytest

from edge.assistant.time_doubts import BEYOND_A_TIME, UNLIKE_TIMES
from tests.edge.assistant.test_reading import NOW, read
from tests.edge.assistant.test_slots import read as slots


@pytest.mark.parametrize(
    "text",
    ["after the early shift yesterday", "vor der Frühschicht gestern", "bis Montag", "ab gestern", "since last week",
     "until last night", "seit der Spätschicht gestern"],
)  # fmt: skip
def test_what_lies_before_or_after_a_time_is_not_that_time(text):
    """Nobody said until when, or since when."""
    assert BEYOND_A_TIME in read(text).rest


@pytest.mark.parametrize("text", ["since this week", "seit heute", "since the last two hours"])
def test_since_what_lasts_until_now_is_in_it(text):
    """Nothing lies between."""
    told = read(text)
    assert len(told.spans) == 1
    assert told.spans[0].until_ms >= round(NOW.timestamp() * 1000)
    assert BEYOND_A_TIME not in told.rest


@pytest.mark.parametrize(
    "text",
    ["today and yesterday 8 to 10", "heute gegen gestern 8 bis 10", "early shift on 20 and 22 November", "6 to 8 yesterday and today"],
)  # fmt: skip
def test_hours_beside_a_whole_day_may_be_of_both(text):
    """They are compared with nothing."""
    assert UNLIKE_TIMES in read(text).rest


def test_hours_of_two_days_are_each_days_own():
    """`Today 8 to 9 and yesterday 8 to 9`."""
    today, yesterday = read("today 8 to 9 and yesterday 8 to 9").spans
    assert today.since_ms - yesterday.since_ms == 24 * 3_600_000


ENGLISH = ("up to", "prior to", "by", "past", "through", "following", "besides", "except", "apart from", "less", "around", "about",
           "as of", "like", "other than")  # fmt: skip
GERMAN = ("bis auf", "bis zu", "bis einschließlich", "statt", "rund um", "außer", "neben", "nach Abzug", "abzüglich", "abgesehen von")  # fmt: skip


@pytest.mark.parametrize("word", ENGLISH)
@pytest.mark.parametrize("time", ["yesterday", "the early shift yesterday", "the last hour of yesterday's late shift", "last week"])  # fmt: skip
def test_a_word_that_turns_a_time_is_not_passed_over(word, time):
    """What lies outside it, near it or up to it isn't counted as it."""
    assert not slots(f"Rejects {word} {time}").clear


@pytest.mark.parametrize("word", GERMAN)
@pytest.mark.parametrize("time", ["gestern", "der Frühschicht gestern", "die letzte Stunde der Spätschicht gestern"])  # fmt: skip
def test_a_german_word_that_turns_a_time_is_not_passed_over(word, time):
    """As in English."""
    assert not slots(f"Ausschuss {word} {time}").clear


@pytest.mark.parametrize(
    "question",
    ["How many parts failed between the first hour of the late shift yesterday and the last hour of the late shift yesterday?",
     "Ausschuss zwischen der ersten Stunde der Frühschicht gestern und der letzten Stunde der Frühschicht gestern",
     "Ausschuss gestern bis auf die Frühschicht", "Ausschuss gegen 8 bis 10 Uhr gestern", "Rejects from Monday on", "Ausschuss von Montag an",
     "Ausschuss ab gestern 14 Uhr", "Ausschuss ab 14 Uhr gestern", "Rejects from 2 pm yesterday", "How many rejects yesterday 2 pm on?", "Rejects yesterday at 2 pm onwards", "Rejects yesterday from 9 to 5",
     "Rejects yesterday between 10 and 2", "Rejects yesterday from ten to eight", "Ausschuss gestern von 9 bis 5", "Wie viele Teile kamen gestern spät?",
     "How many parts came in late yesterday?", "Rejects the night before last", "Ausschuss vorletzte Nacht", "Rejects on the last day of last month",
     "Ausschuss am letzten Tag des letzten Monats", "Which weekday had the most rejects last month?", "Welcher Wochentag hatte letzten Monat den meisten Ausschuss?"],
)  # fmt: skip
def test_times_that_could_be_others_are_refused(question):
    """Between two parts of spans, from a time on, hours of the dial, late, the last but one."""
    assert not slots(question).clear


@pytest.mark.parametrize(
    "question",
    ["Wie viele Teile fielen gestern aus?", "Wie viele Teile sind gestern ausgefallen?", "How many parts an hour did we make yesterday?",
     "How many parts a shift did we make last week?", "Wie viel Ausschuss die Stunde hatten wir gestern?", "Wie viele Teile am Tag haben wir letzte Woche gemacht?"],
)  # fmt: skip
def test_rates_and_failures_are_not_told_as_totals(question):
    """`Fielen aus` is no word for all parts."""
    assert not slots(question).clear


@pytest.mark.parametrize(
    "question",
    ["Rejects by shift yesterday", "Rejects by hour yesterday", "Rejects by camera yesterday", "Ausschuss heute bis 10 Uhr", "Ausschuss gestern ab 14 Uhr", "Ausschuss ab heute 6 Uhr", "Rejects from 6 am today",
     "How many parts went by on Monday?", "What was the yield like yesterday?", "Tell me about yesterday's rejects", "Rejects yesterday between 22 and 2",
     "Were there less rejects yesterday than on Monday?", "Which weekday had the most rejects last week?", "Wie viele Teile fielen gestern an?",
     "Ausschuss in der letzten Stunde der Spätschicht gestern", "How many fell through yesterday?"],
)  # fmt: skip
def test_such_words_that_turn_no_time_are_passed_over(question):
    """`By shift`, `went by`, `look like`."""
    assert slots(question).clear
