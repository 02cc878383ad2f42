"""The desk: one model, one pair of hands; what HTTP and MQTT alike may ask of it.

Folders are named below one root and can't leave it. An order given twice is done twice, the second
time at once, since what was looked at is kept.
"""

import threading
from pathlib import Path
from typing import Any

from edge.catalog.findings import findings
from edge.catalog.look import completed, measured
from edge.catalog.model import CatalogModel
from edge.catalog.rules.house import HouseRules, refusals
from edge.catalog.selecting import Asked, select
from edge.messages import CatalogAnswer, CatalogChoice, CatalogOrder
from export.errors import ConfigError, LinewardenError, PictureError
from export.file_name import file_name
from export.progress import Progress

MOST = 500  # chosen pictures in one answer; all of them stand in the result's selection.csv


class Desk:
    """Looks at pictures and chooses among folders, one order at a time.

    Args:
        model: a proved bundle.
        rules: what the house asks of a picture.
        root: the folder below which pictures lie.
        out: the folder of results, one for each folder of pictures.

    Raises:
        ConfigError: there is no folder of pictures.
    """

    def __init__(self, model: CatalogModel, rules: HouseRules, root: Path, out: Path) -> None:
        if not root.is_dir():
            raise ConfigError(f"{str(root)!r} is not a folder", "give the folder of the pictures")
        self._model, self._rules = model, rules
        self._root, self._out = root.resolve(), out
        self._lock = threading.Lock()

    @property
    def bundle(self) -> str:
        """What is at work, for people."""
        return self._model.bundle.name

    def look(self, data: bytes, name: str) -> dict[str, Any]:
        """What there is to say of one picture file's bytes; raises PictureError if it is none."""
        seen, frame = measured(data, name, self._model.bundle)
        with self._lock:
            told = self._model.tell(frame[None])
        look = completed([seen], told, self._model.bundle)[0]
        found = findings(look, self._rules.quality.limits)
        return {
            "look": look.model_dump(exclude={"embedding", "thumb", "recurs"}),
            "findings": [{"kind": one.kind, "words": one.words} for one in found],
            "refusals": refusals(look, found, self._rules),
            "bundle": self.bundle,
        }

    def select(self, order: CatalogOrder) -> CatalogAnswer:
        """Choose among a folder; what goes wrong is told in the answer."""
        try:
            folder = self._below(order.folder)
            out = self._out / self._result_name(folder)
            asked = Asked(folder, out, self._rules, order.per_category)
            with self._lock:
                chosen = select(asked, self._model, Progress(None))
        except LinewardenError as error:
            return CatalogAnswer(id=order.id, problem=error.problem[:500])
        picked = [
            CatalogChoice(set=o.set, place=o.place, path=o.look.path, reason=o.reason[:300])
            for o in chosen.choices
            if o.place
        ]
        return CatalogAnswer(
            id=order.id,
            chosen=tuple(picked[:MOST]),
            more=max(0, len(picked) - MOST),
            pictures=len(chosen.choices),
            unusable=len(chosen.unusable),
            result=str(out),
        )

    def _below(self, name: str) -> Path:
        try:
            folder = (self._root / name).resolve()
            there = folder.is_dir()
        except (OSError, ValueError) as error:
            raise PictureError(f"{name[:100]!r} can't be a folder's name") from error
        if not folder.is_relative_to(self._root):
            raise PictureError(f"folder {name!r} does not lie below the folder of the pictures")
        if not there:
            raise PictureError(f"there is no folder {name!r}")
        return folder

    def _result_name(self, folder: Path) -> str:
        """By where the folder lies, however the order wrote it; the root's is none of a folder."""
        below = folder.relative_to(self._root).as_posix()
        return file_name("/all" if below == "." else below)
