"""What has changed, as pictures: parts that the two judge differently, and where each saw a defect.

First what the challenger does wrong and the champion did right, then the other way round.
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
from trainer.contest.judging import Sight

WIDTH, QUALITY = 240, 85
Answering = Callable[[Pixels], Answers]


@dataclass(frozen=True, slots=True)
class Change:
    """One picture on which the two part company.

    Attributes:
        better: whether the challenger's outcome is the better one.
        outcomes: champion's, challenger's.
        scores: likewise.
        new: whether it shows a new part.
        pictures: plain, with the champion's heatmap, with the challenger's, as data URLs; nothing
            if the file is gone.
    """

    path: str
    label: str
    better: bool
    outcomes: tuple[str, str]
    scores: tuple[float, float]
    new: bool
    pictures: tuple[str, ...] = ()


def found(champion: Sight, challenger: Sight, new: Sequence[bool]) -> list[Change]:
    """All of them: the challenger's new mistakes first, then what it mends."""
    rank = {Outcome.PASS: 0, Outcome.REVIEW: 1, Outcome.FAIL: 2}
    changes: list[Change] = []
    for at in np.flatnonzero(champion.outcomes != challenger.outcomes).tolist():
        row, both = champion.rows[at], (champion.outcomes[at], challenger.outcomes[at])
        stricter = rank[Outcome(both[1])] > rank[Outcome(both[0])]
        changes.append(
            Change(
                row.path, row.label, stricter is bool(champion.defect[at]),
                (str(both[0]), str(both[1])),
                (float(champion.scores[at]), float(challenger.scores[at])), bool(new[at]),
            )
        )  # fmt: skip
    return sorted(changes, key=lambda one: (one.better, Outcome.PASS not in one.outcomes, one.path))


def shown(
    changes: Sequence[Change], at_most: int, root: Path, to: Input, answering: tuple[Answering, ...]
) -> list[Change]:
    """The first of each side with their pictures, `at_most` together.

    Args:
        changes: as `found` gives them.
        at_most: pictures.
        root: the data set.
        to: the networks' input.
        answering: champion and challenger, on (N,H,W,3) uint8 BGR.
    """
    wrong = [one for one in changes if not one.better]
    right = [one for one in changes if one.better]
    half = max(at_most // 2, at_most - len(right))
    chosen = wrong[:half]
    chosen += right[: at_most - len(chosen)]
    return [_drawn(one, root, to, answering) for one in chosen]


def _drawn(one: Change, root: Path, to: Input, answering: tuple[Answering, ...]) -> Change:
    try:
        pixels = picture.read(root / one.path)
    except PictureError:
        return one
    seen = shrink(pixels, to)[np.newaxis]
    inside = to.region.cut(pixels)
    scale = WIDTH / inside.shape[1]
    size = (WIDTH, max(1, round(inside.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    plain = cast("Pixels", cv2.resize(np.ascontiguousarray(inside), size, interpolation=how))
    drawn = [plain]
    for answers in answering:
        tinted = plain.copy()
        heat.tint(tinted, answers(seen).heatmap[0], 1)
        drawn.append(tinted)
    return Change(
        one.path, one.label, one.better, one.outcomes, one.scores, one.new,
        tuple(map(_url, drawn)),
    )  # fmt: skip


def _url(pixels: Pixels) -> str:
    body = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(body).decode()
