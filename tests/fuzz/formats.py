"""What is peculiar to PNG, JPEG and BMP: chunks, segments and headers that lie, and bombs.

Checksums are set right after a change, so that a decoder gets as deep as it can. Knows no reader.
"""

import random
import struct
import zlib
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
EXTREMES = (0, 1, 7, 8, 255, 256, 5999, 6000, 6001, 20_000, 65_500, 2**16, 2**31 - 1, 2**32 - 1)
Chunk = tuple[bytes, bytes]


def hostile(body: bytes, dice: random.Random) -> tuple[str, bytes] | None:
    """`body` changed by the rules of its own format, if that is one of the three."""
    for magic, changes in (
        (PNG_MAGIC, PNG_CHANGES), (b"\xff\xd8", JPEG_CHANGES), (b"BM", BMP_CHANGES),
    ):  # fmt: skip
        if body.startswith(magic):
            kind = dice.choice(sorted(changes))
            return kind, changes[kind](body, dice)
    return None


# -- PNG


def chunks(png: bytes) -> list[Chunk]:
    """The chunks of a sound PNG."""
    found, at = [], 8
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        found.append((kind, png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png(of: list[Chunk]) -> bytes:
    """A PNG of these chunks, checksums right."""
    return PNG_MAGIC + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in of
    )


def ihdr(width: int, height: int, bits=8, colour=2, interlace=0) -> Chunk:
    """The header chunk."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)


def _png_header(body: bytes, dice: random.Random) -> bytes:
    found = chunks(body)
    head = bytearray(found[0][1])
    for _ in range(dice.choice([1, 2])):
        if dice.random() < 0.5:
            struct.pack_into(">I", head, dice.choice([0, 4]), dice.choice(EXTREMES))
        else:
            head[dice.randrange(8, 13)] = dice.choice([0, 1, 2, 3, 4, 6, 8, 16, 255])
    return png([(b"IHDR", bytes(head)), *found[1:]])


def _png_chunks(body: bytes, dice: random.Random) -> bytes:
    """Chunks shuffled, doubled, left out, or changed inside with the checksum set right."""
    found = chunks(body)
    for _ in range(dice.choice([1, 2, 3])):
        at = dice.randrange(len(found))
        kind, inside = found[at]
        how = dice.randrange(4)
        if how == 0:
            found.insert(dice.randrange(len(found) + 1), found.pop(at))
        elif how == 1:
            found.insert(dice.randrange(len(found) + 1), found[at])
        elif how == 2 and len(found) > 1:
            found.pop(at)
        elif inside:
            changed = bytearray(inside)
            changed[dice.randrange(len(changed))] = dice.randrange(256)
            found[at] = kind, bytes(changed)
    return png(found)


def _png_extra(body: bytes, dice: random.Random) -> bytes:
    """Another chunk: transparency, animation, compressed text, profile, EXIF, nonsense."""
    found = chunks(body)
    big = zlib.compress(bytes(dice.choice([100, 10_000_000])))
    extra = dice.choice([
        (b"tRNS", dice.randbytes(6)), (b"acTL", struct.pack(">II", dice.choice(EXTREMES), 0)),
        (b"zTXt", b"a\0\0" + big), (b"iCCP", b"a\0\0" + big), (b"iTXt", b"a\0\1\0\0\0" + big),
        (b"eXIf", exif(dice)), (b"PLTE", dice.randbytes(dice.choice([3, 4, 768, 3000]))),
        (b"fcTL", struct.pack(">IIIIIHHBB", 0, *dice.sample(EXTREMES, 4), 1, 1, 0, 0)),
        (b"sBIT", dice.randbytes(4)), (b"gAMA", dice.randbytes(4)), (b"cHRM", dice.randbytes(32)),
        (bytes(dice.choices(b"abcdXYZ", k=4)), dice.randbytes(50)),
    ])  # fmt: skip
    found.insert(dice.randrange(1, len(found) + 1), extra)
    return png(found)


def _png_animated(body: bytes, dice: random.Random) -> bytes:
    found = chunks(body)
    control = (b"acTL", struct.pack(">II", dice.choice([1, 2, 1000]), 0))
    first = (b"fcTL", struct.pack(">IIIIIHHBB", 0, 8, 8, 0, 0, 1, 1, 0, 0))
    return png([found[0], control, first, *found[1:]])


def _png_pixels(body: bytes, dice: random.Random) -> bytes:
    """Compressed pixels that end early, go on for ever, or are no zlib stream."""
    found = [one for one in chunks(body) if one[0] != b"IDAT"]
    pixels = dice.choice([
        b"", zlib.compress(b""), zlib.compress(bytes(5_000_000)), dice.randbytes(300),
        zlib.compress(dice.randbytes(2000)), zlib.compress(bytes([9]) * 4000),
    ])  # fmt: skip
    parts = [(b"IDAT", pixels[i : i + 97]) for i in range(0, min(len(pixels), 970), 97)]
    if dice.random() < 0.5:
        parts = [(b"IDAT", pixels)]
    return png([*found[:-1], *parts, found[-1]])


PNG_CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "png: lying header": _png_header,
    "png: chunks": _png_chunks,
    "png: another chunk": _png_extra,
    "png: animated": _png_animated,
    "png: pixels": _png_pixels,
}


# -- JPEG


def exif(dice: random.Random) -> bytes:
    """A TIFF header with tags that lie: orientations, counts, offsets, and tables in a ring."""
    order, mark = dice.choice([(">", b"MM\0*"), ("<", b"II*\0")])
    tags = dice.choice([0, 1, 3, 65_535])
    body = mark + struct.pack(f"{order}IH", dice.choice([8, 0, 4, 2**31, 2**32 - 1]), tags)
    for _ in range(min(tags, 5)):
        tag = dice.choice([0x0112, 0x0112, 0x8769, 0x0201, 0x0202, dice.randrange(65_536)])
        entry = (tag, dice.choice([1, 3, 4, 99]), dice.choice(EXTREMES), dice.choice(EXTREMES))
        body += struct.pack(f"{order}HHII", *entry)
    return body + struct.pack(f"{order}I", dice.choice([0, 8, 4, 2**32 - 1]))


def segment(code: int, body: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body


def _jpeg_frame(body: bytes, dice: random.Random) -> bytes:
    """The frame header: process, bits, size, components, sampling."""
    changed = bytearray(body)
    at = max(body.find(b"\xff\xc0"), body.find(b"\xff\xc2"))
    if at < 0:
        return body
    how = dice.randrange(5)
    if how == 0:
        changed[at + 1] = dice.choice([0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
    elif how == 1:
        changed[at + 4] = dice.choice([0, 2, 8, 12, 16])
    elif how == 2:
        size = (dice.choice(EXTREMES) & 0xFFFF, dice.choice(EXTREMES) & 0xFFFF)
        changed[at + 5 : at + 9] = struct.pack(">HH", *size)
    elif how == 3:
        changed[at + 9] = dice.choice([0, 1, 2, 4, 10, 255])
    else:
        changed[at + 11 + 3 * dice.randrange(2)] = dice.choice([0, 0x11, 0x41, 0x14, 0x33, 0xFF])
    return bytes(changed)


def _jpeg_segment(body: bytes, dice: random.Random) -> bytes:
    """A segment put in: EXIF, profile, Adobe marker, restart interval, tables, another picture."""
    more = dice.choice([
        segment(0xE1, b"Exif\0\0" + exif(dice)), segment(0xE2, b"ICC_PROFILE\0" + bytes(2000)),
        segment(0xEE, b"Adobe\0d\0\0\0\0" + bytes([dice.choice([0, 1, 2, 9])])),
        segment(0xDD, struct.pack(">H", dice.choice([1, 65_535]))),
        segment(0xDB, dice.randbytes(65)), segment(0xC4, dice.randbytes(30)),
        segment(0xCC, dice.randbytes(4)), segment(0xDC, struct.pack(">H", 60)),
        segment(0xFE, bytes(60_000)) * dice.choice([1, 30]), b"\xff\xd8", b"\xff\x01\xff\xff\xff",
        segment(0xE1, b"Exif\0\0" + exif(dice) + body[:3000]), b"\xff\xfe\0\1", b"\xff\xfe\0\0",
        segment(0xF7, b"ls"), b"\xff\xd9",
    ])  # fmt: skip
    ends = [2, *(i for i in (body.find(b"\xff\xdb"), body.find(b"\xff\xda")) if i > 0)]
    at = dice.choice(ends)
    return body[:at] + more + body[at:]


def _jpeg_scans(body: bytes, dice: random.Random) -> bytes:
    """Scans repeated or put in another order."""
    starts = [i for i in range(len(body) - 1) if body[i : i + 2] == b"\xff\xda"]
    if not starts:
        return body
    parts = [body[a:b] for a, b in zip(starts, [*starts[1:], len(body) - 2], strict=True)]
    how = dice.randrange(3)
    if how == 0:
        dice.shuffle(parts)
    elif how == 1:
        parts = [dice.choice(parts)] * dice.choice([2, 20, 200])
    else:
        parts += [dice.choice(parts)[:20]] * dice.choice([1, 10, 2000])
    return body[: starts[0]] + b"".join(parts) + b"\xff\xd9"


def _jpeg_cmyk(body: bytes, dice: random.Random) -> bytes:
    """Four components, as printers use."""
    at = body.find(b"\xff\xc0")
    if at < 0 or body[at + 9] != 3:
        return body
    frame = bytearray(body[at + 4 : at + 19]) + b"\x04\x11\x00"
    frame[5] = 4
    scan_at = body.find(b"\xff\xda")
    scan = b"\x04" + body[scan_at + 5 : scan_at + 11] + b"\x04\x00\x00\x3f\x00"
    adobe = segment(0xEE, b"Adobe\0d\0\0\0\0" + bytes([dice.choice([0, 2])]))
    head = body[:2] + adobe + body[2:at] + segment(0xC0, bytes(frame)) + body[at + 19 : scan_at]
    return head + segment(0xDA, scan) + body[scan_at + 14 :]


JPEG_CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "jpeg: lying frame": _jpeg_frame,
    "jpeg: another segment": _jpeg_segment,
    "jpeg: scans": _jpeg_scans,
    "jpeg: cmyk": _jpeg_cmyk,
}


# -- BMP


def _bmp_header(body: bytes, dice: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(dice.choice([1, 2, 3])):
        at = dice.choice([2, 10, 14, 18, 22, 30, 34, 46, 50])
        value = dice.choice([*EXTREMES, 12, 40, 56, 108, 124, 2**31, 2**32 - 40])
        struct.pack_into("<I", changed, at, value)
    if dice.random() < 0.6:
        struct.pack_into("<H", changed, 28, dice.choice([0, 1, 4, 8, 15, 16, 24, 32, 64]))
        struct.pack_into("<I", changed, 30, dice.choice([0, 1, 2, 3, 4, 5, 6]))
    return bytes(changed)


def _bmp_runs(body: bytes, dice: random.Random) -> bytes:
    """Run-length codes that leave the picture, jump and never end."""
    bits = dice.choice([4, 8])
    width, height = dice.choice([8, 64, 5000]), dice.choice([8, 64, 5000])
    kind = {4: 2, 8: 1}[bits]
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, kind, 0, 0, 0, 0, 0)
    codes = b"".join(
        dice.choice([b"\0\2" + dice.randbytes(2), b"\0\0", dice.randbytes(2), b"\xff\1", b"\0\x40"])
        for _ in range(dice.choice([0, 10, 2000]))
    )
    offset = 54 + 4 * 2**bits
    start = b"BM" + struct.pack("<IHHI", offset + len(codes), 0, 0, offset)
    return start + head + dice.randbytes(4 * 2**bits) + codes


BMP_CHANGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bmp: lying header": _bmp_header,
    "bmp: runs": _bmp_runs,
}


# -- bombs: little to read, much to unpack


def flat_png(width: int, height: int, bits=8, colour=2) -> bytes:
    """A whole PNG of one colour, packed as tightly as zlib can."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row = bytes(1 + (width * channels * bits + 7) // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    palette = [(b"PLTE", bytes(3))] if colour == 3 else []
    head = ihdr(width, height, bits, colour)
    return png([head, *palette, (b"IDAT", pixels), (b"IEND", b"")])


def flat_jpeg(width: int, height: int, *options: int) -> bytes:
    """A whole JPEG of one colour."""
    return cv2.imencode(".jpg", np.full((height, width), 128, np.uint8), options)[1].tobytes()


def lying_jpeg(width: int, height: int) -> bytes:
    """A small JPEG that claims a size."""
    body = bytearray(flat_jpeg(64, 64))
    at = body.index(b"\xff\xc0") + 5
    body[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(body)


Recipes = dict[str, Callable[[], bytes]]


def _kept(recipes: Recipes) -> Recipes:
    """Each made when first asked for, then kept."""
    made: dict[str, bytes] = {}

    def keep(kind: str) -> bytes:
        if kind not in made:
            made[kind] = recipes[kind]()
        return made[kind]

    return {kind: partial(keep, kind) for kind in recipes}


def bombs() -> Recipes:
    """Each is to be refused by its header alone."""
    return _kept({
        "png 20,000 squared": partial(flat_png, 20_000, 20_000, 1, 0),
        "png 16 bits": partial(flat_png, 6000, 6000, 16, 2),
        "png alpha": partial(flat_png, 6000, 6000, 8, 6),
        "png beyond all": lambda: png([ihdr(2**31 - 1, 2**31 - 1), (b"IDAT", b"x")]),
        "jpeg 65,500 squared": partial(lying_jpeg, 65_500, 65_500),
        "jpeg progressive": partial(flat_jpeg, 5990, 5990, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "jpeg of comments": lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 4_000_000,
        "jpeg without a marker": lambda: b"\xff\xd8\xff\x01" + bytes(16_000_000),
        "jpeg of scans": lambda: flat_jpeg(64, 64)[:-2] + segment(0xDA, b"\1\1\0\0\x3f\0") * 9999,
        "bmp a gigapixel": lambda: b"BM" + struct.pack("<IHHIIii", 0, 0, 0, 54, 40, 2**15, 2**15),
        "png of chunks": lambda: png([ihdr(64, 64), *[(b"abCd", b"")] * 400_000, (b"IEND", b"")]),
    })  # fmt: skip


def giants() -> Recipes:
    """The largest that are taken, of each kind; what they cost is the reader's worst."""
    noise = np.random.default_rng(0).integers(0, 256, (4700, 4700), np.uint8)
    return _kept({
        "png": partial(flat_png, 6000, 6000),
        "png grey": partial(flat_png, 6000, 6000, 8, 0),
        "png palette": partial(flat_png, 6000, 6000, 8, 3),
        "jpeg": partial(flat_jpeg, 6000, 6000),
        "jpeg of noise": cv2.imencode(".jpg", noise)[1].tobytes,
        "jpeg progressive": partial(flat_jpeg, 5000, 5000, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "bmp runs": lambda: _bmp_empty_runs(6000),
    })  # fmt: skip


def _bmp_empty_runs(side: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 0, 0)
    offset = 54 + 1024
    start = b"BM" + struct.pack("<IHHI", offset + 2, 0, 0, offset)
    return start + head + bytes(1024) + b"\0\1"
