"""The finding: one thing that is wrong with a data set, what it would do to the model, what to do.

Every check returns findings; none knows another. Their order is that of the harm they would do.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Grade(StrEnum):
    """How much it matters: only `serious` makes `data check` end with exit code 1."""

    SERIOUS = "serious"
    LOOK = "look"
    NOTE = "note"


class Harm(IntEnum):
    """What it would do to the model, the worst first."""

    REFUSED = 0
    MEMORISED = 1
    GIVEN_AWAY = 2
    MISTAUGHT = 3
    UNPROVEN = 4
    MISLED = 5
    NONE = 6


HARMS = {
    Harm.REFUSED: "training refuses to start, or a picture is lost",
    Harm.MEMORISED: "the examination would be passed from memory",
    Harm.GIVEN_AWAY: "the model would learn the file or the scene, not the part",
    Harm.MISTAUGHT: "the model would be taught, and judged by, wrong answers",
    Harm.UNPROVEN: "nothing could be proven about a class",
    Harm.MISLED: "single pictures could mislead the model",
    Harm.NONE: "good to know",
}
_GRADES = (Grade.SERIOUS, Grade.LOOK, Grade.NOTE)


@dataclass(frozen=True, slots=True)
class Case:
    """Pictures that belong together in a finding, by their paths below the root, and a remark."""

    paths: tuple[str, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: a short name that stays the same, for programs.
        grade: how much it matters.
        harm: what it would do to the model.
        title: what was found, as a sentence with its figures.
        effect: what that means for this model, in words.
        remedy: what to do about it.
        cases: which pictures, the worst first; empty where it is about all of them.
        moves: paths that `--apply` puts into quarantine; empty where a person must decide.
    """

    kind: str
    grade: Grade
    harm: Harm
    title: str
    effect: str
    remedy: str
    cases: tuple[Case, ...] = ()
    moves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.title and self.effect and self.remedy):
            raise ValueError(f"the finding {self.kind!r} must say what, what of it, and what to do")

    @property
    def pictures(self) -> int:
        """How many pictures it names."""
        return len({path for case in self.cases for path in case.paths})


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """By grade, then by what they would do to the model, then by how many pictures they name."""
    return tuple(sorted(findings, key=lambda f: (_GRADES.index(f.grade), f.harm, -f.pictures)))
