"""`make health`: faults planted before a camera, and how soon and how rightly they are named.

A virtual line seen through a lens, lamps and a sensor that can go wrong; the watch is the daemon's
own. Novelty is the workstation's, learnt on the line's own good parts with the starter weights.
"""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from edge.alarm import Alarms
from edge.camera_health.condition import Cause, Condition
from edge.camera_health.drift import Calibration
from edge.camera_health.monitor import Limits, Monitor
from edge.camera_health.reference import Commissioning
from edge.camera_health.sample import take
from edge.camera_health.warden import Warden
from edge.camera_health.wardens import Wardens
from edge.frame import Frame
from edge.sections import CameraSection
from edge.virtual_line import REGION
from export.figures import Figure, save, table
from export.preprocess import Input, Pixels, shrink
from export.verdict import BundleRef, Outcome
from tests.edge.camera_health.eye import GOOD, Eye, Fault
from tests.edge.verdicts import verdict

TRAIN, CALIBRATE, BATCH = 120, 80, 50
SECTION = {"source": {"kind": "stream", "url": "rtsp://eye/1"}, "bundle": "b"}
SECOND = 30
INPUT = Input(224, 224, REGION)


@dataclass(frozen=True)
class Case:
    """One planted change and the cause that should be named; `design` of another product."""

    name: str
    cause: Cause
    fault: Fault = field(default=GOOD)
    design: str = ""


CASES = (
    Case("lens a little out of focus", Cause.FOCUS, Fault(blur_px=1.5)),
    Case("lens out of focus", Cause.FOCUS, Fault(blur_px=3.0)),
    Case("lamps 30 % dimmer", Cause.LIGHT, Fault(gain=(0.7,) * 3)),
    Case("lamps 30 % brighter", Cause.LIGHT, Fault(gain=(1.3,) * 3)),
    Case("one of two lamps out", Cause.LIGHT, Fault(tilt=0.5)),
    Case("camera knocked aside", Cause.POSITION, Fault(shift=(0, 20))),
    Case("camera knocked far", Cause.POSITION, Fault(shift=(48, -32))),
    Case("camera turned", Cause.POSITION, Fault(turn_deg=4.0)),
    Case("plates instead of brackets", Cause.PRODUCT, design="plate"),
    Case("gears instead of brackets", Cause.PRODUCT, design="gear"),
)
QUICK = (
    ("cap on the lens", Condition.DARK, Fault(gain=(0.02,) * 3)),
    ("light fails", Condition.DARK, Fault(gain=(0.25,) * 3)),
    ("over-exposed", Condition.SATURATED, Fault(gain=(12.0,) * 3)),
    ("lamps 25 % dimmer", Condition.LIGHT, Fault(gain=(0.75,) * 3)),
    ("blue lamp", Condition.LIGHT, Fault(gain=(1.3, 1.0, 0.8))),
    ("out of focus", Condition.DEFOCUSED, Fault(blur_px=2.5)),
    ("knocked", Condition.FRAMING, Fault(shift=(0, 16))),
)


class Line(Eye):
    """Brackets on a line, drawn frame by frame."""

    def __init__(self, seed: int, design: str = "bracket") -> None:
        super().__init__(seed, scenes=1, designs=(design,), defect_rate=0.0)
        from edge.virtual_line import VirtualLine

        parts = TRAIN + CALIBRATE + 2 * BATCH
        columns, rows = 640, 512
        self.line = VirtualLine(
            seed, parts, columns, rows, noise=0.0, drift=0.0, designs=(design,), defect_rate=0.0
        )

    def scene(self, number: int) -> Pixels:
        """The line's own frame."""
        return self.line.frame(number)

    def part(self, index: int, fault: Fault = GOOD) -> Pixels:
        """The frame in which a part is nearest the middle, as the sensor reads it out."""
        return self.pixels(self.line.truth[index].centre_frame, fault)


