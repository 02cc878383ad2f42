"""Who hears of the verdicts that the bench gives: a port, and nobody.

`edge.inspection.herald` is the one that carries them to the reject gate and the keeper of samples.
"""

from typing import Protocol

from edge.inspection.inspector import Judgement
from edge.inspection.part import Part
from export.verdict import Verdict


class Audience(Protocol):
    """Who hears of verdicts as they are given; quick, from any thread, and never raising."""

    def decided(self, part: Part, verdict: Verdict) -> None:
        """A part's one verdict."""
        ...

    def lost(self, part: Part) -> None:
        """A part's verdict could not be recorded."""
        ...

    def late(self, part: Part, verdict: Verdict, judgement: Judgement) -> None:
        """A result came after the part's verdict had to be given."""
        ...


class Nobody:
    """No audience."""

    def decided(self, part: Part, verdict: Verdict) -> None:
        """Unheard."""

    def lost(self, part: Part) -> None:
        """Unheard."""

    def late(self, part: Part, verdict: Verdict, judgement: Judgement) -> None:
        """Unheard."""
