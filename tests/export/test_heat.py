import numpy as np
import pytest
from pydantic import ValidationError

from export import heat
from export.sample import Heat


def test_a_large_map_is_kept_small():
    """A record has room for 256 places a side; what isn't finite is cold."""
    hot = np.zeros((600, 30), np.float32)
    hot[:300] = 1
    hot[400] = np.nan
    kept = heat.kept(hot)
    assert (kept.width, kept.height) == (30, 256)
    assert heat.of(kept)[:120].min() == 1
    assert heat.of(kept)[140:].max() == 0


@pytest.mark.parametrize("values", ["00" * 5, "00" * 7, "0g" * 6, ""])
def test_a_map_of_another_size_than_it_says_is_refused(values):
    """Six values for 2x3."""
    with pytest.raises(ValidationError):
        Heat(width=2, height=3, values=values)
