"""`make bench-guarantee`: does the escape bound hold at its confidence?

From known distributions of scores, 1,000 calibration sets each are drawn and the thresholds
decided as training does. The realised escape rate is then known, not estimated, and may exceed
the budget in at most 1 - confidence of the draws, within binomial error.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from scipy.stats import beta, binom

from export.figures import Figure, save, table
from trainer import calibrate
from trainer.calibrate import Budgets
from trainer.evaluate import Judged
from trainer.thresholds.decision import decide_thresholds
from trainer.thresholds.guarantee import ALL, lowest_of, promises

ERROR = 0.999  # so many of honest simulations stay within what is allowed
POPULATION = 400_000

Draw = Callable[[np.random.Generator], Judged]
Truth = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Shape:
    """A line: how calibration pictures are drawn, and each kind's true share below a score."""

    name: str
    budget: float
    draw: Draw
    truth: dict[str, Truth]
    each_type: bool = True


def labelled(kinds: dict[str, np.ndarray]) -> Judged:
    """Pictures from scores (parts, views) by class."""
    labels = [kind for kind, scores in kinds.items() for _ in range(scores.size)]
    parts = [f"{kind} {at // scores.shape[1]}" for kind, scores in kinds.items()
             for at in range(scores.size)]  # fmt: skip
    return Judged(
        tuple(labels), tuple(parts), np.concatenate([scores.ravel() for scores in kinds.values()])
    )


def below(lowest: np.ndarray) -> Truth:
    """The share below a score, of a population of parts' lowest scores."""
    ordered = np.sort(lowest)
    return lambda limit: float(np.searchsorted(ordered, limit)) / len(ordered)


def betas(parts: int, budget: float) -> Shape:
    """One type of defect whose scores overlap with the good ones."""

    def draw(rng: np.random.Generator) -> Judged:
        return labelled({"good": rng.beta(2, 5, (200, 1)), "dent": rng.beta(5, 2, (parts, 1))})

    def truth(limit: float) -> float:
        return float(beta.cdf(limit, 5, 2))

    return Shape(f"betas, {parts} parts", budget, draw, {ALL: truth, "dent": truth})


def ties(parts: int, budget: float) -> Shape:
    """Scores that only take 40 values, most of them the same."""

    def rounded(rng: np.random.Generator, size: int, a: float, b: float) -> np.ndarray:
        return np.round(rng.beta(a, b, (size, 1)) * 40) / 40

    def draw(rng: np.random.Generator) -> Judged:
        return labelled({"good": rounded(rng, 200, 2, 5), "dent": rounded(rng, parts, 4, 2)})

    def truth(limit: float) -> float:
        return float(beta.cdf((np.ceil(limit * 40 - 1e-9) - 0.5) / 40, 4, 2))

    return Shape(f"ties, {parts} parts", budget, draw, {ALL: truth, "dent": truth})


def views(parts: int, budget: float) -> Shape:
    """Four pictures of a part, alike; the part escapes if any of them would pass."""

    def seen(rng: np.random.Generator, size: int, a: float, b: float) -> np.ndarray:
        shown = rng.beta(a, b, (size, 1)) + rng.normal(0, 0.05, (size, 4))
        return np.clip(shown, 0.0, 1.0)

    def draw(rng: np.random.Generator) -> Judged:
        return labelled({"good": seen(rng, 100, 2, 6), "dent": seen(rng, parts, 6, 2)})

    truth = below(seen(np.random.default_rng(99), POPULATION, 6, 2).min(1))
    return Shape(f"4 views, {parts} parts", budget, draw, {ALL: truth, "dent": truth})


def mixed(sizes: tuple[int, int], budget: float, *, each_type: bool) -> Shape:
    """A plain type and a fainter, rarer one; parts of the mix are drawn at these sizes."""
    shapes = {"dent": (7, 2), "crack": (4, 2)}
    share = sizes[0] / sum(sizes)

    def draw(rng: np.random.Generator) -> Judged:
        many = int(rng.binomial(sum(sizes), share))
        counts = {"dent": many, "crack": sum(sizes) - many}
        bad = {kind: rng.beta(*shapes[kind], (counts[kind], 1)) for kind in shapes}
        return labelled({"good": rng.beta(2, 6, (200, 1)), **bad})

    def of(kind: str) -> Truth:
        return lambda limit: float(beta.cdf(limit, *shapes[kind]))

    truth: dict[str, Truth] = {kind: of(kind) for kind in shapes}
    truth[ALL] = lambda limit: share * truth["dent"](limit) + (1 - share) * truth["crack"](limit)
    how = "each" if each_type else "together"
    return Shape(f"2 types {how}, {sum(sizes)} parts", budget, draw, truth, each_type)


