"""The camera's share of the picture: uneven and drifting light, and the sensor's noise.

Works on whole uint8 frames in place, in a millisecond or two. Knows nothing of belts or parts.
"""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
_LIFT = 16.0  # what is added to the noise so that it fits an unsigned byte, and taken off again
_LIFT_BGR = np.array([_LIFT, _LIFT, _LIFT, 0.0])  # OpenCV's form of a colour
_SLACK = 64  # rows and columns by which the bank of noise is larger than a frame


class Optics:
    """Light, lens and sensor of one camera.

    Args:
        width, height: the frame, pixels.
        noise: standard deviation of the read noise, grey levels.
        drift: by how much the lamps wander up and down, as a share of their brightness.
        rng: draws the lamps' phases and the bank of noise.
    """

    def __init__(
        self, width: int, height: int, noise: float, drift: float, rng: np.random.Generator
    ) -> None:
        self._drift = drift
        self._phases = rng.uniform(0, 2 * np.pi, 2)
        self._gain = _gain(width, height)
        self._noise = _noise(width, height, noise, rng)

    def brightness(self, number: int) -> float:
        """The lamps' share of full brightness in frame `number`: slow, and two beats of it."""
        slow = np.sin(number / 530 * 2 * np.pi + self._phases[0])
        quick = np.sin(number / 97 * 2 * np.pi + self._phases[1])
        return float(1 - self._drift * (0.5 - 0.35 * slow - 0.15 * quick))

    def expose(self, scene: Pixels, number: int, rng: np.random.Generator) -> None:
        """Turn a scene (HxWx3 uint8 BGR) into what the sensor reads out, in place."""
        flicker = 1 + 0.004 * float(rng.standard_normal())
        gain = self.brightness(number) * min(flicker, 1.01)
        cv2.multiply(scene, self._gain, dst=scene, scale=gain / 255)
        top, left = (int(at) for at in rng.integers(0, _SLACK, 2))
        window = self._noise[top : top + scene.shape[0], left : left + scene.shape[1]]
        cv2.add(scene, window, dst=scene)
        cv2.subtract(scene, _LIFT_BGR, dst=scene)


def _gain(width: int, height: int) -> Pixels:
    """HxWx3 uint8: 255 where the light is fullest, less towards the corners, warmer to the left."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    fall = 1 / (1 + 0.3 * (0.62 * x * x + 0.38 * y * y)) ** 2  # cos^4 of a short lens
    pool = 1 - 0.05 * (x + 0.22) ** 2 - 0.07 * (y + 0.3) ** 2
    light = np.clip(fall * pool, 0, 1)
    gain = np.empty((height, width, 3), dtype=np.uint8)
    for channel, (level, lean) in enumerate(((0.985, 0.012), (0.995, 0.0), (0.985, -0.012))):
        tinted = light * (np.float32(level) + np.float32(lean) * x)
        gain[:, :, channel] = np.clip(tinted * np.float32(255), 0, 255)
    return gain


def _noise(width: int, height: int, sigma: float, rng: np.random.Generator) -> Pixels:
    """Bank of noise around _LIFT: mostly alike in the three channels, as demosaicing leaves it."""
    bank = np.empty((height + _SLACK, width + _SLACK, 3), dtype=np.uint8)
    for rows in range(0, bank.shape[0], 64):
        strip = bank[rows : rows + 64]
        shared = rng.standard_normal(strip.shape[:2], dtype=np.float32)[:, :, None]
        own = rng.standard_normal(strip.shape, dtype=np.float32)
        own = cast("NDArray[np.float32]", cv2.blur(own, (2, 2))) * np.float32(1.6)
        mixed = (np.float32(0.8) * shared + np.float32(0.6) * own) * np.float32(sigma)
        strip[:] = np.clip(np.rint(mixed + np.float32(_LIFT)), 0, 2 * _LIFT).astype(np.uint8)
    return bank
