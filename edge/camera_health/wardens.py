"""The wardens of a box: one per watched camera, the drift of what its parts score, the pictures.

Built and owned by the daemon. Watches cameras that are live; a folder or a video file shows what
it shows. Knows no capture process, runtime, database or broker.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import structlog

from edge.alarm import Alarms
from edge.camera_health import archive
from edge.camera_health.condition import Condition
from edge.camera_health.drift import Calibration, ScoreDrift, Shift
from edge.camera_health.evidence import Album
from edge.camera_health.monitor import Limits
from edge.camera_health.warden import Warden, Watch, detail
from edge.sections import (
    CameraSection,
    DeviceSource,
    GenicamSource,
    HealthSection,
    StreamSource,
    VirtualSource,
)
from export import scores
from export.bundle import Bundle, open_bundle
from export.decide import decide
from export.errors import LinewardenError, StoreError
from export.manifest import GOOD
from export.signature import PublicKey
from export.verdict import FAIL_SAFE, Outcome, Reason, Verdict

Record = Callable[[str, Callable[[int], Verdict]], Verdict]
CALIBRATION_SPLIT = "calibration"
LIVE_KINDS = frozenset({"device", "stream", "genicam", "virtual"})


class Wardens:
    """Everything that watches cameras.

    Args:
        alarms: the box's book.
        store: the folder below which references and pictures are kept.
        calibrations: {bundle's digest: what its good pictures scored}.
    """

    def __init__(
        self, alarms: Alarms, store: Path, calibrations: Mapping[str, Calibration] | None = None
    ) -> None:
        self._alarms, self._store = alarms, store
        self._calibrations = dict(calibrations or {})
        self._album = Album()
        self._wardens: dict[str, tuple[Warden, HealthSection]] = {}
        self._drifts: dict[str, tuple[str, ScoreDrift]] = {}
        self._log = structlog.get_logger("wardens")

    def add(self, camera: str, section: CameraSection, *, afresh: bool = False) -> Warden | None:
        """The warden of a camera, if it is to be watched.

        With the reference kept from an earlier time, unless `afresh`: then it takes one from the
        next good frames. One that is damaged is an alarm.
        """
        told, source = section.health, section.source
        if not (told.watch or (told.watch is None and source.kind in LIVE_KINDS)):
            return None
        at = archive.folder(self._store, camera)
        kept, why = None, ""
        try:
            kept = None if afresh else archive.load(at)
        except StoreError as error:
            why = f"{error.problem}; {error.remedy}"
        limits = Limits(told.frozen_frames, told.light, told.focus, told.framing, told.dropped)
        realtime = isinstance(source, VirtualSource) and source.pace == "realtime"
        paced = realtime or _runs_free(section)
        warden = Warden(
            Watch(camera, at, limits, told.reference_frames, paced),
            self._alarms,
            kept,
            lambda reference, pixels: archive.save(at, reference, pixels),
            self._album.show,
        )
        if why:
            warden.refuse(why)
        self._wardens[camera] = (warden, told)
        return warden

    def learn(self, digest: str, calibration: Calibration | None) -> None:
        """What another bundle's good pictures scored, before it judges its first part."""
        if calibration is not None:
            self._calibrations[digest] = calibration

    def start(self) -> None:
        """Start the writer of pictures."""
        self._album.start()

    def stop(self, timeout_s: float = 0.5) -> None:
        """Write the pictures that wait, for so long."""
        self._album.stop(timeout_s)

    def recording(self, record: Record) -> Record:
        """`record`, and then a look at what the verdict says of drift."""

        def recorded(camera: str, make: Callable[[int], Verdict]) -> Verdict:
            verdict = record(camera, make)
            try:
                self.judged(verdict)
            except Exception:  # noqa: BLE001 - a fault of the watch is none of the line's
                # Whatever becomes of the statistics, the verdict stands.
                self._log.exception("drift was not watched", camera=camera)
            return verdict

        return recorded

    def judged(self, verdict: Verdict) -> None:
        """Take a verdict into the test for drift; a fail-safe one says nothing of the part.

        Of several frames the first that says anything: the worst of several is no single picture,
        and would look like drift from the calibration's.
        """
        watched = self._wardens.get(verdict.camera)
        bundle = verdict.bundle
        if watched is None or bundle is None or verdict.score is None:
            return
        if verdict.reason in FAIL_SAFE:
            return
        warden, told = watched
        drift = self._drift(verdict.camera, bundle.digest, told)
        views = verdict.fused.views if verdict.fused else (verdict,)
        view = next((one for one in views if one.score is not None), verdict)
        passed = view.reason is Reason.BELOW_PASS
        if shift := drift.see(view.score or 0.0, view.novelty, passed):
            self._tell(verdict.camera, warden, shift)

    def _drift(self, camera: str, digest: str, told: HealthSection) -> ScoreDrift:
        known = self._drifts.get(camera)
        if known is None or known[0] != digest:
            calibration = self._calibrations.get(digest)
            known = (digest, ScoreDrift(calibration, told.run_length, told.rejects))
            self._drifts[camera] = known
            self._alarms.clear(camera, Condition.SCORES)
        return known[1]

    def _tell(self, camera: str, warden: Warden, shift: Shift) -> None:
        if not shift.standing:
            self._alarms.clear(camera, Condition.SCORES)
            return
        cause = warden.cause()
        said = str(shift.way)
        path = warden.exhibit(Condition.SCORES, f"{Condition.SCORES}: {cause}")
        self._alarms.raise_(camera, Condition.SCORES, detail(said, cause, path))
        self._log.warning("drift", camera=camera, what=said, cause=cause.value, part=shift.parts)


def _runs_free(section: CameraSection) -> bool:
    """Whether frames come at a pace of the camera's own."""
    if isinstance(section.source, GenicamSource):
        return not section.source.trigger
    return isinstance(section.source, DeviceSource | StreamSource)


def calibrations(
    bundles: Iterable[tuple[Path, str]], keys: Sequence[PublicKey]
) -> dict[str, Calibration]:
    """{digest: calibration} of the bundles that say what their good pictures scored.

    Each with the variant that judges: it has scores of its own.
    """
    known: dict[str, Calibration] = {}
    for path, variant in set(bundles):
        try:
            bundle = open_bundle(path, keys).as_variant(variant)
        except LinewardenError:
            continue  # whoever arms it says so
        if found := calibration_of(bundle):
            known[bundle.ref.digest] = found
    return known


def calibration_of(bundle: Bundle) -> Calibration | None:
    """What a bundle's good calibration pictures scored that passed; None if it doesn't say."""
    try:
        found = scores.read(bundle)
    except LinewardenError as error:
        structlog.get_logger("wardens").info("drift is measured from here on", why=error.problem)
        return None
    limits = bundle.thresholds
    passed = [
        one
        for one in found
        if one.label == GOOD
        and one.split == CALIBRATION_SPLIT
        and decide(one.score, one.novelty, limits)[0] is Outcome.PASS
    ]
    novelty = tuple(one.novelty for one in passed if one.novelty is not None)
    return Calibration(tuple(one.score for one in passed), novelty)
