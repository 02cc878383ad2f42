"""The smallest box there is: outbox and broker, and verdicts made up at a steady rate.

`python -m tests.chaos.minimal DB URL PREFIX RATE`
"""

import signal
import sys
import threading
from pathlib import Path

import structlog

from edge import clock
from edge.messages import CameraReport, Health
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.broker import Broker
from edge.outbox import Outbox
from edge.topics import Topics
from tests.edge.verdicts import verdict

CAMERAS = ("left", "right")


def main() -> None:
    """Run until SIGTERM."""
    path, url, prefix, rate = Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    outbox = Outbox(path)

    def health() -> Health:
        heads = outbox.heads().items()
        return Health(
            at=clock.rfc3339(clock.wall_ns()),
            boots=outbox.boots,
            epoch=outbox.epoch,
            cameras={name: CameraReport(oldest=old, newest=new) for name, (old, new) in heads},
            outbox=outbox.report(),
            faults=outbox.faults(),
        )

    broker = Broker(BrokerSettings(BrokerUrl.parse(url)), Topics(prefix), outbox, health)
    broker.start()
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    while not end.wait(1 / rate):
        for camera in CAMERAS:
            at = clock.rfc3339(clock.wall_ns())
            outbox.record(
                camera,
                lambda seq, camera=camera, at=at: verdict(outbox.epoch, seq, camera, decided_at=at),
            )
    broker.stop()
    outbox.close()


if __name__ == "__main__":
    main()
