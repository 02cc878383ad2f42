"""A picture as a thumbnail, and whether of two thumbnails one is a cut-out of the other.

The hash of a copy that is cropped by some per cent is as far away as another product's. Laid over
each other by an affine map (Evangelidis and Psarakis, IEEE TPAMI 30, 2008), what both show agrees:
in grey, in its details, and in colour, so that a flavour or a colour more isn't taken for a copy.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from export.preprocess import Pixels

SIDE = 48
QUALITY = 85
# Of copies cropped by 4 to 10 % of each side 98 % agreed by 0.983, 0.82 (photos of clothes) or 0.91
# (packages) and 12 grey values at most; flavours of one brand by 0.98, 0.90 and 25 (docs/log.md).
GREY, DETAIL, COLOUR = 0.985, 0.88, 15.0
_SCALE = (0.7, 1.43)
_SKEW = 0.05
_COARSE, _TINT = 4.0, 2.0  # deviations of the blurs that take details and tints apart, in cells
_STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)

Floats = NDArray[np.float32]
Jpeg = bytes


def thumb(pixels: Pixels) -> Jpeg:
    """A JPEG of SIDE squared, some 1.5 kB, of HxWx3 uint8 BGR."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def cut_out(one: Jpeg, other: Jpeg) -> bool:
    """Whether either thumbnail shows a part of what the other shows, and nothing else."""
    first, second = (_opened(each) for each in (one, other))
    return _lies_in(first, second) or _lies_in(second, first)


def _opened(data: Jpeg) -> Floats:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return _floats(pixels)


def _lies_in(one: Floats, other: Floats) -> bool:
    first, second = (cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each in (one, other))
    start, whole = np.eye(2, 3, dtype=np.float32), np.ones((SIDE, SIDE), np.uint8)
    lay: Any = cv2.findTransformECC  # its stub knows no mask of this kind
    try:
        agree, found = lay(first, second, start, cv2.MOTION_AFFINE, _STEPS, whole, 3)
    except cv2.error:  # it doesn't converge: they have nothing in common
        return False
    where = _floats(found)
    scales, skews = where[[0, 1], [0, 1]], where[[0, 1], [1, 0]]
    cut = bool((scales > _SCALE[0]).all() and (scales < _SCALE[1]).all())
    straight = bool((np.abs(skews) < _SKEW).all())
    return cut and straight and float(agree) >= GREY and _same(one, other, where)


def _same(one: Floats, other: Floats, where: Floats) -> bool:
    """Whether details and tints agree where the two overlap."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = _floats(cv2.warpAffine(other, where, (SIDE, SIDE), flags=how))
    whole = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), where, (SIDE, SIDE), flags=how)
    both = np.asarray(whole) > 0.99
    first, second = (_floats(each - _blurred(each, _COARSE))[both] for each in (one, laid))
    if _correlation(first, second) < DETAIL:
        return False
    apart = np.abs(_tints(one) - _tints(laid)).max(2)[both]
    return float(np.quantile(apart, 0.98)) <= COLOUR


def _tints(pixels: Floats) -> Floats:
    """How much redder and bluer than green, without details."""
    return _blurred(_floats(pixels[..., [2, 0]] - pixels[..., 1:2]), _TINT)


def _blurred(pixels: Floats, deviation: float) -> Floats:
    return _floats(cv2.GaussianBlur(pixels, (0, 0), deviation))


def _floats(values: object) -> Floats:
    return np.asarray(values, np.float32)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum() + 1e-9))
