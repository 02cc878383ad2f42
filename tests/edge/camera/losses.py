"""A GigE Vision camera over a network that loses packets: what comes, and what is counted.

`python -m tests.edge.camera.losses --seconds 20` prints a table and writes results/genicam.json.
Aravis' fake camera on loopback, which doesn't send lost packets again; 512x384 BayerRG8.
"""

import argparse
import sys
import time

from edge.camera.camera import Camera, CameraSettings
from edge.camera.slot import Slot
from edge.frame import Frame
from edge.health import Health
from edge.sections import GenicamSource
from export.figures import Figure, save, table
from tests.edge.camera.fake_genicam import HOST, FakeCamera, usable

SHARES = (0.0, 0.001, 0.01)  # of the packets that are lost


def seen(lost: float, seconds: float) -> list[Figure]:
    """What came of one camera."""
    told = {"camera": HOST, "pixel_format": "BayerRG8", "width": 512, "height": 384}
    source = GenicamSource(kind="genicam", **told).model_dump(mode="json")
    health, slot = Health(("eye",)), Slot(lossless=True)  # every one is looked at
    whole = ages = frames = 0
    with FakeCamera(lost=lost):
        camera = Camera(CameraSettings("eye", source, lossless=False), slot, health)
        camera.start()
        began, opened = time.monotonic(), 10.0
        while not health.counts("eye").frames and time.monotonic() < began + opened:
            time.sleep(0.01)
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            if (one := slot.take(0.5)) is None:
                continue
            frames += 1
            whole += isinstance(one, Frame)
            ages += time.monotonic_ns() - one.captured_ns
        took = time.monotonic() - began
        camera.stop()
    counts = health.counts("eye")
    where = f"{100 * lost:g} % of packets lost"
    incomplete = counts.faults.get("frames_incomplete", 0)
    late = counts.faults.get("frames_out_of_turn", 0)  # of the buffers, 8 may be on their way
    return [
        Figure(f"frames/s, {where}", frames / took, "1/s"),
        Figure(f"frames that came whole, {where}", whole / frames, ""),
        Figure(f"frames counted as incomplete, {where}", incomplete, ""),
        Figure(f"of them after their place was given up, {where}", late, ""),
        Figure(f"unaccounted for, {where}", abs(frames - whole + late - incomplete), "", "<= 8"),
        Figure(f"restarts, {where}", counts.reconnects, "", "== 0"),
        Figure(f"first packet to hand, mean, {where}", ages / frames / 1e6, "ms"),
    ]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="python -m tests.edge.camera.losses --seconds 20"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="for each share of loss")
    asked = parser.parse_args()
    if not usable():
        print("needs libaravis-0.8 and its UDP port 3956 on loopback", file=sys.stderr)
        return 2
    figures = [one for lost in SHARES for one in seen(lost, asked.seconds)]
    print(table(figures))
    print(f"written to {save('genicam', figures, seed=0)}")
    return 0 if all(figure.holds is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
