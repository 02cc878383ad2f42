"""A bundle is what was signed, to the last byte, or it is refused by name."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper

from export.bundle import next_version, open_bundle, write_bundle
from export.errors import BundleError, SignatureError
from export.manifest import GOLDEN, MODEL, check_path
from export.signature import PrivateKey
from tests.export.small_bundle import description, golden_files, small_bundle, small_graph

KEY = PrivateKey(Ed25519PrivateKey.generate())
TRUSTED = [KEY.public]
FILES = ("manifest.json", "manifest.sig", "model.onnx", "golden/golden.json", "golden/00.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small signed bundle."""
    return small_bundle(tmp_path / "small-1", KEY).path


def test_opens_what_was_written(folder: Path):
    """A signed bundle opens, and its reference carries name, version and manifest digest."""
    heard: list[str] = []
    bundle = open_bundle(folder, TRUSTED, heard.append)
    assert (bundle.ref.name, bundle.ref.version, len(bundle.ref.digest)) == ("small", 1, 64)
    assert bundle.model_path.is_file()
    assert bundle.input.width == 24
    assert len(heard) == 5


def test_a_bundle_may_be_reached_by_a_link(folder: Path, tmp_path: Path):
    """The folder itself may be a symbolic link: that is how the active bundle is switched."""
    (tmp_path / "active").symlink_to(folder)
    assert open_bundle(tmp_path / "active", TRUSTED).manifest.version == 1


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_refused(folder: Path, name: str, place: str):
    """One bit flipped in any file, wherever it stands, is refused, and the file is named."""
    path = folder / name
    body = bytearray(path.read_bytes())
    body[{"first": 0, "middle": len(body) // 2, "last": -1}[place]] ^= 1
    path.write_bytes(body)
    with pytest.raises(BundleError, match="manifest" if "manifest" in name else name):
        open_bundle(folder, TRUSTED)


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
@pytest.mark.parametrize("name", FILES)
def test_a_cut_off_file_is_refused(folder: Path, name: str, keep: int):
    """A file cut off anywhere is refused."""
    path = folder / name
    path.write_bytes(path.read_bytes()[: keep - (keep == -1)])
    with pytest.raises(BundleError):
        open_bundle(folder, TRUSTED)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(folder: Path, name: str):
    """A bundle without one of its files is refused, and the file is named."""
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        open_bundle(folder, TRUSTED)


@pytest.mark.parametrize("name", FILES)
def test_a_link_is_refused(folder: Path, tmp_path: Path, name: str):
    """A symbolic link is refused even if it leads to the right bytes."""
    shutil.move(folder / name, tmp_path / "aside")
    (folder / name).symlink_to(tmp_path / "aside")
    with pytest.raises(BundleError, match=name):
        open_bundle(folder, TRUSTED)


def _linked_folder(folder: Path) -> None:
    (folder / "golden").rename(folder.parent / "elsewhere")
    (folder / "golden").symlink_to(folder.parent / "elsewhere")


SURPRISES: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: (folder / "extra.bin").write_bytes(b"x"),
    "a hidden file": lambda folder: (folder / ".extra").write_bytes(b"x"),
    "a file in a listed folder": lambda folder: (folder / "golden" / "01.png").write_bytes(b"x"),
    "an empty folder": lambda folder: (folder / "empty").mkdir(),
    "a hidden folder": lambda folder: (folder / ".git").mkdir(),
    "a folder in a listed folder": lambda folder: (folder / "golden" / "more").mkdir(),
    "a pipe": lambda folder: os.mkfifo(folder / "pipe"),
    "a link to nowhere": lambda folder: (folder / "link").symlink_to("/nowhere"),
    "a link in place of a folder": _linked_folder,
    "a pipe in place of a file": lambda folder: (
        (folder / "golden/00.png").unlink(),
        os.mkfifo(folder / "golden/00.png"),
    ),
    "a folder in place of a file": lambda folder: (
        (folder / MODEL).unlink(),
        (folder / MODEL).mkdir(),
    ),
}


@pytest.mark.parametrize("surprise", SURPRISES)
def test_what_is_not_listed_is_refused(folder: Path, surprise: str):
    """Whatever the manifest doesn't list as a plain file is refused: no surprise is ignored."""
    SURPRISES[surprise](folder)
    with pytest.raises(BundleError):
        open_bundle(folder, TRUSTED)


def test_an_unknown_key_is_refused(folder: Path):
    """A bundle signed by another key is refused, and that key is named."""
    other = PrivateKey(Ed25519PrivateKey.generate())
    with pytest.raises(SignatureError, match=KEY.public.key_id):
        open_bundle(folder, [other.public])
    with pytest.raises(SignatureError, match="trusted: none"):
        open_bundle(folder, [])


def test_a_borrowed_signature_is_refused(folder: Path, tmp_path: Path):
    """A trusted signature over another manifest doesn't help, nor does the right key's name."""
    other = small_bundle(tmp_path / "small-2", KEY, version=2)
    shutil.copy(other.path / "manifest.sig", folder / "manifest.sig")
    with pytest.raises(SignatureError, match="does not match"):
        open_bundle(folder, TRUSTED)


def test_a_huge_manifest_is_refused(folder: Path):
    """A manifest beyond its limit is refused before it is parsed."""
    with (folder / "manifest.json").open("ab") as file:
        file.truncate(2**30)
    with pytest.raises(BundleError, match="larger than"):
        open_bundle(folder, TRUSTED)


def _signed(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    change(manifest)
    body = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(body)
    (folder / "manifest.sig").write_bytes(KEY.sign(body))


ENTRY = {"sha256": "0" * 64, "bytes": 0}
PATHS = (
    "../model.onnx", "golden/../../x", "/etc/passwd", "a//b", "a\\b", "C:x", "", ".", "..",
    ".hidden", "golden/.x", "a/", "x\n", "a b", "ä", "manifest.json", "manifest.sig", "a/b/c/d/e",
    "x" * 200,
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_out_of_the_folder_is_refused(folder: Path, path: str):
    """Even a signed manifest can't name a file outside, hidden, or strange."""
    _signed(folder, lambda manifest: manifest["files"].update({path: ENTRY}))
    with pytest.raises(BundleError, match="can't name a file"):
        open_bundle(folder, TRUSTED)
    with pytest.raises(ValueError, match="can't name a file"):
        check_path(path)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 3},
        {"unknown": 1},
        {"classes": ["bad", "good"]},
        {"classes": ["good", "x", "x"]},
        {"preprocessing": {"method": "bilinear"}},
        {"thresholds": {"pass_below": 0.9, "fail_above": 0.1}},
        {"version": 0},
        {"name": "../x"},
        {"files": {}},
    ],
)
def test_a_manifest_it_does_not_understand_is_refused(folder: Path, change: dict[str, object]):
    """A signed manifest of another version, with unknown or senseless fields, is refused."""
    _signed(folder, lambda manifest: manifest.update(change))
    with pytest.raises(BundleError, match="not a manifest"):
        open_bundle(folder, TRUSTED)


