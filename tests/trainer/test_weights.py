"""trainer/weights.py: whole or refused, and never from the network in a test."""

import hashlib

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import hub

from export.errors import WeightsError
from trainer import weights
from trainer.backbone import Network


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A torch hub folder of our own, and a download that finds no network."""

    def refuse(url, *_args, **_kwargs):
        raise OSError(f"no route to {url}")

    monkeypatch.setattr(hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(hub, "download_url_to_file", refuse)
    return tmp_path / "hub" / "checkpoints"


def test_starter_fills_every_tensor():
    """The starter is a whole resnet18 trunk, and the record names the file by digest."""
    trunk = Network("resnet18", 2).trunk
    record = weights.fill(trunk, "resnet18", "starter")
    assert record.source == "starter"
    assert record.sha256 == hashlib.sha256(weights.STARTER.read_bytes()).hexdigest()
    source = load_file(weights.STARTER)
    for name, tensor in trunk.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, source[name].float())


def test_starter_is_resnet18_only():
    """Any other trunk is refused, with what would do."""
    with pytest.raises(WeightsError, match="is a resnet18, not a vgg16"):
        weights.fill(Network("vgg16", 2).trunk, "vgg16", "starter")


def test_none_is_recorded_as_random():
    """Random weights are named so, without a digest."""
    record = weights.fill(Network("resnet18", 2).trunk, "resnet18", "none")
    assert (record.source, record.name, record.sha256) == ("none", "random", None)


def test_offline_says_where_to_put_the_file(cache):
    """Without network or cache: the address, the folder, and what else would do."""
    with pytest.raises(WeightsError) as caught:
        weights.fill(Network("resnet18", 2).trunk, "resnet18", "imagenet")
    assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in caught.value.problem
    assert str(cache) in caught.value.problem
    assert "resnet18-f37072fd.pth" in caught.value.remedy
    assert "--weights starter" in caught.value.remedy


def test_cached_imagenet_is_used(cache):
    """A file in torch's cache is taken, its classifier left out, old BatchNorms accepted."""
    trunk = Network("resnet18", 2).trunk
    state = {k: v for k, v in trunk.state_dict().items() if "num_batches" not in k}
    cache.mkdir(parents=True)
    torch.save(
        {**state, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)},
        cache / "resnet18-f37072fd.pth",
    )
    other = Network("resnet18", 2).trunk
    record = weights.fill(other, "resnet18", "imagenet")
    assert (record.source, record.name) == ("imagenet", "IMAGENET1K_V1")
    assert torch.equal(other.state_dict()["conv1.weight"], state["conv1.weight"])


def test_a_version_that_does_not_exist(cache):
    """resnet18 has no IMAGENET1K_V2."""
    with pytest.raises(WeightsError, match="no IMAGENET1K_V2 for resnet18") as caught:
        weights.fill(Network("resnet18", 2).trunk, "resnet18", "IMAGENET1K_V2")
    assert "IMAGENET1K_V1" in caught.value.remedy


def test_vgg_features_without_their_prefix(tmp_path):
    """A file of `vgg16.features` alone fits, half precision included."""
    trunk = Network("vgg16", 2).trunk
    path = tmp_path / "vgg.safetensors"
    stripped = {name.removeprefix("features."): t.half() for name, t in trunk.state_dict().items()}
    save_file(stripped, path)
    other = Network("vgg16", 2).trunk
    assert weights.fill(other, "vgg16", str(path)).source == "file"
    assert torch.allclose(
        other.state_dict()["features.0.weight"],
        trunk.state_dict()["features.0.weight"],
        atol=1e-2,
    )


def test_what_does_not_fit_is_counted(tmp_path):
    """Missing and unexpected tensors are counted and named, and nothing is loaded."""
    trunk = Network("resnet18", 2).trunk
    before = {k: v.clone() for k, v in trunk.state_dict().items()}
    state = {k: v for k, v in trunk.state_dict().items() if not k.startswith("layer4.1")}
    path = tmp_path / "w.safetensors"
    save_file({**state, "extra": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"10 missing \(layer4\.1.*1 unexpected \(extra\)"):
        weights.fill(trunk, "resnet18", str(path))
    assert all(torch.equal(before[k], v) for k, v in trunk.state_dict().items())


@pytest.mark.parametrize("name", ["x.safetensors", "x.pth"])
def test_broken_files_are_refused(tmp_path, name):
    """A file cut off or of another kind is an error with its name; a missing one too."""
    with pytest.raises(WeightsError, match="no weights"):
        weights.fill(Network("resnet18", 2).trunk, "resnet18", str(tmp_path / name))
    (tmp_path / name).write_bytes(b"not tensors at all")
    with pytest.raises(WeightsError, match="can't be read"):
        weights.fill(Network("resnet18", 2).trunk, "resnet18", str(tmp_path / name))


def test_pickled_code_is_refused(tmp_path):
    """A .pth that holds a whole model, hence code, isn't executed."""
    path = tmp_path / "model.pth"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(WeightsError, match="can't be read"):
        weights.fill(Network("resnet18", 2).trunk, "resnet18", str(path))


def test_not_finite_is_refused(tmp_path):
    """NaN among the weights would poison every score."""
    state = Network("resnet18", 2).trunk.state_dict()
    state["conv1.weight"][0, 0, 0, 0] = torch.nan
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"aren't finite in conv1\.weight"):
        weights.fill(Network("resnet18", 2).trunk, "resnet18", str(tmp_path / "w.safetensors"))
