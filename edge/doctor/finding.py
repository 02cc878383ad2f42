"""A finding: what was looked at, how it is, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from export.errors import LinewardenError


class State(StrEnum):
    """How it is."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    ILL = "ill"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor says of one thing.

    Attributes:
        organ: what was looked at, such as `camera top`.
        state: ill things keep the box from being armed.
        said: what was found, in figures where there are any.
        remedy: what to do, as an instruction; '' where all is well.
    """

    organ: str
    state: State
    said: str
    remedy: str = ""


def well(organ: str, said: str) -> Finding:
    """As it should be."""
    return Finding(organ, State.WELL, said)


def doubtful(organ: str, said: str, remedy: str) -> Finding:
    """Not as it should be, but the line can run."""
    return Finding(organ, State.DOUBTFUL, said, remedy)


def ill(organ: str, said: str, remedy: str) -> Finding:
    """The box must not be armed like this."""
    return Finding(organ, State.ILL, said, remedy)


def examined(organ: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What `look` finds; a check that ends in one of our errors is a finding too."""
    try:
        yield from look()
    except LinewardenError as error:
        yield ill(organ, error.problem, error.remedy)
