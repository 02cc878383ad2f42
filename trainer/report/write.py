"""Gathers what the page needs from a run's folder and its pictures, and writes the page."""

from pathlib import Path

from pydantic import ValidationError

from export.errors import RunError
from trainer.answers import answers
from trainer.report import agreement
from trainer.report.evidence import evidence
from trainer.report.mistakes import cases, worst
from trainer.report.page import page
from trainer.run import Run
from trainer.unseen import FILE, Examination


def write(
    run: Run, out: Path | None, *, data: Path | None, appraisers: Path | None, mistakes: int
) -> Path:
    """Write the report of a run.

    Args:
        run: a finished run.
        out: the page; RUN/report.html if None.
        data: where the pictures lie, if not where they were.
        appraisers: CSV of people's decisions on the test pictures, or None.
        mistakes: how many of the worst to show.

    Returns:
        Where the page was written.

    Raises:
        RunError: the run's files can't be read, or the page can't be written.
        DatasetError: the appraisers' file can't be used.
    """
    path = out or run.folder / "report.html"
    test = evidence(run, "test")
    people: tuple[agreement.Appraiser, ...] = ()
    if appraisers is not None:
        people = agreement.people(appraisers, test.paths, test.judged.defect, test.judged.parts)
    at = worst(test, mistakes)
    root = data or Path(run.record.data.root)
    shown = cases(test, at, root, run.record.input.to_input(), answers(run)) if at else []
    try:
        path.write_text(page(run, test, shown, people, _unseen(run)), encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"{str(path)!r} can't be written: {error.strerror}", "give another --out"
        ) from error
    return path


def _unseen(run: Run) -> Examination | None:
    path = run.folder / FILE
    if not path.exists():
        return None
    try:
        return Examination.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(
            f"{str(path)!r} can't be read: {error.errors(include_url=False)[0]['msg']}",
            "remove it, or run `linewarden unseen` again",
        ) from error
