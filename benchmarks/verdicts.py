"""From a frame in memory to an acknowledged verdict, against the bare model in the same run.

The path is the daemon's own with everything on: camera health, bench, inspector, outbox on disk,
drift, broker over loopback, and the keeper, for whom one part in 24 is a fail. Rounds of both
alternate, so that what else the machine does falls on both; medians are compared.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.rig import broker, frames, make_bundle
from edge.alarm import Alarms
from edge.camera_health.warden import Warden
from edge.camera_health.wardens import Wardens
from edge.clock import monotonic_ns, wall_ns
from edge.flagged.keeper import Keeper, KeeperSettings
from edge.flagged.pantry import Quota
from edge.frame import Frame
from edge.health import Health
from edge.inspection.armed import arm
from edge.inspection.bench import Bench
from edge.inspection.computer import computer
from edge.inspection.herald import Herald
from edge.inspection.inspector import Inspector
from edge.inspection.part import Part, Terms
from edge.messages import Health as HealthMessage
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.broker import Broker
from edge.outbox import Outbox
from edge.sections import CameraSection, HealthSection, VirtualSource
from edge.topics import Topics
from export.figures import Figure
from export.preprocess import Pixels, shrink
from export.verdict import Thresholds

CAMERA = "belt"
ROUNDS, PER_ROUND = 9, 24
COMMISSIONING = 20  # frames that camera health learns from


@dataclass(frozen=True, slots=True)
class Box:
    """The daemon's parts behind the camera."""

    inspector: Inspector
    warden: Warden
    bench: Bench
    outbox: Outbox
    keeper: Keeper

    def offer(self, pixels: Pixels, number: int) -> None:
        """Hand a part to the bench, as reader and lane do."""
        frame = self.warden.see(Frame(pixels, CAMERA, number, monotonic_ns(), wall_ns()))
        region = self.inspector.input.region
        terms = Terms(CAMERA, self.inspector, 60_000.0, 1000, region=region)
        part = Part(frame, terms)
        self.bench.offer(part)
        if isinstance(frame, Frame) and self.bench.waits(part, frame):
            self.inspector.prepare(frame.pixels, frame.moved, frame.ready)

    def delivered(self, total: int) -> None:
        """Wait until `total` verdicts are stored and acknowledged."""
        while self.outbox.next_seq(CAMERA) <= total or self.outbox.depth():
            time.sleep(0.0002)


@contextmanager
def box(folder: Path, pictures: list[Pixels], provider: str = "cpu") -> Iterator[Box]:
    """A box around a fresh bundle, its outbox on disk, connected to a broker."""
    bundle, key = make_bundle(folder)
    inspector = one_fails(arm(bundle, [key], (provider,)), pictures)
    with broker(folder) as plant:
        health, alarms = Health((CAMERA,)), Alarms()
        outbox = Outbox(folder / "outbox.db", alarms=alarms)
        keeper = Keeper(KeeperSettings(folder / "samples", Quota(2 << 30, 0)), health)
        wardens = Wardens(alarms, folder)
        watched = HealthSection(reference_frames=COMMISSIONING)
        source = VirtualSource(kind="virtual", pace="lossless")
        warden = wardens.add(CAMERA, CameraSection(source=source, bundle=bundle, health=watched))

        def bulletin() -> HealthMessage:
            return HealthMessage(
                at="", boots=outbox.boots, epoch=outbox.epoch, outbox=outbox.report()
            )

        settings = BrokerSettings(BrokerUrl("127.0.0.1", plant.port))
        link = Broker(settings, Topics("bench"), outbox, bulletin, alarms=alarms)
        herald = Herald(keeper, {}, computer(provider, 1))
        bench = Bench(wardens.recording(outbox.record), outbox.epoch, health, herald)
        for one in (link, keeper, wardens, bench):
            one.start()
        while not link.connected:
            time.sleep(0.01)
        yield Box(inspector, warden, bench, outbox, keeper)
        bench.stop(1.0)
        keeper.stop(1.0)
        wardens.stop()
        link.stop(1.0)
        outbox.close()


