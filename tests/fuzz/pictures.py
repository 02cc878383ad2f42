"""Hostile picture files, drawn by a seed: sound ones changed as whole files, and by their format.

Yields (kind, bytes). Sound pictures are drawn, and real ones lent by whoever has some. Knows no
reader of pictures; what is peculiar to a format is in `formats`.
"""

import random
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tests.fuzz import formats

REAL = 24  # real pictures lent at most
REAL_BYTES = 3_000_000
BOMBS, GIANTS = 0.02, 0.003
_SUFFIXES = (".jpg", ".png", ".bmp")
_OTHERS = (".webp", ".tiff", ".gif", ".jp2", ".hdr", ".ppm")


class Pictures:
    """The pictures of one seed, one after the other; lent are folders of real ones."""

    def __init__(self, seed: int, lent: Path | None = None) -> None:
        self.dice = random.Random(seed)
        self._rng = np.random.default_rng(seed)
        self._sound = [self._drawn() for _ in range(24)] + self._real(lent)
        self._foreign = [self._other(suffix) for suffix in _OTHERS]
        self._bombs, self._giants = formats.bombs(), formats.giants()

    def draw(self) -> tuple[str, bytes]:
        """The next hostile file."""
        dice = self.dice
        if dice.random() < BOMBS:
            kind = dice.choice(sorted(self._bombs))
            return f"bomb: {kind}", self._bombs[kind]()
        if dice.random() < GIANTS:
            kind = dice.choice(sorted(self._giants))
            return f"giant: {kind}", self._giants[kind]()
        body = dice.choice(self._sound)
        if dice.random() < 0.4:
            made = formats.hostile(body, dice)
            if made is not None:
                return made
        kind = dice.choice(sorted(WHOLE))
        return kind, WHOLE[kind](self, body)

    def _drawn(self) -> bytes:
        """A part on a belt, in a random size and kind of file."""
        dice = self.dice
        suffix = dice.choice(_SUFFIXES)
        rows, columns = dice.choice([(9, 11), (40, 60), (120, 160), (480, 640)])
        picture = self._rng.integers(90, 130, (rows, columns, 3), np.uint8)
        cv2.circle(picture, (columns // 2, rows // 2), rows // 3, (200, 190, 180), -1)
        if dice.random() < 0.3:
            picture = picture[:, :, 0]
        if suffix == ".png" and dice.random() < 0.2:
            picture = picture.astype(np.uint16) * 257
        options = []
        if suffix == ".jpg":
            options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(dice.random() < 0.4)]
            options += [cv2.IMWRITE_JPEG_RST_INTERVAL, dice.choice([0, 0, 3])]
        return cv2.imencode(suffix, picture, options)[1].tobytes()

    def _other(self, suffix: str) -> bytes:
        """A picture in a format that is not taken."""
        picture = self._rng.integers(0, 256, (120, 160, 3), np.uint8)
        shown = picture.astype(np.float32) if suffix == ".hdr" else picture
        return cv2.imencode(suffix, shown)[1].tobytes()

    def _real(self, lent: Path | None) -> list[bytes]:
        if lent is None:
            return []
        found = [path for path in lent.rglob("*") if path.suffix.lower() in {*_SUFFIXES, ".jpeg"}]
        chosen = self.dice.sample(sorted(found), min(REAL, len(found)))
        return [path.read_bytes() for path in chosen if path.stat().st_size < REAL_BYTES]

    # -- changes to a whole file, whatever it is

    def _flipped(self, body: bytes) -> bytes:
        changed = bytearray(body)
        for _ in range(self.dice.choice([1, 1, 2, 8, 64])):
            changed[self.dice.randrange(len(changed))] ^= 1 << self.dice.randrange(8)
        return bytes(changed)

    def _early(self, body: bytes) -> bytes:
        """Bytes changed where headers are."""
        changed = bytearray(body)
        for _ in range(self.dice.choice([1, 2, 4])):
            at = self.dice.randrange(min(len(changed), 700))
            changed[at] = self.dice.choice([0, 1, 127, 128, 255, self.dice.randrange(256)])
        return bytes(changed)

    def _block(self, body: bytes, fill: Callable[[int], bytes]) -> bytes:
        at, length = self.dice.randrange(len(body)), self.dice.choice([4, 64, 512, 4096])
        return body[:at] + fill(length) + body[at + length :]

    def _spliced(self, body: bytes) -> bytes:
        other = self.dice.choice([*self._sound, *self._foreign])
        at, from_ = self.dice.randrange(len(body)), self.dice.randrange(len(other) + 1)
        return body[:at] + other[from_:]

    def _moved(self, body: bytes) -> bytes:
        first, second = sorted(self.dice.randrange(len(body)) for _ in range(2))
        to = self.dice.randrange(len(body))
        return body[:to] + body[first:second] + body[to:]

    def _magic(self, body: bytes) -> bytes:
        magic = self.dice.choice(
            [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a", b"II*\0", b"RIFF", b"\0" * 8]
        )
        return magic + body[self.dice.choice([0, len(magic)]) :]

    def _disguised(self, _body: bytes) -> bytes:
        """Another format, perhaps with the beginning of one that is taken."""
        other = self.dice.choice(self._foreign)
        return self.dice.choice([b"", b"\xff\xd8\xff", b"BM"]) + other

    def _noise(self, _body: bytes) -> bytes:
        noise = self.dice.randbytes(self.dice.choice([0, 1, 7, 100, 5000]))
        return self.dice.choice([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"BM"]) + noise


WHOLE: dict[str, Callable[[Pictures, bytes], bytes]] = {
    "truncated": lambda all_, body: body[: all_.dice.randrange(len(body))],
    "bits flipped": Pictures._flipped,
    "header bytes": Pictures._early,
    "zeroed block": lambda all_, body: all_._block(body, bytes),
    "noise block": lambda all_, body: all_._block(body, all_.dice.randbytes),
    "block left out": lambda all_, body: all_._block(body, lambda _: b""),
    "spliced": Pictures._spliced,
    "block moved": Pictures._moved,
    "wrong magic": Pictures._magic,
    "foreign format": Pictures._disguised,
    "noise": Pictures._noise,
    "no bytes": lambda *_: b"",
    "appended": lambda all_, body: body + all_.dice.choice([*all_._sound, b"\0" * 9, b"PK\3\4x"]),
    "untouched": lambda _, body: body,
}
