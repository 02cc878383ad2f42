import time

import numpy as np
import pytest

from edge.camera.capture import shots
from edge.camera.playback import Shot, paced
from edge.virtual_line import VirtualLine
from edge.virtual_line.truth import read_truth
from export.errors import CameraError

LINE = {
    "kind": "virtual", "seed": 3, "parts": 2, "fps": 1000.0, "defect_rate": 0.5,
    "pace": "lossless", "designs": ["gear", "flange"],
    "defect_size": 1.0, "defect_contrast": 1.0, "truth": None, "width": 320, "height": 256,
}  # fmt: skip


def test_the_virtual_source_shows_the_virtual_line(tmp_path):
    """The same frames, and the truth of every part beside them."""
    truth = tmp_path / "truth.csv"
    line = VirtualLine(3, 2, 320, 256, defect_rate=0.5, designs=("gear", "flange"))
    seen = [shot.pixels for shot in shots(LINE | {"truth": str(truth)}, 0)]
    assert len(seen) == line.frame_count
    assert all((a == b).all() for a, b in zip(seen, line.frames(), strict=True))
    assert read_truth(truth) == line.truth


def test_a_virtual_source_goes_on_where_it_was():
    """A restarted capture shows the frame that is due next."""
    line = VirtualLine(3, 2, 320, 256, defect_rate=0.5, designs=("gear", "flange"))
    first = next(iter(shots(LINE, 9)))
    assert (first.pixels == line.frame(9)).all()


def test_a_paced_source_shows_nothing_before_its_time():
    """Ten frames at 100 a second take at least 0.09 s."""
    black = Shot(np.zeros((8, 8, 3), np.uint8))
    started = time.monotonic()
    assert len(list(paced(iter([black] * 10), 100.0))) == 10
    assert time.monotonic() - started >= 0.09


def test_an_empty_folder_is_refused(tmp_path):
    """A line without pictures is a mistake, not a quiet end."""
    (tmp_path / "readme.txt").write_text("x")
    with pytest.raises(CameraError, match=r"no \.bmp, \.jpeg, \.jpg, \.png file"):
        list(shots({"kind": "folder", "path": str(tmp_path)}, 0))


def test_what_is_no_video_is_refused(tmp_path):
    """A text file named .mp4 is told apart."""
    path = tmp_path / "a.mp4"
    path.write_text("not a video")
    with pytest.raises(CameraError, match="can't be opened as a video"):
        list(shots({"kind": "video", "path": str(path), "loop": True}, 0))


@pytest.mark.real_data
def test_a_real_video_is_played_to_its_end(real_data):
    """Every frame of an H.264 file."""
    path = real_data / "line_video" / "bottle-detection.mp4"
    seen = list(shots({"kind": "video", "path": str(path), "loop": False}, 1100))
    assert len(seen) == 89
    assert {shot.pixels.shape for shot in seen} == {(360, 640, 3)}
