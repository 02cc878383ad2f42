"""A graph that answers otherwise than the network is never published."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from export.errors import BundleError
from export.parity import Answers, answers_of, compare, made_up_frames, reproduce
from export.preprocess import Pixels
from export.signature import PrivateKey
from export.verdict import Thresholds
from tests.export.small_bundle import HEIGHT, THRESHOLDS, WIDTH, small_bundle, small_graph

FRAMES = made_up_frames(HEIGHT, WIDTH)


def brightness(batch: Pixels) -> Answers:
    """What the small graph answers."""
    bright = batch.astype(np.float32) / 255
    score = bright.mean((1, 2, 3))
    return Answers(np.stack([1 - score, score], 1), score, bright.mean(3))


def graph(folder: Path, model: onnx.ModelProto) -> Callable[[Pixels], Answers]:
    """`model`, saved and opened."""
    onnx.save(model, folder / "model.onnx")
    return answers_of(folder / "model.onnx")


def test_the_same_model_passes(tmp_path: Path):
    """The same arithmetic passes, and the figures are told."""
    found = compare(brightness, graph(tmp_path, small_graph()), FRAMES, THRESHOLDS)
    assert found.pictures == len(FRAMES)
    assert max(found.max_abs_probability, found.max_abs_score, found.max_abs_heatmap) < 1e-5


@pytest.mark.parametrize("gain", [1.01, 0.99, 0.0, float("nan")])
def test_a_tampered_graph_fails(tmp_path: Path, gain: float):
    """A constant changed by 1% in the graph, or gone bad, fails with the figure."""
    with pytest.raises(BundleError, match=r"by .*allowed 0\.001"):
        compare(brightness, graph(tmp_path, small_graph(gain=gain)), FRAMES, THRESHOLDS)


def test_another_outcome_fails(tmp_path: Path):
    """A difference that any tolerance allows still fails if it changes an outcome."""
    gray = np.full((1, HEIGHT, WIDTH, 3), 100, np.uint8)
    limits = Thresholds(pass_below=0.395, fail_above=0.9)
    other = graph(tmp_path, small_graph(gain=1.02))
    with pytest.raises(BundleError, match="pass became review"):
        compare(brightness, other, gray, limits, tolerance=0.01)


def test_another_shape_fails(tmp_path: Path):
    """A graph that answers in another shape fails."""

    def narrow(batch: Pixels) -> Answers:
        found = brightness(batch)
        return Answers(found.probabilities[:, :1], found.score, found.heatmap)

    with pytest.raises(BundleError, match="by inf"):
        compare(narrow, graph(tmp_path, small_graph()), FRAMES, THRESHOLDS)


def test_what_is_no_model_is_refused(tmp_path: Path):
    """A file that ONNX Runtime can't load is a BundleError."""
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(BundleError, match="can't load"):
        answers_of(tmp_path / "model.onnx")


def test_golden_samples_are_reproduced(tmp_path: Path):
    """A bundle's own golden samples are answered alike; another graph's are not."""
    key = PrivateKey(Ed25519PrivateKey.generate())
    count, difference = reproduce(small_bundle(tmp_path / "a", key))
    assert (count, difference < 1e-6) == (1, True)
    with pytest.raises(BundleError, match="golden sample"):
        reproduce(small_bundle(tmp_path / "b", key, small_graph(gain=0.9)))


def test_made_up_frames_are_alike_every_time():
    """Frames are the same for the same seed, and cover dark to bright."""
    assert (made_up_frames(HEIGHT, WIDTH) == FRAMES).all()
    assert FRAMES.shape == (8, HEIGHT, WIDTH, 3)
    assert (FRAMES.min(), FRAMES.max()) == (0, 255)
