"""`linewarden inspect` judges every usable picture and tells every other."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from edge.cli.inspect import inspect
from edge.inspection.stills import find
from export import signature
from export.cli import bundle as bundle_commands
from export.errors import LinewardenError, PictureError, SignatureError
from tests.export.small_bundle import small_bundle


def command(*arguments: object) -> tuple[int, str]:
    """Run `linewarden inspect` or `linewarden bundle …`; returns exit code and output."""
    app = typer.Typer(rich_markup_mode=None)
    app.add_typer(bundle_commands, name="bundle")
    app.command()(inspect)
    found = CliRunner().invoke(app, [str(one) for one in arguments])
    if isinstance(found.exception, LinewardenError):
        raise found.exception
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.output


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a key, a bundle and pictures: dark, middling, bright, and unusable."""
    monkeypatch.chdir(tmp_path)
    key, _made = signature.load_or_make(signature.PRIVATE_KEY)
    small_bundle(tmp_path / "b", key)
    for name, level in (("a/dark.png", 20), ("a/deep/middle.bmp", 128), ("a/bright.jpg", 250)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.full((90, 70, 3), level, np.uint8))
    (tmp_path / "a" / "note.txt").write_text("not looked at")
    return tmp_path


def test_judges_files_and_folders(place: Path):
    """Every picture of a folder gets a row and is counted; other files are left alone."""
    code, told = command("inspect", "b", "a", "a/dark.png")
    assert code == 0
    assert "4 judged: 2 pass, 1 fail, 1 review" in told
    assert "note.txt" not in told
    assert "deep/middle.bmp" in told


@pytest.mark.parametrize(("asked", "code"), [("never", 0), ("reject", 1), ("review", 1)])
def test_fail_on(place: Path, asked: str, code: int):
    """--fail-on turns a fail, or a fail or review, into exit code 1."""
    assert command("inspect", "b", "a", "--fail-on", asked)[0] == code
    assert command("inspect", "b", "a/dark.png", "--fail-on", asked)[0] == 0
    middling = command("inspect", "b", "a/deep", "--fail-on", asked)[0]
    assert middling == (asked == "review")
    with pytest.raises(LinewardenError, match="never, reject or review"):
        command("inspect", "b", "a", "--fail-on", "doom")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_bad_picture_spoils_nothing_else(place: Path, as_json: bool):
    """Bad pictures are told a line each and counted, the others judged; exit code 2."""
    (place / "a" / "broken.png").write_bytes(b"no picture")
    (place / "a" / "line\nbreak.png").write_bytes(b"")
    code, told = command("inspect", "b", "a", "absent.jpg", *(["--json"] if as_json else []))
    lines = told.strip().splitlines()
    assert code == 2
    if as_json:
        found = [json.loads(line) for line in lines]
        assert sum("error" in one for one in found) == 3
        assert sum("outcome" in one for one in found) == 3
        assert {one["reason"] for one in found if "outcome" in one} >= {"score_in_review_band"}
    else:
        assert sum("not used" in line for line in lines) == 3
        assert "3 judged: 1 pass, 1 fail, 1 review" in told
        assert "3 could not be used" in told


def test_saves_annotated_pictures(place: Path):
    """--save writes one readable picture per judged one, named by outcome, in its subfolder."""
    assert command("inspect", "b", "a", "--save", "judged")[0] == 0
    names = sorted(str(path.relative_to("judged")) for path in Path("judged").rglob("*.*"))
    assert names == ["bright.jpg.fail.jpg", "dark.png.pass.png", "deep/middle.bmp.review.png"]
    assert cv2.imread("judged/dark.png.pass.png").shape[1] >= 480
    Path("file").write_bytes(b"")
    with pytest.raises(LinewardenError, match="can't be made"):
        command("inspect", "b", "a", "--save", "file")


def test_an_untrusted_bundle_judges_nothing(place: Path):
    """With another key nothing is judged."""
    signature.load_or_make(place / "other.key")
    with pytest.raises(SignatureError):
        command("inspect", "b", "a", "--key", "other.pub")


def test_find_sorts_and_tries_what_is_named(place: Path):
    """Folders are searched in order of name; a file that was named is tried whatever it is."""
    asked: Sequence[Path] = [Path("a"), Path("a/note.txt")]
    names = [name for _path, name in find(asked)]
    assert names == ["bright.jpg", "dark.png", "deep/middle.bmp", "note.txt"]


def test_bundle_commands(place: Path):
    """show, verify and schema tell; a changed bundle is refused with exit code 1, and why."""
    code, told = command("bundle", "verify", "b")
    assert (code, told.count("ok  ")) == (0, 6)
    assert "0 of 59 defective parts missed" in command("bundle", "show", "b")[1]
    assert json.loads(command("bundle", "show", "b", "--json")[1])["name"] == "small"
    assert json.loads(command("bundle", "schema")[1])["title"] == "Manifest"
    os.truncate("b/model.onnx", 10)
    code, told = command("bundle", "verify", "b")
    assert code == 1
    assert "refused  b/model.onnx has 10 bytes" in told
    with pytest.raises(SignatureError, match="can't be read"):
        command("bundle", "verify", "b", "--key", "absent.pub")


def test_pictures_of_one_name_are_told_apart(tmp_path: Path):
    """Two folders with the same file names: neither is saved over the other."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0.png").write_bytes(b"")
    asked = [tmp_path / "a", tmp_path / "b"]
    assert [name for _path, name in find(asked)] == ["a/0.png", "b/0.png"]


def test_nothing_to_judge_is_an_error(tmp_path: Path):
    """An empty folder is not a clean bill."""
    with pytest.raises(PictureError, match="no picture"):
        find([tmp_path])
