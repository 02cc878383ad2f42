"""`linewarden commission`: a camera's reference, taken on purpose."""

from typer.testing import CliRunner

from edge.camera_health import archive
from export.command import application

SETTINGS = """\
[station]
prefix = "a/b"
[trust]
keys = ["no.pub"]
[cameras.belt]
bundle = "bundle"
source = { kind = "virtual", parts = 60, fps = 60.0, width = 320, height = 256 }
health = { reference_frames = 20 }
[cameras.files]
bundle = "bundle"
source = { kind = "folder", path = "pictures" }
"""


def commission(tmp_path, *more):
    """Its exit code and what it printed."""
    settings = tmp_path / "appliance.toml"
    settings.write_text(SETTINGS)
    asked = ["commission", "--config", str(settings), *more]
    return CliRunner().invoke(application(), asked)


def test_a_reference_is_taken_and_kept_with_its_picture(tmp_path):
    """Of the cameras that are watched, with what it can tell; the others are said not to be."""
    done = commission(tmp_path)
    assert done.exit_code == 0
    belt, files = done.stdout.splitlines()
    assert belt.split()[:2] == ["belt", "320x256,"]
    assert files.startswith("files ")
    assert "not watched: it plays files; set watch = true in" in files
    kept = archive.folder(tmp_path / "store", "belt")
    assert archive.load(kept).frames == 20
    assert (kept / archive.PICTURE).exists()
    assert not archive.folder(tmp_path / "store", "files").exists()


def test_a_camera_that_is_not_there_or_not_watched_is_refused(tmp_path):
    """It says which cameras there are, and how to have a folder watched."""
    for name, said in (("side", "belt, files"), ("files", "watch = true")):
        done = commission(tmp_path, "--camera", name)
        assert said in str(done.exception)
