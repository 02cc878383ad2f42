"""The port that a text model fits into: the prompt's turns in, its words out as they come."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from export.dialogue import Turn


class TextModel(Protocol):
    """A text model.

    Attributes:
        name: for people: which model answers.
    """

    name: str

    def words(self, turns: Sequence[Turn], most_tokens: int) -> Iterator[str]:
        """The answer in pieces, greedily chosen; raises LanguageError if it can't be had."""
        ...
