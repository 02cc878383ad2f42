"""The smallest box there is: outbox and broker, and verdicts made up at a steady rate.

`python -m tests.chaos.minimal DB URL PREFIX --rate 40 [--backlog 50000]`. With a backlog it first
stores so many verdicts as fast as it can, and waits for a line on its standard input.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import structlog

from edge import clock
from edge.cli.run import SWITCH_S
from edge.messages import CameraReport, Health
from edge.mqtt.address import BrokerSettings, BrokerUrl
from edge.mqtt.broker import Broker
from edge.outbox import Outbox
from edge.topics import Topics
from export.verdict import BundleRef, Latency, Thresholds
from tests.edge.verdicts import verdict

CAMERAS = ("left", "right")
TELL_EVERY = 5000
LARGE = 500  # bytes
BUNDLE = BundleRef(name="housings", version=7, digest=random.Random(1).randbytes(32).hex())
THRESHOLDS = Thresholds(pass_below=0.2782488527427051, fail_above=0.671419652410299)


def record(outbox: Outbox, camera: str, dice: random.Random, large: float = 0.0) -> None:
    """One more verdict, as long as a real one (about 900 bytes); LARGE more with that chance."""
    score, now_ns = dice.random(), clock.wall_ns()
    classes = ("good", "chip", "dent", "missing_feature", "scratch", "stain")
    more = {
        "score": score,
        "probabilities": {name: dice.random() for name in classes},
        "bundle": BUNDLE,
        "thresholds": THRESHOLDS,
        "captured_at": clock.rfc3339(now_ns - 20_000_000),
        "decided_at": clock.rfc3339(now_ns),
        "detail": "x" * LARGE if dice.random() < large else "",
        "latency_ms": Latency(queue=dice.random(), preprocess=1.061581, score=24.457, total=64.5),
    }
    outbox.record(
        camera,
        lambda seq: verdict(
            outbox.epoch, seq, camera, part=f"{camera}-{outbox.epoch}-{seq}", **more
        ),
    )


def fill(outbox: Outbox, path: Path, count: int, dice: random.Random) -> None:
    """Have `count` verdicts stored, at full speed, say how it went, wait to be told to go on.

    What a broken-off run has left counts. Prints `stored N` after each N more, at the end
    `filled N SECONDS BYTES`, N being those of this run.
    """
    began, first = time.monotonic(), outbox.depth()
    for number in range(first, count):
        while outbox.report().waiting_in_memory > 5000:
            time.sleep(0.01)
        record(outbox, CAMERAS[number % 2], dice)
        if number % TELL_EVERY == 0:
            print(f"stored {TELL_EVERY}", flush=True)
    outbox.flush(60)
    seconds = time.monotonic() - began
    size = sum(part.stat().st_size for part in (path, path.with_name(f"{path.name}-wal")))
    print(f"filled {count - first} {seconds:.1f} {size}", flush=True)
    sys.stdin.readline()


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("url")
    parser.add_argument("prefix")
    parser.add_argument("--rate", type=float, default=40.0, help="verdicts per camera and second")
    parser.add_argument("--large", type=float, default=0.0, help="share of verdicts too long")
    parser.add_argument("--backlog", type=int, default=0)
    for name in ("ca", "certificate", "key"):
        parser.add_argument(f"--{name}", type=Path, help="PEM, for mqtts://")
    asked = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    outbox, dice = Outbox(asked.path), random.Random(os.getpid())

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

    told = BrokerSettings(
        BrokerUrl.parse(asked.url), ca_file=asked.ca, certificate=asked.certificate, key=asked.key
    )
    broker = Broker(told, Topics(asked.prefix), outbox, health)
    broker.start()
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    if asked.backlog:
        fill(outbox, asked.path, asked.backlog, dice)
    due = time.monotonic()
    while not end.wait(max(0.0, due - time.monotonic())):
        due = max(due + 1 / asked.rate, time.monotonic() - 1.0)
        for camera in CAMERAS:
            record(outbox, camera, dice, asked.large)
    outbox.flush()  # as the box does: what is stored after the farewell waits for the next start
    broker.stop()
    outbox.close()


if __name__ == "__main__":
    main()
