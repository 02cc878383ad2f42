"""A contact sheet of a virtual line: what its parts, its defects and its motion look like.

For a person's eyes only: to believe the line, or not to, at a glance.
"""

import cv2
import numpy as np

from edge.virtual_line.defect import Kind
from edge.virtual_line.design import DESIGNS
from edge.virtual_line.line import REGION, VirtualLine
from export.preprocess import Input, Pixels, shrink

_TILE = 300
_GAP = 6
_PAPER = 24


def contact_sheet(seed: int) -> Pixels:
    """Rows of designs, columns of good and each defect, then consecutive frames; uint8 BGR."""
    columns: list[tuple[str, Kind | None]] = [("good", None), ("good", None)]
    columns += [(kind.value, kind) for kind in Kind]
    rows: list[Pixels] = []
    for name in DESIGNS:
        tiles = [
            _tile(_one(seed + place, name, kind), f"{name}  {label}")
            for place, (label, kind) in enumerate(columns)
        ]
        rows.append(np.concatenate(tiles, axis=1))
    return np.concatenate([*rows, _strip(seed, rows[0].shape[1], len(columns))])


def _one(seed: int, design: str, kind: Kind | None) -> Pixels:
    """A still of one part of `design`, with a defect of `kind` or none, cut to REGION."""
    line = VirtualLine(
        seed, 1, designs=(design,), defects=(kind or Kind.DENT,), defect_rate=1.0 if kind else 0.0
    )
    return shrink(next(line.stills()), Input(_TILE, _TILE, REGION))


def _tile(picture: Pixels, title: str) -> Pixels:
    framed = cv2.copyMakeBorder(
        picture, _PAPER, 0, _GAP, 0, cv2.BORDER_CONSTANT, value=(_PAPER, _PAPER, _PAPER)
    )
    cv2.putText(
        framed, title, (_GAP, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (205, 205, 205), 1, cv2.LINE_AA
    )
    return np.asarray(framed, np.uint8)


def _strip(seed: int, width: int, count: int) -> Pixels:
    """`count` consecutive frames of a line with everything on it, `width` pixels across."""
    line = VirtualLine(seed, 4, defect_rate=0.5)
    first = line.truth[0].centre_frame - 1
    across = width // count - _GAP
    size = (across, round(across * 4 / 5))
    tiles = [
        _tile(
            np.asarray(
                cv2.resize(line.frame(number), size, interpolation=cv2.INTER_AREA), np.uint8
            ),
            f"frame {number}",
        )
        for number in range(first, first + count)
    ]
    strip = np.concatenate(tiles, axis=1)
    rest = width - strip.shape[1]
    return np.asarray(cv2.copyMakeBorder(strip, 0, 0, 0, rest, cv2.BORDER_CONSTANT), np.uint8)
