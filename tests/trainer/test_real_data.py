"""Training on real pictures, where LINEWARDEN_TEST_DATA says where they are."""

import pytest
import torch

from export.preprocess import Input
from trainer.calibrate import Budgets
from trainer.material import Choices
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.recipe import named, on_this_machine
from trainer.training import Plan, train

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.mark.parametrize(
    ("name", "rule", "floor"),
    [
        ("magnetic_tile", PartRule(runs=100), 0.7),
        ("toy_aliens", PartRule(), 0.85),
        ("cookies", PartRule(), 0.9),
    ],
)
def test_a_head_on_real_pictures(tmp_path, real_data, name, rule, floor):
    """The quick head tells real defects from good parts, and no tile is on two sides."""
    torch.set_num_threads(2)
    plan = Plan(
        data=real_data / name,
        arch="resnet18",
        weights="starter",
        seed=0,
        to=Input(224, 224),
        recipe=on_this_machine(named("tune")).model_copy(update={"epochs": 0}),
        budgets=Budgets(),
        choices=Choices(rule=rule),
    )
    run = train(plan, tmp_path / "run", Progress(None))
    area = next(m for m in run.record.metrics if (m.name, m.split) == ("auroc", "test"))
    assert area.value > floor
    sides = {}
    for row in run.split():
        assert sides.setdefault(row.part, row.split) == row.split
