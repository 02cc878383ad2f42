"""From a finished run of product pictures to a signed bundle, or to nothing if a step fails."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from export import picture, stamp, to_onnx
from export.catalog import CatalogDescription, CatalogParity, CatalogSample
from export.catalog_bundle import CatalogBundle, write_catalog
from export.catalog_golden import (
    CATALOG_OUTPUTS,
    CatalogAnswers,
    CatalogGolden,
    difference,
    proportion,
)
from export.errors import BundleError, RunError
from export.golden import COUNT, encode
from export.manifest import GOLDEN, MODEL
from export.parity import TOLERANCE, made_up_frames, runtime
from export.preprocess import Pixels, shrink
from export.sealed_folder import refuse_existing
from export.signature import PrivateKey
from trainer.backbone import normalise
from trainer.catalog.record import CatalogRecord, CatalogRun, Told
from trainer.history import changed_since, changed_words
from trainer.origin import data_of, input_of, provenance_of
from trainer.publish import Edition
from trainer.run import read_csv


def publish(
    run: CatalogRun, edition: Edition, key: PrivateKey, data: Path | None = None
) -> CatalogBundle:
    """Make a bundle of a run.

    Args:
        run: a finished training run.
        edition: its name, version and folder.
        key: signs it.
        data: where the run's pictures lie now, if not where they were when it was trained.

    Raises:
        BundleError: the folder exists, or the graph answers otherwise than the network.
        RunError, PictureError: the run's files or its test pictures can't be read.
    """
    refuse_existing(edition.out)
    record, network = run.record, run.network()
    answers = to_onnx.catalog_reference(network, normalise, record.temperature)
    samples, files, shown = _golden(run, data or Path(record.data.root), answers)
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / MODEL
        graph = to_onnx.CatalogGraph(network, normalise, record.temperature)
        to_onnx.to_onnx(graph, record.input.height, record.input.width, model)
        made_up = made_up_frames(record.input.height, record.input.width)
        found = compare(answers, answers_of(model), np.concatenate([made_up, shown]))
        body = CatalogGolden(samples=tuple(samples)).model_dump_json(indent=2).encode() + b"\n"
        contents = {MODEL: model, GOLDEN: body, **files}
        return write_catalog(edition.out, _describe(record, edition, found), contents, key)


def _golden(
    run: CatalogRun, root: Path, answers: Callable[[Pixels], CatalogAnswers]
) -> tuple[list[CatalogSample], dict[str, bytes], Pixels]:
    """Golden samples, their PNG files by path, and as the model sees them (n,h,w,3)."""
    rows = [Told.model_validate(row) for row in read_csv(run.folder / "told.csv")]
    chosen = _chosen([row for row in rows if row.split == "test"])
    known = {row["path"]: row["sha256"] for row in read_csv(run.folder / "split.csv")}
    if changed := changed_since({row.path: known[row.path] for row in chosen}, root):
        raise RunError(
            changed_words(changed, "the run was trained"),
            "put the pictures back as they were, or train again",
        )
    pictures = [picture.read(root / row.path, picture.WHITE) for row in chosen]
    to = run.record.input.to_input()
    shown = np.stack([shrink(pixels, to) for pixels in pictures])
    samples: list[CatalogSample] = []
    files: dict[str, bytes] = {}
    for number, png in enumerate(encode(pictures)):
        path, told = f"golden/{number:02d}.png", answers(shown[number : number + 1])
        files[path] = png
        samples.append(
            CatalogSample(
                file=path,
                source=chosen[number].path,
                label=chosen[number].category,
                probabilities=tuple(min(1.0, float(p)) for p in told.probabilities[0]),
                presentation=float(told.presentation[0]),
                novelty=float(told.novelty[0]),
            )
        )
    return samples, files, shown


def _chosen(rows: list[Told]) -> list[Told]:
    """Of every category in turn, the picture that it is least sure of: the better test."""
    turns: dict[str, list[Told]] = {}
    for row in sorted(rows, key=lambda one: (one.confidence, one.path)):
        turns.setdefault(row.category, []).append(row)
    rounds = max((len(found) for found in turns.values()), default=0)
    names = sorted(turns)
    return [turns[n][i] for i in range(rounds) for n in names if i < len(turns[n])][:COUNT]


def answers_of(model: Path, threads: int = 1) -> Callable[[Pixels], CatalogAnswers]:
    """The graph at `model` on ONNX Runtime's CPU, as a function of (N,H,W,3) uint8 BGR."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def answers(batch: Pixels) -> CatalogAnswers:
        return CatalogAnswers(*session.run(list(CATALOG_OUTPUTS), {"frames": batch}))  # pyright: ignore[reportArgumentType]

    return answers


def compare(
    reference: Callable[[Pixels], CatalogAnswers],
    graph: Callable[[Pixels], CatalogAnswers],
    pictures: Pixels,
    tolerance: float = TOLERANCE,
) -> CatalogParity:
    """Compare two models picture by picture; raises BundleError beyond the tolerance."""
    worst = dict.fromkeys(("probabilities", "presentation", "embedding", "novelty"), 0.0)
    for number in range(len(pictures)):
        wanted, got = (one(pictures[number : number + 1]) for one in (reference, graph))
        for name, before in worst.items():
            a, b = getattr(wanted, name), getattr(got, name)
            apart = proportion(float(a[0]), float(b[0])) if name == "novelty" else difference(a, b)
            if not apart <= tolerance:
                raise BundleError(
                    f"the exported graph differs from the trained network in {name} by "
                    f"{apart:.3g} (allowed {tolerance:.3g}), on picture {number}",
                    "nothing was published; this is a fault of the exporter or of its versions: "
                    "please report",
                )
            worst[name] = max(before, apart)
    return CatalogParity(
        pictures=len(pictures),
        max_abs_probability=worst["probabilities"],
        max_abs_presentation=worst["presentation"],
        max_novelty=worst["novelty"],
        max_abs_embedding=worst["embedding"],
        tolerance=tolerance,
        runtime=runtime(),
    )


def _describe(record: CatalogRecord, edition: Edition, found: CatalogParity) -> CatalogDescription:
    return CatalogDescription(
        name=edition.name,
        version=edition.version,
        created_at=stamp.now(),
        categories=record.categories,
        input=input_of(record),
        outputs=CATALOG_OUTPUTS,
        novel_above=record.novel_above,
        novelty=record.novelty,
        presentation=record.presentation,
        metrics=record.metrics,
        confusion=record.confusion,
        data=data_of(record),
        recipe=dict(record.recipe),
        provenance=provenance_of(record, to_onnx.versions(), to_onnx.OPSET),
        parity=found,
    )
