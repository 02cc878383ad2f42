"""A process that puts verdicts for ever and prints what it was promised: camera, seq and body.

`python tests/edge/outbox/outbox_writer.py DB`. A line is printed only once the row can be read
back from the file, so every line is a promise that must survive kill -9.
"""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from edge.outbox import Outbox
from tests.edge.verdicts import verdict


def main() -> None:
    """Put, and promise, until killed."""
    outbox = Outbox(Path(sys.argv[1]))
    promised = {camera: newest for camera, (_, newest) in outbox.heads().items()}

    def promise() -> None:
        for camera, (_, newest) in outbox.heads().items():
            for row in outbox.replay(camera, promised.get(camera, 0) + 1, newest, limit=10_000):
                digest = hashlib.sha256(row.body).hexdigest()
                sys.stdout.write(f"{row.camera} {row.seq} {digest}\n")
            promised[camera] = newest
        sys.stdout.flush()

    outbox.on_stored(promise)
    sys.stdout.write(f"ready {outbox.epoch} {outbox.boots}\n")
    sys.stdout.flush()
    while True:
        for camera in ("left", "right"):
            outbox.record(camera, lambda seq, camera=camera: verdict(outbox.epoch, seq, camera))
        outbox.mark_acked(row.n for row in outbox.unacked(1))


main()
