"""trainer/tuning and trainer/finetune.py: what is computed once, and what survives."""

import numpy as np
import pytest
import torch

from export.errors import RunError
from trainer.backbone import Network
from trainer.finetune import Epoch, Labelled, tune
from trainer.recipe import named
from trainer.room import room
from trainer.tuning.checkpoint import Checkpoint
from trainer.tuning.halves import cut
from trainer.tuning.lesson import Allowance, Once, halves_of
from trainer.tuning.pupil import Pupil, class_weights, learning


@pytest.fixture
def recipe():
    """A quick recipe in float32, in which only the last stage thaws."""
    changed = {"bf16": False, "epochs": 3, "thawed": 1, "views": 2, "patience": 0}
    return named("tune").model_copy(update=changed | {"mix": (1.0,)})


@pytest.fixture
def network():
    """A small network of random weights, the same every time."""
    torch.manual_seed(0)
    return Network("resnet18", 2).eval()


def plates(count, seed=0):
    """Grey pictures (N,32,32,3), every second with a dark spot."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(150, 200, (count, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(count, dtype=np.int64) % 2
    frames[labels == 1, 10:22, 10:22] = 20
    return Labelled(frames, labels)


class Killed(BaseException):
    """Stands for the power cut."""


@pytest.mark.parametrize(("arch", "thawed"), [("resnet18", 1), ("resnet18", 3), ("vgg16", 2)])
def test_two_halves_are_the_whole(arch, thawed):
    """Lower then upper gives the trunk's own maps, and learning above changes the trunk."""
    torch.manual_seed(0)
    network = Network(arch, 2).eval()
    halves = cut(network, thawed)
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        fine, coarse = network.maps(x)
        stages = halves.upper(halves.lower(x))
    assert torch.equal(stages["fine"], fine)
    assert torch.equal(stages["coarse"], coarse)


def test_nothing_frozen_nothing_cached(network, recipe):
    """Where every stage thaws, or BatchNorm learns its averages, there is no lower half."""
    assert halves_of(network, recipe) is not None
    assert halves_of(network, recipe.model_copy(update={"thawed": 5})) is None
    assert halves_of(network, recipe.model_copy(update={"norm": True})) is None


@pytest.mark.parametrize("small", [False, True])
def test_maps_stand_for_pictures(network, recipe, monkeypatch, small):
    """Cached maps, in memory or in a file, give the features that the pictures would."""
    data = plates(6)
    halves = halves_of(network, recipe)
    lesson = Once(network, data, data, recipe, halves)
    monkeypatch.setattr(room(), "memory_bytes", 0 if small else 1 << 30)
    held = room().held_bytes
    assert lesson.fill(Allowance(), seed=0) == 2
    assert (room().held_bytes == held) is small
    with torch.inference_mode():
        from trainer.backbone import normalise

        direct = network.features(normalise(torch.from_numpy(data.frames)))
    assert torch.allclose(lesson.unseen(), direct, rtol=1e-2, atol=1e-2)


def test_maps_keep_their_bound(network, recipe):
    """As many views as fit are kept, and none if none fits."""
    data = plates(4)
    one = 4 * 2 * 256 * 2 * 2
    for limit, views in ((one, 0), (2 * one, 1), (3 * one, 2)):
        lesson = Once(network, data, data, recipe, halves_of(network, recipe))
        assert lesson.fill(Allowance(limit), seed=0) == views


def test_a_class_without_pictures_weighs_nothing():
    """Rare classes weigh more, so that all weigh the same together; an absent one doesn't count."""
    weights = class_weights(np.array([0, 0, 0, 2]), 3)
    assert weights.tolist() == pytest.approx([2 / 3, 0, 2])


