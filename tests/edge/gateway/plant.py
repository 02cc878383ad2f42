"""A box at work, its broker, and a gateway that tells of it, each a process of its own."""

import signal
import subprocess
import sys
from contextlib import contextmanager

from tests.broker import Mosquitto
from tests.edge.box import PREFIX, Box
from tests.listener import Listener

CAMERA = """
[cameras.line]
bundle = "bundle"
deadline_ms = 20000.0
source = { kind = "virtual", parts = 20000, fps = 40.0, width = 320, height = 256 }
trigger = { kind = "gate" }
"""
MAIN = "from export.command import main; main()"


class Plant:
    """`box` and `gateway` are processes; `ear` hears `topics` and the box's own."""

    def __init__(self, folder, broker, ear):
        self.folder, self.broker, self.ear = folder, broker, ear
        self.box = self.gateway = None

    def start(self, *commands):
        """`run` or `gateway`, as `linewarden` starts them."""
        for command in commands:
            call = [sys.executable, "-c", MAIN, command]
            more = ["--forever"] if command == "run" else []
            told = [*call, "--config", str(self.folder / "appliance.toml"), *more]
            process = subprocess.Popen(told, stderr=subprocess.DEVNULL)
            setattr(self, "box" if command == "run" else "gateway", process)
        return self

    def end(self, name, how=signal.SIGTERM):
        """Send a signal and wait; the exit code."""
        process = getattr(self, name)
        process.send_signal(how)
        return process.wait(10)

    def verdicts(self):
        """Seq and outcome, as the box itself published them."""
        return [(one["seq"], one["outcome"]) for one in self.ear.bodies("/line/verdicts")]


@contextmanager
def plant(folder, gateway, *topics, room=10_000):
    """A plant with [gateway] tables; nothing is started but the broker."""
    box = Box(folder)
    with Mosquitto(folder) as broker:
        box.write(f"{CAMERA}\n[gateway]\nroom = {room}\n{gateway}", broker.url)
        with Listener(broker.port, f"{PREFIX}/#", *topics) as ear:
            made = Plant(folder, broker, ear)
            try:
                yield made
            finally:
                for process in (made.box, made.gateway):
                    if process:
                        process.kill()
                        process.wait()