class Model:
    """Novelty of parts, as the workstation would export it; scores that say nothing."""

    def __init__(self, line: Line) -> None:
        from trainer.backbone import Network
        from trainer.novelty import Memory, learn
        from trainer.weights import fill

        self.network = Network("resnet18", 2).eval()
        fill(self.network.trunk, "resnet18", "starter")
        known = [shrink(line.part(index), INPUT) for index in range(TRAIN)]
        learn(self.network, np.stack(known), Memory())
        usual = range(TRAIN, TRAIN + CALIBRATE)
        told = self.novelty([line.part(index) for index in usual])
        self.novel_above = float(np.quantile(told, 0.99))
        self.calibration = Calibration(
            (0.01,) * CALIBRATE, tuple(one for one in told if one < self.novel_above)
        )

    def novelty(self, pictures: list[Pixels]) -> list[float]:
        """Of frames."""
        from trainer.novelty import survey

        found = survey(self.network, np.stack([shrink(one, INPUT) for one in pictures]))[1]
        assert found is not None
        return found.tolist()


@dataclass(frozen=True)
class Told:
    """What became of a case: the first alarm and its cause, and parts until score drift."""

    first: str
    cause: str
    parts: int | None


class Room:
    """The daemon's watch over one camera."""

    def __init__(self, store: Path, calibration: Calibration) -> None:
        self.alarms = Alarms()
        self.wardens = Wardens(self.alarms, store, {"d": calibration})
        told = self.wardens.add("eye", CameraSection.model_validate(SECTION))
        assert told is not None
        self.warden: Warden = told

    def judge(self, seq: int, novelty: float, novel_above: float) -> None:
        """A part's verdict."""
        passed = novelty < novel_above
        self.wardens.judged(
            verdict(
                0, seq, "eye", score=0.01, novelty=novelty,
                outcome=Outcome.PASS if passed else Outcome.REVIEW,
                bundle=BundleRef(name="b", version=1, digest="d"),
            )
        )  # fmt: skip


def parts_of(line: Line, first: int, count: int) -> Iterator[tuple[int, range]]:
    """(index, the frame numbers from the part before to this one's middle)."""
    truth = line.line.truth
    for index in range(first, first + count):
        yield index, range(truth[index - 1].centre_frame + 1, truth[index].centre_frame + 1)


def play(room: Room, line: Line, model: Model, fault: Fault, first: int) -> Told:
    """A batch of parts past the camera: what was alarmed first, and after how many parts."""
    shown, alarmed = [], None
    found = Told("", "", None)
    for index, numbers in parts_of(line, first, BATCH):
        for number in numbers:
            pixels = line.pixels(number, fault)
            room.warden.see(Frame(pixels, "eye", number, number * 33_333_333, 0))
        shown.append((index, pixels))
        if not found.first and room.alarms.standing():
            found = _first(room)
    for count, told in enumerate(model.novelty([pixels for _, pixels in shown]), 1):
        room.judge(shown[count - 1][0], told, model.novel_above)
        standing = {alarm.name for alarm in room.alarms.standing()}
        if alarmed is None and Condition.SCORES in standing:
            alarmed = count
            if not found.first:
                found = _first(room)
    return Told(found.first, found.cause, alarmed)


def _first(room: Room) -> Told:
    alarm = room.alarms.standing()[0]
    cause = alarm.detail.partition("likely cause: ")[2].partition(";")[0]
    return Told(alarm.name, cause, None)