def test_the_anchor_holds(network, recipe):
    """With a strong anchor the thawed stage stays where it came from; the head still learns."""
    held = recipe.model_copy(update={"anchor": 1e9})
    names = learning(network, held)
    before = {k: v.clone() for k, v in network.state_dict().items() if k in names}
    tune(network, plates(8), plates(8, 1), held, seed=0, heard=lambda _epoch: None)
    after = network.state_dict()
    trunk = [k for k in names if k.startswith("trunk.") and before[k].is_floating_point()]
    assert all(torch.allclose(before[k], after[k]) for k in trunk)
    assert not torch.equal(before["head.weight"], after["head.weight"])


def test_share_nothing_is_the_head(network, recipe):
    """Mixed in by 0, fine-tuning leaves the network as it came."""
    before = {k: v.clone() for k, v in network.state_dict().items()}
    none = recipe.model_copy(update={"mix": (0.0,), "epochs": 1})
    heard: list[Epoch] = []
    tune(network, plates(8), plates(8, 1), none, seed=0, heard=heard.append)
    assert [epoch.share for epoch in heard] == [None, 0.0]
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())


def test_patience_ends(network, recipe):
    """Learning stops once the best epoch lies far enough back: with no rate, none gets better."""
    still = recipe.model_copy(update={"rate": 1e-12, "epochs": 9, "patience": 2})
    heard: list[Epoch] = []
    tune(network, plates(8), plates(8, 1), still, seed=0, heard=heard.append)
    assert 3 <= len(heard) - 1 < 9


@pytest.mark.parametrize("at", [1, 2])
def test_interrupted_after_an_epoch(recipe, tmp_path, at):
    """Stopped after any epoch and started again, it ends with the same bits."""
    recipe = recipe.model_copy(update={"epochs": 2})

    def learn(heard, folder):
        torch.manual_seed(0)
        network = Network("resnet18", 2)
        cost = tune(
            network, plates(20), plates(8, 1), recipe, seed=5, heard=heard, folder=folder, mark="x"
        )
        return cost, network.state_dict()

    def cut_off(epoch):
        if epoch.epoch == at:
            raise Killed

    cost, whole = learn(lambda _epoch: None, None)
    with pytest.raises(Killed):
        learn(cut_off, tmp_path)
    heard: list[Epoch] = []
    again, resumed = learn(heard.append, tmp_path)
    assert [epoch.epoch for epoch in heard] == [1, 2, 2]
    assert again == cost
    assert all(torch.equal(resumed[k], v) for k, v in whole.items())


def test_a_checkpoint_of_other_pictures_is_refused(tmp_path):
    """What was begun with other data is not gone on with; a spoilt file is named."""
    Checkpoint(tmp_path, "these").save({"a": torch.ones(1)})
    assert Checkpoint(tmp_path, "these").load() == {"a": torch.ones(1)}
    with pytest.raises(RunError, match="other pictures"):
        Checkpoint(tmp_path, "those").load()
    (tmp_path / "checkpoint.pt").write_bytes(b"no state")
    with pytest.raises(RunError, match="can't be read"):
        Checkpoint(tmp_path, "these").load()


def test_saving_takes_little_time(tmp_path):
    """Saves in close succession are skipped, but for one that must be."""
    checkpoint = Checkpoint(tmp_path)
    for number in range(3):
        checkpoint.save({"number": number})
    assert checkpoint.load() == {"number": 0}
    checkpoint.save({"number": 3}, must=True)
    assert checkpoint.load() == {"number": 3}


def test_a_pupil_goes_on(network, recipe):
    """A pupil's state, restored, takes the same next step."""
    ends = []
    for restored in (False, True):
        torch.manual_seed(0)
        network = Network("resnet18", 2).eval()
        pupil = Pupil(network, recipe, np.array([0, 1]), steps=4)
        for number in range(2):
            if number and restored:
                fresh = Pupil(network, recipe, np.array([0, 1]), steps=4)
                fresh.restore(pupil.state())
                pupil = fresh
            logits = network.classify(network.features(torch.ones(2, 3, 32, 32)))
            pupil.loss(logits, torch.tensor([0, 1])).backward()
            pupil.step()
        ends.append(network.head.weight.detach().clone())
    assert torch.equal(*ends)
