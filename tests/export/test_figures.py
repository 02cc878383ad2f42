"""Figures say whether their target holds, and are kept as data."""

import json

import pytest

from export.figures import Figure, save, table


@pytest.mark.parametrize(
    ("value", "target", "holds"),
    [(1.1, "<= 1.15", True), (1.2, "<= 1.15", False), (200, "== 200", True), (3, "", None)],
)
def test_a_figure_knows_whether_its_target_holds(value, target, holds):
    """A target is met, missed, or not there."""
    assert Figure("x", value, "", target).holds is holds


def test_a_slipped_target_stands_out_in_the_table():
    """A person sees at once which target was missed."""
    text = table([Figure("good", 1.0, "s", "< 2"), Figure("slipped", 3.0, "s", "< 2")])
    assert [line.split()[-1] for line in text.splitlines()[2:]] == ["yes", "NO"]


def test_saved_figures_carry_seed_commit_and_machine(tmp_path):
    """The file answers which code gave the number, where, and from which seed."""
    path = save("speed", [Figure("ratio", 1.1, "", "<= 1.15")], seed=7, folder=tmp_path / "results")
    record = json.loads(path.read_text())
    assert record["seed"] == 7
    assert record["commit"]
    assert record["machine"]["cores"] >= 1
    assert record["figures"][0]["holds"] is True
