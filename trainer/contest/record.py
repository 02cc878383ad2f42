"""The comparison as a file: RUN/comparison.json, by which an export knows whom it exports."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from export.errors import RunError
from export.verdict import Contract, Finite
from trainer.contest.ruling import Finding, Ruling, Terms

FILE, PAGE = "comparison.json", "comparison.html"


class Test(Contract):
    """One test of the ruling."""

    where: str
    error: str
    parts: int
    champion: int
    challenger: int
    worse: int = Field(description="parts on which the challenger alone errs")
    better: int = Field(description="parts on which the champion alone errs")
    margin: Finite
    p: Finite
    holds: bool
    words: str
    kind: str = Field(default="", description="the defect type, where it is of one alone")


class Comparison(Contract):
    """What became of a challenger."""

    schema_version: Literal[1] = 1
    champion: str
    challenger: str
    promoted: bool
    reasons: tuple[str, ...]
    confidence: Finite
    tests: tuple[Test, ...]
    added: dict[str, int]
    at: str

    @classmethod
    def of(
        cls, ruling: Ruling, terms: Terms, names: tuple[str, str], added: dict[str, int], at: str
    ) -> "Comparison":
        """A ruling on (champion, challenger) as a record."""
        return cls(
            champion=names[0], challenger=names[1], promoted=ruling.promoted,
            reasons=tuple(ruling.reasons), confidence=terms.confidence,
            tests=tuple(map(_test, ruling.findings)), added=added, at=at,
        )  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write it into the challenger's run; raises RunError."""
        try:
            (folder / FILE).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise RunError(
                f"{str(folder / FILE)!r} can't be written: {error.strerror}", "make room"
            ) from error


def read(folder: Path) -> Comparison | None:
    """What became of the run as a challenger; None if it never was one.

    Raises:
        RunError: the record can't be read.
    """
    path = folder / FILE
    try:
        return Comparison.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise RunError(
            f"{str(path)!r} can't be read", "compare again: linewarden retrain"
        ) from error


def _test(one: Finding) -> Test:
    counts = one.counts
    return Test(
        where=one.where, error=one.error.value, parts=counts.n, champion=counts.champion,
        challenger=counts.challenger, worse=counts.worse, better=counts.better,
        margin=one.margin, p=one.p, holds=one.holds, words=one.words, kind=one.kind,
    )  # fmt: skip
