"""A session runs where it was told to, or not at all."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from edge.inspection import session
from edge.inspection.session import PROVIDERS, OnnxScorer, blank, refuse_two_runtimes
from export.errors import ProviderError
from tests.export.small_bundle import HEIGHT, WIDTH, small_graph


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The small graph in a file."""
    onnx.save(small_graph(), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_scores_any_number_of_pictures(model: Path, count: int):
    """N pictures get N answers, each as if alone."""
    scorer = OnnxScorer(model)
    batch = np.random.default_rng(0).integers(0, 256, (count, HEIGHT, WIDTH, 3), np.uint8)
    found = scorer.score(batch)
    assert scorer.providers == ("CPUExecutionProvider",)
    assert found.probabilities.shape == (count, 2)
    assert found.heatmap.shape == (count, HEIGHT, WIDTH)
    assert found.novelty is None
    assert found.score == pytest.approx(batch.mean((1, 2, 3)) / 255, abs=1e-5)
    assert scorer.score(blank(HEIGHT, WIDTH)).score == pytest.approx([0])


@pytest.mark.parametrize("providers", [["cuda"], ["cuda", "cpu"], ["tensorrt", "cuda", "cpu"]])
def test_no_silent_fall_back(model: Path, providers: list[str]):
    """Asked for a device that isn't there, it refuses instead of running on the processor."""
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ProviderError, match=r"CUDA|Tensorrt|cuda|tensorrt"):
        OnnxScorer(model, providers)


def test_a_provider_that_was_not_built_in_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch):
    """A provider that this ONNX Runtime lacks is refused, saying what it was built with."""
    monkeypatch.setattr(session._ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ProviderError, match="built without"):
        OnnxScorer(model, ["tensorrt"])


@pytest.mark.parametrize("providers", [[], ["gpu"], ["cpu", "npu"]])
def test_an_unknown_provider_is_refused(model: Path, providers: list[str]):
    """A name that isn't in the table is refused, and the table is told."""
    with pytest.raises(ProviderError, match="choose from cpu, cuda") as refused:
        OnnxScorer(model, providers)
    assert all(name in refused.value.remedy for name in PROVIDERS)


def test_two_runtimes_are_refused():
    """Both distributions of ONNX Runtime at once are refused: they overwrite each other."""
    refuse_two_runtimes(["numpy", "onnxruntime-gpu"])
    refuse_two_runtimes([])
    refuse_two_runtimes()
    with pytest.raises(ProviderError, match="onnxruntime and onnxruntime-gpu"):
        refuse_two_runtimes(["onnxruntime", "onnxruntime_gpu"])


@pytest.mark.parametrize("body", [b"", b"no model", None])
def test_what_is_no_model_is_refused(tmp_path: Path, body: bytes | None):
    """A missing, empty or foreign file is a ProviderError that names it."""
    path = tmp_path / "model.onnx"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(ProviderError, match=r"model\.onnx"):
        OnnxScorer(path)


def test_a_graph_without_the_outputs_is_refused(tmp_path: Path):
    """A graph that lacks an output of the contract is refused at once, not at the first part."""
    graph = small_graph()
    del graph.graph.output[2]
    onnx.save(graph, tmp_path / "model.onnx")
    with pytest.raises(ProviderError, match="no output heatmap"):
        OnnxScorer(tmp_path / "model.onnx")


def test_says_nothing_on_the_console(model: Path, capfd: pytest.CaptureFixture[str]):
    """Neither opening nor scoring writes on stdout or stderr, with or without a GPU."""
    OnnxScorer(model).score(blank(HEIGHT, WIDTH))
    assert capfd.readouterr() == ("", "")
