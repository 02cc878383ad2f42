"""`make bench-variants`: variants of one model beside each other, on every engine that is here.

    python -m benchmarks.variants [RUN] [--reference 12]

Of a run's test pictures: escapes, overkill, outcomes as FP32's on ONNX Runtime, the largest
difference of a score to the same variant on ONNX Runtime, and processor time as a ratio. Without a
RUN, 240 parts of the virtual line are drawn and learnt from first. ONNX's reference evaluator is
too slow for all pictures; it says whether the others compute what the standard says.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from benchmarks.program import LINEWARDEN
from edge.inspection.contest import contest
from edge.inspection.engine import open_scorer
from export.bundle import Bundle, open_bundle
from export.figures import Figure, save, table
from export.preprocess import Pixels
from export.signature import PublicKey, load_or_make
from export.verdict import Outcome
from trainer import album
from trainer.evaluate import Judged
from trainer.progress import Progress
from trainer.publish import Edition, publish
from trainer.run import Run

ENGINES = ("cpu", "openvino")
SEED = 1

Score = Callable[[Pixels], tuple[float, float | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A run's test pictures with what a person called them."""

    frames: Pixels
    labels: tuple[str, ...]
    parts: tuple[str, ...]

    def judged(self, score: Score, count: int) -> Judged:
        """The first `count` pictures as an engine scores them."""
        told = [score(frame[None]) for frame in self.frames[:count]]
        novelty = [value for _, value in told if value is not None]
        return Judged(
            self.labels[:count],
            self.parts[:count],
            np.array([value for value, _ in told], np.float64),
            np.array(novelty, np.float64) if novelty else None,
        )


def shown(run: Run) -> Shown:
    """The test pictures, good and defective mixed."""
    part_of = {row.path: row.part for row in run.split()}
    rows = [row for row in run.scores() if row.split == "test"]
    rows = [rows[at] for at in np.random.default_rng(SEED).permutation(len(rows))]
    paths = [row.path for row in rows]
    read = album.load(Path(run.record.data.root), paths, run.record.input.to_input())
    return Shown(read.frames, tuple(r.label for r in rows), tuple(part_of[p] for p in paths))


def engine(bundle: Bundle, provider: str) -> Score:
    """The bundle's variant as a function, on a provider or on the reference evaluator."""
    if provider == "reference":
        known = ReferenceEvaluator(onnx.load(bundle.model_path))
        names = ["score", *(["novelty"] if "novelty" in bundle.manifest.outputs else [])]

        def slowly(batch: Pixels) -> tuple[float, float | None]:
            told = known.run(names, {"frames": batch})
            return float(told[0][0]), float(told[1][0]) if len(told) > 1 else None

        return slowly
    scorer = open_scorer(bundle.model_path, (provider,))

    def quickly(batch: Pixels) -> tuple[float, float | None]:
        told = scorer.score(batch)
        return float(told.score[0]), None if told.novelty is None else float(told.novelty[0])

    return quickly


def compared(bundle: Bundle, pictures: Shown, few: int) -> list[Figure]:
    """What every variant does on every engine."""
    figures: list[Figure] = []
    every = len(pictures.labels)
    fp32 = pictures.judged(engine(bundle, "cpu"), every).outcomes(bundle.thresholds)
    for variant in bundle.variants:
        as_variant = bundle.as_variant(variant)
        base = pictures.judged(engine(as_variant, "cpu"), every)
        for provider in (*ENGINES, "reference"):
            count = few if provider == "reference" else every
            known = (
                base if provider == "cpu" else pictures.judged(engine(as_variant, provider), count)
            )
            outcomes = known.outcomes(as_variant.thresholds)
            apart = float(np.abs(known.scores - base.scores[:count]).max())
            figures += _figures(f"{variant} on {provider}", known, outcomes, fp32, apart)
            print(f"  {variant} on {provider}: {count} pictures", flush=True)
    return figures


def _figures(
    name: str, known: Judged, outcomes: list[Outcome], fp32: list[Outcome], apart: float
) -> list[Figure]:
    bad, good = known.defect, int((~known.defect).sum())
    escaped = sum(out == Outcome.PASS for out, yes in zip(outcomes, bad, strict=True) if yes)
    failed = sum(out == Outcome.FAIL for out, yes in zip(outcomes, bad, strict=True) if not yes)
    same = sum(a == b for a, b in zip(outcomes, fp32, strict=False))
    note = f"of {len(outcomes)} pictures"
    return [
        Figure(f"{name}: escape", escaped / max(1, int(bad.sum())), "", "", f"of {bad.sum()}"),
        Figure(f"{name}: overkill", failed / max(1, good), "", "", f"of {good}"),
        Figure(f"{name}: decides as fp32 on cpu", same / len(outcomes), "", "", note),
        Figure(f"{name}: score from cpu's, at most", apart, "", "", note),
    ]  # fmt: skip


def speed(bundle: Path, key: PublicKey) -> list[Figure]:
    """Processor time as a ratio to FP32 on ONNX Runtime, and memory."""
    entries = contest(bundle, [key], ENGINES)
    base = next(one.cpu_ms for one in entries if (one.variant, one.provider) == ("fp32", "cpu"))
    figures: list[Figure] = []
    for one in entries:
        name = f"{one.variant} on {one.provider}"
        if one.cpu_ms is None or base is None:
            figures.append(Figure(f"{name}: not used here", 0.0, "", "", one.problem))
            continue
        note = f"median {one.median_ms:.1f} ms, p99 {one.p99_ms:.1f} ms, one thread"
        figures.append(Figure(f"{name}: processor time to fp32's", one.cpu_ms / base, "", "", note))
        figures.append(Figure(f"{name}: memory", one.memory_mib or 0.0, "MiB"))
    return figures


def main() -> None:
    """Make what is missing, measure, print the table, write results/variants.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--reference", type=int, default=12, help="pictures for the evaluator")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="linewarden-bench-") as scratch:
        folder = Path(scratch)
        run = Run.load(asked.run or _learnt(folder))
        key, _ = load_or_make(folder / "signing.key")
        out = folder / "bundle"
        publish(run, Edition("bench", 1, out), key, variants=["int8"], progress=Progress())
        bundle = open_bundle(out, [key.public])
        figures = compared(bundle, shown(run), asked.reference) + speed(out, key.public)
        for name, why in bundle.manifest.refused.items():
            figures.append(Figure(f"{name} was not released", 0.0, "", "", why))
        for name, one in bundle.manifest.variants.items():
            figures.append(Figure(f"{name}: noise", one.noise, "sd", "<= 0.2", one.words))
    print(f"\n{table(figures)}\n\n{save(f'variants-{run.record.name}', figures, seed=SEED)}")


def _learnt(folder: Path) -> Path:
    import subprocess

    data, run = folder / "data", folder / "run"
    words = ["line", "dataset", data, "--parts", "240", "--design", "bracket", "--region"]
    subprocess.run([LINEWARDEN, *words], check=True)
    words = ["train", data, "--out", run, "--weights", "starter", "--epochs", "0"]
    subprocess.run([LINEWARDEN, *words], check=True)
    return run


if __name__ == "__main__":
    main()
