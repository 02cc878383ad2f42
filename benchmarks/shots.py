"""What several frames of a part change: escapes and overkill by number of frames and their spread.

Brackets of the virtual line with defects of the usual size; ResNet-18 with the starter's features
and a head, thresholds from its own calibration, fresh parts whose truth is known. Every row judges
the same parts; the window follows the part. `python -m benchmarks.shots` (make bench-shots).
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from demo import story
from edge.frame import Frame
from edge.inspection.armed import arm
from edge.inspection.fusion import Answer, Looks
from edge.inspection.inspector import Inspector
from edge.trigger.gate import Gate, GateSettings
from edge.trigger.trigger import Triggered
from edge.virtual_line import VirtualLine
from export.figures import Figure, save, table
from export.signature import load_public
from export.verdict import Outcome
from trainer.rates import Rate

ARMS = ((1, 0.25), (2, 0.25), (3, 0.25), (5, 0.5))
PLAN = story.Plan(Path(), defect_size=1.0, training_parts=480, epochs=0)


def parts(line: VirtualLine, settings: GateSettings) -> Iterator[list[Frame]]:
    """The frames of each part that the gate finds, the best one first."""
    gate, found = Gate(settings), dict[Triggered, list[Frame]]()
    for number, pixels in enumerate(line.frames()):
        for told in gate.see(Frame(pixels, "belt", number, 0, 0)):
            if isinstance(told, Triggered):
                found[told] = [told.seen, *told.others]
            elif told.frame:
                found[told.of].append(told.frame)
        done = [one for one in found if found[one][0].number < number - 12]
        yield from (found.pop(one) for one in done)
    yield from found.values()


def judged(inspector: Inspector, frames: list[Frame], asked: int) -> Answer:
    """What the bench would say of them."""
    looks = Looks(asked)
    looks.add(*frames)
    while looks.ready:
        frame = looks.take(1)
        looks.saw(frame, inspector.judge(frame.pixels, frame.moved))
    return looks.answer()


def arm_of(inspector: Inspector, plan: story.Plan, count: int, spread: float) -> list[Figure]:
    """One row: so many frames, so far apart."""
    line = plan.line()
    settings = GateSettings(frames=count, spread=spread)
    truth = {part.centre_frame: part for part in line.truth}
    escaped, overkill, reviewed, seen = [], [], [], 0
    for frames in parts(line, settings):
        nearest = min(truth, key=lambda centre: abs(centre - frames[0].number))
        outcome = judged(inspector, frames, count).judgement.outcome
        bad = truth.pop(nearest).defect is not None
        (escaped if bad else overkill).append(outcome is (Outcome.PASS if bad else Outcome.FAIL))
        reviewed.append(outcome is Outcome.REVIEW)
        seen += len(frames)
    name = f"{count} frame{'s' if count > 1 else ''} over {spread:g}"
    return [
        Figure(f"{name}: frames seen of a part", seen / len(reviewed), ""),
        _rate(f"{name}: escapes", escaped),
        _rate(f"{name}: overkill", overkill),
        _rate(f"{name}: review", reviewed),
    ]


def _rate(name: str, hits: list[bool]) -> Figure:
    rate = Rate(sum(hits), len(hits))
    low, high = rate.interval()
    note = f"{rate.k} of {rate.n}, 95 % interval {100 * low:.1f} to {100 * high:.1f} %"
    return Figure(name, 100 * rate.value, "%", "", note)


def main() -> None:
    """Train, then every arm."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--parts", type=int, default=400)
    told = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="linewarden-shots-") as folder:
        plan = replace(PLAN, folder=Path(folder), seed=told.seed, parts=told.parts)
        story.make_data(plan)
        story.train(plan)
        story.export(plan)
        inspector = arm(plan.folder / "bundle", [load_public(plan.folder / "signing.pub")])
        figures: list[Figure] = []
        for count, spread in ARMS:
            figures += arm_of(inspector, plan, count, spread)
            print(f"{count} frames done, {len(ARMS)} rows in all", flush=True)
    print(f"\n{table(figures)}\n\n{save('shots', figures, seed=told.seed)}")


if __name__ == "__main__":
    main()
