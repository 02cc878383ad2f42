"""A small data set that every check can be shown, and what the doctor says of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.doctor.diagnosis import diagnose
from trainer.parts import PartRule
from trainer.progress import Progress


@pytest.fixture
def plates(tmp_path) -> Path:
    """Twenty-four plates good, with a spot and with a scratch, all different, PNG of 160x120."""
    rng = np.random.default_rng(0)
    for label in ("good", "scratch", "spot"):
        (tmp_path / "plates" / label).mkdir(parents=True)
        for number in range(24):
            ground = cv2.resize(rng.integers(60, 190, (15, 20, 3), dtype=np.uint8), (160, 120))
            noise = rng.integers(-4, 4, ground.shape)
            picture = np.clip(ground.astype(int) + noise, 0, 255).astype(np.uint8)
            at = (int(rng.integers(30, 130)), int(rng.integers(30, 90)))
            if label == "spot":
                cv2.circle(picture, at, 14, (10, 10, 10), -1)
            if label == "scratch":
                cv2.line(picture, at, (at[0] + 25, at[1] + 20), (250, 250, 250), 3)
            cv2.imwrite(str(tmp_path / "plates" / label / f"{chr(97 + number)}.png"), picture)
    return tmp_path / "plates"


@pytest.fixture
def kinds():
    """The findings without a network, by kind."""

    def told(root, rule=None, good=None):
        found = diagnose(root, good, rule or PartRule(), Progress(None), ask_labels=False)
        return {one.kind: one for one in found.findings}

    return told
