"""What a box judges is what was trained: from a camera's frame to the score, without skew."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from torch import nn

from edge.inspection.armed import arm
from edge.inspection.session import OnnxScorer
from export import to_onnx
from export.bundle import Bundle, open_bundle
from export.errors import BundleError, PictureError
from export.model_file import check_model
from export.parity import answers_of, compare, made_up_frames
from export.preprocess import Pixels, shrink
from export.signature import PrivateKey
from export.verdict import Thresholds
from tests.trainer.tiny_run import tiny_run
from trainer.backbone import ARCHITECTURES, Network, normalise
from trainer.publish import Edition, publish
from trainer.run import Run

KEY = PrivateKey(Ed25519PrivateKey.generate())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A tiny run."""
    return tiny_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def bundle(run: Run) -> Bundle:
    """The tiny run's bundle."""
    return publish(run, Edition.of(run, run.folder / "b" / "tiny-1", None, None), KEY)


def camera_frames() -> list[Pixels]:
    """Frames at camera sizes: noise, fine stripes, and a shaded part with a scratch."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (1024, 1280, 3), np.uint8)
    stripes = np.zeros((1080, 1920, 3), np.uint8)
    stripes[:, ::3] = (30, 200, 90)
    rows, columns = np.mgrid[0:289, 0:241]
    part = np.dstack([(rows + columns) // 3, rows // 2, 255 - columns]).astype(np.uint8)
    part[100:103, 50:150] = 255
    return [noise, stripes, part]


@pytest.mark.parametrize("number", range(3))
def test_no_skew_between_workstation_and_box(run: Run, bundle: Bundle, number: int):
    """One camera frame has the same input, to the bit, and the same score on both sides."""
    frame = camera_frames()[number]
    taken = run.record.input.to_input()
    seen = shrink(frame, taken)
    with torch.inference_mode():
        logits, _dense, novelty = run.network()(normalise(torch.from_numpy(seen[None])))
        trained = torch.softmax(logits / run.record.temperature, 1)[0].numpy()
    inspector = arm(bundle.path, [KEY.public])
    assert (shrink(frame, inspector.input) == seen).all()
    found = inspector.judge(frame)
    assert found.score == pytest.approx(1 - trained[0], abs=1e-4)
    assert list(found.probabilities.values()) == pytest.approx(trained.tolist(), abs=1e-4)
    assert found.novelty == pytest.approx(float(novelty[0]), rel=1e-4)


def test_the_bundle_carries_the_run(run: Run, bundle: Bundle):
    """Thresholds, classes, figures and golden samples of the test split are in the bundle."""
    manifest = open_bundle(bundle.path, [KEY.public]).manifest
    assert manifest.thresholds == run.record.thresholds
    assert manifest.classes == run.record.classes
    assert manifest.basis.escape_bound == run.record.basis.escape_bound
    assert [one.name for one in manifest.metrics["fp32"]] == [
        one.name for one in run.record.metrics
    ]
    assert manifest.outputs == to_onnx.OUTPUTS
    assert manifest.parity.max_abs_probability <= 1e-4
    assert manifest.parity.max_novelty is not None
    assert manifest.parity.max_novelty <= 1e-4
    known = json.loads((bundle.path / "golden" / "golden.json").read_bytes())["samples"]
    test = {row.path for row in run.split() if row.split == "test"}
    assert {one["source"] for one in known} <= test
    assert all(one["novelty"] > 0 for one in known)
    assert {one["label"] for one in known} == set(run.record.classes)
    assert set(manifest.files) == {
        "model.onnx", "scores.csv", "golden/golden.json", *(one["file"] for one in known)
    }  # fmt: skip


def test_versions_grow_beside_each_other(run: Run, bundle: Bundle):
    """The next edition beside a bundle of the same name has the next version."""
    assert bundle.manifest.version == 1
    assert Edition.of(run, bundle.path.with_name("x"), None, None).version == 2
    assert Edition.of(run, bundle.path.with_name("x"), "other", None).version == 1
    assert Edition.of(run, None, "other", 9).out == Path("bundles/other-9")


@pytest.mark.parametrize("name", ["../x", "", "a b", "ä", ".a", "x" * 65])
def test_a_name_that_can_not_be_is_refused(name: str, tmp_path: Path):
    """A name with a path in it, or with strange letters, is refused at once and says --name."""
    with pytest.raises(BundleError, match="--name"):
        Edition(name, 1, tmp_path / "b")


def test_moved_pictures(run: Run, tmp_path: Path):
    """If the pictures aren't where they were, the missing one is named and nothing is written."""
    with pytest.raises(PictureError, match="absent"):
        publish(run, Edition("tiny", 1, tmp_path / "b"), KEY, tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_differs_is_not_published(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """If the exporter makes another graph than the network, nothing is written."""
    real = to_onnx.to_onnx

    def tampering(graph: to_onnx.Graph, height: int, width: int, path: Path) -> None:
        with torch.no_grad():
            graph.network.get_parameter("head.bias").add_(torch.tensor([0.0, 0.05]))
        real(graph, height, width, path)

    monkeypatch.setattr(to_onnx, "to_onnx", tampering)
    with pytest.raises(BundleError, match="differs from the trained network"):
        publish(run, Edition("tiny", 1, tmp_path / "b"), KEY)
    assert list(tmp_path.iterdir()) == []


def test_the_fold_is_exact_at_the_border():
    """Zero padding means the same after normalisation is folded in: the border agrees too."""
    torch.manual_seed(0)

    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 2, 5, padding=2)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            found = self.first(x)
            return found.mean((2, 3)), found

    plain = Flat().eval()
    frames = torch.from_numpy(made_up_frames(20, 30))
    expected = plain(normalise(frames))[1]
    graph = to_onnx.Graph(plain, normalise, 1.0)
    folded = graph.network(frames.permute(0, 3, 1, 2).float() - graph.shift)[1]
    assert torch.allclose(folded, expected, atol=2e-5)
    assert not torch.equal(plain.first.weight, graph.network.first.weight)


def test_a_network_that_begins_otherwise_is_refused():
    """Without a first convolution on three colours there is nothing to fold into."""
    with pytest.raises(BundleError, match="three colours"):
        to_onnx.Graph(nn.Sequential(nn.Conv2d(1, 1, 3)), normalise, 1.0)


_OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in ARCHITECTURES if name != "vgg16"]


@pytest.mark.parametrize("arch", ["vgg16", *_OTHERS])
def test_every_architecture_exports(arch: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Each exports in silence to a graph of any batch, true to torch, that a box may run."""
    torch.manual_seed(0)
    network = Network(arch, 3).eval()
    path = tmp_path / "model.onnx"
    to_onnx.to_onnx(to_onnx.Graph(network, normalise, 1.5), 64, 96, path)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == [path]
    check_model(path)
    model = onnx.load(path)
    dims = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in [*model.graph.input, *model.graph.output]
    }
    assert dims == {
        "frames": ["batch", 64, 96, 3],
        "probabilities": ["batch", 3],
        "score": ["batch"],
        "heatmap": ["batch", 4, 6],
    }
    frames = made_up_frames(64, 96, 5)
    limits = Thresholds(pass_below=0.4, fail_above=0.6)
    compare(to_onnx.reference(network, normalise, 1.5), answers_of(path), frames, limits)
    assert OnnxScorer(path).score(frames).score.shape == (5,)
