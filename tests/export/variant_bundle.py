"""A small bundle with an INT8 variant: the same mean brightness, with thresholds of its own."""

from pathlib import Path

import cv2
import numpy as np

from export import scores
from export.bundle import Bundle, write_bundle
from export.golden import Golden, Sample
from export.manifest import GOLDEN, MODEL, SCORES, Agreement, Variant, name_of
from export.signature import PrivateKey
from export.verdict import Thresholds
from tests.export.small_bundle import HEIGHT, WIDTH, description, golden_files, small_graph

OWN = Thresholds(pass_below=0.25, fail_above=0.75)
AGREED = Agreement(pictures=240, same_outcome=200, max_abs_score=0.0, mean_abs_score=0.0)


def variant() -> Variant:
    """What the manifest says of it."""
    return Variant(
        thresholds=OWN, basis=description().basis, agreement=AGREED, runtime="-", work=1.0,
        noise=0.0, words="made for tests",
    )  # fmt: skip


def rows(shift: float = 0.0) -> list[scores.Scored]:
    """60 good and 60 bright parts in either split, scores apart."""
    rng = np.random.default_rng(0)
    return [
        scores.Scored(split, f"{label}{number}", label, float(rng.uniform(low, high)) + shift)
        for split in ("calibration", "test")
        for label, low, high in (("good", 0.05, 0.3), ("bright", 0.6, 0.9))
        for number in range(60)
    ]


def variant_bundle(
    out: Path,
    key: PrivateKey,
    gain: float = 1.0,
    level: int = 20,
    *,
    known: float = 1.0,
    version: int = 1,
) -> Bundle:
    """Write a signed bundle; INT8 answers `gain` of the brightness, its golden samples `known`."""
    score = known * level / 255
    picture = np.full((2 * HEIGHT, 2 * WIDTH, 3), level, np.uint8)
    sample = Sample(
        file="golden/00.png", source="flat.png", label="good", outcome="pass",
        probabilities=(1 - score, score), score=score,
    )  # fmt: skip
    contents: dict[str, bytes | Path] = {
        MODEL: small_graph().SerializeToString(),
        name_of(MODEL, "int8"): small_graph(gain=gain).SerializeToString(),
        **golden_files(level),
        "golden/00.png": cv2.imencode(".png", picture)[1].tobytes(),
        name_of(GOLDEN, "int8"): Golden(samples=(sample,)).model_dump_json().encode(),
        SCORES: scores.encode(rows()),
        name_of(SCORES, "int8"): scores.encode(rows(0.01), rows()),
    }
    told = description(
        schema_version=2, version=version, variants={"int8": variant()},
        refused={"fp16": "it was not asked for"}, metrics={**description().metrics, "int8": ()},
    )  # fmt: skip
    return write_bundle(out, told, contents, key)
