"""Bundles exchanged under load: `python -m tests.swap.suite --swaps 100 --bad 50 --altered 500`.

A real daemon, fed with flat pictures, whose score each bundle must give exactly, by its own gain:
a part judged by the wrong or a half-loaded model would be seen. Prints a table and writes
results/swap.json; every draw is of the seed that is printed.
"""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import structlog
from onnx import helper, numpy_helper

from edge.clock import monotonic_ns, wall_ns
from edge.daemon import Daemon, armed
from edge.frame import Frame
from edge.swap.probation import Terms
from export.errors import LinewardenError
from export.figures import Figure, save, table
from export.signature import load_or_make
from export.verdict import FAIL_SAFE
from tests.edge.box import Box, folder_camera
from tests.export.small_bundle import small_bundle, small_graph

CAMERA, LEVEL, RATE = "top", 40, 25.0
DEADLINE_MS = 300.0
SHORT = Terms(parts=20, errors=3, window=10, golden_s=0.5, least_s=0.0)
GAINS = (1.0, 0.9, 0.8, 0.7)
BAD = ("not finite on parts", "drifts", "slow", "wrong golden answers", "crashes")
JUDGES = frozenset(BAD[:2])  # what nothing tells before it judges parts
SPLIT = 45  # pictures are darker, golden samples brighter: a model may be bad on parts alone


class Line:
    """A daemon at work, fed at RATE, and every verdict that it gave."""

    def __init__(self, folder: Path):
        self.box = Box(folder)
        self.box.pictures([LEVEL])
        self.box.write(folder_camera().replace("5000.0", str(DEADLINE_MS)))
        self.key = load_or_make(folder / "signing.key")[0]
        appliance = self.box.appliance()
        self.daemon = Daemon(appliance, armed(appliance), probation=SHORT)
        self.daemon.cameras.clear()  # pictures are handed in here
        self.gains, self.verdicts, self.offered = {self.active.digest: 1.0}, [], 0
        self._version, self._over = 1, threading.Event()
        judged = self.daemon.bundles.judged
        self.daemon.bundles.judged = lambda one: (self.verdicts.append(one), judged(one))
        self._feeder = threading.Thread(target=self._feed)

    def __enter__(self):
        self.daemon.start()
        self._feeder.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._feeder.join()
        end = time.monotonic() + 10
        while len(self.verdicts) < self.offered and time.monotonic() < end:
            time.sleep(0.05)
        self.daemon.stop()

    def _feed(self):
        pixels, slot = np.full((32, 48, 3), LEVEL, np.uint8), self.daemon._lanes[0]._slot
        while not self._over.wait(1 / RATE):
            self.offered += 1
            slot.put(Frame(pixels, CAMERA, self.offered, monotonic_ns(), wall_ns()))

    @property
    def active(self):
        """Who judges now."""
        return self.daemon.bundles.exchange.active(CAMERA)

    def bundle(self, gain=1.0, model=None, golden_gain=None):
        """A fresh one, of the next version."""
        self._version += 1
        made = small_bundle(
            self.box.folder / f"v{self._version}", self.key, model or small_graph(gain=gain),
            golden_gain=gain if golden_gain is None else golden_gain, version=self._version,
        )  # fmt: skip
        self.gains[made.digest] = gain
        return made

    def activate(self, bundle):
        """As `linewarden bundle activate` does."""
        return self.daemon.bundles.exchange.activate(CAMERA, bundle.path)

    def settled(self, timeout_s=60.0) -> bool:
        """Whether its probation ended in time."""
        end = time.monotonic() + timeout_s
        while self.daemon.bundles.exchange.progress(CAMERA) and time.monotonic() < end:
            time.sleep(0.02)
        return not self.daemon.bundles.exchange.progress(CAMERA)

    def wrong(self) -> int:
        """Verdicts whose score isn't that of the bundle that they name."""
        return sum(
            one.score is not None
            and abs(one.score - LEVEL / 255 * self.gains[one.bundle.digest]) > 1e-4
            for one in self.verdicts
        )


def spoilt(nodes, **constants):
    """The small graph, whose `score` is made of its mean brightness, `plain`, by further nodes."""
    model = small_graph()
    graph = model.graph
    at = next(n for n, node in enumerate(graph.node) if "score" in node.output)
    graph.node[at].output[0] = "plain"
    for place, node in enumerate(nodes):
        graph.node.insert(at + 1 + place, node)
    for name, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    return model


def bad_model(kind: str):
    """A model that is bad in one way, and whose golden sample is right where that is possible."""
    make = helper.make_node
    if kind == "not finite on parts":  # which are darker than the golden sample
        nodes = [
            make("Less", ["plain", "split"], ["dark"]),
            make("Where", ["dark", "no_number", "plain"], ["score"]),
        ]
        return spoilt(nodes, split=np.float32(SPLIT / 255), no_number=np.float32(np.nan))
    if kind == "crashes":  # asks for 32 GiB
        nodes = [
            make("ConstantOfShape", ["size"], ["all"]),
            make("ReduceMax", ["all"], ["most"], keepdims=0),
            make("Add", ["plain", "most"], ["score"]),
        ]
        return spoilt(nodes, size=[2**33])
    # slow: a product that takes longer than a part may; times nothing
    nodes = [
        make("Mul", ["plain", "nothing"], ["seed"]),
        make("Expand", ["seed", "size"], ["wide"]),
        make("MatMul", ["wide", "wide"], ["wider"]),
        make("MatMul", ["wider", "wide"], ["widest"]),
        make("ReduceMax", ["widest"], ["most"], keepdims=0),
        make("Add", ["plain", "most"], ["score"]),
    ]
    return spoilt(nodes, nothing=np.float32(0), size=[3000, 3000])


