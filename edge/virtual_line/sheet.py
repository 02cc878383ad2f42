"""A contact sheet of a virtual line: what its parts, its defects and its motion look like.

For a person's eyes only: to believe the line, or not to, at a glance.
"""

import cv2
import numpy as np

from edge.virtual_line.defect import Kind
from edge.virtual_line.design import DESIGNS
from edge.virtual_line.line import REGION, VirtualLine
from edge.virtual_line.truth import GOOD
from export.errors import CameraError
from export.preprocess import Input, Pixels, shrink

_TILE = 300
_GAP = 6
_PAPER = 24


def contact_sheet(seed: int) -> Pixels:
    """Rows of designs, columns of good and each defect, then consecutive frames; uint8 BGR."""
    line = VirtualLine(seed, 400, defect_rate=0.75)
    labels = [GOOD, GOOD, *(kind.value for kind in Kind)]
    rows: list[Pixels] = []
    for design in DESIGNS:
        tiles = [
            _tile(_part(line, design, label, take=number), f"{design}  {label}")
            for number, label in enumerate(labels)
        ]
        rows.append(np.concatenate(tiles, axis=1))
    return np.concatenate([*rows, _strip(line, rows[0].shape[1], len(labels))])


def _part(line: VirtualLine, design: str, label: str, take: int) -> Pixels:
    """The still of one part of `design` in class `label`, cut to REGION; `take` picks another."""
    found = [part for part in line.truth if part.design == design and part.label == label]
    if not found:
        raise CameraError(f"no {label} {design} came along", "choose another seed")
    still = line.frame(found[take % len(found)].centre_frame)
    return shrink(still, Input(_TILE, _TILE, REGION))


def _tile(picture: Pixels, title: str) -> Pixels:
    framed = cv2.copyMakeBorder(
        picture, _PAPER, 0, _GAP, 0, cv2.BORDER_CONSTANT, value=(_PAPER, _PAPER, _PAPER)
    )
    cv2.putText(
        framed, title, (_GAP, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (205, 205, 205), 1, cv2.LINE_AA
    )
    return np.asarray(framed, np.uint8)


def _strip(line: VirtualLine, width: int, count: int) -> Pixels:
    """`count` consecutive frames of the line, `width` pixels across."""
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
