"""`linewarden run`: the box at work, until its sources end or it is told to stop."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from threading import Event

    from edge.config import Appliance, Loaded
    from edge.daemon import Daemon, Summary
    from edge.inspection.inspector import Inspector
    from edge.service import Service
    from edge.swap.standing import Standing

ARENAS, _M_ARENA_MAX = 2, -8  # glibc's malloc.h
MAPPED_BYTES, _M_MMAP_THRESHOLD = 2 << 20, -3
SWITCH_S = 0.001  # a thread with a deadline waits at most so long for a busy one (Python: 5 ms)


def run(
    config: Annotated[Path, typer.Option(help="The settings file.")] = Path("appliance.toml"),
    check: Annotated[
        bool, typer.Option("--check", help="Prove every bundle on this box, then exit.")
    ] = False,
    forever: Annotated[
        bool, typer.Option("--forever", help="Keep running after the sources have ended.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log every setting with its origin, and more.")
    ] = False,
) -> None:
    """Judge every part that the cameras see, and publish each verdict.

    Ends by itself when every source has ended (folder, video, virtual line), else on SIGTERM or
    Ctrl-C, within 5 seconds and with nothing lost. Exit code 2 if a setting is wrong or a bundle
    isn't to be trusted.

    For example:

    linewarden run --config appliance.toml --check

    linewarden run --config appliance.toml
    """
    import sys

    import cv2

    from edge import journal
    from edge.config import load, service_manager
    from edge.service import Notify, Service

    compact_memory()
    journal.begin("debug" if verbose else "info", aside=True)
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    loaded = load(config)
    _log_settings(loaded)
    _refuse_absent(loaded.appliance)
    stop = _on_signal()
    begun = {} if check else _begun(loaded.appliance)
    inspectors = _armed(loaded.appliance, {name: one.path for name, one in begun.items()})
    if check:
        typer.echo(banner(loaded, inspectors))
        return
    from edge.daemon import Daemon

    daemon = Daemon(loaded.appliance, inspectors, begun)
    with suppress(OSError):  # a terminal that is gone, or a full disk, is no reason to stop
        typer.echo(banner(loaded, inspectors), err=True)
    service = Service(Notify(*service_manager()), daemon.pulse)
    reload = Reload(daemon, config, service)
    live = sys.stderr.isatty()

    def tick() -> None:
        reload.turn()
        said = _now(daemon)
        service.turn(said)
        if live:
            with suppress(OSError):
                typer.echo(f"\r\x1b[2K{said[:160]}", nl=False, err=True)

    summary = daemon.run(stop, forever=forever, tick=tick, began=service.ready)
    service.stopping()
    typer.echo(("\n" if live else "") + told(summary))


class Reload:
    """On SIGHUP reads the settings again; wrong ones change nothing and are an alarm.

    Beside the main thread, which feeds the watchdog: a bundle that is newly named is tried first.
    """

    ALARM = "settings_refused"

    def __init__(self, daemon: "Daemon", config: Path, service: "Service") -> None:
        import signal
        import threading

        self._daemon, self._config, self._service = daemon, config, service
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None
        signal.signal(signal.SIGHUP, lambda _number, _frame: self._asked.set())

    def turn(self) -> None:
        """Begin what was asked for, if nothing is under way."""
        import threading

        if self._asked.is_set() and not (self._thread and self._thread.is_alive()):
            self._asked.clear()
            self._service.reloading()
            self._thread = threading.Thread(target=self._reload, name="reload", daemon=True)
            self._thread.start()

    def _reload(self) -> None:
        try:
            self._take_over()
        finally:
            self._service.ready()

    def _take_over(self) -> None:
        import structlog

        from edge.config import load
        from export.errors import LinewardenError

        log = structlog.get_logger("config")
        try:
            changed = self._daemon.adopt(load(self._config).appliance)
        except LinewardenError as error:
            log.error("the settings are as before", why=error.problem, remedy=error.remedy)  # noqa: TRY400
            self._daemon.alarms.clear("box", self.ALARM)  # what stands may have another reason
            self._daemon.alarms.raise_("box", self.ALARM, f"{error.problem}: {error.remedy}")
            return
        self._daemon.alarms.clear("box", self.ALARM)
        log.info("settings taken over", changed=list(changed))


def compact_memory() -> None:
    """Have all threads take memory from two pools, and what is large from none.

    By itself glibc gives each of a box's threads a pool, and what passes from thread to thread
    leaves its room in all of them: 80 MB more after 20 s with one camera. And it lets the limit
    above which it maps room apart rise to 32 MiB, with what is given back: weights that were read
    and pictures that were encoded then leave holes in the pools, 60 MB of them. Frames have room
    of their own (edge/camera/plates.py).
    """
    import ctypes

    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES)


def _on_signal() -> "Event":
    """An event that SIGTERM and Ctrl-C set."""
    import signal
    import threading

    stop = threading.Event()

    def end(_number: int, _frame: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return stop


def _refuse_absent(appliance: "Appliance") -> None:
    """A film or folder that isn't there at the start is a slip of the pen; a camera may come."""
    from edge.sections import FolderSource, VideoSource
    from export.errors import ConfigError

    for name, camera in appliance.cameras.items():
        source = camera.source
        if isinstance(source, FolderSource | VideoSource) and source.absent:
            raise ConfigError(
                f"cameras.{name}.source.path: {source.path} is no {source.kind}",
                "set it to one that is there; linewarden doctor looks at every camera",
            )


