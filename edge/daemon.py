"""The daemon's composition root: puts cameras, lanes, bench, outbox and broker together.

    camera process → reader thread → slot → lane → bench → outbox → broker
                                                     └→ reject gate, keeper of samples

The only file of the edge that knows them all. What it is made of can be exchanged by argument.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from edge import fitting
from edge.adoption import adoptable
from edge.alarm import Alarms
from edge.camera.camera import Camera, Seen
from edge.camera.slot import Slot
from edge.camera_health.wardens import Wardens, calibration_of
from edge.challenge import Challenges
from edge.clock import monotonic_ns, rfc3339, wall_ns
from edge.config import Appliance
from edge.fitting import camera_report, camera_settings, keeper, schedules
from edge.flagged.recent import Judged
from edge.health import CameraCounts, Health
from edge.inspection.armed import arm
from edge.inspection.bench import Bench
from edge.inspection.command import Orders
from edge.inspection.computer import computer
from edge.inspection.herald import Herald
from edge.inspection.inspector import Inspector
from edge.inspection.lane import Lane
from edge.inspection.part import Terms
from edge.inspection.qualification import Trial
from edge.messages import Health as HealthMessage
from edge.mqtt.address import settings_of
from edge.mqtt.broker import Broker
from edge.outbox import OUTBOX_FILE, Outbox, OutboxSettings
from edge.output.wires import reject_gate
from edge.pulse import Pulse
from edge.sections import CameraSection
from edge.status.door import Door
from edge.status.metrics import Metrics
from edge.status.readiness import Known
from edge.swap.bundles import Bundles
from edge.swap.challenge import asked_of
from edge.swap.probation import Terms as Probation
from edge.swap.standing import Standing
from edge.topics import Topics
from export import __version__
from export.bundle import open_bundle
from export.errors import ConfigError, LinewardenError, StoreError
from export.signature import load_public
from export.verdict import Outcome, Verdict

DELIVER_S = 10.0  # after the last frame: for the broker to take what is left
# After a signal, together within 5 s.
DRAIN_S, GATE_S, FLUSH_S, WATCH_S, KEEP_S, GOODBYE_S = 1.0, 0.3, 0.8, 0.2, 0.5, 1.3

Arm = Callable[..., Inspector]  # as edge.inspection.armed.arm


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to."""

    seconds: float
    cameras: dict[str, CameraCounts] = field(default_factory=dict[str, CameraCounts])
    undelivered: int = 0
    faults: tuple[str, ...] = ()


def armed(
    appliance: Appliance,
    arm_bundle: Arm = arm,
    *,
    paths: Mapping[str, Path] | None = None,
    trials: Mapping[Path, Trial] | None = None,
) -> dict[str, Inspector]:
    """An inspector for every camera, proved on this box; a bundle used twice is loaded once.

    Args:
        appliance: the settings.
        arm_bundle: makes an inspector of a bundle.
        paths: the cameras' bundles, if not those of the settings.
        trials: of the bundles, begun before.

    Raises:
        BundleError, ProviderError, ConfigError: as `arm`; a key can't be read.
    """
    keys = [load_public(path) for path in appliance.trust.keys]
    engine = appliance.engine
    loaded: dict[Path, Inspector] = {}
    inspectors: dict[str, Inspector] = {}
    for name, camera in appliance.cameras.items():
        path = (paths or {}).get(name, camera.bundle)
        if path not in loaded:
            loaded[path] = arm_bundle(
                path, keys, (engine.provider,), engine.threads,
                trial=(trials or {}).get(path), variant=engine.variant,
            )  # fmt: skip
        inspectors[name] = _with_region(loaded[path], camera)
    return inspectors


def _with_region(inspector: Inspector, camera: CameraSection) -> Inspector:
    if camera.region is None:
        return inspector
    return Inspector(
        inspector.scorer,
        replace(inspector.input, region=camera.region.region()),
        inspector.thresholds,
        inspector.classes,
        inspector.bundle,
    )


