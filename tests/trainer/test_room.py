"""trainer/room.py: large arrays have the same values wherever they lie, and one bound."""

import gc
import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from export.errors import RunError
from trainer.room import Room


def test_what_fits_is_in_memory_and_given_back():
    """Arrays count while they or their views live; what no longer fits lies in a file."""
    room = Room(memory_bytes=100)
    first = room.empty((50,), np.uint8)
    view = torch.from_numpy(first)[:10]
    second = room.empty((51,), np.uint8)
    assert room.held_bytes == 50
    second[:] = 7
    assert second.sum() == 357
    del first
    gc.collect()
    assert room.held_bytes == 50, "a view holds it"
    del view
    gc.collect()
    assert room.held_bytes == 0


@pytest.mark.parametrize("memory_bytes", [0, 1 << 20])
def test_rows_are_those_of_numpy_and_torch(memory_bytes):
    """Taken by position or by True, and joined, as numpy and torch would."""
    room, rng = Room(memory_bytes), np.random.default_rng(0)
    frames = rng.integers(0, 256, (9, 4, 5, 3), np.uint8)
    at = np.array([8, 0, 0, 3])
    assert (room.taken(frames, at) == frames[at]).all()
    assert (room.taken(frames, frames[:, 0, 0, 0] > 99) == frames[frames[:, 0, 0, 0] > 99]).all()
    assert room.taken(frames, []).shape == (0, 4, 5, 3)
    parts = [torch.randn(3, 2), torch.randn(1, 2)]
    assert torch.equal(room.joined(parts), torch.cat(parts))


def test_a_file_leaves_nothing_behind(tmp_path):
    """It has no name while it is used, and lies in the nearest folder that exists."""
    room = Room(0)
    with room.beside(tmp_path / "run" / "not yet"):
        held = room.empty((1 << 20,), np.float32)
        held[-1] = 1.5
        assert list(tmp_path.iterdir()) == []
        assert held[-1] == 1.5


def test_a_full_disk_is_an_error_at_once(tmp_path):
    """Not a crash in the midst: the space is taken before the first number is written."""
    room = Room(0, tmp_path)
    with pytest.raises(RunError, match="don't fit") as caught:
        room.empty((1 << 50,), np.uint8)
    assert str(tmp_path) in caught.value.problem
    assert "TMPDIR" in caught.value.remedy


UNBOUNDED = 1 << 40
PEAK = """
import json, sys, threading
from pathlib import Path
import torch
from torch.nn import functional as fn
from tests.trainer.test_training import plan
from trainer import backbone, novelty
from trainer.progress import Progress
from trainer.room import room
from trainer.training import train

class Cheap(torch.nn.Module):  # a trunk of the same shapes that costs nothing
    def __init__(self, _arch):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        fine, coarse = fn.pixel_unshuffle(x, 16)[:, :256], fn.pixel_unshuffle(x, 32)[:, ::6]
        return {"fine": fine * self.scale, "coarse": coarse * self.scale}

def watch():
    global most
    while not done.wait(0.005):
        lines = dict(l.split(":", 1) for l in Path("/proc/self/status").read_text().splitlines())
        most = max(most, int(lines["RssAnon"].split()[0]) * 1024)

torch.set_num_threads(1)
backbone._trunk, novelty._SURVEYED = Cheap, 1000  # full with few pictures
room().memory_bytes, most, done = int(sys.argv[3]), 0, threading.Event()
threading.Thread(target=watch).start()
try:
    with room().beside(Path(sys.argv[2])):
        train(plan(Path(sys.argv[1]), "none", epochs=0), Path(sys.argv[2]), Progress(None))
finally:
    done.set()
print(json.dumps(most))
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_memory_does_not_grow_with_pictures(tmp_path):
    """Of 3,000 more pictures each costs some KB of memory, not what it and its features take."""
    peak = {}
    for count in (1000, 4000):
        _draw(tmp_path / str(count), count)
        for limit in (0, UNBOUNDED):
            out = tmp_path / f"run-{count}-{limit}"
            arguments = [str(tmp_path / str(count)), str(out), str(limit)]
            told = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", PEAK, *arguments],
                capture_output=True, text=True, check=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": "."},
            )  # fmt: skip
            peak[count, limit] = json.loads(told.stdout)
            print(f"{count} pictures, limit {limit}: {peak[count, limit] / 1e6:.0f} MB")
    grown = {limit: (peak[4000, limit] - peak[1000, limit]) / 3000 for limit in (0, UNBOUNDED)}
    print({limit: f"{each / 1e3:.1f} KB a picture" for limit, each in grown.items()})
    assert grown[0] < 15_000
    assert grown[0] < grown[UNBOUNDED] / 3


def _draw(data, count):
    """Pictures of noise, half of them darker, no two alike."""
    rng = np.random.default_rng(0)
    for number in range(count):
        label = ("good", "spot")[number % 2]
        (data / label).mkdir(parents=True, exist_ok=True)
        rough = rng.integers(90 * (number % 2 == 0), 200, (12, 12, 3), dtype=np.uint8)
        pixels = cv2.resize(rough, (64, 64), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(data / label / f"{number}.png"), pixels)