def one_fails(inspector: Inspector, pictures: list[Pixels]) -> Inspector:
    """The same inspector with thresholds between which and 1 the highest score alone lies."""
    scores = sorted(inspector.judge(picture).score or 0.0 for picture in pictures)
    limit = (scores[-1] + scores[-2]) / 2
    return Inspector(
        inspector.scorer,
        inspector.input,
        Thresholds(pass_below=limit, fail_above=limit),
        inspector.classes,
        inspector.bundle,
    )


def bare(inspector: Inspector, inputs: list[Pixels]) -> list[float]:
    """Seconds of the model alone for each picture, already of its size."""
    took = []
    for picture in inputs:
        started = time.perf_counter()
        inspector.scorer.score(picture)
        took.append(time.perf_counter() - started)
    return took


def one_by_one(at: Box, pictures: list[Pixels], done: int) -> list[float]:
    """Seconds from each frame in memory to its acknowledged verdict, the next after that."""
    took = []
    for number, picture in enumerate(pictures, done + 1):
        started = time.perf_counter()
        at.offer(picture, number)
        at.delivered(number)
        took.append(time.perf_counter() - started)
    return took


def in_a_stream(at: Box, pictures: list[Pixels], done: int) -> float:
    """Seconds per acknowledged verdict when parts come as fast as they are judged."""
    started = time.perf_counter()
    for number, picture in enumerate(pictures, done + 1):
        at.offer(picture, number)
    at.delivered(done + len(pictures))
    return (time.perf_counter() - started) / len(pictures)


def measure(folder: Path) -> list[Figure]:
    """The figures, medians over rounds that alternate; p99 over all pictures."""
    pictures = frames(PER_ROUND)
    with box(folder, pictures) as at:
        inputs = [shrink(picture, at.inspector.input)[np.newaxis] for picture in pictures]
        alone: list[list[float]] = []
        single: list[list[float]] = []
        stream: list[float] = []
        done = 0
        for _ in range(ROUNDS + 1):
            alone.append(bare(at.inspector, inputs))
            single.append(one_by_one(at, pictures, done))
            alone.append(bare(at.inspector, inputs))
            stream.append(in_a_stream(at, pictures, done + PER_ROUND))
            done += 2 * PER_ROUND
        kept, dropped = at.keeper.tally().kept, at.keeper.tally().dropped
    return figures(alone[2:], single[1:], stream[1:], f"{kept} samples kept, {dropped} dropped")


def figures(
    alone: list[list[float]], single: list[list[float]], stream: list[float], kept: str
) -> list[Figure]:
    """Rounds as figures: every second one of `alone` stands before one of `single`."""
    base = [statistics.mean(one) for one in alone]
    whole = [statistics.mean(one) for one in single]
    ratios = [one / base for one, base in zip(whole, base[0::2], strict=True)]
    rates = [base / one for one, base in zip(stream, base[1::2], strict=True)]
    spread = f"quartiles {np.percentile(ratios, 25):.3f} to {np.percentile(ratios, 75):.3f}"
    worst = np.percentile(np.concatenate(single), 99)
    bare_worst = np.percentile(np.concatenate(alone), 99)
    model = f"the model's own p99 is {1000 * bare_worst:.1f} ms"
    return [
        Figure("bare model, one thread", 1000 * statistics.median(base), "ms"),
        Figure("frame to acknowledged verdict", 1000 * statistics.median(whole), "ms", "", kept),
        Figure("its ratio to the bare model", statistics.median(ratios), "", "<= 1.10", spread),
        Figure("its p99 to the model's p99", float(worst / bare_worst), "", "<= 1.5", model),
        Figure("sustained verdicts", 1 / statistics.median(stream), "/s"),
        Figure("their share of the bare model's", statistics.median(rates), "", ">= 0.9"),
    ]
