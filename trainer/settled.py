"""Which split pictures were settled in before: ROOT/splits.csv, with columns path and split.

A data set that grew keeps there what it had: what was in the test stays in the test.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from export.errors import DatasetError
from trainer.run import SPLITS, Split, write_csv

FILE = "splits.csv"


def read(root: Path) -> dict[str, Split]:
    """The split of each picture that is settled; none without the file.

    Raises:
        DatasetError: it can't be read, or names a split that there isn't.
    """
    path = root / FILE
    if not path.exists():
        return {}
    known: dict[str, Split] = {name: name for name in SPLITS}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["path"]: known[row["split"]] for row in csv.DictReader(file)}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{str(path)!r} can't be read: {type(error).__name__} {error}",
            f"columns path and split, of {', '.join(SPLITS)}; or grow the data set anew",
        ) from error


def write(root: Path, splits: Mapping[str, Split]) -> None:
    """Settle pictures; raises OSError."""
    write_csv(root / FILE, ["path", "split"], [[p, s] for p, s in sorted(splits.items())])
