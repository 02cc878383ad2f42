"""Laws of a result's folder: each chosen picture lies there once, under its own set."""

from types import SimpleNamespace

import pytest

from edge.catalog.result import lay_out


def choice(of, path, place=1):
    """A chosen picture, as far as its place in the folder goes."""
    return SimpleNamespace(set=of, place=place, look=SimpleNamespace(path=path))


@pytest.mark.parametrize("copies", [False, True])
def test_products_that_look_alike_have_folders_of_their_own(tmp_path, copies):
    """Also where their pictures have one name: A/1 and A:1 both with a.jpg in the first place."""
    pictures = tmp_path / "pictures"
    for name in ("x", "y"):
        (pictures / name).mkdir(parents=True)
        (pictures / name / "a.jpg").write_bytes(name.encode())
    chosen = [choice("A/1", "x/a.jpg"), choice("A:1", "y/a.jpg")]
    assert lay_out(tmp_path / "out", pictures, chosen, copies=copies) == 2
    laid = [path.read_bytes() for path in (tmp_path / "out/chosen").glob("*/1-a.jpg")]
    assert sorted(laid) == [b"x", b"y"]


def test_a_picture_with_the_longest_of_names_is_laid_out(tmp_path):
    """255 bytes, and its place before it: cut at the front, so that it stays a JPEG."""
    name = "ä" * 125 + "x.jpg"
    (tmp_path / name).write_bytes(b"x")
    lay_out(tmp_path / "out", tmp_path, [choice("A", name)], copies=False)
    (laid,) = (tmp_path / "out/chosen/A").iterdir()
    assert laid.name.startswith("1-")
    assert laid.name.endswith("x.jpg")
    assert laid.read_bytes() == b"x"
