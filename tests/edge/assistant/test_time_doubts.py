import pytest

from edge.assistant.time_doubts import BEYOND_A_TIME, UNLIKE_TIMES
from tests.edge.assistant.test_reading import NOW, read


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
