"""trainer/backbone.py: five trunks, one head, a heatmap that is the head everywhere."""

import numpy as np
import pytest
import torch

from trainer.backbone import ARCHITECTURES, MEAN, STD, Network, normalise


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
def test_shapes_and_stages(arch):
    """Any trunk gives (N,C) and (N,C,H/16,W/16), and each parameter thaws with one stage."""
    network = Network(arch, 3).eval()
    with torch.inference_mode():
        logits, dense = network(torch.zeros(2, 3, 64, 96))
    assert logits.shape == (2, 3)
    assert dense.shape == (2, 3, 4, 6)
    for name, _ in network.trunk.named_parameters():
        assert sum(name.startswith(stage) for stage in network.arch.stages) == 1


def test_dense_is_the_head_at_every_location():
    """Over maps that are the same everywhere, every location's logits are the picture's."""
    torch.manual_seed(0)
    network = Network("resnet18", 3).eval()
    network.centre.uniform_(-1, 1)
    network.spread.uniform_(0.5, 2)
    fine = torch.rand(2, 256, 1, 1).expand(2, 256, 4, 6)
    coarse = torch.rand(2, 512, 1, 1).expand(2, 512, 2, 3)
    network.maps = lambda _x: (fine, coarse)
    with torch.inference_mode():
        logits, dense = network(torch.zeros(1))
    assert torch.allclose(dense, logits[:, :, None, None].expand_as(dense), atol=1e-4)


def test_normalise_is_imagenets():
    """BGR bytes become (rgb/255 - mean) / std in RGB order."""
    frames = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    expected = (frames[..., ::-1] / 255 - np.array(MEAN)) / np.array(STD)
    got = normalise(torch.from_numpy(frames)).numpy().transpose(0, 2, 3, 1)
    assert np.allclose(got, expected, atol=1e-5)


def test_exportable():
    """torch.export takes the network with a batch size left open."""
    network = Network("resnet18", 2).eval()
    shapes = {"x": {0: torch.export.Dim("n")}}
    program = torch.export.export(network, (torch.rand(2, 3, 64, 64),), dynamic_shapes=shapes)
    x = torch.rand(3, 3, 64, 64)
    assert torch.allclose(program.module()(x)[0], network(x)[0], atol=1e-5)
