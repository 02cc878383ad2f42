"""What a soak runs: a broker, the real box, a real consumer, and a counter of its own.

Knows how to sample them; what the samples say is told elsewhere.
"""

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.rig import make_bundle
from tests.broker import Mosquitto

PREFIX = "soak/plant1/area1/line1/cell1"
CAMERAS = ("left", "right")
FPS = 15.0
FRAMES_PER_PART = 3  # half as many as the line shows of each: it must outlast a soak that pauses
COMMAND = "from export.command import main; main()"
START_S, SETTLE_S = 600.0, 30.0

SETTINGS = f"""\
[station]
prefix = "{PREFIX}"
[broker]
url = "{{url}}"
[store]
folder = "store"
keep_gb = 0.05
[samples]
folder = "samples"
keep_gb = 0.0625
leave_free_gb = 0.1
audit_rate = 0.05
[trust]
keys = ["signing.pub"]
"""
CAMERA = """\
[cameras.{name}]
bundle = "bundle"
deadline_ms = 2000.0
open_s = 60.0
source = {{ kind = "virtual", seed = {seed}, parts = {parts}, fps = {fps}, width = 640, height = 512 }}
"""  # noqa: E501


class Sample(NamedTuple):
    """Own memory of each process; open handles and threads of box and captures."""

    at_s: float
    box_mib: float
    captures_mib: float
    consumer_mib: float
    handles: int
    threads: int
    verdicts: int


class Counter:
    """Counts verdicts below the prefix with plain paho: how many, and whether seq has gaps."""

    def __init__(self, port: int) -> None:
        self.verdicts = self.wrong = 0
        self.last: dict[bytes, int] = {}
        self._seq = re.compile(rb'"seq":(\d+)')
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{PREFIX}/+/verdicts", 1)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, _client, _data, message) -> None:
        if b'"replay":true' in message.payload:
            return  # somebody else's question
        seq, camera = int(self._seq.search(message.payload)[1]), message.topic
        self.verdicts += 1
        self.wrong += seq != self.last.get(camera, 0) + 1
        self.last[camera] = seq

    def stop(self) -> None:
        """End it."""
        self._client.disconnect()
        self._client.loop_stop()


def _mib(family) -> float:
    """What processes hold by themselves: their share of anonymous and shared memory.

    Not of files: how much of a library counts as whose hangs on who else has it open.
    """
    rolled = "".join(Path(f"/proc/{one.pid}/smaps_rollup").read_text() for one in family)
    return sum(map(int, re.findall(r"^Pss_(?:Anon|Shmem): +(\d+) kB", rolled, re.MULTILINE))) / 1024


class Plant:
    """Everything at work, from entering to leaving."""

    offered_per_s = FPS * len(CAMERAS)

    def __init__(self, folder: Path, seed: int, minutes: float) -> None:
        self._folder = folder
        self._broker = Mosquitto(folder, log=False)
        self.restarts = self.kept = self.unheard = 0
        self.kept_mib, self.exit_code = 0.0, -1
        make_bundle(folder)
        parts = 200 + round(60 * minutes * FPS / FRAMES_PER_PART)  # more than pass meanwhile
        text = SETTINGS.format(url=self._broker.url)
        for number, name in enumerate(CAMERAS):
            text += CAMERA.format(name=name, seed=seed + number, parts=parts, fps=FPS)
        (folder / "appliance.toml").write_text(text)
        self._heard = 0
        self.counter: Counter | None = None
        self._box = self._consumer = None
        self._began_s = time.monotonic()

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        self._broker.start()
        self.counter = Counter(self._broker.port)
        watch = ["watch", "--broker", self._broker.url, "--prefix", PREFIX, "--json"]
        self._consumer = self._run([*watch, "--from-start"], stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True).start()
        self._box = self._run(["run", "--config", str(self._folder / "appliance.toml")])
        end_s = time.monotonic() + START_S
        while not self.counter.verdicts:
            assert self._box.poll() is None, "the box ended at once"
            assert time.monotonic() < end_s, "no verdict came"
            time.sleep(0.1)
        self._began_s = time.monotonic()

    def __exit__(self, *_):
        for process in (self._box, self._consumer):
            if process is not None:
                process.kill()
                process.wait()
        if self._consumer is not None:
            self._consumer.stdout.close()
        if self.counter is not None:
            self.counter.stop()
        self._broker.kill()

    def _run(self, words, **more):
        command = [sys.executable, "-c", COMMAND, *words]
        more.setdefault("stdout", subprocess.DEVNULL)
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=self._folder, **more)

    def _listen(self) -> None:
        for _ in self._consumer.stdout:
            self._heard += 1

    def rest(self, seconds: float) -> None:
        """Let it work."""
        time.sleep(seconds)
        assert self._box.poll() is None, f"the box ended with {self._box.returncode}"

    def sample(self) -> Sample:
        """What the box holds now."""
        box = psutil.Process(self._box.pid)
        family = [box, *box.children(recursive=True)]
        return Sample(
            time.monotonic() - self._began_s,
            _mib(family[:1]),
            _mib(family[1:]),
            _mib([psutil.Process(self._consumer.pid)]),
            sum(one.num_fds() for one in family),
            sum(one.num_threads() for one in family),
            self.counter.verdicts,
        )

    def finish(self) -> None:
        """Stop the box as systemd would, and wait until all it has stored was heard."""
        health = self._health()
        self.restarts = sum(one["reconnects"] for one in health["cameras"].values())
        self._box.terminate()
        self.exit_code = self._box.wait(30)
        end_s = time.monotonic() + SETTLE_S
        while self._heard < self.counter.verdicts and time.monotonic() < end_s:
            time.sleep(0.1)
        self.unheard = self.counter.verdicts - self._heard
        kept = [one for one in (self._folder / "samples").rglob("*") if one.is_file()]
        self.kept = sum(one.suffix == ".png" for one in kept)
        self.kept_mib = sum(one.stat().st_size for one in kept) / 2**20

    def _health(self) -> dict:
        heard: list[bytes] = []
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_connect = lambda one, *_: one.subscribe(f"{PREFIX}/health", 1)
        client.on_message = lambda _client, _data, message: heard.append(message.payload)
        client.connect("127.0.0.1", self._broker.port)
        client.loop_start()
        while not heard:
            time.sleep(0.05)
        client.disconnect()
        client.loop_stop()
        return json.loads(heard[-1])
