"""trainer/{augment,head,finetune,recipe}.py: small laws of learning."""

import cv2
import numpy as np
import pytest
import torch

from export.errors import RunError
from trainer import head, sheet
from trainer.augment import augment
from trainer.backbone import Network
from trainer.finetune import judge
from trainer.recipe import Recipe, named
from trainer.tuning.pupil import Average


@pytest.fixture
def recipe():
    """The standard recipe in float32."""
    return named("tune").model_copy(update={"bf16": False})


def test_augmenting_keeps_a_defect(recipe):
    """A dark spot near the middle survives every change, and a blank picture gains none."""
    x = torch.zeros(64, 3, 64, 64)
    x[:, :, 30:34, 28:32] = -4
    changed = augment(x, recipe, torch.Generator().manual_seed(0))
    assert changed.shape == x.shape
    depth = changed.amax((1, 2, 3)) - changed.amin((1, 2, 3))
    assert (depth > 3).all()
    plain = augment(torch.zeros(64, 3, 64, 64), recipe, torch.Generator().manual_seed(0))
    assert (plain.amax((1, 2, 3)) - plain.amin((1, 2, 3))).max() < 1e-6


@pytest.mark.parametrize("corner", [(0, 0), (0, 63), (63, 0), (63, 63)])
def test_a_defect_in_a_corner_stays_in_the_picture(recipe, corner):
    """One dark pixel in the very corner is never pushed out, and keeps nearly half its depth."""
    x = torch.zeros(64, 3, 64, 64)
    x[:, :, corner[0], corner[1]] = -4
    plain = recipe.model_copy(update={"light": 0.0})
    changed = augment(x, plain, torch.Generator().manual_seed(0))
    assert (changed.amin((1, 2, 3)) < -4 * 0.45**2).all()


def test_a_line_keeps_its_contrast(recipe):
    """A line one pixel wide keeps nearly half of its contrast, wherever it lies."""
    x = torch.zeros(64, 3, 64, 64)
    for picture in range(64):
        x[picture, :, picture] = -4
    plain = recipe.model_copy(update={"light": 0.0})
    changed = augment(x, plain, torch.Generator().manual_seed(0))
    assert (changed.amin((1, 2, 3)) < -4 * 0.45).all()


def test_augmenting_is_seeded(recipe):
    """The same seed makes the same changes, another seed others."""
    x = torch.rand(8, 3, 32, 48)
    first, second, other = (
        augment(x, recipe, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_nothing_asked_nothing_changed(recipe):
    """Without flips, turns, shift and light, pictures stay."""
    still = recipe.model_copy(update={"flips": False, "shift": 0.0, "light": 0.0})
    x = torch.rand(4, 3, 32, 32)
    assert torch.equal(augment(x, still, torch.Generator()), x)


def test_a_flat_feature_is_left_out():
    """A feature that never varied in training can't explode at work."""
    network = Network("resnet18", 2)
    seen = torch.randn(50, network.arch.features)
    seen[:, 3] = 7.0
    head.standardise(network, seen)
    strange = seen[:1].clone()
    strange[0, 3] = 1e6
    assert torch.equal(network.classify(strange), network.classify(seen[:1]))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_head_separates(classes):
    """The fitted head classifies features that a line separates, and gives the least cost."""
    torch.manual_seed(0)
    network = Network("resnet18", classes)
    labels = np.arange(90) % classes
    seen = torch.randn(90, network.arch.features)
    for index, label in enumerate(labels):
        seen[index, label] += 6
    head.standardise(network, seen)

    def cost():
        with torch.inference_mode():
            return judge(network.classify(seen).numpy(), labels)[0]

    strength, least = head.fit(network, seen, labels, (1e-4, 1e-2), cost)
    assert strength in (1e-4, 1e-2)
    assert cost() == pytest.approx(least)
    with torch.inference_mode():
        assert (network.classify(seen).argmax(1).numpy() == labels).mean() > 0.95


def test_judging_ignores_overconfidence():
    """Logits ten times too large cost the same: temperature comes later."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    logits = rng.normal(size=(200, 2)) + 2 * np.eye(2)[labels]
    plain, loud = judge(logits, labels), judge(10 * logits, labels)
    assert loud[0] == pytest.approx(plain[0], abs=0.01)
    assert loud[1] == plain[1]


def test_the_average_follows():
    """After one step it is mostly the new weights, after many it moves slowly."""
    layer = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(layer.weight)
    average = Average(layer, 0.99)
    torch.nn.init.ones_(layer.weight)
    average.update(layer)
    assert average.state["weight"].item() == pytest.approx(0.9)
    for _ in range(2000):
        average.update(layer)
    torch.nn.init.zeros_(layer.weight)
    average.update(layer)
    assert average.state["weight"].item() == pytest.approx(0.99, abs=1e-3)


def test_the_sheet_shows_defects_first(recipe, tmp_path):
    """Each kind of defect has a row before any has a second, and good parts come last."""
    labels = np.array([0] * 20 + [1] * 10 + [2])
    rows = sheet.shown(labels)
    assert [int(labels[row]) for row in rows] == [1, 2, 1, 1, 1, 1, 0, 0]
    frames = np.full((31, 40, 60, 3), 90, np.uint8)
    path = tmp_path / "sheet.jpg"
    sheet.draw(path, frames, labels, ("good", "a", "b"), recipe=recipe, seed=0)
    drawn = cv2.imread(str(path))
    assert drawn.shape[1] > drawn.shape[0] > 8 * 90


def test_recipes_are_checked(tmp_path):
    """Both recipes load; an unknown key or a wrong value in a file is named."""
    assert isinstance(named("scratch"), Recipe)
    path = tmp_path / "mine.toml"
    path.write_text("epochs = -1\n")
    with pytest.raises(RunError, match=r"mine\.toml.*: epochs"):
        named(str(path))
    path.write_text("epochs: 3\n")
    with pytest.raises(RunError, match="is not TOML"):
        named(str(path))
    with pytest.raises(RunError, match="no recipe 'magic'"):
        named("magic")
