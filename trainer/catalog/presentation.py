"""The presentation score: how much a picture is like those that the company shows.

A logistic head on standardised features. Its strength is chosen so that it holds for categories
that it has not seen: each category is left out in turn, and its pictures are ranked.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from trainer.rates import auroc

GRID = (1e-5, 1e-4, 1e-3, 1e-2)

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """Pictures that somebody rated: features (N,F), ratings 0..1 (N,), categories (N,)."""

    features: Floats
    ratings: Floats
    categories: NDArray[np.int64]

    @property
    def shown(self) -> NDArray[np.bool_]:
        """(N,) True for a picture that the company shows."""
        return self.ratings >= 0.5

    def at(self, chosen: NDArray) -> "Rated":
        """Some of them."""
        return Rated(self.features[chosen], self.ratings[chosen], self.categories[chosen])

    @property
    def both(self) -> bool:
        """Whether there are shown and rejected pictures among them."""
        return bool(self.shown.any() and not self.shown.all())


@dataclass(frozen=True, slots=True, eq=False)
class Show:
    """A fitted score: weights (F,) and bias on standardised features, and its strength."""

    weight: Floats
    bias: float
    strength: float

    def logits(self, features: Floats) -> NDArray[np.float64]:
        """Logits (N,) of features (N,F)."""
        return np.asarray(features @ self.weight + self.bias, np.float64)


def choose(rated: Rated) -> Show:
    """Fit the score with the strength that ranks left-out categories best, and scale it by them.

    The scale is Platt's (Advances in Large Margin Classifiers, 1999) on what each category got
    from a score that hadn't seen it, so that one half means: as likely shown as not, if as many
    pictures were shown as not.
    """
    strength = max(GRID, key=lambda one: (left_out_area(rated, one), -one))
    plain, told = fit(rated, strength), left_out(rated, strength)
    known = np.flatnonzero(np.isfinite(told))
    if not rated.at(known).both:
        return plain
    unit = max(float(told[known].std()), 1e-9)
    model = LogisticRegression(class_weight="balanced")
    model.fit(told[known, None] / unit, rated.shown[known])
    scale = max(float(np.asarray(model.coef_)[0, 0]), 1e-3) / unit
    shift = float(np.asarray(model.intercept_)[0])
    return Show(plain.weight * scale, plain.bias * scale + shift, strength)


def fit(rated: Rated, strength: float) -> Show:
    """Fit the score; a rating counts by how far it is from undecided."""
    sure = np.abs(rated.ratings - 0.5) * 2 + 1e-3
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    model.fit(rated.features, rated.shown, sample_weight=sure)
    return Show(np.asarray(model.coef_)[0], float(np.asarray(model.intercept_)[0]), strength)


def left_out(rated: Rated, strength: float) -> NDArray[np.float64]:
    """Logits (N,) of every picture by a score that has seen no picture of its category.

    NaN where the other categories don't have both kinds.
    """
    told = np.full(len(rated.ratings), np.nan)
    for category in np.unique(rated.categories):
        inside = rated.categories == category
        others = rated.at(np.flatnonzero(~inside))
        if others.both:
            told[inside] = fit(others, strength).logits(rated.features[inside])
    return told


def left_out_area(rated: Rated, strength: float) -> float:
    """Mean over categories with both kinds of the area under the curve within the category."""
    told = left_out(rated, strength)
    areas = [
        auroc(told[inside], rated.shown[inside])
        for inside in (rated.categories == one for one in np.unique(rated.categories))
        if rated.at(np.flatnonzero(inside)).both and np.isfinite(told[inside]).all()
    ]
    return float(np.mean(areas)) if areas else 0.5


def first_among(
    told: NDArray[np.floating], rated: Rated, candidates: int, seed: int
) -> list[tuple[int, int]]:
    """For each shown picture, its rank among rejected ones of its category, if it has any.

    Args:
        told: (N,) the score of each.
        rated: the pictures.
        candidates: rejected pictures drawn for each shown one.
        seed: of the draw.

    Returns:
        Position of the shown picture and how many candidates score as high or higher.
    """
    random = np.random.default_rng(seed)
    ranks: list[tuple[int, int]] = []
    for at in np.flatnonzero(rated.shown & np.isfinite(told)):
        mates = np.flatnonzero(~rated.shown & (rated.categories == rated.categories[at]))
        if not len(mates):
            continue
        drawn = random.choice(mates, min(candidates, len(mates)), replace=False)
        ranks.append((int(at), int((told[drawn] >= told[at]).sum())))
    return ranks
