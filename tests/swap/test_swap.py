"""The suite in small; `make swap` runs it in full."""

import pytest

from tests.swap.suite import suite


@pytest.mark.slow
def test_bundles_are_exchanged_under_load_and_bad_ones_go_back():
    """No part without its verdict, none by a wrong model; whatever is bad doesn't stay."""
    figures = suite(swaps=5, bad=5, count=25, seed=3)
    assert not [figure.name for figure in figures if figure.holds is False]
