"""The program from outside: how soon it helps, how soon it judges, how much memory it takes."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.rig import broker, make_bundle
from demo.broker import Subscriber
from export.figures import Figure

LINEWARDEN = Path(sys.executable).with_name("linewarden")
PREFIX = "bench"
REPEATS = 5
WORK_S = 20.0

APPLIANCE = """\
[station]
prefix = "bench"
[broker]
url = "mqtt://127.0.0.1:{port}"
[store]
folder = "{store}"
[trust]
keys = ["signing.pub"]
[cameras.belt]
bundle = "bundle"
source = {{ kind = "virtual", parts = 2000, fps = 60 }}
trigger = {{ kind = "gate" }}
"""


def help_s() -> float:
    """Seconds that `linewarden --help` takes."""
    started = time.perf_counter()
    subprocess.run([LINEWARDEN, "--help"], check=True, capture_output=True)
    return time.perf_counter() - started


def at_work(folder: Path, repeat: int, work_s: float) -> tuple[float, float]:
    """Seconds from start to the first verdict at a subscriber, and the most MiB it then took."""
    with broker(folder) as plant:
        settings = folder / "appliance.toml"
        settings.write_text(APPLIANCE.format(port=plant.port, store=f"store{repeat}"))
        subscriber = Subscriber(plant.port, PREFIX)
        started = time.perf_counter()
        command = [LINEWARDEN, "run", "--config", settings]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not subscriber.verdicts and time.perf_counter() - started < 30:
            time.sleep(0.005)
        first_s = time.perf_counter() - started
        most = 0.0
        while time.perf_counter() - started < first_s + work_s:
            most = max(most, memory_mib(psutil.Process(process.pid)))
            time.sleep(0.25)
        process.terminate()
        process.wait(10)
        subscriber.close()
    return first_s, most


def memory_mib(daemon: psutil.Process) -> float:
    """Proportional set size of the daemon and its children: shared pages are counted once."""
    family = [daemon, *daemon.children(recursive=True)]
    return sum(one.memory_full_info().pss for one in family) / 2**20


def measure(folder: Path) -> list[Figure]:
    """The figures; memory over 20 s at 10 parts/s."""
    make_bundle(folder)
    helps = statistics.median(help_s() for _ in range(REPEATS))
    runs = [at_work(folder, n, WORK_S if n == 0 else 0.0) for n in range(REPEATS)]
    first = statistics.median(first_s for first_s, _ in runs)
    return [
        Figure("linewarden --help", helps, "s", "< 0.5", f"median of {REPEATS}"),
        Figure("start to first verdict received", first, "s", "<= 4", f"median of {REPEATS}"),
        Figure("daemon and capture, memory", runs[0][1], "MiB", "<= 450", "PSS, ResNet-18"),
    ]
