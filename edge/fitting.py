"""Fitting: each table of the settings, as the part of the box that it is for takes it.

Reads the files that the settings name (keys); starts nothing.
"""

from collections.abc import Mapping
from pathlib import Path

from edge.camera.camera import CameraSettings
from edge.camera_health.drift import Calibration
from edge.camera_health.wardens import calibrations
from edge.clock import monotonic_ns
from edge.config import Appliance, Samples
from edge.flagged.keeper import Keeper, KeeperSettings
from edge.flagged.pantry import Quota
from edge.health import CameraCounts, Health
from edge.messages import CameraReport
from edge.sections import CameraSection, Challenge, GateTrigger
from edge.trigger.gate import Gate, GateSettings
from edge.trigger.trigger import ByCamera, EveryFrame, OnOrder, Trigger
from export.doorway import Bout
from export.signature import load_public

LOSSLESS_KINDS = frozenset({"folder", "video"})


def camera_settings(name: str, section: CameraSection) -> CameraSettings:
    """One camera's table as the camera takes it."""
    source = section.source.model_dump(mode="json")
    lossless = source["kind"] in LOSSLESS_KINDS or source.get("pace") == "lossless"
    return CameraSettings(name, source, lossless, section.open_s, section.stall_s)


def schedules(appliance: Appliance) -> dict[str, Challenge]:
    """When challenge parts are due, by camera."""
    told = {name: one.challenge for name, one in appliance.cameras.items()}
    return {name: challenge for name, challenge in told.items() if challenge}


def trigger(section: CameraSection) -> Trigger:
    """How the parts of one camera are found."""
    told = section.trigger
    if isinstance(told, GateTrigger):
        return Gate(GateSettings(**told.model_dump(exclude={"kind"})))
    match told.kind:
        case "command":
            return OnOrder()
        case "camera":
            return ByCamera()
        case "every_frame":
            return EveryFrame()


def calibrations_of(
    appliance: Appliance, used: Mapping[str, Path], variants: Mapping[str, str]
) -> dict[str, Calibration]:
    """{digest: what its good pictures scored} of every camera's bundle.

    Args:
        appliance: the settings.
        used: {camera: its bundle}, where that isn't the settings'.
        variants: {camera: the bundle's variant that judges}: its scores count.
    """
    keys = [load_public(path) for path in appliance.trust.keys]
    cameras = appliance.cameras.items()
    judging = ((used.get(name, one.bundle), variants[name]) for name, one in cameras)
    return calibrations(judging, keys)


def keeper(section: Samples, health: Health) -> Keeper | None:
    """The keeper of samples, if any are to be kept."""
    if not section.keep_gb:
        return None
    quota = Quota(round(section.keep_gb * 1024**3), round(section.leave_free_gb * 1024**3))
    told = (section.picture, section.audit_rate, section.queue, section.recent)
    return Keeper(KeeperSettings(section.folder, quota, *told), health)


def camera_report(
    counts: CameraCounts, oldest: int, newest: int, shadow: Bout | None = None
) -> CameraReport:
    """One camera as the health message tells it; its kept verdicts are seq `oldest` to `newest`."""
    last = counts.last_frame_ns
    return CameraReport(
        oldest=oldest,
        newest=newest,
        frame_age_ms=0.0 if last is None else max(0.0, (monotonic_ns() - last) / 1e6),
        frames=counts.frames,
        triggers=counts.triggers,
        verdicts=counts.verdicts,
        overwritten=counts.overwritten,
        reconnects=counts.reconnects,
        faults=tuple(f"{kind}: {count}" for kind, count in sorted(counts.faults.items())),
        shadow=shadow,
    )
