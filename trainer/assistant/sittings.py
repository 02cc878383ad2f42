"""Sittings: each arm that was asked for sits the exam, with the stock base or each adapter."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from export.library import Library
from export.passage import Passage
from trainer.assistant import base as bases
from trainer.assistant.arms import QUOTED, TUNED, TUNED_DOCUMENTS, Sat, quote, sit
from trainer.assistant.base import Base
from trainer.assistant.exam import Question
from trainer.assistant.tune import WEIGHTS, reload
from trainer.history import digest_of
from trainer.progress import Progress


@dataclass(frozen=True, slots=True)
class Hall:
    """What is the same for every arm; answers are kept in `out`."""

    questions: Sequence[Question]
    library: Library
    manual: Sequence[Passage]
    context: str
    batch: int
    out: Path


def sittings(
    arms: Sequence[str], base: str, adapters: Sequence[Path], hall: Hall, progress: Progress
) -> dict[str, list[Sat]]:
    """Each arm's sittings: one without a model, one of the stock base, or one for each adapter."""
    tuned = [arm for arm in arms if arm in (TUNED, TUNED_DOCUMENTS)]
    stock = [arm for arm in arms if arm not in (*tuned, QUOTED)]
    sat: dict[str, list[Sat]] = {}
    if QUOTED in arms:
        sat[QUOTED] = [quote(hall.questions, hall.library)]
    if stock:
        loaded = bases.load(base)
        for arm in stock:
            sat[arm] = [_sat(arm, loaded, hall, progress)]
    for folder in adapters if tuned else ():
        loaded = reload(folder)
        loaded.name = f"{folder} {digest_of(folder / WEIGHTS)}"  # tuned anew: to be asked anew
        for arm in tuned:
            sat.setdefault(arm, []).append(_sat(arm, loaded, hall, progress))
    return sat


def _sat(arm: str, base: Base, hall: Hall, progress: Progress) -> Sat:
    return sit(
        arm, base, hall.questions, hall.library, hall.manual, context=hall.context,
        batch=hall.batch, kept=hall.out / "answers.jsonl", progress=progress,
    )  # fmt: skip