def test_a_signed_model_with_control_flow_is_refused(tmp_path: Path):
    """Even the signer can't make a bundle whose graph holds a loop; nothing is left behind."""
    body = helper.make_graph(
        [], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
    )  # fmt: skip
    loop = helper.make_node("Loop", ["", ""], [], body=body)
    with pytest.raises(BundleError, match="control flow"):
        small_bundle(tmp_path / "b", KEY, small_graph([loop]))
    assert list(tmp_path.iterdir()) == []


def test_never_overwrites(folder: Path):
    """An existing bundle, or anything else at its place, is never overwritten."""
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(BundleError, match="exists already"):
        small_bundle(folder, KEY, version=2)
    assert (folder / "manifest.json").read_bytes() == before


def test_a_failed_write_leaves_nothing(tmp_path: Path):
    """If a file can't be copied into it, no bundle and no half of one is left."""
    with pytest.raises(BundleError, match="can't be written"):
        write_bundle(tmp_path / "b", description(), {MODEL: tmp_path / "absent"}, KEY)
    assert list(tmp_path.iterdir()) == []


def test_needs_golden_samples(tmp_path: Path):
    """A bundle without golden samples isn't made."""
    contents = {MODEL: small_graph().SerializeToString()}
    with pytest.raises(ValueError, match=r"golden/golden\.json"):
        write_bundle(tmp_path / "b", description(), contents, KEY)


def test_versions_grow(folder: Path, tmp_path: Path):
    """The next version follows the largest of that name; litter and other names don't count."""
    small_bundle(tmp_path / "renamed", KEY, version=7)
    small_bundle(tmp_path / "other", KEY, name="other", version=40)
    (tmp_path / "litter").mkdir()
    (tmp_path / "litter" / "manifest.json").write_bytes(b"[")
    assert next_version(tmp_path, "small") == 8
    assert next_version(tmp_path, "new") == 1
    assert next_version(tmp_path / "absent", "small") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="rights differ")
def test_golden_files_are_part_of_it(folder: Path):
    """The golden picture and its answers are listed like any other file."""
    listed = open_bundle(folder, TRUSTED).manifest.files
    assert set(listed) == {MODEL, *golden_files()}


def test_what_is_read_later_is_still_what_was_signed(folder):
    """A file exchanged after the look at it is refused when it is used, the model too."""
    bundle = open_bundle(folder, TRUSTED)
    with bundle.sealed_model() as model:
        assert model.read_bytes() == bundle.model_path.read_bytes()
        with pytest.raises(OSError, match="not permitted"):
            os.truncate(model, 0)
    assert bundle.read(GOLDEN) == (folder / GOLDEN).read_bytes()
    for name in (MODEL, GOLDEN):
        body = bytearray((folder / name).read_bytes())
        body[-1] ^= 1
        (folder / name).write_bytes(body)
    with pytest.raises(BundleError, match="not the file that was signed"), bundle.sealed_model():
        pass
    with pytest.raises(BundleError, match="not the file that was signed"):
        bundle.read(GOLDEN)
    (folder / MODEL).unlink()
    with pytest.raises(BundleError, match="can't be read"), bundle.sealed_model():
        pass
