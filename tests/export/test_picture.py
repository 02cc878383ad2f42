"""Hostile picture files are refused by name and reason, and cost next to nothing."""

import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export import picture
from export.errors import PictureError
from export.picture_header import MAX_PIXELS

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def encoded(pixels: np.ndarray, suffix: str = ".png") -> bytes:
    """The bytes of a picture file."""
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = _chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + body + _chunk(b"IEND", b"")


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG whose header claims a size."""
    body = bytearray(encoded(NOISE, ".jpg"))
    at = body.index(b"\xff\xc0") + 5
    body[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(body)


def frame_header(width: int, height: int) -> bytes:
    """Of a baseline JPEG."""
    return b"\xff\xc0\0\x0b\x08" + struct.pack(">HH", height, width) + b"\1\1\x11\0"


def progressive(width: int, height: int) -> bytes:
    """A progressive JPEG whose header claims a size."""
    body = bytearray(cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes())
    at = body.index(b"\xff\xc2") + 5
    body[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(body)


def bmp_header(width: int, height: int) -> bytes:
    """A BMP whose header claims a size."""
    body = bytearray(encoded(NOISE, ".bmp"))
    body[18:26] = struct.pack("<ii", width, height)
    return bytes(body)


JPEG, PNG, BMP = (encoded(NOISE, suffix) for suffix in (".jpg", ".png", ".bmp"))
HOSTILE = {
    "empty": (b"", "is empty"),
    "text": (b"hello, I am a text file renamed to .jpg", "not a JPEG, PNG or BMP"),
    "gif": (b"GIF89a" + b"\0" * 50, "not a JPEG, PNG or BMP"),
    "only magic": (b"\xff\xd8\xff", "header|damaged"),
    "only png magic": (b"\x89PNG\r\n\x1a\n", "header|damaged"),
    "only bmp magic": (b"BM", "header|damaged"),
    "jpeg cut in half": (JPEG[: len(JPEG) // 2], "cut-off"),
    "jpeg cut at the end": (JPEG[:-2], "cut-off"),
    "jpeg cut and padded": (JPEG[: len(JPEG) // 2] + b"\0" * 500, "cut-off"),
    "png cut in half": (PNG[: len(PNG) // 2], "cut-off"),
    "png cut at the end": (PNG[:-20], "cut-off"),
    "bmp cut in half": (BMP[: len(BMP) // 2], "cut-off"),
    "16 bits": (encoded(NOISE.astype(np.uint16) * 257), "16 bits"),
    "16 bits grey": (encoded(NOISE[:, :, 0].astype(np.uint16) * 257), "16 bits"),
    "alpha": (encoded(np.dstack([NOISE, NOISE[:, :, 0]])), "alpha"),
    "tiny": (encoded(NOISE[:7]), "smaller than 8"),
    "one pixel": (encoded(NOISE[:1, :1]), "smaller than 8"),
    "png bomb": (png_header(20000, 20000), "more than 36000000 pixels"),
    "png beyond all": (png_header(2**31 - 1, 2**31 - 1), "more than 36000000 pixels"),
    "jpeg bomb": (jpeg_header(65500, 65500), "more than 36000000 pixels"),
    "bmp bomb": (bmp_header(2**30, 2**30), "more than 36000000 pixels"),
    "bmp bomb upside down": (bmp_header(2**20, -(2**20)), "pixels|header"),
    "16 bits, large": (png_header(5900, 5900, bits=16), "16 bits|MiB"),
    "alpha bomb": (png_header(5900, 5900, colour=6), "MiB to decode"),
    "animation": (PNG[:33] + _chunk(b"acTL", bytes(8)) + PNG[33:], "animation"),
    "transparent colour": (PNG[:33] + _chunk(b"tRNS", bytes(6)) + PNG[33:], "alpha"),
    "progressive bomb": (progressive(5900, 5900), "MiB to decode"),
    "bomb of comments": (b"\xff\xd8" + b"\xff\xfe\0\2" * 2_000_000, "4096 segments"),
    "bomb without a marker": (b"\xff\xd8\xff\1" + bytes(8_000_000), "no frame header"),
    "bomb of scans": (JPEG[:-2] + b"\xff\xda\0\2" * 100 + JPEG[-2:], "32 scans"),
    "bomb of chunks": (PNG[:33] + _chunk(b"abCd", b"") * 5000 + PNG[33:], "4096 chunks"),
    "two frames": (JPEG[:2] + frame_header(99, 99) + JPEG[2:], "second frame"),
    "jpeg beyond its bytes": (JPEG + bytes(24 * 1024**2), "at most 25165824"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, kind: str):
    """Each kind of unusable file is refused for its own reason, naming the file."""
    body, why = HOSTILE[kind]
    path = tmp_path / "part.jpg"
    path.write_bytes(body)
    with pytest.raises(PictureError, match=why) as refused:
        picture.read(path)
    assert "part.jpg" in refused.value.problem


def png_of(colour: int, row: bytes, *more: bytes) -> bytes:
    """A PNG of 16x16 pixels of 8 bits, every row the same, with chunks before its pixels."""
    head = struct.pack(">IIBBBBB", 16, 16, 8, colour, 0, 0, 0)
    pixels = zlib.compress((b"\0" + row) * 16)
    chunks = (_chunk(b"IHDR", head), *more, _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


PALETTE = _chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 50]))
CUT_OUT = {
    "grey": (png_of(4, bytes([90, 0] * 8 + [90, 255] * 8)), (90, 90, 90)),
    "colour": (png_of(6, bytes([10, 20, 30, 0] * 8 + [10, 20, 30, 255] * 8)), (30, 20, 10)),
    "half": (png_of(6, bytes([10, 20, 30, 0] * 8 + [10, 20, 30, 128] * 8)), (142, 137, 132)),
    "palette": (png_of(3, bytes([0] * 8 + [1] * 8), PALETTE, _chunk(b"tRNS", b"\0")),
                (50, 100, 200)),
    "key": (png_of(2, bytes([1, 2, 3] * 8 + [10, 20, 30] * 8), _chunk(b"tRNS", b"\0\1\0\2\0\3")),
            (30, 20, 10)),
}  # fmt: skip


@pytest.mark.parametrize("kind", CUT_OUT)
def test_transparency_is_laid_on_a_ground_where_one_is_given(kind: str):
    """Clear is the ground, opaque the picture; without a ground it is refused as before."""
    body, right = CUT_OUT[kind]
    laid = picture.decode(body, kind, picture.WHITE)
    assert laid.shape == (16, 16, 3)
    assert laid[0, 0].tolist() == [255, 255, 255]
    assert np.abs(laid[-1, -1].astype(int) - right).max() <= 1
    with pytest.raises(PictureError, match="alpha"):
        picture.decode(body, kind)


def test_a_transparent_grey_is_refused_even_so():
    """OpenCV passes that by: what should be clear would be grey."""
    body = png_of(0, bytes([90] * 8 + [80] * 8), _chunk(b"tRNS", b"\0\x5a"))
    with pytest.raises(PictureError, match="alpha"):
        picture.decode(body, "grey", picture.WHITE)


@pytest.mark.parametrize(
    "kind", [kind for kind in HOSTILE if kind not in ("alpha", "transparent colour")]
)
def test_a_ground_lets_no_other_hostile_file_pass(kind: str):
    """Each is refused for its own reason, with or without a ground."""
    with pytest.raises(PictureError, match=HOSTILE[kind][1]):
        picture.decode(HOSTILE[kind][0], kind, picture.WHITE)


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if "bomb" in kind or "beyond" in kind])
def test_bombs_cost_nothing(kind: str):
    """A decompression bomb is refused from its header within 50 ms of work."""
    started = time.process_time()
    with pytest.raises(PictureError):
        picture.decode(HOSTILE[kind][0], kind)
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_lossless_files_keep_every_pixel(tmp_path: Path, suffix: str):
    """PNG and BMP come back as written, whatever the file is called."""
    for name in (f"part{suffix}", "Prüfling №1 ✓.jpg", "line\nbreak.png", "-rf.png"):
        (tmp_path / name).write_bytes(encoded(NOISE, suffix))
        assert (picture.read(tmp_path / name) == NOISE).all()


def test_grey_becomes_bgr():
    """Grey PNG and JPEG become three equal channels."""
    grey = NOISE[:, :, 0]
    for suffix in (".png", ".jpg", ".bmp"):
        found = picture.decode(encoded(grey, suffix), "grey")
        assert found.shape == (40, 60, 3)
        assert (found[:, :, 0] == found[:, :, 2]).all()


def test_exif_orientation_is_applied():
    """A JPEG that says 'turned by 90 degrees' comes back upright."""
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + b"\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    turned = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    assert picture.decode(turned, "turned").shape == (60, 40, 3)


def test_a_missing_file_a_folder_and_a_giant_are_refused(tmp_path: Path):
    """What can't be read, or is larger than the limit, is a PictureError, not another."""
    with pytest.raises(PictureError, match="can't be read"):
        picture.read(tmp_path / "absent.png")
    with pytest.raises(PictureError, match="can't be read"):
        picture.read(tmp_path)
    giant = tmp_path / "giant.png"
    with giant.open("wb") as file:
        file.write(PNG)
        file.truncate(picture.MAX_BYTES + 1)
    with pytest.raises(PictureError, match="more than"):
        picture.read(giant)


