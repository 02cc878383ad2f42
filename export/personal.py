"""Personal data: what in a text looks like somebody's, so that no model learns it unasked.

By patterns: they find what is written as usual, and no more. Whoever means it lets it be.
"""

import re
from collections.abc import Iterator

PATTERNS = {
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+\.[a-z]{2,}\b", re.IGNORECASE),
    "a telephone number": re.compile(
        r"(?<!\w)(?:\+|00)\d[\d /()-]{7,}\d|(?<!\w)0\d{2,5}[ /-]\d{5,}"
    ),
    "an IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
    "a person's name": re.compile(r"\b(?:Herr|Frau|Mr\.?|Mrs\.?|Ms\.?|Dr\.) [A-ZÄÖÜ][a-zäöüß]+"),
}


def personal(text: str) -> Iterator[str]:
    """What looks like personal data, with the first value of each kind."""
    for what, pattern in PATTERNS.items():
        if found := pattern.search(text):
            yield f"what looks like {what}: {found[0]!r}"
