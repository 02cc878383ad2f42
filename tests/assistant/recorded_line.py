"""A line's records with known truth: a store made through the real intake, and every verdict."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.outbox.packing import pack
from edge.store import schema
from edge.store.feed import Bite
from edge.store.intake import Intake
from export.verdict import (
    BundleRef,
    CameraHealth,
    Latency,
    Outcome,
    Reason,
    Thresholds,
    Verdict,
)

ZONE = ZoneInfo("Europe/Berlin")
KINDS = ("scratch", "dent", "chip", "stain", "missing_feature")
CAMERAS = ("top", "side")
SHIFTS = {"early": "06:00-14:00", "late": "14:00-22:00", "night": "22:00-06:00"}
LIMITS = Thresholds(pass_below=0.3, fail_above=0.6, novel_above=3.0)
BITE = 500


@dataclass(frozen=True)
class Row:
    """What the truth is counted from, apart from the store."""

    at_ms: int
    camera: str
    part: str
    outcome: str
    reason: str
    kind: str
    score: float | None
    key: tuple[str, int, int]
    version: int


def record(path, begin, end, *, seed, per_hour=24, pauses=()):
    """Fill a store at `path` with the verdicts of a line between two moments; returns its rows."""
    chance = random.Random(seed)
    schema.prepare(path)
    intake, rows, pending = Intake(path), [], []
    at, seqs, serial = begin, dict.fromkeys(CAMERAS, 0), 0
    while at < end:
        at += timedelta(seconds=chance.expovariate(per_hour / 3600))
        if any(a <= at < b for a, b in pauses) or at >= end:
            continue
        serial += 1
        camera = chance.choice(CAMERAS)
        seqs[camera] += 1
        told = _verdict(chance, camera, seqs[camera], serial, at)
        rows.append(_row(told, at))
        pending.append((serial, pack(told.to_json())))
        if len(pending) == BITE:
            intake.take(Bite(1, pending))
            pending = []
    if pending:
        intake.take(Bite(1, pending))
    intake.close()
    return rows


def _verdict(chance, camera, seq, serial, at):
    draw, kind = chance.random(), chance.choice(KINDS)
    rest = round(chance.uniform(0.5, 0.9), 3)
    shares = {"good": round(1 - rest, 3), **dict.fromkeys(KINDS, 0.0), kind: rest}
    if draw < 0.86:
        what = (Outcome.PASS, Reason.BELOW_PASS, round(chance.uniform(0, 0.29), 3))
    elif draw < 0.93:
        what = (Outcome.FAIL, Reason.ABOVE_FAIL, round(chance.uniform(0.6, 1), 3))
    elif draw < 0.97:
        what = (Outcome.REVIEW, Reason.IN_REVIEW_BAND, round(chance.uniform(0.3, 0.59), 3))
    elif draw < 0.985:
        what = (Outcome.REVIEW, Reason.NOVEL, 0.1)
    else:
        what = (Outcome.FAIL, Reason.LATE, None)
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    version = 3 if at < datetime(2026, 11, 24, 9, 12, tzinfo=ZONE) else 4
    return Verdict(
        camera=camera, epoch=1, seq=seq, part=f"bolt-{10_000 + serial}", outcome=what[0],
        reason=what[1], score=what[2], probabilities=shares if what[2] is not None else {},
        thresholds=LIMITS, bundle=BundleRef(name="bolts", version=version, digest="ab" * 32),
        frame=serial, captured_at=stamp, decided_at=stamp,
        latency_ms=Latency(queue=1, preprocess=2, score=3, total=6),
        health=CameraHealth(frame_age_ms=1, overwritten=0, reconnects=0),
    )  # fmt: skip


def _row(told, at):
    stopped = told.outcome is not Outcome.PASS and told.reason in (
        Reason.ABOVE_FAIL, Reason.IN_REVIEW_BAND,
    )  # fmt: skip
    kind = ""
    if stopped:
        kind = max((p, name) for name, p in told.probabilities.items() if name != "good")[1]
    at_ms = round(at.timestamp() * 1000)
    return Row(
        at_ms, told.camera, told.part, told.outcome.value, told.reason.value, kind, told.score,
        told.key, told.bundle.version,
    )  # fmt: skip
