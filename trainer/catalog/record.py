"""The folder of a run that knows a company's product pictures.

    RUN/catalog.json        this module's CatalogRecord
    RUN/model.safetensors   the network's tensors
    RUN/split.csv           as of every run (trainer/run.py); `part` is the product or sender
    RUN/told.csv            every picture: path, category, split, told category, confidence,
                            presentation score, novelty

There is no run.json: nothing that judges parts can take it for an inspection.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file

from export.catalog import PresentationBasis
from export.errors import RunError
from export.manifest import NoveltyBasis
from export.verdict import Contract, Finite
from trainer.backbone import Network
from trainer.catalog.network import CatalogNetwork
from trainer.run import (
    CATALOG,
    SplitRow,
    Trained,
    read_record,
    write_csv,
)
from trainer.run import write_learned as write_tensors


class CatalogRecord(Trained):
    """RUN/catalog.json; `confusion` is of the test: true category → told category → pictures."""

    categories: tuple[str, ...] = Field(min_length=2)
    novel_above: Finite
    novelty: NoveltyBasis
    presentation: PresentationBasis | None
    confusion: dict[str, dict[str, int]]


class Told(Contract):
    """One line of told.csv."""

    path: str
    category: str
    split: str
    told: str
    confidence: float
    presentation: float
    novelty: float


@dataclass(frozen=True, slots=True)
class CatalogRun:
    """A finished run in `folder`."""

    folder: Path
    record: CatalogRecord

    @classmethod
    def load(cls, folder: Path) -> "CatalogRun":
        """Open a run; raises RunError if the folder holds none."""
        return cls(
            folder,
            read_record(
                folder / CATALOG, CatalogRecord, "knows no product pictures", "--task catalog "
            ),
        )

    def save(self, network: CatalogNetwork, split: list[SplitRow], told: list[Told]) -> None:
        """Write every file; catalog.json last, since it marks the run as finished."""
        write_tensors(self.folder, network, split)
        header = list(Told.model_fields)
        rows = [[str(value) for value in one.model_dump().values()] for one in told]
        write_csv(self.folder / "told.csv", header, rows)
        (self.folder / CATALOG).write_text(
            self.record.model_dump_json(indent=2) + "\n", encoding="utf-8"
        )

    def network(self) -> CatalogNetwork:
        """The trained network, in evaluation mode; raises RunError if its tensors don't fit."""
        path = self.folder / "model.safetensors"
        try:
            tensors = load_file(path)
            base = Network(self.record.arch, len(self.record.categories))
            bank, axes = (len(tensors[name]) for name in ("bank", "axes"))
            network = CatalogNetwork(base, axes, bank)
            network.load_state_dict(tensors)
        except (OSError, SafetensorError, RuntimeError, KeyError) as error:
            raise RunError(
                f"{str(path)!r} does not hold this run's {self.record.arch}: {error}",
                "copy the run again, or train again",
            ) from error
        return network.eval()
