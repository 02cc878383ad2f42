"""trainer/crew.py: one run, trained by several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from export.errors import LinewardenError
from tests.trainer.tiny_run import draw
from trainer.crew import Crew
from trainer.recipe import FOLDER
from trainer.workers import Place, place

PLAIN = {  # nothing random but the order, so that shares of a batch add up to the batch
    "epochs": "1", "views": "1", "shift": "0.0", "light": "0.0", "flips": "false",
    "mix": "[1.0]", "bf16": "false", "batch": "8", "refit": "false", "head_grid": "[1e-4]",
}  # fmt: skip


def crew(rank, size):
    """One of several processes, as far as arithmetic goes."""
    return Crew(rank, size, torch.device("cpu"))


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [7, 8, 100])
def test_shares_deal_everything_once(size, count):
    """Every thing goes to exactly one process, and none has two more than another."""
    shares = [crew(rank, size).share(count) for rank in range(size)]
    assert [thing for share in shares for thing in share] == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_too_few_things_are_done_by_everyone():
    """Two pictures for three processes: each sees both."""
    assert [list(crew(rank, 3).share(2)) for rank in range(3)] == [[0, 1]] * 3


def test_a_process_alone_changes_nothing():
    """What is collected, added and agreed on is one's own."""
    alone, mine = crew(0, 1), torch.arange(6.0).view(3, 2)
    alone.add([mine], 5.0)
    assert alone.collect(mine) is mine
    assert torch.equal(mine, torch.arange(6.0).view(3, 2))
    assert alone.total(3.5) == 3.5
    assert alone.agreed("x") == "x"
    common = torch.Generator().manual_seed(1)
    assert alone.chance(common) is common


def test_only_the_first_writes(tmp_path):
    """The others' files go to a scratch folder that doesn't outlive the run."""
    with crew(0, 2).folder(tmp_path / "run") as first:
        assert first == tmp_path / "run"
    with crew(1, 2).folder(tmp_path / "run") as second:
        assert tmp_path not in second.parents
        second.mkdir()
    assert not second.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"WORLD_SIZE": "2"}, "RANK=''"),
        ({"WORLD_SIZE": "two", "RANK": "0"}, "WORLD_SIZE='two'"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "RANK=2 of WORLD_SIZE=2"),
        ({"WORLD_SIZE": "2", "RANK": "-1"}, "RANK='-1'"),
    ],
)
def test_a_place_that_can_not_be_is_refused(monkeypatch, variables, told):
    """Half of torchrun's variables, or wrong ones, start nothing."""
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert place() == Place()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LinewardenError, match=told):
        place()


def trained(folder, processes, recipe):
    """The tensors and epochs of a run that so many processes trained, by torchrun if several."""
    out = folder / f"by-{processes}"
    linewarden = Path(sys.executable).with_name("linewarden")
    command = [
        str(linewarden), "train", str(folder / "data"), "--out", str(out),
        "--weights", "starter", "--size", "64", "--seed", "1", "--recipe", str(recipe),
        "--threads", "1", "--novelty-false-alarms", "0",
    ]  # fmt: skip
    if processes > 1:
        start = ["-m", "torch.distributed.run", "--standalone", "--no-python", "--nproc-per-node"]
        command = [sys.executable, *start, str(processes), *command]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr[-2000:]
    epochs = [json.loads(line) for line in (out / "epochs.jsonl").read_text().splitlines()]
    record = json.loads((out / "run.json").read_text())
    return load_file(out / "model.safetensors"), epochs, record, done.stdout


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path):
    """Without random changes of the pictures: the same losses and tensors, but for rounding."""
    draw(tmp_path / "data", per_class=24)
    text = (FOLDER / "tune.toml").read_text().splitlines()
    kept = [line for line in text if line.split(" =")[0] not in PLAIN]
    recipe = tmp_path / "plain.toml"
    recipe.write_text("\n".join(kept + [f"{k} = {v}" for k, v in PLAIN.items()]))
    alone, epochs, record, _ = trained(tmp_path, 1, recipe)
    both, same, told, output = trained(tmp_path, 2, recipe)
    for one, two in zip(epochs, same, strict=True):
        assert two["phase"] == one["phase"]
        assert two["validation_loss"] == pytest.approx(one["validation_loss"], abs=2e-3)
        assert (two["train_loss"] or 0) == pytest.approx(one["train_loss"] or 0, rel=2e-3)
    for name, tensor in alone.items():
        assert np.allclose(both[name], tensor, rtol=1e-2, atol=2e-3), name
    assert record["versions"]["processes"] == "1"
    assert told["versions"]["processes"] == "2"
    assert output.count("→") == 1, "only the first process speaks"
