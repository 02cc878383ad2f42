"""Laws of file names: readable where they can be, and never the same for two things."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.file_name import file_name


@pytest.mark.parametrize("name", ["shoes", "Sour milk", "A-1_2.b", "Äpfel", "a" * 100])
def test_what_can_stand_in_a_name_is_kept(name):
    """As it is."""
    assert file_name(name) == name


@pytest.mark.parametrize(
    "alike",
    [("A/1", "A:1", "A_1"), ("spring/shoes", "spring_shoes"), ("acme/line_1/c", "acme/line/1/c"),
     ("", "_", ".", ".."), ("x" * 101, "x" * 102, "x" * 100), ("a", "a.", " a"),
     ("A/1", file_name("A/1")), ("漢" * 50, "漢" * 51)],
)  # fmt: skip
def test_what_looks_alike_is_told_apart(alike):
    """By a mark of the whole name."""
    assert len({file_name(name) for name in alike}) == len(alike)


def test_an_address_has_no_blanks():
    """What may not stand in it is for the caller to say."""
    assert file_name("A 1", r"[^\w.-]").startswith("A_1-")
    assert file_name("A_1", r"[^\w.-]") == "A_1"


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_two_things_never_share_a_name(one, other):
    """Whatever they are called; and a name is one level that any file system takes."""
    for name in (file_name(one), file_name(other)):
        assert name not in ("", ".", "..")
        assert not set(name) & set("/\\\0:\n")
        assert len(name.encode()) <= 110
    assert (file_name(one) == file_name(other)) == (one == other)
