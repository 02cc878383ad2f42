"""The arms of a study: ways to make a model, each judged on the same pictures.

All start from the same features of the same frozen trunk, computed once. A score is larger the
more a picture looks defective; scores of different models are not on one scale.
"""

import copy
import time
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.preprocess import Pixels
from trainer import calibrate, head
from trainer.advise.rounds import Index
from trainer.backbone import Network
from trainer.finetune import Labelled, judge, logits_of, tune
from trainer.recipe import Recipe
from trainer.room import room

Arm = Literal["nearest", "head", "tuned"]
ARMS: tuple[Arm, ...] = get_args(Arm)
NAMES: dict[Arm, str] = {
    "nearest": "stock features, nearest good sample",
    "head": "stock features, linear head",
    "tuned": "fine-tuning",
}
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What every arm works on.

    Attributes:
        frames: (N,H,W,3) uint8 BGR.
        labels: (N,) class numbers, 0 good.
        views: (V,N,F) float32, pooled stock features of each fixed view, the picture itself first.
        per_picture_s: seconds that the features of one view of one picture took.
    """

    frames: Pixels
    labels: NDArray[np.int64]
    views: Tensor
    per_picture_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Positions of the pictures that teach, choose and judge, and the seed of what is random."""

    learn: Index
    choose: Index
    judge: Index
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The judged pictures' scores (J,), the seconds of making the model, and what was kept."""

    scores: Scores
    seconds: float
    kept: str = ""


def run(arm: Arm, pictures: Pictures, lesson: Lesson, network: Network, recipe: Recipe) -> Outcome:
    """Make one model and let it score the judged pictures; `network` is stock and stays so."""
    begun = time.monotonic()
    if arm == "nearest":
        scores, kept = _nearest(pictures, lesson), ""
        looked = len(pictures.views) * int((pictures.labels[lesson.learn] == 0).sum())
    else:
        scores, kept = _classifier(arm, pictures, lesson, network, recipe)
        looked = len(pictures.views) * len(lesson.learn) + len(lesson.choose)
    took = time.monotonic() - begun + looked * pictures.per_picture_s
    return Outcome(scores, took, kept)


def _nearest(pictures: Pictures, lesson: Lesson) -> Scores:
    """Distance to the nearest good learning picture, each feature by its spread among these.

    Half the median spread is added to each: a feature that hardly varies among a few good
    pictures would otherwise drown all others.
    """
    good = lesson.learn[pictures.labels[lesson.learn] == 0]
    known = pictures.views[:, good].flatten(0, 1)
    spread = known.std(0, correction=0)
    scale = spread + 0.5 * spread[spread > 0].median() if bool((spread > 0).any()) else spread + 1
    far = torch.cdist(pictures.views[0, lesson.judge] / scale, known / scale)
    return far.min(1).values.double().numpy()


def _classifier(
    arm: Arm, pictures: Pictures, lesson: Lesson, network: Network, recipe: Recipe
) -> tuple[Scores, str]:
    labels = of_known_types(pictures.labels, lesson.learn)
    own = copy.deepcopy(network)
    own.head = torch.nn.Linear(own.arch.features, int(labels.max()) + 1)
    views, unseen = pictures.views, pictures.views[0, lesson.choose]
    first = views[: head.FIRST, lesson.learn]
    taught = first.flatten(0, 1)
    head.standardise(own, taught)

    @torch.inference_mode()
    def cost() -> float:
        return judge(own.classify(unseen).numpy(), labels[lesson.choose])[0]

    many = np.tile(labels[lesson.learn], len(first))
    strength, least = head.fit(own, taught, many, recipe.head_grid, cost)
    if arm == "tuned" and recipe.epochs:
        before = {name: tensor.clone() for name, tensor in own.state_dict().items()}
        if _tuned(own, pictures, labels, lesson, recipe) < least:
            choice = logits_of(own, room().taken(pictures.frames, lesson.choose), recipe.bf16)
            logits = logits_of(own, room().taken(pictures.frames, lesson.judge), recipe.bf16)
            return _scores(logits, choice, labels[lesson.choose]), "fine-tuned"
        own.load_state_dict(before)
    with torch.inference_mode():
        choice = own.classify(unseen).numpy()
        if recipe.refit:
            both = np.concatenate([lesson.learn, lesson.choose])
            again = np.tile(labels[both], len(views))
            head.fit_again(own, views[:, both].flatten(0, 1), again, strength)
        logits = own.classify(views[0, lesson.judge]).numpy()
    return _scores(logits, choice, labels[lesson.choose]), "head"


def _tuned(
    network: Network,
    pictures: Pictures,
    labels: NDArray[np.int64],
    lesson: Lesson,
    recipe: Recipe,
) -> float:
    """Fine-tune in place as `linewarden train` does; the validation loss of what came of it."""
    torch.manual_seed(lesson.seed)
    learn, choose = (
        Labelled(room().taken(pictures.frames, at), labels[at])
        for at in (lesson.learn, lesson.choose)
    )
    return tune(network, learn, choose, recipe, seed=lesson.seed, heard=lambda _epoch: None)


def of_known_types(labels: NDArray[np.int64], learn: Index) -> NDArray[np.int64]:
    """Class numbers without gaps; a type that nobody teaches counts as the commonest defect."""
    known = np.unique(labels[learn])
    taught = labels[learn][labels[learn] != 0]
    commonest = int(np.bincount(taught).argmax())
    seen = np.where(np.isin(labels, known), labels, commonest)
    return np.searchsorted(known, seen).astype(np.int64)


def _scores(
    logits: NDArray[np.float32], choice: NDArray[np.float32], labels: NDArray[np.int64]
) -> Scores:
    """Log odds of any defect at the temperature that fits the choosing pictures.

    They rank as 1 - P(good) does, but don't melt together at 0 and 1.
    """
    warm = np.asarray(logits, np.float64) / calibrate.temperature(choice, labels)
    return np.logaddexp.reduce(warm[:, 1:], axis=1) - warm[:, 0]