def scan_of(body: bytes) -> int:
    """Where the compressed data of a JPEG begin."""
    return body.rindex(b"\xff\xda") + 14


@pytest.mark.parametrize("options", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]])
def test_a_lost_sector_inside_a_jpeg_is_refused(options: list[int]):
    """Of JPEGs with 512 bytes of zeros or noise in their middle, at least nine in ten are refused.

    OpenCV alone takes every one. JPEG has no checksum: the rest decode to another valid picture.
    """
    rng, refused, tries = np.random.default_rng(0), 0, 60
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), np.uint8), (0, 0), 2)
    body = cv2.imencode(".jpg", smooth, options)[1].tobytes()
    begin = body.index(b"\xff\xda") + 14
    assert picture.decode(body, "whole").shape == (480, 640, 3)
    for number in range(tries):
        at = int(rng.integers(begin, len(body) - 600))
        lost = bytes(512) if number % 2 else rng.bytes(512)
        try:
            picture.decode(body[:at] + lost + body[at + 512 :], "sector")
        except PictureError:
            refused += 1
    assert refused >= 0.9 * tries


def test_some_flipped_bits_inside_a_jpeg_are_refused():
    """One flipped bit is noticed in a part of all cases only; the share is no higher than said."""
    rng, refused, tries = np.random.default_rng(0), 0, 200
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (120, 160, 3), np.uint8), (0, 0), 2)
    body = encoded(smooth, ".jpg")
    for _ in range(tries):
        changed = bytearray(body)
        at = int(rng.integers(scan_of(body), len(body) - 2))
        changed[at] ^= 1 << int(rng.integers(8))
        try:
            picture.decode(bytes(changed), "bit")
        except PictureError:
            refused += 1
    assert 0.1 * tries < refused < 0.6 * tries


