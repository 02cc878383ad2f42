"""Laws of the figures that say what the presentation score is worth."""

import numpy as np

from trainer.catalog.presentation import Rated, first_among


def test_a_picture_that_nothing_stands_against_is_not_first():
    """Where a category has no rejected picture, its shown ones say nothing of the score."""
    ratings, categories = np.array([1, 0, 1, 1.0]), np.array([0, 0, 1, 1])
    rated = Rated(np.zeros((4, 2)), ratings, categories)
    assert first_among(np.array([0.1, 0.9, 0.2, 0.3]), rated, 20, 0) == [(0, 1)]