def exchanged(line: Line, swaps: int) -> int:
    """Good bundles, one after the other; how many were activated and proved themselves."""
    done = 0
    for swap in range(swaps):
        line.activate(line.bundle(GAINS[swap % len(GAINS)]))
        done += line.settled() and not line.daemon.alarms.standing()
        print(f"\r{swap + 1} of {swaps} exchanged", end="", file=sys.stderr, flush=True)
    return done


def taken_back(line: Line, bad: int) -> tuple[int, int, float]:
    """Bad bundles: how many were refused, how many taken back, and the longest that one judged."""
    good, refused, back, longest_s = line.active, 0, 0, 0.0
    for number in range(bad):
        kind = BAD[number % len(BAD)]
        if kind in ("drifts", "wrong golden answers"):
            bundle = line.bundle(golden_gain=0.5 if kind == "wrong golden answers" else 1.0)
        else:
            bundle = line.bundle(model=bad_model(kind))
        began_s = time.monotonic()
        try:
            line.activate(bundle)
        except LinewardenError:
            refused += line.active == good
            continue
        if kind == "drifts":
            scorer = line.daemon.bundles.exchange._seats[CAMERA].inspector.scorer
            score = scorer.score
            scorer.score = lambda batch, score=score: score(batch // 2)
            line.gains[bundle.digest] = 0.5
        active_s = time.monotonic()
        back += line.settled() and line.active == good
        longest_s = max(longest_s, time.monotonic() - active_s)
        print(f"\r{number + 1} of {bad} bad: {kind}, {time.monotonic() - began_s:.1f} s    ",
              end="", file=sys.stderr, flush=True)  # fmt: skip
    return refused, back, longest_s


def altered(line: Line, count: int, dice: random.Random) -> int:
    """Unsigned, changed, extended, strange and old bundles; how many were refused."""
    stranger = load_or_make(line.box.folder / "stranger.key")[0]
    source, refused, good = line.bundle(), 0, line.active
    for number in range(count):
        path = line.box.folder / f"altered-{number}"
        shutil.copytree(source.path, path)
        files = sorted(one for one in path.rglob("*") if one.is_file())
        kind = number % 5
        if kind == 0:
            (path / "manifest.sig").unlink()
        elif kind == 1:
            one = dice.choice(files)
            body = bytearray(one.read_bytes())
            body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
            one.write_bytes(body)
        elif kind == 2:
            (path / dice.choice(["more.txt", "golden/99.png", ".git"])).write_bytes(b"x")
        elif kind == 3:
            manifest = (path / "manifest.json").read_bytes()
            (path / "manifest.sig").write_bytes(stranger.sign(manifest))
        else:
            shutil.rmtree(path)
            small_bundle(
                path, line.key, version=1, created_at=f"2025-01-01T00:00:{number % 60:02}Z"
            )
        try:
            line.activate(type("At", (), {"path": path})())
        except LinewardenError:
            refused += line.active == good
        shutil.rmtree(path)
    return refused


def suite(swaps: int, bad: int, count: int, seed: int) -> list[Figure]:
    """Everything, on one daemon."""
    with tempfile.TemporaryDirectory(prefix="swap-") as folder, Line(Path(folder)) as line:
        began_s = time.monotonic()
        proved = exchanged(line, swaps)
        rate = len(line.verdicts) / (time.monotonic() - began_s)
        clean = sum(one.reason in FAIL_SAFE for one in line.verdicts)
        refused, back, longest_s = taken_back(line, bad)
        none = altered(line, count, random.Random(seed))
    kinds = [BAD[number % len(BAD)] for number in range(bad)]
    to_run = sum(kind in JUDGES for kind in kinds)
    return [
        Figure("bundles exchanged and proved", proved, "", f"== {swaps}"),
        Figure("verdicts meanwhile", rate, "1/s", ">= 20"),
        Figure("of them fail-safe", clean, "", "== 0"),
        Figure("parts without their verdict", line.offered - len(line.verdicts), "", "== 0"),
        Figure("verdicts of a wrong or half-loaded model", line.wrong(), "", "== 0"),
        Figure("bad bundles refused before they judged", refused, "", f"== {bad - to_run}"),
        Figure("bad bundles taken back", back, "", f"== {to_run}"),
        Figure("longest that one of them judged", longest_s, "s", "<= 10"),
        Figure("altered, unsigned, strange or older refused", none, "", f"== {count}"),
    ]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--bad", type=int, default=50)
    parser.add_argument("--altered", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False
    )
    print(f"seed {asked.seed}")
    figures = suite(asked.swaps, asked.bad, asked.altered, asked.seed)
    print(f"\n{table(figures)}\nwritten to {save('swap', figures, seed=asked.seed)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
