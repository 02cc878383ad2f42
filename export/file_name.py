"""File names for whatever people call things: readable, and no two things share one.

A product, a box's prefix, an ordered folder: their names may hold what a file's name can't.
"""

import hashlib
import re

MOST_BYTES = 100
MARK = 8  # hexadecimal digits that tell two names apart which look alike
_MARKED = re.compile(rf"-[0-9a-f]{{{MARK}}}$")


def file_name(of: str, unfit: str = r"[^\w .-]") -> str:
    """A name for a file or folder, at most MOST_BYTES and a mark long.

    What can stand in one is kept as it is. What can't becomes an underscore, and a mark of the
    whole name is added; so it is to a name that looks marked already.

    Args:
        of: what it is to be named after.
        unfit: a regular expression of one character that may not stand in it.
    """
    told = re.sub(unfit, "_", of).strip(". ").encode()
    told = told[:MOST_BYTES].decode(errors="ignore") or "_"
    if told == of and not _MARKED.search(of):
        return told
    return f"{told}-{hashlib.sha256(of.encode(errors='surrogatepass')).hexdigest()[:MARK]}"
