"""Challenge parts: whether the last one was stopped, and in time."""

from collections.abc import Iterator
from datetime import UTC, datetime

from edge.challenge import Last, read
from edge.clock import wall_ns
from edge.config import Appliance
from edge.doctor.finding import Finding, doubtful, ill, well


def proofs(appliance: Appliance) -> Iterator[Finding]:
    """One finding for each camera that has a schedule."""
    kept, now = read(appliance.store.folder), datetime.fromtimestamp(wall_ns() / 1e9, UTC)
    for name, camera in appliance.cameras.items():
        if camera.challenge:
            yield _of(f"challenge of {name}", kept.get(name), camera.challenge.every_minutes, now)


def _of(organ: str, last: Last | None, every_minutes: float, now: datetime) -> Finding:
    if last is None or not (last.stopped or last.passed):
        said = f"no part was stopped yet; one is due every {every_minutes:g} minutes"
        return doubtful(organ, said, "send one through the line once the box runs")
    if last.passed:
        said = f"{last.passed} was passed, and none was stopped since"
        return ill(organ, said, "find out why: linewarden why; then send it through again")
    since = f"{last.stopped} stopped, the last at {last.since}"
    if last.late_s(every_minutes, now) > 0:
        return doubtful(organ, f"{since}; one is due every {every_minutes:g} minutes",
                        "send one through the line once the box runs")  # fmt: skip
    return well(organ, since)
