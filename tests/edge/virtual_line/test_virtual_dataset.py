"""Labelled stills on disk, through the library and through `linewarden line`."""

import pytest
from typer.testing import CliRunner

from edge.cli.line import line as command
from edge.virtual_line import REGION, VirtualLine
from edge.virtual_line.dataset import write_dataset
from edge.virtual_line.truth import read_truth
from export.errors import DatasetError, LinewardenError
from export.picture import read

SMALL = ["--width", "640", "--height", "512"]


def _line(parts=5):
    return VirtualLine(3, parts, 640, 512, defect_rate=0.5)


def test_every_part_becomes_one_still_in_its_class(tmp_path):
    """Folders are classes, files are parts, and the truth lists them all."""
    seen = []
    line = _line(8)
    assert write_dataset(line, tmp_path / "photos", progress=seen.append) == 8
    assert seen == list(range(1, 9))
    truth = read_truth(tmp_path / "photos" / "truth.csv")
    assert truth == line.truth
    for part in truth:
        still = read(tmp_path / "photos" / part.label / f"{part.part}.jpg")
        assert still.shape == (512, 640, 3)


def test_png_keeps_the_bytes_of_the_region(tmp_path):
    """A lossless still of REGION is that cut of the frame."""
    line = _line(1)
    write_dataset(line, tmp_path, region=REGION, suffix=".png")
    part = line.truth[0]
    still = read(tmp_path / part.label / f"{part.part}.png")
    assert still.tobytes() == REGION.cut(line.frame(part.centre_frame)).tobytes()


def test_a_folder_with_anything_in_it_is_refused(tmp_path):
    """Nothing is written beside another's files."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"notes\.txt"):
        write_dataset(_line(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    """A path that is a file is named as such."""
    (tmp_path / "photos").write_text("")
    with pytest.raises(DatasetError, match="photos"):
        write_dataset(_line(), tmp_path / "photos")


def test_an_unknown_file_type_is_refused(tmp_path):
    """Only the two types that a training reads are written."""
    with pytest.raises(DatasetError, match=r"\.tiff"):
        write_dataset(_line(), tmp_path, suffix=".tiff")


def test_the_command_writes_and_counts(tmp_path):
    """`line dataset` leaves a folder per class and tells how many lie in each."""
    out = tmp_path / "photos"
    done = CliRunner().invoke(command, ["dataset", str(out), "--parts", "6", *SMALL])
    assert done.exit_code == 0, done.output
    assert len(list(out.glob("*/*.jpg"))) == 6
    assert "truth.csv" in done.output
    assert "6 of 6 stills, 0 s left" in done.output


def test_the_command_refuses_with_our_errors(tmp_path):
    """Bad input ends in a LinewardenError, which the dispatcher turns into its sentences."""
    for words in (
        ["dataset", str(tmp_path / "a"), "--defect-rate", "3"],
        ["sheet", str(tmp_path / "sheet.jpg")],
    ):
        done = CliRunner().invoke(command, words)
        assert isinstance(done.exception, LinewardenError)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_sheet_shows_every_design_with_every_defect(tmp_path):
    """Five designs by good, good and five defects, then a row of frames."""
    out = tmp_path / "sheet.png"
    done = CliRunner().invoke(command, ["sheet", str(out)])
    assert done.exit_code == 0, done.output
    assert read(out).shape[1] == 7 * 306


def test_masks_lie_beside_the_classes_under_the_stills_names(tmp_path):
    """Asked for small dents alone, every one has a still and a mask of the same name and size."""
    asked = ["--parts", "6", "--kind", "dent", "--extent", "8,16", "--masks", "--defect-rate", "1"]
    done = CliRunner().invoke(command, ["dataset", str(tmp_path / "photos"), *SMALL, *asked])
    assert done.exit_code == 0, done.output
    masks = sorted((tmp_path / "photos" / "masks" / "dent").iterdir())
    assert [m.stem for m in masks] == sorted(p.stem for p in (tmp_path / "photos/dent").iterdir())
    assert all(read(mask).shape == (512, 640, 3) and read(mask).max() == 255 for mask in masks)


@pytest.mark.parametrize("asked", [["--kind", "crater"], ["--extent", "8"], ["--extent", "x,y"]])
def test_an_unknown_kind_or_extent_is_refused(tmp_path, asked):
    """What can't be read is named."""
    done = CliRunner().invoke(command, ["dataset", str(tmp_path / "photos"), *asked])
    assert isinstance(done.exception, LinewardenError)
    assert asked[1] in str(done.exception) or "FROM,TO" in str(done.exception)
