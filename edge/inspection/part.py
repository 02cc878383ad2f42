"""A part on its way to its verdict: what was seen, who judges it, by when, and what is said of it.

Builds the verdict from a judgement, or the fail-safe one where there is none. Pure: it knows no
queue, thread, model, database or broker.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.clock import monotonic_ns, rfc3339, wall_ns
from edge.frame import Frame, Ready, Unusable
from edge.health import CameraCounts
from edge.inspection.fusion import Looks
from edge.inspection.inspector import STILL, Judgement
from export.preprocess import Pixels, Region
from export.verdict import (
    FAIL_SAFE,
    CameraHealth,
    Fused,
    Latency,
    Outcome,
    Reason,
    Verdict,
    printable,
)

DETAIL_LIMIT = 512
PART_LIMIT = 128


class Judge(Protocol):
    """Who decides about pixels; edge.inspection.inspector.Inspector is one."""

    def prepare(self, pixels: Pixels, moved: tuple[float, float], ready: Ready) -> None:
        """Do what can be done before its turn; never raises."""
        ...

    def judge(
        self, pixels: Pixels, moved: tuple[float, float] = STILL, ready: Ready | None = None
    ) -> Judgement:
        """Judge HxWx3 uint8 BGR pixels, the region moved with the part; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What one camera's parts are judged on.

    Attributes:
        camera: its name.
        judge: who judges them.
        deadline_ms: from capture to verdict.
        room: parts that may be due at once.
        virtual: whether they are simulated.
        fail_safe: what becomes of a part without a trustworthy result; never a pass.
        frames: of each part, judged as one.
        region: of the picture that its judge looks at, where that is known.
    """

    camera: str
    judge: Judge
    deadline_ms: float
    room: int
    virtual: bool = False
    fail_safe: Outcome = Outcome.FAIL
    frames: int = 1
    region: Region | None = None

    def __post_init__(self) -> None:
        if self.fail_safe is Outcome.PASS:
            raise ValueError("a part without a trustworthy result can't pass")


@dataclass(slots=True, eq=False)
class Part:
    """One part that a verdict is due for; `name` may be empty, then its key names it.

    `seen` is the frame that would be enough alone, and in the end the one that decided. `looks`
    holds its frames. `due_from_ns` is when its deadline began to run, if not at the capture of
    `seen`: a part that was ordered waits for its frame too. `heatmap` (h,w) is where
    the judge saw a defect in the frame that decided.
    """

    seen: Frame | Unusable
    terms: Terms
    name: str = ""
    triggered_ns: int = field(default_factory=monotonic_ns)
    due_from_ns: int | None = None
    heatmap: NDArray[np.floating] | None = None
    looks: Looks = field(init=False)
    _settled: bool = False
    _verdict: Verdict | None = None
    _late: Judgement | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.looks = Looks(self.terms.frames)

    def settle(self) -> bool:
        """Whether the caller is the first to settle it, and so the one to give the verdict."""
        with self._lock:
            first, self._settled = not self._settled, True
            return first

    @property
    def settled(self) -> bool:
        """Whether its verdict was given."""
        return self._settled

    def concluded(self, verdict: Verdict) -> Judgement | None:
        """This is its verdict; returns the judgement that came too late for it, if it came."""
        with self._lock:
            self._verdict = verdict
            return self._late

    def came_late(self, judgement: Judgement) -> Verdict | None:
        """A judgement came when it was settled; returns its verdict, if that is known by now."""
        with self._lock:
            self._late = judgement
            return self._verdict

    def left_ms(self, now_ns: int) -> float:
        """Until its deadline; below 0 after it."""
        return self.terms.deadline_ms - self.age_ms(now_ns)

    def age_ms(self, now_ns: int) -> float:
        """Since its capture, or since it was ordered."""
        began_ns = self.seen.captured_ns if self.due_from_ns is None else self.due_from_ns
        return max(0.0, (now_ns - began_ns) / 1e6)


def judged(
    part: Part,
    key: tuple[int, int],
    counts: CameraCounts,
    judgement: Judgement,
    fused: Fused | None = None,
) -> Verdict:
    """The verdict of a judgement; after the deadline it is fail-safe.

    Args:
        part: whose.
        key: (epoch, seq).
        counts: its camera's.
        judgement: what the inspector said.
        fused: of which frames it was made, if of several.
    """
    facts = _facts(part, key, counts)
    total_ms, limit_ms = part.age_ms(monotonic_ns()), part.terms.deadline_ms
    outcome, reason, detail = judgement.outcome, judgement.reason, judgement.detail
    if total_ms > limit_ms:
        reason = Reason.LATE
        detail = f"decided {total_ms:.0f} ms after capture, {limit_ms:g} ms are allowed"
    if reason in FAIL_SAFE:
        outcome = part.terms.fail_safe
    facts["latency_ms"] = Latency(
        queue=part.age_ms(part.looks.began_ns),
        preprocess=judgement.preprocess_ms,
        score=judgement.score_ms,
        total=total_ms,
    )
    return Verdict(
        **facts,
        outcome=outcome,
        reason=reason,
        detail=detail[:DETAIL_LIMIT],
        score=judgement.score,
        novelty=judgement.novelty,
        thresholds=judgement.thresholds,
        probabilities=judgement.probabilities,
        bundle=judgement.bundle,
        fused=fused,
    )


def fail_safe(
    part: Part, key: tuple[int, int], counts: CameraCounts, reason: Reason, detail: str
) -> Verdict:
    """The verdict where there is no trustworthy result, and why. Arguments as `judged`."""
    return Verdict(
        **_facts(part, key, counts),
        outcome=part.terms.fail_safe,
        reason=reason,
        detail=detail[:DETAIL_LIMIT],
    )


def _facts(part: Part, key: tuple[int, int], counts: CameraCounts) -> dict[str, Any]:
    """What is known without judging."""
    seen, camera, (epoch, seq) = part.seen, part.terms.camera, key
    age_ms = part.age_ms(monotonic_ns())
    name = printable(part.name)[-PART_LIMIT:]  # a file's name may hold bytes that are no text
    return {
        "camera": camera,
        "epoch": epoch,
        "seq": seq,
        "part": name or f"{camera}-{epoch}-{seq}",
        "frame": seen.number,
        "captured_at": rfc3339(seen.captured_wall_ns),
        "decided_at": rfc3339(wall_ns()),
        "latency_ms": Latency(queue=age_ms, preprocess=0.0, score=0.0, total=age_ms),
        "health": CameraHealth(
            frame_age_ms=part.age_ms(part.triggered_ns),
            overwritten=counts.overwritten,
            reconnects=counts.reconnects,
            conditions=seen.conditions,
        ),
        "simulated": part.terms.virtual,
    }
