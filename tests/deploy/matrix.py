"""Every right at a broker, tried by every account: who may publish what, and what reaches whom.

`python matrix.py HOST PORT FOLDER ACCOUNT…` prints rows of account, topic, may write, may read.
Stands on paho alone and knows nothing of Linewarden, so that what it finds is evidence. FOLDER
holds ca.pem, and NAME.pem and NAME.key of each account.
"""

import json
import secrets
import ssl
import sys
import time
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

ANSWER_S = 5.0
NOT_AUTHORISED = 0x87


class Caller:
    """One account, connected, that hears everything it is allowed to hear."""

    def __init__(self, name: str, folder: Path, host: str, port: int) -> None:
        self.name, self.heard, self.acks = name, set(), {}
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            f"m-{secrets.token_hex(6)}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        self.client.tls_set_context(context)
        self.client.on_message = lambda _c, _d, m: self.heard.add((m.topic, bytes(m.payload)))
        self.client.on_publish = lambda _c, _d, mid, reason, _p: self.acks.update(
            {mid: reason.value}
        )
        self.ready = False
        self.client.on_subscribe = lambda *_: setattr(self, "ready", True)
        self.client.on_connect = lambda c, *_: c.subscribe([("#", 1), ("$SYS/#", 1)])
        self.client.connect(host, port)
        self.client.loop_start()
        until(lambda: self.ready, f"{name} is not let in")

    def may_write(self, topic: str, payload: bytes) -> bool:
        """Publish and see what the broker says."""
        mid = self.client.publish(topic, payload, qos=1).mid
        until(lambda: mid in self.acks, f"no answer to {topic} of {self.name}")
        return self.acks[mid] != NOT_AUTHORISED

    def close(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()


def until(true, why: str) -> None:
    """Wait for it."""
    end = time.monotonic() + ANSWER_S
    while not true():
        assert time.monotonic() < end, why
        time.sleep(0.01)


def tried(host: str, port: int, folder: Path, accounts: list[str], topics: list[str]):
    """[(account, topic, may write, may read)]; each topic must have somebody who may write it."""
    callers = [Caller(name, folder, host, port) for name in accounts]
    writes, marks = {}, {}
    for caller in callers:
        for topic in topics:
            mark = secrets.token_bytes(8).hex().encode()
            writes[caller.name, topic] = caller.may_write(topic, mark)
            marks.setdefault(topic, []).append((mark, writes[caller.name, topic]))
    time.sleep(1.0)
    table = []
    for caller in callers:
        for topic in topics:
            said = [mark for mark, taken in marks[topic] if taken]
            heard = [(topic, mark) in caller.heard for mark in said]
            refused = [(topic, mark) in caller.heard for mark, taken in marks[topic] if not taken]
            assert not any(refused), f"what the broker refused on {topic} reached {caller.name}"
            assert len(set(heard)) < 2, f"{caller.name} hears some of {topic} and some not"
            reads = bool(heard and heard[0])
            if topic.startswith("$SYS"):
                reads = any(name.startswith("$SYS") for name, _ in caller.heard)
            table.append((caller.name, topic, writes[caller.name, topic], reads))
    for caller in callers:
        caller.close()
    return table


def main() -> None:
    """For use inside another machine: topics come as JSON on standard input."""
    host, port, folder, *accounts = sys.argv[1:]
    print(json.dumps(tried(host, int(port), Path(folder), accounts, json.load(sys.stdin))))


if __name__ == "__main__":
    main()
