"""A judged picture as a person wants to see it: outcome, where, and how close it was.

Draws around the picture, not over it: a banner above, a score bar below; on it only the heatmap
and the edge of the inspected region. Colours are near Okabe and Ito's, told apart by the
colour-blind, and never the only sign: each outcome has its word and its mark too.
"""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from edge.inspection.inspector import Judgement
from export import heat
from export.manifest import GOOD
from export.preprocess import Pixels, Region
from export.verdict import Outcome, Reason

MIN_WIDTH = 480  # pixels; smaller pictures are enlarged by a whole factor to hold the writing
_FONT = cv2.FONT_HERSHEY_SIMPLEX

Colour = tuple[int, int, int]
COLOURS: dict[Outcome, Colour] = {  # BGR
    Outcome.PASS: (95, 130, 0),
    Outcome.REVIEW: (0, 159, 230),
    Outcome.FAIL: (0, 74, 200),
}
_WHITE: Colour = (255, 255, 255)
_INK: Colour = (40, 40, 40)
_PAPER: Colour = (245, 245, 245)
_ON: dict[Outcome, Colour] = {
    Outcome.PASS: _WHITE,
    Outcome.REVIEW: _INK,  # white on amber can't be read
    Outcome.FAIL: _WHITE,
}


@dataclass(frozen=True, slots=True)
class _Scale:
    """Lengths in pixels, all from the width of the sheet."""

    width: int

    @property
    def unit(self) -> int:
        return max(10, round(self.width / 64))

    @property
    def banner(self) -> int:
        return 4 * self.unit

    @property
    def bar(self) -> int:
        return 5 * self.unit


def annotate(pixels: Pixels, judgement: Judgement, region: Region) -> Pixels:
    """A sheet with the picture, its heatmap and its judgement.

    Args:
        pixels: HxWx3 uint8 BGR, as judged; it is not changed.
        judgement: what the inspector said.
        region: the part of the picture that the model saw.

    Returns:
        A larger uint8 BGR picture.
    """
    picture = _enlarged(pixels)
    _overlay(picture, judgement, region)
    scale = _Scale(picture.shape[1])
    sheet = np.concatenate([_banner(scale, judgement), picture, _bar(scale, judgement)])
    return np.ascontiguousarray(sheet, np.uint8)


def _enlarged(pixels: Pixels) -> Pixels:
    factor = -(-MIN_WIDTH // pixels.shape[1])
    if factor == 1:
        return pixels.copy()
    size = (pixels.shape[1] * factor, pixels.shape[0] * factor)
    return cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC))


