"""What good parts never showed is found, in torch and in the graph, and only there."""

from pathlib import Path

import numpy as np
import pytest
import torch

from export import to_onnx
from export.decide import decide
from export.errors import BundleError
from export.parity import Answers, answers_of, compare
from export.preprocess import Pixels
from export.verdict import Outcome, Reason, Thresholds
from trainer.backbone import Network, normalise
from trainer.novelty import Memory, Novelty, learn, survey

SIDE = 64


def plates(count: int, seed: int) -> Pixels:
    """Grey plates with a bright left half and a little noise."""
    frames = np.random.default_rng(seed).normal(110, 4, (count, SIDE, SIDE, 3))
    frames[:, :, : SIDE // 2] += 80
    return frames.clip(0, 255).astype(np.uint8)


def scratched(frames: Pixels) -> Pixels:
    """The same with a dark square, of a kind that no plate had."""
    marked = frames.copy()
    marked[:, 20:34, 40:54] = (10, 200, 30)
    return marked


@pytest.fixture(scope="module")
def network() -> Network:
    """A random network that remembers 24 plates."""
    torch.manual_seed(0)
    network = Network("resnet18", 2).eval()
    learn(network, plates(24, 0), Memory(axes=8))
    return network


def novelties(network: Network, frames: Pixels) -> torch.Tensor:
    """Novelty of each frame."""
    found = survey(network, frames)[1]
    assert found is not None
    return found


def test_planted_novelty_is_found(network: Network):
    """Every plate with a mark that was never shown is more novel than every new plate without."""
    fresh = plates(8, 1)
    assert novelties(network, scratched(fresh)).min() > 1.2 * novelties(network, fresh).max()


def test_what_is_usual_elsewhere_is_novel_here(network: Network):
    """A plate turned round shows nothing new but where it is: that is novel."""
    fresh = plates(8, 1)
    turned = np.ascontiguousarray(fresh[:, :, ::-1])
    assert novelties(network, turned).min() > novelties(network, fresh).max()


def test_the_same_pictures_teach_the_same(network: Network):
    """Learning twice from the same pictures gives the same tensors."""
    again = Network("resnet18", 2).eval()
    again.load_state_dict(network.state_dict(), strict=False)
    learn(again, plates(24, 0), Memory(axes=8))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_survey_pools_as_the_network_does(network: Network):
    """One pass gives the features that the head is used to; without a sense of it, no novelty."""
    fresh = plates(3, 2)
    pooled = survey(network, fresh)[0]
    with torch.inference_mode():
        expected = network.features(normalise(torch.from_numpy(fresh)))
    assert torch.allclose(pooled, expected, atol=1e-5)
    plain = Network("resnet18", 2).eval()
    assert survey(plain, fresh)[1] is None


def test_it_is_rebuilt_from_its_tensors(network: Network):
    """`like` makes room for exactly the tensors that were saved, and none where none were."""
    empty = Novelty.like(network.state_dict())
    assert empty is not None
    sizes = {name: tensor.shape for name, tensor in empty.state_dict().items()}
    assert network.novelty is not None
    saved = network.novelty.state_dict()
    assert sizes == {name: tensor.shape for name, tensor in saved.items()}
    assert Novelty.like({}) is None


def test_the_graph_tells_it_too(network: Network, tmp_path: Path):
    """The exported graph has a fourth output, as torch has it, for any number of pictures."""
    model = tmp_path / "model.onnx"
    to_onnx.to_onnx(to_onnx.Graph(network, normalise, 1.5), SIDE, SIDE, model)
    graph, frames = answers_of(model), scratched(plates(3, 3))
    limits = Thresholds(pass_below=0.999, fail_above=0.9995, novel_above=1e-3)
    found = compare(to_onnx.reference(network, normalise, 1.5), graph, frames, limits)
    assert found.max_novelty is not None
    assert found.max_novelty < 1e-4
    told = graph(frames)
    assert told.novelty is not None
    assert told.novelty.shape == (3,)
    outcome = decide(float(told.score[0]), float(told.novelty[0]), limits)
    assert outcome == (Outcome.REVIEW, Reason.NOVEL)

    def deaf(batch: Pixels) -> Answers:
        answer = graph(batch)
        return Answers(answer.probabilities, answer.score, answer.heatmap)

    with pytest.raises(BundleError, match="novelty by inf"):
        compare(graph, deaf, frames, limits)
