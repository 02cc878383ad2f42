"""Faults planted in product pictures, each of a size that a shop would mind."""

from collections.abc import Callable

import cv2
import numpy as np

from edge.catalog import subject
from export.preprocess import Pixels

Plant = Callable[[Pixels, np.random.Generator], Pixels]


def blurred(pixels: Pixels, _random: np.random.Generator) -> Pixels:
    """Out of focus: a Gaussian of 1.2 % of the longer side."""
    return cv2.GaussianBlur(pixels, (0, 0), 0.012 * max(pixels.shape))


def dark(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Underexposed by 1.5 to 2.5 stops."""
    stops = random.uniform(1.5, 2.5)
    return np.clip(pixels * 2 ** (-stops), 0, 255).astype(np.uint8)


def burnt(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Overexposed by 1.2 to 2 stops."""
    return np.clip(pixels * 2 ** random.uniform(1.2, 2.0), 0, 255).astype(np.uint8)


def noisy(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Noise of 15 to 25 grey values."""
    noise = random.normal(0, random.uniform(15, 25), pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def compressed(pixels: Pixels, _random: np.random.Generator) -> Pixels:
    """Through a JPEG of quality 10."""
    return _jpeg(pixels, 10)


def tiny(pixels: Pixels, _random: np.random.Generator) -> Pixels:
    """A thumbnail of 96 pixels."""
    return _scaled(pixels, 96 / max(pixels.shape[:2]))


def marked(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A line of text, half transparent, in a corner."""
    return _text(pixels, (0.04, random.choice([0.08, 0.95])), "SALE -20%")


def watermarked(pixels: Pixels, _random: np.random.Generator) -> Pixels:
    """A line of text, half transparent, across the middle."""
    return _text(pixels, (0.2, 0.52), "COPYRIGHT")


def cut_off(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A side taken away with a fifth of the subject."""
    x, y, width, height = subject.find(pixels).box
    rows, columns = pixels.shape[:2]
    side = random.integers(4)
    if side == 0:
        return pixels[:, round((x + 0.2 * width) * columns) :]
    if side == 1:
        return pixels[:, : round((x + 0.8 * width) * columns)]
    if side == 2:
        return pixels[round((y + 0.2 * height) * rows) :]
    return pixels[: round((y + 0.8 * height) * rows)]


def resaved(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Saved again as a JPEG of quality 50 to 90."""
    return _jpeg(pixels, int(random.integers(50, 90)))


def resized(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Half to four fifths the size."""
    return _scaled(pixels, random.uniform(0.5, 0.8))


def lighter(pixels: Pixels, _random: np.random.Generator) -> Pixels:
    """A little brighter and of less contrast."""
    return np.clip(pixels * 0.9 + 25, 0, 255).astype(np.uint8)


def cropped_2(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Up to 2 % of each side taken away."""
    return _cropped(pixels, random, 0, 0.02)


def cropped_6(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """2 to 6 % of each side taken away."""
    return _cropped(pixels, random, 0.02, 0.06)


def cropped_10(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """6 to 10 % of each side taken away, saved again."""
    return _jpeg(_cropped(pixels, random, 0.06, 0.1), 80)


def mirrored(pixels: Pixels, _random: np.random.Generator) -> Pixels:
    """Left for right: another picture, since its text can't be read."""
    return np.ascontiguousarray(pixels[:, ::-1])


FAULTS: dict[str, Plant] = {
    one.__name__: one
    for one in (blurred, dark, burnt, noisy, compressed, tiny, cut_off, marked, watermarked)
}
TWINS: dict[str, Plant] = {
    one.__name__: one
    for one in (resaved, resized, lighter, cropped_2, cropped_6, cropped_10, marked, mirrored)
}


def _cropped(pixels: Pixels, random: np.random.Generator, low: float, high: float) -> Pixels:
    rows, columns = pixels.shape[:2]
    top, bottom = (int(random.uniform(low, high) * rows) for _ in range(2))
    left, right = (int(random.uniform(low, high) * columns) for _ in range(2))
    return np.ascontiguousarray(pixels[top : rows - bottom, left : columns - right])


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def _scaled(pixels: Pixels, scale: float) -> Pixels:
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _text(pixels: Pixels, at: tuple[float, float], words: str) -> Pixels:
    rows, columns = pixels.shape[:2]
    over = pixels.copy()
    size = 0.0025 * columns
    place = (int(at[0] * columns), int(at[1] * rows))
    thick = max(1, round(size * 2))
    cv2.putText(over, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (60, 60, 200), thick)
    return cv2.addWeighted(over, 0.6, pixels, 0.4, 0)
