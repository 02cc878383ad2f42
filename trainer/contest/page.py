"""The comparison as one page that needs nothing else: ruling, figures, types, what has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from export import __version__
from trainer.contest.changes import Change
from trainer.contest.grown import Growth
from trainer.contest.judging import WORDS, Error, Sight, paired
from trainer.contest.paired import Paired
from trainer.contest.record import Comparison
from trainer.contest.ruling import Ruling, Terms
from trainer.rates import Rate
from trainer.run import GOOD, SPLITS, Run

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Row:
    """One type's escapes by both, with exact intervals."""

    kind: str
    counts: Paired
    champion: tuple[float, float]
    challenger: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """What the page tells of: both runs, what they did, and the ruling."""

    champion: Run
    challenger: Run
    sights: tuple[Sight, Sight]
    growth: Growth
    ruling: Ruling
    terms: Terms
    comparison: Comparison


def page(contest: Contest, changes: Sequence[Change], shown: Sequence[Change]) -> str:
    """The page as HTML.

    Args:
        contest: all of it.
        changes: every picture that the two judge differently.
        shown: those that are shown.
    """
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html.j2").render(
        contest=contest, comparison=contest.comparison, ruling=contest.ruling,
        champion=contest.champion.record, challenger=contest.challenger.record,
        rows=types(*contest.sights), words=WORDS, shown=shown,
        wrong=sum(not one.better for one in changes), right=sum(one.better for one in changes),
        splits=SPLITS, made_with=f"Linewarden {__version__}",
    )  # fmt: skip


def types(champion: Sight, challenger: Sight) -> list[Row]:
    """Escapes of each type among the test pictures, frozen and new."""
    kinds = sorted({row.label for row in champion.rows} - {GOOD})
    rows: list[Row] = []
    for kind in kinds:
        counts = paired(champion, challenger, Error.ESCAPE, kind=kind)
        sides = (Rate(k, counts.n).interval() for k in (counts.champion, counts.challenger))
        rows.append(Row(kind, counts, *sides))
    return rows
