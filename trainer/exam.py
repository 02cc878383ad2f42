"""A finished run faces labelled pictures that it has not learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from export.errors import DatasetError
from trainer import album, calibrate, evaluate, head, parts, pointing
from trainer.album import Album
from trainer.dataset import Dataset, Picture, listing, open_dataset
from trainer.evaluate import Judged, Report
from trainer.history import changed_words
from trainer.novelty import survey
from trainer.parts import PartRule
from trainer.progress import Progress
from trainer.room import room
from trainer.run import GOOD, Run

UNKNOWN = "other defect"


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """What was judged, the figures, and how many pictures were left out as already seen."""

    judged: Judged
    report: Report
    seen: int
    notes: tuple[str, ...]


def examine(
    run: Run,
    data: Path,
    progress: Progress,
    *,
    good: str | None = None,
    as_defect: bool = False,
    include_seen: bool = False,
    skip_unreadable: bool = False,
    rule: PartRule | None = None,
) -> Exam:
    """Judge the pictures in `data` as the line would.

    Left out are pictures that the run learnt from or chose by, byte for byte or to the eye, with
    whatever else shows the same part, by likeness or by its name. Parts are told by the run's own
    rule, so that intervals count parts.

    Args:
        run: the run.
        data: a folder of labelled pictures, laid out as for training.
        progress: told how far it is.
        good: the good class's folder, if not good or ok.
        as_defect: count classes that the run doesn't know as defects of another kind.
        include_seen: judge the pictures that the run has seen, too.
        skip_unreadable: leave unreadable pictures out.
        rule: where a picture's part comes from, if not as the run was told.

    Raises:
        DatasetError: a class the run doesn't know; unreadable pictures; nothing left to judge.
        RunError: the run can't be rebuilt.
    """
    dataset = open_dataset(
        data, good=good, skip_unreadable=skip_unreadable, resplit=True, examining=True
    )
    labels = _labels(run, dataset, as_defect)
    network = run.network().to(memory_format=torch.channels_last)
    with progress.phase("reading pictures", len(labels)) as advance:
        paths = [picture.path for picture in dataset.pictures]
        read = album.load(data, paths, run.record.input.to_input(), advance)
    if read.unreadable and not skip_unreadable:
        raise DatasetError(
            f"{len(read.unreadable)} pictures can't be used: "
            f"{listing([problem for _, problem in read.unreadable])}",
            "mend or remove them, or leave them out with --skip-unreadable",
        )
    pictures = {picture.path: picture for picture in dataset.pictures}
    told = parts.rule_for(rule or rule_of(run), data)
    shot = [pictures[path] for path in read.paths]
    shown = parts.group(shot, told, read.digests, read.hashes)
    seen, alike = _seen(run, read, shown, _named(run, shot, told), near=told.near)
    kept = [i for i, known in enumerate(seen) if include_seen or not known]
    if not kept:
        raise DatasetError(
            f"the run has already seen all {len(read.digests)} pictures in {str(data)!r}",
            "give new pictures, or judge these all the same with --include-seen",
        )
    with progress.phase("scoring", len(kept)) as advance:
        pooled, strange = survey(network, room().taken(read.frames, kept), advance)
    logits = head.logits(network, pooled)
    scores = calibrate.score_of(calibrate.probabilities(logits, run.record.temperature))
    label_of = dict(zip(paths, labels, strict=True))
    judged = Judged(
        tuple(label_of[read.paths[i]] for i in kept),
        tuple(shown[i] for i in kept),
        np.asarray(scores, np.float64),
        None if strange is None else strange.double().numpy(),
    )
    report = evaluate.report(judged, run.record.thresholds)
    to = run.record.input.to_input()
    played = pointing.play(
        network, run.record.temperature, dataset, read, to, at=kept, parts=judged.parts
    )
    report = replace(report, metrics=(*report.metrics, *pointing.metrics(played, "test")))
    notes = _changed(run, read, dataset.notes)
    note = f"{alike} pictures look like ones that the run has seen, or show a part that it has"
    notes = (*notes, note) if alike else notes
    return Exam(judged, report, len(read.digests) - len(kept), notes)


def _changed(run: Run, read: Album, notes: tuple[str, ...]) -> tuple[str, ...]:
    """The notes, and which pictures stand where the run's did but hold other bytes."""
    known = {row.path: row.sha256 for row in run.split() if row.sha256}
    changed = [
        path
        for path, digest in zip(read.paths, read.digests, strict=True)
        if known.get(path, digest) != digest
    ]
    if len(changed) > len(known) / 2:  # another data set, with the same names
        return notes
    told = changed_words(changed, "the run was trained")
    return (*notes, told) if changed else notes


def rule_of(run: Run) -> PartRule:
    """The rule by which the run told its parts."""
    data = run.record.data
    return PartRule(None, data.part_regex, data.part_runs, data.near_duplicates)


def _named(run: Run, pictures: Sequence[Picture], rule: PartRule) -> list[bool]:
    """Which pictures show a part that the run has seen, by the name that it has there too.

    A table names parts, and so does the run's own pattern. Runs of numbers do so within one set
    only: another one may count anew.
    """
    taught = [row for row in run.split() if row.split != "test"]
    names = {row.part for row in taught}
    if rule.table is None:
        if rule.regex is None or rule.regex != run.record.data.part_regex:
            return [False] * len(pictures)
        # What was united with another part has lost its own name.
        names |= set(parts.name_parts([Picture(row.path, row.label) for row in taught], rule))
    return [name in names for name in parts.name_parts(pictures, rule)]


def _seen(
    run: Run, read: Album, shown: list[str], named: list[bool], *, near: bool
) -> tuple[list[bool], int]:
    """Which pictures show a part that the run has seen, and how many aren't the same bytes."""
    taught = [row for row in run.split() if row.split != "test"]
    digests = {row.sha256 for row in taught}
    same = np.array([digest in digests for digest in read.digests], bool)
    found = same.copy()
    found |= np.array(named, bool)
    if near:
        hashes = parts.from_hex([row.phash for row in taught if row.phash])
        found |= parts.near_any(read.hashes, hashes) if len(hashes) else False
    known = {part for part, yes in zip(shown, found, strict=True) if yes}
    seen = [part in known for part in shown]
    return seen, sum(seen) - int(same.sum())


def _labels(run: Run, dataset: Dataset, as_defect: bool) -> list[str]:
    unknown = sorted({p.label for p in dataset.pictures} - set(run.record.classes))
    if unknown and not as_defect:
        raise DatasetError(
            f"the run doesn't know {listing(unknown)}; it knows {', '.join(run.record.classes)}",
            "rename the folders, or count them as defects of another kind with --as-defect",
        )
    known = {*run.record.classes, GOOD}
    return [p.label if p.label in known else UNKNOWN for p in dataset.pictures]
