"""How far a long command is, as export/progress.py tells it."""

from export.progress import Progress

__all__ = ["Progress"]
