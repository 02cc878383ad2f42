"""Does fine-tuning pay on these product pictures? Stock features against fine-tuning, measured.

Both learn from the same pictures and are judged on the same test, at a quarter, a half and all of
the training groups. The difference is tested in pairs, by the exact McNemar test: only pictures
that one has right and the other wrong say anything.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from export.figures import Figure, save
from trainer.catalog.gathering import gather_shelf
from trainer.dataset import Dataset
from trainer.head import features, logits
from trainer.material import Material
from trainer.progress import Progress
from trainer.rates import Rate
from trainer.room import room
from trainer.teaching import Plan, finish, teach

SHARES = (0.25, 0.5, 1.0)
CERTAIN = 0.05


@dataclass(frozen=True, slots=True)
class Round:
    """One share of the training pictures, learnt from in both ways.

    Attributes:
        share: of the training groups.
        pictures: that taught.
        head, tuned: rights of the test's pictures.
        only_head, only_tuned: pictures that one alone has right.
        p: of the exact two-sided McNemar test.
        minutes_head, minutes_tuned: what learning took.
        kept: what the fine-tuning run kept, by validation.
    """

    share: float
    pictures: int
    head: Rate
    tuned: Rate
    only_head: int
    only_tuned: int
    p: float
    minutes_head: float
    minutes_tuned: float
    kept: str


def advise(
    plan: Plan, out: Path, progress: Progress, shares: tuple[float, ...] = SHARES
) -> list[Round]:
    """Learn at each share in both ways; raises LinewardenError."""
    whole = gather_shelf(plan, progress)
    rounds = []
    for share in shares:
        material = thinned(whole, share, plan.seed)
        progress.say(f"{share:.0%} of the training pictures: {len(material.of('train'))}")
        told = [
            _rights(replace(plan, recipe=recipe), out / f"{share:g}-{name}", material, progress)
            for name, recipe in (
                ("head", plan.recipe.model_copy(update={"epochs": 0})),
                ("tuned", plan.recipe),
            )
        ]
        rounds.append(_round(share, material, *told))
    return rounds


def thinned(material: Material, share: float, seed: int) -> Material:
    """The material with a share of each category's training groups; a larger share holds the less.

    The other splits stay as they are.
    """
    random = np.random.default_rng(seed)
    train = material.of("train")
    turn: dict[str, float] = {
        group: float(random.random()) for group in sorted({material.parts[i] for i in train})
    }
    kept = np.ones(len(material.labels), bool)
    for label in range(len(material.dataset.classes)):
        mine = [i for i in train if material.labels[i] == label]
        groups = sorted({material.parts[i] for i in mine}, key=turn.__getitem__)
        stay = set(groups[: max(1, round(share * len(groups)))])
        for i in mine:
            kept[i] = material.parts[i] in stay
    at = np.flatnonzero(kept)
    dataset: Dataset = replace(
        material.dataset, pictures=tuple(material.dataset.pictures[i] for i in at)
    )
    album = replace(
        material.album,
        paths=tuple(material.album.paths[i] for i in at),
        frames=room().taken(material.album.frames, at),
        digests=tuple(material.album.digests[i] for i in at),
        hashes=material.album.hashes[at],
    )
    return replace(
        material,
        dataset=dataset,
        album=album,
        labels=material.labels[at],
        parts=tuple(material.parts[i] for i in at),
        splits=tuple(material.splits[i] for i in at),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    right: np.ndarray
    minutes: float
    kept: str


def _rights(plan: Plan, folder: Path, material: Material, progress: Progress) -> _Told:
    begun = time.monotonic()
    gathered: Callable[[Plan, Progress], Material] = lambda _plan, _progress: material  # noqa: E731
    taught = teach(plan, folder, progress, gathered)
    at = material.of("test")
    frames = room().taken(material.album.frames, at)
    guesses = logits(taught.network, features(taught.network, frames, bf16=False)).argmax(1)
    finish(folder)
    minutes = (time.monotonic() - begun) / 60
    return _Told(guesses == material.labels[at], minutes, taught.kept)


def _round(share: float, material: Material, head: _Told, tuned: _Told) -> Round:
    at = material.of("test")
    groups = len({material.parts[i] for i in at})
    only_head = int((head.right & ~tuned.right).sum())
    only_tuned = int((tuned.right & ~head.right).sum())
    apart = only_head + only_tuned
    p = float(binomtest(only_tuned, apart, 0.5).pvalue) if apart else 1.0
    return Round(
        share=share,
        pictures=len(material.of("train")),
        head=Rate(int(head.right.sum()), len(at), groups),
        tuned=Rate(int(tuned.right.sum()), len(at), groups),
        only_head=only_head,
        only_tuned=only_tuned,
        p=p,
        minutes_head=round(head.minutes, 2),
        minutes_tuned=round(tuned.minutes, 2),
        kept=tuned.kept,
    )


def words(rounds: list[Round]) -> list[str]:
    """The rounds as a table, and the answer."""
    lines = [
        "pictures  stock features, linear head   fine-tuned                 only one right    p"
    ]
    lines += [
        f"{one.pictures:>8}  {_rate(one.head):<28}  {_rate(one.tuned):<25}  "
        f"{one.only_head:>4} : {one.only_tuned:<4}  {one.p:.3f}"
        for one in rounds
    ]
    last = rounds[-1]
    gained = 100 * (last.tuned.value - last.head.value)
    times = last.minutes_tuned / max(last.minutes_head, 1e-9)
    cost = f"{last.minutes_tuned:.1f} minutes against {last.minutes_head:.1f} ({times:.1f} times)"
    if last.kept == "head":
        answer = f"skip fine-tuning: validation preferred the linear head itself; {cost}"
    elif last.p >= CERTAIN:
        answer = (
            f"not shown to pay: {gained:+.1f} points on all pictures, which chance alone gives in "
            f"{last.p:.0%} of cases; {cost}"
        )
    elif gained > 0:
        answer = f"fine-tune: {gained:+.1f} points on all pictures (p {last.p:.3f}); {cost}"
    else:
        answer = f"skip fine-tuning: it loses {-gained:.1f} points (p {last.p:.3f}); {cost}"
    return [*lines, answer]


def _rate(rate: Rate) -> str:
    low, high = rate.interval()
    return f"{rate.value:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def write(rounds: list[Round], out: Path, seed: int) -> None:
    """Write advice.json, and the figures."""
    told = {"rounds": [asdict(one) for one in rounds], "words": words(rounds)}
    (out / "advice.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    figures = [
        Figure(f"{name} top-1 at {one.share:.0%}", 100 * rate.value, "%")
        for one in rounds
        for name, rate in (("linear head", one.head), ("fine-tuned", one.tuned))
    ]
    save("advise-catalog", figures, seed=seed)
