"""Advice on product pictures: the same test for both ways, and an answer that its figures bear."""

import numpy as np
import pytest

from tests.trainer.catalog.test_training import data  # noqa: F401 - a fixture
from trainer.calibrate import Budgets
from trainer.catalog.advise import Round, advise, thinned, words
from trainer.catalog.gathering import gather_shelf
from trainer.cli.train import _input
from trainer.material import Choices
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.rates import Rate
from trainer.recipe import named
from trainer.teaching import Plan


@pytest.fixture
def plan(data):  # noqa: F811
    """Two epochs on tiny pictures."""
    recipe = named("tune").model_copy(update={"epochs": 1, "bf16": False, "views": 1, "thawed": 1})
    return Plan(
        data=data, arch="resnet18", weights="starter", seed=0, to=_input("32", "0,0,1,1", None),
        recipe=recipe, budgets=Budgets(),
        choices=Choices(rule=PartRule(table=data / "products.csv", near=False)),
    )  # fmt: skip


def test_a_larger_share_holds_the_smaller_and_the_test_stays(plan):
    """Only training pictures are left out, by whole products."""
    whole = gather_shelf(plan, Progress(None))
    half, quarter = (thinned(whole, share, 0) for share in (0.5, 0.25))
    paths = [set(m.album.paths) for m in (quarter, half, whole)]
    assert paths[0] <= paths[1] <= paths[2]
    for other in ("validation", "calibration", "test"):
        assert len(half.of(other)) == len(whole.of(other))
    kept = {half.parts[i] for i in half.of("train")}
    left = {whole.parts[i] for i in whole.of("train")} - kept
    assert left
    assert not kept & left
    assert np.array_equal(
        half.labels, [half.dataset.classes.index(p.label) for p in half.dataset.pictures]
    )


@pytest.mark.slow
def test_both_ways_are_judged_on_the_same_pictures(plan, tmp_path):
    """One round, measured: rights add up to the test's pictures, pairs to their difference."""
    (one,) = advise(plan, tmp_path, Progress(None), (1.0,))
    assert one.head.n == one.tuned.n
    assert one.tuned.k - one.head.k == one.only_tuned - one.only_head
    assert 0 <= one.p <= 1


@pytest.mark.parametrize(
    ("only_head", "only_tuned", "p", "kept", "said"),
    [
        (2, 20, 0.0001, "fine-tuned", "fine-tune: +18.0 points"),
        (5, 8, 0.58, "fine-tuned", "not shown to pay"),
        (20, 2, 0.0001, "fine-tuned", "skip fine-tuning: it loses"),
        (0, 0, 1.0, "head", "validation preferred the linear head"),
    ],
)
def test_the_answer_is_what_the_figures_bear(only_head, only_tuned, p, kept, said):
    """A gain that chance alone would give is not called one."""
    head = Rate(60, 100)
    tuned = Rate(60 + only_tuned - only_head, 100)
    rounds = [Round(1.0, 200, head, tuned, only_head, only_tuned, p, 1.0, 9.0, kept)]
    assert said in words(rounds)[-1]
