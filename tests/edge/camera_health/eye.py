"""A camera with faults that can be planted: scenes of the virtual line, a lens, lamps and a sensor.

Any of them may go wrong from a given frame on.

The scene is drawn without noise, so that a blurred lens blurs the scene and not the noise.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from edge.frame import Frame
from edge.virtual_line import VirtualLine

PERIOD_NS = 33_333_333


@dataclass(frozen=True)
class Fault:
    """What is wrong; the defaults are nothing.

    blur_px: sigma of the lens's blur. gain: of all lamps (BGR). tilt: how much darker the right
    edge is than the left. shift: pixels (x, y). turn_deg, zoom: of the camera.
    """

    blur_px: float = 0.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tilt: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    turn_deg: float = 0.0
    zoom: float = 1.0


GOOD = Fault()


def _bank(rng, height, width, sigma):
    noise = rng.standard_normal((height + 64, width + 64, 3), dtype=np.float32) * sigma
    return np.rint(noise).astype(np.int16)


class Eye:
    """Frames of a line of parts, 30 a second.

    Args:
        seed: of the line and of the noise.
        scenes: so many different scenes, after which they come again.
        wander: by how much the lamps wander, as a share.
    """

    def __init__(
        self, seed, *, width=640, height=512, scenes=150, noise=2.0, wander=0.08, **line
    ) -> None:
        self.rng = np.random.default_rng([seed, 77])
        parts = max(4, scenes // 6)
        self.line = VirtualLine(seed, parts, width, height, noise=0.0, drift=0.0, **line)
        self.scenes = [self.line.frame(6 + n) for n in range(min(scenes, self.line.frame_count))]
        self.bank = _bank(self.rng, height, width, noise)
        self.wander = wander
        self.number = 0
        self.captured_ns = 10**12

    def scene(self, number):
        return self.scenes[number % len(self.scenes)]

    def pixels(self, number, fault=GOOD):
        """Frame `number` as the sensor reads it out."""
        level = 1 - self.wander * (0.5 - 0.35 * np.sin(number / 84) - 0.15 * np.sin(number / 15))
        level *= 1 + 0.004 * float(self.rng.standard_normal())
        picture = seen(self.scene(number), fault, float(level))
        top, left = (int(at) for at in self.rng.integers(0, 64, 2))
        rows, columns = picture.shape[:2]
        noise = self.bank[top : top + rows, left : left + columns]
        return cv2.add(picture, noise, dst=picture, dtype=cv2.CV_8U)

    def frame(self, fault=GOOD, pixels=None, steps=1):
        """The next frame; `pixels` instead of what it would see; `steps` periods later."""
        self.number += steps
        self.captured_ns += steps * PERIOD_NS
        shown = self.pixels(self.number, fault) if pixels is None else pixels
        return Frame(shown, "eye", self.number, self.captured_ns, 0)


def seen(scene, fault, level=1.0):
    """A scene through a faulty lens, under faulty lamps; a new array."""
    picture = scene.copy()
    rows, columns = picture.shape[:2]
    if fault.shift != (0, 0) or fault.turn_deg or fault.zoom != 1:
        turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), fault.turn_deg, fault.zoom)
        turn[:, 2] += fault.shift
        picture = cv2.warpAffine(picture, turn, (columns, rows), borderMode=cv2.BORDER_REFLECT)
    if fault.blur_px:
        picture = cv2.GaussianBlur(picture, (0, 0), fault.blur_px)
    if fault.gain != (1, 1, 1) or fault.tilt:
        across = 1 - fault.tilt * np.linspace(0, 1, columns, dtype=np.float32)
        field = across[None, :, None] * np.array(fault.gain, np.float32) * np.float32(level)
        return np.clip(picture * field, 0, 255).astype(np.uint8)
    return cv2.convertScaleAbs(picture, alpha=level)
