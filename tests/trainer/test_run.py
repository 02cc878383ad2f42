"""trainer/run.py: a run comes back as it was written, or says why not."""

import pytest
import torch

from export.errors import RunError
from tests.trainer.tiny_run import record, tiny_run
from trainer.run import InputRecord, Run


def test_run_round_trip(tmp_path):
    """What was saved is what is loaded: record, split, scores, and the network's answers."""
    saved = tiny_run(tmp_path)
    loaded = Run.load(saved.folder)
    assert loaded == saved
    assert len(loaded.split()) == len(loaded.scores()) == 16
    assert {row.split for row in loaded.split()} == {"train", "validation", "calibration", "test"}
    x = torch.rand(2, 3, 64, 64)
    first, second = saved.network()(x), loaded.network()(x)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_missing_run_names_the_folder(tmp_path):
    """A folder without run.json is refused by name."""
    with pytest.raises(RunError, match=r"elsewhere.*not a finished training run"):
        Run.load(tmp_path / "elsewhere")


def test_spoilt_record_names_the_key(tmp_path):
    """An unknown field or a wrong value is named with its place."""
    run = tiny_run(tmp_path)
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": "x"'))
    with pytest.raises(RunError, match="seed"):
        Run.load(run.folder)


def test_spoilt_tensors_are_refused(tmp_path):
    """A cut-off tensor file is an error with the file's name, not a trace."""
    run = tiny_run(tmp_path)
    path = run.folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"model\.safetensors"):
        run.network()


def test_good_comes_first():
    """Classes that don't begin with `good` are refused: score is 1 - P(class 0)."""
    fine = record("x", "resnet18", InputRecord(width=64, height=64))
    with pytest.raises(ValueError, match="must begin with 'good'"):
        type(fine).model_validate({**fine.model_dump(), "classes": ["spot", "good"]})
