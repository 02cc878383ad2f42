"""What every measurement stands on: a ResNet-18 bundle, frames of the virtual line, a broker.

The network's weights are random: how fast it judges does not depend on what it learned.
"""

import itertools
import sys
from pathlib import Path

import cv2

from demo.broker import broker
from edge.cli.run import SWITCH_S, compact_memory
from edge.virtual_line import VirtualLine
from export.preprocess import Pixels
from export.signature import PublicKey, load_or_make
from tests.trainer.tiny_run import tiny_run
from trainer.publish import Edition, publish

__all__ = ["FRAME", "as_the_daemon", "broker", "frames", "make_bundle"]

FRAME = "1280x1024"


def as_the_daemon() -> None:
    """This process as `linewarden run` sets itself up."""
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    compact_memory()


def make_bundle(folder: Path) -> tuple[Path, PublicKey]:
    """A signed ResNet-18 bundle at 224 pixels, and the key that it trusts."""
    run = tiny_run(folder, "resnet18", 224)
    key, _ = load_or_make(folder / "signing.key")
    publish(run, Edition("bench", 1, folder / "bundle"), key)
    return folder / "bundle", key.public


def frames(count: int) -> list[Pixels]:
    """Frames of the virtual line at 1280x1024, HxWx3 uint8 BGR."""
    return list(itertools.islice(VirtualLine(seed=1, parts=count).stills(), count))
