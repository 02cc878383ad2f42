"""Challengers in the shadow of the virtual line: `python -m tests.swap.contest`.

Two models of one product: one has learnt from few pictures, one from many. Each once judges and
once challenges, on a real box with a real broker, while a person labels what the two disagree on.
The better one must be promoted and the worse one kept out. That it isn't luck is simulated: 200
streams at each margin. Prints a table and writes results/shadow.json.
"""

import argparse
import shutil
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from edge.inspection.armed import arm
from edge.swap.sequential import Rule
from edge.virtual_line import VirtualLine
from export.errors import SampleError
from export.figures import Figure
from export.sample import Label, Why
from export.sample_folder import SampleFolder
from export.signature import load_public
from export.verdict import Outcome
from tests.edge.swap.streams import promotions
from tests.loop.plant import Truth, call, ended, plant, workplace
from tests.loop.suite import DEFECT_SIZE, DESIGN, FRAME, RATE, REGION, dataset
from trainer.rates import Rate

WEAK, STRONG, SIZE = "weak", "strong", "208x128"
LONGEST_S = 1500.0
STREAMS = 200
RULE = Rule(parts=100, most=1500, loosened=0.02, tightened=0.04, risk=0.05)


def learnt(folder: Path, name: str, pictures: int, epochs: int, seed: int) -> None:
    """Bundles FOLDER/NAME-1 and NAME-2 of so many pictures, unless they are there already.

    The same model twice: a box lets none judge that is no newer than the one that does.
    """
    if (folder / f"{name}-2").exists():
        return
    assert call(folder, *dataset(f"data-{name}", pictures, seed, ()))[0] == 0
    (folder / f"data-{name}" / "truth.csv").unlink()
    commands = [("train", f"data-{name}", "--arch", "resnet18", "--weights", "starter", "--region",
                 REGION, "--size", SIZE, "--epochs", epochs, "--out", f"run-{name}")]  # fmt: skip
    commands += [("export", f"run-{name}", "--name", "brackets", "--version", version, "--out",
                  f"{name}-{version}", "--key", "signing.key", "--variants", "none")
                 for version in (1, 2)]  # fmt: skip
    for words in commands:
        code, said = call(folder, *words)
        assert code == 0, said


def rates(folder: Path, name: str, parts: int, seed: int) -> tuple[Rate, Rate]:
    """Escapes and good parts stopped of a bundle, on fresh parts."""
    judge = arm(folder / f"{name}-1", [load_public(folder / "signing.pub")], ("cpu",), 2)
    line = VirtualLine(seed, parts, FRAME["width"], FRAME["height"], defect_rate=RATE,
                       defect_size=DEFECT_SIZE, designs=(DESIGN,))  # fmt: skip
    good = np.array([part.label == "good" for part in line.truth])
    passed = np.array([judge.judge(still).outcome is Outcome.PASS for still in line.stills()])
    return (Rate(int(passed[~good].sum()), int((~good).sum())),
            Rate(int((~passed)[good].sum()), int(good.sum())))  # fmt: skip


def shown(title: str, rate: Rate, target: str = "") -> Figure:
    """A rate with its interval."""
    low, high = rate.interval()
    return Figure(title, rate.value, "", target,
                  f"{rate.k} of {rate.n}, 95 % {low:.3f} to {high:.3f}")  # fmt: skip


@contextmanager
def reader(folder: Path, truth: Truth):
    """A person who labels every part on which the two disagree; yields what they said."""
    samples, said, over = SampleFolder(folder), {}, threading.Event()

    def read() -> None:
        while not over.wait(1.0):
            with suppress(SampleError):  # nothing is kept yet, or one gave way to a newer one
                for name in set(samples.ids()) - said.keys():
                    if Why.DISAGREEING in (one := samples.read(name)).why:
                        said[name] = truth.label(one.verdict.frame)
                        if said[name] is not None:
                            samples.label(name, Label(label=said[name], by="reader", at="-"))

    person = threading.Thread(target=read)
    person.start()
    try:
        yield said
    finally:
        over.set()
        person.join()


