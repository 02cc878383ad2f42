"""What a training run works on: labelled pictures at hand, each with its part and its split."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.errors import DatasetError
from export.preprocess import Input
from trainer import album, masks, parts, settled, split
from trainer.album import Album
from trainer.dataset import Dataset, listing, open_dataset, without
from trainer.finetune import Labelled
from trainer.history import named_version
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.room import room
from trainer.run import SPLITS, DataRecord, Split


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person decided about the data.

    Attributes:
        good: the good class's folder, or None to look for good or ok.
        rule: where a picture's part comes from.
        skip_unreadable: leave unreadable pictures out, instead of refusing.
        drop_conflicts: leave out pictures that stand under two classes, instead of refusing.
        resplit: pool a given train/ and test/.
        types: every class is a type of defect, and none is good.
        reencode: quality of a JPEG through which every picture is seen.
    """

    good: str | None = None
    rule: PartRule = PartRule()  # noqa: RUF009 - frozen
    skip_unreadable: bool = False
    drop_conflicts: bool = False
    resplit: bool = False
    types: bool = False
    reencode: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Pictures, their class numbers (N,), parts by the rule, and splits, in one order."""

    dataset: Dataset
    album: Album
    labels: NDArray[np.int64]
    parts: tuple[str, ...]
    splits: tuple[Split, ...]
    rule: PartRule = PartRule()  # noqa: RUF009 - frozen
    types: bool = False
    reencoded: int | None = None

    def of(self, name: Split) -> NDArray[np.intp]:
        """Positions of the pictures in a split."""
        return np.flatnonzero(np.array(self.splits) == name)

    def labelled(self, name: Split) -> Labelled:
        """The pictures of a split with their class numbers."""
        at = self.of(name)
        return Labelled(room().taken(self.album.frames, at), self.labels[at], types=self.types)

    def record(self) -> DataRecord:
        """What the run's record says of the data."""
        classes = [picture.label for picture in self.dataset.pictures]
        counts = Counter(zip(self.splits, classes, strict=True))
        return DataRecord(
            root=str(self.dataset.root.resolve()),
            layout=self.dataset.layout,
            fingerprint=album.fingerprint(self.album, classes),
            counts={s: {c: counts[s, c] for c in self.dataset.classes} for s in SPLITS},
            parts=len(set(self.parts)),
            part_regex=self.rule.regex,
            part_runs=self.rule.runs,
            near_duplicates=self.rule.near,
            reencoded=self.reencoded,
            notes=self.dataset.notes,
        )


def gather(root: Path, choices: Choices, to: Input, seed: int, progress: Progress) -> Material:
    """Read, check, group and split a folder of labelled pictures; raises DatasetError."""
    dataset = open_dataset(
        root,
        good=choices.good,
        skip_unreadable=choices.skip_unreadable,
        resplit=choices.resplit,
        types=choices.types,
    )
    if choices.types and choices.reencode is None:
        _check_formats(dataset)
    if marked := len(masks.find(dataset)):
        note = f"pixel masks of {marked} pictures"
        dataset = replace(dataset, notes=(*dataset.notes, note))
    with progress.phase("reading pictures", len(dataset.pictures)) as advance:
        paths = [p.path for p in dataset.pictures]
        read = album.load(root, paths, to, advance, choices.reencode)
    dataset = without_unreadable(dataset, read, choices.skip_unreadable)
    dataset, read = without_conflicts(dataset, read, choices.drop_conflicts)
    seen = album.fingerprint(read, [p.label for p in dataset.pictures])
    if told := named_version(root, seen):
        dataset = replace(dataset, notes=(*dataset.notes, told))
    rule = parts.rule_for(choices.rule, root)
    united = parts.group(dataset.pictures, rule, read.digests, read.hashes)
    samples = _samples(dataset, united)
    if astray := split.astray(samples):
        kept = sorted(set(range(len(samples))) - set(astray))
        lost = {dataset.pictures[at].path for at in astray}
        note = f"{len(lost)} pictures left out that show parts of the test: {listing(sorted(lost))}"
        dataset, read = without(dataset, lost, note), only(read, kept)
        united, samples = [united[at] for at in kept], [samples[at] for at in kept]
    number = {name: index for index, name in enumerate(dataset.classes)}
    labels = np.array([number[p.label] for p in dataset.pictures], np.int64)
    return Material(
        dataset, read, labels, tuple(united), tuple(split.deal(samples, seed)), rule,
        types=choices.types, reencoded=choices.reencode,
    )  # fmt: skip


def _samples(dataset: Dataset, united: list[str]) -> list[split.Sample]:
    """What the deal needs to know of each picture."""
    stays = settled.read(dataset.root)
    return [
        split.Sample(part, p.label, p.half == "test", stays.get(p.path))
        for part, p in zip(united, dataset.pictures, strict=True)
    ]


def only(read: Album, kept: list[int]) -> Album:
    """The album less all but the pictures at these positions."""
    return Album(
        paths=tuple(read.paths[i] for i in kept),
        frames=room().taken(read.frames, kept),
        digests=tuple(read.digests[i] for i in kept),
        hashes=read.hashes[kept],
        unreadable=read.unreadable,
    )


def _check_formats(dataset: Dataset) -> None:
    """Raises DatasetError where a file's format tells its class, or rules classes out."""
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for one in dataset.pictures:
        suffix = Path(one.path).suffix.lower().replace(".jpeg", ".jpg")
        held[suffix][one.label] += 1
    for suffix, counts in sorted(held.items(), key=lambda one: len(one[1])):
        if len(held) > 1 and len(counts) < len(dataset.classes):
            where = listing(sorted(counts))
            raise DatasetError(
                f"all {counts.total()} pictures of format {suffix[1:]} are in {where}: the file's "
                "format gives the class away, and that is easier to learn than the defect",
                "--reencode 75 sees every picture through a JPEG of that quality; take one below "
                "that of the JPEGs among them",
            )


def without_unreadable(dataset: Dataset, read: Album, skip: bool) -> Dataset:
    """The data set less what couldn't be read; raises DatasetError unless that is to be skipped."""
    if not read.unreadable:
        return dataset
    problems = [problem for _, problem in read.unreadable]
    told = "\n    ".join(problems[:10])
    more = f"\n    and {len(problems) - 10} more" if len(problems) > 10 else ""
    if not skip:
        raise DatasetError(
            f"{len(problems)} pictures below {str(dataset.root)!r} can't be used:\n"
            f"    {told}{more}",
            "mend or remove them, or leave them out with --skip-unreadable",
        )
    paths = {path for path, _ in read.unreadable}
    note = f"{len(paths)} unreadable pictures left out: {listing(sorted(paths))}"
    return without(dataset, paths, note)


def without_conflicts(dataset: Dataset, read: Album, drop: bool) -> tuple[Dataset, Album]:
    """Both less pictures under two classes; raises DatasetError unless these are to be dropped."""
    found = parts.conflicts(dataset.pictures, parts.exact_twins(read.digests))
    if not found:
        return dataset, read
    if not drop:
        raise DatasetError(
            f"{len(found)} pictures stand under two classes, byte for byte: {listing(found)}",
            "decide which class is right, or leave all of them out with --drop-conflicts",
        )
    note = f"{len(found)} pictures left out that stand under two classes: {listing(found)}"
    kept = [i for i, path in enumerate(read.paths) if path not in set(found)]
    return without(dataset, set(found), note), only(read, kept)
