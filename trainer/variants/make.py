"""Makes a run's variants: each is released with its own figures, or refused with a sentence.

Called once the FP32 graph is proved. Needs the run's pictures again: training pictures for ranges,
validation pictures to search by, calibration and test pictures to be judged on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx

from export import golden, parity, scores
from export.decide import decide
from export.errors import BundleError, PictureError
from export.manifest import GOLDEN, MODEL, SCORES, Metric, Variant, name_of
from export.preprocess import Pixels
from trainer import album
from trainer.evaluate import Judged
from trainer.history import changed_words
from trainer.progress import Progress
from trainer.run import Run, ScoreRow
from trainer.variants import half, trial
from trainer.variants.answered import Answered, ask, noise
from trainer.variants.int8 import Quantiser
from trainer.variants.layers import layers, share_of_work
from trainer.variants.search import NOISE, Found, RefusedError, Search
from trainer.variants.trial import Sides

KNOWN = ("int8", "fp16")
RANGES_FROM, SEARCHED_ON = 64, 64  # pictures
# Of a probability, between any two devices; measured in docs/log.md.
TOLERANCE = {"int8": 0.05, "fp16": 0.01}


def refuse_unknown(asked: Sequence[str]) -> None:
    """Raise BundleError if a variant of another name than KNOWN is asked for."""
    if unknown := [name for name in asked if name not in KNOWN]:
        raise BundleError(
            f"no variant is called {', '.join(unknown)}", f"choose from {', '.join(KNOWN)}"
        )


@dataclass(slots=True)
class Made:
    """What becomes of the variants that were asked for.

    Attributes:
        variants: released, by name.
        metrics: their figures.
        refused: the others, with the reason.
        contents: files of the bundle.
    """

    variants: dict[str, Variant] = field(default_factory=dict[str, Variant])
    metrics: dict[str, tuple[Metric, ...]] = field(default_factory=dict[str, tuple[Metric, ...]])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    contents: dict[str, bytes | Path] = field(default_factory=dict[str, bytes | Path])


@dataclass(frozen=True, slots=True, eq=False)
class Workshop:
    """Where variants are made.

    Attributes:
        run: a finished training run.
        model: its FP32 graph, proved.
        data: where its pictures lie.
        known: FP32's golden samples.
        scratch: a folder that stays until the bundle is written.
        progress: told how far it is.
    """

    run: Run
    model: Path
    data: Path
    known: golden.Golden
    scratch: Path
    progress: Progress

    def make(self, asked: Sequence[str]) -> Made:
        """Make the variants, of KNOWN; their files stay in the scratch folder.

        Raises:
            PictureError: the run's pictures can't be read, or aren't what it was trained on.
            BundleError: a tool failed.
        """
        made = Made()
        self.progress.say(f"variants: {', '.join(asked)}")
        for name in asked:
            try:
                self._make(name, made)
            except RefusedError as reason:
                made.refused[name] = str(reason)
                self.progress.say(f"  {name} is not released: {reason}")
        return made

    def _make(self, name: str, made: Made) -> None:
        found = self._int8() if name == "int8" else self._fp16()
        fp32, other = self._sides(found.model, name)
        trial.veto(fp32, other)
        known = self._golden(found.model, other, name)
        made.variants[name] = Variant(
            thresholds=other.thresholds,
            basis=other.basis,
            agreement=trial.agreement(fp32, other),
            runtime=parity.runtime(),
            work=found.work,
            in_float=found.in_float,
            noise=found.noise,
            words=_words(name, found),
        )
        made.metrics[name] = trial.metrics(other)
        made.contents[name_of(MODEL, name)] = found.model
        made.contents[name_of(GOLDEN, name)] = known.model_dump_json(indent=2).encode() + b"\n"
        made.contents[name_of(SCORES, name)] = scores.encode(_scored(other), _scored(fp32))

    def _int8(self) -> Found:
        taught = self._frames(self._rows("train", RANGES_FROM))
        rows = self._rows("validation", SEARCHED_ON)
        frames = self._frames(rows)
        wanted = ask(self.model, frames)
        quantiser = Quantiser.of(self.model, taught, self.scratch)
        return Search(quantiser, frames, wanted, self.progress).run()

    def _fp16(self) -> Found:
        frames = self._frames(self._rows("validation", SEARCHED_ON))
        model = half.write(self.model, self.scratch / "half.onnx")
        found = noise(ask(self.model, frames), ask(model, frames))
        if found > NOISE:
            raise RefusedError(
                f"its answers are {found:.2f} standard deviations from fp32's, {NOISE:g} allowed"
            )
        every = layers(onnx.load(self.model))
        return Found(model, found, (), share_of_work(every, every))

    def _sides(self, model: Path, name: str) -> tuple[Sides, Sides]:
        """FP32's side and the variant's."""
        fp32: dict[str, Judged] = {}
        other: dict[str, Judged] = {}
        part_of = {row.path: row.part for row in self.run.split()}
        for split in ("calibration", "test"):
            rows = self._rows(split)
            frames = self._frames(rows)
            with self.progress.phase(f"{name} judges the {split} pictures", len(rows)) as advance:
                answered = ask(model, frames, advance)
            fp32[split] = _judged(rows, part_of, None)
            other[split] = _judged(rows, part_of, answered)
        record = self.run.record
        known = Sides(fp32["calibration"], fp32["test"], record.thresholds, record.basis)
        return known, trial.place(other["calibration"], other["test"], record.basis)

    def _golden(self, model: Path, sides: Sides, name: str) -> golden.Golden:
        """The golden samples with the variant's own answers, where no threshold is near."""
        graph, kept = parity.answers_of(model), []
        for sample, frame in self._golden_frames():
            told = graph(frame[None])
            novelty = None if told.novelty is None else float(told.novelty[0])
            score = min(1.0, float(told.score[0]))
            outcome, _reason = decide(score, novelty, sides.thresholds)
            chances = tuple(min(1.0, float(value)) for value in told.probabilities[0])
            answered = sample.model_copy(
                update={"outcome": outcome, "score": score, "novelty": novelty,
                        "probabilities": chances}
            )  # fmt: skip
            if golden.is_clear(answered, sides.thresholds, TOLERANCE[name]):
                kept.append(answered)
        if not kept:
            raise RefusedError(
                f"each of the {len(self.known.samples)} golden samples is so near to one of its "
                "thresholds that rounding would decide over it: nothing could prove it on a box"
            )
        return golden.Golden(tolerance=TOLERANCE[name], samples=tuple(kept))

    def _golden_frames(self) -> list[tuple[golden.Sample, Pixels]]:
        sources = [sample.source for sample in self.known.samples]
        return list(zip(self.known.samples, self._read(sources), strict=True))

    def _rows(self, split: str, most: int | None = None) -> list[ScoreRow]:
        """The rows of a split; at most so many, drawn by the run's seed, every class's share."""
        rows = [row for row in self.run.scores() if row.split == split]
        if not rows:
            raise BundleError(f"{self.run.folder} has no {split} pictures", "train it again")
        if most is None or len(rows) <= most:
            return rows
        order = np.random.default_rng(self.run.record.seed).permutation(len(rows))
        return [rows[number] for number in order[:most]]

    def _frames(self, rows: Sequence[ScoreRow]) -> Pixels:
        return self._read([row.path for row in rows])

    def _read(self, paths: Sequence[str]) -> Pixels:
        read = album.load(self.data, paths, self.run.record.input.to_input())
        if read.unreadable:
            raise PictureError(
                f"{len(read.unreadable)} of the run's pictures can't be read, the first: "
                f"{read.unreadable[0][1]}",
                "say where they lie with --data, or export with --variants none",
            )
        known = {row.path: row.sha256 for row in self.run.split()}
        taken = zip(read.paths, read.digests, strict=True)
        if changed := [path for path, digest in taken if known.get(path) not in ("", digest)]:
            raise PictureError(
                changed_words(changed, "the run was trained"),
                "put the pictures back as they were, train again, or export with --variants none",
            )
        return read.frames


