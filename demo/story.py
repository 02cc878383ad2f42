"""The steps of the demo, each the command that a person would type, shown before it runs."""

import json
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from demo.broker import Subscriber, broker
from demo.pace import sustained_fps
from edge.virtual_line import VirtualLine
from export.preprocess import Region

LINEWARDEN = Path(sys.executable).with_name("linewarden")
WHERE_BRACKETS_LIE = Region(0.21875, 0.275, 0.5625, 0.45)
PREFIX = "acme/plant1/machining/line3/cell4"

APPLIANCE = """\
[station]
prefix = "{prefix}"

[broker]
url = "mqtt://127.0.0.1:{port}"

[trust]
keys = ["{key}"]

[cameras.belt]
bundle = "bundle"
deadline_ms = 1000
trigger = {{ kind = "gate" }}

[cameras.belt.source]
kind = "virtual"
seed = {seed}
parts = {parts}
fps = {fps}
defect_rate = {rate}
designs = ["{design}"]
defect_size = {defect_size}
truth = "truth.csv"
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the demo does, and how much of it."""

    folder: Path
    seed: int = 7
    design: str = "bracket"
    defect_size: float = 1.5
    region: Region = WHERE_BRACKETS_LIE
    size: str = "208x128"
    training_parts: int = 700
    training_defect_rate: float = 0.45
    epochs: int = 10
    parts: int = 200
    defect_rate: float = 0.3

    @property
    def line_seed(self) -> int:
        """The seed of the fresh parts: never that of the training parts."""
        return self.seed + 1_000_000

    def line(self) -> VirtualLine:
        """The line that the box will see."""
        return VirtualLine(
            self.line_seed,
            self.parts,
            defect_rate=self.defect_rate,
            designs=(self.design,),
            defect_size=self.defect_size,
        )


def say(text: str) -> None:
    """A heading of the story."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def call(*words: str | Path) -> float:
    """Run `linewarden WORDS` in sight of the person; returns the seconds it took."""
    spoken = [str(word) for word in words]
    print(f"$ linewarden {shlex.join(spoken)}", flush=True)
    started = time.perf_counter()
    done = subprocess.run([LINEWARDEN, *spoken], check=False)
    if done.returncode:
        sys.exit(f"demo: `linewarden {spoken[0]}` ended with exit code {done.returncode}")
    return time.perf_counter() - started


def make_data(plan: Plan) -> float:
    """Step 1: labelled pictures from the virtual line."""
    say(f"1. A data set: {plan.training_parts} {plan.design}s pass the virtual line's camera")
    return call(
        "line", "dataset", plan.folder / "data", "--parts", str(plan.training_parts),
        "--seed", str(plan.seed), "--defect-rate", str(plan.training_defect_rate),
        "--design", plan.design, "--size", str(plan.defect_size),
    )  # fmt: skip


def train(plan: Plan) -> float:
    """Step 2: fine-tune the pre-trained ResNet-18 that comes along."""
    cut = plan.region
    say("2. Fine-tune a pre-trained ResNet-18 on them, and choose thresholds on parts it never saw")
    return call(
        "train", plan.folder / "data", "--arch", "resnet18", "--weights", "starter",
        "--region", f"{cut.x},{cut.y},{cut.width},{cut.height}", "--size", plan.size,
        "--epochs", str(plan.epochs), "--seed", str(plan.seed), "--out", plan.folder / "run",
    )  # fmt: skip


def export(plan: Plan) -> float:
    """Step 3: one signed bundle, which must reproduce torch."""
    say("3. Export one signed bundle, which must give in ONNX Runtime what it gave in torch")
    key = plan.folder / "signing.key"
    seconds = call("export", plan.folder / "run", "--out", plan.folder / "bundle", "--key", key)
    return seconds + call(
        "bundle", "verify", plan.folder / "bundle", "--key", key.with_suffix(".pub")
    )


def judge(plan: Plan) -> tuple[float, Subscriber]:
    """Step 4: the box at work on fresh parts, and a subscriber that listens from outside."""
    say(f"4. The box: judge {plan.parts} fresh parts as they pass, publish each verdict over MQTT")
    fps = sustained_fps(plan.line(), plan.folder / "bundle", plan.folder / "signing.pub")
    print(f"the belt runs at {fps:g} frames/s, which this machine can draw and judge now")
    with broker(plan.folder) as plant:
        settings = plan.folder / "appliance.toml"
        settings.write_text(
            APPLIANCE.format(
                prefix=PREFIX, port=plant.port, key="signing.pub", seed=plan.line_seed,
                parts=plan.parts, fps=fps, rate=plan.defect_rate, design=plan.design,
                defect_size=plan.defect_size,
            )
        )  # fmt: skip
        subscriber = Subscriber(plant.port, PREFIX)
        seconds = call("run", "--config", settings)
        time.sleep(0.5)
        subscriber.close()
    kept = plan.folder / "verdicts.jsonl"
    kept.write_text("".join(json.dumps(one) + "\n" for one in subscriber.verdicts.values()))
    return seconds, subscriber
