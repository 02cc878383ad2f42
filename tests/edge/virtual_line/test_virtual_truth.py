"""The table of truth: what is written is read back, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.virtual_line import Kind, PartTruth
from edge.virtual_line.truth import read_truth, write_truth
from export.errors import CameraError

parts = st.builds(
    PartTruth,
    index=st.integers(0, 10**6),
    part=st.from_regex(r"[a-z]{1,9}-[0-9]{6}", fullmatch=True),
    design=st.sampled_from(["gear", "flange"]),
    defect=st.none() | st.sampled_from(list(Kind)),
    size_px=st.floats(0, 500),
    contrast=st.floats(0, 1),
    centre_frame=st.integers(0, 10**8),
    x_px=st.integers(0, 4096),
    y_px=st.integers(0, 4096),
    turn_deg=st.floats(-180, 180),
)


@given(st.lists(parts, max_size=5))
def test_what_is_written_is_read_back(tmp_path_factory, truth):
    """Every field of every part survives the table."""
    path = tmp_path_factory.mktemp("truth") / "truth.csv"
    write_truth(path, truth)
    assert list(read_truth(path)) == truth


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "index,part\nx,y\n", "\0", "index\n1\n"])
def test_another_table_is_refused(tmp_path, text):
    """A file without the columns is named, with the columns that it lacks."""
    path = tmp_path / "other.csv"
    path.write_text(text)
    if text == "\0":
        path.write_bytes(b"index,part\n\xff\xfe,1\n")
    with pytest.raises(CameraError, match=r"other\.csv"):
        read_truth(path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """Writing where one can't is a sentence, not a trace."""
    with pytest.raises(CameraError, match="absent"):
        write_truth(tmp_path / "absent" / "truth.csv", [])
    with pytest.raises(CameraError, match="absent"):
        read_truth(tmp_path / "absent.csv")
