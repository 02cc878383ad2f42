"""A training run that is killed and started again ends as the one that was left alone."""

import random
import signal
import subprocess
import sys
import time

import pytest

from tests.trainer.tiny_run import draw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TRAIN = """
import sys
from pathlib import Path
from export.preprocess import Input
from trainer.workers import settle
settle(1)
from trainer.calibrate import Budgets
from trainer.material import Choices
from trainer.progress import Progress
from trainer.recipe import named
from trainer.training import Plan, train

recipe = named("tune").model_copy(update={"epochs": 6, "bf16": False, "views": 2, "mix": (1.0,)})
data, out = Path(sys.argv[1]), Path(sys.argv[2])
plan = Plan(data, "resnet18", "starter", 0, Input(32, 32), recipe, Budgets(), Choices())
train(plan, out, Progress(sys.stdout))
"""
RESULTS = ("model.safetensors", "scores.csv", "split.csv")


def start(data, out):
    """The training as a process of its own."""
    command = [sys.executable, "-c", TRAIN, str(data), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_kill_at_any_moment(tmp_path):
    """SIGKILL several times, at chance moments: model and scores are the unbroken run's bytes."""
    draw(tmp_path / "data", per_class=12)
    whole = start(tmp_path / "data", tmp_path / "whole")
    began = time.monotonic()
    told, _ = whole.communicate()
    took = time.monotonic() - began
    assert whole.returncode == 0, told
    chance = random.Random(0)
    kills = 0
    for _ in range(4):
        process = start(tmp_path / "data", tmp_path / "broken")
        time.sleep(took * chance.uniform(0.5, 0.95))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            break
    else:
        told, _ = (last := start(tmp_path / "data", tmp_path / "broken")).communicate()
        assert last.returncode == 0, told
    assert kills
    for name in RESULTS:
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    names = {path.name for path in (tmp_path / "broken").iterdir()}
    assert names == {path.name for path in (tmp_path / "whole").iterdir()}
