"""A table of phrases and what each plainly says, read from the first to the last. Pure."""

import re


class Phrases:
    r"""Patterns of whole words, in order; in what is said instead, \1 is what group 1 took."""

    def __init__(self, table: tuple[tuple[str, str], ...]) -> None:
        self._table = tuple(
            (re.compile(rf"(?<![\w-])(?:{pattern})(?:(?![\w-])|(?<=\s))"), plain)
            for pattern, plain in table
        )

    def plainly(self, text: str) -> str:
        """The text with each phrase said plainly."""
        for pattern, plain in self._table:
            text = pattern.sub(
                lambda m, p=plain: re.sub(r"\\(\d)", lambda g: m[int(g[1])] or "", p), text
            )
        return " ".join(text.split())
