"""Whether the box can be trusted with parts now, and if not, why, in sentences.

Alive is less: that every stage moves, so that a restart would mend nothing. Pure: it is given what
is known and decides.
"""

from dataclasses import dataclass

from edge.messages import Alarm, Health, Severity

STALE_S = 5.0  # a live camera whose newest frame is older has stopped


@dataclass(frozen=True, slots=True)
class Known:
    """What the daemon knows of itself.

    Attributes:
        still: stages that don't move, in words.
        idle_s: {stage: seconds since it last moved}.
        health: the bulletin.
        live: names of the cameras whose frames come by themselves.
        connected: to the broker; None where none is configured.
        alarms: that stand.
    """

    still: tuple[str, ...]
    idle_s: dict[str, float]
    health: Health
    live: frozenset[str]
    connected: bool | None
    alarms: tuple[Alarm, ...]


def unready(known: Known) -> tuple[str, ...]:
    """Why the box isn't ready, most basic first; empty if it is."""
    reasons = list(known.still)
    for name in sorted(known.live):
        camera = known.health.cameras[name]
        if not camera.frames:
            reasons.append(f"camera {name} has given no frame yet")
        elif camera.frame_age_ms > STALE_S * 1e3:
            age_s = camera.frame_age_ms / 1e3
            reasons.append(f"camera {name} has given no frame for {age_s:.0f} s")
    if known.connected is False:
        reasons.append(f"no broker; {known.health.outbox.depth} verdicts wait on the disk")
    reasons += [
        f"{alarm.source}: {alarm.detail or alarm.name}"
        for alarm in known.alarms
        if alarm.severity is Severity.CRITICAL
    ]
    return tuple(reasons)
