"""Every live camera: opens, gives fresh frames at its pace, of pictures that can be judged by."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from edge.camera.camera import Camera, Seen
from edge.camera.slot import Slot
from edge.clock import monotonic_ns
from edge.config import Appliance
from edge.doctor.finding import Finding, doubtful, ill, well
from edge.fitting import camera_settings
from edge.frame import Frame
from edge.health import Health
from edge.sections import FolderSource, VideoSource

AT_LEAST = 0.8  # of the pace that was asked for
LOOK_S = 0.1


@dataclass(slots=True)
class _Tally:
    """What came: numbers and times of the first and the newest frame, and how good they were."""

    first: Seen
    newest: Seen
    seen: int = 1
    usable: Frame | None = None
    differing: bool = False

    def take(self, seen: Seen) -> None:
        """Note one more frame."""
        self.seen, self.newest = self.seen + 1, seen
        self.look(seen)

    def look(self, seen: Seen) -> None:
        """Compare it with the one before."""
        if isinstance(seen, Frame):
            if self.usable is not None and not self.differing:
                self.differing = not np.array_equal(self.usable.pixels, seen.pixels)
            self.usable = seen

    @property
    def rate(self) -> float:
        """Frames per second, those that nobody took included."""
        span_s = (self.newest.captured_ns - self.first.captured_ns) / 1e9
        return (self.newest.number - self.first.number) / span_s if span_s else 0.0


def lenses(appliance: Appliance, watched_s: float) -> Iterator[Finding]:
    """One finding for each camera; a box that runs already holds its cameras, so stop it first."""
    for name, section in appliance.cameras.items():
        settings = camera_settings(name, section)
        if isinstance(section.source, FolderSource | VideoSource) and section.source.absent:
            yield ill(
                f"camera {name}",
                f"{section.source.path} is no {section.source.kind}",
                f"set cameras.{name}.source.path to one that is there",
            )
        elif settings.lossless:
            yield well(f"camera {name}", f"plays a {section.source.kind}: nothing to watch")
        else:
            if settings.virtual:  # the truth is the run's to write
                settings = replace(settings, source=settings.source | {"truth": None})
            health = Health((name,))
            yield _watched(Camera(settings, Slot[Seen](), health), health, watched_s)


def _watched(camera: Camera, health: Health, watched_s: float) -> Finding:
    organ = f"camera {camera.settings.name}"
    camera.start()
    try:
        first = camera.slot.take(camera.settings.open_s + 1.0)
        if first is None:
            why = "; ".join(health.standing())
            if camera.settings.waits and not why:
                return well(organ, "it answers, and waits for its trigger")
            why = why or "it gave no frame"
            return ill(organ, why, "check cable, power, address and rights; is a box running?")
        tally = _Tally(first, first)
        tally.look(first)
        end_ns = monotonic_ns() + round(watched_s * 1e9)
        while monotonic_ns() < end_ns:
            if (seen := camera.slot.take(LOOK_S)) is not None:
                tally.take(seen)
    finally:
        camera.stop()
    return _judged(organ, tally, camera.settings.source.get("fps"), watched_s)


def _judged(organ: str, tally: _Tally, fps: float | None, watched_s: float) -> Finding:
    if tally.usable is None:
        return ill(organ, f"{tally.seen} pictures, none of which can be used", "check its settings")
    rows, columns = tally.usable.pixels.shape[:2]
    stale_s = (monotonic_ns() - tally.newest.captured_ns) / 1e9
    said = f"{columns}x{rows}, {tally.rate:.1f} frames/s over {watched_s:g} s"
    if tally.seen < 2 or stale_s > watched_s / 2:
        return ill(organ, f"{said}; the newest is {stale_s:.1f} s old", "it stopped: check it")
    if not tally.differing:
        return ill(organ, f"{said}, all the same to the bit: frozen", "switch it off and on")
    if fps and tally.rate < AT_LEAST * fps:
        remedy = "check the exposure time, the bus and the network; or ask for fewer"
        return doubtful(organ, f"{said}; {fps:g} were asked for", remedy)
    return well(organ, said)
