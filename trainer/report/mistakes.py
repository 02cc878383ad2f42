"""The worst mistakes, as pictures: what the line would see, and where the model saw a defect.

Escapes come first, those with the lowest score foremost; then overkills with the highest.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from export import heat, picture
from export.errors import PictureError
from export.parity import Answers
from export.preprocess import Input, Pixels, shrink
from export.verdict import Outcome
from trainer.report.evidence import Evidence

WIDTH = 300  # pixels of a shown picture
_QUALITY = 88


@dataclass(frozen=True, slots=True)
class Case:
    """One picture that the line would have decided wrongly.

    Attributes:
        kind: `escape` or `overkill`.
        said: the likeliest class.
        plain: the picture as a data URL, or None if its file is gone.
        tinted: the same with the heatmap.
    """

    kind: str
    path: str
    label: str
    said: str
    score: float
    plain: str | None = None
    tinted: str | None = None


def worst(evidence: Evidence, at_most: int) -> list[int]:
    """Positions of the worst mistakes: escapes by rising, then overkills by falling score."""
    defect, scores = evidence.judged.defect, evidence.judged.scores
    passed = np.flatnonzero((evidence.outcomes == Outcome.PASS) & defect)
    failed = np.flatnonzero((evidence.outcomes == Outcome.FAIL) & ~defect)
    missed = sorted(passed.tolist(), key=lambda at: float(scores[at]))
    alarmed = sorted(failed.tolist(), key=lambda at: -float(scores[at]))
    kept = missed[: max(-(-at_most // 2), at_most - len(alarmed))]
    return kept + alarmed[: at_most - len(kept)]


def cases(
    evidence: Evidence,
    positions: Sequence[int],
    root: Path,
    to: Input,
    answers: Callable[[Pixels], Answers],
) -> list[Case]:
    """The mistakes at `positions`, with their pictures where the files still are.

    Args:
        evidence: the judged pictures.
        positions: which of them.
        root: the data set.
        to: the network's input.
        answers: the network, on (N,H,W,3) uint8 BGR pictures.
    """
    said = evidence.likeliest()
    found: list[Case] = []
    for at in positions:
        label = evidence.judged.labels[at]
        defective = bool(evidence.judged.defect[at])
        case = Case(
            kind="escape" if defective else "overkill",
            path=evidence.paths[at],
            label=label,
            said=evidence.classes[int(said[at])],
            score=float(evidence.judged.scores[at]),
        )
        found.append(_shown(case, root, to, answers))
    return found


def _shown(case: Case, root: Path, to: Input, answers: Callable[[Pixels], Answers]) -> Case:
    try:
        pixels = picture.read(root / case.path)
    except PictureError:
        return case  # the page says that the file is gone
    heatmap = answers(shrink(pixels, to)[np.newaxis]).heatmap[0]
    inside = to.region.cut(pixels)
    scale = WIDTH / inside.shape[1]
    size = (WIDTH, max(1, round(inside.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    plain = cast("Pixels", cv2.resize(np.ascontiguousarray(inside), size, interpolation=method))
    tinted = plain.copy()
    heat.tint(tinted, heatmap, 1)
    return Case(case.kind, case.path, case.label, case.said, case.score, _url(plain), _url(tinted))


def _url(pixels: Pixels) -> str:
    body = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(body).decode()
