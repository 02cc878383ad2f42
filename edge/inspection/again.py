"""Judging a kept sample again: does the same picture, bundle and setting give the same verdict?

Compares every field that is a function of picture, bundle and settings, as bytes of JSON. Where
something is no longer the same it says what, and how far the figures are apart. Knows no camera and
no broker.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.inspection.inspector import Inspector, Judgement
from export import picture
from export.errors import PictureError, SampleError
from export.preprocess import Pixels, Region
from export.sample import Computed, Sample
from export.verdict import FAIL_SAFE, Outcome, Reason, Verdict

TOLERANCE = 1e-3  # of a probability, on another device; a golden sample's too
# These are made by the box's state (time, load, wires), not by the picture.
CIRCUMSTANCE = FAIL_SAFE - {Reason.NOT_FINITE}
FIELDS = ("outcome", "reason", "score", "probabilities", "novelty", "thresholds", "bundle")


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """What judging a sample again gave.

    Attributes:
        sample: as it was kept.
        judgement: now, or None where nothing could be judged.
        before, now: the fields as bytes of JSON.
        changed: what is no longer as it was, in words: then only the tolerance binds.
        gone: what is missing for a comparison, in words.
        difference: largest difference of a score or probability, None if one has none.
        pixels: the picture, if it is there.
    """

    sample: Sample
    judgement: Judgement | None
    before: bytes
    now: bytes
    changed: tuple[str, ...] = ()
    gone: str = ""
    difference: float | None = None
    pixels: Pixels | None = None

    @property
    def same(self) -> bool:
        """Whether every field is the same to the byte."""
        return not self.gone and self.before == self.now

    @property
    def holds(self) -> bool:
        """Whether it is reproduced: to the byte, or nearly where something has changed."""
        near = self.difference is not None and self.difference <= TOLERANCE
        alike = self.judgement and self.judgement.outcome is self.sample.verdict.outcome
        return self.same or bool(self.changed and near and alike and not self.gone)


def judge_again(
    sample: Sample,
    path: Path,
    inspector: Inspector,
    here: Computed,
    fail_safe: Outcome = Outcome.FAIL,
) -> Again:
    """Judge the sample's picture at `path` again.

    Args:
        sample: as it was kept.
        path: of its picture.
        inspector: of the camera's bundle as it is now.
        here: what computes now.
        fail_safe: the camera's outcome for a part without a trustworthy result.
    """
    verdict = sample.verdict
    before = said(verdict)
    if verdict.reason in CIRCUMSTANCE:
        gone = f"it is fail-safe ({verdict.reason}): the box's state decided, not the picture"
        return Again(sample, None, before, b"", gone=gone, pixels=_picture_or_none(path))
    try:
        pixels = kept_picture(sample, path)
    except (PictureError, SampleError) as error:
        return Again(sample, None, before, b"", gone=error.problem)
    judgement = in_window(inspector, sample).judge(pixels)
    if judgement.reason in FAIL_SAFE:
        judgement = replace(judgement, outcome=fail_safe)
    now = said(judgement)
    return Again(
        sample, judgement, before, now, changed(sample, inspector, here),
        difference=_difference(verdict, judgement), pixels=pixels,
    )  # fmt: skip


def said(of: Verdict | Judgement) -> bytes:
    """The fields that the picture, the bundle and the settings make, as JSON."""
    told: dict[str, Any] = {}
    for name in FIELDS:
        value: Any = getattr(of, name)
        told[name] = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    return json.dumps(told, indent=1, ensure_ascii=False).encode()


def kept_picture(sample: Sample, path: Path) -> Pixels:
    """The sample's pixels; raises SampleError if the file isn't the one that was kept."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise SampleError(f"its picture {path} is gone: {error.strerror}") from error
    if hashlib.sha256(body).hexdigest() != sample.image.sha256:
        raise SampleError(f"its picture {path} was changed: its SHA-256 differs")
    return picture.decode(body, str(path))


def in_window(inspector: Inspector, sample: Sample) -> Inspector:
    """The inspector as it looked then: at the sample's own region."""
    if (told := sample.region) is None:
        return inspector
    region = Region(told.x, told.y, told.width, told.height)
    return Inspector(
        inspector.scorer,
        replace(inspector.input, region=region),
        inspector.thresholds,
        inspector.classes,
        inspector.bundle,
    )


def changed(sample: Sample, inspector: Inspector, here: Computed) -> tuple[str, ...]:
    """What is no longer as it was when the sample was judged."""
    found: list[str] = []
    if sample.image.suffix != "png":
        found.append("the picture was kept as JPEG: its pixels are near what was judged, not equal")
    before, then = sample.verdict.bundle, sample.computed
    if before is not None and before.digest != inspector.bundle.digest:
        now = inspector.bundle
        found.append(
            f"the bundle was replaced: {before.name} {before.version} ({before.digest[:12]}) "
            f"judged then, {now.name} {now.version} ({now.digest[:12]}) now"
        )
    if then is None:
        found.append("it isn't known what computed the verdict then")
    else:
        found += [
            f"another {name}: {was} then, {now} now"
            for name in type(here).model_fields
            if (was := getattr(then, name)) != (now := getattr(here, name))
        ]
    return tuple(found)


def _difference(verdict: Verdict, judgement: Judgement) -> float | None:
    if verdict.score is None or judgement.score is None:
        return None
    apart = [abs(verdict.score - judgement.score)]
    for name, value in verdict.probabilities.items():
        apart.append(abs(value - judgement.probabilities.get(name, 2.0)))
    return max(apart)


def _picture_or_none(path: Path) -> Pixels | None:
    try:
        return picture.read(path)
    except PictureError:
        return None
