"""Judging picture files one after the other: what `linewarden inspect` does.

Knows no camera and no broker. A picture that can't be used is told, counted, and left behind.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge.inspection.annotate import annotate
from edge.inspection.inspector import Inspector, Judgement
from export import picture
from export.errors import PictureError
from export.preprocess import Pixels
from export.verdict import Outcome, Reason

NAME_WIDTH = 44  # characters of a table's first column


@dataclass(frozen=True, slots=True)
class Asked:
    """How to tell: JSON lines instead of a table, and where to save annotated pictures."""

    as_json: bool = False
    save: Path | None = None


@dataclass(slots=True)
class Totals:
    """How many pictures were judged how, and how many couldn't be."""

    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])
    unusable: int = 0
    milliseconds: list[float] = field(default_factory=list[float])

    def summary(self) -> str:
        """One line for people."""
        told = ", ".join(f"{self.outcomes[outcome]} {outcome}" for outcome in Outcome)
        median = sorted(self.milliseconds)[len(self.milliseconds) // 2] if self.milliseconds else 0
        line = f"\n{self.outcomes.total()} judged: {told}; median {median:.1f} ms"
        return line + (f"; {self.unusable} could not be used" if self.unusable else "")

    def rejected(self, on: str) -> bool:
        """Whether an outcome came that `on` (never, reject, review) calls a rejection."""
        failed, unsure = self.outcomes[Outcome.FAIL] > 0, self.outcomes[Outcome.REVIEW] > 0
        return {"never": False, "reject": failed, "review": failed or unsure}[on]


def find(asked: Sequence[Path]) -> list[tuple[Path, str]]:
    """Picture files as (path, name below what was asked for), folders searched in order of name.

    A file that was named itself is tried whatever its suffix. Where two would have one name, all
    are named from the folder that everything asked for lies in.

    Raises:
        PictureError: there is no picture.
    """
    found = list(_below(asked))
    if not found:
        where = ", ".join(map(str, asked))
        raise PictureError(
            f"there is no picture in {where} ({', '.join(sorted(picture.SUFFIXES))})",
            "name picture files, or a folder that holds some",
        )
    if len({name for _, name in found}) == len({path for path, _ in found}):
        return found
    roots = [path.absolute() if path.is_dir() else path.absolute().parent for path in asked]
    top = Path(os.path.commonpath(roots))
    return [(path, path.absolute().relative_to(top).as_posix()) for path, _ in found]


def _below(asked: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for path in asked:
        if not path.is_dir():
            yield path, path.name
            continue
        for found in sorted(path.rglob("*")):
            if found.suffix.lower() in picture.SUFFIXES and found.is_file():
                yield found, found.relative_to(path).as_posix()


def judge_all(
    inspector: Inspector,
    files: Iterable[tuple[Path, str]],
    asked: Asked,
    tell: Callable[[str], None],
) -> Totals:
    """Judge every file, tell a line for each, and count.

    Raises:
        PictureError: an annotated picture can't be saved.
    """
    totals = Totals()
    if not asked.as_json:
        tell(f"{'picture':<{NAME_WIDTH}}  outcome   score  likeliest                 ms")
    for path, name in files:
        try:
            pixels = picture.read(path)
        except PictureError as error:
            totals.unusable += 1
            tell(_json(path, {"error": error.problem}) if asked.as_json else _refused(name, error))
            continue
        judgement = inspector.judge(pixels)
        totals.outcomes[judgement.outcome] += 1
        totals.milliseconds.append(judgement.preprocess_ms + judgement.score_ms)
        tell(_json(path, fields(judgement)) if asked.as_json else _row(name, judgement))
        if asked.save is not None:
            _save(asked.save, name, pixels, judgement, inspector)
    return totals


def fields(judgement: Judgement) -> dict[str, object]:
    """A judgement as JSON has it."""
    return {
        "outcome": judgement.outcome,
        "reason": judgement.reason,
        "detail": judgement.detail,
        "score": judgement.score,
        "novelty": judgement.novelty,
        "probabilities": judgement.probabilities,
        "thresholds": judgement.thresholds.model_dump(),
        "bundle": judgement.bundle.model_dump(),
        "preprocess_ms": round(judgement.preprocess_ms, 3),
        "score_ms": round(judgement.score_ms, 3),
    }


def _json(path: Path, told: dict[str, object]) -> str:
    return json.dumps({"file": str(path), **told})


def _row(name: str, judgement: Judgement) -> str:
    score = "     -" if judgement.score is None else f"{judgement.score:.4f}"
    likeliest = max(
        judgement.probabilities, key=judgement.probabilities.__getitem__, default=judgement.detail
    )
    if judgement.reason == Reason.NOVEL:
        likeliest = "unlike good parts"
    spent = judgement.preprocess_ms + judgement.score_ms
    return f"{_short(name)}  {judgement.outcome:<7}  {score}  {likeliest:<20} {spent:7.1f}"


def _refused(name: str, error: PictureError) -> str:
    return f"{_short(name)}  not used: {_one_line(error.problem)}"


def _short(name: str) -> str:
    name = _one_line(name)
    if len(name) > NAME_WIDTH:
        name = "…" + name[1 - NAME_WIDTH :]
    return f"{name:<{NAME_WIDTH}}"


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _save(
    folder: Path, name: str, pixels: Pixels, judgement: Judgement, inspector: Inspector
) -> None:
    """Save as FOLDER/NAME.OUTCOME.jpg or .png as it was, in the subfolder that it came from."""
    relative = Path(name)
    suffix = ".jpg" if relative.suffix.lower() in {".jpg", ".jpeg"} else ".png"
    path = folder / relative.with_name(f"{relative.name}.{judgement.outcome}{suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PictureError(
            f"the folder {path.parent} can't be made: {error.strerror}", "choose another --save"
        ) from error
    picture.write(path, annotate(pixels, judgement, inspector.input.region))
