"""trainer/doctor/quarantine.py: what is moved comes back, byte for byte, wherever it stopped."""

import os

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from export.errors import DatasetError
from trainer.cli.data import data
from trainer.doctor import quarantine
from trainer.doctor.marks import masks_of
from trainer.doctor.quarantine import beside, move, undo


def fill(root, *names):
    """Files that hold their own names."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def files(root):
    """Every file's bytes by its path."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_there_and_back(tmp_path):
    """Moved files keep their path aside, with their masks; undo leaves the data as they were."""
    root = fill(tmp_path / "data", "good/a.png", "good/b.png", "spot/ü\n.png", "masks/good/a.png")
    before = files(root)
    masks = {"good/a.png": root / "masks/good/a.png"}
    moved = move(root, {"good/a.png": "twins", "spot/ü\n.png": "unreadable"}, masks)
    assert moved.files == 3
    assert set(files(root)) == {"good/b.png"}
    assert (beside(root) / "001" / "good" / "a.png").exists()
    undo(root)
    assert files(root) == before
    with pytest.raises(DatasetError, match="nothing to undo"):
        undo(root)


def test_rounds_are_undone_one_by_one(tmp_path):
    """The latest round comes back first, and an undone one keeps its number."""
    root = fill(tmp_path / "data", "good/a.png", "good/b.png")
    move(root, {"good/a.png": "x"}, {})
    move(root, {"good/b.png": "x"}, {})
    undo(root)
    assert set(files(root)) == {"good/b.png"}
    assert move(root, {"good/b.png": "x"}, {}).folder.name == "003"
    undo(root)
    undo(root)
    assert set(files(root)) == {"good/a.png", "good/b.png"}


def test_a_place_that_is_taken_is_not_overwritten(tmp_path):
    """If another file stands where one came from, undo refuses and moves nothing."""
    root = fill(tmp_path / "data", "good/a.png", "good/b.png")
    move(root, {"good/a.png": "x", "good/b.png": "x"}, {})
    (root / "good" / "a.png").write_text("another")
    with pytest.raises(DatasetError, match="is there again"):
        undo(root)
    assert set(files(root)) == {"good/a.png"}


def test_a_table_of_parts_follows(tmp_path):
    """Lines of moved pictures leave parts.csv, so that training opens it; undo restores it."""
    root = fill(tmp_path / "data", "good/a.png", "good/b.png")
    (root / "parts.csv").write_text("path,part\ngood/a.png,1\ngood/b.png,2\n")
    before = files(root)
    move(root, {"good/a.png": "x"}, {})
    assert (root / "parts.csv").read_text().split() == ["path,part", "good/b.png,2"]
    undo(root)
    assert files(root) == before


def test_a_cut_between_journal_and_move(tmp_path, monkeypatch):
    """A file noted but not yet moved stays where it is; undo brings the rest back."""
    root = fill(tmp_path / "data", "good/a.png", "good/b.png")
    before = files(root)
    move(root, {"good/a.png": "x"}, {})
    quarantine._note(beside(root) / "001", {"path": "good/b.png", "why": "x", "sha256": ""})
    undo(root)
    assert files(root) == before


def test_a_round_that_moved_nothing_is_passed_over(tmp_path):
    """A round cut before its first line, or within it, holds up no undo of the rounds before."""
    root = fill(tmp_path / "data", "good/a.png", "good/b.png")
    before = files(root)
    move(root, {"good/a.png": "x"}, {})
    with (beside(root) / "001" / "journal.jsonl").open("a") as file:
        file.write('{"path": "good/b.p')
    (beside(root) / "002").mkdir()
    undo(root)
    assert files(root) == before


@pytest.mark.parametrize(
    ("table", "left"),
    [
        (b"\xef\xbb\xbfpath,part\ngood/a.png,1\ngood/b.png,2\n", b"path,part\r\ngood/b.png,2\r\n"),
        (b"part,path\n1,good/a.png\nshort\n", b"part,path\r\nshort\r\n"),
        (b"path,part\n\xff,1\n", b"path,part\n\xff,1\n"),
    ],
)
def test_a_table_by_other_hands(tmp_path, table, left):
    """Excel's mark and short lines are understood; what can't be read is left as it is."""
    root = fill(tmp_path / "data", "good/a.png", "good/b.png")
    (root / "parts.csv").write_bytes(table)
    before = files(root)
    move(root, {"good/a.png": "x"}, {})
    assert (root / "parts.csv").read_bytes() == left
    undo(root)
    assert files(root) == before


def test_a_mask_goes_with_its_picture_whatever_else_is_wrong(tmp_path):
    """An empty class, a lost mask and one of another type leave the others where they belong."""
    names = ["good/a.png", "spot/b.png", "masks/spot/b.png", "masks/spot/gone.png", "masks/x.tif"]
    root = fill(tmp_path / "data", *names)
    (root / "dent").mkdir()
    assert masks_of(root) == {"spot/b.png": root / "masks/spot/b.png"}


def test_another_disk_is_refused_before_anything_moves(tmp_path, monkeypatch):
    """Where the data set is a disk of its own its quarantine can't lie beside it."""
    root = fill(tmp_path / "data", "good/a.png")
    stat = type(root).stat

    def elsewhere(path, **how):
        told = stat(path, **how)
        away = path.name.endswith(".quarantine")
        return os.stat_result((*told[:2], told.st_dev + away, *told[3:10]))

    monkeypatch.setattr(type(root), "stat", elsewhere)
    with pytest.raises(DatasetError, match="another disk"):
        move(root, {"good/a.png": "x"}, {})
    monkeypatch.undo()
    assert (root / "good/a.png").exists()
    assert not beside(root).exists()


def test_the_command_applies_and_undoes(tmp_path):
    """`data check --apply` moves what needs no decision and says how to undo; exit code 1."""
    rng = np.random.default_rng(0)
    for label in ("good", "spot"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for n in range(6):
            picture = cv2.resize(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8), (64, 64))
            cv2.imwrite(str(tmp_path / "data" / label / f"{'abcdef'[n]}.png"), picture)
    (tmp_path / "data" / "good" / "broken.png").touch()
    before = files(tmp_path / "data")
    run = CliRunner()
    args = ["check", str(tmp_path / "data"), "--no-labels", "--out", str(tmp_path / "page.html")]
    done = run.invoke(data, args)
    assert done.exit_code == 1
    assert "--apply would move 1 file into quarantine; nothing was touched." in done.output
    assert files(tmp_path / "data") == before
    assert "broken.png" in (tmp_path / "page.html").read_text()
    done = run.invoke(data, [*args, "--apply"])
    assert "data undo" in done.output
    assert "moved 1 file to" in done.output
    assert "nothing was touched" not in done.output
    assert "good/broken.png" not in files(tmp_path / "data")
    assert run.invoke(data, ["check", str(tmp_path / "data"), "--no-labels"]).exit_code == 0
    assert run.invoke(data, ["undo", str(tmp_path / "data")]).exit_code == 0
    assert files(tmp_path / "data") == before
