"""Golden samples of a catalog bundle: pictures with known answers, for every device to reproduce.

Knows neither the runtime that answers nor the one that was asked first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from export import picture
from export.catalog import CatalogSample
from export.catalog_bundle import CatalogBundle
from export.errors import BundleError
from export.golden import MOST, TOLERANCE
from export.manifest import GOLDEN
from export.preprocess import Pixels, shrink
from export.verdict import Contract, Probability

CATALOG_OUTPUTS = ("probabilities", "presentation", "novelty", "embedding")


@dataclass(frozen=True, slots=True, eq=False)
class CatalogAnswers:
    """What a model says of N pictures, all float32.

    Attributes:
        probabilities: (N,C) of the categories, calibrated.
        presentation: (N,) how much a picture is like those that the company shows, 0..1.
        novelty: (N,) how unlike every training picture; about 1 is usual.
        embedding: (N,D) of unit length; what looks alike points the same way.
    """

    probabilities: NDArray[np.float32]
    presentation: NDArray[np.float32]
    novelty: NDArray[np.float32]
    embedding: NDArray[np.float32]


class CatalogGolden(Contract):
    """The content of golden/golden.json in a catalog bundle."""

    schema_version: Literal[1] = 1
    tolerance: Probability = TOLERANCE
    samples: tuple[CatalogSample, ...] = Field(min_length=1, max_length=MOST)


def read(bundle: CatalogBundle) -> CatalogGolden:
    """The golden samples of a bundle; raises BundleError if they can't be used."""
    path = bundle.path / GOLDEN
    try:
        found = CatalogGolden.model_validate_json(bundle.read(GOLDEN))
    except ValidationError as error:
        raise BundleError(f"{path} can't be used: {error}", "export the bundle again") from error
    for sample in found.samples:
        if sample.file not in bundle.manifest.files:
            raise BundleError(f"{path} names {sample.file}, which the manifest doesn't list")
        if len(sample.probabilities) != len(bundle.manifest.categories):
            raise BundleError(f"{path}: {sample.file} has not one probability per category")
    return found


def prove(bundle: CatalogBundle, answers: Callable[[Pixels], CatalogAnswers]) -> tuple[int, float]:
    """Answer the golden samples here; returns how many, and the largest difference.

    Raises:
        BundleError: an answer differs by more than the bundle's tolerance, or isn't finite.
    """
    known, most = read(bundle), 0.0
    for sample in known.samples:
        pixels = picture.decode(bundle.read(sample.file), str(bundle.path / sample.file))
        got = answers(shrink(pixels, bundle.input)[None])
        apart = difference(
            np.array([*sample.probabilities, sample.presentation]),
            np.array([*got.probabilities[0], got.presentation[0]]),
        )
        apart = max(apart, proportion(sample.novelty, float(got.novelty[0])))
        if not apart <= known.tolerance:
            raise BundleError(
                f"golden sample {sample.file} is answered otherwise here: by {apart:.2g} "
                f"(allowed {known.tolerance:.2g})",
                "this device computes otherwise than the workstation: check its driver and "
                "runtime, or set providers to 'cpu'",
            )
        most = max(most, apart)
    return len(known.samples), most


def difference(wanted: NDArray[np.floating], got: NDArray[np.floating]) -> float:
    """The largest difference of two arrays; infinite if it is not a number."""
    apart = float(np.abs(wanted.astype(np.float64) - got).max())
    return apart if np.isfinite(apart) else float("inf")


def proportion(wanted: float, got: float) -> float:
    """How far two novelties differ; beyond 1, in proportion."""
    return difference(np.array([wanted]), np.array([got])) / max(1.0, abs(wanted))