def tempered(parts: int, budget: float) -> Shape:
    """Three classes whose temperature is fitted on the same pictures as the threshold."""

    def logits(rng: np.random.Generator, size: int, at: int) -> np.ndarray:
        return 3 * (rng.normal(size=(size, 3)) + 2.5 * np.eye(3)[at])

    population = logits(np.random.default_rng(98), POPULATION // 4, 1)
    fitted: list[float] = []

    def draw(rng: np.random.Generator) -> Judged:
        raw = {"good": logits(rng, 150, 0), "dent": logits(rng, parts, 1)}
        classes = np.repeat([0, 1], [150, parts])
        fitted[:] = [calibrate.temperature(np.concatenate([*raw.values()]), classes)]
        return labelled({
            kind: (1 - softmax(found / fitted[0], axis=1)[:, :1]) for kind, found in raw.items()
        })  # fmt: skip

    def truth(limit: float) -> float:
        return float((1 - softmax(population / fitted[0], axis=1)[:, 0] < limit).mean())

    return Shape(f"temperature, {parts} parts", budget, draw, {ALL: truth, "dent": truth})


def shapes() -> list[Shape]:
    """What is simulated: budgets that the parts just prove, and some that they can't."""
    return [
        betas(299, 0.01), betas(59, 0.05), betas(181, 0.05), betas(40, 0.05),
        ties(93, 0.05), views(93, 0.05), tempered(93, 0.05),
        mixed((240, 100), 0.05, each_type=True), mixed((240, 100), 0.05, each_type=False),
        mixed((150, 30), 0.05, each_type=True),
    ]  # fmt: skip


def exceeded(shape: Shape, draws: int, seed: int, confidence: float = 0.95) -> dict[str, float]:
    """The share of draws whose realised escape rate exceeds what was claimed, by kind.

    Under `naive` the same for the usual rule: the budget's share of defective parts given away.
    """
    rng = np.random.default_rng(seed)
    budgets = Budgets(shape.budget, confidence=confidence, each_type=shape.each_type)
    over: dict[str, int] = dict.fromkeys((*shape.truth, "naive"), 0)
    for _ in range(draws):
        judged = shape.draw(rng)
        decision = decide_thresholds(judged, budgets)
        for claim in decision.claims:
            realised = shape.truth[claim.kind](decision.thresholds.pass_below)
            over[claim.kind] += realised > claim.bound
        lowest = lowest_of(judged)
        usual = float(lowest[int(shape.budget * len(lowest))])
        over["naive"] += shape.truth[ALL](usual) > shape.budget
    return {kind: count / draws for kind, count in over.items()}


def measure(draws: int, seed: int, confidence: float = 0.95) -> list[Figure]:
    """Every shape's figures; a bound that fails more often than allowed does not hold."""
    most = float(binom.ppf(ERROR, draws, 1 - confidence)) / draws
    figures: list[Figure] = []
    for shape in shapes():
        begun = time.monotonic()
        found = exceeded(shape, draws, seed, confidence)
        proven = promises(shape.draw(np.random.default_rng(seed)), shape.budget, confidence)
        state = {one.kind: "budget" if one.proven else "bound, budget unproven" for one in proven}
        figures += [
            Figure(
                f"{shape.name}: {kind}",
                found[kind],
                "of draws",
                f"<= {most:g}",
                f"{state[kind]} {shape.budget:.0%}",
            )
            for kind in (shape.truth if len(shape.truth) > 2 else (ALL,))
        ]
        note = f"{shape.budget:.0%} of the defective given away; {time.monotonic() - begun:.0f} s"
        figures.append(
            Figure(f"{shape.name}: the usual rule", found["naive"], "of draws", "", note)
        )
    return figures


def main() -> None:
    """Simulate, print the table, write results/guarantee.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    figures = measure(asked.draws, asked.seed)
    print(f"realised escape rate above what was claimed, in {asked.draws} draws each\n")
    print(f"{table(figures)}\n\n{save('guarantee', figures, seed=asked.seed)}")
    if slipped := [figure.name for figure in figures if figure.holds is False]:
        raise SystemExit(f"bench-guarantee: the bound did not hold: {', '.join(slipped)}")


if __name__ == "__main__":
    main()