def test_an_odd_header_is_not_damage():
    """What some cameras write into the scan's header warns, but loses no data: it is read."""
    at = JPEG.rindex(b"\xff\xda") + 12
    odd = JPEG[:at] + bytes([JPEG[at] ^ 1]) + JPEG[at + 1 :]
    assert (picture.decode(odd, "odd") == picture.decode(JPEG, "even")).all()


def test_writing(tmp_path: Path):
    """What is written reads back; an unwritable place or unknown type is a PictureError."""
    picture.write(tmp_path / "a.png", NOISE)
    assert (picture.read(tmp_path / "a.png") == NOISE).all()
    with pytest.raises(PictureError, match="can't be written"):
        picture.write(tmp_path / "absent" / "a.png", NOISE)
    with pytest.raises(PictureError, match="can't be encoded"):
        picture.write(tmp_path / "a.nonsense", NOISE)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.sampled_from([JPEG, PNG, BMP]), st.data()).map(lambda pair: pair[0]),
        st.builds(
            lambda body, at, byte: body[: at % len(body)] + bytes([byte]) + body[at % len(body) :],
            st.sampled_from([JPEG, PNG, BMP]),
            st.integers(0, 10**6),
            st.integers(0, 255),
        ),
        st.builds(
            lambda body, at, byte: (
                body[: at % len(body)] + bytes([byte]) + body[at % len(body) + 1 :]
            ),
            st.sampled_from([JPEG, PNG, BMP]),
            st.integers(0, 200),
            st.integers(0, 255),
        ),
        st.binary(max_size=60).map(lambda tail: b"\xff\xd8\xff" + tail),
        st.binary(max_size=60).map(lambda tail: b"\x89PNG\r\n\x1a\n" + tail),
        st.binary(max_size=60).map(lambda tail: b"BM" + tail),
    )
)
def test_any_bytes_are_a_picture_or_refused(body: bytes):
    """Whatever the bytes, the answer is HxWx3 uint8 or a PictureError, never another error."""
    try:
        found = picture.decode(body, "fuzz")
    except PictureError:
        return
    assert found.ndim == 3
    assert found.shape[2] == 3
    assert found.dtype == np.uint8
    assert found.shape[0] * found.shape[1] <= MAX_PIXELS