def bout(folder: Path, champion: str, challenger: str, asked: argparse.Namespace):
    """One against the other on a running line: its last report, its parts' labels, its ledger."""
    at = folder / f"{champion}-judges"
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir()
    for version, name in enumerate((champion, challenger), start=1):
        shutil.copytree(folder / f"{name}-{version}", at / f"bundle-{version}")
    shutil.copy(folder / "signing.pub", at)
    seed = asked.seed + 13
    line = VirtualLine(seed, 6000, FRAME["width"], FRAME["height"], defect_rate=RATE,
                       defect_size=DEFECT_SIZE, designs=(DESIGN,))  # fmt: skip
    settings = {"seed": seed, "fps": asked.fps, "rate": RATE, "size": DEFECT_SIZE,
                "parts": asked.parts, **FRAME}  # fmt: skip
    began = time.monotonic()
    with plant(at, **settings) as (ledger, *_), reader(at / "samples", Truth(line.truth)) as said:
        code, told = call(at, "bundle", "shadow", "bundle-2", "--config", "appliance.toml")
        assert code == 0, told
        while not _over(ledger) and time.monotonic() - began < LONGEST_S:
            time.sleep(1.0)
    return ledger.shadows[-1], said, ledger


def _over(ledger) -> bool:
    return bool(ledger.shadows) and ledger.shadows[-1]["state"] in (
        "promoted", "refused", "stopped")  # fmt: skip


def suite(folder: Path, asked: argparse.Namespace) -> list[Figure]:
    """Both bouts and the simulation."""
    learnt(folder, WEAK, asked.few, 0, asked.seed + 11)
    learnt(folder, STRONG, asked.many, asked.epochs, asked.seed + 12)
    figures = []
    for name in (WEAK, STRONG):
        escapes, stopped = rates(folder, name, 300, asked.seed + 14)
        figures += [shown(f"escapes, {name}", escapes), shown(f"good stopped, {name}", stopped)]
    for champion, challenger, due in ((WEAK, STRONG, "promoted"), (STRONG, WEAK, "refused")):
        told, said, ledger = bout(folder, champion, challenger, asked)
        title = f"{challenger} challenges {champion}"
        figures += [
            Figure(f"{title}: {due}", int(told["state"] == due), "", "== 1", told["words"]),
            Figure(f"{title}: parts it took", told["parts"], "", "", f"{told['dropped']} left out"),
            Figure(f"{title}: labelled", sum(label is not None for label in said.values()), "", "",
                   f"{told['loosened']} loosened, {told['tightened']} tightened; "
                   f"{told['right']} rightly, {told['wrong']} wrongly"),
            Figure(f"{title}: verdicts lost or doubled", ledger.lost() + ledger.doubles, "", "== 0",
                   f"of {len(ledger.verdicts)}"),
        ]  # fmt: skip
    for loosened, tightened in ((RULE.loosened, 0.0), (0.0, RULE.tightened)):
        wrong = Rate(promotions(RULE, STREAMS, loosened, tightened, seed=asked.seed), STREAMS)
        title = f"promoted wrongly, simulated: {loosened:.0%} loosened, {tightened:.0%} tightened"
        figures.append(shown(title, wrong, f"<= {RULE.risk}"))
    return figures


def main(words: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="to work in; a temporary one by default")
    parser.add_argument("--few", type=int, default=120, help="pictures of the weak one")
    parser.add_argument("--many", type=int, default=900, help="pictures of the strong one")
    parser.add_argument("--epochs", type=int, default=3, help="of the strong one")
    parser.add_argument("--parts", type=int, default=100, help="in the shadow, at least")
    parser.add_argument("--fps", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=300)
    asked = parser.parse_args(words)
    with workplace(asked.folder, "contest-") as folder:
        figures = suite(folder, asked)
    return ended("shadow", figures, asked.seed)


if __name__ == "__main__":
    sys.exit(main())