def causes(seed: int) -> list[Figure]:
    """Ten planted changes: alarmed, and their cause named; a healthy batch before each."""
    line = Line(seed)
    model = Model(line)
    right, quick, false, within = 0, [], 0, 0
    for case in CASES:
        with TemporaryDirectory() as store:
            room = Room(Path(store), model.calibration)
            healthy = play(room, line, model, GOOD, TRAIN + CALIBRATE)
            false += bool(healthy.first)
            changed = Line(seed, case.design) if case.design else line
            found = play(room, changed, model, case.fault, TRAIN + CALIBRATE + BATCH)
        right += found.cause == case.cause
        within += found.parts is not None
        quick += [found.parts] if found.parts else []
        told = f"{found.first or 'nothing'} → {found.cause or '-'}"
        print(
            f"  {case.name:<28} {case.cause:<9} {told:<36} score drift: {found.parts}", flush=True
        )
    return [
        Figure("drift alarmed, cause right", right, f"of {len(CASES)}", ">= 8"),
        Figure("score drift alarmed within 50 parts", within, f"of {len(CASES)}"),
        Figure("parts until then, most", max(quick, default=0), "parts", "<= 50"),
        Figure("healthy batches alarmed", false, f"of {len(CASES)}", "== 0"),
    ]


def faults(seed: int) -> list[Figure]:
    """Each fault planted three times: frames until its alarm."""
    eye = Eye(seed, scenes=72)
    monitor = commissioned(eye)
    slowest: list[int] = []
    for name, condition, fault in QUICK:
        for _ in range(3):
            settle(monitor, eye)
            frames = until(monitor, condition, (eye.frame(fault) for _ in range(2 * SECOND)))
            slowest.append(frames)
            print(f"  {name:<28} {condition:<24} {frames} frames", flush=True)
    still = eye.pixels(eye.number)
    settle(monitor, eye)
    frozen = until(monitor, Condition.FROZEN, (eye.frame(pixels=still) for _ in range(SECOND)))
    return [
        Figure("frames until a fault's alarm, most", max(slowest), "frames", "<= 30", "at 30/s"),
        Figure("frames until a frozen picture's", frozen, "frames", "<= 5"),
    ]


def commissioned(eye: Eye) -> Monitor:
    """A monitor that knows the eye."""
    commissioning = Commissioning(100)
    while not commissioning.add(take(eye.frame())):
        pass
    monitor = Monitor(Limits())
    monitor.commission(commissioning.reference())
    return monitor


def settle(monitor: Monitor, eye: Eye) -> None:
    """Two good seconds."""
    for _ in range(2 * SECOND):
        monitor.see(take(eye.frame()))


def until(monitor: Monitor, condition: Condition, frames: Iterator[Frame]) -> int:
    """Frames until the condition stands; 999 if it never does."""
    for count, frame in enumerate(frames, 1):
        if condition in monitor.see(take(frame)).standing:
            return count
    return 999


def quiet(seed: int, frames: int) -> Figure:
    """Alarms over so many good, noisy frames."""
    eye = Eye(seed, scenes=72)
    monitor = commissioned(eye)
    raised = 0
    for _ in range(frames):
        finding = monitor.see(take(eye.frame()))
        raised += len(finding.raised) + bool(finding.spoilt)
    return Figure("false alarms", raised, f"in {frames}", "== 0", "noise, flicker, lamps, parts")


def cost(seed: int) -> list[Figure]:
    """Processor time that a frame of 1280x1024 costs."""
    eye = Eye(seed, width=1280, height=1024, scenes=24)
    monitor = commissioned(eye)
    spent: list[float] = []
    for _ in range(400):
        frame = eye.frame()
        began = time.thread_time()
        monitor.see(take(frame))
        spent.append(1000 * (time.thread_time() - began))
    return [
        Figure("a frame of 1280x1024 costs", float(np.median(spent)), "ms", "< 1", "processor"),
        Figure("its 99th percentile", float(np.quantile(spent, 0.99)), "ms"),
    ]


def main() -> None:
    """Run it all, print the table, write results/health.json."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=100_000)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"seed {asked.seed}", flush=True)
    measured = [*cost(asked.seed), *faults(asked.seed), *causes(asked.seed)]
    measured.append(quiet(asked.seed, asked.frames))
    print(f"\n{table(measured)}\n\n{save('health', measured, seed=asked.seed)}")
    if slipped := [figure.name for figure in measured if figure.holds is False]:
        raise SystemExit(f"health: a target slipped: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
