"""The box in figures, for Prometheus: counts since the start, ages, depths, and latency by stage.

Counts come from the daemon's own books when somebody asks; only latency is noted as verdicts are
given. Names follow Prometheus' conventions (prometheus.io/docs/practices/naming).
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from edge.health import CameraCounts
from edge.status.readiness import Known
from export.verdict import Verdict

STAGES = ("queue", "preprocess", "score", "total")
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_Read = Callable[[CameraCounts], int]
_Table = Callable[[CameraCounts], Mapping[str, int]]
_PLAIN: tuple[tuple[str, str, _Read], ...] = (
    ("frames", "Frames captured.", lambda one: one.frames),
    ("triggers", "Parts seen.", lambda one: one.triggers),
    ("frames_overwritten", "Frames lost to newer ones.", lambda one: one.overwritten),
    ("reconnects", "Times the capture was started again.", lambda one: one.reconnects),
)
_SPLIT: tuple[tuple[str, str, str, _Table], ...] = (
    ("verdicts", "Verdicts given.", "outcome", lambda one: one.outcomes),
    ("faults", "What went wrong and was dealt with.", "kind", lambda one: one.faults),
)


class Metrics:
    """One box's.

    Args:
        known: called when somebody asks.
        counts: {camera: its counts}, called then too.
        version: of the program.
    """

    def __init__(
        self, known: Callable[[], Known], counts: Callable[[], Mapping[str, CameraCounts]],
        version: str,
    ) -> None:  # fmt: skip
        self._known, self._counts, self._version = known, counts, version
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._latency = Histogram(
            "linewarden_latency_seconds",
            "From capture to the verdict, and what each stage took of it.",
            ("camera", "stage"),
            buckets=BUCKETS_S,
            registry=self._registry,
        )

    def decided(self, verdict: Verdict) -> None:
        """Note how long a verdict took; some 10 µs."""
        for stage in STAGES:
            spent_ms = getattr(verdict.latency_ms, stage)
            self._latency.labels(verdict.camera, stage).observe(spent_ms / 1e3)

    def page(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """What the daemon's books say now; Prometheus' client calls it."""
        known = self._known()
        yield InfoMetricFamily(
            "linewarden", "The box.",
            {"version": self._version, "epoch": str(known.health.epoch)},
        )  # fmt: skip
        yield from self._cameras(known)
        outbox = known.health.outbox
        yield _gauge("outbox_depth", "Verdicts stored, not yet acknowledged.", outbox.depth)
        yield _gauge("outbox_bytes", "Size of the outbox.", outbox.bytes)
        yield _gauge("outbox_quarantined", "Verdicts that the broker refused.", outbox.quarantined)
        if known.connected is not None:
            yield _gauge("broker_connected", "1 while the broker answers.", known.connected)
        alarm = GaugeMetricFamily(
            "linewarden_alarm", "1 while it stands.", labels=("source", "name", "severity")
        )
        for one in known.alarms:
            alarm.add_metric((one.source, one.name, one.severity.value), 1)
        idle = GaugeMetricFamily(
            "linewarden_stage_idle_seconds", "Since the stage last moved.", labels=("stage",)
        )
        for stage, idle_s in known.idle_s.items():
            idle.add_metric((stage,), idle_s)
        yield from (alarm, idle)

    def _cameras(self, known: Known) -> Iterable[Metric]:
        counts = self._counts()
        for name, text, read in _PLAIN:
            family = _counter(name, text, "camera")
            for camera, one in counts.items():
                family.add_metric((camera,), read(one))
            yield family
        for name, text, label, table in _SPLIT:
            family = _counter(name, text, "camera", label)
            for camera, one in counts.items():
                for key, count in table(one).items():
                    family.add_metric((camera, key), count)
            yield family
        age = GaugeMetricFamily(
            "linewarden_frame_age_seconds", "Of the newest frame.", labels=("camera",)
        )
        for camera, report in known.health.cameras.items():
            age.add_metric((camera,), report.frame_age_ms / 1e3)
        yield age


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"linewarden_{name}", text, labels=labels)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"linewarden_{name}", text, float(value))
