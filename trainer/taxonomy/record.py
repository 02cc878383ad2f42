"""The folder of a run that tells types of defect apart.

    RUN/types.json          this module's TypesRecord
    RUN/model.safetensors   the network's tensors
    RUN/split.csv           as of every run (trainer/run.py)
    RUN/guesses.csv         every picture: path, type, split, the type told, its probabilities

There is no run.json: nothing that needs a good class can take it for an inspection.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file

from export.errors import RunError
from export.verdict import Contract
from trainer.backbone import Network
from trainer.run import (
    TYPES,
    SplitRow,
    Trained,
    read_record,
    write_csv,
    write_learned,
)


class TypesRecord(Trained):
    """RUN/types.json; `confusion` is of the test: true type → told type → pictures."""

    types: tuple[str, ...] = Field(min_length=2)
    confusion: dict[str, dict[str, int]]


class Guess(Contract):
    """One line of guesses.csv; probabilities are in the order of the record's types."""

    path: str
    label: str
    split: str
    told: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TypesRun:
    """A finished run in `folder`."""

    folder: Path
    record: TypesRecord

    @classmethod
    def load(cls, folder: Path) -> "TypesRun":
        """Open a run; raises RunError if the folder holds none."""
        return cls(
            folder, read_record(folder / TYPES, TypesRecord, "tells no types", "--task types ")
        )

    def save(self, network: Network, split: list[SplitRow], guesses: list[Guess]) -> None:
        """Write every file; types.json last, since it marks the run as finished."""
        write_learned(self.folder, network, split)
        rows = [
            [g.path, g.label, g.split, g.told, *(f"{p:.9g}" for p in g.probabilities)]
            for g in guesses
        ]
        header = ["path", "type", "split", "told", *self.record.types]
        write_csv(self.folder / "guesses.csv", header, rows)
        (self.folder / TYPES).write_text(
            self.record.model_dump_json(indent=2) + "\n", encoding="utf-8"
        )

    def network(self) -> Network:
        """The trained network, in evaluation mode; raises RunError if its tensors don't fit."""
        network = Network(self.record.arch, len(self.record.types), self.record.input.tile)
        path = self.folder / "model.safetensors"
        try:
            network.load_state_dict(load_file(path))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise RunError(
                f"{str(path)!r} does not hold this run's {self.record.arch}: {error}",
                "copy the run again, or train again",
            ) from error
        return network.eval()

    def seen(self) -> set[str]:
        """SHA-256 of every picture that taught, chose or calibrated."""
        with (self.folder / "split.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {row["sha256"] for row in rows if row["split"] != "test"}
