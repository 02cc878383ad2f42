"""What a plant asks of a box's assistant and hears of its gateway, from outside; prints JSON.

`python asking.py http QUESTION`, `mqtt QUESTION` or `births`. Stands on paho alone and knows
nothing of Linewarden, so that what it finds is evidence. Files of the accounts lie in /root.
"""

import json
import ssl
import sys
import time
import urllib.error
import urllib.request

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

PREFIX = "acme/plant1/area1/line1/cell1"
PATIENCE_S = 60.0


def over_http(question: str) -> dict:
    """The answer of /ask, as soon as somebody listens there."""
    body = json.dumps({"question": question}).encode()
    request = urllib.request.Request(
        "http://127.0.0.1:8490/ask", body, {"content-type": "application/json"}
    )
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except OSError as trouble:
            if time.monotonic() > end:
                raise AssertionError(f"nobody listens: {trouble}") from trouble
        time.sleep(0.5)


def heard(account: str, topics: list[str], enough, ask: tuple[str, str] | None = None) -> list:
    """[(topic, payload)] that the account hears until `enough`; `ask` is published meanwhile."""
    found = []
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    context = ssl.create_default_context(cafile=f"/root/{account}/ca.pem")
    context.load_cert_chain(f"/root/{account}/{account}.pem", f"/root/{account}/{account}.key")
    client.tls_set_context(context)
    client.on_message = lambda _c, _d, message: found.append((message.topic, message.payload))
    client.on_connect = lambda one, *_: one.subscribe([(topic, 1) for topic in topics])
    client.connect("127.0.0.1", 8883)
    client.loop_start()
    end = time.monotonic() + PATIENCE_S
    while not enough(found):
        assert time.monotonic() < end, f"{account} heard no more than {found}"
        if ask:
            client.publish(*ask, qos=1)
        time.sleep(0.5)
    client.disconnect()
    client.loop_stop()
    return found


def over_mqtt(question: str) -> dict:
    """The answer on `answers` to a question on `cmd/ask`."""
    ask = (f"{PREFIX}/cmd/ask", json.dumps({"id": "q1", "question": question}))
    return json.loads(heard("operator", [f"{PREFIX}/answers"], lambda found: found, ask)[0][1])


def births() -> list[str]:
    """The topics on which a host hears births of Sparkplug, once it has heard some of each kind."""

    def both(found: list) -> bool:
        return all(any(f"/{kind}/" in topic for topic, _ in found) for kind in ("NBIRTH", "DBIRTH"))

    return sorted({topic for topic, _ in heard("host", ["spBv1.0/#"], both)})


if __name__ == "__main__":
    how, *rest = sys.argv[1:]
    ways = {"http": over_http, "mqtt": over_mqtt, "births": births}
    print(json.dumps(ways[how](*rest)))
