"""Masks as runs of pixels, the way COCO and Label Studio write them; nothing is lost.

COCO: counts of unmarked and marked pixels in turn, column by column; compressed as in maskApi.c of
pycocotools (5 bits a character, differences to the count before last). Label Studio: the bit stream
of its brush (rle-pack by K. Schmidt), over four equal channels, row by row. Own code, since
pycocotools' decoder warns of numpy 2, and Label Studio's SDK pins an older OpenCV.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from export.errors import DatasetError
from export.picture_header import MAX_PIXELS

Mask = NDArray[np.bool_]
_WORD = 8
_SIZES = (3, 4, 8, 16)
_CHANNELS = 4
_LONGEST = 60  # bits of a count


def check_size(height: int, width: int) -> None:
    """Refuse a size that no picture has; raises DatasetError."""
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise DatasetError(
            f"a mask's picture is said to be {width}x{height}", "export the annotations again"
        )


def to_counts(mask: Mask) -> list[int]:
    """COCO's counts of (H,W), beginning with unmarked pixels."""
    flat = mask.ravel(order="F").astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], edges, [len(flat)]])).tolist()
    return [0, *counts] if len(flat) and flat[0] else counts


def from_counts(counts: Sequence[int], height: int, width: int) -> Mask:
    """The mask (H,W) of COCO's counts; raises DatasetError if they don't cover it."""
    check_size(height, width)
    whole = height * width
    # Python's own numbers: a sum of int64 can wrap round to the right one.
    if not all(0 <= one <= whole and one == int(one) for one in counts) or sum(counts) != whole:
        raise DatasetError(
            f"a mask's runs don't cover its picture of {height}x{width}",
            "export the annotations again",
        )
    numbers = np.asarray(counts, np.int64)
    marked = np.arange(len(numbers)) % 2 == 1
    return np.repeat(marked, numbers).reshape((height, width), order="F")


def to_text(counts: Sequence[int]) -> str:
    """COCO's compressed counts."""
    letters: list[str] = []
    for i, count in enumerate(counts):
        left = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            digit = left & 0x1F
            left >>= 5
            more = left != -1 if digit & 0x10 else left != 0
            letters.append(chr((digit | 0x20 if more else digit) + 48))
    return "".join(letters)


def from_text(text: str) -> list[int]:
    """The counts of COCO's compressed text; raises DatasetError where it breaks off."""
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        digit = ord(letter) - 48
        if not 0 <= digit < 64:
            raise DatasetError(f"a mask's runs hold {letter!r}", "export the annotations again")
        value |= (digit & 0x1F) << shift
        shift += 5
        if shift > _LONGEST:
            raise DatasetError("a mask's runs hold no number", "export the annotations again")
        if digit & 0x20:
            continue
        if digit & 0x10:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise DatasetError("a mask's runs break off", "export the annotations again")
    return counts


def to_brush(mask: Mask) -> list[int]:
    """Label Studio's brush of (H,W): bytes."""
    flat = np.repeat(np.where(mask.ravel(), 255, 0).astype(np.uint8), _CHANNELS)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [len(flat)]])
    bits = [f"{len(flat):032b}", f"{_WORD - 1:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        value, left = int(flat[start]), end - start
        while left:
            run = min(left, 1 << _SIZES[-1])
            which = next(i for i, size in enumerate(_SIZES) if run <= 1 << size)
            # Label Studio writes a single word with flag 0 and a run of one.
            flag = "0" if run == 1 else "1"
            bits.append(f"{flag}{which:02b}{run - 1:0{_SIZES[which]}b}{value:0{_WORD}b}")
            left -= run
    stream = "".join(bits)
    stream += "0" * (8 - len(stream) % 8)  # a whole byte where none is needed, as the tool does
    return list(int(stream, 2).to_bytes(len(stream) // 8, "big"))


def from_brush(brush: Sequence[int], height: int, width: int) -> Mask:
    """The mask (H,W) of Label Studio's brush, marked where the last channel is.

    Raises:
        DatasetError: the stream breaks off, or isn't of this size.
    """
    check_size(height, width)
    try:
        stream = "".join(f"{byte:08b}" for byte in bytes(brush))
        words, at = _unpack(stream, height * width * _CHANNELS)
    except ValueError as error:
        raise DatasetError(
            f"a brush of {len(brush)} bytes can't be read: {error}", "export the tasks again"
        ) from error
    if at != height * width * _CHANNELS:
        raise DatasetError(
            f"a brush has {at} values, its picture {height}x{width}x{_CHANNELS}",
            "export the tasks again",
        )
    return words.reshape(height, width, _CHANNELS)[..., _CHANNELS - 1] > 127


def _unpack(stream: str, wanted: int) -> tuple[NDArray[np.uint8], int]:
    """The words of a bit stream, and how many there are; none where these aren't as wanted."""
    at = 0

    def take(bits: int) -> int:
        nonlocal at
        if at + bits > len(stream):
            raise ValueError("it breaks off")
        value = int(stream[at : at + bits], 2)
        at += bits
        return value

    total, word = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(len(_SIZES))]
    if total > MAX_PIXELS * _CHANNELS or word != _WORD:
        raise ValueError(f"it announces {total} words of {word} bits")
    if total != wanted:
        return np.empty(0, np.uint8), total
    values, runs, done = list[int](), list[int](), 0
    while done < total:
        repeated = take(1)
        run = take(sizes[take(2)]) + 1
        new = [take(word)] if repeated else [take(word) for _ in range(run)]
        values += new
        runs += [run] if repeated else [1] * run
        done += run
    if done != total:
        raise ValueError(f"it holds {done} words, not {total}")
    return np.repeat(np.array(values, np.uint8), runs), total
