"""The workstation's wall clock, for provenance only: when a run, a bundle or a key was made."""

from datetime import UTC, datetime


def now() -> str:
    """This moment as RFC 3339 in UTC with seconds, e.g. `2026-11-22T20:53:49Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