def _judged(rows: Sequence[ScoreRow], part_of: dict[str, str], answered: Answered | None) -> Judged:
    """The rows as FP32 scored them, or as a variant answered."""
    told = [row.novelty for row in rows if row.novelty is not None]
    own = np.array([row.score for row in rows], np.float64)
    novelty = np.array(told, np.float64) if len(told) == len(rows) else None
    return Judged(
        tuple(row.label for row in rows),
        tuple(part_of[row.path] for row in rows),
        own if answered is None else answered.scores,
        novelty if answered is None else answered.novelty,
    )


def _scored(sides: Sides) -> list[scores.Scored]:
    found: list[scores.Scored] = []
    for split, judged in (("calibration", sides.calibration), ("test", sides.test)):
        none = [None] * len(judged.scores)
        strange = none if judged.novelty is None else judged.novelty.tolist()
        every = zip(judged.parts, judged.labels, judged.scores.tolist(), strange, strict=True)
        found += [scores.Scored(split, *one) for one in every]
    return found


def _words(name: str, found: Found) -> str:
    if name == "fp16":
        return f"the trunk in FP16, the rest in FP32; noise {found.noise:.4f}"
    kept = ", ".join(found.in_float)
    rest = f", {kept} in FP32" if kept else ""
    return (
        f"U8S8 per channel, 7-bit weights; {found.work:.0%} of the multiplications in "
        f"INT8{rest}; noise {found.noise:.3f} of {NOISE:g} allowed"
    )
