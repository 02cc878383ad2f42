"""A sweep's trials: recipes that Optuna suggests, each judged on the same rounds of the same parts.

Only the pictures for training and validation take part: those for calibration and test stay unseen,
so that the recipe which wins can still be examined honestly. Workers meet in Optuna's storage, on
one machine in a file, on many in a database; a trial that a killed worker leaves behind is tried
again.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.exceptions import (
    ExperimentalWarning,
    StorageInternalError,
    UpdateFinishedTrialError,
)
from optuna.storages import BaseStorage, RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from export.errors import RunError
from export.preprocess import Input
from trainer import album, head, weights
from trainer.advise.arms import Lesson, Pictures, run
from trainer.advise.rounds import Round, deal_rounds
from trainer.backbone import Network
from trainer.material import Choices, gather
from trainer.progress import Progress
from trainer.rates import auroc
from trainer.recipe import Recipe
from trainer.room import room
from trainer.split import Sample
from trainer.sweep.space import Space

NAME = "recipe"
_BEAT_S, _GRACE_S = 10, 60
_STARTUP = 6  # recipes drawn blindly before the sampler learns from them


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what a trial measures."""

    data: Path
    arch: str
    weights: str
    seed: int
    rounds: int
    to: Input
    recipe: Recipe
    choices: Choices

    def mark(self, fingerprint: str, space: Space) -> str:
        """The plan and the pictures as text, to tell whether a storage holds the same sweep."""
        told = asdict(self) | {"recipe": self.recipe.model_dump(), "space": space.model_dump()}
        del told["data"]  # the same pictures may lie elsewhere for another worker
        return json.dumps(told | {"fingerprint": fingerprint}, default=str, sort_keys=True)


def open_storage(url: str) -> BaseStorage:
    """Optuna's storage, which notices workers that die; raises RunError."""
    patient = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else None
    try:
        with warnings.catch_warnings():  # heartbeats are "experimental" since 2.8
            warnings.simplefilter("ignore", ExperimentalWarning)
            return RDBStorage(
                url,
                engine_kwargs=patient,
                heartbeat_interval=_BEAT_S,
                grace_period=_GRACE_S,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=2),
            )
    except (
        ArgumentError,
        NoSuchModuleError,
        OperationalError,
        StorageInternalError,
        ImportError,
    ) as error:
        first = str(error).splitlines()[0]
        raise RunError(
            f"--storage {url!r} can't be opened: {first}",
            "sqlite:///FILE on one machine, postgresql://USER@HOST/BASE and its driver on many",
        ) from error


class Sweep:
    """One worker's part of a sweep.

    Attributes:
        study: Optuna's, shared by all workers.
    """

    def __init__(self, plan: Plan, space: Space, storage: BaseStorage, progress: Progress) -> None:
        """Read the pictures and join the sweep in `storage`; raises LinewardenError."""
        self._plan, self._space, self._progress = plan, space, progress
        material = gather(plan.data, plan.choices, plan.to, plan.seed, progress)
        keep = np.flatnonzero(np.isin(material.splits, ["train", "validation"]))
        labels = [picture.label for picture in material.dataset.pictures]
        samples = [Sample(material.parts[at], labels[at]) for at in keep]
        self._parts = np.array([sample.part for sample in samples])
        self.study = _joined(storage, plan.mark(album.fingerprint(material.album, labels), space))
        self._rounds = deal_rounds(samples, plan.rounds, plan.seed)
        self._network = _stock(plan, len(material.dataset.classes))
        frames = room().taken(material.album.frames, keep)
        seen = head.views(frames, plan.recipe.flips)
        with progress.phase("stock features", sum(map(len, seen))) as advance:
            views = head.all_features(self._network, seen, plan.recipe.bf16, advance)
        self._pictures = Pictures(frames, material.labels[keep], views, 0.0)

    def run(self, count: int, heard: Callable[[FrozenTrial], None] = lambda _t: None) -> None:
        """Try recipes until the sweep has `count` finished ones, whoever tried them."""
        self._ask_for_the_standard()
        had = len(_finished(self.study))
        with self._progress.phase("recipes", count, had=had) as advance:
            while len(_finished(self.study)) < count:
                before = len(_finished(self.study))
                self._try_one(heard)
                found = len(_finished(self.study)) - before
                best = _best(self.study)
                advance(found, "" if best is None else f"; best AUROC {best.value:.4f}")

    def _ask_for_the_standard(self) -> None:
        """The recipe that `train` would take is tried first: the mark that others must beat."""
        told = self._space.of(self._plan.recipe)
        if told is not None and not self.study.get_trials(deepcopy=False):
            self.study.enqueue_trial(told, {"standard": True}, skip_if_exists=True)

    def _try_one(self, heard: Callable[[FrozenTrial], None]) -> None:
        try:
            self.study.optimize(
                self._judged, n_trials=1, callbacks=[lambda _study, trial: heard(trial)]
            )
        except UpdateFinishedTrialError:  # taken for dead while this machine slept
            self._progress.say("  a trial was given up by others before it was finished")

    def _judged(self, trial: Trial) -> float:
        """Mean AUROC over the rounds of what `train` would keep; stops where it can't win."""
        recipe = self._space.draw(self._plan.recipe, trial)
        found: list[float] = []
        for one in self._rounds:
            found.append(self._round(recipe, one))
            trial.set_user_attr("auroc", found)
            trial.report(float(np.mean(found)), one.number)
            if one.number + 1 < len(self._rounds) and trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(found))

    def _round(self, recipe: Recipe, one: Round) -> float:
        lesson = Lesson(one.learn, one.choose, one.judge, seed=self._plan.seed * 100 + one.number)
        scores = run("tuned", self._pictures, lesson, self._network, recipe).scores
        return auroc(scores, self._pictures.labels[one.judge] != 0)


def _stock(plan: Plan, classes: int) -> Network:
    torch.manual_seed(plan.seed)
    network = Network(plan.arch, classes)
    weights.fill(network.trunk, plan.arch, plan.weights)
    return network.to(memory_format=torch.channels_last).eval()


def _joined(storage: BaseStorage, mark: str) -> optuna.Study:
    """The sweep in the storage, begun if there is none; raises RunError if it is another one."""
    study = optuna.create_study(
        study_name=NAME,
        storage=storage,
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(
            n_startup_trials=_STARTUP, multivariate=True, constant_liar=True
        ),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP, n_warmup_steps=1),
    )
    if study.user_attrs.setdefault("mark", mark) != mark:
        raise RunError(
            "the storage holds a sweep of other pictures, another plan or another space",
            "give another --out or --storage",
        )
    study.set_user_attr("mark", mark)
    return study


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that came to an end, early ones too."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _best(study: optuna.Study) -> FrozenTrial | None:
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return max(whole, key=lambda trial: trial.value or 0.0, default=None)
