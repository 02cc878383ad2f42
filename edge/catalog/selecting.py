"""From a folder of pictures to a result: look, choose, write. The order of the steps."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge.catalog import overrules, products, result, sheet
from edge.catalog.choose import Choice, choose
from edge.catalog.ledger import Ledger
from edge.catalog.looking import File, files_in, look_at
from edge.catalog.model import CatalogModel
from edge.catalog.overrules import Overrule
from edge.catalog.products import Sets
from edge.catalog.recurring import recurring
from edge.catalog.rules.house import HouseRules
from export import stamp
from export.errors import ConfigError, DatasetError
from export.progress import Progress


@dataclass(frozen=True, slots=True)
class Share:
    """Part `number` of `of` equal parts of the files, by a hash of their paths."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Read NUMBER/OF, such as 1/2; raises ConfigError if it is none."""
        number, _, of = text.partition("/")
        if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of) <= 10000):
            raise ConfigError(f"--share {text!r} is no share", "write NUMBER/OF: 1/2 and 2/2")
        return cls(int(number), int(of))

    @property
    def file(self) -> str:
        """Its ledger's name in the result."""
        return f"looks.{self.number}-of-{self.of}.db"

    def holds(self, path: str) -> bool:
        """Whether a file is of this share."""
        return zlib.crc32(path.encode(errors="surrogateescape")) % self.of == self.number - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What to choose.

    Attributes:
        pictures: the folder.
        out: of the result.
        rules: what the house asks of a picture.
        per_set: pictures of each category or product.
        sets: what they are chosen among.
        copies: copies instead of links.
        threads: that read and measure files.
        share: of the files, where several workers look; None: all of them.
    """

    pictures: Path
    out: Path
    rules: HouseRules
    per_set: int = 3
    sets: Sets = field(default_factory=Sets)
    copies: bool = False
    threads: int = 2
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of it.

    Attributes:
        choices: one for every picture.
        unusable: files that can't be used, with their problems.
        looked: files looked at now.
        warnings: what of the tables that were given fits nothing, in words.
    """

    choices: list[Choice]
    unusable: list[tuple[str, str]]
    looked: int
    warnings: tuple[str, ...] = ()


def select(asked: Asked, model: CatalogModel, progress: Progress) -> Chosen:
    """Look at what wasn't looked at yet, choose, and write the result.

    Raises:
        DatasetError: no such folder, no picture in it, or a table or pattern that can't be used:
            said before anything is looked at.
        StoreError, LinewardenError: the result can't be written.
    """
    said, warnings = _given(asked, model)
    ledger, looked = look(asked, model, progress)
    try:
        looks, unusable = list(ledger.looks()), ledger.problems()
        with progress.phase("marks that recur", 1) as advance:
            marked = recurring(looks, ledger.reliefs)
            advance(1)
    finally:
        ledger.close()
    looks = [one.model_copy(update={"recurs": marked.get(one.path, 0)}) for one in looks]
    choices = choose(looks, asked.rules, asked.per_set, asked.sets, said)
    told = {
        "chosen_at": stamp.now(),
        "bundle": model.bundle.name,
        "digest": model.bundle.digest,
        "pictures": str(asked.pictures.absolute()),
        "rules": asked.rules.model_dump(),
        "per_set": asked.per_set,
        "sets": asked.sets.word,
        "overrules": len(said),
        "looked_at": len(looks),
        "unusable": len(unusable),
    }
    result.write(asked.out, choices, unusable, told)
    result.lay_out(asked.out, asked.pictures, choices, copies=asked.copies)
    title = f"{asked.per_set} per {asked.sets.word}, rules {asked.rules.name}, {model.bundle.name}"
    sheet.write(asked.out, asked.pictures, choices, title, said=said)
    return Chosen(choices, unusable, looked, warnings)


def _given(asked: Asked, model: CatalogModel) -> tuple[dict[str, Overrule], tuple[str, ...]]:
    """What people said, and what of it and of the products' names fits nothing."""
    _check_folder(asked)
    paths = [path for path, _, _ in files_in(asked.pictures, asked.out)]
    warnings = products.check(asked.sets, paths)
    said = overrules.read(asked.out / overrules.FILE)
    if strange := overrules.strange(said.values(), model.bundle.manifest.categories):
        warnings.append(
            f"{overrules.FILE} names categories that the bundle doesn't know, and each is a set of "
            f"its own: {', '.join(strange)}"
        )
    return said, tuple(warnings)


def _check_folder(asked: Asked) -> None:
    if not asked.pictures.is_dir():
        raise DatasetError(f"{str(asked.pictures)!r} is not a folder", "give a folder of pictures")
    if next(files_in(asked.pictures, asked.out), None) is None:
        raise DatasetError(
            f"{str(asked.pictures)!r} holds no picture", "give a folder of JPEG, PNG or BMP"
        )


def look(asked: Asked, model: CatalogModel, progress: Progress) -> tuple[Ledger, int]:
    """The ledger, with a look at every picture of the folder, and how many were looked at now."""
    _check_folder(asked)
    name = asked.share.file if asked.share else result.LOOKS
    ledger = Ledger(asked.out / name, model.bundle.digest)
    try:
        if asked.share is None:
            for other in sorted(asked.out.glob("looks.*-of-*.db")):
                ledger.absorb(other)
        known = ledger.known()
        there: set[str] = set()
        count = 0
        for path, size, changed in _files(asked):
            there.add(path)
            count += known.get(path) != (size, changed)
        ledger.forget(sorted(set(known) - there))
        with progress.phase("looking", count) as advance:
            pending = _pending(asked, known)
            look_at(asked.pictures, pending, model, ledger, advance=advance, threads=asked.threads)
    except BaseException:
        ledger.close()
        raise
    return ledger, count


def _pending(asked: Asked, known: dict[str, tuple[int, int]]) -> Iterator[File]:
    for file in _files(asked):
        if known.get(file[0]) != file[1:]:
            yield file


def _files(asked: Asked) -> Iterator[File]:
    for file in files_in(asked.pictures, asked.out):
        if asked.share is None or asked.share.holds(file[0]):
            yield file
