"""The tags: what other systems are told of a box and of each camera, in one table for all of them.

Names follow OPC 40100-1 (machine vision: results and the state machine) where it has one. Knows no
protocol.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from edge.messages import CameraReport, Health, State
from export.verdict import Verdict

STALE_MS = 5000.0  # a camera whose newest frame is older gives none


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    REAL = "real"
    COUNT = "count"
    FLAG = "flag"
    TIME = "time"


Value = str | float | int | bool | datetime | None


Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Tag(Generic[Told]):
    """One tag.

    Attributes:
        name: levels joined by /.
        kind: of its value; a TIME is a datetime in UTC.
        read: makes the value of what was told; None where there is none.
    """

    name: str
    kind: Kind
    read: Callable[[Told], Value]


def moment(text: str) -> datetime | None:
    """An RFC 3339 time; None if it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _recipe(verdict: Verdict) -> str | None:
    bundle = verdict.bundle
    return f"{bundle.name} {bundle.version} {bundle.digest[:12]}" if bundle else None


RESULT: tuple[Tag[Verdict], ...] = (
    Tag("Result/ResultId", Kind.TEXT, lambda it: f"{it.camera}/{it.epoch}/{it.seq}"),
    Tag("Result/PartId", Kind.TEXT, lambda it: it.part),
    Tag("Result/IsSimulated", Kind.FLAG, lambda it: it.simulated),
    Tag("Result/CreationTime", Kind.TIME, lambda it: moment(it.decided_at)),
    Tag("Result/InternalRecipeId", Kind.TEXT, _recipe),
    Tag("Result/Outcome", Kind.TEXT, lambda it: it.outcome.value),
    Tag("Result/Reason", Kind.TEXT, lambda it: it.reason.value),
    Tag("Result/Score", Kind.REAL, lambda it: it.score),
    Tag("Result/Novelty", Kind.REAL, lambda it: it.novelty),
    Tag("Result/Epoch", Kind.COUNT, lambda it: it.epoch),
    Tag("Result/Seq", Kind.COUNT, lambda it: it.seq),
    Tag("Result/ProcessingMs", Kind.REAL, lambda it: it.latency_ms.total),
)
CAMERA: tuple[Tag[CameraReport], ...] = (
    Tag("Counts/Frames", Kind.COUNT, lambda it: it.frames),
    Tag("Counts/Parts", Kind.COUNT, lambda it: it.triggers),
    Tag("Counts/Verdicts", Kind.COUNT, lambda it: it.verdicts),
    Tag("Counts/FramesOverwritten", Kind.COUNT, lambda it: it.overwritten),
    Tag("Counts/Restarts", Kind.COUNT, lambda it: it.reconnects),
)
BOX: tuple[Tag[Health], ...] = (
    Tag("Box/Epoch", Kind.COUNT, lambda it: it.epoch),
    Tag("Box/OutboxDepth", Kind.COUNT, lambda it: it.outbox.depth),
    Tag("Box/Quarantined", Kind.COUNT, lambda it: it.outbox.quarantined),
    Tag("Box/Faults", Kind.TEXT, lambda it: "; ".join(it.faults)),
)
VISION_STATE = "VisionStateMachine/CurrentState"


def vision_state(state: State | None, report: CameraReport | None) -> str:
    """A camera's state, by the names of OPC 40100-1: Halted, Error, Operational, Preoperational."""
    if state is None or state.state != "online":
        return "Halted"
    if report is None or not report.frames:
        return "Preoperational"
    return "Error" if report.frame_age_ms > STALE_MS else "Operational"