def _armed(appliance: "Appliance", paths: "dict[str, Path]") -> "dict[str, Inspector]":
    """An inspector for every camera, each bundle tried in a child first."""
    from edge.inspection.qualification import Trial
    from export.signature import load_public

    keys = [load_public(path) for path in appliance.trust.keys]
    told = (keys, (appliance.engine.provider,), appliance.engine.threads)
    bundles = {paths.get(name, camera.bundle) for name, camera in appliance.cameras.items()}
    variant = appliance.engine.variant
    trials = {path: Trial(path, *told, variant=variant) for path in bundles}
    # Python, OpenCV and ONNX Runtime load here while the children load them too.
    from edge.daemon import armed

    try:
        return armed(appliance, paths=paths, trials=trials)
    finally:
        for trial in trials.values():
            trial.abandon()


def _begun(appliance: "Appliance") -> "dict[str, Standing]":
    """With which bundles; nobody decides that for a box that runs already."""
    import os

    from edge.outbox import OUTBOX_FILE
    from edge.outbox.lock import lock
    from edge.swap.standing import standings

    os.close(lock(appliance.store.folder / OUTBOX_FILE))
    return standings(appliance)


def _log_settings(loaded: "Loaded") -> None:
    import structlog

    log = structlog.get_logger("config")
    for key, value, origin in loaded.rows():
        log.debug("setting", key=key, value=value, origin=origin)


def banner(loaded: "Loaded", inspectors: "dict[str, Inspector]") -> str:
    """What is about to run: cameras, bundles, provider, broker, store."""
    from edge.config import masked
    from export import __version__

    appliance = loaded.appliance
    broker = masked(appliance.broker.url) if appliance.broker else "none: verdicts are only kept"
    lines = [
        f"linewarden {__version__}  {appliance.station.prefix}",
        f"  broker   {broker}",
        f"  store    {appliance.store.folder}",
        f"  engine   {appliance.engine.provider}, threads {appliance.engine.threads}",
    ]
    for name, camera in appliance.cameras.items():
        bundle = inspectors[name].bundle
        limits = inspectors[name].thresholds
        lines.append(
            f"  camera   {name}: {camera.source.kind}, trigger {camera.trigger.kind}, "
            f"{bundle.name} {bundle.version} {bundle.variant} ({bundle.digest[:12]}), pass below "
            f"{limits.pass_below:.3g}, fail from {limits.fail_above:.3g}, "
            f"deadline {camera.deadline_ms:g} ms"
        )
    return "\n".join(lines)


def _now(daemon: "Daemon") -> str:
    """One line that tells how it goes."""
    parts: list[str] = []
    for camera in daemon.cameras:
        counts = daemon.health.counts(camera.settings.name)
        outcomes = " ".join(f"{name} {count}" for name, count in sorted(counts.outcomes.items()))
        parts.append(f"{camera.settings.name}: {counts.frames} frames, {outcomes or 'no part yet'}")
    if daemon.broker:
        link = "connected" if daemon.broker.connected else "no broker"
        parts.append(f"{link}, {daemon.outbox.depth()} to deliver")
    if faults := daemon.faults():
        parts.append(f"! {faults[0]}")
    return " | ".join(parts)


def told(summary: "Summary") -> str:
    """What a run came to, as a table."""
    row = "{:<16} {:>8} {:>8} {:>8} {:>6} {:>6} {:>6} {:>11} {:>8}"
    head = ("camera", "frames", "parts", "verdicts", "pass", "fail", "review", "overwritten")
    lines = [row.format(*head, "restarts")]
    for name, counts in summary.cameras.items():
        outcomes = [counts.outcomes.get(one, 0) for one in ("pass", "fail", "review")]
        numbers = (counts.frames, counts.triggers, counts.verdicts, *outcomes)
        lines.append(row.format(name, *numbers, counts.overwritten, counts.reconnects))
        for kind, count in sorted(counts.faults.items()):
            lines.append(f"  {kind}: {count}")
    lines.append(f"{summary.seconds:.1f} s")
    if summary.undelivered:
        lines.append(f"{summary.undelivered} verdicts wait in the store for the broker")
    lines += [f"fault: {said}" for said in summary.faults]
    return "\n".join(lines)
