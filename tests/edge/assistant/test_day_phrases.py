from datetime import date

import pytest

from edge.assistant.day_phrases import plain_days

WEDNESDAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("said", "plain"),
    [("the 24th", "2026-11-24"), ("am 26.", "2026-10-26"), ("friday last week", "2026-11-20"),
     ("in der nacht auf dienstag", "night shift 2026-11-23"), ("last weekend", "from 2026-11-21 to 2026-11-22"),
     ("mo-mi", "from 2026-11-23 to 2026-11-25"), ("20261124", "2026-11-24"),
     ("monday morning", "2026-11-23 from 0:00 to 12:00"), ("vierundzwanzig stunden", "24 stunden"),
     ("in october", "from 2026-10-01 to 2026-10-31")],
)  # fmt: skip
def test_a_day_is_said_by_its_date(said, plain):
    """Seen from a Wednesday."""
    assert plain_days(said, WEDNESDAY) == plain


@pytest.mark.parametrize("said", ["half six", "mi-mo", "on the 3rd shift", "the 31st november"])
def test_what_could_be_two_times_is_left(said):
    """Or none."""
    assert plain_days(said, WEDNESDAY) == said
