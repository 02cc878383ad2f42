import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.ring import BUFFERS, Ring


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=12))
def test_what_one_side_writes_the_other_reads(sizes):
    """Two mappings of one memory, growing as larger frames come; buffers don't touch."""
    writer = Ring.create()
    reader = Ring(os.dup(writer.fd))
    for index, (rows, columns) in enumerate(sizes):
        pixels = np.full((rows, columns, 3), index + 1, np.uint8)
        if pixels.nbytes > writer.buffer_bytes:
            writer.resize(pixels.nbytes)
            reader.resize(writer.buffer_bytes)
        for buffer in range(BUFFERS):
            writer.write(buffer, pixels * (buffer + 1))
        for buffer in range(BUFFERS):
            assert (reader.read(buffer, pixels.shape) == pixels * (buffer + 1)).all()
    writer.close()
    reader.close()


def test_what_does_not_fit_is_refused():
    """A buffer that isn't there, a frame larger than it, a ring not yet sized."""
    ring = Ring.create()
    with pytest.raises(ValueError, match="does not fit"):
        ring.read(0, (1, 1, 3))
    ring.resize(12)
    for buffer, shape in ((BUFFERS, (2, 2, 3)), (-1, (2, 2, 3)), (0, (2, 3, 3))):
        with pytest.raises(ValueError, match="does not fit"):
            ring.read(buffer, shape)
    ring.close()


def test_a_frame_read_outlives_the_ring():
    """What was read is a copy."""
    ring = Ring.create()
    ring.resize(3)
    ring.write(1, np.full((1, 1, 3), 7, np.uint8))
    kept = ring.read(1, (1, 1, 3))
    ring.write(1, np.zeros((1, 1, 3), np.uint8))
    ring.close()
    assert (kept == 7).all()
