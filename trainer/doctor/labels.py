"""Labels that are probably wrong: every picture asked of a head that has not seen it.

Confident learning (Northcutt, Jiang and Chuang, JAIR 70, 2021): a label is doubted where another
class is at least as sure of the picture as it usually is of its own; the ranking is by the
probability of the given label ("self-confidence"). Copies of a picture never teach the head that
judges it. Other frames of the same part do: this is no examination, and a part that is called
good once and cracked five times is just what is looked for (docs/log.md has the figures).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from export.preprocess import Input
from trainer import album, head, parts, weights
from trainer.backbone import Network
from trainer.dataset import counted
from trainer.doctor.bound import Bound, bound_of
from trainer.doctor.finding import Case, Finding, Grade, Harm
from trainer.doctor.subject import Subject
from trainer.progress import Progress
from trainer.recipe import named, on_this_machine
from trainer.run import GOOD

FOLDS = 5
SIDE = 224
_CHUNK = 256
_AXES = 128
_STRENGTHS = (1e-3, 1e-2, 1e-1)
# What a class may ask for at most: one that is sure of all its own would else miss wrong labels.
_SURE = 0.8
# By how much wrong labels must move the escape bound to be a matter of the guarantee.
_MOVES = 0.01

Chances = NDArray[np.float64]
Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A label that is probably wrong.

    Attributes:
        at: position among the pictures that were asked about.
        given, likely: classes.
        sure, other: probability of each, by a head that has not seen the picture.
    """

    at: int
    given: str
    likely: str
    sure: float
    other: float


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Who was asked about: positions (K,) in the subject, classes, and each one's number (K,)."""

    subject: Subject
    at: Numbers
    names: NDArray[np.str_]
    numbers: Numbers

    def path(self, i: int) -> str:
        """The i-th picture's path."""
        return self.subject.paths[self.at[i]]


def labels(subject: Subject, progress: Progress) -> list[Finding]:
    """The finding about doubtful labels; reads and judges every picture, with progress."""
    asked = _asked(subject)
    if len(asked.names) < 2:
        return []
    seen = features(asked, progress)
    copies = parts.exact_twins([subject.looks[i].sha256 for i in asked.at])
    if not subject.alike:
        copies += parts.near_twins(subject.hashes[asked.at])
    alone = parts.unite([f"{i:09d}" for i in range(len(asked.at))], copies)
    part = [subject.part[i] for i in asked.at]
    with progress.phase("asking about labels", 2 * FOLDS * len(_STRENGTHS)) as advance:
        chances = out_of_sample(seen, asked.numbers, alone, advance)
        strict = out_of_sample(seen, asked.numbers, part, advance)
    doubts = doubted(chances, asked.numbers, asked.names)
    if not doubts:
        return []
    bound = None
    if GOOD in asked.names:
        good = int(np.flatnonzero(asked.names == GOOD)[0])
        right = {one.at: one.likely for one in doubts}
        bound = bound_of(1 - strict[:, good], asked.names[asked.numbers], part, right)
    return [_finding(asked, doubts, bound)]


def _asked(subject: Subject) -> Asked:
    """The pictures of classes that have a picture for each fold."""
    names, counts = np.unique(subject.labels, return_counts=True)
    at = np.flatnonzero(np.isin(subject.labels, names[counts >= FOLDS]))
    kept, numbers = np.unique(subject.labels[at], return_inverse=True)
    return Asked(subject, at, kept, numbers)


def features(asked: Asked, progress: Progress) -> NDArray[np.float32]:
    """(K,F) features of the starter, standardised, on at most 128 axes of most variance."""
    network = Network(weights.STARTER_ARCH, 2)
    weights.fill(network.trunk, weights.STARTER_ARCH, "starter")
    network = network.to(memory_format=torch.channels_last).eval()
    bf16 = on_this_machine(named("tune")).bf16
    found: list[NDArray[np.float32]] = []
    with progress.phase("features of the starter", len(asked.at)) as advance:
        for start in range(0, len(asked.at), _CHUNK):
            paths = [asked.subject.paths[i] for i in asked.at[start : start + _CHUNK]]
            read = album.load(asked.subject.root, paths, Input(SIDE, SIDE))
            found.append(head.features(network, read.frames, bf16, advance).numpy())
    plain = StandardScaler().fit_transform(np.concatenate(found))
    axes = min(_AXES, len(plain) - 1)
    return np.asarray(PCA(axes, random_state=0).fit_transform(plain), np.float32)


def out_of_sample(
    seen: NDArray[np.float32],
    numbers: Numbers,
    group: list[str],
    advance: Callable[[], None] = lambda: None,
) -> Chances:
    """(K,C) class probabilities of each picture by heads that saw nothing of its group.

    The strength is the one of `_STRENGTHS` with the least loss on the pictures held out.
    """
    tried: list[tuple[float, Chances]] = []
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    with threadpool_limits(1):  # many small fits: threads would only wait for one another
        deal = list(folds.split(seen, numbers, group))
        for strength in _STRENGTHS:
            chances = np.zeros((len(numbers), int(numbers.max()) + 1))
            for learn, judge in deal:
                model = LogisticRegression(C=strength, class_weight="balanced", max_iter=500)
                model.fit(seen[learn], numbers[learn])
                chances[np.ix_(judge, model.classes_)] = model.predict_proba(seen[judge])
                advance()
            own = chances[np.arange(len(numbers)), numbers]
            tried.append((float(-np.log(np.maximum(own, 1e-6)).mean()), chances))
    return min(tried, key=lambda one: one[0])[1]


def doubted(chances: Chances, numbers: Numbers, names: NDArray[np.str_]) -> list[Doubt]:
    """Every doubtful label, the most doubtful first.

    Args:
        chances: (K,C) out of sample.
        numbers: (K,) given classes.
        names: (C,) their names.
    """
    own = chances[np.arange(len(numbers)), numbers]
    usual = np.array([own[numbers == c].mean() for c in range(len(names))])
    usual = np.minimum(usual, _SURE)
    confident = np.where(chances >= usual, chances, -1.0)
    likely = confident.argmax(1)
    at = np.flatnonzero((confident.max(1) > 0) & (likely != numbers))
    return [
        Doubt(
            int(i), str(names[numbers[i]]), str(names[likely[i]]),
            float(own[i]), float(chances[i, likely[i]]),
        )
        for i in at[np.argsort(own[at], kind="stable")]
    ]  # fmt: skip


def _finding(asked: Asked, doubts: list[Doubt], bound: Bound | None) -> Finding:
    effect = (
        "Wrong labels teach the model what isn't so, and its figures are counted by them."
        if bound is None
        else bound.words()
    )
    moves = bound is not None and abs(bound.as_given - bound.put_right) >= _MOVES
    return Finding(
        kind="doubtful_labels",
        grade=Grade.SERIOUS if moves else Grade.LOOK,
        harm=Harm.MISTAUGHT,
        title=f"{counted(len(doubts), 'label')} of {len(asked.at)} in doubt: a quick model "
        "that has not seen the picture says otherwise",
        effect=effect,
        remedy="Look at each, the most doubtful first, and move it to its class where the label "
        "is wrong. Rare defects are often doubted although they are right.",
        cases=tuple(
            Case(
                (asked.path(one.at),),
                f"is under {one.given} ({one.sure:.0%} likely), looks like {one.likely} "
                f"({one.other:.0%})" + ("" if bound is None else bound.effect(one.at)),
            )
            for one in doubts
        ),
    )
