"""What a picture file says before a pixel is decoded: its size, its depth, and what decoding takes.

Read as the decoders read it, since a header that two readers understand differently lets a bomb
through. Decodes nothing, and takes milliseconds whatever the file holds.
"""

import re
import struct
from dataclasses import dataclass

from export.errors import PictureError

MAX_BYTES = 64 * 1024 * 1024
MAX_JPEG_BYTES = 24 * 1024 * 1024  # its data are unpacked twice, at some 80 MB/s
MAX_PIXELS = 36_000_000
MAX_MEMORY_BYTES = 256 * 1024 * 1024  # file, decoder and pixels together
MIN_SIDE = 8
MAX_SCANS = 32  # of a progressive JPEG; cameras and editors write about 10
MAX_SEGMENTS = 4096  # before the compressed data; a colour profile takes up to 255

MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"BM": "BMP"}
_COPIES = 2  # OpenCV 5 decodes into a picture of its own and copies that
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # colour type → channels as decoded
_PNG_ALPHA = frozenset({4, 6})  # any may have a tRNS besides; decoded, these have 4 channels
# A marker of JPEG (ITU-T T.81, B.1.1) that isn't stuffing, fill or a restart.
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_SOS, _EOI = 0xDA, 0xD9
_BARE = frozenset({0x01, 0xD8, _EOI})  # markers without a length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """What the file claims to be; `bits` and `alpha` where it is known before decoding.

    Attributes:
        width, height: in pixels, before any turning by EXIF.
        memory_bytes: the most that decoding takes, without the file itself.
        bits: per channel.
        alpha: it has transparency; keyed: as one grey value to see through, which OpenCV passes by.
    """

    kind: str
    width: int
    height: int
    memory_bytes: int
    bits: int = 8
    alpha: bool = False
    animated: bool = False
    keyed: bool = False


def examine(data: bytes, name: str, *, alpha: bool = False) -> Header:
    """Read the header of a picture file called `name`, and refuse what must not be decoded.

    With `alpha`, transparency is none of that.

    Raises:
        PictureError: no JPEG, PNG or BMP file, too large, too small, or of an unusable kind.
    """
    kind = _kind(data, name)
    try:
        header = {"JPEG": _jpeg, "PNG": _png, "BMP": _bmp}[kind](data)
    except (ValueError, struct.error, IndexError) as error:
        raise PictureError(
            f"{name!r} has no readable {kind} header ({error})", "copy it again from its source"
        ) from error
    _refuse_size(header, len(data), name)
    _refuse_kind(header, name, alpha=alpha)
    return header


def _kind(data: bytes, name: str) -> str:
    for magic, kind in MAGIC.items():
        if data.startswith(magic):
            return kind
    what = "is empty" if not data else "is not a JPEG, PNG or BMP file"
    raise PictureError(f"{name!r} {what}", "convert it to PNG, or leave it out")


def _refuse_size(header: Header, file_bytes: int, name: str) -> None:
    said = f"{header.width}x{header.height}"
    if min(header.width, header.height) < MIN_SIDE:
        raise PictureError(f"{name!r} is {said}, smaller than {MIN_SIDE} pixels", "leave it out")
    if header.width * header.height > MAX_PIXELS:
        raise PictureError(
            f"{name!r} unpacks to {said}, more than {MAX_PIXELS} pixels", "shrink or leave it out"
        )
    if header.kind == "JPEG" and file_bytes > MAX_JPEG_BYTES:
        raise PictureError(
            f"{name!r} has {file_bytes} bytes, for a JPEG at most {MAX_JPEG_BYTES} are read",
            "save it with a quality of 95 or less",
        )
    needed = file_bytes + header.memory_bytes
    if needed > MAX_MEMORY_BYTES:
        raise PictureError(
            f"{name!r} would take {needed >> 20} MiB to decode, more than {MAX_MEMORY_BYTES >> 20}",
            "shrink it, or save it as a JPEG that is not progressive",
        )


def _refuse_kind(header: Header, name: str, *, alpha: bool) -> None:
    if header.bits != 8:
        raise PictureError(
            f"{name!r} has {header.bits} bits per channel, 8 are needed",
            "convert it with the tone curve that the camera uses on the line",
        )
    if header.keyed or (header.alpha and not alpha):
        raise PictureError(
            f"{name!r} has transparency (an alpha channel)",
            "save it without alpha, over the background that the camera sees",
        )
    if header.animated:
        raise PictureError(
            f"{name!r} is an animation, not one picture", "save the frame that is meant as PNG"
        )


def _jpeg(data: bytes) -> Header:
    """Walks the segments as libjpeg does (jdmarker.c), up to the end of the picture.

    A scan may be a few bytes that cost a pass over the whole picture, so many of them are a bomb
    (Independent JPEG Group, "Two issues with the JPEG standard", 2013).
    """
    at, scans = 2, 0
    frame: bytes | None = None
    for _ in range(MAX_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None or (code := marker[1][0]) == _EOI:
            return _jpeg_header(frame, scans)
        at = marker.end()
        if code in _BARE:
            continue
        if code in _FRAMES:
            if frame is not None:
                raise ValueError("a second frame header")
            frame = data[at + 2 : at + 8 + 3 * data[at + 7]]
        if code == _SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise ValueError(f"more than {MAX_SCANS} scans")
        at += int.from_bytes(data[at : at + 2])
    raise ValueError(f"more than {MAX_SEGMENTS} segments")


def _jpeg_header(frame: bytes | None, scans: int) -> Header:
    """Of the frame header's content (T.81, B.2.2): bits, height, width, then each component."""
    if frame is None:
        raise ValueError("no frame header")
    bits, height, width, components = struct.unpack_from(">BHHB", frame)
    sampling = [(frame[7 + 3 * i] >> 4, frame[7 + 3 * i] & 15) for i in range(components)]
    densest = max(across for across, _ in sampling) * max(down for _, down in sampling)
    samples = sum(across * down for across, down in sampling) / max(1, densest)
    coefficients = 2 * samples if scans > 1 else 0  # kept until the last scan has come
    memory_bytes = round(width * height * (3 * _COPIES + coefficients))
    return Header("JPEG", width, height, memory_bytes, bits)


