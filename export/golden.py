"""Golden samples: pictures with known answers, which a bundle must reproduce before it goes live.

They lie in the bundle at the camera's size, so that the box's own decoding, shrinking and device
are all proved at once. Knows neither the runtime that answers nor the one that was asked first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from export import picture
from export.bundle import Bundle
from export.decide import decide
from export.errors import BundleError
from export.manifest import GOLDEN, FilePath
from export.preprocess import Pixels
from export.verdict import Contract, Finite, Outcome, Probability, Thresholds

TOLERANCE = 5e-3  # of a probability, between any two devices at FP32
COUNT, MOST = 8, 64  # each costs a start of the box
MAX_TOTAL_BYTES = 32 * 1024 * 1024


class Sample(Contract):
    """One picture and what the model answered on the workstation."""

    file: FilePath
    source: str = Field(description="where the picture came from")
    label: str = Field(description="the class that a person gave it")
    outcome: Outcome
    probabilities: tuple[Probability, ...]
    score: Probability
    novelty: Finite | None = Field(default=None, description="or null if the model gives none")


class Golden(Contract):
    """The content of golden/golden.json."""

    schema_version: Literal[1] = 1
    tolerance: Probability = TOLERANCE
    samples: tuple[Sample, ...] = Field(min_length=1, max_length=MOST)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A labelled picture that could become a golden sample, with the answers it got."""

    source: str
    label: str
    score: float
    novelty: float | None = None


def choose(
    candidates: Sequence[Candidate], thresholds: Thresholds, count: int = COUNT
) -> list[Candidate]:
    """Choose golden samples: of every class in turn, the one whose score is least saturated.

    A score near 0 or 1 hardly moves when a device computes wrongly, so the middle is the better
    test; but none is chosen within twice the tolerance of a threshold, where rounding decides.
    """
    clear = [candidate for candidate in candidates if is_clear(candidate, thresholds)]
    by_label: dict[str, list[Candidate]] = {}
    for candidate in sorted(clear, key=lambda one: (abs(one.score - 0.5), one.source)):
        by_label.setdefault(candidate.label, []).append(candidate)
    labels = sorted(by_label)
    rounds = max((len(found) for found in by_label.values()), default=0)
    turns = [
        by_label[label][i] for i in range(rounds) for label in labels if i < len(by_label[label])
    ]
    return turns[:count]


def is_clear(
    candidate: Candidate | Sample, thresholds: Thresholds, tolerance: float = TOLERANCE
) -> bool:
    """Whether its answers lie so far from every threshold that rounding can't decide over it."""
    limits = (thresholds.pass_below, thresholds.fail_above)
    if min(abs(candidate.score - limit) for limit in limits) <= 2 * tolerance:
        return False
    if candidate.novelty is None or thresholds.novel_above is None:
        return True
    return _apart(thresholds.novel_above, candidate.novelty) > 2 * tolerance


def _apart(novelty: float, other: float) -> float:
    """How far two novelties differ; beyond 1, in proportion."""
    return abs(novelty - other) / max(1.0, abs(novelty))


def encode(pictures: Sequence[Pixels]) -> list[bytes]:
    """PNG files of `pictures`, as many as fit into MAX_TOTAL_BYTES but at least one."""
    files: list[bytes] = []
    for pixels in pictures:
        done, data = cv2.imencode(".png", pixels)
        if not done:
            raise BundleError(f"a golden sample of shape {pixels.shape} can't be written as PNG")
        file = data.tobytes()
        if files and sum(map(len, files)) + len(file) > MAX_TOTAL_BYTES:
            break
        files.append(file)
    return files


def read(bundle: Bundle) -> Golden:
    """The golden samples of a bundle; raises BundleError if they can't be used."""
    path = bundle.path / bundle.file(GOLDEN)
    try:
        found = Golden.model_validate_json(bundle.read(bundle.file(GOLDEN)))
    except ValidationError as error:
        raise BundleError(f"{path} can't be used: {error}", "export the bundle again") from error
    for sample in found.samples:
        if sample.file not in bundle.manifest.files:
            raise BundleError(f"{path} names {sample.file}, which the manifest doesn't list")
        if len(sample.probabilities) != len(bundle.manifest.classes):
            raise BundleError(f"{path}: {sample.file} has not one probability per class")
    return found


def pictures(bundle: Bundle, known: Golden) -> Iterator[tuple[Sample, Pixels]]:
    """Every golden sample with its picture, HxWx3 uint8 BGR at the camera's size."""
    for sample in known.samples:
        yield sample, picture.decode(bundle.read(sample.file), str(bundle.path / sample.file))


def check(
    sample: Sample,
    probabilities: NDArray[np.float32],
    score: float,
    thresholds: Thresholds,
    tolerance: float = TOLERANCE,
    *,
    novelty: float | None = None,
) -> float:
    """Compare an answer with the known one.

    Args:
        sample: the golden sample.
        probabilities: (C,) as answered here.
        score: as answered here.
        thresholds: decide the outcome.
        tolerance: largest allowed difference of a probability; of a novelty beyond 1, in
            proportion to it.
        novelty: as answered here; it must be there if the sample has one.

    Returns:
        The largest difference of a probability, the score or the novelty.

    Raises:
        BundleError: it exceeds the tolerance, isn't finite, or the outcome differs.
    """
    expected = np.array([*sample.probabilities, sample.score])
    answered = np.array([*map(float, probabilities), score])
    difference = float(np.abs(expected - answered).max())
    if sample.novelty is not None:
        known = sample.novelty
        difference = max(difference, np.inf if novelty is None else _apart(known, novelty))
    outcome, _reason = decide(score, novelty, thresholds)
    if not difference <= tolerance or outcome != sample.outcome:
        raise BundleError(
            f"golden sample {sample.file} must {sample.outcome} with score {sample.score:.4f}, "
            f"but here it would {outcome} with {score:.4f} (largest difference {difference:.2g}, "
            f"allowed {tolerance:.2g})",
            "this device computes otherwise than the workstation: check its driver and runtime, "
            "or set providers to 'cpu'",
        )
    return difference
