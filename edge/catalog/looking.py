"""Looking at a folder: files are read and measured by threads while the model answers for others.

At most a few batches are in memory, however many files there are. A file that can't be used is
noted and left behind.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np

from edge.catalog.ledger import Entry, Ledger
from edge.catalog.look import Glance, completed, glance
from edge.catalog.model import CatalogModel
from export import picture
from export.errors import PictureError
from export.preprocess import Pixels

BATCH = 8
AHEAD = 3  # batches that are read before the model is ready for them
FOREIGN = frozenset({".webp", ".tif", ".tiff", ".gif", ".heic", ".avif"})
UNNAMED = -1

File = tuple[str, int, int]
Read = tuple[Glance, Pixels] | PictureError


def files_in(root: Path, skip: Path | None = None) -> Iterator[File]:
    r"""Path below `root`, size and time of change of every picture, in the order of paths.

    Hidden files and folders are left out, and so is `skip`. Of a link that leads nowhere the size
    and time are 0; of a file whose name isn't UTF-8 the size is UNNAMED, and the path shows the odd
    bytes as \xNN.
    """
    skip = skip and skip.resolve()
    for folder, names, files in os.walk(root):
        here = Path(folder).resolve()
        names[:] = sorted(n for n in names if not n.startswith(".") and here / n != skip)
        for name in sorted(files):
            suffix = Path(name).suffix.lower()
            if name.startswith(".") or suffix not in picture.SUFFIXES | FOREIGN:
                continue
            yield _file(Path(folder, name), root)


def _file(file: Path, root: Path) -> File:
    raw = file.relative_to(root).as_posix()
    path = os.fsencode(raw).decode(errors="backslashreplace")
    try:
        found = file.stat()
    except OSError:
        return path, 0, 0
    return path, found.st_size if path == raw else UNNAMED, found.st_mtime_ns


def look_at(
    root: Path,
    files: Iterator[File],
    model: CatalogModel,
    ledger: Ledger,
    *,
    advance: Callable[[int], None] = lambda _n: None,
    threads: int = 2,
) -> None:
    """Look at every file, and write the looks down batch by batch; `advance` hears of each batch.

    Raises:
        StoreError: the looks can't be kept.
    """

    def read(file: File) -> Read:
        if file[1] == UNNAMED:
            return PictureError(f"the name of {file[0]} is not UTF-8", "rename it")
        try:
            return glance(root, file[0], model.bundle)
        except PictureError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:  # cv2 lets go of the interpreter's lock
        waiting: list[list[tuple[File, Future[Read]]]] = []
        while True:
            while len(waiting) <= AHEAD and (batch := list(islice(files, BATCH))):
                waiting.append([(file, pool.submit(read, file)) for file in batch])
            if not waiting:
                return
            done = [(file, future.result()) for file, future in waiting.pop(0)]
            ledger.write(_entries(done, model))
            advance(len(done))


def _entries(done: list[tuple[File, Read]], model: CatalogModel) -> list[Entry]:
    seen = [(file, one) for file, one in done if not isinstance(one, PictureError)]
    entries = [
        Entry(*file, problem=one.problem) for file, one in done if isinstance(one, PictureError)
    ]
    if seen:
        told = model.tell(np.stack([frame for _, (_, frame) in seen]))
        looks = completed([found for _, (found, _) in seen], told, model.bundle)
        entries += [
            Entry(*file, look=look, relief=found.relief)
            for (file, (found, _)), look in zip(seen, looks, strict=True)
        ]
    return entries
