"""One camera's warden: looks at every frame, marks what is wrong with it, raises and clears alarms.

A frame by which nothing can be judged (frozen, black, white) goes on as `Unusable`, so that its
part gets the fail-safe verdict; any other goes on with the conditions that stand. Takes the
commissioning reference by itself if there is none. Called by one thread per camera; knows no
capture process, model, database or broker.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from edge.alarm import Alarms
from edge.camera_health.condition import CAUSES, SPOILS, Cause, Condition, Measure, likely
from edge.camera_health.evidence import Exhibit
from edge.camera_health.monitor import Finding, Limits, Monitor
from edge.camera_health.reference import Commissioning, Reference
from edge.camera_health.sample import Sample, take
from edge.frame import Frame, Unusable
from edge.messages import Severity
from export.preprocess import Pixels

Keep = Callable[[Reference, Pixels], None]
Show = Callable[[Exhibit], None]
PROVEN_AFTER = 15  # frames


@dataclass(frozen=True, slots=True)
class Watch:
    """How a camera is watched.

    Attributes:
        camera: its name.
        pictures: the folder for what alarms show.
        limits: from where a measure is wrong.
        reference_frames: good frames that a reference is learnt from.
        paced: whether frames come at the camera's own pace.
    """

    camera: str
    pictures: Path
    limits: Limits = field(default_factory=Limits)
    reference_frames: int = 100
    paced: bool = True


class Warden:
    """Watches one camera.

    Args:
        watch: how.
        alarms: the box's book.
        reference: as kept from an earlier time, or None to take one.
        keep: stores a reference just taken; may raise.
        show: has an exhibit written.

    Attributes:
        trouble: why no reference can be taken, or kept; or empty.
    """

    def __init__(
        self, watch: Watch, alarms: Alarms, reference: Reference | None, keep: Keep, show: Show
    ) -> None:
        self._watch, self._alarms, self._keep, self._show = watch, alarms, keep, show
        self._monitor = Monitor(watch.limits, paced=watch.paced)
        self._commissioning: Commissioning | None = None
        if reference is None:
            self._commissioning = Commissioning(watch.reference_frames)
        else:
            self._monitor.commission(reference)
        self._good: Pixels | None = None
        self._candidate: Pixels | None = None
        self._healthy = 0
        self._now: Pixels | None = None
        self._measures: tuple[Measure, ...] = ()
        self._lock = threading.Lock()
        self._odd_size = False
        self.trouble = ""
        self._log = structlog.get_logger("warden").bind(camera=watch.camera)

    @property
    def reference(self) -> Reference | None:
        """What the camera is compared with; None until commissioned."""
        return self._monitor.reference

    @property
    def progress(self) -> float:
        """How much of a reference is taken, 0..1."""
        return self._commissioning.share if self._commissioning else 1.0

    def refuse(self, why: str) -> None:
        """The kept reference can't be used: say so, and take none until a person does."""
        self._commissioning = None
        self._alarms.raise_(self._watch.camera, Condition.REFERENCE, why)

    def see(self, frame: Frame) -> Frame | Unusable:
        """Look at the next frame (HxWx3 uint8); returns what goes on in its place."""
        sample = take(frame)
        finding = self._monitor.see(sample)
        with self._lock:
            self._measures, self._now = finding.measures, frame.pixels
            self._remember(frame.pixels, finding.healthy)
        self._tell(finding)
        self.trouble = finding.spoilt if self._commissioning else self.trouble
        if self._commissioning and not finding.spoilt and not finding.standing:
            self._commission(self._commissioning, sample, frame.pixels)
        self._check_size(sample)
        conditions = tuple(one.value for one in finding.standing)
        if finding.spoilt:
            return Unusable(
                finding.spoilt,
                frame.camera,
                frame.number,
                frame.captured_ns,
                frame.captured_wall_ns,
                frame.label,
                conditions,
            )
        return replace(frame, conditions=conditions) if conditions else frame

    def cause(self) -> Cause:
        """What the camera's measures say of a change that the model sees; from any thread."""
        with self._lock:
            return likely(list(self._measures))

    def exhibit(self, name: str, title: str) -> Path | None:
        """Have the present frame shown beside the last good one; None before the first frame."""
        with self._lock:
            now, good = self._now, self._good
        if now is None:
            return None
        path = self._watch.pictures / f"alarm-{name}-{self._alarms.number:06d}.jpg"
        self._show(Exhibit(path, title, now, good))
        return path

    def _remember(self, pixels: Pixels, healthy: bool) -> None:
        """A frame was good once the frames after it were too: measures lag behind a fault."""
        if not healthy:
            self._candidate, self._healthy = None, 0
            return
        if self._healthy % PROVEN_AFTER == 0:
            self._good = self._candidate if self._candidate is not None else self._good
            self._candidate = pixels
        self._healthy += 1

    def _tell(self, finding: Finding) -> None:
        for measure in finding.raised:
            name = measure.condition
            cause = likely(list(finding.measures))
            if name in SPOILS or name is Condition.DROPPING:
                cause = CAUSES[name]
            path = self.exhibit(name, f"{name}: {cause}")
            severity = Severity.CRITICAL if name in SPOILS else Severity.WARNING
            self._alarms.raise_(
                self._watch.camera, name, detail(measure.said, cause, path), severity
            )
            self._log.warning("camera condition", condition=name.value, cause=cause.value)
        for condition in finding.cleared:
            self._alarms.clear(self._watch.camera, condition)
            self._log.info("camera condition over", condition=condition.value)

    def _commission(self, done: Commissioning, sample: Sample, pixels: Pixels) -> None:
        if not done.add(sample):
            return
        self._commissioning = None
        reference = done.reference()
        self._monitor.commission(reference)
        self._log.info("commissioning reference taken", frames=reference.frames)
        try:
            self._keep(reference, pixels)
        except Exception as error:  # noqa: BLE001 - the camera is watched all the same
            self.trouble = why = f"the reference is in use but not kept: {error}"
            self._alarms.raise_(self._watch.camera, Condition.REFERENCE, why)

    def _check_size(self, sample: Sample) -> None:
        reference = self._monitor.reference
        odd = reference is not None and reference.size != sample.size
        if reference is not None and odd and not self._odd_size:
            self._alarms.raise_(
                self._watch.camera,
                Condition.REFERENCE,
                f"frames are {sample.size[1]}x{sample.size[0]} now, the commissioning reference "
                f"{reference.size[1]}x{reference.size[0]}: take one with linewarden commission",
            )
        elif self._odd_size and not odd:
            self._alarms.clear(self._watch.camera, Condition.REFERENCE)
        self._odd_size = odd


def detail(said: str, cause: Cause, path: Path | None) -> str:
    """An alarm's sentence: what, the likely cause, the picture's path (kept whole)."""
    shown = f"; picture: {path}" if path else ""
    sentence = f"{said}; likely cause: {cause.value}"
    return sentence[: max(0, 256 - len(shown))] + shown
