"""Progress: what was done before doesn't make the rest look quick."""

import io

from export import progress
from export.progress import Progress


def test_time_left_is_told_from_what_was_done_now(monkeypatch):
    """60 of 100 were there before; 10 more took 50 s, so 30 take 150 s."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    told = io.StringIO()
    with Progress(told).phase("answers", 100, had=60) as advance:
        now[0] = 50.0
        advance(10, ", loss 0.5")
    assert told.getvalue().splitlines() == [
        "answers: 70/100, 2:30 min left, loss 0.5",
        "answers: 70 in 50 s",
    ]