def _png(data: bytes) -> Header:
    if data[8:16] != b"\x00\x00\x00\x0dIHDR":
        raise ValueError("IHDR does not come first")
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    if colour not in _PNG_CHANNELS:
        raise ValueError(f"colour type {colour}")
    before = _chunks_before_data(data)
    alpha = colour in _PNG_ALPHA or b"tRNS" in before
    channels = 4 if alpha else _PNG_CHANNELS[colour]
    memory_bytes = width * height * max(4, _COPIES * channels)
    animated, keyed = b"acTL" in before, b"tRNS" in before and colour == 0
    return Header("PNG", width, height, memory_bytes, max(8, bits), alpha, animated, keyed)


def _chunks_before_data(data: bytes) -> set[bytes]:
    """The kinds of chunks that stand before a PNG's pixels (W3C PNG, 5.3)."""
    at, kinds = 8, set[bytes]()
    for _ in range(MAX_SEGMENTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind in {b"IDAT", b"IEND"}:
            return kinds
        kinds.add(kind)
        at += 12 + length
    raise ValueError(f"more than {MAX_SEGMENTS} chunks before the pixels")


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:  # BITMAPCOREHEADER
        width, height, _planes, bits = struct.unpack_from("<HHHH", data, 18)
    elif size >= 40:  # BITMAPINFOHEADER and its successors
        width, height, _planes, bits = struct.unpack_from("<iiHH", data, 18)
    else:
        raise ValueError(f"of {size} bytes")
    memory_bytes = abs(width * height) * _COPIES * (4 if bits == 32 else 3)
    return Header("BMP", width, abs(height), memory_bytes)
