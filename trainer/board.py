"""What TensorBoard shows of a run: its epochs while it learns, its figures when it is done.

`tensorboard --logdir runs` compares every run in a folder; nothing here needs TensorBoard itself.
"""

import shutil
from pathlib import Path
from typing import Protocol

from tensorboardX import SummaryWriter

from export.manifest import Metric
from trainer.finetune import Epoch
from trainer.run import WeightsRecord

FOLDER = "tensorboard"


class Finished(Protocol):
    """The record of a finished run, as far as it is shown."""

    @property
    def arch(self) -> str:
        """Torchvision's name."""
        ...

    @property
    def weights(self) -> WeightsRecord:
        """What the trunk started from."""
        ...

    @property
    def seed(self) -> int:
        """Of all that is random."""
        ...

    @property
    def recipe(self) -> dict[str, str | int | float | bool | None]:
        """Its numbers by name."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What was measured."""
        ...


class Board:
    """Event files in `folder`/tensorboard, begun afresh: a run that goes on tells all again."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        self._writer = SummaryWriter(str(folder / FOLDER), flush_secs=5)

    def epoch(self, epoch: Epoch) -> None:
        """Add an epoch's losses and validation AUROC."""
        if epoch.train_loss is not None:
            self._writer.add_scalar("loss/train", epoch.train_loss, epoch.epoch)
        self._writer.add_scalar("loss/validation", epoch.validation_loss, epoch.epoch)
        if epoch.validation_auroc is not None:
            self._writer.add_scalar("auroc/validation", epoch.validation_auroc, epoch.epoch)

    def close(self, record: Finished, words: str) -> None:
        """Add the run's settings and figures as hyperparameters with metrics, and `words` on it."""
        settings = {"arch": record.arch, "weights": record.weights.name, "seed": record.seed}
        settings |= {key: value for key, value in record.recipe.items() if value is not None}
        figures = {f"{one.split}/{one.name.replace(':', '/')}": one.value for one in record.metrics}
        self._writer.add_hparams(settings, figures, name="figures")
        self._writer.add_text("basis", words)
        self._writer.close()
