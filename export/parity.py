"""Parity: does the graph answer in ONNX Runtime as the network did in torch?

A bundle is only made if it does, on its golden samples and on made-up frames alike. Knows
neither torch nor the trainer: the reference comes as a function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from export import golden
from export.bundle import Bundle
from export.decide import decide
from export.errors import BundleError
from export.manifest import Parity
from export.preprocess import Pixels, shrink
from export.verdict import Outcome, Thresholds

TOLERANCE = 1e-3  # of a probability, ONNX Runtime's CPU against torch's, both FP32
_NEEDED = frozenset({"probabilities", "score", "heatmap"})
_ort: Any = cast("Any", onnxruntime)  # untyped; contained here


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model answers, all float32: (N,C) probabilities, (N,) score, (N,h,w) heatmap.

    And (N,) novelty, or None if the model gives none.
    """

    probabilities: NDArray[np.float32]
    score: NDArray[np.float32]
    heatmap: NDArray[np.float32]
    novelty: NDArray[np.float32] | None = None


def answers_of(model_path: Path, threads: int = 1) -> Callable[[Pixels], Answers]:
    """The graph at `model_path` on ONNX Runtime's CPU, as a function of (N,H,W,3) uint8 BGR."""
    options = _ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = _ort.InferenceSession(
            str(model_path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise BundleError(
            f"ONNX Runtime can't load {model_path}: {error}", "export it again"
        ) from error

    names: list[str] = [output.name for output in session.get_outputs()]
    if not _NEEDED <= set(names) <= _NEEDED | {"novelty"}:
        raise BundleError(f"{model_path} has the outputs {', '.join(names)}", "export it again")

    def answers(batch: Pixels) -> Answers:
        return Answers(**dict(zip(names, session.run(names, {"frames": batch}), strict=True)))

    return answers


def reproduce(bundle: Bundle) -> tuple[int, float]:
    """Answer a bundle's golden samples on the CPU; returns how many, and the largest difference.

    Of the variant that it speaks as.

    Raises:
        BundleError: an answer differs by more than the bundle's tolerance.
    """
    known = golden.read(bundle)
    with bundle.sealed_model() as model:
        graph = answers_of(model)
    differences: list[float] = []
    for sample, picture in golden.pictures(bundle, known):
        batch = shrink(picture, bundle.input)[np.newaxis]
        try:
            differences.append(_difference(graph, batch, sample, bundle.thresholds, known))
        except (BundleError, MemoryError):
            raise
        except Exception as error:
            # ONNX Runtime's exceptions share no base below Exception.
            said = (str(error) or type(error).__name__).splitlines()[0]
            raise BundleError(
                f"{bundle.model_path} can't answer the golden sample {sample.file}: {said}",
                "export the bundle again",
            ) from error
    return len(differences), max(differences)


def runtime() -> str:
    """What the graphs run on here, in words."""
    return f"onnxruntime {_ort.__version__}, CPU"


def _difference(
    graph: Callable[[Pixels], Answers],
    batch: Pixels,
    sample: golden.Sample,
    thresholds: Thresholds,
    known: golden.Golden,
) -> float:
    got = graph(batch)
    novelty = None if got.novelty is None else float(got.novelty[0])
    score = float(got.score[0])
    return golden.check(
        sample, got.probabilities[0], score, thresholds, known.tolerance, novelty=novelty
    )


def made_up_frames(height: int, width: int, count: int = 8, seed: int = 0) -> Pixels:
    """(count, height, width, 3) uint8: noise, flat colours, and smooth shades by turns."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    shade = ((rows + columns) * 255 // (height + width)).astype(np.uint8)
    frames = np.empty((count, height, width, 3), np.uint8)
    for i in range(count):
        if i % 3 == 0:
            frames[i] = random.integers(0, 256, (height, width, 3), np.uint8)
        elif i % 3 == 1:
            frames[i] = random.integers(0, 256, 3, np.uint8)
        else:
            frames[i] = np.roll(shade, int(random.integers(0, width)), axis=1)[:, :, None]
    return frames


def compare(
    reference: Callable[[Pixels], Answers],
    graph: Callable[[Pixels], Answers],
    pictures: Pixels,
    thresholds: Thresholds,
    tolerance: float = TOLERANCE,
) -> Parity:
    """Compare two models picture by picture.

    Args:
        reference: how it should answer.
        graph: how it answers after export.
        pictures: (N,H,W,3) uint8 BGR of the model's input size.
        thresholds: decide the outcomes.
        tolerance: largest allowed difference of a probability, a score or a novelty; of a
            novelty beyond 1, in proportion to it.

    Raises:
        BundleError: a difference exceeds the tolerance, isn't finite, or changes an outcome.
    """
    worst = dict.fromkeys(_compared(reference, pictures[:1]), 0.0)
    for number in range(len(pictures)):
        picture = pictures[number : number + 1]
        wanted, got = reference(picture), graph(picture)
        for name, before in worst.items():
            distance = _distance(getattr(wanted, name), getattr(got, name), name == "novelty")
            worst[name] = max(before, distance)
            if name != "heatmap" and not distance <= tolerance:
                raise _differs(f"{name} by {distance:.3g} (allowed {tolerance:.3g})", number)
        before, after = (_outcome(one, thresholds) for one in (wanted, got))
        if before != after:
            told = f"outcome: {before} became {after} at score {float(got.score[0]):.4f}"
            raise _differs(told, number)
    return Parity(
        pictures=len(pictures),
        max_abs_probability=worst["probabilities"],
        max_abs_score=worst["score"],
        max_abs_heatmap=worst["heatmap"],
        max_novelty=worst.get("novelty"),
        tolerance=tolerance,
        runtime=runtime(),
    )


def _compared(reference: Callable[[Pixels], Answers], picture: Pixels) -> tuple[str, ...]:
    told = ("probabilities", "score", "heatmap")
    return told if reference(picture).novelty is None else (*told, "novelty")


def _outcome(answers: Answers, thresholds: Thresholds) -> Outcome:
    novelty = None if answers.novelty is None else float(answers.novelty[0])
    return decide(float(answers.score[0]), novelty, thresholds)[0]


def _distance(
    wanted: NDArray[np.float32], got: NDArray[np.float32] | None, in_proportion: bool
) -> float:
    if got is None or wanted.shape != got.shape:
        return float("inf")
    unit = np.maximum(1.0, np.abs(wanted)) if in_proportion else 1.0
    distance = float((np.abs(wanted.astype(np.float64) - got) / unit).max())
    return distance if np.isfinite(distance) else float("inf")


def _differs(what: str, number: int) -> BundleError:
    return BundleError(
        f"the exported graph differs from the trained network in {what}, on picture {number}",
        "nothing was published; this is a fault of the exporter or of its versions: please report",
    )
