"""Challengers taught wrong labels: `python -m benchmarks.wrong_labels --seeds 20 [--folder DIR]`.

For each seed a champion learns from well-labelled parts of the virtual line, and two challengers
from the same and as many new ones again: one from right labels, one from labels of which a fifth is
wrong (good parts named as a defect, defects named good), the frozen test excepted. The ruling of
`linewarden retrain`, at its own margins, should refuse the second; how often it promotes the first
says what that is worth. A small, quick model: a head on ResNet-18's stock features, 128x80 pixels.
Seeds that are done stay in results/wrong_labels.jsonl; a run that was cut off goes on.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from edge.virtual_line import VirtualLine
from edge.virtual_line.dataset import write_dataset
from edge.virtual_line.defect import Kind
from export.figures import Figure, save, table
from export.preprocess import Input, Region
from trainer.calibrate import Budgets
from trainer.contest.grown import grow
from trainer.contest.judging import look
from trainer.contest.retrain import plan_of
from trainer.contest.ruling import Ruling, Terms, rule
from trainer.material import Choices
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.recipe import named, on_this_machine
from trainer.run import GOOD, Run
from trainer.settled import read as settled
from trainer.teaching import Plan
from trainer.training import train

QUIET = Progress(None)
WRONG = 0.2
KINDS = (Kind.DENT, Kind.STAIN)
INPUT = Input(128, 80, Region(0.21875, 0.275, 0.5625, 0.45))
DONE = Path("results/wrong_labels.jsonl")


def parts(folder: Path, count: int, seed: int) -> None:
    """Stills of a line, half of them defective."""
    line = VirtualLine(
        seed, count, 400, 320, defect_rate=0.5, defects=KINDS, designs=("bracket",), defect_size=2.0
    )
    write_dataset(line, folder)
    (folder / "truth.csv").unlink()


def champion(folder: Path, seed: int, asked: argparse.Namespace) -> Run:
    """Trained on right labels, with a frozen test."""
    parts(folder / "data" / "train", asked.train, 1000 * seed + 1)
    parts(folder / "data" / "test", asked.test, 1000 * seed + 2)
    recipe = named("tune").model_copy(update={"epochs": 0, "views": 1})
    plan = Plan(
        data=folder / "data", arch="resnet18", weights="starter", seed=seed, to=INPUT,
        recipe=on_this_machine(recipe), budgets=Budgets(novel=0.0),
        choices=Choices(rule=PartRule(near=False)),
    )  # fmt: skip
    return train(plan, folder / "run", QUIET)


def spoil(root: Path, share: float, dice: random.Random) -> int:
    """Give a share of all pictures that the test doesn't hold another class; how many."""
    kept = {path for path, split in settled(root).items() if split == "test"}
    paths = [p.relative_to(root).as_posix() for p in sorted(root.rglob("*.jpg"))]
    free = [path for path in paths if path not in kept]
    chosen = dice.sample(free, round(share * len(free)))
    kinds = [str(kind) for kind in KINDS]
    moved: dict[str, str] = {}
    for path in chosen:
        label, _, rest = path.partition("/")
        other = dice.choice(kinds) if label == GOOD else GOOD
        place = root / other / f"wrong-{rest.replace('/', '-')}"
        (root / path).rename(place)
        moved[path] = place.relative_to(root).as_posix()
    for table_name in ("parts.csv", "splits.csv"):
        rows = (root / table_name).read_text().splitlines()
        told = [row.partition(",") for row in rows]
        lines = [f"{moved.get(path, path)}{comma}{rest}" for path, comma, rest in told]
        (root / table_name).write_text("\n".join(lines) + "\n")
    return len(moved)


def judged(first: Run, run: Run, root: Path) -> Ruling:
    """The ruling of `linewarden retrain`, without its page."""
    rows = [row for row in run.split() if row.split == "test"]
    before = settled(root)
    new = np.array([row.path not in before for row in rows], bool)
    sights = (look(one, root, rows, QUIET, "") for one in (first, run))
    return rule(*sights, new, Terms())


def contest(folder: Path, seed: int, asked: argparse.Namespace) -> dict[str, object]:
    """Both challengers of one seed: whether each was promoted, and why not."""
    first = champion(folder, seed, asked)
    parts(folder / "new", asked.train, 1000 * seed + 3)
    found: dict[str, object] = {"seed": seed}
    for name, share in (("right", 0.0), ("wrong", WRONG)):
        root = folder / f"{name}.data"
        grow(first, folder / "data", [folder / "new"], root)
        if share:
            found["spoilt"] = spoil(root, share, random.Random(seed))
        run = train(plan_of(first, root, None), folder / name, QUIET)
        ruling = judged(first, run, root)
        found[name] = ruling.promoted
        found[f"{name}_reasons"] = ruling.reasons
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--train", type=int, default=200, help="parts to learn from, and new ones")
    parser.add_argument("--test", type=int, default=260, help="parts of the frozen test")
    parser.add_argument("--folder", type=Path, help="to work in; a temporary one by default")
    asked = parser.parse_args()
    DONE.parent.mkdir(exist_ok=True)
    if asked.folder:
        asked.folder.mkdir(parents=True, exist_ok=True)
    mark = [asked.train, asked.test]
    known = [json.loads(line) for line in DONE.read_text().splitlines()] if DONE.exists() else []
    known = [one for one in known if one["mark"] == mark and one["seed"] < asked.seeds]
    began = time.monotonic()
    todo = [seed for seed in range(asked.seeds) if seed not in {one["seed"] for one in known}]
    for number, seed in enumerate(todo, start=1):
        with tempfile.TemporaryDirectory(prefix="wrong-", dir=asked.folder) as scratch:
            found = contest(Path(scratch), seed, asked) | {"mark": mark}
            shutil.rmtree(Path(scratch) / "new")
        known.append(found)
        with DONE.open("a") as file:
            file.write(json.dumps(found) + "\n")
        left_s = (time.monotonic() - began) / number * (len(todo) - number)
        right, wrong = ("promoted" if found[one] else "refused" for one in ("right", "wrong"))
        print(f"seed {seed}: right labels {right}, wrong {wrong}; {left_s:.0f} s left", flush=True)
    refused = sum(not one["wrong"] for one in known)
    promoted = sum(bool(one["right"]) for one in known)
    figures = [
        Figure("challengers taught 20 % wrong labels, refused", refused, f"of {len(known)}",
               f">= {-(-19 * len(known) // 20)}"),
        Figure("challengers taught right labels, promoted", promoted, f"of {len(known)}"),
    ]  # fmt: skip
    print(f"\n{table(figures)}\nwritten to {save('wrong_labels', figures, seed=0)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
