"""From a frame in memory to an acknowledged verdict, against the bare model in the same run.

The path is the daemon's own: bench, inspector, outbox on disk, broker over loopback. Rounds of
both alternate, so that what else the machine does falls on both; medians are compared.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.rig import broker, frames, make_bundle
from edge.clock import monotonic_ns, wall_ns
from edge.frame import Frame
from edge.health import Health
from edge.inspection.armed import arm
from edge.inspection.bench import Bench
from edge.inspection.inspector import Inspector
from edge.inspection.part import Part, Terms
from edge.messages import Health as HealthMessage
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.broker import Broker
from edge.outbox import Outbox
from edge.topics import Topics
from export.figures import Figure
from export.preprocess import Pixels, shrink

CAMERA = "belt"
ROUNDS, PER_ROUND = 9, 24


@dataclass(frozen=True, slots=True)
class Box:
    """The daemon's parts behind the camera."""

    inspector: Inspector
    bench: Bench
    outbox: Outbox

    def offer(self, pixels: Pixels, number: int) -> None:
        """Hand a part to the bench, as a lane does."""
        frame = Frame(pixels, CAMERA, number, monotonic_ns(), wall_ns())
        self.bench.offer(Part(frame, Terms(CAMERA, self.inspector, 60_000.0, 1000)))

    def delivered(self, total: int) -> None:
        """Wait until `total` verdicts are stored and acknowledged."""
        while self.outbox.next_seq(CAMERA) <= total or self.outbox.depth():
            time.sleep(0.0002)


@contextmanager
def box(folder: Path) -> Iterator[Box]:
    """A box around a fresh bundle, its outbox on disk, connected to a broker."""
    bundle, key = make_bundle(folder)
    inspector = arm(bundle, [key])
    with broker(folder) as plant:
        health = Health((CAMERA,))
        outbox = Outbox(folder / "outbox.db")

        def bulletin() -> HealthMessage:
            return HealthMessage(
                at="", boots=outbox.boots, epoch=outbox.epoch, outbox=outbox.report()
            )

        settings = BrokerSettings(BrokerUrl("127.0.0.1", plant.port))
        link = Broker(settings, Topics("bench"), outbox, bulletin)
        bench = Bench(outbox.record, outbox.epoch, health)
        link.start()
        bench.start()
        while not link.connected:
            time.sleep(0.01)
        yield Box(inspector, bench, outbox)
        bench.stop(1.0)
        link.stop(1.0)
        outbox.close()


def bare(inspector: Inspector, inputs: list[Pixels]) -> float:
    """Seconds per picture of the model alone, on pictures that are already its size."""
    started = time.perf_counter()
    for picture in inputs:
        inspector.scorer.score(picture)
    return (time.perf_counter() - started) / len(inputs)


def one_by_one(at: Box, pictures: list[Pixels], done: int) -> float:
    """Seconds from a frame in memory to its acknowledged verdict, the next after that."""
    started = time.perf_counter()
    for number, picture in enumerate(pictures, done + 1):
        at.offer(picture, number)
        at.delivered(number)
    return (time.perf_counter() - started) / len(pictures)


def in_a_stream(at: Box, pictures: list[Pixels], done: int) -> float:
    """Seconds per acknowledged verdict when parts come as fast as they are judged."""
    started = time.perf_counter()
    for number, picture in enumerate(pictures, done + 1):
        at.offer(picture, number)
    at.delivered(done + len(pictures))
    return (time.perf_counter() - started) / len(pictures)


def measure(folder: Path) -> list[Figure]:
    """The figures, medians over rounds that alternate."""
    pictures = frames(PER_ROUND)
    with box(folder) as at:
        inputs = [shrink(picture, at.inspector.input)[np.newaxis] for picture in pictures]
        alone, single, stream = [], [], []
        done = 0
        for _ in range(ROUNDS + 1):
            alone.append(bare(at.inspector, inputs))
            single.append(one_by_one(at, pictures, done))
            alone.append(bare(at.inspector, inputs))
            stream.append(in_a_stream(at, pictures, done + PER_ROUND))
            done += 2 * PER_ROUND
    ratios = [one / base for one, base in zip(single, alone[0::2], strict=True)][1:]
    rates = [base / one for one, base in zip(stream, alone[1::2], strict=True)][1:]
    spread = f"quartiles {np.percentile(ratios, 25):.3f} to {np.percentile(ratios, 75):.3f}"
    return [
        Figure("bare model, one thread", 1000 * statistics.median(alone), "ms"),
        Figure("frame to acknowledged verdict", 1000 * statistics.median(single[1:]), "ms"),
        Figure("its ratio to the bare model", statistics.median(ratios), "", "<= 1.15", spread),
        Figure("sustained verdicts", 1 / statistics.median(stream[1:]), "/s"),
        Figure("their share of the bare model's", statistics.median(rates), "", ">= 0.9"),
    ]