def _overlay(picture: Pixels, judgement: Judgement, region: Region) -> None:
    """Tint where the defect is likely, with a line around what is more likely than not."""
    inside = region.cut(picture)
    line = max(1, picture.shape[1] // 400)
    if judgement.heatmap is not None:
        heat.tint(inside, judgement.heatmap, line)
    if inside.shape != picture.shape:
        top, left = (round(region.y * picture.shape[0]), round(region.x * picture.shape[1]))
        corner = (left + inside.shape[1] - 1, top + inside.shape[0] - 1)
        cv2.rectangle(picture, (left, top), corner, _WHITE, 3 * line)
        cv2.rectangle(picture, (left, top), corner, _INK, line)


def _banner(scale: _Scale, judgement: Judgement) -> Pixels:
    """The outcome's mark and word, and its headline on the right."""
    unit, outcome, ink = scale.unit, judgement.outcome, _ON[judgement.outcome]
    strip = np.full((scale.banner, scale.width, 3), COLOURS[outcome], np.uint8)
    _mark(strip, outcome, unit)
    _write(strip, str(outcome).upper(), (4 * unit, scale.banner // 2), 2 * unit, ink, bold=True)
    told = _fitted(headline(judgement), 1.3 * unit, scale.width - 18 * unit)
    left = scale.width - unit - _width(told, 1.3 * unit)
    _write(strip, told, (left, scale.banner // 2), 1.3 * unit, ink)
    return strip


def headline(judgement: Judgement) -> str:
    """What the score bar can't show: the likeliest class, or why the score didn't decide.

    A failed part is headed by its likeliest defect: FAIL beside "good" would contradict itself
    where the threshold lies below one half.
    """
    if judgement.reason is Reason.NOVEL and judgement.novelty is not None:
        limit = judgement.thresholds.novel_above
        beyond = f" > {limit:.3g}" if limit is not None else ""
        return f"novel {judgement.novelty:.3g}{beyond}"
    if not judgement.probabilities:
        return judgement.reason.replace("_", " ")
    failed = judgement.outcome is Outcome.FAIL
    told = {name: p for name, p in judgement.probabilities.items() if not failed or name != GOOD}
    name, value = max((told or judgement.probabilities).items(), key=lambda item: item[1])
    return f"{name} {value:.1%}"


def _mark(strip: Pixels, outcome: Outcome, unit: int) -> None:
    """A tick, a cross or a question mark, in the square at the left."""
    ink = _ON[outcome]
    centre, thick = 2 * unit, max(2, unit // 3)
    a, b = centre - unit, centre + unit
    if outcome is Outcome.PASS:
        points = np.array([(a, centre), (centre - unit // 3, b - unit // 3), (b, a)], np.int32)
        cv2.polylines(strip, [points], False, ink, thick, cv2.LINE_AA)
    elif outcome is Outcome.FAIL:
        cv2.line(strip, (a, a), (b, b), ink, thick, cv2.LINE_AA)
        cv2.line(strip, (a, b), (b, a), ink, thick, cv2.LINE_AA)
    else:
        _write(strip, "?", (round(1.3 * unit), centre), 2 * unit, ink, bold=True)


def _bar(scale: _Scale, judgement: Judgement) -> Pixels:
    """The score between 0 and 1, over the zones where it passes, is reviewed and fails."""
    unit, limits = scale.unit, judgement.thresholds
    strip = np.full((scale.bar, scale.width, 3), _PAPER, np.uint8)
    left, right = unit, scale.width - unit
    top, bottom = 2 * unit, 3 * unit

    def at(value: float) -> int:
        return left + round(value * (right - left))

    edges = (0.0, limits.pass_below, limits.fail_above, 1.0)
    zones = (Outcome.PASS, Outcome.REVIEW, Outcome.FAIL)
    for low, high, zone in zip(edges, edges[1:], zones, strict=False):
        if high > low:
            cv2.rectangle(strip, (at(low), top), (at(high), bottom), COLOURS[zone], -1)
    if judgement.score is None:
        told = _fitted(judgement.detail or "no score", unit, right - left)
        _write(strip, told, (left, unit), unit, _INK)
    else:
        _pointer(strip, at(judgement.score), top, unit, f"score {judgement.score:.4f}")
    _ticks(strip, at(limits.pass_below), at(limits.fail_above), judgement, unit)
    return strip


def _pointer(strip: Pixels, x: int, top: int, unit: int, told: str) -> None:
    half = max(3, unit // 2)
    tip = np.array([(x, top + half), (x - half, top - half), (x + half, top - half)], np.int32)
    cv2.fillPoly(strip, [tip], _INK, cv2.LINE_AA)
    wide = _width(told, unit)
    beside = x + unit if x + unit + wide < strip.shape[1] else x - unit - wide
    _write(strip, told, (beside, round(0.9 * unit)), unit, _INK)


def _ticks(strip: Pixels, low: int, high: int, judgement: Judgement, unit: int) -> None:
    """Name both thresholds below the bar, apart from each other even where they meet."""
    limits, y, size = judgement.thresholds, round(4.1 * unit), 0.9 * unit
    first, second = f"pass < {limits.pass_below:.4g}", f"fail >= {limits.fail_above:.4g}"
    ends = strip.shape[1] - unit
    left = min(max(unit, low - _width(first, size) // 2), ends - _width(first, size))
    right = min(max(unit, high - _width(second, size) // 2), ends - _width(second, size))
    gap = left + _width(first, size) + unit
    if right < gap:
        right = min(gap, ends - _width(second, size))
        left = max(unit, min(left, right - unit - _width(first, size)))
    for x in (low, high):
        cv2.line(strip, (x, 2 * unit), (x, round(3.3 * unit)), _INK, max(1, unit // 8))
    _write(strip, first, (left, y), size, _INK)
    _write(strip, second, (right, y), size, _INK)


def _fitted(text: str, height: float, space: int) -> str:
    """`text`, cut short where it would be wider than `space` pixels."""
    if _width(text, height) <= space:
        return text
    while text and _width(text + "..", height) > space:
        text = text[:-1]
    return text + ".."


def _width(text: str, height: float) -> int:
    return cv2.getTextSize(_plain(text), _FONT, height / 21, max(1, round(height / 10)))[0][0]


def _write(
    strip: Pixels,
    text: str,
    left_middle: tuple[int, int],
    height: float,
    colour: Colour,
    *,
    bold: bool = False,
) -> None:
    """Write one line whose capitals are `height` pixels high, from a point left of them."""
    thick = max(1, round(height / (6 if bold else 10)))
    at = (left_middle[0], round(left_middle[1] + height / 2))
    cv2.putText(strip, _plain(text), at, _FONT, height / 21, colour, thick, cv2.LINE_AA)


def _plain(text: str) -> str:
    """`text` in the letters that OpenCV's font has."""
    return text.encode("ascii", "replace").decode()
