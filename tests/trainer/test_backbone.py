"""trainer/backbone.py: five trunks, one head, and evidence that adds up to its margin."""

import numpy as np
import pytest
import torch

from trainer.backbone import ARCHITECTURES, MEAN, STD, Network, normalise


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
def test_shapes_and_stages(arch):
    """Any trunk gives (N,C) and (N,H/16,W/16), and each parameter thaws with one stage."""
    network = Network(arch, 3).eval()
    with torch.inference_mode():
        logits, evidence = network(torch.zeros(2, 3, 64, 96))
    assert logits.shape == (2, 3)
    assert evidence.shape == (2, 4, 6)
    for name, _ in network.trunk.named_parameters():
        assert sum(name.startswith(stage) for stage in network.arch.stages) == 1


def worldly(maps):
    """A network whose stages are given, with a centre and a spread as training leaves them."""
    torch.manual_seed(0)
    network = Network("resnet18", 3).eval()
    network.centre.uniform_(0, 1)
    network.spread.uniform_(0.5, 2)
    network.maps = lambda _x: maps
    return network


def test_evidence_adds_up_to_the_margin():
    """Over all places it is the likeliest defects' logit over good's, but for the bias."""
    torch.manual_seed(1)
    network = worldly((torch.rand(2, 256, 4, 6), torch.rand(2, 512, 2, 3)))
    with torch.inference_mode():
        logits, evidence = network(torch.zeros(1))
        which = logits[:, 1:].softmax(1)
        margin = (which * logits[:, 1:]).sum(1) - logits[:, 0]
        bias = which @ network.head.bias[1:] - network.head.bias[0]
    assert torch.allclose(evidence.sum((1, 2)) + bias, margin, atol=1e-4)


def test_evidence_lies_where_the_defect_is():
    """A peak that speaks for a defect is seen at its place, and only there."""
    fine, coarse = torch.zeros(1, 256, 4, 6), torch.zeros(1, 512, 2, 3)
    network = worldly((fine, coarse))
    network.centre.zero_()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.weight[1, 256 + 7] = 1.0  # the maximum of channel 7 speaks for defect 1
    fine[0, 7, 2, 5] = 3.0
    with torch.inference_mode():
        _, evidence = network(torch.zeros(1))
    assert evidence.argmax() == 2 * 6 + 5
    assert torch.count_nonzero(evidence) == 1


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
