"""The page's words: English in the code, other languages from a catalogue, as gettext does it.

`words("text {name}", name=…)` looks the text up and fills it in. A text that a catalogue lacks is
shown in English; a test finds every text in templates, Python and JavaScript and sees that none is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import cast

DASH = "\u2013"  # for what there is none of
LANGUAGES = {"en": "English", "de": "Deutsch"}
_CATALOGUES: dict[str, Mapping[str, str]] = {"en": {}}


def catalogue(code: str) -> Mapping[str, str]:
    """English text → text in the language; read once."""
    if code not in _CATALOGUES:
        place = files("edge.console.web") / "catalogue" / f"{code}.json"
        _CATALOGUES[code] = cast("Mapping[str, str]", json.loads(place.read_text("utf-8")))
    return _CATALOGUES[code]


def chosen(wish: str, accepted: str) -> str:
    """The language to speak: the one that was chosen, else the browser's first that we have."""
    if wish in LANGUAGES:
        return wish
    for part in accepted.split(","):
        code = part.partition(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return "en"


@dataclass(frozen=True, slots=True)
class Words:
    """Speaks one language: texts, numbers and times."""

    code: str = "en"
    _texts: Mapping[str, str] = field(default_factory=dict[str, str])

    def __call__(self, text: str, **values: object) -> str:
        """`text` in this language, its {names} filled in."""
        said = self._texts.get(text, text)
        return said.format(**values) if values else said

    def number(self, value: float, digits: int = 0) -> str:
        """With this language's points and commas."""
        return self._localised(f"{value:,.{digits}f}")

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A fraction in percent; a dash for none."""
        if share is None:
            return DASH
        space = "\u202f" if self.code == "de" else ""
        return f"{self._localised(f'{100 * share:.{digits}f}')}{space}%"

    def score(self, value: float | None, digits: int = 3) -> str:
        """A score or novelty; a dash for none."""
        return DASH if value is None else self._localised(f"{value:.{digits}f}")

    def day(self, at: datetime) -> str:
        """The date."""
        if self.code == "de":
            return f"{at.day}.{at.month}.{at.year}"
        return f"{at.day} {at:%b} {at.year}"

    def time(self, at: datetime, *, seconds: bool = True) -> str:
        """The time of day."""
        return f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"

    def size(self, count: float) -> str:
        """Bytes, in the unit that fits."""
        for unit in ("B", "kB", "MB", "GB"):
            if count < 1000 or unit == "GB":
                return f"{self.number(count, 0 if unit == 'B' else 1)} {unit}"
            count /= 1000
        raise AssertionError("unreachable")

    def _localised(self, text: str) -> str:
        if self.code != "de":
            return text
        return text.translate(str.maketrans(",.", ".,"))


def words(code: str) -> Words:
    """The speaker of a language of LANGUAGES."""
    return Words(code, catalogue(code))