class Daemon:
    """Everything that runs, from `start` to `stop`.

    Args:
        appliance: the settings.
        inspectors: one per camera, as `armed` makes them.
        begun: with which bundles, as `standings` decides; without, those of the settings.
        probation: how a bundle that is activated must prove itself.

    Raises:
        StoreError: the outbox can't be opened.
        ConfigError: the broker's settings are wrong.
    """

    def __init__(
        self,
        appliance: Appliance,
        inspectors: dict[str, Inspector],
        begun: Mapping[str, Standing] | None = None,
        probation: Probation | None = None,
    ) -> None:
        self._appliance = appliance
        self._started_ns = monotonic_ns()
        self._log = structlog.get_logger("daemon")
        self.health = Health(tuple(appliance.cameras))
        self.alarms, self.pulse = Alarms(), Pulse()
        store = appliance.store
        to_broker = settings_of(appliance.broker) if appliance.broker else None
        kept = OutboxSettings(
            keep_s=round(store.keep_days * 86_400), budget_bytes=round(store.keep_gb * 1024**3)
        )
        self.outbox = Outbox(store.folder / OUTBOX_FILE, kept, self.alarms, self.pulse)
        self.metrics = Metrics(self.known, self.counts, __version__)
        topics = Topics(appliance.station.prefix)
        self.keeper = keeper(appliance.samples, self.health)
        self.gates = {
            name: reject_gate(name, section.output, self.health, self.alarms, self._alive)
            for name, section in appliance.cameras.items()
            if section.output
        }
        on_this = computer(appliance.engine.provider, appliance.engine.threads)
        herald = Herald(self.keeper, self.gates, on_this, self._note, self._seen)
        used = {name: one.path for name, one in (begun or {}).items()}
        variants = {name: one.bundle.variant for name, one in inspectors.items()}
        known = fitting.calibrations_of(appliance, used, variants)
        self.wardens = Wardens(self.alarms, store.folder, known)
        record = self.wardens.recording(self.outbox.record)
        self._bench = Bench(record, self.outbox.epoch, self.health, herald, self.pulse)
        self.cameras: list[Camera] = []
        self._lanes: list[Lane] = []
        for name, section in appliance.cameras.items():
            self._add(name, section, inspectors[name])
        orders = Orders({lane.terms.camera: lane for lane in self._lanes}, self.keeper)
        self.broker = (
            Broker(
                to_broker, topics, self.outbox, self.bulletin, __version__, alarms=self.alarms,
                commands={"trigger": orders.trigger, "flag": orders.flag}, pulse=self.pulse,
            )
            if to_broker
            else None
        )  # fmt: skip
        self.challenges = Challenges(schedules(appliance), self.alarms, store.folder)
        self.bundles = Bundles(
            appliance, inspectors, begun or {},
            arm=self._armed, install=self._install, alarms=self.alarms, terms=probation,
            busy=lambda: self._bench.busy,
            disagreed=self.keeper.disagreed if self.keeper else lambda _: None,
            further=asked_of(self.challenges),
        )  # fmt: skip
        self.door = self._door(appliance)

    def _armed(self, camera: str, path: Path) -> Inspector:
        """An inspector for one camera of another bundle than the settings'."""
        section, engine = self._appliance.cameras[camera], self._appliance.engine
        keys = [load_public(key) for key in self._appliance.trust.keys]
        inspector = arm(path, keys, (engine.provider,), engine.threads, variant=engine.variant)
        judging = open_bundle(path, keys).as_variant(inspector.bundle.variant)
        self.wardens.learn(inspector.bundle.digest, calibration_of(judging))
        return _with_region(inspector, section)

    def _install(self, camera: str, inspector: Inspector) -> None:
        """From the next part on."""
        for lane in self._lanes:
            if lane.terms.camera == camera:
                lane.agree(judge=inspector, region=inspector.input.region)

    def _seen(self, judged: Judged) -> None:
        self.bundles.shadow.offer(judged)

    def _note(self, verdict: Verdict) -> None:
        self.metrics.decided(verdict)
        self.bundles.judged(verdict)
        self.challenges.judged(verdict)

    def adopt(self, after: Appliance) -> tuple[str, ...]:
        """Take over what differs in other settings, from the next part on; returns the keys.

        Raises:
            ConfigError: one of them needs a restart.
            BundleError, SignatureError, ProviderError, StoreError: a bundle is not to be trusted.
                Nothing is taken over then.
        """
        changed = adoptable(self._appliance, after)
        named = {name: one.bundle for name, one in after.cameras.items()}
        told = {name: path for name, path in named.items() if f"cameras.{name}.bundle" in changed}
        self._allow(after)  # a new bundle is held to it
        try:
            self.bundles.exchange.activate_all(told)
        except LinewardenError:
            self._allow(self._appliance)
            raise
        for lane in self._lanes:
            section = after.cameras[lane.terms.camera]
            lane.agree(deadline_ms=section.deadline_ms, room=section.queue,
                       fail_safe=Outcome(section.fail_safe))  # fmt: skip
        self.challenges.schedule(schedules(after))
        self._appliance = after
        return changed

    def _allow(self, appliance: Appliance) -> None:
        for name, section in appliance.cameras.items():
            self.bundles.exchange.allow(name, section.deadline_ms)

    def _door(self, appliance: Appliance) -> Door | None:
        if not appliance.status.listen:
            return None
        try:
            return Door(*appliance.status.address, self.known, self.metrics)
        except ConfigError:
            self.bundles.stop()
            self.outbox.close()
            raise

    def _add(self, name: str, section: CameraSection, inspector: Inspector) -> None:
        settings = camera_settings(name, section)
        slot = Slot[Seen](lossless=settings.lossless)
        terms = Terms(
            name, inspector, section.deadline_ms, section.queue, settings.virtual,
            Outcome(section.fail_safe), section.frames, inspector.input.region,
        )  # fmt: skip
        warden = self.wardens.add(name, section)
        self.cameras.append(Camera(settings, slot, self.health, warden))
        lane = Lane(
            slot, fitting.trigger(section), terms, self._bench, self.health, pulse=self.pulse
        )
        self._lanes.append(lane)

    def start(self) -> None:
        """Start every thread and process."""
        if self.broker:
            self.broker.start()
        if self.keeper:
            self.keeper.start()
        for gate in self.gates.values():
            gate.start()
        self.wardens.start()
        self._bench.start()
        for lane in self._lanes:
            lane.start()
        for camera in self.cameras:
            camera.start()
        self.bundles.start()
        if self.door:
            self.door.start()

    @property
    def ended(self) -> bool:
        """Whether every source came to its end and every part of it has its verdict."""
        names = (lane.terms.camera for lane in self._lanes)
        return all(lane.ended for lane in self._lanes) and all(
            self._bench.settled(name, 0) for name in names
        )

    def run(
        self,
        stop: threading.Event,
        *,
        forever: bool,
        tick: Callable[[], None],
        began: Callable[[], None] = lambda: None,
    ) -> Summary:
        """Run until `stop` is set, or every source has ended (unless `forever`).

        `began` is called once everything has started, `tick` five times a second from then on.

        Raises:
            StoreError: the record broke while running; a start moves it aside and begins anew.
        """
        self.start()
        began()
        while not stop.wait(0.2) and self.outbox.alive and (forever or not self.ended):
            tick()
            self.challenges.turn()
        if not self.outbox.alive:
            faults = "; ".join(self.outbox.faults())
            self.stop()
            raise StoreError(f"verdicts can't be stored any more: {faults}", "start the box again")
        if not stop.is_set():
            self._deliver(stop)
        return self.stop()

    def _deliver(self, stop: threading.Event) -> None:
        """Give the broker time to take what is left, if there is one."""
        self.outbox.flush(FLUSH_S)
        limit_ns = monotonic_ns() + round(DELIVER_S * 1e9)
        broker = self.broker
        while broker and broker.connected and self.outbox.depth() and monotonic_ns() < limit_ns:
            if stop.wait(0.05):
                return

    def stop(self) -> Summary:
        """Stop the captures, judge what waits, store it, say goodbye; within 5 s."""
        if self.door:
            self.door.stop()
        self.bundles.stop()
        for camera in self.cameras:
            camera.stop()
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join(0.5)
        self._bench.stop(DRAIN_S)
        for gate in self.gates.values():
            gate.stop(GATE_S)
        self.outbox.flush(FLUSH_S)
        faults = self.faults()
        self.wardens.stop(WATCH_S)
        if self.keeper:
            self.keeper.stop(KEEP_S)
        if self.broker:
            self.broker.stop(GOODBYE_S)
        summary = Summary(
            (monotonic_ns() - self._started_ns) / 1e9,
            self.counts(),
            self.outbox.depth() if self.broker else 0,
            faults,
        )
        self.outbox.close()
        return summary

    def _alive(self) -> bool:
        """Whether every part gets its verdict: the reject gate's heartbeat says so."""
        return self._bench.alive and self.outbox.alive and not self.pulse.still()

    def faults(self) -> tuple[str, ...]:
        """What is wrong now, anywhere."""
        beyond = self.broker.faults() if self.broker else ()
        return (*self.health.standing(), *self.outbox.faults(), *beyond)

    def counts(self) -> dict[str, CameraCounts]:
        """Every camera's counts now."""
        return {name: self.health.counts(name) for name in self._appliance.cameras}

    def known(self) -> Known:
        """The box as it is now, for whoever asks whether it is ready."""
        told = (one.settings for one in self.cameras)
        live = (one for one in told if not (one.lossless or one.waits))
        return Known(
            still=self.pulse.still(),
            idle_s=self.pulse.idle_s(),
            health=self.bulletin(),
            live=frozenset(settings.name for settings in live),
            connected=self.broker.connected if self.broker else None,
            alarms=self.alarms.standing(),
        )

    def bulletin(self) -> HealthMessage:
        """The box as it is now, for the broker to publish once a second."""
        heads, counts = self.outbox.heads(), self.health.counts
        shadow = self.bundles.shadow.report
        return HealthMessage(
            at=rfc3339(wall_ns()),
            boots=self.outbox.boots,
            epoch=self.outbox.epoch,
            cameras={
                name: camera_report(counts(name), *heads.get(name, (1, 0)), shadow(name))
                for name in self._appliance.cameras
            },
            outbox=self.outbox.report(),
            faults=self.faults(),
        )
