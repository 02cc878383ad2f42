"""What survives kill -9: one file, replaced as a whole, from which learning goes on exactly.

It holds tensors and plain values, and knows nothing of what they mean.
"""

import os
import pickle
import time
from pathlib import Path
from typing import Any

import torch

from export.errors import RunError

NAME = "checkpoint.pt"
PART = "checkpoint.part"
SAVING = ".tmp*"  # what safetensors leaves behind when it is killed while it saves
_SHARE = 0.05


class Checkpoint:
    """A file that is either the old state or the new one, never half of one.

    Writing takes at most a twentieth of the time: where steps are quick, some saves are skipped.
    What is lost in a kill is then learnt again, with the same result.
    """

    def __init__(self, folder: Path | None, mark: str = "") -> None:
        """Keep states in `folder` (None: keep none); `mark` says of what data they are."""
        self._path = folder / NAME if folder else None
        self._mark = mark
        self._next = 0.0

    def load(self) -> dict[str, Any] | None:
        """The newest state, if there is one; raises RunError if it is of other data."""
        if self._path is None or not self._path.exists():
            return None
        remedy = f"remove {str(self._path)!r} to begin anew, or give another --out"
        try:
            found = torch.load(self._path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise RunError(f"{str(self._path)!r} can't be read: {error}", remedy) from error
        if found["mark"] != self._mark:
            raise RunError(
                f"{str(self._path)!r} was begun with other pictures or another version of torch",
                remedy,
            )
        return found["state"]

    def save(self, state: dict[str, Any], *, must: bool = False) -> None:
        """Put `state` (tensors and plain values) in place of the one before, if it is time."""
        began = time.monotonic()
        if self._path is None or (began < self._next and not must):
            return
        fresh = self._path.with_name(PART)
        with fresh.open("wb") as file:
            torch.save({"mark": self._mark, "state": state}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        ended = time.monotonic()
        self._next = ended + (ended - began) / _SHARE


def clear(folder: Path) -> None:
    """Remove what learning kept in `folder` for itself."""
    for path in (folder / NAME, folder / PART, *folder.glob(SAVING)):
        path.unlink(missing_ok=True)
