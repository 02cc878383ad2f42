"""Publishing: from a finished run to a signed bundle that a box may believe.

Exports the graph, proves it against the network that was trained, picks golden samples from the
run's test pictures and writes the bundle. Nothing is written if any step fails.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from pydantic import TypeAdapter, ValidationError

from export import golden, parity, picture, scores, stamp, to_onnx
from export.bundle import Bundle, next_version, refuse_existing, write_bundle
from export.decide import decide
from export.errors import BundleError, RunError
from export.manifest import (
    FP32,
    GOLDEN,
    MODEL,
    SCHEMA_VERSION,
    SCORES,
    VARIANTS_VERSION,
    Description,
    Name,
    Parity,
)
from export.parity import Answers
from export.preprocess import Pixels, shrink
from export.signature import PrivateKey
from trainer.backbone import normalise
from trainer.history import changed_since, changed_words
from trainer.origin import data_of, input_of, provenance_of
from trainer.progress import Progress
from trainer.run import Record, Run
from trainer.variants.make import Made, Workshop, refuse_unknown

DEFAULT_FOLDER = Path("bundles")


class Named(Protocol):
    """A run's record, as far as an edition needs it."""

    @property
    def name(self) -> str:
        """What the run is called."""
        ...


class Finished(Protocol):
    """A finished run of any kind."""

    @property
    def record(self) -> Named:
        """What it says of itself."""
        ...


@dataclass(frozen=True, slots=True)
class Edition:
    """What the bundle is called and where it goes."""

    name: str
    version: int
    out: Path

    def __post_init__(self) -> None:
        try:
            TypeAdapter(Name).validate_python(self.name)
        except ValidationError as error:
            raise BundleError(
                f"a bundle can't be called {self.name!r}",
                "give another --name: letters, digits, '.', '_' and '-', at most 64",
            ) from error

    @classmethod
    def of(
        cls, run: Finished, out: Path | None, name: str | None, version: int | None
    ) -> "Edition":
        """The edition asked for, filled up: the run's name, the next version, bundles/NAME-N."""
        name = name or run.record.name
        version = version or next_version(out.parent if out else DEFAULT_FOLDER, name)
        return cls(name, version, out or DEFAULT_FOLDER / f"{name}-{version}")


def publish(
    run: Run,
    edition: Edition,
    key: PrivateKey,
    data: Path | None = None,
    *,
    variants: Sequence[str] = (),
    progress: Progress | None = None,
) -> Bundle:
    """Make a bundle of a run.

    Args:
        run: a finished training run.
        edition: its name, version and folder.
        key: signs it.
        data: where the run's pictures lie now, if not where they were when it was trained.
        variants: to make beside FP32; one that doesn't hold is left out, and the bundle says why.
        progress: told how far the variants are.

    Raises:
        BundleError: the folder exists, the name can't be used, or the graph answers otherwise
            than the network.
        RunError, PictureError: the run's files or its test pictures can't be read.
    """
    refuse_existing(edition.out)
    refuse_unknown(variants)
    record = run.record
    network = run.network()
    answers = to_onnx.reference(network, normalise, record.temperature)
    pictures = data or Path(record.data.root)
    samples, files = _golden(run, pictures, answers)
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / MODEL
        graph = to_onnx.Graph(network, normalise, record.temperature)
        to_onnx.to_onnx(graph, record.input.height, record.input.width, model)
        made_up = parity.made_up_frames(record.input.height, record.input.width)
        shown = np.concatenate([made_up, *(pixels for _, pixels in samples)])
        found = parity.compare(answers, parity.answers_of(model), shown, record.thresholds)
        known = golden.Golden(samples=tuple(sample for sample, _ in samples))
        shop = Workshop(run, model, pictures, known, Path(scratch), progress or Progress(None))
        made = shop.make(variants) if variants else Made()
        description = describe(record, edition, found, made)
        body = known.model_dump_json(indent=2).encode() + b"\n"
        contents = {MODEL: model, GOLDEN: body, SCORES: _scores(run), **files, **made.contents}
        return write_bundle(edition.out, description, contents, key)


def _scores(run: Run) -> bytes:
    """The scores of the calibration and the test pictures, as the bundle carries them."""
    part_of = {row.path: row.part for row in run.split()}
    return scores.encode(
        [
            scores.Scored(row.split, part_of[row.path], row.label, row.score, row.novelty)
            for row in run.scores()
            if row.split in {"calibration", "test"}
        ]
    )


def _golden(
    run: Run, root: Path, answers: Callable[[Pixels], Answers]
) -> tuple[list[tuple[golden.Sample, Pixels]], dict[str, bytes]]:
    """Golden samples with their shrunk pictures (1,h,w,3), and their PNG files by path."""
    rows = [row for row in run.scores() if row.split == "test"]
    offered = [golden.Candidate(row.path, row.label, row.score, row.novelty) for row in rows]
    chosen = golden.choose(offered, run.record.thresholds)
    if not chosen:
        raise BundleError(
            f"none of the {len(rows)} test pictures of {run.folder} can be a golden sample: "
            "their scores all lie on a threshold, or there are none",
            "train with more pictures",
        )
    pictures = [picture.read(root / candidate.source) for candidate in chosen]
    known = {row.path: row.sha256 for row in run.split()}
    if changed := changed_since({one.source: known[one.source] for one in chosen}, root):
        raise RunError(
            changed_words(changed, "the run was trained"),
            "put the pictures back as they were, or train again: a golden sample must be what "
            "the run was examined on",
        )
    samples: list[tuple[golden.Sample, Pixels]] = []
    files: dict[str, bytes] = {}
    for number, png in enumerate(golden.encode(pictures)):
        path = f"golden/{number:02d}.png"
        shown = shrink(pictures[number], run.record.input.to_input())[np.newaxis]
        samples.append((_sample(path, chosen[number], answers(shown), run.record), shown))
        files[path] = png
    return samples, files


def _sample(
    path: str, chosen: golden.Candidate, answered: Answers, record: Record
) -> golden.Sample:
    score = float(answered.score[0])
    novelty = None if answered.novelty is None else float(answered.novelty[0])
    return golden.Sample(
        file=path,
        source=chosen.source.encode(errors="replace").decode(),
        label=chosen.label,
        outcome=decide(score, novelty, record.thresholds)[0],
        probabilities=tuple(min(1.0, float(value)) for value in answered.probabilities[0]),
        score=min(1.0, score),
        novelty=novelty,
    )


def describe(record: Record, edition: Edition, found: Parity, made: Made) -> Description:
    """The manifest of a run, except for the files; raises BundleError if it lacks something."""
    try:
        return Description(
            schema_version=VARIANTS_VERSION if made.variants or made.refused else SCHEMA_VERSION,
            name=edition.name,
            version=edition.version,
            created_at=stamp.now(),
            classes=record.classes,
            input=input_of(record),
            outputs=to_onnx.OUTPUTS if found.max_novelty is not None else to_onnx.OUTPUTS[:3],
            thresholds=record.thresholds,
            basis=record.basis,
            variants=made.variants,
            refused=made.refused,
            metrics={FP32: record.metrics, **made.metrics},
            data=data_of(record),
            recipe=dict(record.recipe),
            provenance=provenance_of(record, to_onnx.versions(), to_onnx.OPSET),
            parity=found,
        )
    except ValueError as error:
        raise BundleError(
            f"the run {record.name!r} can't become a bundle: {error}",
            "train again with this version of Linewarden",
        ) from error
