"""`linewarden commission`: learn what each camera shows while it is well, to compare with later."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from export.errors import CameraError, ConfigError

if TYPE_CHECKING:
    from edge.camera.camera import Camera
    from edge.camera_health.reference import Reference
    from edge.camera_health.warden import Warden
    from edge.config import Appliance
    from edge.health import Health


def commission(
    config: Annotated[Path, typer.Option(help="The settings file.")] = Path("appliance.toml"),
    camera: Annotated[
        list[str] | None, typer.Option(help="A camera's name, repeatable; all watched by default.")
    ] = None,
    timeout_s: Annotated[float, typer.Option(min=1, help="Give up after so long.")] = 120.0,
) -> None:
    """Take a fresh commissioning reference of each camera, while the box is stopped.

    Do it when focus, light and framing are as they should be, with parts passing as usual: every
    later frame is compared with it. Without this command the box takes a reference by itself when
    it first runs. Prints what each reference can tell, and keeps a picture beside it.

    Exit code 2 if a camera gives too few good frames.

    For example:

    linewarden commission --config appliance.toml

    linewarden commission --config appliance.toml --camera top
    """
    from edge import journal
    from edge.alarm import Alarms
    from edge.camera_health.wardens import Wardens
    from edge.config import load

    journal.begin("warning")
    appliance = load(config).appliance
    wardens = Wardens(Alarms(), appliance.store.folder)
    for name in camera or list(appliance.cameras):
        if name not in appliance.cameras:
            known = ", ".join(appliance.cameras)
            raise ConfigError(f"{config} has no camera {name!r}", f"name one of: {known}")
        warden = wardens.add(name, appliance.cameras[name], afresh=True)
        if warden is not None:
            reference = _taken(appliance, name, warden, timeout_s)
            typer.echo(f"{name:<16} {_said(reference)}")
        elif camera:
            raise ConfigError(
                f"the camera {name!r} is not watched: it plays files",
                f"set watch = true in [cameras.{name}.health]",
            )
        else:
            typer.echo(
                f"{name:<16} not watched: it plays files; set watch = true in"
                f" [cameras.{name}.health] to have it watched"
            )


def _taken(appliance: "Appliance", name: str, warden: "Warden", timeout_s: float) -> "Reference":
    from edge.camera.camera import Camera
    from edge.camera.slot import Slot
    from edge.fitting import camera_settings
    from edge.health import Health

    health = Health((name,))
    settings = camera_settings(name, appliance.cameras[name])
    camera = Camera(settings, Slot(lossless=settings.lossless), health, warden)
    camera.start()
    try:
        return _awaited(camera, warden, health, timeout_s)
    finally:
        camera.stop()
        if sys.stderr.isatty():
            typer.echo("\r\x1b[2K", nl=False, err=True)


def _awaited(camera: "Camera", warden: "Warden", health: "Health", timeout_s: float) -> "Reference":
    from edge.clock import monotonic_ns

    limit_ns = monotonic_ns() + round(timeout_s * 1e9)
    while warden.reference is None:
        if monotonic_ns() > limit_ns or camera.slot.finished:
            why = "; ".join(health.standing()) or warden.trouble or "too few frames came"
            raise CameraError(
                f"camera {camera.settings.name!r} gave too few good frames: {why}",
                "see that it shows the line as it should, and try again",
            )
        camera.slot.take(0.2)
        if sys.stderr.isatty():
            typer.echo(f"\r{100 * warden.progress:3.0f} % of the good frames ", nl=False, err=True)
    if warden.trouble:
        raise CameraError(warden.trouble, "make room, or let the box write there")
    return warden.reference


def _said(reference: "Reference") -> str:
    rows, columns = reference.size
    steep = reference.steepness
    focus = f"edges {steep:.2f} steep" if steep else "too few edges: focus is not watched"
    return (
        f"{columns}x{rows}, {1e9 / max(1, reference.period_ns):.1f} frames/s, {focus}, "
        f"light within {100 * reference.light_spread:.1f} %, "
        f"framing within {100 * reference.shift_spread:.2f} % of the width"
    )
