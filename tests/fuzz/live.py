"""Hostile commands through a real mosquitto to a real box at work: it must not mind.

A box whose two cameras wait for orders. Every so often a sound order among the hostile ones must
bring its verdict; at the end the box answers, has not grown, and has one verdict for each part that
was ordered soundly, and no other.
"""

import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from jsonschema import Draft202012Validator

from edge.messages import schema
from export.figures import Figure
from tests.broker import Mosquitto
from tests.edge.box import PREFIX, Box
from tests.fuzz.messages import Messages, is_sound
from tests.listener import Listener

COMMAND = "from export.command import main; main()"
CAMERA = "eye"
ORDER = Draft202012Validator(schema("Trigger"))
TOPICS = ("trigger", "flag", "replay", "reload", "replace", "ask", "x/y")
SOUND_EVERY = 100
START_S, ANSWER_S = 60.0, 20.0
CAMERAS = f"""
[cameras.{CAMERA}]
bundle = "bundle"
deadline_ms = 5000.0
trigger = {{ kind = "command" }}
source = {{ kind = "virtual", parts = 100000, fps = 20, width = 64, height = 64 }}
[samples]
keep_gb = 0.01
"""


@dataclass
class Lived:
    """What a run showed."""

    sent: int = 0
    ordered: int = 0
    answered: int = 0
    others: int = 0
    grown_mib: float = 0.0
    connections: int = 0
    exit_code: int = -1


def live(count: int, seed: int, folder: Path, advance=lambda *_: None) -> Lived:
    """Send `count` hostile commands, and sound orders among them."""
    box, lived = Box(folder), Lived()
    with Mosquitto(folder, log=False) as broker, Listener(broker.port, f"{PREFIX}/#") as ear:
        settings = box.write(CAMERAS, broker.url)
        words = [sys.executable, "-c", COMMAND, "run", "--config", str(settings), "--forever"]
        process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        )
        try:
            assert ear.wait_for(_online, START_S), "the box did not come online"
            assert _ask(ear, "warm-up"), "no verdict before the hostile commands"
            before = _mib(process.pid)
            _send(count, seed, ear, lived, advance)
            lived.grown_mib = _mib(process.pid) - before
            lived.connections = sum(one["state"] == "online" for one in ear.bodies("/state"))
            process.terminate()
            lived.exit_code = process.wait(30)
        finally:
            process.kill()
            process.wait()
        parts = [one["part"] for one in ear.bodies("/verdicts") if not one["replay"]]
        lived.others = sum(not part.startswith(("sound-", "warm-up")) for part in parts)
    return lived


def _online(ear: Listener) -> bool:
    return any(one["state"] == "online" for one in ear.bodies("/state"))


def _mib(pid: int) -> float:
    return psutil.Process(pid).memory_full_info().uss / 2**20


def _ask(ear: Listener, part: str) -> bool:
    """A sound order; whether its verdict comes."""
    order = json.dumps({"camera": CAMERA, "part": part, "id": part})
    ear.publish(f"{PREFIX}/cmd/trigger", order)
    return ear.wait_for(
        lambda one: any(told["part"] == part for told in one.bodies("/verdicts")), ANSWER_S
    )


def _send(count: int, seed: int, ear: Listener, lived: Lived, advance) -> None:
    messages, dice = Messages(seed), random.Random(seed)
    for number in range(count):
        name = dice.choice(TOPICS)
        _kind, payload = messages.draw(_sound(name, number))
        if name == "trigger" and is_sound(payload, ORDER):
            continue  # what is sound is ordered below, and counted
        ear.publish(f"{PREFIX}/cmd/{name}", payload)
        lived.sent += 1
        if number % SOUND_EVERY == SOUND_EVERY - 1:
            lived.ordered += 1
            lived.answered += _ask(ear, f"sound-{lived.ordered}")
        advance()
    time.sleep(1.0)


def _sound(name: str, number: int) -> dict:
    if name == "replay":
        return {"camera": CAMERA, "epoch": 1, "first": 1, "last": 5}
    if name == "flag":
        return {"camera": CAMERA, "epoch": 1, "seq": number + 1, "part": ""}
    return {"camera": CAMERA, "part": f"hostile-{number}", "id": f"h-{number}"}


def figures(lived: Lived) -> list[Figure]:
    """What it came to."""
    return [
        Figure("hostile commands to a real box", lived.sent, ""),
        Figure("sound orders among them answered", lived.answered, "", f"== {lived.ordered}"),
        Figure("verdicts that nobody ordered", lived.others, "", "== 0"),
        Figure("connections that it needed", lived.connections, "", "== 1"),
        Figure("real box: memory grown", lived.grown_mib, "MiB", "<= 64"),
        Figure("real box: exit code", lived.exit_code, "", "== 0"),
    ]
