"""Hostile bundles, drawn by a seed: without a valid signature, or signed by somebody trusted.

Writes folders. `signed` says whether a trusted key signed the manifest as it lies there, which is
all the difference between "must be refused" and "must be refused or be harmless".
"""

import json
import os
import random
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from export.manifest import GOLDEN, MANIFEST, MODEL, SCORES, SIGNATURE
from export.signature import PrivateKey
from tests.export.small_bundle import small_bundle
from tests.fuzz import formats, graphs

DEEP = 100_000


@dataclass(frozen=True, slots=True)
class Hostile:
    """One bundle on disk; `exchange` is a file that changes while it is read."""

    kind: str
    path: Path
    signed: bool
    exchange: bytes = b""


class Bundles:
    """The bundles of one seed, each in a fresh folder below `folder`."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.dice = random.Random(seed)
        self._folder = folder
        self.key = PrivateKey(Ed25519PrivateKey.from_private_bytes(self.dice.randbytes(32)))
        self._stranger = PrivateKey(Ed25519PrivateKey.from_private_bytes(self.dice.randbytes(32)))
        self.good = small_bundle(folder / "good", self.key).path
        self._other = small_bundle(folder / "other", self.key, version=2).path
        self._number = 0

    def draw(self) -> Hostile:
        """The next hostile bundle."""
        self._number += 1
        path = self._folder / f"bundle-{self._number}"
        shutil.copytree(self.good, path)
        if self.dice.random() < 0.4:
            kind = self.dice.choice(sorted(UNSIGNED))
            UNSIGNED[kind](self, path)
            return Hostile(kind, path, signed=False)
        chance = self.dice.random()
        if chance < 0.05:
            return Hostile("exchanged while read", path, True, graphs.draw(self.dice)[1])
        if chance < 0.25:
            kind = self.dice.choice(sorted(SIGNED))
            SIGNED[kind](self, path)
            return Hostile(f"signed: {kind}", path, signed=True)
        kind, model = graphs.draw(self.dice)
        self._sign(path, {MODEL: model})
        return Hostile(f"signed graph: {kind}", path, signed=True)

    def _sign(self, path: Path, files: dict[str, bytes], **changes) -> None:
        """Put files in, list them, change the manifest, and sign it."""
        import hashlib

        told = json.loads((path / MANIFEST).read_bytes())
        for name, body in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(body)
            told["files"][name] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        body = json.dumps({**told, **changes}).encode()
        self._sign_body(path, body)

    def _sign_body(self, path: Path, body: bytes) -> None:
        (path / MANIFEST).write_bytes(body)
        (path / SIGNATURE).write_bytes(self.key.sign(body))

    # -- without a valid signature

    def _changed_byte(self, path: Path) -> None:
        victim = self.dice.choice(sorted(one for one in path.rglob("*") if one.is_file()))
        body = bytearray(victim.read_bytes())
        body[self.dice.randrange(len(body))] ^= 1 << self.dice.randrange(8)
        victim.write_bytes(body)
        if victim.name == SIGNATURE:  # a changed blank or key of its JSON changes nothing signed
            victim.write_bytes(bytes(body).replace(b'"signature"', b'"Signature"'))

    def _grown(self, path: Path) -> None:
        victim = self.dice.choice([MODEL, GOLDEN, "golden/00.png", MANIFEST])
        with (path / victim).open("ab") as file:
            file.write(self.dice.randbytes(self.dice.choice([1, 100])))

    def _extra(self, path: Path) -> None:
        name = self.dice.choice(["x", ".hidden", ".git/config", "golden/more.png", "a/b/c", "-rf"])
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")

    def _missing(self, path: Path) -> None:
        (path / self.dice.choice([MODEL, GOLDEN, "golden/00.png", MANIFEST, SIGNATURE])).unlink()

    def _stranger_signs(self, path: Path) -> None:
        signed = self._stranger.sign((path / MANIFEST).read_bytes())
        if self.dice.random() < 0.5:  # under the trusted key's name
            told = json.loads(signed)
            signed = json.dumps({**told, "key_id": self.key.public.key_id}).encode()
        (path / SIGNATURE).write_bytes(signed)

    def _swapped(self, path: Path) -> None:
        (path / SIGNATURE).write_bytes((self._other / SIGNATURE).read_bytes())

    def _manifest_edited(self, path: Path) -> None:
        told = json.loads((path / MANIFEST).read_bytes())
        told["thresholds"]["pass_below"] = told["thresholds"]["fail_above"]
        (path / MANIFEST).write_text(json.dumps(told))

    def _manifest_hostile(self, path: Path) -> None:
        """Truncated, deep, huge, doubled keys, no JSON: read before or after the signature?"""
        body = (path / MANIFEST).read_bytes()
        (path / MANIFEST).write_bytes(self.dice.choice([
            body[: self.dice.randrange(len(body))], b"[" * DEEP, b'{"a":' * DEEP, b"", b"\0" * 99,
            body + b" " * 2_000_000, body.replace(b"{", b'{"name": "other", ', 1), b"NaN",
        ]))  # fmt: skip

    def _signature_hostile(self, path: Path) -> None:
        deep, key_id = b"[" * 4000, self.key.public.key_id.encode()
        (path / SIGNATURE).write_bytes(self.dice.choice([
            b"", deep, b"{}", b"\0" * 4096, b"x" * 10_000, b'{"algorithm":"none"}',
            b'{"algorithm":"Ed25519","key_id":"%s","signature":""}' % key_id,
            b'{"algorithm":"Ed25519","key_id":"","signature":"AAAA"}',
        ]))  # fmt: skip

    def _linked(self, path: Path) -> None:
        """A link, a pipe, a device or a folder in the place of a file."""
        victim = path / self.dice.choice([MODEL, GOLDEN, MANIFEST, SIGNATURE, "golden/00.png"])
        kept = victim.read_bytes()
        victim.unlink()
        how = self.dice.randrange(5)
        if how == 0:
            elsewhere = path.with_name(f"{path.name}-elsewhere")
            elsewhere.write_bytes(kept)
            victim.symlink_to(elsewhere)
        elif how == 1:
            os.mkfifo(victim)
        elif how == 2:
            victim.symlink_to(self.dice.choice(["/dev/zero", "/proc/self/mem", "/etc/passwd"]))
        elif how == 3:
            victim.mkdir()
        else:
            victim.symlink_to(victim.name)

    # -- signed by a trusted key

    def _path_outside(self, path: Path) -> None:
        name = self.dice.choice(
            ["../evil", "/etc/passwd", "a/../../b", "golden/../x", ".ssh/key", "a\\b", "", "con\0"]
        )
        told = json.loads((path / MANIFEST).read_bytes())
        told["files"][name] = told["files"][MODEL]
        self._sign_body(path, json.dumps(told).encode())

    def _odd_manifest(self, path: Path) -> None:
        body = (path / MANIFEST).read_bytes()
        deep = b'"recipe": {"a": ' + b"[" * DEEP
        self._sign_body(path, self.dice.choice([
            b"[" * DEEP, body.replace(b'"recipe": {', deep), body[: len(body) // 2], b"null",
            body.replace(b'"pass_below": 0.3', b'"pass_below": NaN'),
            body.replace(b'"version": 1', b'"version": 1e400'),
            body.replace(b'"version": 1', b'"version": ' + b"9" * 5000),
            body.replace(b'"width": 24', b'"width": 4096').replace(b": 16", b": 4096"),
            body.replace(b'"good"', b'"bad"'), body.replace(b"{", b'{"name": "other", ', 1),
            body.replace(b'"bright"', b'"\\ud800"'), body.replace(b"0.3", b"0.9"),
        ]))  # fmt: skip

    def _odd_golden(self, path: Path) -> None:
        body = (path / GOLDEN).read_bytes()
        sample = json.loads(body)["samples"][0]
        self._sign(path, {GOLDEN: self.dice.choice([
            b"[" * DEEP, b"", b"{}", body.replace(b"golden/00.png", b"../../etc/passwd"),
            json.dumps({"samples": [sample] * 20_000}).encode(),
            body.replace(b'"score":', b'"score":NaN,"x":'), body.replace(b"0.2", b"1e999"),
            body.replace(b'"pass"', b'"fail"'), b'{"samples":[]}', body.replace(b"[", b"[1e5,"),
        ])})  # fmt: skip

    def _bomb_as_golden(self, path: Path) -> None:
        bombs = formats.bombs()
        kind = self.dice.choice([one for one in sorted(bombs) if "squared" in one or "of" in one])
        self._sign(path, {"golden/00.png": bombs[kind]()})

    def _odd_scores(self, path: Path) -> None:
        head = b"split,part,label,score,novelty\n"
        row = b"calibration,1,good,0.5,\n"
        self._sign(path, {SCORES: self.dice.choice([
            b"", head + row * 300_000, head + b'"' + b"x" * 2_000_000, head + b"\0" * 1000,
            head + b"calibration,1,good,nan,inf\n", head + b"a" * 200_000, b"\xff\xfe" + head,
            head + b"calibration,-1,good,2,\n", head + b"calibration,1,nobody,0.5,\n",
        ])})  # fmt: skip

    def _giant_file(self, path: Path) -> None:
        """A model that is mostly one tensor."""
        tensor = b"\x4a" + _varint(60_000_000) + bytes(60_000_000)
        body = b"\x3a" + _varint(len(tensor) + 5) + b"\x2a" + _varint(len(tensor)) + tensor
        self._sign(path, {MODEL: self.dice.choice([graphs.GOOD, b""]) + body})

    def _unlisted_model(self, path: Path) -> None:
        told = json.loads((path / MANIFEST).read_bytes())
        told["files"].pop(self.dice.choice([MODEL, GOLDEN]))
        self._sign_body(path, json.dumps(told).encode())


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += struct.pack("B", value & 0x7F | 0x80)
        value >>= 7
    return out + bytes([value])


Change = Callable[[Bundles, Path], None]
UNSIGNED: dict[str, Change] = {
    "changed byte": Bundles._changed_byte,
    "longer file": Bundles._grown,
    "extra file": Bundles._extra,
    "missing file": Bundles._missing,
    "wrong key": Bundles._stranger_signs,
    "swapped signature": Bundles._swapped,
    "edited manifest": Bundles._manifest_edited,
    "hostile manifest": Bundles._manifest_hostile,
    "hostile signature": Bundles._signature_hostile,
    "links and pipes": Bundles._linked,
}
SIGNED: dict[str, Change] = {
    "path outside": Bundles._path_outside,
    "odd manifest": Bundles._odd_manifest,
    "odd golden samples": Bundles._odd_golden,
    "bomb as golden sample": Bundles._bomb_as_golden,
    "odd scores": Bundles._odd_scores,
    "giant file": Bundles._giant_file,
    "lists too little": Bundles._unlisted_model,
}
