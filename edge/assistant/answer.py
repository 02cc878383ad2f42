"""An answer: its words, what it cites and its figures. Every way of asking hands one out."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Language = Literal["en", "de"]


class Source(StrEnum):
    """Where an answer comes from."""

    RECORDS = "records"
    DOCUMENTS = "documents"
    NONE = "no entry"


@dataclass(frozen=True, slots=True)
class Citation:
    """What an answer stands on.

    Attributes:
        name: how the words cite it: `R1`, or a section's name.
        kind: `verdict`, `verdicts`, `section` or `alarms`.
        label: for people.
        href: the console's page of it; "" if it has none.
    """

    name: str
    kind: str
    label: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that an answer shows, formed by code."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered.

    Attributes:
        text: citations stand in brackets.
        source: `no entry` is a refusal, and `why` says what for.
        nearest: of a refusal: sections that may help.
        quoted: the words are a section's own: no text model spoke.
    """

    text: str
    language: Language
    source: Source
    citations: tuple[Citation, ...] = ()
    figures: tuple[Figure, ...] = ()
    nearest: tuple[Citation, ...] = ()
    why: str = ""
    quoted: bool = False

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "text": self.text,
            "language": self.language,
            "source": self.source.value,
            "citations": [_told(one) for one in self.citations],
            "figures": {one.name: one.value for one in self.figures},
            "nearest": [_told(one) for one in self.nearest],
            "why": self.why,
            "quoted": self.quoted,
        }


def _told(one: Citation) -> dict[str, str]:
    return {"name": one.name, "kind": one.kind, "label": one.label, "href": one.href}
