"""Verdicts for tests: small, valid, and told apart by their seq."""

from export.verdict import CameraHealth, Latency, Outcome, Reason, Verdict


def verdict(epoch: int, seq: int, camera: str = "cam", **more) -> Verdict:
    """A passing verdict with this key."""
    fields = {
        "camera": camera,
        "epoch": epoch,
        "seq": seq,
        "part": f"part-{seq}",
        "outcome": Outcome.PASS,
        "reason": Reason.BELOW_PASS,
        "score": 0.25,
        "frame": seq,
        "captured_at": "2026-01-02T03:04:05.000000Z",
        "decided_at": "2026-01-02T03:04:05.020000Z",
        "latency_ms": Latency(queue=1, preprocess=2, score=3, total=6),
        "health": CameraHealth(frame_age_ms=1, overwritten=0, reconnects=0),
    }
    return Verdict(**{**fields, **more})
